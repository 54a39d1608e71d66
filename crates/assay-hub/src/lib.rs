//! Where bytes come from: files, directories, globs, stdin, HTTP and S3 with range resume.
//!
//! [`resolve`] turns the arguments of a command into [`Source`]s without touching the network, [`open`] turns one
//! source into a blocking reader, [`open_range`] and [`Ranges`] read single records back for verification.
//!
//! ```text
//! arguments ─resolve─► [Source] ─open─► Read        file: the file itself
//!                                        ▲
//!                      range n+1 ────────┴── one thread, one tokio runtime, one connection (HTTP, S3)
//! ```
//!
//! * Files never start a runtime or a client: both are made inside the thread that reads a URL.
//! * A remote object is read in bounded ranges. A range that breaks is asked for again from the byte where it broke,
//!   under the ETag of the first answer, so that an object that changes meanwhile is an error and never a mixture.
//! * S3 is HTTP: a request for a private bucket is a URL signed for one hour by `object_store`; one code path reads all.
//! * Credentials, user names in URLs and signed query parameters never reach names, errors or logs.

#![deny(clippy::indexing_slicing)]

mod error;
mod exchange;
mod list;
mod open;
mod options;
mod remote;
mod resolve;
mod source;
pub mod store;

pub use error::HubError;
pub use exchange::{Exchange, ExchangeAnswer, ExchangeError, ExchangeRequest};
pub use open::{RANGE_READ_BYTES_MAX, Ranges, open, open_range, open_version, version};
pub use options::{DIRECT, OpenOptions, S3Options, Secret};
pub use remote::ObjectVersion;
pub use resolve::{ARCHIVE_ENDINGS, INPUTS_MAX, resolve};
pub use source::{Input, Source};
