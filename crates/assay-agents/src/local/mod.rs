//! The local driver: refine, verify, describe and deduplicate on one machine, without a chain.
//!
//! Commands of the `assay` binary call these functions; the miner's rounds will call the same ones. Decisions are
//! made in assay-refine; here files are opened, written atomically and resumed.

mod dataset;
mod dedup;
mod error;
mod evaluate;
mod explain;
mod extract;
mod filter;
mod findings;
mod hashed;
mod output;
mod pack;
mod probe;
mod reference;
mod refine;
mod sample;
mod shown;
mod steady;
mod texts;
mod unit_check;
mod verify;

pub(crate) use dataset::read_bounded;
pub use dataset::{Dataset, dataset_stats};
pub use dedup::{Cluster, Deduplicated, dedup};
pub use error::{ErrorKind, LocalError};
pub(crate) use evaluate::is_text;
pub use evaluate::{
    CPU_PLAN, CellsJob, DuelJob, DuelProfile, DuelReport, EvaluateError, EvaluateJob, IndexSummary, Input,
    Kept, MeasuredArm, MeasuredCells, Ore, PackSummary, SMOKE_PLAN, SealedHeader, Training, TrainingPlan,
    TrainingProgress, Watch, duel, evaluate, make_index, make_pack, make_pack_of_pages, measure_cells,
    open_pack_of, open_sealed_pack, sealed_header, write_sealed,
};
pub use explain::explain;
pub use extract::{PageFacts, PageText, explain_file, extract_file};
pub use filter::{FilterJob, filter};
pub use output::{OutputDir, write_atomically};
pub use pack::{PackJob, Packed, pack};
pub use reference::{REFERENCE_PAGES, REFERENCE_ROOT, reference_root};
pub use refine::{Alter, FailedInput, Progress, RefineJob, RunReport, Silent, refine};
pub use sample::pack_sample;
pub(crate) use shown::shown_rows;
pub(crate) use steady::{digest as range_digest, is_steady};
pub use texts::{GivenText, Line, LineError, TextReader, Unreadable};
pub use unit_check::unit_faults;
pub use verify::{Places, Sample, Verified, VerifyJob, verify};
