//! A unit: one archive's records in order, deduplicated, written as ledger, bands and documents, summed up in roots.
//!
//! [`crate::engine::Refined`] records come in ledger order; Parquet bytes go to the files a [`UnitFiles`] opens; a
//! [`UnitSummary`] goes into the manifest.

mod counts;
mod documents;
mod writer;

pub use counts::{Counts, KEPT_STAGE, StageCount};
pub use documents::{Format, read_documents_jsonl};
pub use writer::{UnitError, UnitFiles, UnitIdentity, UnitSummary, UnitWriter};
