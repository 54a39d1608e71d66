//! The fraud proof: one fault of a submission, with everything needed to check it against the chain.
//!
//! `verify` writes it; anyone reads it, checks here that rows and unit hang under the submission root, and
//! re-executes the record it names (mechanism §7.4). Canonical JSON; in local runs the payload and signature are
//! empty and the chain fields zero.

use crate::canonical_json::{CanonicalJsonError, JSON_BYTES_MAX, emit, parse_as};
use crate::fraud_check;
use crate::hash::{Digest, Digest16, blake3_16};
use crate::hex;
use crate::ids::{Hotkey, NetUid, RecipeId, Round, UnitId};
use crate::ledger::{LEDGER_ROW_BYTES, LedgerError, LedgerRow};
use crate::manifest::{DocsEntry, FileEntry};
use crate::merkle::MerkleProof;
use crate::payload::PointerError;
use crate::reason::{Decision, Reason, ReasonError};
use crate::roots::{Submitter, UnitRootParts, unit_root};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The `version` of this form.
pub const FRAUD_PROOF_VERSION: u32 = 1;

/// Longest column value that a proof spells out, in bytes; longer ones stand as a hash.
const COLUMN_BYTES_MAX: usize = 1_024;

/// Why bytes are no proof, or a proof shows nothing.
#[derive(Debug, Error)]
pub enum FraudError {
    /// Not canonical JSON of the right keys.
    #[error("fraud proof cannot be read")]
    Json(#[from] CanonicalJsonError),
    /// Another version.
    #[error("fraud proof has version `{0}`, not `{FRAUD_PROOF_VERSION}`")]
    Version(u32),
    /// The payload is not hexadecimal.
    #[error("payload is not 124 bytes in hexadecimal")]
    PayloadHex(#[from] hex::HexError),
    /// The payload is no pointer.
    #[error("payload is no pointer")]
    Payload(#[from] PointerError),
    /// The payload commits to something else.
    #[error("payload and proof disagree on `{0}`")]
    PayloadDisagrees(&'static str),
    /// The source and path give another unit.
    #[error("unit `{found}` is not the one of its source and path")]
    UnitId {
        /// Unit named.
        found: UnitId,
    },
    /// The unit does not hang under the submission root.
    #[error("unit root `{0}` is not under the submission root")]
    UnitPath(Digest),
    /// A row does not hang under the ledger root.
    #[error("row at `{index}` is not under the ledger root")]
    RowPath {
        /// Place in the ledger.
        index: u32,
    },
    /// Rows, sources or values that this kind of fault needs are missing or too many.
    #[error("a proof of `{kind}` needs {needs}")]
    Parts {
        /// Kind of the proof.
        kind: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// Everything is authentic, but nothing is wrong with it.
    #[error("what the proof shows is no `{kind}`: {why}")]
    ShowsNothing {
        /// Kind of the proof.
        kind: &'static str,
        /// Why it is no fault.
        why: &'static str,
    },
    /// The docs and bands listed are not those of the unit.
    #[error("files listed give another digest than the unit's `files_digest`")]
    Files,
}

/// The kinds of faults that can be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FraudKind {
    /// A row differs from re-execution of its record.
    RowWrong,
    /// A record starts inside the range of a row.
    RowMissing,
    /// Neighbouring rows leave a gap, overlap or are misnumbered.
    Gap,
    /// A duplicate without that witness, or a witness that was passed over.
    DupWrong,
    /// A column of a document differs from re-execution.
    ColumnWrong,
}

impl FraudKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::RowWrong,
        Self::RowMissing,
        Self::Gap,
        Self::DupWrong,
        Self::ColumnWrong,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RowWrong => "row_wrong",
            Self::RowMissing => "row_missing",
            Self::Gap => "gap",
            Self::DupWrong => "dup_wrong",
            Self::ColumnWrong => "column_wrong",
        }
    }
}

/// The unit's preimage and its place under the submission root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofUnit {
    /// The unit.
    pub unit_id: UnitId,
    /// Source of the archive.
    pub source: String,
    /// Path of the archive in its source.
    pub warc_path: String,
    /// The recipe.
    pub recipe_id: RecipeId,
    /// Rows of the ledger.
    pub n_records: u32,
    /// Kept rows.
    pub n_kept: u32,
    /// Root over the ledger's leaves.
    pub ledger_root: Digest,
    /// Digest over bands and docs.
    pub files_digest: Digest,
    /// Place among the units by ascending id.
    pub index: u32,
    /// Units of the submission.
    pub n_units: u32,
    /// Siblings from the unit root up to the root over all units.
    #[schema(value_type = Vec<Digest>)]
    pub path: MerkleProof,
}

impl ProofUnit {
    /// The unit root of the preimage.
    pub fn root(&self) -> Digest {
        unit_root(&UnitRootParts {
            unit_id: self.unit_id,
            recipe_id: self.recipe_id,
            n_records: self.n_records,
            n_kept: self.n_kept,
            ledger_root: self.ledger_root,
            files_digest: self.files_digest,
        })
    }
}

/// A ledger row as published, with its place under the ledger root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ProofRowText", into = "ProofRowText")]
pub struct ProofRow {
    /// Place in the ledger, which is not the row's own `idx` if that is the fault.
    pub index: u32,
    /// The row.
    pub row: LedgerRow,
    /// Siblings from the leaf up to the ledger root.
    pub path: MerkleProof,
}

/// The JSON form of a row: its 58 bytes in hexadecimal.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ProofRowText {
    /// Place in the ledger.
    index: u32,
    /// The row's 58 bytes, hexadecimal.
    row: String,
    /// Siblings from the leaf up to the ledger root.
    #[schema(value_type = Vec<Digest>)]
    path: MerkleProof,
}

/// Why the text of a row is no row.
#[derive(Debug, Error)]
enum ProofRowError {
    #[error(transparent)]
    Hex(#[from] hex::HexError),
    #[error(transparent)]
    Row(#[from] LedgerError),
}

impl TryFrom<ProofRowText> for ProofRow {
    type Error = ProofRowError;

    fn try_from(text: ProofRowText) -> Result<Self, ProofRowError> {
        let row = LedgerRow::decode(&hex::decode::<LEDGER_ROW_BYTES>(&text.row)?)?;
        Ok(Self {
            index: text.index,
            row,
            path: text.path,
        })
    }
}

impl From<ProofRow> for ProofRowText {
    fn from(proof: ProofRow) -> Self {
        Self {
            index: proof.index,
            row: hex::encode(&proof.row.encode()),
            path: proof.path,
        }
    }
}

/// A range of the archive and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRange {
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub length: u32,
    /// BLAKE3 (16 bytes) of them.
    pub digest: Digest16,
}

/// What re-execution of a record gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ExecutedNumbers", into = "ExecutedNumbers")]
pub struct Executed {
    /// In the dataset or not.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// Digest of the final text.
    pub text_hash: Digest16,
    /// GPT-2 tokens.
    pub n_tokens: u32,
}

impl Executed {
    /// Whether a published row says the same.
    pub fn agrees_with(&self, row: &LedgerRow) -> bool {
        let found = (row.decision, row.reason, row.text_hash, row.n_tokens);
        found == (self.decision, self.reason, self.text_hash, self.n_tokens)
    }
}

/// The JSON form: decision and reason as their ledger bytes.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ExecutedNumbers {
    /// In the dataset or not, as in the ledger.
    decision: u8,
    /// Why, as in the ledger.
    reason: u8,
    /// Digest of the final text.
    text_hash: Digest16,
    /// GPT-2 tokens.
    n_tokens: u32,
}

impl TryFrom<ExecutedNumbers> for Executed {
    type Error = ReasonError;

    fn try_from(numbers: ExecutedNumbers) -> Result<Self, ReasonError> {
        Ok(Self {
            decision: Decision::from_u8(numbers.decision)?,
            reason: Reason::from_u8(numbers.reason)?,
            text_hash: numbers.text_hash,
            n_tokens: numbers.n_tokens,
        })
    }
}

impl From<Executed> for ExecutedNumbers {
    fn from(executed: Executed) -> Self {
        Self {
            decision: executed.decision.to_u8(),
            reason: executed.reason.to_u8(),
            text_hash: executed.text_hash,
            n_tokens: executed.n_tokens,
        }
    }
}

/// A value in a docs file that is not the record's; the file itself is fetched by its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnClaim {
    /// The unit's bands file.
    pub bands: FileEntry,
    /// The unit's docs files.
    pub docs: Vec<DocsEntry>,
    /// Number of the file among `docs`, from 0.
    pub file: u32,
    /// Number of the row in that file, from 0.
    pub row: u32,
    /// The column.
    pub column: String,
    /// The value re-execution gives, see [`ColumnClaim::value`].
    pub expected: String,
    /// The value in the file, see [`ColumnClaim::value`].
    pub found: String,
}

impl ColumnClaim {
    /// A value as a proof shows it: as it is up to 1,024 bytes, else `blake3:` and its 16-byte digest.
    pub fn value(text: &str) -> String {
        if text.len() <= COLUMN_BYTES_MAX {
            return text.to_owned();
        }
        format!("blake3:{}", blake3_16(text.as_bytes()))
    }
}

/// One proved fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FraudProof {
    /// [`FRAUD_PROOF_VERSION`].
    pub version: u32,
    /// The kind of fault.
    pub kind: FraudKind,
    /// The subnet.
    pub netuid: NetUid,
    /// The round.
    pub round: Round,
    /// The miner.
    pub hotkey: Hotkey,
    /// The pointer the chain revealed, 124 bytes in hexadecimal; "" in local runs.
    pub payload: String,
    /// Digest over all units.
    pub submission_root: Digest,
    /// The unit.
    pub unit: ProofUnit,
    /// One or two rows; for `dup_wrong` the duplicate, then the witness.
    #[schema(value_type = Vec<ProofRowText>)]
    pub rows: Vec<ProofRow>,
    /// The ranges of the archive to read, in the order of `rows`; for `row_missing` the hidden record's.
    pub sources: Vec<SourceRange>,
    /// What re-execution gives for the first row.
    #[schema(value_type = Option<ExecutedNumbers>)]
    pub executed: Option<Executed>,
    /// The column, for `column_wrong`.
    pub column: Option<ColumnClaim>,
    /// Who proves.
    pub prover: Hotkey,
    /// sr25519 over the proof without this key, hexadecimal; "" in local runs.
    pub signature: String,
}

impl FraudProof {
    /// The proof of canonical bytes, at most 4 MiB, of this version; see [`Self::check_structure`].
    ///
    /// # Errors
    /// [`FraudError::Json`] or [`FraudError::Version`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FraudError> {
        let proof: Self = parse_as(bytes, JSON_BYTES_MAX)?;
        if proof.version != FRAUD_PROOF_VERSION {
            return Err(FraudError::Version(proof.version));
        }
        Ok(proof)
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// [`FraudError::Json`] if an offset is 2^53 or more.
    pub fn to_canonical_bytes(&self) -> Result<Vec<u8>, FraudError> {
        Ok(emit(self)?)
    }

    /// What the prover signs: the canonical bytes without the key `signature`.
    ///
    /// # Errors
    /// As [`Self::to_canonical_bytes`].
    pub fn signed_bytes(&self) -> Result<Vec<u8>, FraudError> {
        let mut value: serde_json::Value = parse_as(&self.to_canonical_bytes()?, JSON_BYTES_MAX)?;
        if let Some(keys) = value.as_object_mut() {
            keys.remove("signature");
        }
        Ok(emit(&value)?)
    }

    /// Whose submission is accused.
    pub fn submitter(&self) -> Submitter {
        Submitter {
            netuid: self.netuid,
            round: self.round,
            hotkey: self.hotkey,
        }
    }

    /// Whether rows and unit belong to the submission, and what is shown would be a fault if the archive's bytes
    /// and the re-execution are as claimed. The caller checks those two, and the signature.
    ///
    /// # Errors
    /// [`FraudError`] for the first thing that does not hold.
    pub fn check_structure(&self) -> Result<(), FraudError> {
        fraud_check::check(self)
    }
}
