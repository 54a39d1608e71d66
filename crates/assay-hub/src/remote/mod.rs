//! Remote objects: where a request goes, what one request answers, how a range is completed, how a reading runs.

mod address;
mod answer;
mod connection;
mod reader;
mod version;

pub(crate) use address::Address;
pub(crate) use connection::{Connection, causes, client, error_code, pause, retry_after, runtime};
pub(crate) use reader::RemoteReader;
pub use version::ObjectVersion;
