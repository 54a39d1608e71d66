//! Ids, digests, Merkle trees, ledger rows, recipes and manifests: the words every other crate speaks.
//!
//! Pure: values in, values out. Everything that is stored, signed or sent is defined here, with its version.
//!
//! One word per thing:
//!
//! | word | means | type |
//! |---|---|---|
//! | source | where archives come from: `cc`, `file`, `https` | text |
//! | archive | one WARC file | – |
//! | unit | one archive as a piece of work | [`UnitId`] |
//! | record | one entry of an archive, addressed by offset and length | [`LedgerRow`] |
//! | document | the text of a kept record with its columns | [`DocsRow`] |
//! | recipe | the pipeline, by content address | [`Recipe`], [`RecipeId`] |
//! | step | one filter of a recipe, numbered from 0 | [`Step`] |
//! | decision, reason | kept or dropped, and why | [`Decision`], [`Reason`] |
//! | ledger | all records of a unit, in file order | [`LedgerRow`] |
//! | band | one of 14 keys of a document; a shared one makes a duplicate | [`BandKeys`] |
//! | witness | the earlier record that makes a later one a duplicate | `dup_of` |
//! | artifact | a file a recipe names by digest | [`Artifact`] |
//! | manifest | the list of a dataset's units, files and roots | [`Manifest`] |
//! | root | a digest over a tree: ledger, unit, submission | [`Digest`] |
//! | corpus index, work unit | the archives that are work, with their lengths | [`WorkUnit`] |
//! | message | a commitment field on the chain, by its tag | [`Message`] |
//! | pointer | the 124 bytes on the chain | [`Pointer`] |
//! | fault | one thing that is wrong with a dataset | [`Fault`] |
//! | fraud proof | a fault anyone can check against the chain | [`FraudProof`] |
//! | round, block | the protocol's and the chain's time | [`Round`], [`BlockNumber`] |
//! | verdict | what a round's audit says about a miner | [`Verdict`] |
//! | audit report | one validator's probes, faults and verdict on a submission | [`AuditReport`] |
//! | evaluation report | one validator's measurement of one cell of a duel | [`EvaluationReport`] |
//! | arm | what a model of a duel is trained on | [`Arm`] |
//! | parameter set | every number of the mechanism, versioned | [`ParamSet`] |
//! | subnet, mechanism, uid | where weights are set, and a neuron's place there | [`NetUid`], [`MechId`], [`Uid`] |
//! | hotkey, coldkey | a miner's or validator's key, and its owner's | [`Hotkey`], [`Coldkey`] |
//! | weight | what a validator says a uid is worth, of 65,535 | [`Weight`] |
//! | rao | 10^−9 of a coin | [`Rao`] |

#![deny(clippy::indexing_slicing)]

pub mod api;
mod audit;
mod band;
mod bytes;
pub mod canonical_json;
mod docs;
mod draw;
mod evaluation;
mod fault;
mod fraud;
mod fraud_check;
mod hash;
pub mod hex;
mod ids;
mod ledger;
mod manifest;
mod manifest_check;
mod merkle;
mod message;
mod outcome;
mod params;
mod payload;
mod q32;
mod reason;
pub mod recipe;
pub mod report;
mod roots;
pub mod ss58;
mod work;

pub use audit::{
    AUDIT_REPORT_VERSION, AuditReport, DELIVERED_MAX, Delivered, FAULT_TEXT_BYTES_MAX, FAULTS_MAX, GAIN_MAX,
    PROBES_MAX, Probe, ReportError, Verdict, batch_digest,
};
pub use band::{BAND_MINIMA, BANDS, BANDS_COLUMNS, BANDS_VERSION, BandKeys, BandRow, band_key};
pub use docs::{
    DOCS_COLUMNS, DOCS_ROW_GROUP_ROWS, DOCS_VERSION, DocsRow, LANGUAGE_SCORE_ONE, LEDGER_ROW_GROUP_ROWS,
    language_score_units,
};
pub use draw::Draws;
pub use evaluation::{Arm, CELL_VALUE_MAX, EVALUATION_REPORT_VERSION, EvaluationReport, Stage};
pub use fault::{Fault, FaultKind};
pub use fraud::{
    ColumnClaim, Executed, FRAUD_PROOF_VERSION, FraudError, FraudKind, FraudProof, ProofRow, ProofUnit,
    SourceRange,
};
pub use hash::{Digest, Digest16, Sha256Digest, blake3_16, tagged_hash, tagged_hash16, u64_le};
pub use ids::{
    BlockNumber, Bytes, Coldkey, DuelId, Hotkey, MechId, NetUid, Rao, RecipeId, RecordDigest, Round, Tokens,
    Uid, UnitId, Weight,
};
pub use ledger::{
    LEDGER_COLUMNS, LEDGER_ROW_BYTES, LEDGER_VERSION, LedgerError, LedgerRow, check_contiguous,
};
pub use manifest::{
    Addressing, DocsEntry, FileEntry, LOCAL_MANIFEST_BYTES_MAX, LedgerEntry, MANIFEST_BYTES_MAX,
    MANIFEST_FILE, Manifest, ManifestError, ManifestUnit, PROTOCOL, Tool,
};
pub use merkle::{MerkleBuilder, MerkleError, MerkleProof, MerkleTree, PROOF_SIBLINGS_MAX};
pub use message::{
    JOIN_TAG, MESSAGES_MAX, Message, MessageError, PARAMS_TAG, PROOFS_TAG, RECIPE_MESSAGE_BYTES, RECIPE_TAG,
    REPORTS_TAG, REQUEUE_TAG, REQUEUED_UNITS_MAX, RecipeMessage,
};
pub use outcome::StepName;
pub use params::{
    PARAMETERS, PARAMS_BYTES_MAX, PARAMS_NOTICE_BLOCKS, ParamError, ParamSet, ParamValues, Parameter,
};
pub use payload::{POINTER_BYTES, POINTER_TAG, Pointer, PointerError, REPO_BYTES_MAX, RepoName, Revision};
pub use q32::Q32;
pub use reason::{Decision, Reason, ReasonError, STEPS_MAX, step_reason};
pub use recipe::{Artifact, ArtifactKind, Recipe, RecipeChange, RecipeError, Step};
pub use report::{AsOf, Envelope, ErrorEnvelope, RefineReport};
pub use roots::{Submitter, UnitRootParts, files_digest, submission_root, submission_root_over, unit_root};
pub use ss58::{SS58_PREFIX, Ss58Error};
pub use work::{WORK_NAME_BYTES_MAX, WorkUnit, WorkUnitError, corpus_index_root};
