//! The subnet between two rounds: who is trusted how far, what is still to be done, what is out for work.
//!
//! Chain data and the reports that count come in, assignments and weights go out; any node that takes the same two steps in
//! the same order ([`NetworkState::assign`] at the assignment block, [`NetworkState::settle`] behind the cutoff) has the same
//! state, bit for bit (docs/mechanism.md). Round t is assigned when round t−2 is settled and round t−1 is still out.
//! A checkpoint is plain data: whoever missed rounds takes the one most stake has signed.

mod turn;

use crate::assign::{Assigned, Candidate, Offer, give, volume};
use crate::contest::{CellVote, Contest};
use crate::plan::fresh_window;
use crate::queue::{Failures, Queue};
use crate::registry::Author;
use crate::score::{DeliveredUnit, MinerState, burn_after, production, unspent_demand};
use crate::votes::Heard;
use crate::weights::{Shares, mix, quantise};
use assay_types::api::{AssignmentCandidate, RequeuedUnit};
use assay_types::canonical_json::{CanonicalJsonError, emit};
use assay_types::{
    AuditReport, BlockNumber, Coldkey, Delivered, Digest, EvaluationReport, Fault, Hotkey, ParamValues, Q32,
    RecipeId, Round, Uid, UnitId, Weight, WorkUnit,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use turn::{Turn, holders, paid, passing};

/// A hotkey as the metagraph shows it at the assignment block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The hotkey.
    pub hotkey: Hotkey,
    /// Its owner.
    pub coldkey: Coldkey,
    /// Its registration block: another one starts from zero.
    pub registered: BlockNumber,
    /// What its newest message on the chain asks for ([`crate::plan::latest_wants`]); 0 for who has said nothing.
    pub want: u16,
}

/// What is remembered of a hotkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// Registration block.
    pub registered: BlockNumber,
    /// Credibility, average, cap, passed rounds.
    pub state: MinerState,
}

/// What one validator found about one miner's round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The miner.
    pub hotkey: Hotkey,
    /// The root it committed; zeros if nothing was.
    pub submission_root: Digest,
    /// It could not be read.
    pub unreachable: bool,
    /// Units delivered and admitted, by ascending id.
    pub delivered: Vec<Delivered>,
    /// Distinct faults, by unit and place.
    pub faults: Vec<Fault>,
}

impl From<AuditReport> for Found {
    /// What a report says: only this settles a round, its verdict is for people.
    fn from(report: AuditReport) -> Self {
        Self {
            hotkey: report.miner,
            submission_root: report.submission_root,
            unreachable: report.unreachable,
            delivered: report.delivered,
            faults: report.faults,
        }
    }
}

/// The findings of one validator about a round, and its stake.
#[derive(Debug, Clone, Copy)]
pub struct Vote<'a> {
    /// Who votes.
    pub validator: Hotkey,
    /// Its stake at the cutoff, rao.
    pub stake: u64,
    /// Its owner.
    pub coldkey: Coldkey,
    /// What it found.
    pub findings: &'a [Found],
    /// Cells of duels it measured.
    pub cells: &'a [EvaluationReport],
}

/// What a round was for one miner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// The miner.
    pub hotkey: Hotkey,
    /// The verdict's name.
    pub verdict: assay_types::Verdict,
    /// Units it held.
    pub assigned: u32,
    /// Units of its that count, by ascending id.
    pub passed: Vec<UnitId>,
    /// Records of those units.
    pub records: u64,
    /// Delivered share of the assigned volume, `D`.
    pub delivered: Q32,
    /// Faults that count.
    pub faults: Vec<Fault>,
    /// What it produced, `P`; 0 if the round does not pay.
    pub produced: Q32,
    /// Its state afterwards.
    pub after: MinerState,
}

/// The state of the subnet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkState {
    /// Rounds assigned so far: the next one to assign.
    pub assigned: u32,
    /// Rounds settled so far: the next one to settle.
    pub settled: u32,
    /// Units of the corpus index that were looked at.
    pub cursor: u32,
    /// `E_burn`.
    pub burn: Q32,
    /// By hotkey.
    pub miners: BTreeMap<Hotkey, Remembered>,
    /// Units that failed and wait.
    pub waiting: BTreeMap<UnitId, Failures>,
    /// Units given up.
    pub dead: BTreeSet<UnitId>,
    /// Assignments not settled yet, by round.
    pub out: BTreeMap<u32, Vec<Assigned>>,
    /// Recipes that want the throne; none on a subnet without duels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contest: Option<Contest>,
}

impl NetworkState {
    /// Gives out the next round's units and remembers them.
    ///
    /// `beacon` is `A_t`, `members` all hotkeys of the metagraph at the assignment block, `corpus` the whole index in its
    /// order. Whoever wants nothing gets nothing.
    pub fn assign(
        &mut self,
        beacon: &[u8; 32],
        members: &[Member],
        corpus: &[WorkUnit],
        values: &ParamValues,
    ) -> &[Assigned] {
        let (candidates, waiting) = (self.candidates(members, values), self.requeued());
        let waiting = waiting.into_iter().map(Offer::from).collect();
        let window = usize::try_from(fresh_window(&candidates)).unwrap_or(usize::MAX);
        let fresh = corpus.iter().skip(self.cursor as usize).take(window);
        let fresh: Vec<UnitId> = fresh.map(|unit| unit.unit_id).collect();
        let candidates: Vec<Candidate> = candidates.iter().map(Candidate::from).collect();
        let (given, passed) = give(beacon, waiting, &fresh, &candidates, values);
        let cursor = self.cursor.saturating_add(passed as u32);
        self.remember(given, cursor)
    }

    /// Takes in the next round's assignment and where in the corpus index it ended.
    pub fn remember(&mut self, given: Vec<Assigned>, cursor: u32) -> &[Assigned] {
        let round = self.assigned;
        self.cursor = cursor;
        self.assigned = round.saturating_add(1);
        self.out.entry(round).insert_entry(given).into_mut()
    }

    /// Members that may be given units, by ascending hotkey; who is new or registered anew starts from nothing.
    pub fn candidates(&mut self, members: &[Member], values: &ParamValues) -> Vec<AssignmentCandidate> {
        let mut candidates = Vec::new();
        for member in members.iter().filter(|member| member.want > 0) {
            let fresh = Remembered {
                registered: member.registered,
                state: MinerState::newcomer(values),
            };
            let known = self.miners.entry(member.hotkey).or_insert(fresh);
            if known.registered != member.registered {
                *known = fresh;
            }
            candidates.push(AssignmentCandidate {
                hotkey: member.hotkey,
                coldkey: member.coldkey,
                registered: member.registered,
                want: member.want,
                cap: known.state.cap,
            });
        }
        candidates.sort_by_key(|candidate| candidate.hotkey);
        candidates
    }

    /// Units that failed and are not out again, by ascending id.
    pub fn requeued(&self) -> Vec<RequeuedUnit> {
        // What is out or waits lies behind the cursor.
        let outstanding: BTreeSet<UnitId> = self.out.values().flatten().map(|one| one.unit).collect();
        let waiting = self
            .waiting
            .iter()
            .filter(|(unit, _)| !outstanding.contains(unit));
        waiting
            .map(|(unit, failures)| RequeuedUnit {
                unit: *unit,
                failed: failures.failed.iter().copied().collect(),
            })
            .collect()
    }

    /// Gives dead letters as many attempts as a new unit: those named, or all for none. What is no dead letter stays as it is.
    ///
    /// To be done right before the assignment of the round that the owner's message 0x92 names, by every node alike.
    pub fn revive(&mut self, units: &[UnitId]) {
        let is_chosen = |unit: &UnitId| units.is_empty() || units.contains(unit);
        let chosen: Vec<UnitId> = self.dead.iter().copied().filter(is_chosen).collect();
        for unit in chosen {
            self.dead.remove(&unit);
            self.waiting.insert(unit, Failures::default());
        }
    }

    /// BLAKE3 of the canonical bytes: what reports name as `checkpoint`.
    ///
    /// # Errors
    /// [`CanonicalJsonError`] for a number no document can hold.
    pub fn digest(&self) -> Result<Digest, CanonicalJsonError> {
        Ok(Digest::of(&emit(self)?))
    }

    /// The oldest round that is out: the next to settle.
    pub fn oldest_out(&self) -> Option<u32> {
        self.out.keys().next().copied()
    }

    /// Takes in the reports on the oldest round that is out; none are left out of the count. Gives what it was for each
    /// miner, by hotkey. Without any round out nothing happens.
    pub fn settle(&mut self, votes: &[Vote<'_>], volumes: &Volumes, values: &ParamValues) -> Vec<Settled> {
        let Some((round, given)) = self.out.pop_first() else {
            return Vec::new();
        };
        self.settled = round.saturating_add(1);
        let turns: BTreeMap<Hotkey, Turn> = holders(&given)
            .into_iter()
            .map(|hotkey| {
                let heard = Heard::of(&hotkey, votes);
                (hotkey, Turn::of(&hotkey, &heard, &given, volumes, values))
            })
            .collect();
        let passing = passing(&given, &turns);
        let (settled, by_recipe) = self.pay(&given, &turns, (&passing, volumes), values);
        let sum = |units: &mut dyn Iterator<Item = UnitId>| {
            units.fold(Q32::ZERO, |sum, unit| sum.saturating_add(volumes.of_unit(&unit)))
        };
        let all = sum(&mut given.iter().map(|one| one.unit));
        let done = sum(&mut passing.keys().copied());
        self.burn = burn_after(self.burn, unspent_demand(values.demand_units, all, done), values);
        let mut queue = Queue::restore(std::mem::take(&mut self.waiting), std::mem::take(&mut self.dead));
        let empty: &[Hotkey] = &[];
        let rounds = given
            .iter()
            .map(|one| (one, passing.get(&one.unit).map_or(empty, Vec::as_slice)));
        queue.settle(rounds, values);
        (self.waiting, self.dead) = queue.into_parts();
        if let Some(contest) = &mut self.contest {
            let cells: Vec<CellVote<'_>> = votes.iter().map(CellVote::from).collect();
            contest.settle(Round(round), Round(self.assigned), &cells, values);
            contest.used(&by_recipe);
        }
        settled
    }

    /// Each holder's production, credibility and cap; and what was produced with each recipe, times credibility squared.
    fn pay(
        &mut self,
        given: &[Assigned],
        turns: &BTreeMap<Hotkey, Turn>,
        (passing, volumes): (&BTreeMap<UnitId, Vec<Hotkey>>, &Volumes),
        values: &ParamValues,
    ) -> (Vec<Settled>, BTreeMap<RecipeId, Q32>) {
        let mut settled = Vec::with_capacity(turns.len());
        let mut by_recipe = BTreeMap::<RecipeId, Q32>::new();
        for (hotkey, turn) in turns {
            let Some(remembered) = self.miners.get_mut(hotkey) else {
                continue;
            };
            let units: Vec<DeliveredUnit> = turn
                .delivered
                .iter()
                .map(|one| {
                    let holders = passing.get(&one.unit).map_or(0, Vec::len);
                    let pot = given.iter().find(|assigned| assigned.unit == one.unit);
                    let pot = pot.map_or(0, |assigned| assigned.pot_shares(holders, values));
                    DeliveredUnit {
                        volume: volumes.of_unit(&one.unit),
                        novelty: one.novelty,
                        gain: one.gain,
                        holders: pot.max(holders as u32).max(1),
                    }
                })
                .collect();
            let produced = if turn.judgement.pays {
                production(turn.judgement.delivered_share, &units)
            } else {
                Q32::ZERO
            };
            remembered.state = remembered.state.after(&turn.judgement, produced, values);
            let trust = remembered.state.credibility;
            for (one, unit) in paid(turn).zip(&units) {
                let part = production(turn.judgement.delivered_share, std::slice::from_ref(unit));
                let sum = by_recipe.entry(one.recipe_id).or_default();
                *sum = sum.saturating_add(part.mul(trust.mul(trust)));
            }
            settled.push(Settled {
                hotkey: *hotkey,
                verdict: turn.judgement.verdict,
                assigned: turn.assigned,
                passed: paid(turn).map(|one| one.unit).collect(),
                records: paid(turn).map(|one| u64::from(one.records)).sum(),
                delivered: turn.judgement.delivered_share,
                faults: turn.faults.clone(),
                produced,
                after: remembered.state,
            });
        }
        (settled, by_recipe)
    }

    /// The row of weights of every validator: averages of members whose registration still stands, and the burn.
    ///
    /// `members` are uid, hotkey and registration block by ascending uid. While the second lane has no share of the split the
    /// first is the whole row; else a second lane in which nobody reigns burns its part.
    pub fn weights(
        &self,
        members: &[(Uid, Hotkey, BlockNumber)],
        burn: Uid,
        values: &ParamValues,
    ) -> Vec<(Uid, Weight)> {
        let average = |(uid, hotkey, registered): &(Uid, Hotkey, BlockNumber)| {
            let known = self.miners.get(hotkey)?;
            (known.registered == *registered).then_some((*uid, known.state.average))
        };
        let production = Shares::new(members.iter().filter_map(average).chain([(burn, self.burn)]));
        if values.split_innovation == 0 {
            return quantise(&production, burn);
        }
        let innovation = self.innovation(members, burn, values);
        quantise(&mix(&production, &innovation, burn, values), burn)
    }

    /// The second lane by uid; empty, and so burnt, where nobody duels.
    fn innovation(&self, members: &[(Uid, Hotkey, BlockNumber)], burn: Uid, values: &ParamValues) -> Shares {
        let Some(contest) = &self.contest else {
            return Shares::default();
        };
        let uid_of = |hotkey: &Hotkey| members.iter().find(|(_, member, _)| member == hotkey);
        let newest = Round(self.assigned.saturating_sub(1));
        // Whoever has the author's hotkey, but registered it later, is somebody new.
        let is_member = |author: &Author| {
            uid_of(&author.hotkey).is_some_and(|(_, _, registered)| *registered <= author.block)
        };
        let lane = contest.lane(newest, is_member, values);
        let authors = lane.shares.iter();
        let shares = authors.filter_map(|(hotkey, share)| uid_of(hotkey).map(|(uid, _, _)| (*uid, *share)));
        Shares::new(shares.chain([(burn, lane.burn)]))
    }
}

impl<'a> From<&Vote<'a>> for CellVote<'a> {
    fn from(vote: &Vote<'a>) -> Self {
        Self {
            validator: vote.validator,
            coldkey: vote.coldkey,
            stake: vote.stake,
            cells: vote.cells,
        }
    }
}

/// Volumes of units, by the mean length of their source's; of a unit not named, [`Q32::ONE`].
#[derive(Debug, Clone, Default)]
pub struct Volumes(BTreeMap<UnitId, Q32>);

impl FromIterator<(UnitId, Q32)> for Volumes {
    fn from_iter<I: IntoIterator<Item = (UnitId, Q32)>>(volumes: I) -> Self {
        Self(volumes.into_iter().collect())
    }
}

impl Volumes {
    /// Of all units of a corpus.
    pub fn of(corpus: &[WorkUnit]) -> Self {
        let mut sources: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for unit in corpus {
            let (bytes, count) = sources.entry(&unit.source).or_default();
            *bytes = bytes.saturating_add(unit.bytes.0);
            *count += 1;
        }
        let mean = |source: &str| {
            let (bytes, count) = sources.get(source).copied().unwrap_or_default();
            bytes.checked_div(count).unwrap_or_default()
        };
        let volumes = corpus
            .iter()
            .map(|unit| (unit.unit_id, volume(unit.bytes.0, mean(&unit.source))));
        Self(volumes.collect())
    }

    fn of_unit(&self, unit: &UnitId) -> Q32 {
        self.0.get(unit).copied().unwrap_or(Q32::ONE)
    }
}

#[cfg(test)]
mod tests;
