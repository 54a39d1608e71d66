//! `assay chain stake`: TAO of a coldkey staked to a hotkey on a subnet, which gives validators their weight.

use assay_chain::{At, Call};
use assay_types::{Coldkey, Hotkey, NetUid};
use serde_json::json;

use crate::cli::StakeArgs;
use crate::command::chain::amounts::{parse_tao, tao};
use crate::command::chain::confirm::confirm;
use crate::command::chain::open::{network_of, open};
use crate::command::chain::{keys, send};
use crate::console::Console;
use crate::exit::UsageError;

const SCHEMA: &str = "assay.chain-stake/1";

pub(super) async fn run(args: &StakeArgs, console: &Console) -> anyhow::Result<()> {
    let netuid = NetUid(args.netuid);
    let amount = parse_tao(&args.amount)?;
    let hotkey = match &args.to {
        Some(address) => Hotkey::from_ss58(address).map_err(|error| {
            UsageError::new(
                format!("--to: {error}"),
                "give a hotkey's address, which begins with 5",
            )
        })?,
        None => Hotkey(keys::hotkey_address(&args.send.call.signing, console)?),
    };
    let opened = open(network_of(&args.send.call.network)?).await?;
    let signer = keys::coldkey(&args.send.call.signing, console)?;
    let coldkey = Coldkey(signer.public_key().0);
    let balance = opened.chain.balance(&coldkey, At::Head).await?;
    let network = opened.chain.network();
    let data = json!({
        "network": network, "netuid": netuid, "hotkey": hotkey.to_ss58(), "coldkey": coldkey.to_ss58(),
        "amount_rao": amount.to_string(), "balance_rao": balance.to_string(),
    });
    let what = format!(
        "stake {} TAO to {} on subnet {netuid} of {network} from {} ({} TAO)",
        tao(amount),
        hotkey.to_ss58(),
        coldkey.to_ss58(),
        tao(balance)
    );
    if args.send.call.dry_run {
        return console.result(SCHEMA, &data, &[], || format!("would {what}\n"));
    }
    confirm(&what, &network, args.send.yes, console)?;
    let call = Call::AddStake {
        hotkey,
        netuid,
        amount,
    };
    send::send(&opened, &call, &signer, (SCHEMA, data), console).await
}
