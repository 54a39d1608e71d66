//! Remote objects: where a request goes, what one request answers, how a range is completed, how a reading runs.

mod address;
mod answer;
mod connection;
mod reader;

pub(crate) use connection::{Connection, runtime};
pub(crate) use reader::RemoteReader;
