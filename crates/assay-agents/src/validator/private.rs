//! Private audits (stage V5): after the report, submissions looked at once more by a seed nobody else knows.
//!
//! ```text
//! report ─► queue (a file) ─► one miner a step ─► drawn units, rows, bytes recomputed ─► proofs
//! ```
//!
//! A miner cannot know what any validator's own seed will draw, not even afterwards. The verdict is that of the common
//! sample, so what is found here is worth what can be proved of it. The work is bounded: a few units of a miner, one miner a
//! step, the two newest rounds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assay_types::{Digest, Hotkey, POINTER_BYTES, Pointer, Round, hex};
use serde::{Deserialize, Serialize};

use super::submission::{Outcome, Sampled, Submission};
use super::{Did, Validator};
use crate::local::{read_bounded, write_atomically};
use crate::subnet::AgentError;

/// How often a submission that could not be read is tried.
const TRIES_MAX: u32 = 3;

/// Rounds whose submissions wait: what is older than the newest two is left.
const ROUNDS_MAX: usize = 2;

/// Most bytes of the queue's file.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// How far private audits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrivateAudit {
    /// Units drawn of each submission; 0 for no private audits.
    pub units: u64,
    /// Kept rows, rows and byte offsets drawn of them, each.
    pub probes: u64,
}

impl Default for PrivateAudit {
    /// The least units and the probes of the common sample (docs/mechanism.md, `audit_units_min`, `probes_index`).
    fn default() -> Self {
        Self {
            units: 2,
            probes: 128,
        }
    }
}

/// A submission that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    miner: Hotkey,
    /// The pointer, 124 bytes in hexadecimal: the chain forgets it.
    pointer: String,
    tries: u32,
}

/// A round's submissions that wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InRound {
    beacon: Digest,
    waiting: Vec<Waiting>,
}

/// Submissions that wait for a private audit.
#[derive(Debug)]
pub(super) struct Queue {
    path: PathBuf,
    rounds: BTreeMap<u32, InRound>,
}

impl Queue {
    pub(super) fn open(folder: &Path) -> Result<Self, AgentError> {
        let path = folder.join("private.json");
        let mut rounds = BTreeMap::new();
        if path.exists() {
            let bytes = read_bounded(&path, FILE_BYTES_MAX).map_err(AgentError::file(&path))?;
            rounds = serde_json::from_slice(&bytes).map_err(|error| AgentError::invalid(&path, error))?;
        }
        Ok(Self { path, rounds })
    }

    /// Adds a round's submissions.
    pub(super) fn add(
        &mut self,
        round: Round,
        beacon: Digest,
        submissions: Vec<(Hotkey, Pointer)>,
    ) -> Result<(), AgentError> {
        let waiting = submissions.into_iter().map(|(miner, pointer)| Waiting {
            miner,
            pointer: hex::encode(&pointer.encode()),
            tries: 0,
        });
        let waiting = waiting.collect();
        self.rounds.insert(round.0, InRound { beacon, waiting });
        while self.rounds.len() > ROUNDS_MAX {
            self.rounds.pop_first();
        }
        self.store()
    }

    /// The next submission: of the newest round first.
    fn next(&self) -> Option<(Round, Digest, Waiting)> {
        let mut rounds = self.rounds.iter().rev();
        rounds.find_map(|(round, one)| Some((Round(*round), one.beacon, one.waiting.first()?.clone())))
    }

    /// Takes the first submission of a round out; puts it back at the end to be tried again.
    fn turn(&mut self, round: Round, again: bool) -> Result<(), AgentError> {
        if let Some(one) = self.rounds.get_mut(&round.0)
            && !one.waiting.is_empty()
        {
            let mut first = one.waiting.remove(0);
            first.tries += 1;
            if again && first.tries < TRIES_MAX {
                one.waiting.push(first);
            }
        }
        self.store()
    }

    fn store(&self) -> Result<(), AgentError> {
        let bytes =
            serde_json::to_vec(&self.rounds).map_err(|error| AgentError::invalid(&self.path, error))?;
        Ok(write_atomically(&self.path, &bytes)?)
    }
}

impl Validator<'_> {
    /// Looks at the next submission that waits, if any.
    pub(super) async fn audit_privately(&mut self) -> Result<Vec<Did>, AgentError> {
        let Some((round, beacon, waiting)) = self.queue.next() else {
            return Ok(Vec::new());
        };
        let miner = waiting.miner;
        let pointer = hex::decode::<POINTER_BYTES>(&waiting.pointer).ok();
        let pointer = pointer.and_then(|bytes| Pointer::parse(&bytes).ok());
        let (Some(pointer), Some(assignment)) = (pointer, self.tracker.assignment(round)) else {
            self.queue.turn(round, false)?;
            return Ok(Vec::new());
        };
        let active = self.active(round).await;
        let secret = self.options.signer.secret();
        let submission = Submission {
            setup: self.setup,
            round,
            hotkey: miner,
            pointer: &pointer,
            assignment,
            active: &active,
            sample: Sampled::Private {
                secret: &secret,
                audit: self.options.private,
            },
            beacon,
            show: false,
        };
        let folder = self.options.folder.join("private");
        match submission.look(&folder, &self.options.worker).await {
            Ok(Outcome::Admitted(looked)) => {
                let audited = looked.audited;
                let mut did = vec![Did::Audited {
                    round,
                    miner,
                    faults: audited.faults.len(),
                }];
                if let Some(fault) = audited.faults.first() {
                    tracing::info!(miner = %miner.to_ss58(), round = round.0, %fault, "a private audit found a fault");
                }
                did.extend(self.prove(&pointer, audited.proofs)?);
                self.queue.turn(round, false)?;
                Ok(did)
            }
            // The report has said so already, or the next round's will: nothing is proved by what is not there.
            Ok(Outcome::Refused(reason) | Outcome::Unreachable(reason)) => {
                tracing::debug!(miner = %miner.to_ss58(), round = round.0, reason, "no private audit");
                self.queue.turn(round, false)?;
                Ok(Vec::new())
            }
            Err(error) => {
                tracing::warn!(miner = %miner.to_ss58(), round = round.0, %error, "a private audit was not done");
                self.queue.turn(round, true)?;
                Ok(Vec::new())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::{RepoName, Revision};

    #[test]
    fn the_queue_is_read_again_turns_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let pointer = Pointer {
            round: Round(3),
            n_units: 1,
            want_next: 1,
            submission_root: Digest([1; 32]),
            revision: Revision([2; 20]),
            repo: RepoName::parse("a/b").unwrap(),
        };
        let miners = [Hotkey([1; 32]), Hotkey([2; 32])];
        let all = || miners.map(|miner| (miner, pointer.clone())).to_vec();
        let mut queue = Queue::open(folder.path()).unwrap();
        assert!(queue.next().is_none());
        for round in 1..=3 {
            queue.add(Round(round), Digest([7; 32]), all()).unwrap();
        }
        let mut queue = Queue::open(folder.path()).unwrap();
        assert_eq!(queue.rounds.keys().copied().collect::<Vec<_>>(), [2, 3]);
        let (round, beacon, first) = queue.next().unwrap();
        assert_eq!(
            (round, beacon, first.miner),
            (Round(3), Digest([7; 32]), miners[0])
        );
        queue.turn(Round(3), true).unwrap();
        assert_eq!(queue.next().unwrap().2.miner, miners[1]);
        queue.turn(Round(3), false).unwrap();
        // Tried once before: two tries more, then it is left.
        queue.turn(Round(3), true).unwrap();
        assert_eq!(queue.next().unwrap().2.tries, 2);
        queue.turn(Round(3), true).unwrap();
        assert_eq!(queue.next().unwrap().0, Round(2), "then the round before");
    }
}
