//! What a dataset is worth: hard gates, exact n-gram bits per byte, their intervals and verdicts.
//!
//! Pure: documents and seeds come in as values, reports leave as values; no path, socket, clock or global randomness.
//! Stages 0 and 1 are integers until the last division, so every machine and thread count gives the same bits
//! (docs/evaluation.md). `f64` appears only in intervals, with + − × ÷ √ in a written order.
#![deny(clippy::indexing_slicing)]

pub mod arm;
pub mod benchmark;
pub mod contamination;
pub mod duel;
pub mod evaluate;
pub mod gates;
pub mod held_out;
pub mod html;
pub mod interval;
pub mod leak;
pub mod ngram;
pub mod ore;
pub mod pack;
pub mod profile;
pub mod report;
pub mod sample;
pub mod stage1;
pub mod stage2;
pub mod tokenizer;
#[expect(
    clippy::indexing_slicing,
    reason = "buffers are cut by sizes of one shape; foreign bytes are read by `checkpoint`, which indexes nothing"
)]
#[expect(
    clippy::inline_always,
    reason = "kernels must be compiled into the function that has the vector instructions"
)]
pub mod transformer;
mod verdict;
