//! Whether sealed weights were really opened: the chain drops what it cannot open without a word.
//!
//! Commits are followed from block to block until the chain has opened or dropped them, and remembered in `reveals.json`, so
//! that a restart goes on looking (docs/chain.md, "Transactions").

use std::path::{Path, PathBuf};

use assay_chain::subtensor::{Committed, Fate, Follower};
use assay_chain::{Chain, Head};
use assay_types::Round;
use serde::{Deserialize, Serialize};

use super::AgentError;
use crate::local::{read_bounded, write_atomically};

/// Commits remembered: one a tempo, and the chain opens each after one to two.
const COMMITS_MAX: usize = 16;
/// Most bytes of the file: a commit holds at most 256 weights.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Blocks between two notes of how far an open commit was followed; nodes keep the state of 256.
const NOTED_BLOCKS: u32 = 64;

/// A commit whose end is not known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    round: Round,
    follower: Follower,
}

/// Commits that the chain has neither opened nor dropped as far as is known.
#[derive(Debug)]
pub(super) struct Reveals {
    path: PathBuf,
    open: Vec<Open>,
    /// What is on disk.
    noted: Vec<Open>,
}

impl Reveals {
    /// Opens what a validator's folder remembers.
    pub(super) fn open(folder: &Path) -> Result<Self, AgentError> {
        let path = folder.join("reveals.json");
        let mut open: Vec<Open> = Vec::new();
        if path.exists() {
            let bytes = read_bounded(&path, FILE_BYTES_MAX).map_err(AgentError::file(&path))?;
            open = serde_json::from_slice(&bytes).map_err(|error| AgentError::invalid(&path, error))?;
        }
        Ok(Self {
            path,
            noted: open.clone(),
            open,
        })
    }

    /// Remembers weights made of a round.
    pub(super) fn committed(&mut self, round: Round, committed: Committed) -> Result<(), AgentError> {
        if self.open.len() == COMMITS_MAX {
            self.open.remove(0);
        }
        self.open.push(Open {
            round,
            follower: Follower::new(committed),
        });
        self.note()
    }

    /// Rounds whose weights the chain is now known to have dropped, with the reason; those it opened are forgotten.
    pub(super) async fn look(
        &mut self,
        chain: &dyn Chain,
        head: &Head,
    ) -> Result<Vec<(Round, String)>, AgentError> {
        let mut dropped = Vec::new();
        let mut open = Vec::new();
        for mut one in self.open.clone() {
            match one.follower.look(chain, head).await? {
                None => open.push(one),
                Some(Fate::Revealed(block)) => {
                    tracing::debug!(round = one.round.0, block = block.0, "weights were opened");
                }
                Some(Fate::Dropped(reason)) => dropped.push((one.round, reason)),
            }
        }
        self.open = open;
        if self.is_news() {
            self.note()?;
        }
        Ok(dropped)
    }

    /// Whether the file says something else, small steps aside.
    fn is_news(&self) -> bool {
        self.open.len() != self.noted.len()
            || self.open.iter().zip(&self.noted).any(|(now, noted)| {
                let (now, noted) = (&now.follower, &noted.follower);
                let blocks = now.held_at().0.saturating_sub(noted.held_at().0);
                blocks >= NOTED_BLOCKS || now.is_gone() != noted.is_gone()
            })
    }

    fn note(&mut self) -> Result<(), AgentError> {
        let bytes = serde_json::to_vec(&self.open).map_err(|error| AgentError::invalid(&self.path, error))?;
        write_atomically(&self.path, &bytes)?;
        self.noted.clone_from(&self.open);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::{BlockNumber, Digest, Hotkey, MechId, NetUid, Uid, Weight};

    fn committed(block: u32) -> Committed {
        Committed {
            netuid: NetUid(1),
            mecid: MechId(0),
            hotkey: Hotkey([1; 32]),
            commit: Digest([2; 32]),
            block: BlockNumber(block),
            reveal_round: 9,
            weights: vec![(Uid(1), Weight(65_535))],
        }
    }

    #[test]
    fn commits_are_remembered_over_a_restart_and_never_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let mut reveals = Reveals::open(folder.path()).unwrap();
        reveals.committed(Round(3), committed(7)).unwrap();
        let again = Reveals::open(folder.path()).unwrap();
        assert_eq!(again.open, reveals.open);
        assert_eq!(again.open[0].follower.committed(), &committed(7));
        for round in 4..100 {
            reveals.committed(Round(round), committed(round)).unwrap();
        }
        let again = Reveals::open(folder.path()).unwrap();
        assert_eq!(again.open.len(), COMMITS_MAX);
        assert_eq!(again.open.last().unwrap().round, Round(99));
        std::fs::write(folder.path().join("reveals.json"), "[{}]").unwrap();
        let error = Reveals::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("reveals.json"), "{error}");
    }
}
