//! Rounds as the server knows them.

use crate::hash::Digest;
use crate::ids::{BlockNumber, Round};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the newest block is for in the life of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseName {
    /// Assigned, not begun.
    Ahead,
    /// Refine, upload privately, commit.
    Work,
    /// Commitments open, repositories become public.
    Publish,
    /// Validators recompute samples.
    Audit,
    /// Digests of reports are on the chain.
    Settle,
    /// Scores and weights use the round.
    Effective,
}

/// A round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoundView {
    /// The round.
    pub round: Round,
    /// What it is in.
    pub phase: PhaseName,
    /// Its first block.
    pub start_block: BlockNumber,
    /// Block whose hash is the beacon of its assignment.
    pub assignment_block: BlockNumber,
    /// Last block in which work and commitments count.
    pub deadline_block: BlockNumber,
    /// Last block in which digests of reports count.
    pub report_cutoff_block: BlockNumber,
    /// From this block on it counts.
    pub effective_block: BlockNumber,
    /// `A_t`.
    pub beacon: Digest,
    /// Root of the corpus index it was assigned from.
    pub index_root: Digest,
    /// BLAKE3 over the lines of the assignment document.
    pub assignment_digest: Digest,
    /// Units assigned.
    pub units: u32,
    /// Of these with a second holder.
    pub replicas: u32,
    /// Leases by state, in the order of the states.
    pub leases: std::collections::BTreeMap<String, u32>,
    /// Submissions revealed.
    pub submissions: u32,
    /// Reports accepted.
    pub reports: u32,
    /// Whether verdicts were taken in.
    pub settled: bool,
}
