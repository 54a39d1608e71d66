//! Assignment as a whole: fair shares, independence between units, and what a departure moves.

use std::collections::BTreeMap;

use assay_mechanism::assign::{Assigned, Candidate, Offer, assign};
use assay_types::{Coldkey, Hotkey, ParamValues, UnitId};
use proptest::prelude::*;

fn candidates(count: u8, slots: u32) -> Vec<Candidate> {
    (1..=count)
        .map(|byte| Candidate {
            hotkey: Hotkey([byte; 32]),
            coldkey: Coldkey([byte; 32]),
            slots,
        })
        .collect()
}

fn offers(count: usize) -> Vec<Offer> {
    (0..count)
        .map(|number| UnitId::of("cc", &format!("{number}")).into())
        .collect()
}

fn given(beacon: u8, units: usize, candidates: &[Candidate]) -> Vec<Assigned> {
    assign(&[beacon; 32], &offers(units), candidates, &ParamValues::default())
}

#[test]
fn everyone_gets_an_equal_share_and_neighbouring_units_do_not_tell_of_each_other() {
    const MINERS: usize = 16;
    const UNITS: usize = 64_000;
    let given = given(0xA1, UNITS, &candidates(MINERS as u8, u32::MAX));
    let holders: Vec<usize> = given.iter().map(|one| usize::from(one.holder.0[0]) - 1).collect();
    let mut alone = [0_f64; MINERS];
    let mut pairs = [0_f64; MINERS * MINERS];
    for pair in holders.windows(2) {
        alone[pair[0]] += 1.0;
        pairs[pair[0] * MINERS + pair[1]] += 1.0;
    }
    let chi_squared = |counts: &[f64]| {
        let expected = (UNITS - 1) as f64 / counts.len() as f64;
        counts
            .iter()
            .map(|count| (count - expected).powi(2) / expected)
            .sum::<f64>()
    };
    // 99.9 % points of chi-squared with 15 and 255 degrees of freedom.
    assert!(chi_squared(&alone) < 37.7, "{alone:?}");
    assert!(chi_squared(&pairs) < 330.5, "{}", chi_squared(&pairs));
}

#[test]
fn another_beacon_gives_another_assignment() {
    let candidates = candidates(16, u32::MAX);
    let (a, b) = (given(1, 16_000, &candidates), given(2, 16_000, &candidates));
    let same = a.iter().zip(&b).filter(|(a, b)| a.holder == b.holder).count();
    // One in sixteen by chance: 1,000, standard deviation 31.
    assert!((880..1_120).contains(&same), "{same}");
}

#[test]
fn a_departed_miner_moves_only_its_own_units() {
    let all = candidates(12, u32::MAX);
    let holders = |candidates: &[Candidate]| -> BTreeMap<UnitId, Hotkey> {
        given(3, 4_000, candidates)
            .iter()
            .map(|one| (one.unit, one.holder))
            .collect()
    };
    let (before, after) = (holders(&all), holders(&all[1..]));
    let gone = all[0].hotkey;
    assert!(before.values().any(|holder| *holder == gone));
    for (unit, holder) in &before {
        assert!(*holder == gone || after[unit] == *holder);
    }
}

#[test]
fn nobody_one_and_no_slots() {
    assert_eq!(given(1, 10, &[]), []);
    assert_eq!(given(1, 10, &candidates(3, 0)), []);
    let one = given(1, 10, &candidates(1, 4));
    assert_eq!(one.len(), 4);
    assert!(one.iter().all(|unit| unit.replica.is_none()));
}

proptest! {
    #[test]
    fn the_order_of_candidates_does_not_matter(beacon in any::<u8>(), slots in 1_u32..6, turn in 0_usize..20) {
        let mut turned = candidates(20, slots);
        let straight = given(beacon, 60, &turned);
        turned.rotate_left(turn);
        prop_assert_eq!(given(beacon, 60, &turned), straight);
    }

    #[test]
    fn nobody_gets_more_than_its_slots_or_both_replicas(beacon in any::<u8>(), slots in 1_u32..6) {
        let mut held: BTreeMap<Hotkey, u32> = BTreeMap::new();
        for one in given(beacon, 200, &candidates(9, slots)) {
            prop_assert_ne!(Some(one.holder), one.replica);
            for hotkey in std::iter::once(one.holder).chain(one.replica) {
                *held.entry(hotkey).or_default() += 1;
            }
        }
        prop_assert!(held.values().all(|count| *count <= slots));
    }
}
