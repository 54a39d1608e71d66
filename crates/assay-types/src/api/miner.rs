//! What pages and people read: miners, validators, recipes, duels, datasets, corpora, health.

use super::DeclaredWork;
use crate::evaluation::{Arm, Stage};
use crate::hash::Digest;
use crate::ids::{BlockNumber, Bytes, Coldkey, DuelId, Hotkey, Rao, RecipeId, Round, Uid, UnitId};
use crate::{Verdict, q32::Q32};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A miner on the leaderboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MinerRow {
    /// Place by incentive, then by emission and uid; from 1.
    pub rank: u32,
    /// The hotkey.
    pub hotkey: Hotkey,
    /// Its owner.
    pub coldkey: Coldkey,
    /// Its place in the subnet.
    pub uid: Uid,
    /// Block of its registration.
    pub registered: BlockNumber,
    /// Share of the miners' emission, of 65,535.
    pub incentive: u16,
    /// Alpha emission of the last epoch.
    pub emission: Rao,
    /// Credibility as a Q32 integer.
    pub credibility_q32: u64,
    /// Units it may hold.
    pub cap: u32,
    /// Consecutive passed rounds.
    pub passed: u32,
    /// Units assigned in the newest round.
    pub units: u32,
    /// Verdicts, newest first, at most ten.
    pub verdicts: Vec<Verdict>,
    /// Blocks until it can be pruned; 0 = not immune.
    pub immunity_left: u32,
    /// When it last used a lease, milliseconds since 1970; 0 = never.
    pub heard_ms: u64,
    /// Places won since the metagraph kept about a day ago; null = none is kept, or it was not there.
    pub rank_change: Option<i32>,
    /// Newest manifest handed in: its round and what it declares; null = none is here.
    pub declared: Option<(Round, Vec<DeclaredWork>)>,
}

/// What a round did to a miner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoundResult {
    /// The round.
    pub round: Round,
    /// The verdict.
    pub verdict: Verdict,
    /// Delivered share of the assigned volume, Q32.
    pub delivered_q32: u64,
    /// Units held.
    pub assigned: u32,
    /// Units of these that passed.
    pub units: u32,
    /// Records of those.
    pub records: u64,
    /// What it produced, Q32; 0 if the round does not pay.
    pub produced_q32: u64,
    /// Its average after the round, Q32: what its weight is made of.
    pub average_q32: u64,
    /// Distinct faults that count.
    pub faults: u32,
    /// Reports it follows from.
    pub reports: Vec<Digest>,
    /// Credibility after it, Q32.
    pub credibility_q32: u64,
    /// Cap after it.
    pub cap: u32,
}

/// A miner's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MinerView {
    /// Its row.
    pub row: MinerRow,
    /// Its rounds, newest first.
    pub rounds: Vec<RoundResult>,
}

/// A validator on the leaderboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorRow {
    /// Place by stake; from 1.
    pub rank: u32,
    /// The hotkey.
    pub hotkey: Hotkey,
    /// Its owner.
    pub coldkey: Coldkey,
    /// Its place in the subnet.
    pub uid: Uid,
    /// Stake weight.
    pub stake: Rao,
    /// Validator trust, of 65,535.
    pub vtrust: u16,
    /// Share of the validators' emission, of 65,535.
    pub dividends: u16,
    /// Blocks since it last set or committed weights.
    pub weights_age_blocks: u32,
    /// Audit reports accepted.
    pub reports: u32,
    /// Cells of duels reported.
    pub cells: u32,
    /// Fraud proofs listed.
    pub proofs: u32,
}

/// A recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecipeView {
    /// BLAKE3 of its canonical TOML.
    pub recipe_id: RecipeId,
    /// Its name; "" before its text is here.
    pub name: String,
    /// Who committed it first; null for the anchor.
    pub author: Option<Hotkey>,
    /// Block of that commitment; 0 for the anchor.
    pub block: BlockNumber,
    /// Whether a submission of the newest round may use it.
    pub active: bool,
    /// Its canonical TOML; "" before it is here.
    pub toml: String,
}

/// One cell of a duel: the reports on one arm, seed and domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DuelCell {
    /// The arm.
    pub arm: Arm,
    /// Number of the seed.
    pub seed: u32,
    /// Held-out domain.
    pub domain: String,
    /// Reported values in 1e-4 bits per byte, ascending.
    pub values: Vec<u32>,
}

/// A duel: the cells reported on one challenger in one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DuelView {
    /// Its name, the same on every server: a hash of round, stage, profile and challenger.
    pub id: DuelId,
    /// First round of the stage.
    pub round: Round,
    /// The stage.
    pub stage: Stage,
    /// Budget, model and tokenizer under one name.
    pub profile: String,
    /// The recipe that wants to reign.
    pub challenger: RecipeId,
    /// The recipe that reigns; null before a cell of a registered one.
    pub champion: Option<RecipeId>,
    /// Cells reported.
    pub cells: Vec<DuelCell>,
    /// What the network decided; null while the stage is on, and for all but the newest 32 decisions.
    pub decision: Option<DuelDecision>,
}

/// What a stage of a duel decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DuelDecision {
    /// `won`, `lost`, `inconclusive`, or `waits` for cells of enough validators.
    pub outcome: String,
    /// The challenger's lead in thousandths of a point, floor; 0 without cells.
    pub lead_milli: i64,
    /// Its standard error in thousandths of a point, floor.
    pub error_milli: i64,
}

/// Duels whose recipes are registered: committed on the chain, or the subnet's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DuelList {
    /// By first round, stage, profile and challenger.
    pub duels: Vec<DuelView>,
    /// Recipes measured as champion or challenger that nobody has registered: they are in no duel.
    pub unregistered: u32,
    /// Stages that are measured while no registered challenger has a cell.
    pub waiting: u32,
}

/// A dataset that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetView {
    /// Name.
    pub name: String,
    /// Release.
    pub release: String,
    /// Licence.
    pub licence: String,
    /// Where it is: `namespace/name` at a hub, or an address.
    pub location: String,
    /// BLAKE3 of its manifest.
    pub manifest: Digest,
    /// Documents.
    pub documents: u64,
    /// GPT-2 tokens.
    pub tokens: u64,
    /// Units it was made from.
    pub units: u64,
    /// What to know, one paragraph.
    pub description: String,
}

/// A list of archives that is work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CorpusView {
    /// Name it was added under.
    pub name: String,
    /// Root over its own units.
    pub root: Digest,
    /// Root over all units up to its last.
    pub index_root: Digest,
    /// Place of its first unit in the index.
    pub first: u64,
    /// Units.
    pub units: u64,
    /// Bytes of all its archives.
    pub bytes: Bytes,
}

/// An archive of the corpus index and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnitView {
    /// The unit.
    pub unit_id: UnitId,
    /// Its place in the index.
    pub position: u64,
    /// Source of the archive.
    pub source: String,
    /// Path of the archive in its source.
    pub path: String,
    /// Length of the archive.
    pub bytes: Bytes,
    /// `fresh`, `reserved`, `assigned`, `waiting`, `passed` or `dead`.
    pub state: String,
    /// Rounds in which it failed.
    pub attempts: u32,
    /// Who failed it.
    pub failed: Vec<Hotkey>,
}

/// Whether the server works, and what does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok` or `degraded`.
    pub status: String,
    /// Version of the program.
    pub version: String,
    /// Hotkey that signs answers, SS58.
    pub server: String,
    /// Subnet.
    pub netuid: u16,
    /// Genesis hash of the chain it follows.
    pub genesis: Digest,
    /// Newest final block taken in.
    pub block: BlockNumber,
    /// Milliseconds since that block was taken in.
    pub block_age_ms: u64,
    /// Whether writes are taken.
    pub intake: bool,
    /// What is degraded, one line each.
    pub problems: Vec<String>,
}

impl MinerRow {
    /// The credibility.
    pub const fn credibility(&self) -> Q32 {
        Q32(self.credibility_q32)
    }
}
