//! A validator's report on one cell of a training duel: arm, seed, domain, bits per byte.
//!
//! `assay-eval` measures, validators sign; the mechanism takes the stake-weighted median of the reports of a cell
//! and decides the duel (mechanism §9.2). Canonical JSON lines, batched and committed like audit reports.

use crate::audit::{ReportError, check_rules, signature_form, unsigned_digest};
use crate::canonical_json::{JSON_BYTES_MAX, emit, parse_as};
use crate::hash::Digest;
use crate::ids::{Hotkey, NetUid, RecipeId, Round, Tokens};
use serde::{Deserialize, Serialize};

/// The `version` of this form.
pub const EVALUATION_REPORT_VERSION: u32 = 1;

/// Greatest value of a cell in 1e-4 bits per byte: a model that wastes 64 bits on each byte.
pub const CELL_VALUE_MAX: u32 = 640_000;

/// Longest name of a domain or profile in bytes.
const NAME_BYTES_MAX: usize = 64;

/// What the model of a cell was trained on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The recipe that reigns.
    Champion,
    /// The frozen reference recipe.
    Anchor,
    /// The recipe that wants to.
    Challenger,
    /// All visible text of the same archives.
    Ore,
    /// Text of the evaluation domains themselves.
    Pure,
}

/// Half of a duel cycle.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Cheap, at level .05.
    Screen,
    /// On new archives and seeds, at level .01.
    Confirm,
}

impl Stage {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Confirm => "confirm",
        }
    }
}

/// One measured cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluationReport {
    /// [`EVALUATION_REPORT_VERSION`].
    pub version: u32,
    /// The subnet.
    pub netuid: NetUid,
    /// First round of the stage.
    pub round: Round,
    /// The stage.
    pub stage: Stage,
    /// Who measured.
    pub validator: Hotkey,
    /// Digest of the parameter set.
    pub params: Digest,
    /// Budget, model and tokenizer under one name, such as `cpu-v1`.
    pub profile: String,
    /// The arm.
    pub arm: Arm,
    /// The recipe of the arm; zero for ore and pure.
    pub recipe_id: RecipeId,
    /// Number of the seed within the stage.
    pub seed: u32,
    /// The held-out domain.
    pub domain: String,
    /// Bits per byte in units of 1e-4.
    pub value: u32,
    /// Tokens that the arm keeps of the stage's archives: its yield. What is trained on is the profile's.
    pub tokens: Tokens,
    /// sr25519 over [`Self::signed_digest`], hexadecimal.
    pub signature: String,
}

impl EvaluationReport {
    /// The report of canonical bytes, at most 4 MiB.
    ///
    /// # Errors
    /// [`ReportError`] naming the field and the rule it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReportError> {
        let report: Self = parse_as(bytes, JSON_BYTES_MAX)?;
        if report.version != EVALUATION_REPORT_VERSION {
            return Err(ReportError::Version(report.version));
        }
        report.check()?;
        Ok(report)
    }

    fn check(&self) -> Result<(), ReportError> {
        let name = |text: &str| {
            (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let without_recipe = matches!(self.arm, Arm::Ore | Arm::Pure);
        let rules = [
            (
                "profile",
                "be 1 to 64 printable ASCII characters without spaces",
                name(&self.profile),
            ),
            (
                "domain",
                "be 1 to 64 printable ASCII characters without spaces",
                name(&self.domain),
            ),
            (
                "recipe_id",
                "be zero for ore and pure, and only there",
                self.recipe_id.0.is_zero() == without_recipe,
            ),
            (
                "value",
                "be 1 to 640000 in 1e-4 bits per byte",
                (1..=CELL_VALUE_MAX).contains(&self.value),
            ),
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
    /// [`ReportError::Json`] if the tokens are 2^53 or more.
    pub fn to_canonical_bytes(&self) -> Result<Vec<u8>, ReportError> {
        Ok(emit(self)?)
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
