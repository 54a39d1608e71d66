//! The local driver: refine, verify, describe and deduplicate on one machine, without a chain.
//!
//! Commands of the `assay` binary call these functions; the miner's rounds will call the same ones. Decisions are
//! made in assay-refine; here files are opened, written atomically and resumed.

mod dataset;
mod error;
mod output;
mod refine;

pub use dataset::{Dataset, dataset_stats};
pub use error::LocalError;
pub use output::OutputDir;
pub use refine::{FailedInput, Progress, RefineJob, RunReport, Silent, refine};
