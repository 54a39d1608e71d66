//! A round's journal, and the pure plan of what to do next.
//!
//! One small file a round, written whole after every external effect.

use std::path::Path;

use assay_mechanism::clock::Clock;
use assay_types::{BlockNumber, Digest, RecipeId, Revision, Round, UnitId};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::tell::Told;
use crate::local::{read_bounded, write_atomically};
use crate::subnet::AgentError;

/// Most bytes of a journal: a thousand units.
const JOURNAL_BYTES_MAX: u64 = 1 << 20;

const JOURNAL_FILE: &str = "journal.json";

/// How far a round is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Units are held, nothing is done.
    Assigned,
    /// Refined on this machine.
    Refined,
    /// Uploaded, readable by nobody else.
    Published,
    /// The sealed pointer is on the chain.
    Committed,
    /// Readable by everybody.
    Open,
    /// The deadline passed before the commitment.
    Missed,
}

impl Stage {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Refined => "refined",
            Self::Published => "published",
            Self::Committed => "committed",
            Self::Open => "open",
            Self::Missed => "missed",
        }
    }
}

/// A round of a miner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundJournal {
    /// The round.
    pub round: Round,
    /// Units held.
    pub units: Vec<UnitId>,
    /// How far it is.
    pub stage: Stage,
    /// The recipe, chosen when refining begins: a restart goes on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<RecipeId>,
    /// Root of the submission, once refined.
    pub submission_root: Option<Digest>,
    /// Where it is published.
    pub revision: Option<Revision>,
    /// Block of the commitment.
    pub committed: Option<BlockNumber>,
    /// How much of it the Task API knows.
    #[serde(default)]
    pub told: Told,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Refine the units.
    Refine,
    /// Upload the result.
    Publish,
    /// Commit the pointer.
    Commit,
    /// Make the upload public, once the chain can open the pointer.
    Open,
    /// Give the round up: nothing would count.
    Miss,
}

/// What is to be done for a round at `block`; none if nothing is, or not yet.
///
/// Nothing is committed before the round starts, as its pulse is not known, nor after the deadline, as it would not count. A
/// commitment made in the block before the deadline's is the last that is sure to be in time.
#[must_use]
pub fn plan(journal: &RoundJournal, block: BlockNumber, clock: &Clock) -> Option<Action> {
    let round = journal.round;
    let too_late = block >= clock.deadline_block(round);
    match journal.stage {
        Stage::Assigned | Stage::Refined | Stage::Published if too_late => Some(Action::Miss),
        Stage::Assigned => Some(Action::Refine),
        Stage::Refined => Some(Action::Publish),
        Stage::Published => (block >= clock.start(round)).then_some(Action::Commit),
        Stage::Committed => too_late.then_some(Action::Open),
        Stage::Open | Stage::Missed => None,
    }
}

impl RoundJournal {
    /// A round about to begin.
    #[must_use]
    pub fn new(round: Round, units: Vec<UnitId>) -> Self {
        Self {
            round,
            units,
            stage: Stage::Assigned,
            recipe: None,
            submission_root: None,
            revision: None,
            committed: None,
            told: Told::Nothing,
        }
    }

    /// The journal in a round's folder, if there is one.
    pub(super) fn load(folder: &Path) -> Result<Option<Self>, AgentError> {
        let path = folder.join(JOURNAL_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = read_bounded(&path, JOURNAL_BYTES_MAX).map_err(AgentError::file(&path))?;
        let journal = serde_json::from_slice(&bytes).map_err(|error| AgentError::invalid(&path, error))?;
        Ok(Some(journal))
    }

    /// All journals of a miner's folder, by round.
    ///
    /// # Errors
    /// [`AgentError::File`] without such a folder, [`AgentError::Invalid`] for a damaged journal.
    pub fn all(folder: &Path) -> Result<Vec<Self>, AgentError> {
        let rounds = folder.join("rounds");
        let mut journals = Vec::new();
        for entry in fs::read_dir(&rounds).map_err(AgentError::file(&rounds))? {
            let path = entry.map_err(AgentError::file(&rounds))?.path();
            journals.extend(Self::load(&path)?);
        }
        journals.sort_by_key(|journal| journal.round);
        Ok(journals)
    }

    /// Writes the journal.
    pub(super) fn store(&self, folder: &Path) -> Result<(), AgentError> {
        fs::create_dir_all(folder).map_err(AgentError::file(folder))?;
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| AgentError::invalid(folder, error))?;
        Ok(write_atomically(&folder.join(JOURNAL_FILE), &bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::ParamValues;

    #[test]
    fn a_round_goes_its_way_and_is_given_up_only_before_the_commitment() {
        let values = ParamValues {
            genesis_block: 100,
            round_blocks: 360,
            commit_offset: 240,
            ..ParamValues::default()
        };
        let clock = Clock::new(&values);
        let mut journal = RoundJournal::new(Round(1), Vec::new());
        let at = |journal: &RoundJournal, block: u32| plan(journal, BlockNumber(block), &clock);
        let steps = [
            (Stage::Assigned, 450, Some(Action::Refine)),
            (Stage::Refined, 455, Some(Action::Publish)),
            (Stage::Published, 459, None),
            (Stage::Published, 460, Some(Action::Commit)),
            (Stage::Published, 699, Some(Action::Commit)),
            (Stage::Committed, 699, None),
            (Stage::Committed, 700, Some(Action::Open)),
            (Stage::Open, 701, None),
            (Stage::Missed, 701, None),
        ];
        for (stage, block, expected) in steps {
            journal.stage = stage;
            assert_eq!(at(&journal, block), expected, "{stage:?} at {block}");
        }
        for stage in [Stage::Assigned, Stage::Refined, Stage::Published] {
            journal.stage = stage;
            assert_eq!(at(&journal, 700), Some(Action::Miss), "{stage:?}");
        }
    }

    #[test]
    fn a_journal_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RoundJournal::load(folder.path()).unwrap(), None);
        let mut journal = RoundJournal::new(Round(7), vec![UnitId::of("file", "a")]);
        journal.stage = Stage::Committed;
        journal.committed = Some(BlockNumber(9));
        journal.store(folder.path()).unwrap();
        assert_eq!(RoundJournal::load(folder.path()).unwrap(), Some(journal));
        std::fs::write(folder.path().join(JOURNAL_FILE), "{").unwrap();
        let error = RoundJournal::load(folder.path()).unwrap_err();
        assert!(error.to_string().contains(JOURNAL_FILE), "{error}");
    }
}
