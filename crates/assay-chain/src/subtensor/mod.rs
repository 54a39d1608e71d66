//! The backend for subtensor: live metadata, names never indices, one connection, verdicts read from events.
//!
//! A read goes [`backend`] → `client` (which block, which runtime) → `view` (storage, runtime APIs) → `connection`; what
//! comes back is decoded by `runtime` into nodes that the files of `decode/` read by field name. A write goes `submit` →
//! `preflight` → `encode` → `sign` → `connection`, and back through events.
//!
//! [`backend`]: Subtensor

mod backend;
mod check;
mod client;
mod connection;
mod decode;
mod encode;
mod header;
mod heads;
mod hyperparameters;
mod node;
mod pool;
mod preflight;
mod queue;
mod reveal;
mod rpc;
mod runtime;
mod sign;
mod submit;
mod timing;
mod view;

pub use backend::Subtensor;
pub use check::Check;
pub use encode::{Candidate, candidates, encode};
pub use pool::custom_name;
pub use reveal::{Committed, Fate, Follower, REVEAL_GRACE_BLOCKS, await_reveal};
pub use runtime::Runtime;
pub use sign::{ERA_BLOCKS, Signing, sign};
pub use timing::Timing;
