//! `assay chain owner`: what the owner of a subnet does before anybody can work there: create, name, start, set rules.

use assay_chain::{At, Call, SubnetIdentity};
use assay_types::{Coldkey, Hotkey, NetUid};
use serde_json::json;

use crate::cli::{OwnerCommand, SendArgs};
use crate::command::chain::amounts::tao;
use crate::command::chain::confirm::confirm;
use crate::command::chain::open::{Opened, network_of, open};
use crate::command::chain::{keys, send};
use crate::console::Console;

const SCHEMA: &str = "assay.chain-owner/1";

pub(super) async fn run(command: &OwnerCommand, console: &Console) -> anyhow::Result<()> {
    let args = command.args();
    let opened = open(network_of(&args.call.network)?).await?;
    let signer = keys::coldkey(&args.call.signing, console)?;
    let coldkey = Coldkey(signer.public_key().0);
    let call = call(command, console)?;
    let what = asked(command, &opened, &coldkey).await?;
    let data = json!({
        "network": opened.chain.network(), "call": call.name(), "coldkey": coldkey.to_ss58(), "what": what,
    });
    if args.call.dry_run {
        return console.result(SCHEMA, &data, &[], || format!("would {what}\n"));
    }
    confirm(&what, &opened.chain.network(), args.yes, console)?;
    send::send(&opened, &call, &signer, (SCHEMA, data), console).await
}

fn call(command: &OwnerCommand, console: &Console) -> anyhow::Result<Call> {
    Ok(match command {
        OwnerCommand::Create { send, identity } => Call::RegisterNetwork {
            hotkey: Hotkey(keys::hotkey_address(&send.call.signing, console)?),
            identity: identity.name.is_some().then(|| identity.identity()),
        },
        OwnerCommand::Start { netuid, .. } => Call::StartCall {
            netuid: NetUid(*netuid),
        },
        OwnerCommand::Identity { netuid, identity, .. } => Call::SetSubnetIdentity {
            netuid: NetUid(*netuid),
            identity: identity.identity(),
        },
        OwnerCommand::Set {
            netuid, name, value, ..
        } => Call::SetHyperparameter {
            netuid: NetUid(*netuid),
            name: name.clone(),
            value: *value,
        },
    })
}

/// What is about to happen, in words.
async fn asked(command: &OwnerCommand, opened: &Opened, coldkey: &Coldkey) -> anyhow::Result<String> {
    let network = opened.chain.network();
    Ok(match command {
        OwnerCommand::Create { .. } => {
            let balance = opened.chain.balance(coldkey, At::Head).await?;
            let cost = opened.chain.lock_cost(At::Head).await?;
            format!(
                "create a subnet on {network} for {} TAO from {} ({} TAO)",
                tao(cost),
                coldkey.to_ss58(),
                tao(balance)
            )
        }
        OwnerCommand::Start { netuid, .. } => format!("start subnet {netuid} of {network}"),
        OwnerCommand::Identity { netuid, identity, .. } => {
            let name = identity.name.as_deref().unwrap_or_default();
            format!("name subnet {netuid} of {network} `{name}`")
        }
        OwnerCommand::Set {
            netuid, name, value, ..
        } => format!("set {name} of subnet {netuid} of {network} to {value}"),
    })
}

impl OwnerCommand {
    const fn args(&self) -> &SendArgs {
        match self {
            Self::Create { send, .. }
            | Self::Start { send, .. }
            | Self::Identity { send, .. }
            | Self::Set { send, .. } => send,
        }
    }
}

impl crate::cli::IdentityArgs {
    fn identity(&self) -> SubnetIdentity {
        let text = |given: &Option<String>| given.clone().unwrap_or_default();
        SubnetIdentity {
            subnet_name: text(&self.name),
            github_repo: text(&self.repository),
            subnet_contact: text(&self.contact),
            subnet_url: text(&self.url),
            discord: text(&self.discord),
            description: text(&self.description),
            logo_url: text(&self.logo),
            additional: String::new(),
        }
    }
}
