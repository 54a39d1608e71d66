//! What validators look at: seeds, how many units, which units, rows and byte offsets.
//!
//! A beacon nobody knew when the miner committed, the miner's key and root come in; places to recompute go out.
//! The common sample is equal for all validators and sets the score; a private one serves fraud proofs
//! (mechanism §7.1). Nothing the miner declares steers the units or the byte offsets.

use assay_types::{Digest, Draws, Hotkey, ParamValues, Q32, tagged_hash};

/// The seed of the common sample: `H("assay/sample/1", S_t ‖ hotkey ‖ submission_root)`.
pub fn common_seed(beacon: &[u8; 32], hotkey: &Hotkey, submission_root: &Digest) -> Digest {
    let parts: [&[u8]; 3] = [beacon, hotkey.as_bytes(), submission_root.as_bytes()];
    tagged_hash("assay/sample/1", &parts)
}

/// The seed of a validator's private sample: the same under tag `assay/private/1` with 32 secret bytes appended.
pub fn private_seed(
    beacon: &[u8; 32],
    hotkey: &Hotkey,
    submission_root: &Digest,
    secret: &[u8; 32],
) -> Digest {
    let parts: [&[u8]; 4] = [beacon, hotkey.as_bytes(), submission_root.as_bytes(), secret];
    tagged_hash("assay/private/1", &parts)
}

/// The seed of the retention check: `H("assay/retain/1", S_t ‖ hotkey)`.
pub fn retention_seed(beacon: &[u8; 32], hotkey: &Hotkey) -> Digest {
    tagged_hash("assay/retain/1", &[beacon, hotkey.as_bytes()])
}

/// `A = max(audit_units_min, ceil(audit_units·max(1/CV, 1−C)))`, `CV = 0` giving `audit_units`, at most `delivered`.
pub fn audit_units(credibility: Q32, passed: u32, delivered: u64, values: &ParamValues) -> u64 {
    let by_passes = values.audit_units.div_ceil(u64::from(passed.max(1)));
    let missing = Q32::ONE.saturating_sub(credibility).0;
    let by_credibility = u128::from(values.audit_units) * u128::from(missing);
    let by_credibility = by_credibility.div_ceil(u128::from(Q32::ONE.0));
    u64::try_from(by_credibility)
        .unwrap_or(u64::MAX)
        .max(by_passes)
        .max(values.audit_units_min)
        .min(delivered)
}

/// An audited unit as its ledger and the corpus index show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditedUnit {
    /// Kept rows.
    pub kept: u64,
    /// Rows with another reason than "no content".
    pub content: u64,
    /// Bytes of the archive, from the corpus index.
    pub bytes: u64,
}

/// A place in one of the audited units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Number of the unit among those audited, in the order drawn.
    pub unit: usize,
    /// Number of the row among the kept or content rows of the unit, or byte offset.
    pub at: u64,
}

/// Rows and offsets to check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Kept rows.
    pub kept: Vec<Place>,
    /// Content rows.
    pub content: Vec<Place>,
    /// Byte offsets: the first member at or behind each must be a ledger row.
    pub offsets: Vec<Place>,
}

/// Draw 1: the numbers of the audited units among those delivered, by ascending unit id.
pub fn draw_units(draws: &mut Draws, delivered: u64, audited: u64) -> Vec<u64> {
    draws.partial_fisher_yates(delivered, audited)
}

/// Draws 2 to 4 over the audited units in the order drawn: kept rows and content rows without repetition, then byte
/// offsets over the concatenated archives.
pub fn draw_places(draws: &mut Draws, units: &[AuditedUnit], values: &ParamValues) -> Sample {
    let kept = Ranges::new(units.iter().map(|unit| unit.kept));
    let content = Ranges::new(units.iter().map(|unit| unit.content));
    let bytes = Ranges::new(units.iter().map(|unit| unit.bytes));
    Sample {
        kept: kept.places(draws.partial_fisher_yates(kept.total(), values.rows_kept)),
        content: content.places(draws.partial_fisher_yates(content.total(), values.probes_index)),
        offsets: {
            let probes = if bytes.total() == 0 { 0 } else { values.probes_byte };
            bytes.places((0..probes).map(|_| draws.draw(bytes.total())).collect())
        },
    }
}

/// Ranges laid end to end.
struct Ranges {
    /// End of each range.
    ends: Vec<u64>,
}

impl Ranges {
    fn new(lengths: impl Iterator<Item = u64>) -> Self {
        let mut end = 0_u64;
        let ends = lengths
            .map(|length| {
                end = end.saturating_add(length);
                end
            })
            .collect();
        Self { ends }
    }

    fn total(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The range and the place within it of each number below the total.
    fn places(&self, numbers: Vec<u64>) -> Vec<Place> {
        let place = |number: u64| {
            let unit = self.ends.partition_point(|&end| end <= number);
            let start = unit
                .checked_sub(1)
                .and_then(|before| self.ends.get(before))
                .copied();
            Place {
                unit,
                at: number - start.unwrap_or(0),
            }
        };
        numbers.into_iter().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_common_seed_of_the_worked_example() {
        let root = Digest(std::array::from_fn(|i| i as u8));
        let seed = common_seed(&[0x5A; 32], &Hotkey([1; 32]), &root);
        assert_eq!(
            seed.to_string(),
            "cfeda5a11885d60e87072367ec26a2bf36bc528046f7d2514abf193dc5d0da50"
        );
        let mut draws = Draws::new(seed.as_bytes());
        assert_eq!(draw_units(&mut draws, 5, 2), [0, 3]);
        let private = private_seed(&[0x5A; 32], &Hotkey([1; 32]), &root, &[7; 32]);
        assert_ne!(private, seed);
        assert_ne!(retention_seed(&[0x5A; 32], &Hotkey([1; 32])), seed);
    }

    #[test]
    fn audits_shrink_with_trust_and_never_below_the_least() {
        let values = ParamValues::default();
        let audited = |c: f64, passed, delivered| {
            audit_units(Q32((c * 4_294_967_296.0) as u64), passed, delivered, &values)
        };
        assert_eq!(audited(0.5, 0, 16), 8);
        assert_eq!(audited(0.68, 2, 16), 4);
        assert_eq!(audited(0.744, 3, 16), 3);
        assert_eq!(audited(1.0, 100, 256), 2);
        assert_eq!(audited(0.2, 100, 256), 7);
        assert_eq!(audited(0.5, 0, 1), 1);
        assert_eq!(audited(0.5, 0, 0), 0);
    }

    proptest! {
        #[test]
        fn places_lie_inside_their_units(
            seed in any::<u64>(),
            shapes in proptest::collection::vec((0_u64..50, 0_u64..50, 0_u64..5_000), 0..9),
        ) {
            let units: Vec<AuditedUnit> = shapes
                .iter()
                .map(|&(kept, more, bytes)| AuditedUnit { kept, content: kept + more, bytes })
                .collect();
            let values = ParamValues::default();
            let sample = draw_places(&mut Draws::new(&seed.to_le_bytes()), &units, &values);
            let total: u64 = units.iter().map(|unit| unit.kept).sum();
            prop_assert_eq!(sample.kept.len() as u64, total.min(64));
            for place in &sample.kept {
                prop_assert!(place.at < units[place.unit].kept);
            }
            for place in &sample.content {
                prop_assert!(place.at < units[place.unit].content);
            }
            for place in &sample.offsets {
                prop_assert!(place.at < units[place.unit].bytes);
            }
            let mut distinct = sample.kept.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), sample.kept.len());
        }

        /// What a miner declares about rows moves no byte offset's share: offsets depend on archive lengths only.
        #[test]
        fn declared_free(seed in any::<u64>(), kept in 0_u64..40) {
            let values = ParamValues::default();
            let units = |kept| [AuditedUnit { kept, content: 60, bytes: 900 }, AuditedUnit { kept: 3, content: 60, bytes: 100 }];
            let mut a = Draws::new(&seed.to_le_bytes());
            let mut b = a.clone();
            prop_assert_eq!(draw_units(&mut a, 9, 4), draw_units(&mut b, 9, 4));
            let offsets = draw_places(&mut a, &units(kept), &values).offsets;
            let in_first = offsets.iter().filter(|place| place.unit == 0).count();
            // 128 draws with chance .9: less than 90 has a probability below 1e-9.
            prop_assert!((90..=128).contains(&in_first), "{}", in_first);
        }

        /// A row of twice the bytes is met twice as often, whatever its declared reason.
        #[test]
        fn size_biased(seed in any::<u64>()) {
            let mut values = ParamValues::default();
            values.set("probes_byte", 3_000).unwrap();
            let unit = [AuditedUnit { kept: 1, content: 3, bytes: 3_000 }];
            let sample = draw_places(&mut Draws::new(&seed.to_le_bytes()), &unit, &values);
            let long = sample.offsets.iter().filter(|place| place.at < 2_000).count();
            // Mean 2,000, standard deviation 26.
            prop_assert!((1_830..2_170).contains(&long), "{}", long);
        }
    }
}
