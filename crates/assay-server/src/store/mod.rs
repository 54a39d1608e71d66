//! The database: one schema on SQLite and PostgreSQL, one writer that commits in groups, many readers.
//!
//! Keys and digests are hexadecimal TEXT, counts are BIGINT, so the same statements run on both. Every transition is guarded
//! in one statement; what decides is the number of rows it changed. Architecture invariant: nothing is written outside
//! [`Writer`], so a group is committed wholly or not at all and an answer is sent after its commit.

mod audit;
mod chain;
mod corpus;
mod database;
mod declared;
mod dump;
mod error;
mod evidence;
mod lease;
mod migrate;
mod miner;
mod network;
mod nonce;
mod parts;
mod release;
mod removal;
mod round;
mod row;
mod sample;
mod schema;
#[cfg(test)]
pub(crate) mod scratch;
mod submission;
mod verdict;
mod writer;

pub use audit::{Append, audit_entries, last_sequence, newest_entries};
pub use chain::{
    CommitmentRow, HeadRow, TakeBlock, cursor, head_at, head_time, messages, metagraph_at, metagraph_block,
    newest_metagraph, pulse_block, sealed_at, standing_at, weights_rows,
};
pub use corpus::{
    AddCorpora, CorpusRefusal, NamedUnits, Sources, corpora, corpus_units, index_root, unit, unit_count,
    unit_leaves, units_by_path, units_from,
};
pub use database::{Database, DatabaseKind};
pub use declared::{
    DeclaredRow, DeclaredSum, Verified, WorkSum, declared_newest, declared_of, declared_since, declared_sums,
    declared_total,
};
pub use dump::{DumpLine, DumpProblem, Import, TABLES, dump_table};
pub use error::StoreError;
pub use evidence::{
    AddProof, AddReport, JudgeProof, ProofCursor, audit_counts, cell_counts, cells, listed_proof_counts,
    newest_report, proofs, queued_proofs, report, report_count, reports, reports_by, reports_of_round,
    reports_on,
};
pub use lease::{Ask, LeaseAsk, LeaseRefusal, Reap, holders_of_round, lease, leases, leases_of_round};
pub use miner::{MinerRecord, Settle, UnitRecord, VerdictRow, dead_letters, miner_records, queue_records};
pub use network::network_state;
pub use nonce::{ForgetNonces, NonceOnly, Signed};
pub use parts::{Changes, Parts};
pub use release::{AddDataset, AddRecipeText, datasets, recipe, recipes, registered_recipes};
pub use removal::{AddRemoval, DecideRemoval, RemovalRow, RemovalState, is_removed, removal, removals};
pub use round::{AddRound, RoundRow, newest_round, round, round_row, rounds, unsettled_rounds};
pub use row::{PageRows, PageSize};
pub use sample::{AddSample, ShownRow, newest_shown, samples_of, shown_rows};
pub use submission::{
    CompleteSubmission, RevealedRow, submission, submission_count, submission_of, submission_page,
    submissions, submissions_by, submissions_with,
};
pub use verdict::{newest_judged_round, newest_verdicts, verdict_of, verdicts, verdicts_of_round};
pub use writer::{Write, Writer};
