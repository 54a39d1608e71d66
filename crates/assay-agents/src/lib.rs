//! Drivers that read, refine and write: the local run, the client of the Task API, later miner and validator rounds.
//!
//! Architecture invariant: nothing is decided here. Inputs come from assay-hub, decisions from assay-refine.

pub mod api;
pub mod consume;
pub mod local;
pub mod localnet;
pub mod miner;
pub mod subnet;
pub mod validator;
