//! The work list of a round and what becomes of units that nobody finished.
//!
//! Re-queued units come before fresh ones; a unit that failed too often is a dead letter; a passed unit is never
//! given again (mechanism §5). The state is rebuilt from the chain and the reports by any node.

use crate::assign::{Assigned, Offer, is_reserved};
use assay_types::{Hotkey, ParamValues, UnitId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How often a unit was tried and by whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// Rounds in which nobody passed it.
    pub attempts: u64,
    /// Who held it then.
    pub failed: BTreeSet<Hotkey>,
}

/// Units between their first assignment and their pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    waiting: BTreeMap<UnitId, Failures>,
    /// Every unit ever passed; only asked for, never walked, so its order cannot matter.
    passed: HashSet<UnitId>,
    dead: BTreeSet<UnitId>,
}

impl Queue {
    /// The queue of a checkpoint: units that wait and units given up. Passed ones lie behind the cursor of whoever offers
    /// fresh units, so they need not be remembered here.
    pub fn restore(waiting: BTreeMap<UnitId, Failures>, dead: BTreeSet<UnitId>) -> Self {
        Self {
            waiting,
            passed: HashSet::new(),
            dead,
        }
    }

    /// What a checkpoint keeps: units that wait and units given up.
    pub fn into_parts(self) -> (BTreeMap<UnitId, Failures>, BTreeSet<UnitId>) {
        (self.waiting, self.dead)
    }

    /// The offers of a round: re-queued units by id, then up to `fresh_max` of `fresh` in their order, without
    /// reserved, passed and dead ones.
    pub fn offers(
        &self,
        fresh: impl IntoIterator<Item = UnitId>,
        fresh_max: usize,
        values: &ParamValues,
    ) -> Vec<Offer> {
        let again = self.waiting.iter().map(|(unit, failures)| Offer {
            unit: *unit,
            failed: failures.failed.iter().copied().collect(),
        });
        let open = |unit: &UnitId| {
            !is_reserved(unit, values.reserve_mod)
                && !self.is_closed(unit)
                && !self.waiting.contains_key(unit)
        };
        again
            .chain(fresh.into_iter().filter(open).take(fresh_max).map(Offer::from))
            .collect()
    }

    /// Whether a unit is never given again: passed or dead.
    pub fn is_closed(&self, unit: &UnitId) -> bool {
        self.passed.contains(unit) || self.dead.contains(unit)
    }

    /// Units that failed `attempts_max` times.
    pub fn dead_letters(&self) -> &BTreeSet<UnitId> {
        &self.dead
    }

    /// Takes in a round: each assignment with those of its holders that passed it.
    pub fn settle<'a>(
        &mut self,
        round: impl IntoIterator<Item = (&'a Assigned, &'a [Hotkey])>,
        values: &ParamValues,
    ) {
        for (assigned, passing) in round {
            if !passing.is_empty() {
                self.waiting.remove(&assigned.unit);
                self.passed.insert(assigned.unit);
                continue;
            }
            let failures = self.waiting.entry(assigned.unit).or_default();
            failures.attempts += 1;
            failures
                .failed
                .extend(std::iter::once(assigned.holder).chain(assigned.replica));
            if failures.attempts >= values.attempts_max {
                self.waiting.remove(&assigned.unit);
                self.dead.insert(assigned.unit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_units_come_first_without_those_who_failed_and_die_after_three_attempts() {
        let values = ParamValues::default();
        let units: Vec<UnitId> = (0..4).map(|i| UnitId::of("cc", &format!("{i}"))).collect();
        let fresh: Vec<UnitId> = units
            .iter()
            .copied()
            .filter(|unit| !is_reserved(unit, values.reserve_mod))
            .collect();
        let mut queue = Queue::default();
        let failed = |unit, holder| Assigned {
            unit,
            holder: Hotkey([holder; 32]),
            replica: None,
            replicated: false,
        };
        for attempt in 1..=3 {
            let offers = queue.offers(fresh.iter().copied(), 2, &values);
            assert_eq!(offers[0].unit, fresh[0]);
            assert_eq!(offers[0].failed.len(), attempt - 1);
            let one = failed(fresh[0], attempt as u8);
            queue.settle([(&one, &[][..])], &values);
        }
        assert!(queue.is_closed(&fresh[0]));
        assert_eq!(queue.dead_letters().len(), 1);
        assert_ne!(queue.offers(fresh.iter().copied(), 2, &values)[0].unit, fresh[0]);
    }

    #[test]
    fn unit_closed() {
        let values = ParamValues::default();
        let unit = UnitId::of("cc", "EXAMPLE/00000");
        let assigned = Assigned {
            unit,
            holder: Hotkey([1; 32]),
            replica: Some(Hotkey([2; 32])),
            replicated: true,
        };
        let mut queue = Queue::default();
        queue.settle([(&assigned, &[Hotkey([2; 32])][..])], &values);
        assert!(queue.is_closed(&unit));
        assert!(queue.offers([unit], 9, &values).is_empty());
    }
}
