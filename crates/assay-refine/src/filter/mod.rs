//! The record filters of FineWeb: text or URL in, integer features and a verdict out, each in a file of its own.
//!
//! Each file's header is the manual of the filter: rule, thresholds, source, examples; [`manual`] joins them into
//! `docs/filters.md`, and the examples are tests.
pub mod c4;
pub mod fineweb_quality;
pub mod gopher_quality;
pub mod gopher_repetition;
mod grams;
mod manual;
pub mod registered_domain;
mod scratch;
pub mod url;
mod verdict;

pub use manual::{FILTERS, manual};
pub use scratch::FilterScratch;
pub use verdict::Verdict;
