//! The envelope of every successful answer.

use crate::ids::{BlockNumber, Round};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the numbers of an answer come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Read from the chain or handed in, signed.
    Observed,
    /// Computed from what was observed, by anybody alike.
    Derived,
    /// An estimate.
    Modelled,
}

/// The state of the chain that an answer describes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Observed {
    /// Newest final block taken in.
    pub block: BlockNumber,
    /// Chain time of that block, milliseconds since 1970.
    pub time_ms: u64,
    /// Round of that block.
    pub round: Option<Round>,
    /// Version of the parameter set.
    pub params_version: u32,
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Answer<T> {
    /// When.
    pub as_of: Observed,
    /// Where from.
    pub source: Source,
    /// Whether nothing is missing: no gap in what was followed, no report outstanding.
    pub complete: bool,
    /// The result.
    pub data: T,
    /// Cursor of the next page; null at the end and where there are no pages.
    pub next: Option<String>,
}
