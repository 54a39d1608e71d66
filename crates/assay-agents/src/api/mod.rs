//! The client of the Task API: signed requests, signed answers, and the check of what a server assigns.
//!
//! Every answer to a signed request and every assignment must carry the server's signature, so that a lie is evidence;
//! [`check_assignment`] recomputes the assignment from the chain and names the first thing that differs.

mod chain_view;
mod check;
mod client;
mod error;
mod statement;
mod watch;

pub use chain_view::{assigned_header, read_chain};
pub use check::{AssignmentLie, Expected, check_assignment};
pub use client::{ClientOptions, ServedAssignment, TaskApi};
pub use error::ApiError;
pub use statement::ServerStatement;
pub use watch::{Look, Watcher};
