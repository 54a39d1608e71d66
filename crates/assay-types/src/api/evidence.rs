//! Evidence: signed reports of validators and fraud proofs of anybody, with the server's receipt.

use crate::hash::Digest;
use crate::ids::{Hotkey, Round};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Kind of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// On one miner's round.
    Audit,
    /// On one cell of a duel.
    Evaluation,
}

impl ReportKind {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Evaluation => "evaluation",
        }
    }
}

/// A report as it was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportView {
    /// BLAKE3 of its canonical line.
    pub digest: Digest,
    /// Kind.
    pub kind: ReportKind,
    /// The round.
    pub round: Round,
    /// Who reports.
    pub validator: Hotkey,
    /// Who is judged; null for a cell of a duel.
    pub miner: Option<Hotkey>,
    /// The canonical line, signature included.
    pub line: String,
    /// When it was accepted, milliseconds since 1970.
    pub received_ms: u64,
}

/// Where a fraud proof stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofState {
    /// Waits for re-execution.
    Queued,
    /// Re-executed: the fault is there.
    Listed,
    /// Re-executed: there is no such fault.
    Refuted,
    /// Its archive could not be read here; anybody may try.
    Unreachable,
}

impl ProofState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Listed, Self::Refuted, Self::Unreachable];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Listed => "listed",
            Self::Refuted => "refuted",
            Self::Unreachable => "unreachable",
        }
    }

    /// The state of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A fraud proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofView {
    /// BLAKE3 of its canonical bytes.
    pub digest: Digest,
    /// Where it stands.
    pub state: ProofState,
    /// The round.
    pub round: Round,
    /// The accused.
    pub hotkey: Hotkey,
    /// Who proves.
    pub prover: Hotkey,
    /// Kind of fault.
    pub kind: String,
    /// The canonical bytes.
    pub line: String,
    /// What re-execution said; "" while it waits.
    pub finding: String,
    /// When it was accepted, milliseconds since 1970.
    pub received_ms: u64,
}

/// What the server signs when it accepts something for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// BLAKE3 of what was accepted.
    pub digest: Digest,
    /// Number of the entry in the audit log that records it.
    pub sequence: u64,
    /// Whether it was here already.
    pub known: bool,
}
