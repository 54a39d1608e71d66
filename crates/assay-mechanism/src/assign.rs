//! Assignment: which hotkey works on which unit, a pure function of a beacon that nobody knows beforehand.
//!
//! Beacon `A_t`, the work list in order and the candidates with their free slots come in; holders and replicas go
//! out. Rendezvous hashing with quota: the free hotkey with the largest score gets the unit, so nobody can choose
//! its units and a departed miner moves only its own (docs/mechanism.md).
//!
//! Unit and hotkey are each hashed with the beacon once; a pair costs one mixing of 64 bits. Before the beacon is known
//! both hashes are unpredictable, so a hotkey cannot be ground for the units it will get, as with one hash over all
//! three. 10,000 units over 256 miners take 21 ms on one core, 100,000 take 217 ms (`cargo bench -p assay-mechanism --bench
//! mechanism`, AVX-512 machine).

use crate::mix::mix64;
use assay_types::api::{AssignmentCandidate, RequeuedUnit};
use assay_types::{Coldkey, Hotkey, ParamValues, Q32, UnitId, tagged_hash, u64_le};
use serde::{Deserialize, Serialize};

/// A hotkey that may be given units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The hotkey; no two candidates share one.
    pub hotkey: Hotkey,
    /// Its owner; a unit and its replica go to different owners.
    pub coldkey: Coldkey,
    /// Units it may still be given: `min(want, cap)`.
    pub slots: u32,
}

impl From<&AssignmentCandidate> for Candidate {
    fn from(candidate: &AssignmentCandidate) -> Self {
        Self {
            hotkey: candidate.hotkey,
            coldkey: candidate.coldkey,
            slots: candidate.cap.min(u32::from(candidate.want)),
        }
    }
}

/// A unit to be given away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The unit.
    pub unit: UnitId,
    /// Hotkeys that failed it before and do not get it again.
    pub failed: Vec<Hotkey>,
}

impl From<UnitId> for Offer {
    /// A unit nobody has failed.
    fn from(unit: UnitId) -> Self {
        Self {
            unit,
            failed: Vec::new(),
        }
    }
}

impl From<RequeuedUnit> for Offer {
    fn from(again: RequeuedUnit) -> Self {
        Self {
            unit: again.unit,
            failed: again.failed,
        }
    }
}

/// A unit and who works on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assigned {
    /// The unit.
    pub unit: UnitId,
    /// Who holds it.
    pub holder: Hotkey,
    /// Who holds it too.
    pub replica: Option<Hotkey>,
    /// Whether it was drawn for a second holder, found or not.
    pub replicated: bool,
}

impl Assigned {
    /// `r`, by how many holders the unit's pot is divided when `passing` of them passed.
    ///
    /// A unit drawn for a second holder for whom nobody had a slot left pays `ρ/(1+ρ)`, with ρ the replica rate, so that
    /// a place pays `1/(1+ρ)` on average whoever else has slots. Otherwise the last units of a round, which go to the
    /// largest miners when all others are full, would never be shared and merging would pay: the simulator's `merge`
    /// measured +4.8 % for four miners behind one hotkey without this rule, and +2.0 % with half pay instead.
    pub fn pot_shares(&self, passing: usize, values: &ParamValues) -> u32 {
        if !self.replicated || self.replica.is_some() {
            return passing as u32;
        }
        let per_replica = u64::MAX / values.replica_rate.max(1);
        u32::try_from(per_replica).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Whether `hotkey` holds the unit.
    pub fn is_held_by(&self, hotkey: &Hotkey) -> bool {
        self.holder == *hotkey || self.replica.as_ref() == Some(hotkey)
    }
}

/// `score(u,h) = mix64(unit_key(u) xor hotkey_key(h))`.
///
/// `mix64` is the finaliser of SplitMix64. Both keys are uniform and independent once the beacon is
/// drawn, so scores of a unit are as good as a hash of beacon, unit and hotkey: uniform, and independent between units.
pub fn score(beacon: &[u8; 32], unit: &UnitId, hotkey: &Hotkey) -> u64 {
    mix64(unit_key(beacon, unit) ^ hotkey_key(beacon, hotkey))
}

/// `u64(H("assay/hrw-unit/2", A_t ‖ unit_id))`.
fn unit_key(beacon: &[u8; 32], unit: &UnitId) -> u64 {
    u64_le(&tagged_hash("assay/hrw-unit/2", &[beacon, unit.as_bytes()]))
}

/// `u64(H("assay/hrw-hotkey/2", A_t ‖ hotkey))`.
fn hotkey_key(beacon: &[u8; 32], hotkey: &Hotkey) -> u64 {
    u64_le(&tagged_hash("assay/hrw-hotkey/2", &[beacon, &hotkey.0]))
}

/// Whether a unit is given to a second holder.
pub fn is_replicated(beacon: &[u8; 32], unit: &UnitId, replica_rate: u64) -> bool {
    u64_le(&tagged_hash("assay/replica/1", &[beacon, unit.as_bytes()])) < replica_rate
}

/// Whether a unit is kept for duels; nobody is ever assigned it.
pub fn is_reserved(unit: &UnitId, reserve_mod: u64) -> bool {
    let place = u64_le(&tagged_hash("assay/reserve/1", &[unit.as_bytes()]));
    place.checked_rem(reserve_mod) == Some(0)
}

/// `v(u) = clamp(div(bytes(u), mean_bytes(source)), ONE/4, 4·ONE)`; a source without a mean counts each unit as 1.
pub fn volume(bytes: u64, mean_bytes: u64) -> Q32 {
    Q32::ratio(bytes, mean_bytes)
        .unwrap_or(Q32::ONE)
        .clamp(Q32(Q32::ONE.0 / 4), Q32(Q32::ONE.0 * 4))
}

/// A candidate in the running.
struct Runner {
    key: u64,
    hotkey: Hotkey,
    coldkey: Coldkey,
    slots: u32,
}

/// Gives units away in their order, while slots remain and fewer than `demand_units` (if not 0) were given.
///
/// A unit all free hotkeys have failed is left out. The result has one entry a unit given, in the order of `offers`.
pub fn assign(
    beacon: &[u8; 32],
    offers: &[Offer],
    candidates: &[Candidate],
    values: &ParamValues,
) -> Vec<Assigned> {
    let mut free: Vec<Runner> = candidates
        .iter()
        .filter(|candidate| candidate.slots > 0)
        .map(|candidate| Runner {
            key: hotkey_key(beacon, &candidate.hotkey),
            hotkey: candidate.hotkey,
            coldkey: candidate.coldkey,
            slots: candidate.slots,
        })
        .collect();
    let mut given = Vec::new();
    for offer in offers {
        let enough = values.demand_units > 0 && given.len() as u64 >= values.demand_units;
        if free.is_empty() || enough {
            break;
        }
        let unit = unit_key(beacon, &offer.unit);
        let Some((holder, owner)) =
            take_best(&mut free, unit, |runner| !offer.failed.contains(&runner.hotkey))
        else {
            continue;
        };
        let replicated = is_replicated(beacon, &offer.unit, values.replica_rate);
        let replica = if replicated {
            take_best(&mut free, unit, |runner| {
                runner.coldkey != owner && !offer.failed.contains(&runner.hotkey)
            })
        } else {
            None
        };
        given.push(Assigned {
            unit: offer.unit,
            holder,
            replica: replica.map(|(hotkey, _)| hotkey),
            replicated,
        });
    }
    given
}

/// A round's units: those that wait first, then `fresh` ones in their order without reserved ones. Gives what was given and how
/// many places of `fresh` were passed.
pub fn give(
    beacon: &[u8; 32],
    waiting: Vec<Offer>,
    fresh: &[UnitId],
    candidates: &[Candidate],
    values: &ParamValues,
) -> (Vec<Assigned>, usize) {
    let open = fresh.iter().filter(|unit| !is_reserved(unit, values.reserve_mod));
    let offers: Vec<Offer> = waiting
        .into_iter()
        .chain(open.copied().map(Offer::from))
        .collect();
    let given = assign(beacon, &offers, candidates, values);
    let last = given.last().map(|assigned| assigned.unit);
    let passed = fresh.iter().position(|unit| Some(*unit) == last);
    (given, passed.map_or(0, |at| at + 1))
}

/// Takes a slot of the eligible runner with the largest (score, hotkey); runners without slots leave.
fn take_best(
    free: &mut Vec<Runner>,
    unit: u64,
    eligible: impl Fn(&Runner) -> bool,
) -> Option<(Hotkey, Coldkey)> {
    let best = free
        .iter()
        .enumerate()
        .filter(|(_, runner)| eligible(runner))
        .max_by_key(|(_, runner)| (mix64(unit ^ runner.key), runner.hotkey))
        .map(|(at, _)| at)?;
    let runner = free.get_mut(best)?;
    let taken = (runner.hotkey, runner.coldkey);
    runner.slots -= 1;
    if runner.slots == 0 {
        // The order of runners does not matter: the best is the largest pair.
        free.swap_remove(best);
    }
    Some(taken)
}
