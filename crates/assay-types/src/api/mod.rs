//! What the Task API and its clients send each other: one file a resource, every form with a version in its path.
//!
//! The server fills these, the client and the web pages read them, `docs/api.md` and the OpenAPI document describe them.
//! Amounts carry their unit in the name; digests, keys and ids are lower-case hexadecimal.

mod assignment;
mod board;
mod btauth;
mod envelope;
mod evidence;
mod filter;
mod history;
mod lease;
mod limits;
mod miner;
mod problem;
mod round;
mod submission;

pub use assignment::{
    ASSIGNMENT_VERSION, Assignment, AssignmentCandidate, AssignmentEntry, AssignmentError, AssignmentHeader,
    RequeuedUnit,
};
pub use board::{
    ChangeEntry, DatasetRow, DeclaredWork, Estimate, RecipeRow, RecipeStanding, RecordDelivery, RecordProbe,
    RecordShown, RecordView, SearchHit,
};
pub use btauth::{
    AuthScheme, HEADER_CRYPTO, HEADER_HOTKEY, HEADER_NONCE, HEADER_RECEIVER, HEADER_SERVER,
    HEADER_SERVER_SIGNATURE, HEADER_SIGNATURE, HEADER_VERSION, NONCE_AGE_MS_MAX, NONCE_AHEAD_MS_MAX,
    RequestToSign, ResponseToSign,
};
pub use envelope::{Answer, Observed, Source};
pub use evidence::{ProofState, ProofView, Receipt, ReportKind, ReportView};
pub use filter::{
    FILTER_BYTES_MAX, FILTER_TERMS_MAX, FieldValue, Filter, FilterCondition, FilterError, FilterErrorKind,
    FilterField, FilterNumber, FilterOp, FilterTerm, FilterValue, Filtered,
};
pub use history::{AuditEntry, EventKind};
pub use lease::{
    CompleteLease, FailLease, Heartbeat, LEASE_REASON_CHARS_MAX, LeaseKey, LeaseState, LeaseView,
};
pub use limits::{BODY_BYTES_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX};
pub use miner::{
    CorpusView, DatasetView, DuelCell, DuelDecision, DuelList, DuelView, Health, MinerRow, MinerView,
    RecipeView, RoundResult, UnitView, ValidatorRow,
};
pub use problem::{Problem, ProblemKind};
pub use round::{PhaseName, RoundView};
pub use submission::{SubmissionState, SubmissionView};
