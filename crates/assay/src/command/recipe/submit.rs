//! `assay recipe submit`: offers a recipe to a subnet: published sealed, committed under time lock, opened when the chain opens it.
//!
//! The hotkey should be one that neither mines nor validates, as a hotkey has one commitment at a time: a miner's next pointer would
//! replace the recipe's, and its sealed pointer looks like it.
//!
//! The commitment comes first and nobody can read it, so that nobody can take the recipe and say it was theirs. The same call again goes
//! on where it was: what is published is found, what stands on the chain is not committed twice, what the chain has opened is
//! made public.

use anyhow::Context as _;
use assay_chain::sealed::{Seal, sealed_field};
use assay_chain::timelock::Entropy;
use assay_chain::{At, Call, Chain, CommitmentField, messages};
use assay_hub::store::{Body, ObjectPath, Publication, open_store};
use assay_types::{Hotkey, Message, NetUid, RecipeMessage, RepoName};
use serde_json::json;
use subxt_signer::sr25519::Keypair;

use crate::cli::RecipeSubmitArgs;
use crate::command::chain;
use crate::config;
use crate::console::Console;
use crate::exit::{Status, UsageError};
use crate::recipes;

/// Name of the recipe's file in its repository.
const RECIPE_FILE: &str = "recipe.toml";

/// Pulses between now and the one that opens the commitment: drand's quicknet gives one each 3 s, so five minutes.
const PULSES_AHEAD: u64 = 100;

const SCHEMA: &str = "assay.recipe-submit/1";

pub(super) async fn run(args: &RecipeSubmitArgs, console: &Console) -> anyhow::Result<Status> {
    let (recipe, _) = recipes::recipe(&args.recipe, None)?;
    let repo = RepoName::parse(&args.repo)
        .map_err(|error| UsageError::new(format!("--repo: {error}"), "give namespace/name"))?;
    let store = open_store(&args.store, &config::store_options())?;
    let anchor = ObjectPath::parse(RECIPE_FILE).context("name the recipe's file")?;
    let publication = Publication::new(repo.clone(), anchor.clone())
        .with(anchor, Body::Bytes(recipe.to_canonical().into_bytes().into()));
    let pair = chain::hotkey_pair(&args.call.signing, console)?;
    let signer = pair.signer()?;
    let hotkey = Hotkey(signer.public_key().0);
    let opened = chain::open(&args.call.network).await?;
    let netuid = NetUid(args.netuid);
    if args.call.dry_run {
        let data = json!({ "recipe": recipe.id(), "repo": repo.as_str(), "hotkey": hotkey.to_ss58(), "state": "dry_run" });
        console.result(SCHEMA, &data, &[], || {
            format!(
                "would publish {} to {} and commit it sealed\n",
                recipe.id(),
                repo.as_str()
            )
        })?;
        return Ok(Status::Ok);
    }
    let revision = store.publish(&publication).await?;
    let message = Message::Recipe(RecipeMessage {
        recipe_id: recipe.id(),
        revision,
        repo: repo.clone(),
    })
    .encode();
    let offer = Offer {
        chain: &*opened,
        netuid,
        message: &message,
        signer: &signer,
    };
    let state = offer.advance().await?;
    if state == State::Public {
        store.reveal(&repo, &revision).await?;
    }
    let data = json!({
        "recipe": recipe.id(), "repo": repo.as_str(), "revision": revision.to_string(), "hotkey": hotkey.to_ss58(), "state": state.name(),
    });
    console.result(SCHEMA, &data, &[], || match state {
        State::Public => format!("{} is public; validators can duel it\n", recipe.id()),
        State::Sealed => {
            "the chain has not opened the commitment yet; run this again in a few minutes\n".to_owned()
        }
        State::Committed => format!(
            "{} is committed, sealed for about five minutes; run this again then to make it public\n",
            recipe.id()
        ),
    })?;
    Ok(Status::Ok)
}

/// How far a recipe's offer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Committed,
    Sealed,
    Public,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Sealed => "sealed",
            Self::Public => "public",
        }
    }
}

/// A recipe's message on its way.
struct Offer<'a> {
    chain: &'a dyn Chain,
    netuid: NetUid,
    message: &'a [u8],
    signer: &'a Keypair,
}

impl Offer<'_> {
    /// Commits the message unless it stands there, sealed or opened.
    async fn advance(&self) -> anyhow::Result<State> {
        let hotkey = Hotkey(self.signer.public_key().0);
        let revealed = self.chain.revealed_commitments(self.netuid, At::Head).await?;
        if messages(&[], &revealed).any(|(author, _, bytes)| author == hotkey && bytes == self.message) {
            return Ok(State::Public);
        }
        let standing = self.chain.commitments(self.netuid, At::Head).await?;
        let own = || {
            standing
                .iter()
                .filter(|one| one.hotkey == hotkey)
                .flat_map(|one| &one.fields)
        };
        let is_message = |field: &CommitmentField| matches!(field, CommitmentField::Plain(bytes) if Message::parse(bytes).is_ok());
        if own().any(is_message) {
            let help = "use a hotkey that neither mines nor validates: a hotkey has one commitment, and this would replace it";
            return Err(
                UsageError::new("this hotkey has a message on the chain that still counts", help).into(),
            );
        }
        if own().any(|field| matches!(field, CommitmentField::Timelocked { .. })) {
            return Ok(State::Sealed);
        }
        let beacon = self.chain.beacon(At::Head).await?;
        let newest = self.chain.last_pulse_round(At::Head).await?;
        let entropy = Entropy::random().context("seal the commitment")?;
        let seal = Seal {
            beacon: &beacon,
            round: newest.saturating_add(PULSES_AHEAD),
        };
        let field = sealed_field(self.message, seal, &entropy).context("seal the commitment")?;
        let call = Call::SetCommitment {
            netuid: self.netuid,
            fields: vec![field],
        };
        self.chain.submit(&call, self.signer).await?;
        Ok(State::Committed)
    }
}
