//! Administration over a Unix socket: one request a connection, one JSON line each way, or many for an export.
//!
//! Who can open the socket (mode 0600, the server's user) may do everything; the public port knows none of this.

mod client;
mod offline;
mod server;

pub use client::{AdminError, ask};
pub use offline::{OfflineError, import};
pub use server::{AdminSocket, SocketError, serve_admin};

use assay_types::UnitId;
use assay_types::api::DatasetView;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Longest line of a request.
const REQUEST_BYTES_MAX: u64 = 1 << 20;

/// What an administrator asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminRequest {
    /// How it goes.
    Health,
    /// Add archives as work.
    AddCorpus {
        /// What: see [`crate::corpus::read_corpus`].
        spec: String,
        /// Under which name; its own if none.
        name: Option<String>,
    },
    /// Units that failed too often.
    DeadLetters,
    /// What the owner must commit to give dead letters as many attempts as a new unit.
    Requeue {
        /// Which; all if none.
        units: Vec<UnitId>,
    },
    /// Show a dataset.
    AddDataset {
        /// What to show.
        dataset: DatasetView,
    },
    /// Takedown requests in a state: `pending`, `listed` or `refused`.
    Removals {
        /// Which state; `pending` if none.
        state: Option<String>,
    },
    /// Decide a takedown request.
    DecideRemoval {
        /// Its number.
        number: u64,
        /// Whether it goes on the removal list.
        listed: bool,
    },
    /// The whole state, a line a row.
    Export,
    /// A copy of a SQLite database.
    Backup {
        /// New file, on the server's machine.
        file: PathBuf,
    },
}

/// The last line of every answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminAnswer {
    /// Whether it was done.
    pub ok: bool,
    /// What was done, or why not.
    pub message: String,
    /// The result.
    pub data: serde_json::Value,
}
