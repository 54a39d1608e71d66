//! Deduplication inside a unit: a record is dropped iff an earlier record of the unit shares a band key.
//!
//! Rule: mechanism §3 ("in-unit dedup"); one witness proves or refutes it. Records that passed all record steps come in
//! ledger order, kept or not; the answer is the ledger's `dup_of`.

use std::collections::BTreeMap;

use super::BANDS;

/// First record of every band key seen so far.
///
/// Ordered maps, because `verify` feeds keys of foreign files: no choice of keys makes them slow. Memory: a
/// leaf of 144 bytes holds 5 to 11 entries, so at most 14 × 32 bytes a record (100,000 records: 45 MB).
#[derive(Debug, Default)]
pub struct UnitDedup {
    first: [BTreeMap<u64, u32>; BANDS],
}

impl UnitDedup {
    /// A unit without records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next record in ledger order; the smallest earlier `idx` that shares a band key with it.
    ///
    /// Feed every record that passed the record steps, duplicates too, with ascending `idx`; records without a signature
    /// are not fed and never duplicates.
    pub fn observe(&mut self, idx: u32, bands: &[u64; BANDS]) -> Option<u32> {
        let firsts = self.first.iter_mut().zip(bands).filter_map(|(first, &key)| {
            let earlier = *first.entry(key).or_insert(idx);
            (earlier != idx).then_some(earlier)
        });
        firsts.min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Fourteen keys, equal to those of `like` in the bands of `shared`.
    fn bands(like: u64, shared: u64, own: u64) -> [u64; BANDS] {
        std::array::from_fn(|band| (if shared >> band & 1 == 1 { like } else { own }) * 100 + band as u64)
    }

    #[test]
    fn the_witness_is_the_smallest_sharer_dropped_ones_included() {
        let mut unit = UnitDedup::new();
        assert_eq!(unit.observe(3, &bands(1, 0, 1)), None);
        assert_eq!(unit.observe(5, &bands(1, 1, 2)), Some(3));
        assert_eq!(unit.observe(8, &bands(2, 0b110, 3)), Some(5));
        assert_eq!(unit.observe(9, &bands(1, 0b1, 3)), Some(3));
        assert_eq!(unit.observe(10, &bands(4, 0, 4)), None);
    }

    proptest! {
        #[test]
        fn the_tables_answer_as_a_comparison_of_all_pairs(rows in prop::collection::vec(prop::array::uniform14(0_u64..6), 0..30)) {
            let mut unit = UnitDedup::new();
            for (i, row) in rows.iter().enumerate() {
                let expected = rows[..i].iter().position(|earlier| earlier.iter().zip(row).any(|(a, b)| a == b));
                prop_assert_eq!(unit.observe(i as u32, row), expected.map(|j| j as u32));
            }
        }
    }
}
