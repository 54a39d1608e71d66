//! The mechanism of the subnet as pure functions: what a round assigns, what a verdict costs, what work is worth.
//!
//! Values in, values out: no clock, file, socket or global randomness. Two validators with the same inputs get
//! bit-equal weights on any machine and thread count. Integers decide everything that reaches a weight ([`assay_types::Q32`],
//! every operation floors); `f64` appears only in statistics of training duels and in the simulator, with stated rounding.
#![deny(clippy::indexing_slicing)]

pub mod admit;
pub mod assign;
pub mod clock;
pub mod contest;
pub mod duel;
pub mod fineness;
pub mod gain;
pub mod leak;
mod mix;
pub mod network;
pub mod normal;
pub mod novelty;
pub mod paired;
pub mod plan;
pub mod queue;
pub mod registry;
pub mod reports;
pub mod royalty;
pub mod sample;
pub mod score;
pub mod simulate;
pub mod verdict;
mod votes;
pub mod weights;
pub mod yuma;
