//! Faults a test orders from the embedded chain: what goes wrong on a real network, on request.

use serde::{Deserialize, Serialize};

/// One thing to go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Every socket is closed once.
    DropConnections,
    /// The next transaction is taken in, but its sender only sees the connection break.
    LoseReply,
    /// Finality stays so many blocks behind the head from now on.
    LateFinality {
        /// Blocks.
        lag_blocks: u32,
    },
    /// The next pulses do not come.
    MissPulses {
        /// How many rounds.
        rounds: u32,
    },
    /// All missing pulses come with the next block.
    ReleasePulses,
    /// The next nonce somebody asks for is one too low.
    StaleNonce,
    /// The newest blocks are replaced by as many others and one more; their transactions go back to the pool.
    Reorg {
        /// Blocks to replace, at most those that are not final.
        depth: u32,
    },
    /// The next block has another `spec_version`; signatures for the old one are void.
    Upgrade {
        /// The new version.
        spec_version: u32,
    },
}
