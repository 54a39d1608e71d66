//! What a round was for each holder: what it delivered, its faults, the judgement.
//!
//! The findings that count come in, [`Turn`]s leave; pay, queue and contest follow from them in `network`.

use super::Volumes;
use crate::assign::Assigned;
use crate::verdict::{Evidence, Judgement, judge};
use crate::votes::{Heard, audited};
use assay_types::{Delivered, Fault, Hotkey, ParamValues, Q32, UnitId};
use std::collections::{BTreeMap, BTreeSet};

/// A holder's round.
pub(super) struct Turn {
    pub(super) assigned: u32,
    pub(super) delivered: Vec<Delivered>,
    pub(super) faults: Vec<Fault>,
    pub(super) judgement: Judgement,
}

impl Turn {
    pub(super) fn of(
        hotkey: &Hotkey,
        heard: &Heard<'_>,
        given: &[Assigned],
        volumes: &Volumes,
        values: &ParamValues,
    ) -> Self {
        let (found, unreachable) = heard.agreed;
        let held: BTreeSet<UnitId> = given
            .iter()
            .filter(|one| one.is_held_by(hotkey))
            .map(|one| one.unit)
            .collect();
        let mut delivered: Vec<Delivered> = found.map_or_else(Vec::new, |found| found.delivered.clone());
        delivered.retain(|one| held.contains(&one.unit));
        delivered.sort_unstable();
        delivered.dedup_by_key(|one| one.unit);
        let sum = |units: &mut dyn Iterator<Item = &UnitId>| {
            units.fold(Q32::ZERO, |sum, unit| sum.saturating_add(volumes.of_unit(unit)))
        };
        let mut faults: Vec<Fault> = found.into_iter().flat_map(audited).cloned().collect();
        let unreachable = match heard.gone {
            (Some(fault), share) if share.ratio() >= Some(Q32(values.unreachable_high)) => {
                faults.push(fault.clone());
                unreachable
            }
            // Some could not read it: as with the round's own files, no pay and no blame.
            (_, share) if share.ratio() >= Some(Q32(values.unreachable_low)) => {
                std::cmp::max_by_key(unreachable, share, |share| share.ratio())
            }
            _ => unreachable,
        };
        let evidence = Evidence {
            assigned: sum(&mut held.iter()),
            delivered: sum(&mut delivered.iter().map(|one| &one.unit)),
            faults: u32::try_from(faults.len()).unwrap_or(u32::MAX),
            unreachable,
        };
        Self {
            assigned: held.len() as u32,
            delivered,
            faults,
            judgement: judge(&evidence, values),
        }
    }
}

/// Units of a turn that are paid.
pub(super) fn paid(turn: &Turn) -> impl Iterator<Item = &Delivered> {
    turn.delivered.iter().filter(|_| turn.judgement.pays)
}

/// Everyone who holds a unit.
pub(super) fn holders(given: &[Assigned]) -> BTreeSet<Hotkey> {
    let all = given
        .iter()
        .flat_map(|one| std::iter::once(one.holder).chain(one.replica));
    all.collect()
}

/// Who passed each unit.
pub(super) fn passing(given: &[Assigned], turns: &BTreeMap<Hotkey, Turn>) -> BTreeMap<UnitId, Vec<Hotkey>> {
    let mut passing: BTreeMap<UnitId, Vec<Hotkey>> = BTreeMap::new();
    for one in given {
        for hotkey in std::iter::once(one.holder).chain(one.replica) {
            let passed = turns.get(&hotkey).is_some_and(|turn| {
                turn.judgement.pays && turn.delivered.iter().any(|delivered| delivered.unit == one.unit)
            });
            if passed {
                passing.entry(one.unit).or_default().push(hotkey);
            }
        }
    }
    passing
}
