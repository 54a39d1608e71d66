//! What can go wrong between Assay and a chain: what failed, whether a retry is safe, and what helps.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An operation on the chain that failed.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{operation}: {kind}")]
pub struct ChainError {
    /// What was tried, for example `SubtensorModule.set_mechanism_weights` or `read metagraph of subnet 3`.
    pub operation: String,
    /// What went wrong.
    pub kind: ChainErrorKind,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum ChainErrorKind {
    /// The transaction pool refused it (JSON-RPC 1010 to 1014).
    #[error("refused by the pool: {message} (code {code})")]
    Pool {
        /// JSON-RPC code.
        code: i32,
        /// Number behind `Custom error:`, mapped to a name in `message`.
        custom: Option<u8>,
        /// The node's words.
        message: String,
    },
    /// It was included and failed.
    #[error("failed on the chain: {pallet}.{name}")]
    Dispatch {
        /// Pallet, for example `SubtensorModule`.
        pallet: String,
        /// The chain's error name, for example `SettingWeightsTooFast`.
        name: String,
    },
    /// Its era ended and no block holds it.
    #[error("not included before its era ended at block {era_end}")]
    Expired {
        /// Last block it was valid for.
        era_end: u32,
    },
    /// It was sent, and nothing can be learnt of it: no heads, no blocks.
    #[error("sent, but not known whether it is in a block up to {era_end}")]
    Unresolved {
        /// Last block it is valid for.
        era_end: u32,
        /// Whether sending it twice does no harm.
        repeatable: bool,
    },
    /// It was included and succeeded, and the value it set is another.
    #[error("in block {block} without an error, but `{name}` is {found}, not {wanted}")]
    Ineffective {
        /// Block it is in.
        block: u32,
        /// The hyper-parameter.
        name: String,
        /// What it was set to.
        wanted: u64,
        /// What the chain says.
        found: u64,
    },
    /// Heads that were missed and that nobody keeps any more; the stream goes on after them.
    #[error("blocks {first} to {last} were missed, too many to fill in")]
    Missed {
        /// First block that is not told.
        first: u32,
        /// Last one.
        last: u32,
    },
    /// A local check found that the chain would refuse it; nothing was sent.
    #[error("not sent: {reason}")]
    Preflight {
        /// The chain's error name it would meet, for example `HotKeyNotRegisteredInSubNet`.
        name: String,
        /// Why, with the values.
        reason: String,
        /// Blocks to wait, if waiting helps.
        wait_blocks: Option<u32>,
    },
    /// A commit of weights whose reveal did not happen.
    #[error("weights committed at block {block} for drand round {reveal_round} were not revealed: {reason}")]
    NotRevealed {
        /// Block of the commit.
        block: u32,
        /// Round it waited for.
        reveal_round: u64,
        /// What is known.
        reason: String,
    },
    /// The connection failed.
    #[error("{endpoint}: {message}")]
    Transport {
        /// Endpoint without credentials.
        endpoint: String,
        /// What the transport says.
        message: String,
    },
    /// The runtime lacks what is needed.
    #[error("runtime {spec_version} lacks {missing}", missing = missing.join(", "))]
    Unsupported {
        /// `spec_version`.
        spec_version: u32,
        /// Calls, storage entries or fields, `Pallet.name`.
        missing: Vec<String>,
    },
    /// Another chain answers.
    #[error("genesis {found} is not {expected}")]
    WrongGenesis {
        /// Hash expected for the network named.
        expected: String,
        /// Hash of the endpoint.
        found: String,
    },
    /// The endpoint's answer makes no sense.
    #[error("unusable answer: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: String,
    },
    /// A subnet, block or account that is not there.
    #[error("{what} does not exist")]
    NotFound {
        /// `subnet 3`, `block 12`, …
        what: String,
    },
    /// The state database of the embedded chain.
    #[error("state: {reason}")]
    State {
        /// What failed.
        reason: String,
    },
}

impl ChainError {
    /// `kind` while doing `operation`.
    pub fn new(operation: impl Into<String>, kind: ChainErrorKind) -> Self {
        Self {
            operation: operation.into(),
            kind,
        }
    }
}

impl ChainError {
    /// Whether the same operation may be tried again without doing anything twice.
    pub fn retry_is_safe(&self) -> bool {
        match &self.kind {
            ChainErrorKind::Transport { .. }
            | ChainErrorKind::Missed { .. }
            | ChainErrorKind::Expired { .. }
            | ChainErrorKind::NotRevealed { .. } => true,
            ChainErrorKind::Preflight { wait_blocks, .. } => wait_blocks.is_some(),
            ChainErrorKind::Unresolved { repeatable, .. } => *repeatable,
            ChainErrorKind::Dispatch { name, .. } => RATE_LIMITS.contains(&name.as_str()),
            ChainErrorKind::Pool {
                code,
                custom,
                message,
            } => match (code, custom) {
                (_, Some(6 | 12 | 20)) | (1012..=1014, _) => true,
                (1010, None) => ["outdated", "ancient", "future", "exhaust"]
                    .iter()
                    .any(|word| message.to_ascii_lowercase().contains(word)),
                _ => false,
            },
            _ => false,
        }
    }
}

/// Dispatch errors that pass with time.
const RATE_LIMITS: &[&str] = &[
    "AdminActionProhibitedDuringWeightsWindow",
    "CommitmentSetRateLimitExceeded",
    "CommittingWeightsTooFast",
    "NeedWaitingMoreBlocksToStarCall",
    "NetworkTxRateLimitExceeded",
    "ServingRateLimitExceeded",
    "SettingWeightsTooFast",
    "SpaceLimitExceeded",
    "TooManyUnrevealedCommits",
    "TxRateLimitExceeded",
];
