//! What decides when epochs run and weights are revealed: epoch state, open commits, pulses, weight rows.

use assay_types::{BlockNumber, Hotkey, Uid, Weight};
use serde::{Deserialize, Serialize};

use crate::BlockHash;

/// The values a reveal round is computed from, all of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochState {
    /// Block read.
    pub block: BlockNumber,
    /// `Tempo`.
    pub tempo: u16,
    /// `LastEpochBlock`; absent on runtimes that count `(block + netuid + 1) mod (tempo + 1)`.
    pub last_epoch: Option<BlockNumber>,
    /// `PendingEpochAt`; 0 = none.
    pub pending_epoch_at: BlockNumber,
    /// `SubnetEpochIndex`.
    pub epoch_index: u64,
    /// `BlocksSinceLastStep`.
    pub blocks_since_last_step: u64,
    /// `RevealPeriodEpochs`.
    pub reveal_period_epochs: u64,
}

/// A timelocked weight commit that is not revealed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingCommit {
    /// Who.
    pub hotkey: Hotkey,
    /// Epoch it was made in.
    pub epoch: u64,
    /// Block it was made in.
    pub block: BlockNumber,
    /// BLAKE2b-256 of the ciphertext.
    pub commit: assay_types::Digest,
    /// drand round that opens it.
    pub reveal_round: u64,
}

/// One validator's stored weights: (uid, weight), the largest being 65,535.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightRow {
    /// Who set them.
    pub uid: Uid,
    /// Weights by target, ascending uid.
    pub weights: Vec<(Uid, Weight)>,
}

/// A drand pulse the chain has stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// Round.
    pub round: u64,
    /// SHA-256 of the signature.
    pub randomness: BlockHash,
    /// Compressed G1 point, 48 bytes.
    pub signature: Vec<u8>,
}
