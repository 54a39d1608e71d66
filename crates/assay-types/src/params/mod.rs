//! The parameter set: every number of the mechanism the owner may change, versioned, with an activation block.
//!
//! The owner commits its digest (message 0x91); nodes look the text up and apply it to whole rounds (mechanism §2).

mod set;
mod values;

pub use set::{PARAMS_BYTES_MAX, PARAMS_NOTICE_BLOCKS, ParamError, ParamSet};
pub use values::{PARAMETERS, ParamValues, Parameter};
