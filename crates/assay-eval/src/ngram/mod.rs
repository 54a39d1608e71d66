//! The exact n-gram model `ngram-v1`: integer counts, Q48 probabilities, Q24 bits.
//!
//! Tokens of [`crate::tokenizer`] come in; bits of held-out documents leave. Keys are exact, counts come from sorted
//! runs and every division floors, so no map order, thread or allocator can change a bit.
//!
//! Speed (`cargo bench -p assay-eval --bench ngram`): goal 15 MB/s of training text a core. 2,033,495 tokens (5.9 MB) and 355
//! held-out pieces took .37 s of CPU on a contended x86-64 core, 14.0 to 16.4 MB/s: tokenise .12, count .21, score .04 s.

mod count;
mod log2;
mod model;
mod sort;

pub use count::{ORDER_MAX, ORDER_MIN, Order};
pub use log2::{LOG2_TABLE, bits};
pub use model::{BITS_ONE, HeldOut, Model};
