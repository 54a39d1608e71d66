//! The record filters of FineWeb: text or URL in, integer features and a verdict out, each in a file of its own.
//!
//! Each file's header is the manual of the filter: rule, thresholds, source, examples; [`manual`] joins them into
//! `docs/filters.md`, and the examples are tests.
//!
//! MB/s of text, one thread, 592 page texts of the parity fixture (mean 11 kB), words counted outside
//! (`cargo bench -p assay-refine --bench filters`): repetition 66, quality 114, C4 75 (with tokens of its lines),
//! FineWeb 203, PII 1,600; the URL filter takes 2 µs a URL. Together 0.4 ms for a text of 9 kB.
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
