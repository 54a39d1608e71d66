//! One client for subtensor and for an embedded chain that behaves like it.
//!
//! Everything Assay asks of a chain is the trait [`Chain`]: reads at one block, writes as signed [`Call`]s, new heads
//! without gaps. Two backends implement it and pass one conformance suite: `subtensor` (a node over WebSocket) and
//! `embedded` (a state machine of ours, in-process or over loopback). Units are typed: [`assay_types::Rao`], [`assay_types::BlockNumber`].

#![deny(clippy::indexing_slicing)]

mod call;
mod chain;
mod commitment;
pub mod drand;
pub mod embedded;
mod epoch;
mod error;
mod head;
mod help;
mod hyperparameters;
mod metagraph;
mod network;
pub mod preflight;
mod quantise;
pub mod reveal;
pub mod sealed;
pub mod subtensor;
pub mod timelock;
pub mod wallet;

/// Blocks that a transaction of any of our clients may wait for its block: what was handed over is in one by then, or never.
pub const TRANSACTION_BLOCKS_MAX: u32 = 32;

pub use call::{Call, Receipt, SubnetIdentity};
pub use chain::Chain;
pub use commitment::{
    BIG_RAW_BYTES_MAX, Commitment, CommitmentField, FIELDS_MAX, RAW_BYTES_MAX, RevealedCommitment,
    TIMELOCKED_BYTES_MAX, members, messages, offers, requeued,
};
pub use epoch::{EpochState, PendingCommit, Pulse, WeightRow};
pub use error::{ChainError, ChainErrorKind};
pub use head::{At, BlockHash, Head, Heads};
pub use hyperparameters::Hyperparameters;
pub use metagraph::{Metagraph, Neuron};
pub use network::{Endpoint, FINNEY_GENESIS, Network, NetworkError};
pub use quantise::quantise;
