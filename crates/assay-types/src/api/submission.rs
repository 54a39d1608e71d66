//! Submissions: what a miner committed to in a round, and the manifest behind it.

use crate::hash::Digest;
use crate::ids::{BlockNumber, Hotkey, Round, UnitId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a submission is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionState {
    /// Its pointer was revealed on the chain; the manifest is not here.
    Revealed,
    /// Its manifest is here and has the root on the chain.
    Complete,
    /// It was revealed and does not count.
    Refused,
}

/// A submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubmissionView {
    /// The round.
    pub round: Round,
    /// The miner.
    pub hotkey: Hotkey,
    /// How far it is known.
    pub state: SubmissionState,
    /// Digest over all units.
    pub submission_root: Digest,
    /// The revealed pointer, hexadecimal.
    pub payload: String,
    /// Block of the reveal.
    pub block: BlockNumber,
    /// Repository, `namespace/name`.
    pub repo: String,
    /// Revision of the repository, hexadecimal.
    pub revision: String,
    /// Units delivered, as the pointer says.
    pub n_units: u32,
    /// Units wanted next, as the pointer says.
    pub want_next: u16,
    /// Delivered units; empty before the manifest is here.
    pub units: Vec<UnitId>,
    /// Why it does not count; "" if it does.
    pub refusal: String,
}
