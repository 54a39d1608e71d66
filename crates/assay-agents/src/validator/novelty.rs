//! The novelty index on disk: one file a round, read again at a start, so that a restart changes no answer.

use std::path::{Path, PathBuf};

use assay_mechanism::novelty::NoveltyIndex;
use assay_types::{ParamValues, Q32, Round, Sha256Digest, UnitId};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::local::{read_bounded, write_atomically};
use crate::subnet::AgentError;

/// Most bytes of a round's file.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// What a unit brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Brought {
    unit: UnitId,
    keys: Vec<u64>,
    files: Vec<Sha256Digest>,
}

/// The index of rounds before the one being audited, and of its own submissions so far.
#[derive(Debug)]
pub(super) struct Novelty {
    folder: PathBuf,
    index: NoveltyIndex,
    round: Option<Round>,
    brought: Vec<Brought>,
}

impl Novelty {
    pub(super) fn open(folder: &Path) -> Result<Self, AgentError> {
        fs::create_dir_all(folder).map_err(AgentError::file(folder))?;
        Ok(Self {
            folder: folder.to_owned(),
            index: NoveltyIndex::default(),
            round: None,
            brought: Vec::new(),
        })
    }

    /// Begins a round: the index is that of the rounds before it, whatever an interrupted audit has left.
    pub(super) fn begin(&mut self, round: Round) -> Result<(), AgentError> {
        self.index = NoveltyIndex::default();
        self.brought.clear();
        self.round = Some(round);
        let mut rounds: Vec<u32> = fs::read_dir(&self.folder)
            .map_err(AgentError::file(&self.folder))?
            .filter_map(|entry| {
                entry
                    .ok()?
                    .file_name()
                    .to_str()?
                    .strip_suffix(".json")?
                    .parse()
                    .ok()
            })
            .filter(|known| *known < round.0)
            .collect();
        rounds.sort_unstable();
        for known in rounds {
            let path = self.path(Round(known));
            let bytes = read_bounded(&path, FILE_BYTES_MAX).map_err(AgentError::file(&path))?;
            let brought: Vec<Brought> =
                serde_json::from_slice(&bytes).map_err(|error| AgentError::invalid(&path, error))?;
            for one in brought {
                self.index.insert(one.unit, &one.keys, &one.files);
                self.index.pass(one.unit);
            }
        }
        Ok(())
    }

    /// `ν` of a unit.
    pub(super) fn look(
        &self,
        unit: UnitId,
        keys: &[u64],
        files: &[Sha256Digest],
        values: &ParamValues,
    ) -> Q32 {
        // A replica brings the same unit's bands: they are no copy of another.
        self.index.novelty(unit, keys, files, values)
    }

    /// Adds a clean unit of this round.
    pub(super) fn add(
        &mut self,
        unit: UnitId,
        keys: Vec<u64>,
        files: Vec<Sha256Digest>,
    ) -> Result<(), AgentError> {
        self.index.insert(unit, &keys, &files);
        self.brought.push(Brought { unit, keys, files });
        let Some(round) = self.round else {
            return Ok(());
        };
        let path = self.path(round);
        let bytes = serde_json::to_vec(&self.brought).map_err(|error| AgentError::invalid(&path, error))?;
        Ok(write_atomically(&path, &bytes)?)
    }

    fn path(&self, round: Round) -> PathBuf {
        self.folder.join(format!("{}.json", round.0))
    }
}
