//! The exact n-gram model `ngram-v1`: integer counts, Q48 probabilities, Q24 bits.
//!
//! Tokens of [`crate::tokenizer`] come in; bits of held-out documents leave. Keys are exact, counts come from sorted
//! runs and every division floors, so no map order, thread or allocator can change a bit.
//!
//! Speed, `benches/ngram.rs`: see `docs/evaluation.md`.

mod count;
mod log2;
mod model;
mod sort;

pub use count::{ORDER_MAX, ORDER_MIN, Order};
pub use log2::{LOG2_TABLE, bits};
pub use model::{BITS_ONE, HeldOut, Model};
