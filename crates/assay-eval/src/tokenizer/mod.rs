//! The byte-pair tokenizer of `ngram-v1` and `cpu-v1`: 2,048 ids, exact on every machine.
//!
//! Text comes in as UTF-8 bytes, unchanged; ids leave. Id 0 starts a document and is never scored, id b + 1 is the byte b, id
//! 257 + k the k-th merge. The merges are an artifact of this crate, pinned by digest (docs/evaluation.md).

mod encode;
mod merges;
mod pieces;
mod train;

pub use encode::Tokenizer;
pub use merges::{MERGES, MergeError, Merges};
pub use pieces::{PIECE_BYTES_MAX, pieces};
pub use train::MergeTrainer;

/// A token id below [`VOCABULARY`].
pub type TokenId = u16;

/// The id that starts a document.
pub const START: TokenId = 0;

/// Number of ids.
pub const VOCABULARY: u16 = 2_048;

/// Ids before the first merge: the start and 256 bytes.
const FIRST_MERGE: u16 = 257;

/// The id of a byte.
fn byte_id(byte: u8) -> TokenId {
    u16::from(byte) + 1
}
