//! Text as the reference sees it: Python's string rules, spaCy's words and sentences, normalisation, GPT-2 tokens.
//!
//! Texts come from the extractor; tokens, counts and normalised text go to the filters and to [`crate::minhash`].

pub mod charsets;
pub mod gpt2;
mod hash;
mod memo;
pub mod python;
pub mod sentences;
pub mod simplify;
pub mod tables;
pub mod words;
