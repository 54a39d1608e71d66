//! The verdict on a miner's round, from what validators found and what they could not reach.
//!
//! Counts of distinct faults, delivered volume and stake shares come in; a [`Verdict`] and whether the round pays
//! go out (mechanism §7.3, §7.4). A validator's own failure is never a fail; a miner's refusal always is. More
//! faults never help: the order of the rules below makes the judgement monotone.

use assay_types::{ParamValues, Q32, Verdict};
use std::collections::BTreeSet;

/// What is known about one miner's round at its effective block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// Σ v of the units assigned.
    pub assigned: Q32,
    /// Σ v of the units delivered and admitted.
    pub delivered: Q32,
    /// Distinct faults, found on the common sample or proven; a failed retention check is one.
    pub faults: u32,
    /// Stake that reported the miner unreachable, and stake that reported at all, in the same unit.
    pub unreachable: StakeShare,
}

/// A share of stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StakeShare {
    /// Stake with the property.
    pub part: u64,
    /// All stake asked.
    pub whole: u64,
}

impl StakeShare {
    /// The share in Q32, floor; none if nobody was asked.
    pub fn ratio(self) -> Option<Q32> {
        Q32::ratio(self.part.min(self.whole), self.whole)
    }
}

/// A verdict and what it means for pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Whether production of the round counts; never with a fault.
    pub pays: bool,
    /// `d`, the delivered share of the assigned volume, at most 1.
    pub delivered_share: Q32,
}

/// `d = div(Σ v delivered, Σ v assigned)`, at most 1; 0 if nothing was assigned.
pub fn delivered_share(delivered: Q32, assigned: Q32) -> Q32 {
    delivered.div(assigned).unwrap_or(Q32::ZERO).min(Q32::ONE)
}

/// The judgement on a round.
///
/// In this order: nothing assigned is idle; two faults are fraud; no report from anyone is skipped; refusal by
/// stake of `unreachable_high`, or less than `delivered_min` delivered, is a no-show, paid only if clean and
/// reachable; one fault; refusal from `unreachable_low` is unpaid; the rest passes.
pub fn judge(evidence: &Evidence, values: &ParamValues) -> Judgement {
    let share = delivered_share(evidence.delivered, evidence.assigned);
    let judgement = |verdict, pays| Judgement {
        verdict,
        pays: pays && evidence.faults == 0,
        delivered_share: share,
    };
    if evidence.assigned == Q32::ZERO {
        return judgement(Verdict::Idle, false);
    }
    if evidence.faults >= 2 {
        return judgement(Verdict::Fraud, false);
    }
    let Some(unreachable) = evidence.unreachable.ratio() else {
        // Faults proven by anyone bind even where nobody reported.
        return judgement(
            if evidence.faults == 1 {
                Verdict::OneFault
            } else {
                Verdict::Skipped
            },
            false,
        );
    };
    if unreachable >= Q32(values.unreachable_high) {
        return judgement(Verdict::NoShow, false);
    }
    let reachable = unreachable < Q32(values.unreachable_low);
    if share < Q32(values.delivered_min) {
        return judgement(Verdict::NoShow, reachable && share > Q32::ZERO);
    }
    match (evidence.faults, reachable) {
        (1, _) => judgement(Verdict::OneFault, false),
        (_, false) => judgement(Verdict::Unpaid, false),
        (_, true) => judgement(Verdict::Pass, true),
    }
}

/// Where a fault is: the same place found twice, or found and proven, counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultPlace {
    /// A ledger row.
    Row(u32),
    /// A byte offset of the archive at which a member begins that the ledger lacks.
    Offset(u64),
    /// A break between this row and the one before it.
    Break(u32),
    /// The unit's root or files.
    Unit,
}

/// Distinct faults of one submission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultSet {
    places: BTreeSet<(assay_types::UnitId, FaultPlace)>,
}

impl FaultSet {
    /// Adds a fault; false if it was known.
    pub fn insert(&mut self, unit: assay_types::UnitId, place: FaultPlace) -> bool {
        self.places.insert((unit, place))
    }

    /// Distinct faults, held at the greatest number.
    pub fn count(&self) -> u32 {
        u32::try_from(self.places.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn evidence(delivered: u64, faults: u32, unreachable: u64) -> Evidence {
        Evidence {
            assigned: Q32(100),
            delivered: Q32(delivered),
            faults,
            unreachable: StakeShare {
                part: unreachable,
                whole: 300,
            },
        }
    }

    #[track_caller]
    fn check(evidence: &Evidence, verdict: Verdict, pays: bool) {
        let found = judge(evidence, &ParamValues::default());
        assert_eq!((found.verdict, found.pays), (verdict, pays), "{evidence:?}");
    }

    #[test]
    fn each_row_of_the_table() {
        check(&evidence(100, 0, 0), Verdict::Pass, true);
        check(&evidence(50, 0, 0), Verdict::Pass, true);
        check(&evidence(49, 0, 0), Verdict::NoShow, true);
        check(&evidence(0, 0, 0), Verdict::NoShow, false);
        check(&evidence(100, 1, 0), Verdict::OneFault, false);
        check(&evidence(49, 1, 0), Verdict::NoShow, false);
        check(&evidence(0, 2, 300), Verdict::Fraud, false);
        let nothing = Evidence {
            assigned: Q32::ZERO,
            ..evidence(0, 0, 0)
        };
        check(&nothing, Verdict::Idle, false);
    }

    #[test]
    fn evidence_by_stake() {
        // Less than a third of the stake never hurts a miner; two thirds are a refusal.
        check(&evidence(100, 0, 99), Verdict::Pass, true);
        check(&evidence(100, 0, 100), Verdict::Unpaid, false);
        check(&evidence(100, 0, 199), Verdict::Unpaid, false);
        check(&evidence(100, 0, 200), Verdict::NoShow, false);
        let unheard = Evidence {
            unreachable: StakeShare::default(),
            ..evidence(100, 0, 0)
        };
        check(&unheard, Verdict::Skipped, false);
        check(&Evidence { faults: 1, ..unheard }, Verdict::OneFault, false);
    }

    /// How bad a verdict is for credibility.
    fn severity(verdict: Verdict) -> u8 {
        match verdict {
            Verdict::Pass => 0,
            Verdict::Idle | Verdict::Skipped | Verdict::Unpaid => 1,
            Verdict::OneFault => 2,
            Verdict::NoShow => 3,
            Verdict::Fraud => 4,
        }
    }

    proptest! {
        #[test]
        fn more_faults_and_less_work_never_help(delivered in 1_u64..=100, faults in 0_u32..4, part in 0_u64..=300) {
            let values = ParamValues::default();
            let now = judge(&evidence(delivered, faults, part), &values);
            let worse = judge(&evidence(delivered, faults + 1, part), &values);
            prop_assert!(!worse.pays);
            prop_assert!(severity(worse.verdict) >= severity(now.verdict));
            let less = judge(&evidence(delivered - 1, faults, part), &values);
            prop_assert!(severity(less.verdict) >= severity(now.verdict));
            prop_assert!(less.delivered_share <= now.delivered_share);
            prop_assert!(!less.pays || now.pays);
        }
    }

    #[test]
    fn the_same_place_counts_once() {
        let unit = assay_types::UnitId::of("cc", "x");
        let mut faults = FaultSet::default();
        assert!(faults.insert(unit, FaultPlace::Row(3)));
        assert!(!faults.insert(unit, FaultPlace::Row(3)));
        assert!(faults.insert(unit, FaultPlace::Offset(3)));
        assert_eq!(faults.count(), 2);
    }
}
