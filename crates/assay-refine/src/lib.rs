//! WARC bytes to verified text rows: reading, extraction, filters, deduplication, Parquet, re-execution.
//!
//! Architecture invariant: this crate is pure. It takes `impl Read`, `impl Write` and values; it opens no path
//! and reads no clock.

#![deny(clippy::indexing_slicing)]

pub mod charset;
pub mod engine;
pub mod extract;
pub mod filter;
pub mod html;
pub mod http;
pub mod language;
pub mod media;
pub mod minhash;
pub mod output;
pub mod parallel;
pub mod pii;
pub mod report;
pub mod text;
pub mod unit;
pub mod url_lists;
pub mod verify;
pub mod warc;
