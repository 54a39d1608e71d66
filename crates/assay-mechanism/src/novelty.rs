//! Novelty: how much of a unit's text the network has not paid for yet.
//!
//! Band keys of published units come in, a factor from 0 to 1 goes out (mechanism §7.5). Natural overlap below the
//! tolerance costs nothing, as units are assigned and not chosen. The index is rebuilt from published files.

use assay_types::{Digest, Hotkey, ParamValues, Q32, Sha256Digest, UnitId, tagged_hash};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// One band key in this many enters the index.
pub const KEY_SAMPLE: u64 = 64;

/// With fewer sampled keys a unit is taken to be new: a share of one or two keys says nothing, and units are assigned, not
/// chosen. Four keys are sampled of some twenty documents.
pub const SAMPLED_KEYS_MIN: usize = 8;

/// The order of submissions of one round in the index: by commit block, then `H("assay/tie/1", S_t ‖ hotkey)`.
pub fn tie_break(beacon: &[u8; 32], hotkey: &Hotkey) -> Digest {
    tagged_hash("assay/tie/1", &[beacon, hotkey.as_bytes()])
}

/// Up to two units that hold a key: enough to know whether another unit than a given one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holders {
    first: UnitId,
    other: bool,
}

/// What earlier units hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoveltyIndex {
    keys: BTreeMap<u64, Holders>,
    files: BTreeMap<Sha256Digest, UnitId>,
    /// Every unit ever passed; only asked for, never walked, so its order cannot matter.
    passed: HashSet<UnitId>,
}

impl NoveltyIndex {
    /// `ν` of a unit with these band keys of kept records and these docs files.
    ///
    /// 0 if the unit was passed before or a file repeats another unit's. Else over keys divisible by 64: `o` = share
    /// that other units hold, 0 if there are fewer than [`SAMPLED_KEYS_MIN`] such keys, and `ν = min(ONE, div(ONE − o, ONE − novelty_tol))`.
    pub fn novelty(&self, unit: UnitId, keys: &[u64], files: &[Sha256Digest], values: &ParamValues) -> Q32 {
        let copied = |file: &Sha256Digest| self.files.get(file).is_some_and(|&owner| owner != unit);
        if self.passed.contains(&unit) || files.iter().any(copied) {
            return Q32::ZERO;
        }
        if keys.is_empty() {
            return Q32::ONE;
        }
        let sampled: BTreeSet<u64> = keys.iter().copied().filter(|key| key % KEY_SAMPLE == 0).collect();
        if sampled.len() < SAMPLED_KEYS_MIN {
            return Q32::ONE;
        }
        let elsewhere = |key: &&u64| {
            self.keys
                .get(key)
                .is_some_and(|holders| holders.first != unit || holders.other)
        };
        let known = sampled.iter().filter(elsewhere).count() as u64;
        let overlap = Q32::ratio(known, sampled.len() as u64).unwrap_or(Q32::ZERO);
        let rest = Q32::ONE.saturating_sub(Q32(values.novelty_tol));
        Q32::ONE
            .saturating_sub(overlap)
            .div(rest)
            .unwrap_or(Q32::ZERO)
            .min(Q32::ONE)
    }

    /// Adds a submitted unit, so that later ones are compared with it.
    pub fn insert(&mut self, unit: UnitId, keys: &[u64], files: &[Sha256Digest]) {
        for &key in keys.iter().filter(|key| **key % KEY_SAMPLE == 0) {
            let holders = self.keys.entry(key).or_insert(Holders {
                first: unit,
                other: false,
            });
            holders.other |= holders.first != unit;
        }
        for &file in files {
            self.files.entry(file).or_insert(unit);
        }
    }

    /// Closes a unit: no later submission of it is new.
    pub fn pass(&mut self, unit: UnitId) {
        self.passed.insert(unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn units() -> [UnitId; 3] {
        ["a", "b", "c"].map(|path| UnitId::of("cc", path))
    }

    /// Keys `from..to` that are sampled, with as many that are not.
    fn keys(from: u64, to: u64) -> Vec<u64> {
        (from..to).flat_map(|i| [i * 64, i * 64 + 1]).collect()
    }

    #[test]
    fn overlap_up_to_one_half_costs_nothing_and_a_copy_is_worth_nothing() {
        let [a, b, _] = units();
        let values = ParamValues::default();
        let mut index = NoveltyIndex::default();
        assert_eq!(index.novelty(b, &keys(0, 10), &[], &values), Q32::ONE);
        index.insert(a, &keys(0, 10), &[]);
        assert_eq!(index.novelty(b, &keys(5, 15), &[], &values), Q32::ONE);
        assert_eq!(index.novelty(b, &keys(2, 12), &[], &values), Q32(1_717_986_920));
        assert_eq!(index.novelty(b, &keys(0, 10), &[], &values), Q32::ZERO);
        assert_eq!(
            index.novelty(a, &keys(0, 10), &[], &values),
            Q32::ONE,
            "a replica is no copy"
        );
        assert_eq!(index.novelty(b, &[], &[], &values), Q32::ONE);
        index.insert(b, &keys(0, 10), &[]);
        assert_eq!(index.novelty(a, &keys(0, 10), &[], &values), Q32::ZERO);
    }

    #[test]
    fn a_passed_unit_and_a_copied_file_are_worth_nothing() {
        let [a, b, c] = units();
        let values = ParamValues::default();
        let file = Sha256Digest([7; 32]);
        let mut index = NoveltyIndex::default();
        index.insert(a, &[], &[file]);
        assert_eq!(index.novelty(b, &[], &[file], &values), Q32::ZERO);
        assert_eq!(index.novelty(a, &[], &[file], &values), Q32::ONE);
        index.pass(c);
        assert_eq!(index.novelty(c, &keys(0, 9), &[], &values), Q32::ZERO);
    }

    #[test]
    fn a_handful_of_keys_says_nothing() {
        let [a, b, _] = units();
        let values = ParamValues::default();
        let mut index = NoveltyIndex::default();
        index.insert(a, &keys(0, 8), &[]);
        assert_eq!(index.novelty(b, &keys(0, 7), &[], &values), Q32::ONE);
        assert_eq!(index.novelty(b, &keys(0, 8), &[], &values), Q32::ZERO);
    }

    proptest! {
        #[test]
        fn more_overlap_never_pays_more(known in 0_u64..20, shift in 0_u64..20) {
            let [a, b, _] = units();
            let values = ParamValues::default();
            let mut index = NoveltyIndex::default();
            index.insert(a, &keys(0, known), &[]);
            let less = index.novelty(b, &keys(shift, shift + 20), &[], &values);
            index.insert(a, &keys(0, known + 1), &[]);
            let more = index.novelty(b, &keys(shift, shift + 20), &[], &values);
            prop_assert!(more <= less && less <= Q32::ONE);
        }
    }
}
