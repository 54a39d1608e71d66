//! From `TARGET` and the chain to an open revision and what it does not keep of its pointer.

use std::path::PathBuf;

use anyhow::Context as _;
use assay_agents::consume::{ConsumeError, Difference, Published};
use assay_chain::At;
use assay_hub::store::{Store, Target, open_store};
use assay_types::{Hotkey, Message, NetUid, POINTER_BYTES, Pointer, RepoName, Revision};
use serde_json::{Value, json};

use crate::cli::PublishedArgs;
use crate::command::chain;
use crate::config;
use crate::exit::UsageError;

/// Revisions named in a message.
const REVISIONS_SHOWN: usize = 5;

/// What a target turned out to be.
pub(super) enum Found {
    /// A folder of this machine.
    Folder(PathBuf),
    /// An open revision.
    Published(Box<Checked>),
}

/// An open revision beside its pointer.
pub(super) struct Checked {
    pub(super) published: Published,
    /// The store, without credentials.
    pub(super) store: String,
    pub(super) pointer: Option<Pointer>,
    /// What of pointer and manifest is not kept.
    pub(super) differences: Vec<Difference>,
}

impl Checked {
    /// For the JSON of every command.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "store": self.store,
            "repo": self.published.view.repo().as_str(),
            "revision": self.published.view.revision(),
            "submission_root": self.published.manifest.submission_root,
            "pointer_checked": self.pointer.is_some(),
            "differences": differences_json(&self.differences),
        })
    }
}

/// Differences as JSON.
pub(super) fn differences_json(differences: &[Difference]) -> Value {
    let one = |difference: &Difference| json!({"what": difference.what, "expected": difference.expected, "found": difference.found});
    differences.iter().map(one).collect()
}

/// Runs what waits for stores and chains on this thread.
pub(in crate::command) fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?
        .block_on(work)
}

/// Opens what the arguments name and holds it against its pointer.
pub(super) async fn open(args: &PublishedArgs) -> anyhow::Result<Found> {
    let (address, repo, revision) = match Target::parse(&args.target).map_err(ConsumeError::from)? {
        Target::Folder(path) => {
            if args.pointer.is_some() || args.from_hotkey.is_some() {
                let help = "give a target of a store: a pointer names a repository and its revision";
                return Err(UsageError::new(
                    format!("`{}` is a folder, not a revision", path.display()),
                    help,
                )
                .into());
            }
            return Ok(Found::Folder(path));
        }
        Target::Published {
            store,
            repo,
            revision,
        } => (store, repo, revision),
    };
    let pointer = pointer(args).await?;
    let store = open_store(&address, &config::store_options()).map_err(ConsumeError::from)?;
    let revision = match revision.or_else(|| Some(pointer.as_ref()?.revision)) {
        Some(revision) => revision,
        None => only_revision(store.as_ref(), &repo).await?,
    };
    let published = Published::open(store.as_ref(), &repo, &revision).await?;
    let mut differences = pointer
        .as_ref()
        .map(|pointer| published.against(pointer))
        .unwrap_or_default();
    differences.extend(published.listing());
    Ok(Found::Published(Box::new(Checked {
        published,
        store: store.address(),
        pointer,
        differences,
    })))
}

/// The revision of a repository that has one public revision.
pub(in crate::command) async fn only_revision(
    store: &dyn Store,
    repo: &RepoName,
) -> anyhow::Result<Revision> {
    let revisions = store.revisions(repo).await.map_err(ConsumeError::from)?;
    if let [only] = revisions.as_slice() {
        return Ok(*only);
    }
    let shown: Vec<String> = revisions
        .iter()
        .take(REVISIONS_SHOWN)
        .map(|revision| format!("{}@{revision}", repo.as_str()))
        .collect();
    let help = if shown.is_empty() {
        "check the name; a revision is readable only once its publisher revealed it".to_owned()
    } else {
        format!("name one, such as {}", shown.join(", "))
    };
    let message = format!("`{}` has {} public revisions", repo.as_str(), revisions.len());
    Err(UsageError::new(message, help).into())
}

/// The pointer that the arguments give or lead to.
async fn pointer(args: &PublishedArgs) -> anyhow::Result<Option<Pointer>> {
    if let Some(text) = &args.pointer {
        let help = "give the 124 bytes that the miner committed as 248 hex digits, or --from-hotkey";
        let bad = |error: &dyn std::fmt::Display| UsageError::new(format!("pointer: {error}"), help);
        let bytes = assay_types::hex::decode::<POINTER_BYTES>(text).map_err(|error| bad(&error))?;
        return Ok(Some(Pointer::parse(&bytes).map_err(|error| bad(&error))?));
    }
    let (Some(text), Some(netuid)) = (&args.from_hotkey, args.netuid) else {
        return Ok(None);
    };
    let hotkey = Hotkey::from_ss58(text).map_err(|error| {
        UsageError::new(
            format!("hotkey `{text}`: {error}"),
            "give the SS58 address of a hotkey",
        )
    })?;
    let chain = chain::open(&args.network).await?;
    let opened = chain.revealed_commitments(NetUid(netuid), At::Head).await?;
    let newest = opened
        .iter()
        .rev()
        .filter(|opened| opened.hotkey == hotkey)
        .find_map(|opened| match Message::parse(&opened.bytes) {
            Ok(Message::Submission(pointer)) => Some(pointer),
            _ => None,
        });
    let missing = || {
        UsageError::new(
            format!("the chain has opened no pointer of `{text}` on netuid {netuid}"),
            "wait until the round's beacon is out, or check hotkey and subnet",
        )
    };
    Ok(Some(newest.ok_or_else(missing)?))
}
