//! GPT-2 token counts: the pre-tokeniser's pieces, each counted by byte pair encoding.
//!
//! Texts come from the filters, the counts go to the ledger. `pieces` cuts, `merges` counts, `counter` joins them.

mod counter;
mod merges;
mod pieces;

pub use counter::Gpt2;
