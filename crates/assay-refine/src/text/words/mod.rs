//! Words as spaCy's `blank("en")` tokenizer finds them: byte ranges of a text, white-space tokens included.
//!
//! Texts come from the extractor; the tokens serve all filters, sentences and MinHash. `tokenizer` cuts a text into
//! chunks at white space, `chunk` cuts a chunk by `rules` (exceptions), `affixes` and `url`, `second` joins tokens that
//! together are an exception, and [`super::memo`] remembers chunks.

mod affixes;
mod chunk;
mod rules;
mod second;
mod tokenizer;
mod url;

pub use tokenizer::{Token, Tokenizer};
