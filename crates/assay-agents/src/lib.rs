//! Drivers that read, refine and write: the local run, later miner and validator rounds.
//!
//! Architecture invariant: nothing is decided here. Inputs come from assay-hub, decisions from assay-refine.

pub mod consume;
pub mod local;
pub mod localnet;
pub mod miner;
pub mod subnet;
pub mod validator;
