//! Follows the subnet from block to block: every assignment and every settlement, in the order of their blocks.
//!
//! The state lies in one file, written whole after each step, so that a killed agent goes on where it was. An agent that was
//! away for longer than nodes keep states takes the checkpoint most stake has signed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assay_chain::Chain;
use assay_hub::store::StoreError;
use assay_mechanism::assign::Assigned;
use assay_mechanism::contest::Contest;
use assay_mechanism::network::{Found, Member, NetworkState, Settled, Volumes, Vote};
use assay_mechanism::plan::entry;
use assay_mechanism::reports::{Next, Patience, RollCall, Unread};
use assay_types::api::{ASSIGNMENT_VERSION, Assignment, AssignmentHeader};
use assay_types::{BlockNumber, Digest, Round};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::batch::{About, Batch};
use super::error::AgentError;
use super::rounds::{Opening, Reporter, Rounds, is_pruned};
use super::setup::Setup;
use crate::local::write_atomically;

/// Rounds of assignments, checkpoints and settled states that are kept: reports and weights look back less than two.
const KEPT_ROUNDS: usize = 4;
/// Rounds of results that are kept, for who looks on.
const KEPT_RESULTS: usize = 64;
/// Most bytes of the state's file.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// What is kept in the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// Parameter set it was made under.
    params: Digest,
    /// State now.
    state: NetworkState,
    /// Assignments of the latest rounds.
    assignments: BTreeMap<u32, Vec<Assigned>>,
    /// What they followed from; none of those that were taken over from a checkpoint, or made by an earlier version.
    #[serde(default)]
    headers: BTreeMap<u32, AssignmentHeader>,
    /// States in which the latest rounds were assigned and all before them settled.
    checkpoints: BTreeMap<u32, NetworkState>,
    /// Results of the latest settled rounds.
    results: BTreeMap<u32, Vec<Settled>>,
    /// States right after the latest rounds were settled.
    settled: BTreeMap<u32, NetworkState>,
}

/// The subnet's state as of the newest block seen.
#[derive(Debug)]
pub struct Tracker {
    /// Where the state is kept; none if it is not.
    path: Option<PathBuf>,
    kept: Kept,
    patience: Patience,
    /// A round of which reports are not where the chain says: it is settled at its effective block, as everybody does it.
    held: Option<Round>,
}

/// A step that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Settle(Round),
    Assign(Round),
}

impl Tracker {
    /// Begins a state that is kept nowhere: for who replays the subnet once.
    #[must_use]
    pub fn in_memory(setup: &Setup) -> Self {
        Self {
            path: None,
            kept: Kept {
                params: setup.params_digest,
                state: setup.first_state(),
                ..Kept::default()
            },
            patience: Patience::default(),
            held: None,
        }
    }

    /// Opens or begins the state in `folder`.
    ///
    /// # Errors
    /// [`AgentError::File`]; [`AgentError::Invalid`] for a damaged file or one of another parameter set.
    pub fn open(folder: &Path, setup: &Setup) -> Result<Self, AgentError> {
        let path = folder.join("state.json");
        if !path.exists() {
            fs::create_dir_all(folder).map_err(AgentError::file(folder))?;
            return Ok(Self {
                path: Some(path),
                ..Self::in_memory(setup)
            });
        }
        let bytes = crate::local::read_bounded(&path, FILE_BYTES_MAX).map_err(AgentError::file(&path))?;
        let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| AgentError::invalid(&path, error))?;
        if kept.params != setup.params_digest {
            let reason = "it is of another subnet or parameter set; give another folder";
            return Err(AgentError::invalid(&path, reason));
        }
        Ok(Self {
            path: Some(path),
            kept,
            patience: Patience::default(),
            held: None,
        })
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> &NetworkState {
        &self.kept.state
    }

    /// A round's assignment, if it was made lately.
    #[must_use]
    pub fn assignment(&self, round: Round) -> Option<&[Assigned]> {
        self.kept.assignments.get(&round.0).map(Vec::as_slice)
    }

    /// A round's assignment as the document that a server signs (docs/api.md, "Assignments"), if it was made here lately.
    #[must_use]
    pub fn document(&self, round: Round) -> Option<Assignment> {
        let header = self.kept.headers.get(&round.0)?.clone();
        let entries = self.assignment(round)?.iter().map(entry).collect();
        Some(Assignment { header, entries })
    }

    /// The state with this round assigned and all before it settled: what reports on it carry.
    #[must_use]
    pub fn checkpoint(&self, round: Round) -> Option<&NetworkState> {
        self.kept.checkpoints.get(&round.0)
    }

    /// The contest of recipes that a round's submissions are judged by; none on a subnet without duels.
    #[must_use]
    pub fn contest(&self, round: Round) -> Option<&Contest> {
        self.checkpoint(round)?.contest.as_ref()
    }

    /// The state right after a round was settled: what its weights are made of.
    #[must_use]
    pub fn settled_state(&self, round: Round) -> Option<&NetworkState> {
        self.kept.settled.get(&round.0)
    }

    /// What a round was for each miner, if it was settled lately.
    #[must_use]
    pub fn results(&self, round: Round) -> Option<&[Settled]> {
        self.kept.results.get(&round.0).map(Vec::as_slice)
    }

    /// The results kept, by round.
    pub fn all_results(&self) -> impl Iterator<Item = (Round, &[Settled])> {
        let results = self.kept.results.iter();
        results.map(|(round, settled)| (Round(*round), settled.as_slice()))
    }

    /// Takes every step that is due at `block`; gives the number of steps.
    ///
    /// # Errors
    /// [`AgentError`]; the steps before the one that failed are kept, and calling again goes on with it.
    pub async fn advance(
        &mut self,
        chain: &dyn Chain,
        setup: &Setup,
        block: BlockNumber,
    ) -> Result<u32, AgentError> {
        let rounds = Rounds {
            chain,
            netuid: setup.netuid,
            clock: setup.clock,
        };
        let mut steps = 0;
        while let Some(step) = self.due(setup, block) {
            let taken = match step {
                Step::Assign(round) => self.assign(&rounds, setup, round).await.map(|()| true),
                Step::Settle(round) => self.settle(&rounds, setup, (round, block)).await,
            };
            match taken {
                // The reports are not opened yet.
                Ok(false) => return Ok(steps),
                Err(error) if is_pruned(&error) => {
                    if !self.adopt(&rounds, setup, block).await? {
                        // The next round's reports bring a checkpoint to go on from.
                        return Ok(steps);
                    }
                }
                taken => {
                    taken?;
                }
            }
            self.store()?;
            steps += 1;
        }
        Ok(steps)
    }

    /// The earliest step whose block has come.
    fn due(&self, setup: &Setup, block: BlockNumber) -> Option<Step> {
        let assign = Round(self.kept.state.assigned);
        let settle = Round(self.kept.state.settled);
        let assigned_at = setup.clock.assignment_block(assign);
        let settled_at = BlockNumber(setup.clock.report_cutoff(settle).0.saturating_add(1));
        let can_settle = settle.0 < assign.0;
        if can_settle && settled_at <= assigned_at {
            return (settled_at <= block).then_some(Step::Settle(settle));
        }
        (assigned_at <= block).then_some(Step::Assign(assign))
    }

    async fn assign(&mut self, rounds: &Rounds<'_>, setup: &Setup, round: Round) -> Result<(), AgentError> {
        let beacon = rounds.assignment_beacon(round).await?;
        let said = rounds.said(round).await?;
        if let Some(units) = &said.requeued {
            self.kept.state.revive(units);
        }
        let members = said.members;
        let mut header = self.header(setup, round, (&beacon, &members));
        let values = &setup.params.values;
        if self.kept.state.contest.is_none() {
            self.kept.state.contest = setup.first_state().contest;
        }
        if let Some(contest) = &mut self.kept.state.contest {
            contest.offered(round, &said.offers, values);
        }
        let given = self
            .kept
            .state
            .assign(&beacon, &members, &setup.corpus, values)
            .to_vec();
        header.next_cursor = u64::from(self.kept.state.cursor);
        keep(&mut self.kept.assignments, round, given);
        keep(&mut self.kept.headers, round, header);
        keep(&mut self.kept.checkpoints, round, self.kept.state.clone());
        Ok(())
    }

    /// What a round's assignment follows from, as the state is right before it; the cursor after it is yet to come.
    fn header(
        &mut self,
        setup: &Setup,
        round: Round,
        (beacon, members): (&[u8; 32], &[Member]),
    ) -> AssignmentHeader {
        let state = &mut self.kept.state;
        AssignmentHeader {
            version: ASSIGNMENT_VERSION,
            genesis: setup.genesis,
            netuid: setup.netuid,
            round,
            params: setup.params_digest,
            block: setup.clock.assignment_block(round),
            beacon: Digest(*beacon),
            index_root: setup.params.corpus_index_root,
            cursor: u64::from(state.cursor),
            next_cursor: 0,
            candidates: state.candidates(members, &setup.params.values),
            requeued: state.requeued(),
        }
    }

    /// False while the reports cannot be opened.
    async fn settle(
        &mut self,
        rounds: &Rounds<'_>,
        setup: &Setup,
        (round, block): (Round, BlockNumber),
    ) -> Result<bool, AgentError> {
        if self.held == Some(round) && block < setup.clock.effective_block(round) {
            return Ok(false);
        }
        let batches = match batches(rounds, setup, (round, block), &mut self.patience).await? {
            Heard::All(batches) => batches,
            Heard::Awaited => return Ok(false),
            Heard::NotThere => {
                self.held = Some(round);
                return Ok(false);
            }
        };
        let findings: Vec<Vec<Found>> = batches.iter().map(|(_, batch)| batch.findings()).collect();
        let votes: Vec<Vote<'_>> = batches
            .iter()
            .zip(&findings)
            .map(|((reporter, batch), findings)| Vote {
                validator: reporter.hotkey,
                stake: reporter.stake,
                coldkey: reporter.coldkey,
                findings,
                cells: &batch.cells,
            })
            .collect();
        let volumes = Volumes::of(&setup.corpus);
        let settled = self.kept.state.settle(&votes, &volumes, &setup.params.values);
        keep_some(&mut self.kept.results, round, settled, KEPT_RESULTS);
        keep(&mut self.kept.settled, round, self.kept.state.clone());
        // Complete only now: whoever goes on from it needs no report on an earlier round.
        let newest = Round(self.kept.state.assigned.saturating_sub(1));
        keep(&mut self.kept.checkpoints, newest, self.kept.state.clone());
        Ok(true)
    }

    /// Takes the newest checkpoint that most stake has signed; what was missed is not made up. False if there is none yet.
    async fn adopt(
        &mut self,
        rounds: &Rounds<'_>,
        setup: &Setup,
        block: BlockNumber,
    ) -> Result<bool, AgentError> {
        let newest = setup.clock.round_of(block).map_or(0, |round| round.0);
        for round in (self.kept.state.assigned..=newest).rev().map(Round) {
            if setup.clock.report_cutoff(round) >= block {
                continue;
            }
            let batches = match batches(rounds, setup, (round, block), &mut self.patience).await {
                Err(error) if is_pruned(&error) => return Ok(false),
                batches => batches?,
            };
            let Heard::All(batches) = batches else { continue };
            let state = named_by_most(&batches, setup).await?;
            // A state of another moment would be no step forward.
            let of_round = |state: &NetworkState| {
                let out = state
                    .out
                    .keys()
                    .all(|out| *out <= round.0 && *out >= state.settled);
                state.assigned == round.0.saturating_add(1) && state.settled <= round.0 && out
            };
            if let Some(state) = state.filter(of_round) {
                self.kept.assignments = state.out.clone();
                self.kept.headers.clear();
                keep(&mut self.kept.checkpoints, round, state.clone());
                self.kept.state = state;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn store(&self) -> Result<(), AgentError> {
        let Some(path) = &self.path else { return Ok(()) };
        let bytes = serde_json::to_vec(&self.kept).map_err(|error| AgentError::invalid(path, error))?;
        Ok(write_atomically(path, &bytes)?)
    }
}

/// The state that most stake names in its reports, read from whoever among those still shows it.
async fn named_by_most(
    batches: &[(Reporter, Batch)],
    setup: &Setup,
) -> Result<Option<NetworkState>, AgentError> {
    let mut stakes: BTreeMap<Digest, u64> = BTreeMap::new();
    for (reporter, batch) in batches {
        if let Some(checkpoint) = batch.checkpoint() {
            let sum = stakes.entry(checkpoint).or_default();
            *sum = sum.saturating_add(reporter.stake);
        }
    }
    let all = stakes
        .values()
        .fold(0_u64, |sum, stake| sum.saturating_add(*stake));
    let most = stakes
        .into_iter()
        .max_by_key(|(_, stake)| *stake)
        .filter(|(_, stake)| u128::from(*stake) * 2 > u128::from(all));
    let Some((checkpoint, _)) = most else {
        return Ok(None);
    };
    for (reporter, batch) in batches {
        let validator = reporter.hotkey;
        if batch.checkpoint() != Some(checkpoint) {
            continue;
        }
        match batch.fetch_state(setup.store.as_ref(), &validator).await {
            Ok(state) => return Ok(Some(state)),
            Err(error) if error.retry_is_safe() => return Err(error),
            Err(error) => {
                tracing::warn!(%validator, %error, "a validator's checkpoint cannot be used");
            }
        }
    }
    Ok(None)
}

/// What was read of a round's reports.
enum Heard {
    /// All that count.
    All(Vec<(Reporter, Batch)>),
    /// The pulse that opens them is not on the chain yet.
    Awaited,
    /// Some are not where the chain says, and may come until the effective block.
    NotThere,
}

/// The reports on a round that count: on the chain at the cutoff, and what they say they are.
async fn batches(
    rounds: &Rounds<'_>,
    setup: &Setup,
    (round, block): (Round, BlockNumber),
    patience: &mut Patience,
) -> Result<Heard, AgentError> {
    let opening = rounds.opening(round, block).await?;
    if matches!(opening, Opening::Awaited(_)) {
        return Ok(Heard::Awaited);
    }
    let is_early = block < setup.clock.effective_block(round);
    let mut call = RollCall::new(&setup.clock, round, block);
    let (mut batches, mut last) = (Vec::new(), None);
    for (reporter, digest) in rounds.report_digests(round).await? {
        let (validator, stake) = (reporter.hotkey, reporter.stake);
        let about = About {
            netuid: setup.netuid,
            params: setup.params_digest,
            validator,
            round,
        };
        let error = match Batch::fetch(setup.store.as_ref(), &digest, &about, &opening).await {
            Ok(batch) => {
                call.read(stake);
                batches.push((reporter, batch));
                continue;
            }
            Err(AgentError::Store(StoreError::NotPublished { .. })) if is_early => {
                return Ok(Heard::NotThere);
            }
            Err(error) => error,
        };
        let why = if error.retry_is_safe() {
            Unread::ForNow
        } else {
            Unread::ForGood
        };
        if call.unread((validator, stake), why, patience) == Next::AskAgain {
            return Err(error);
        }
        tracing::warn!(%validator, round = round.0, %error, "a validator's reports do not count");
        if why == Unread::ForNow {
            last = Some(error);
        }
    }
    match last {
        Some(error) if !call.suffices() => Err(error),
        _ => Ok(Heard::All(batches)),
    }
}

fn keep<T>(kept: &mut BTreeMap<u32, T>, round: Round, value: T) {
    keep_some(kept, round, value, KEPT_ROUNDS);
}

fn keep_some<T>(kept: &mut BTreeMap<u32, T>, round: Round, value: T, rounds: usize) {
    kept.insert(round.0, value);
    while kept.len() > rounds {
        kept.pop_first();
    }
}
