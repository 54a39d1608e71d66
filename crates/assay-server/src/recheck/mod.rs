//! Re-execution of fraud proofs before they are listed, each in a process of its own with limits.
//!
//! The server hands a proof and its recipe to the worker's stdin and reads one JSON line; a worker that takes too long, dies or
//! answers nonsense is tried again a few times and then leaves the proof `unreachable`, never the server broken. What the worker does is [`judge`].

mod column;
mod judge;
mod worker;

pub use column::Published;
pub use judge::{Judged, Places, RecheckError, judge};
pub use worker::{Worker, recheck};

use serde::{Deserialize, Serialize};

/// What a worker is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecheckTask {
    /// The proof's canonical line.
    pub proof: String,
    /// Canonical TOML of the recipe it names.
    pub recipe: String,
}
