//! The simulated network: miners with strategies, rounds by the crate's own functions, revenue by weights.
//!
//! A round is: offers, assignment by beacon, work, admission, audit, judgement, score, burn, weights. Assignment uses
//! the state two rounds back, as on the chain, where verdicts become effective that late. Nothing here decides; it
//! carries values from one function to the next and counts what miners spend.

use super::archive::Layout;
use super::audit::{Audit, Claim};
use super::chance::spoil;
use super::settings::Settings;
use super::strategy::{RoundView, Strategy, Submission};
use crate::admit::{Expected, admit_units};
use crate::assign::{Assigned, Candidate, Offer, assign};
use crate::novelty::NoveltyIndex;
use crate::queue::Queue;
use crate::sample::{audit_units, retention_seed};
use crate::score::{DeliveredUnit, MinerState, burn_after, production, unspent_demand};
use crate::verdict::{Evidence, Judgement, StakeShare, judge};
use crate::weights::{Shares, quantise};
use assay_types::{Coldkey, Draws, Hotkey, Q32, Round, Uid, UnitId, Weight, tagged_hash};
use std::collections::{BTreeMap, HashMap};

/// The uid of the burn.
const BURN: Uid = Uid(0);

/// A miner about to enter.
#[derive(Debug)]
pub(super) struct Entrant {
    /// Whose revenue it adds to.
    pub(super) group: usize,
    /// Owner; hotkeys of one owner never hold both replicas of a unit.
    pub(super) owner: u32,
    /// Units its machines can refine in a round.
    pub(super) capacity: u32,
    /// Behaviour.
    pub(super) strategy: Box<dyn Strategy>,
}

/// A miner in the network.
#[derive(Debug)]
struct Miner {
    group: usize,
    uid: Uid,
    hotkey: Hotkey,
    coldkey: Coldkey,
    registrations: u32,
    capacity: u32,
    strategy: Box<dyn Strategy>,
    /// After the latest round.
    state: MinerState,
    /// After the round before: what assignment may know.
    known: MinerState,
    /// Shortest life of its files among submissions that still must be kept.
    deletes_after: Option<u32>,
}

/// A miner's round between submission and verdict.
struct Turn {
    assigned: Vec<UnitId>,
    claims: Vec<Claim>,
    effort: f64,
    refused: u32,
}

/// What a round left behind.
#[derive(Debug, Clone, Default)]
pub(super) struct RoundResult {
    /// The row of weights every honest validator sets.
    pub(super) weights: Vec<(Uid, Weight)>,
    /// Revenue by group, in equal shares.
    pub(super) revenue: Vec<f64>,
    /// Cost by group, in equal shares.
    pub(super) cost: Vec<f64>,
    /// Who was assigned what.
    pub(super) given: Vec<Assigned>,
}

/// A network.
#[derive(Debug)]
pub(super) struct World<'a> {
    settings: &'a Settings,
    auditors: u32,
    groups: usize,
    layout: Layout,
    miners: Vec<Miner>,
    queue: Queue,
    novelty: NoveltyIndex,
    burn: Q32,
    next_unit: u64,
    round: u32,
    public: Vec<Claim>,
    draws: Draws,
    backwards: bool,
}

impl<'a> World<'a> {
    /// A network of `entrants`, whose groups are numbered from 0, with `auditors` private auditors.
    pub(super) fn new(settings: &'a Settings, auditors: u32, entrants: Vec<Entrant>) -> Self {
        let groups = entrants
            .iter()
            .map(|entrant| entrant.group + 1)
            .max()
            .unwrap_or(0);
        let mut world = Self {
            settings,
            auditors: settings.auditors_or(auditors),
            groups,
            layout: Layout::new(),
            miners: Vec::new(),
            queue: Queue::default(),
            novelty: NoveltyIndex::default(),
            burn: Q32::ZERO,
            next_unit: 0,
            round: 0,
            public: Vec::new(),
            draws: Draws::new(&tagged_hash("assay/simulate/world", &[&settings.seed.to_le_bytes()]).0),
            backwards: false,
        };
        for entrant in entrants {
            world.enter(entrant);
        }
        world
    }

    /// The same network, computed with miners in the reverse order wherever the order must not matter.
    pub(super) fn backwards(mut self) -> Self {
        self.backwards = true;
        self
    }

    /// Registers a miner; it may be given units from the next round on.
    pub(super) fn enter(&mut self, entrant: Entrant) {
        let number = self.miners.len() as u16 + 1;
        let state = MinerState::newcomer(self.settings.values());
        self.groups = self.groups.max(entrant.group + 1);
        self.miners.push(Miner {
            group: entrant.group,
            uid: Uid(number),
            hotkey: self.key("hotkey", u32::from(number), 0),
            coldkey: Coldkey(self.key("coldkey", entrant.owner, 0).0),
            registrations: 0,
            capacity: entrant.capacity,
            strategy: entrant.strategy,
            state,
            known: state,
            deletes_after: None,
        });
    }

    fn key(&self, kind: &str, number: u32, registration: u32) -> Hotkey {
        let parts: [&[u8]; 4] = [
            kind.as_bytes(),
            &self.settings.seed.to_le_bytes(),
            &number.to_le_bytes(),
            &registration.to_le_bytes(),
        ];
        Hotkey(tagged_hash("assay/simulate/key", &parts).0)
    }

    /// A beacon of this round: `A_t` or `S_t` by `kind`.
    fn beacon(&self, kind: &str) -> [u8; 32] {
        let parts: [&[u8]; 3] = [
            kind.as_bytes(),
            &self.settings.seed.to_le_bytes(),
            &self.round.to_le_bytes(),
        ];
        tagged_hash("assay/simulate/beacon", &parts).0
    }

    /// Plays one round.
    pub(super) fn play(&mut self) -> RoundResult {
        let offers_and_given = self.give();
        let (offers, given) = (&offers_and_given.0, offers_and_given.1);
        let turns = self.work(offers, &given);
        let judgements: Vec<Judgement> = self
            .miners
            .iter()
            .zip(&turns)
            .map(|(miner, turn)| self.judge(miner, turn))
            .collect();
        self.settle(&given, &turns, &judgements);
        self.round += 1;
        let weights = self.weights();
        self.result(given, &turns, weights)
    }

    /// The work list and who gets what.
    fn give(&mut self) -> (Vec<Offer>, Vec<Assigned>) {
        let values = self.settings.values();
        let mut candidates = Vec::with_capacity(self.miners.len());
        for miner in &mut self.miners {
            let want = miner.strategy.want(miner.capacity, &mut self.draws);
            candidates.push(Candidate {
                hotkey: miner.hotkey,
                coldkey: miner.coldkey,
                slots: miner.known.slots(want),
            });
        }
        if self.backwards {
            candidates.reverse();
        }
        let slots: u32 = candidates.iter().map(|candidate| candidate.slots).sum();
        let first = self.next_unit;
        // One fresh unit in `reserve_mod` is reserved; some more than needed are offered.
        self.next_unit += u64::from(slots) + u64::from(slots) / 8 + 8;
        let fresh = (first..self.next_unit).map(|number| UnitId::of("cc", &format!("simulated/{number}")));
        let offers = self.queue.offers(fresh, slots as usize, values);
        let given = assign(&self.beacon("assign"), &offers, &candidates, values);
        (offers, given)
    }

    /// Every miner's submission, admitted or not.
    fn work(&mut self, offers: &[Offer], given: &[Assigned]) -> Vec<Turn> {
        let mut held: BTreeMap<Hotkey, Vec<(UnitId, bool)>> = BTreeMap::new();
        for one in given {
            for hotkey in std::iter::once(one.holder).chain(one.replica) {
                held.entry(hotkey)
                    .or_default()
                    .push((one.unit, one.replica.is_some()));
            }
        }
        let (settings, round) = (self.settings, self.round);
        let mut shown: Vec<Claim> = Vec::new();
        let mut turns = Vec::with_capacity(self.miners.len());
        for miner in &mut self.miners {
            let mut mine = held.remove(&miner.hotkey).unwrap_or_default();
            mine.sort_unstable();
            let (units, replicated): (Vec<UnitId>, Vec<bool>) = mine.into_iter().unzip();
            let view = RoundView {
                round,
                units: &units,
                replicated: &replicated,
                capacity: miner.capacity,
                public: &self.public,
                peers: (!settings.lockstep).then_some(shown.as_slice()),
                work_list: offers,
            };
            let mut submission = miner.strategy.work(&view, &mut self.draws);
            spoil(&mut submission, settings.error, &mut self.draws);
            miner.deletes_after = submission.deletes_after;
            let turn = admitted(miner, given, units, submission, settings.lockstep);
            shown.extend(turn.claims.iter().cloned());
            turns.push(turn);
        }
        self.public = shown;
        turns
    }

    fn judge(&self, miner: &Miner, turn: &Turn) -> Judgement {
        let values = self.settings.values();
        let delivered = turn.claims.len() as u64;
        let audit = Audit {
            beacon: &self.beacon("sample"),
            hotkey: miner.hotkey,
            audited: audit_units(miner.state.credibility, miner.state.passed, delivered, values),
            auditors: self.auditors,
            layout: &self.layout,
            values,
        };
        let unreadable = u32::from(self.retention_fails(miner));
        let evidence = Evidence {
            assigned: volume(turn.assigned.len() as u64),
            delivered: volume(delivered),
            faults: audit.faults(&turn.claims).saturating_add(unreadable),
            unreachable: StakeShare {
                part: u64::from(turn.refused),
                whole: 1_000,
            },
        };
        judge(&evidence, values)
    }

    /// Whether the retention check of this round meets a submission that is gone.
    fn retention_fails(&self, miner: &Miner) -> bool {
        let kept = u64::from(self.round).min(self.settings.values().retention);
        let Some(deletes_after) = miner.deletes_after else {
            return false;
        };
        let seed = retention_seed(&self.beacon("sample"), &miner.hotkey);
        kept > 0 && Draws::new(seed.as_bytes()).draw(kept) >= u64::from(deletes_after)
    }

    /// Scores, burn and queue after the verdicts.
    fn settle(&mut self, given: &[Assigned], turns: &[Turn], judgements: &[Judgement]) {
        let values = self.settings.values();
        let passing = self.passing(turns, judgements);
        let pots: HashMap<UnitId, u32> = given
            .iter()
            .map(|one| {
                (
                    one.unit,
                    one.pot_shares(holders(&passing, one.unit).len(), values),
                )
            })
            .collect();
        let mut leaving = Vec::new();
        for (at, ((miner, turn), judgement)) in self.miners.iter_mut().zip(turns).zip(judgements).enumerate()
        {
            let delivered: Vec<DeliveredUnit> = turn
                .claims
                .iter()
                .map(|claim| DeliveredUnit {
                    volume: Q32::ONE,
                    novelty: self.novelty.novelty(claim.unit, &[], &[], values),
                    gain: claim.gain,
                    holders: pots
                        .get(&claim.unit)
                        .copied()
                        .unwrap_or(0)
                        .max(holders(&passing, claim.unit).len() as u32)
                        .max(1),
                })
                .collect();
            let produced = production(judgement.delivered_share, &delivered);
            miner.known = miner.state;
            miner.state = miner.state.after(judgement, produced, values);
            if miner.strategy.leaves(judgement.verdict) {
                leaving.push(at);
            }
        }
        for unit in passing.keys() {
            self.novelty.pass(*unit);
        }
        let unspent = unspent_demand(
            values.demand_units,
            volume(given.len() as u64),
            volume(given.iter().filter(|one| passing.contains_key(&one.unit)).count() as u64),
        );
        self.burn = burn_after(self.burn, unspent, values);
        let round = given.iter().map(|one| (one, holders(&passing, one.unit)));
        self.queue.settle(round, values);
        self.reregister(&leaving);
    }

    /// Who passed each unit.
    fn passing(&self, turns: &[Turn], judgements: &[Judgement]) -> Passing {
        let mut passing = Passing::new();
        let played = self.miners.iter().zip(turns).zip(judgements);
        for ((miner, turn), _) in played.filter(|(_, judgement)| judgement.pays) {
            for claim in &turn.claims {
                passing.entry(claim.unit).or_default().push(miner.hotkey);
            }
        }
        if self.backwards {
            for holders in passing.values_mut() {
                holders.reverse();
            }
        }
        passing
    }

    fn reregister(&mut self, leaving: &[usize]) {
        let newcomer = MinerState::newcomer(self.settings.values());
        for &at in leaving {
            let Some((uid, registration)) = self.miners.get(at).map(|m| (m.uid, m.registrations + 1)) else {
                continue;
            };
            let hotkey = self.key("hotkey", u32::from(uid.0), registration);
            if let Some(miner) = self.miners.get_mut(at) {
                miner.hotkey = hotkey;
                miner.registrations = registration;
                (miner.state, miner.known) = (newcomer, newcomer);
            }
        }
    }

    /// Hotkeys of a group.
    pub(super) fn hotkeys(&self, group: usize) -> Vec<Hotkey> {
        let members = self.miners.iter().filter(|miner| miner.group == group);
        members.map(|miner| miner.hotkey).collect()
    }

    /// The averages and the burn as shares.
    fn shares(&self) -> Shares {
        let miners = self.miners.iter().map(|miner| (miner.uid, miner.state.average));
        let mut shares: Vec<_> = miners.chain([(BURN, self.burn)]).collect();
        if self.backwards {
            shares.reverse();
        }
        Shares::new(shares)
    }

    fn weights(&self) -> Vec<(Uid, Weight)> {
        quantise(&self.shares(), BURN)
    }

    fn result(&self, given: Vec<Assigned>, turns: &[Turn], weights: Vec<(Uid, Weight)>) -> RoundResult {
        let total: u64 = weights.iter().map(|(_, weight)| u64::from(weight.0)).sum();
        let capacity: u32 = self.miners.iter().map(|miner| miner.capacity).sum();
        let units = f64::from(self.settings.units);
        // The pool of a round is worth one equal share for every `units` of capacity.
        let pool = f64::from(capacity) / units;
        let by_uid: BTreeMap<Uid, u16> = weights.iter().map(|(uid, weight)| (*uid, weight.0)).collect();
        let mut result = RoundResult {
            revenue: vec![0.0; self.groups],
            cost: vec![0.0; self.groups],
            given,
            weights,
        };
        for (miner, turn) in self.miners.iter().zip(turns) {
            let weight = f64::from(by_uid.get(&miner.uid).copied().unwrap_or(0));
            let places = (
                result.revenue.get_mut(miner.group),
                result.cost.get_mut(miner.group),
            );
            if let (Some(revenue), Some(cost)) = places {
                *revenue += pool * weight / total.max(1) as f64;
                *cost += self.settings.cost * turn.effort / units;
            }
        }
        result
    }
}

/// Who passed each unit. It is asked by unit and walked only into a set, so its order cannot matter.
type Passing = HashMap<UnitId, Vec<Hotkey>>;

fn holders(passing: &Passing, unit: UnitId) -> &[Hotkey] {
    passing.get(&unit).map_or(&[], Vec::as_slice)
}

/// The turn of a miner whose submission passed V0, or of one that delivered nothing.
fn admitted(
    miner: &Miner,
    given: &[Assigned],
    assigned: Vec<UnitId>,
    submission: Submission,
    lockstep: bool,
) -> Turn {
    let mut claims = submission.claims;
    claims.sort_by_key(|claim| claim.unit);
    let mut turn = Turn {
        assigned,
        claims,
        effort: submission.effort,
        refused: submission.refused,
    };
    let units: Vec<UnitId> = turn.claims.iter().map(|claim| claim.unit).collect();
    let expected = Expected {
        round: Round(0),
        hotkey: miner.hotkey,
        assignment: given,
        active: &[],
    };
    if lockstep && admit_units(&units, &expected).is_err() {
        turn.claims.clear();
    }
    if !lockstep {
        // Whatever is submitted counts as if it had been assigned.
        turn.assigned = turn.claims.iter().map(|claim| claim.unit).collect();
    }
    turn
}

fn volume(units: u64) -> Q32 {
    Q32(units.saturating_mul(Q32::ONE.0))
}
