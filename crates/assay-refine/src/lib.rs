//! WARC bytes to verified text rows: reading, extraction, filters, deduplication, Parquet, re-execution.
//!
//! Architecture invariant: this crate is pure. It takes `impl Read`, `impl Write` and values; it opens no path
//! and reads no clock.

#![deny(clippy::indexing_slicing)]

pub mod filter;
pub mod minhash;
pub mod pii;
pub mod text;
pub mod url_lists;
