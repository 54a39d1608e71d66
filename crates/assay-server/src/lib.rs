//! The Task API: assignments, leases, reports and history, all of it recomputable from the chain.
//!
//! ```text
//! chain ─► follow ─► store (one writer, grouped commits) ─► api ─► guard ─► serve ─► clients
//!            │                     ▲        │                ▲
//!            └─► plan, settle ─────┘        └─► stream, cache ┘   admin: a Unix socket
//! ```
//!
//! The server decides nothing: assignments and verdicts are functions of `assay-mechanism` over chain data and signed
//! evidence, and every answer that matters is signed. docs/api.md is the manual.

#![deny(clippy::indexing_slicing)]

pub mod admin;
pub mod api;
mod app;
pub mod arenas;
mod auth;
mod board;
mod cache;
mod clock;
mod config;
pub mod corpus;
mod failure;
pub mod follow;
mod guard;
mod limit;
mod memo;
mod metrics;
mod places;
mod probe;
pub mod recheck;
mod serve;
mod starting;
pub mod store;
mod stream;
mod unstalled;
mod web;

pub use app::{App, AppParts, BatchError, BatchSource, ChainIdentity, ChainView};
pub use clock::ServerClock;
pub use config::{CONFIG_SOURCE, Limits, ServerConfig};
pub use failure::Failure;
pub use limit::{RateLimits, Standing};
pub use metrics::{Gauges, Metrics};
pub use probe::{Judge, Say, probe};
pub use serve::{ServeError, Server, start};
pub use starting::Starting;
