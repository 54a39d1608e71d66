//! Boards, search and records: what pages list, derived from what the chain and signed evidence say.

use crate::audit_sample::SampleRow;
use crate::hash::{Digest, Digest16};
use crate::ids::{BlockNumber, Hotkey, RecipeId, Round, UnitId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An estimated figure; never shown without its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Level of the interval: 0.95.
    pub level: f64,
    /// Budget, model and tokenizer it was measured with.
    pub profile: String,
    /// Seeds it is made of.
    pub seeds: u32,
    /// First round of the duel that measured it.
    pub round: Round,
}

/// What a miner declared in the manifest of a submission; validators recompute samples of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredWork {
    /// The recipe.
    pub recipe_id: RecipeId,
    /// Units refined with it.
    pub units: u32,
    /// Rows of their ledgers.
    pub records: u64,
    /// Kept rows.
    pub kept: u64,
    /// GPT-2 tokens of the kept rows.
    pub tokens: u64,
    /// Bytes of the archives.
    pub archive_bytes: u64,
}

/// A recipe on the leaderboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecipeRow {
    /// Place by the lower end of fineness, then by tokens declared, then by id; from 1.
    pub rank: u32,
    /// BLAKE3 of its canonical TOML.
    pub recipe_id: RecipeId,
    /// Its name; "" before its text is here.
    pub name: String,
    /// Who committed it first; null for the anchor.
    pub author: Option<Hotkey>,
    /// Block of that commitment; 0 for the anchor.
    pub block: BlockNumber,
    /// Whether it is the frozen reference recipe.
    pub anchor: bool,
    /// Fineness, 0 = unfiltered text, 1000 = text of the evaluation domains; null = not measured.
    pub fineness: Option<Estimate>,
    /// Miners whose newest manifest uses it.
    pub miners: u32,
    /// Units declared with it in the rounds read.
    pub units: u64,
    /// Kept tokens declared with it in the rounds read.
    pub tokens: u64,
    /// Duels it took part in.
    pub duels: u32,
    /// What it is since it won the throne; null for the anchor and for recipes that never won.
    pub standing: Option<RecipeStanding>,
}

impl RecipeRow {
    /// Its place among the recipes that won and are active.
    #[must_use]
    pub fn place(&self) -> Option<u32> {
        self.standing.as_ref()?.place
    }
}

/// A crowned recipe's place and what its author earns by it, in the next round to be assigned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecipeStanding {
    /// 1 for the champion, 2 and 3 for the two before it, which are active as well; null for older ones.
    pub place: Option<u32>,
    /// Its first round as the champion.
    pub since: Round,
    /// What it multiplies pay by; null before a confirmation measured it.
    pub gain: Option<f64>,
    /// Share, 0 to 1, of the newest settled round's production that was made with it.
    pub used: f64,
    /// Its author's royalty on that, as a share of the innovation lane, 0 to 1.
    pub royalty: f64,
}

/// A dataset on the leaderboard: its newest release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatasetRow {
    /// Place by tokens; from 1.
    pub rank: u32,
    /// Name.
    pub name: String,
    /// Newest release.
    pub release: String,
    /// Licence.
    pub licence: String,
    /// Where it is.
    pub location: String,
    /// Documents.
    pub documents: u64,
    /// GPT-2 tokens.
    pub tokens: u64,
    /// Units it was made from.
    pub units: u64,
    /// Releases of this name.
    pub releases: u32,
}

/// Something a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    /// `miner`, `validator`, `recipe`, `dataset`, `unit`, `submission`, `round` or `docs`.
    pub kind: String,
    /// Its name.
    pub title: String,
    /// What it is, in a line.
    pub detail: String,
    /// Path of its page.
    pub path: String,
    /// Whether the query names exactly this.
    pub exact: bool,
}

/// A dated change of method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangeEntry {
    /// Version under which it was released; "Unreleased" before.
    pub version: String,
    /// What changed, Markdown.
    pub text: String,
}

/// A delivery that has a record in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordDelivery {
    /// The round.
    pub round: Round,
    /// The miner.
    pub hotkey: Hotkey,
    /// Root of its submission.
    pub submission_root: Digest,
    /// Repository.
    pub repo: String,
    /// Its revision, hexadecimal.
    pub revision: String,
}

/// What one validator said of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordProbe {
    /// The round.
    pub round: Round,
    /// The validator.
    pub validator: Hotkey,
    /// The miner whose row was recomputed.
    pub miner: Hotkey,
    /// Digest of the signed report.
    pub report: Digest,
    /// First 16 bytes of BLAKE3 over the row that re-execution gave; null if the report names only a fault here.
    pub result: Option<Digest16>,
    /// Kinds of faults found at this row; none if it was rebuilt bit for bit.
    pub faults: Vec<String>,
}

/// A row as a validator shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordShown {
    /// Of which round's submission.
    pub round: Round,
    /// Who shows it.
    pub validator: Hotkey,
    /// The row, recomputed, beside its page.
    pub row: SampleRow,
}

/// A row of a ledger: where it comes from, who delivered it, who recomputed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    /// The unit.
    pub unit_id: UnitId,
    /// Number of the row in the ledger.
    pub idx: u32,
    /// Source of the archive.
    pub source: String,
    /// Path of the archive in its source.
    pub path: String,
    /// Records of the unit, the most that a manifest has; null = no manifest with it is here.
    pub records: Option<u32>,
    /// Submissions that hold it, newest first, at most 32.
    pub deliveries: Vec<RecordDelivery>,
    /// Public reports that recomputed it, newest first.
    pub probes: Vec<RecordProbe>,
    /// What validators show of it, newest round first, at most 8; the same where they agree.
    pub shown: Vec<RecordShown>,
    /// The command that recomputes it; "" if nobody delivered it.
    pub command: String,
}
