//! Parquet files of a dataset: writers that take rows one by one, readers that give them back.
//!
//! Rows come from [`crate::unit`] in ledger order; bytes go to any `impl Write`. The same rows give the same bytes:
//! one writer, fixed row groups, fixed compression level, no time stamps, a fixed `created_by`. Schemas are those
//! of `docs/format.md`.

mod bands;
mod digesting;
mod docs;
mod features;
mod ledger;
#[cfg(test)]
mod roundtrip;
mod table;
mod texts;

pub use bands::{BandsWriter, read_bands};
pub use digesting::{Digested, DigestingWriter};
pub use docs::{DocsReader, DocsWriter, read_docs};
pub use features::{FEATURE_COLUMNS, FeatureRow, FeaturesWriter};
pub use ledger::{LedgerWriter, read_ledger};
pub use table::{COMPRESSION_RATIO_MAX, FOOTER_BYTES_MAX, TableError};
pub use texts::{TextRow, TextsReader};
