//! Leases: who works on which unit of a round since when.
//!
//! A lease is keyed by (round, unit, holder). The assignment names the holders; the round is the lease's end.

use crate::hash::Digest;
use crate::ids::{BlockNumber, Hotkey, Round, UnitId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest reason of a failure, characters.
pub const LEASE_REASON_CHARS_MAX: usize = 200;

/// Where a lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaseState {
    /// Assigned, not begun.
    Pending,
    /// Being worked on.
    Leased,
    /// Its holder says it is done.
    Submitted,
    /// The round's verdict on its holder is a pass and the unit was delivered.
    Verified,
    /// The round's verdict is not a pass, or the unit was not delivered.
    Faulted,
    /// Not done when the round's deadline passed, or given up.
    Expired,
}

impl LeaseState {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Leased,
        Self::Submitted,
        Self::Verified,
        Self::Faulted,
        Self::Expired,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Leased => "leased",
            Self::Submitted => "submitted",
            Self::Verified => "verified",
            Self::Faulted => "faulted",
            Self::Expired => "expired",
        }
    }

    /// The state of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Which lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseKey {
    /// The round.
    pub round: Round,
    /// The unit.
    pub unit: UnitId,
    /// The holder.
    pub holder: Hotkey,
}

/// A lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseView {
    /// Which.
    #[serde(flatten)]
    pub key: LeaseKey,
    /// Where it stands.
    pub state: LeaseState,
    /// Share done, of 10,000, as its holder says.
    pub progress: u16,
    /// When it was taken, milliseconds since 1970 by the server's clock; 0 if never.
    pub taken_ms: u64,
    /// When its holder was last heard of; 0 if never.
    pub heard_ms: u64,
    /// Last block in which it can be taken or completed.
    pub deadline_block: BlockNumber,
    /// Root of the finished unit; null before.
    pub unit_root: Option<Digest>,
    /// Why it failed, as its holder says; "" if it did not.
    pub reason: String,
}

/// Body of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Share done, of 10,000.
    #[schema(maximum = 10000)]
    pub progress: u16,
}

/// Body of a completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteLease {
    /// Root of the finished unit.
    pub unit_root: Digest,
}

/// Body of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FailLease {
    /// Why, in a sentence of at most 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub reason: String,
}
