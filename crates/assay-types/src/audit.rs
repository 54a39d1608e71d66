//! A validator's report on one submission: what was probed, what was found, what it judges.
//!
//! Validators write one canonical JSON line a miner and round into an append-only log, each line naming the digest
//! of the one before it; the batch's digest goes on the chain (message 0x81) before the lines are published
//! (mechanism §10). Anyone replays the log to the same scores.

use crate::canonical_json::{CanonicalJsonError, JSON_BYTES_MAX, emit, parse_as};
use crate::fault::Fault;
use crate::hash::{Digest, Digest16, tagged_hash};
use crate::ids::{Hotkey, NetUid, RecipeId, Round, UnitId};
use crate::q32::Q32;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The `version` of this form.
pub const AUDIT_REPORT_VERSION: u32 = 1;

/// Most probes of a report.
pub const PROBES_MAX: usize = 16_384;

/// Most delivered units of a report: sixteen times the most that a miner may hold.
pub const DELIVERED_MAX: usize = 4_096;

/// Most faults of a report: beyond two nothing changes.
pub const FAULTS_MAX: usize = 1_024;

/// Most bytes of each text of a fault.
pub const FAULT_TEXT_BYTES_MAX: usize = 4_096;

/// Largest gain that a report may name: the most any parameter set allows (`gain_max`).
pub const GAIN_MAX: Q32 = Q32(1 << 40);

/// Why bytes are no report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// Not canonical JSON of the right keys.
    #[error("report cannot be read")]
    Json(#[from] CanonicalJsonError),
    /// Another version.
    #[error("report has version `{0}`, not `1`")]
    Version(u32),
    /// A field that breaks a rule.
    #[error("report's `{field}` must {rule}")]
    Field {
        /// Its key.
        field: &'static str,
        /// The rule.
        rule: &'static str,
    },
}

/// What a round's audit says about a miner (mechanism §7.4).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No unit was assigned.
    Idle,
    /// No fault, at least half delivered.
    Pass,
    /// Exactly one fault.
    OneFault,
    /// Two or more distinct faults.
    Fraud,
    /// Nothing, too little or nothing readable was delivered.
    NoShow,
    /// Too many validators could not read it: no pay, no blame.
    Unpaid,
    /// Nobody judged it: nothing changes.
    Skipped,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Self; 7] = [
        Self::Idle,
        Self::Pass,
        Self::OneFault,
        Self::Fraud,
        Self::NoShow,
        Self::Unpaid,
        Self::Skipped,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Pass => "pass",
            Self::OneFault => "one_fault",
            Self::Fraud => "fraud",
            Self::NoShow => "no_show",
            Self::Unpaid => "unpaid",
            Self::Skipped => "skipped",
        }
    }
}

/// One recomputed row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The unit.
    pub unit: UnitId,
    /// The ledger row.
    pub idx: u32,
    /// First 16 bytes of BLAKE3 over what re-execution gave: the row's 58 bytes.
    pub result: Digest16,
}

/// One delivered unit as a validator found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// The unit.
    pub unit: UnitId,
    /// Records of its ledger; for people, nothing is paid by it.
    pub records: u32,
    /// `ν`, the share of its text that is new.
    pub novelty: Q32,
    /// `g` of the recipe used.
    pub gain: Q32,
    /// The recipe: its author has a part of what is earned with it.
    pub recipe_id: RecipeId,
}

/// A validator's report on one miner's round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditReport {
    /// [`AUDIT_REPORT_VERSION`].
    pub version: u32,
    /// The subnet.
    pub netuid: NetUid,
    /// The round.
    pub round: Round,
    /// Who judges.
    pub validator: Hotkey,
    /// Who is judged.
    pub miner: Hotkey,
    /// Digest over all units of the submission; zero if none was admitted.
    pub submission_root: Digest,
    /// Digest of the parameter set.
    pub params: Digest,
    /// Digest of the line before in the validator's log; zero for the first.
    pub previous: Digest,
    /// BLAKE3 of the state in which the round was assigned and all before it settled, as the validator has it: who was away
    /// goes on from the one that most stake names.
    pub checkpoint: Digest,
    /// Units delivered and admitted, by ascending id.
    pub delivered: Vec<Delivered>,
    /// Rows recomputed, in the order drawn.
    pub probes: Vec<Probe>,
    /// Distinct faults found.
    pub faults: Vec<Fault>,
    /// Whether the files could not be read after all attempts.
    pub unreachable: bool,
    /// What follows.
    pub verdict: Verdict,
    /// sr25519 over [`Self::signed_digest`], hexadecimal.
    pub signature: String,
}

impl AuditReport {
    /// The report of canonical bytes, at most 4 MiB.
    ///
    /// # Errors
    /// [`ReportError`] naming the field and the rule it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReportError> {
        let report: Self = parse_as(bytes, JSON_BYTES_MAX)?;
        if report.version != AUDIT_REPORT_VERSION {
            return Err(ReportError::Version(report.version));
        }
        report.check()?;
        Ok(report)
    }

    /// Whether the fields agree with each other.
    fn check(&self) -> Result<(), ReportError> {
        let distinct = |fault: &Fault| (fault.unit, fault.idx, fault.offset);
        let mut places: Vec<_> = self.faults.iter().map(distinct).collect();
        places.sort_unstable();
        places.dedup();
        let nothing_read = self.probes.is_empty() && self.faults.is_empty() && self.delivered.is_empty();
        let ascending = self.delivered.is_sorted_by(|a, b| a.unit < b.unit);
        let agrees = match self.verdict {
            Verdict::Pass | Verdict::Idle => self.faults.is_empty() && !self.unreachable,
            Verdict::OneFault => self.faults.len() == 1,
            Verdict::Fraud => self.faults.len() >= 2,
            Verdict::NoShow | Verdict::Unpaid | Verdict::Skipped => true,
        };
        let rules = [
            (
                "probes",
                "hold at most 16384 rows",
                self.probes.len() <= PROBES_MAX,
            ),
            (
                "delivered",
                "hold at most 4096 units by ascending id",
                self.delivered.len() <= DELIVERED_MAX && ascending,
            ),
            (
                "delivered",
                "have novelty of at most 1 and gains of at most 256",
                self.delivered
                    .iter()
                    .all(|one| one.novelty <= Q32::ONE && one.gain <= GAIN_MAX),
            ),
            (
                "faults",
                "be at most 1024 with texts of at most 4096 bytes",
                self.faults.len() <= FAULTS_MAX
                    && self
                        .faults
                        .iter()
                        .all(|fault| fault.expected.len().max(fault.found.len()) <= FAULT_TEXT_BYTES_MAX),
            ),
            (
                "faults",
                "name each unit, row and offset once",
                places.len() == self.faults.len(),
            ),
            (
                "unreachable",
                "be false where anything was read",
                !self.unreachable || nothing_read,
            ),
            ("verdict", "follow from `faults` and `unreachable`", agrees),
            (
                "signature",
                "be 128 lower-case hexadecimal digits, or empty",
                signature_form(&self.signature),
            ),
        ];
        check_rules(rules)
    }

    /// The canonical bytes, one line without its end.
    ///
    /// # Errors
    /// [`ReportError::Json`] if a fault's offset is 2^53 or more.
    pub fn to_canonical_bytes(&self) -> Result<Vec<u8>, ReportError> {
        Ok(emit(self)?)
    }

    /// What the next line of the log names as `previous`: BLAKE3 of the canonical bytes.
    ///
    /// # Errors
    /// As [`Self::to_canonical_bytes`].
    pub fn digest(&self) -> Result<Digest, ReportError> {
        Ok(Digest::of(&self.to_canonical_bytes()?))
    }

    /// `H("assay/report/1", canonical bytes with an empty signature)`.
    ///
    /// # Errors
    /// As [`Self::to_canonical_bytes`].
    pub fn signed_digest(&self) -> Result<Digest, ReportError> {
        let unsigned = Self {
            signature: String::new(),
            ..self.clone()
        };
        Ok(unsigned_digest(&unsigned.to_canonical_bytes()?))
    }
}

/// The first rule of a report, as (field, rule, whether it holds), that does not hold.
pub(crate) fn check_rules(
    rules: impl IntoIterator<Item = (&'static str, &'static str, bool)>,
) -> Result<(), ReportError> {
    match rules.into_iter().find(|(_, _, holds)| !holds) {
        Some((field, rule, _)) => Err(ReportError::Field { field, rule }),
        None => Ok(()),
    }
}

/// What a report's author signs: `H("assay/report/1", canonical bytes with an empty signature)`.
pub(crate) fn unsigned_digest(canonical: &[u8]) -> Digest {
    tagged_hash("assay/report/1", &[canonical])
}

/// Whether a signature is absent or 64 bytes in hexadecimal.
pub(crate) fn signature_form(text: &str) -> bool {
    text.is_empty() || crate::hex::decode::<64>(text).is_ok()
}

/// BLAKE3 of a batch, its lines each ended by LF: what messages 0x81 and 0x82 carry.
pub fn batch_digest<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for line in lines {
        hasher.update(line).update(b"\n");
    }
    Digest(*hasher.finalize().as_bytes())
}
