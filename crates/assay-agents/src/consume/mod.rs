//! What a consumer does with a published dataset: look at it, fetch it, hold every file against manifest and chain.
//!
//! ```text
//! Store ─open─► Published (manifest, roots) ─against pointer─► differences
//!                   │ pull (units within a token budget)
//!                   ▼
//!               folder: files by digest, ledgers by Merkle root ─► the local driver verifies rows from their archives
//! ```
//!
//! Called by `assay dataset`; nothing is believed that is not bound by the submission root.

mod archives;
mod error;
mod published;
mod pull;
mod texts;

pub use archives::archives_of;
pub use error::ConsumeError;
pub use published::{Difference, Published};
pub use pull::{PUBLISHED_FILE, PullJob, Pulled, pull};
pub use texts::{TEXTS_BYTES_MAX, TEXTS_TOKENS_MAX, fetch_texts};
