//! A hotkey's commitment on its way to the chain, remembered before it leaves: who is killed before the block that holds it
//! waits for that block and does not commit a second time.
//!
//! ```text
//! fields ─► sending.json ─► chain ─► in a block: forgotten
//!              └─ found at a start ─► stands on the chain, or may still come, or is handed over again, the same bytes
//! ```
//!
//! One file an agent: a hotkey has one commitment, and a new one replaces it.

use std::path::{Path, PathBuf};

use assay_chain::{At, Call, Chain, ChainErrorKind, CommitmentField, TRANSACTION_BLOCKS_MAX};
use assay_types::{BlockNumber, NetUid};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use subxt_signer::sr25519::Keypair;

use super::error::AgentError;
use crate::local::{read_bounded, write_atomically};

/// Blocks that may come between remembering and signing.
const SIGNED_BLOCKS_MAX: u32 = 2;

/// Most bytes of the file: three fields of at most a kilobyte, as JSON.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// What was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    /// What it is for: a round's pointer, a round's reports, a request to join.
    what: String,
    /// Newest block when it left.
    block: BlockNumber,
    fields: Vec<CommitmentField>,
}

/// What is known of a commitment that this or an earlier process may have handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnItsWay {
    /// Nothing was handed over.
    No,
    /// It may still be put into a block: look again at the next one.
    Yes,
    /// It was handed over again, and is in this block.
    Arrived(BlockNumber),
}

/// Who commits, and where that is remembered.
#[derive(Debug)]
pub(crate) struct Sending {
    path: PathBuf,
    sent: Option<Sent>,
}

impl Sending {
    /// Opens what an agent's folder remembers.
    pub(crate) fn open(folder: &Path) -> Result<Self, AgentError> {
        let path = folder.join("sending.json");
        let mut sent = None;
        if path.exists() {
            let bytes = read_bounded(&path, FILE_BYTES_MAX).map_err(AgentError::file(&path))?;
            sent = serde_json::from_slice(&bytes).map_err(|error| AgentError::invalid(&path, error))?;
        }
        Ok(Self { path, sent })
    }

    /// Hands fields over and waits for the block that holds them.
    ///
    /// # Errors
    /// [`AgentError::Chain`]. Where the chain did not say what became of them they stay remembered.
    pub(crate) async fn send(
        &mut self,
        chain: &dyn Chain,
        (netuid, signer): (NetUid, &Keypair),
        (what, fields): (&str, Vec<CommitmentField>),
    ) -> Result<BlockNumber, AgentError> {
        let sent = Sent {
            what: what.to_owned(),
            block: chain.head(At::Head).await?.number,
            fields: fields.clone(),
        };
        let bytes = serde_json::to_vec(&sent).map_err(|error| AgentError::invalid(&self.path, error))?;
        write_atomically(&self.path, &bytes)?;
        self.sent = Some(sent);
        let call = Call::SetCommitment { netuid, fields };
        match chain.submit(&call, signer).await {
            Ok(receipt) => {
                self.forget()?;
                Ok(receipt.block)
            }
            Err(error) => {
                let is_open = matches!(
                    error.kind,
                    ChainErrorKind::Transport { .. } | ChainErrorKind::Unresolved { .. }
                );
                if !is_open {
                    self.forget()?;
                }
                Err(error.into())
            }
        }
    }

    /// What became of `what`, which does not stand on the chain: handed over again, the same bytes, once it can be in no block
    /// any more, or in the blocks before `last`, as afterwards it would come too late.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn take_up(
        &mut self,
        chain: &dyn Chain,
        (netuid, signer): (NetUid, &Keypair),
        (what, last): (&str, BlockNumber),
    ) -> Result<OnItsWay, AgentError> {
        let Some(sent) = self.sent.as_ref().filter(|sent| sent.what == what) else {
            return Ok(OnItsWay::No);
        };
        let head = chain.head(At::Head).await?.number;
        let gone = sent
            .block
            .0
            .saturating_add(TRANSACTION_BLOCKS_MAX + SIGNED_BLOCKS_MAX);
        // The block it was handed over for, and one for this look.
        if head.0 < gone && head.0.saturating_add(2) < last.0 {
            return Ok(OnItsWay::Yes);
        }
        let fields = sent.fields.clone();
        let block = self.send(chain, (netuid, signer), (what, fields)).await?;
        Ok(OnItsWay::Arrived(block))
    }

    /// Whether anything of `what` was handed over and not heard of again.
    pub(crate) fn holds(&self, what: &str) -> bool {
        self.sent.as_ref().is_some_and(|sent| sent.what == what)
    }

    /// It stands on the chain, or is of no use any more.
    pub(crate) fn forget(&mut self) -> Result<(), AgentError> {
        if self.sent.take().is_some() {
            fs::remove_file(&self.path).map_err(AgentError::file(&self.path))?;
        }
        Ok(())
    }
}
