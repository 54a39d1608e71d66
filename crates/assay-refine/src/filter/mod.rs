//! The record filters of FineWeb: text or URL in, integer features and a verdict out, each in a file of its own.
//!
//! Each file's header is the manual of the filter: rule, thresholds, source, examples; [`manual`] joins them into
//! `docs/filters.md`, and the examples are tests.
mod manual;
pub mod registered_domain;
pub mod url;
mod verdict;

pub use manual::{FILTERS, manual};
pub use verdict::Verdict;
