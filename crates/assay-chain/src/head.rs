//! Blocks as clients see them: hash, head, the block a read is made at, and the stream of new heads.

use assay_types::{BlockNumber, Digest};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::ChainError;

/// The 32-byte hash of a block.
pub type BlockHash = Digest;

/// A block by number, hash and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Height.
    pub number: BlockNumber,
    /// Hash.
    pub hash: BlockHash,
    /// Hash of the block before it.
    pub parent: BlockHash,
    /// `Timestamp.Now` of the block, milliseconds since 1970.
    pub time_ms: u64,
}

/// The block a read is made at; all values of one answer belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum At {
    /// The newest block.
    #[default]
    Head,
    /// The newest block that cannot be undone.
    Finalized,
    /// A block by its hash.
    Hash(BlockHash),
    /// A block by its number; of the finalised chain as far as that reaches.
    Number(BlockNumber),
}

/// New heads in order, each number once: blocks missed while disconnected are filled in before newer ones.
#[derive(Debug)]
pub struct Heads(mpsc::Receiver<Result<Head, ChainError>>);

impl Heads {
    /// Heads that a backend sends into the other end.
    pub const fn new(receiver: mpsc::Receiver<Result<Head, ChainError>>) -> Self {
        Self(receiver)
    }

    /// The next head; `None` when the backend has ended.
    ///
    /// # Errors
    /// A [`ChainError`] that is safe to retry tells of a lost connection, or of blocks that were missed; the stream goes
    /// on after it.
    pub async fn next(&mut self) -> Option<Result<Head, ChainError>> {
        self.0.recv().await
    }
}
