//! The engine: a recipe made ready to run, one record in, one outcome out.
//!
//! Records come from [`crate::warc`]; [`Refined`] outcomes go to [`crate::unit`] (in order) and to re-execution. The
//! engine holds only what the recipe says; scratch memory belongs to the worker thread. The same record and recipe
//! give the same outcome, whatever came before.

pub mod alone;
mod build;
mod explain;
mod look;
mod outcome;
mod page;
mod refine;
mod steps;

pub use build::{Engine, EngineError};
pub use explain::{Explanation, StageTrace, TracedFeature};
pub use outcome::{Document, Drop, Outcome, Refined};
pub use refine::Detail;
pub use steps::Scratch;
