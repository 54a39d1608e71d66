//! Stage 2: a small decoder-only transformer, trained on the processor, the same bits for every number of threads, or on a
//! graphics processor.
//!
//! Streams of token ids and start values come in, losses and bits of held-out documents leave. In the order of a run: `shape`,
//! `init`, `stream`, `schedule`; `model` is the transformer, forward and back, over the operations of `engine`; `cpu` computes
//! them with `matmul` and its `panels`, `kernel`, `attention` and `head`, `gpu` with kernels and cuBLAS; `adamw` updates; `trainer` is one step,
//! `run` all of them, `score` reads the result, `checkpoint` keeps it; `compute` says where. Formulas and their gradients are
//! written once, generic over the number: f64 proves them, f32 trains (docs/evaluation.md).

mod adamw;
mod attention;
pub mod checkpoint;
mod compute;
mod cpu;
mod engine;
pub mod gpu;
mod head;
mod init;
mod kernel;
mod level;
mod matmul;
mod model;
mod panels;
pub mod profile;
mod real;
pub mod run;
mod schedule;
mod score;
mod shape;
mod stream;
mod trainer;

/// Version of everything between start values and bits of a document: step, schedule, scoring. It goes up whenever one of
/// them gives other bits, so that a model kept by an older build is trained again.
pub const TRAINER_VERSION: u32 = 2;

pub use compute::Compute;
pub use init::initial;
pub use level::Level;
pub use matmul::{Matrix, MatrixMut, Old};
pub use panels::Panels;
pub use real::Real;
pub use schedule::Schedule;
pub use score::{Passage, document_bits, passage_bits};
pub use shape::{Role, Shape, Tensor};
pub use stream::Stream;
pub use trainer::{CpuTrainer, SHARDS, TrainError, Trainer, TrainerState};
