//! From reports to the points of a duel: the median of each cell, complete seeds, the paired difference.
//!
//! Reports in units of 1e-4 bits per byte come in; [`DuelPoints`] leave for `decide` (mechanism §9.2, 4 and 5).

use crate::gain::BitsQuanta;
use crate::paired::{Pair, Points, StatisticsError, paired_points};
use std::collections::BTreeSet;

/// 1e-4: bits per byte of one unit of a report.
const QUANTUM: f64 = 10_000.0;

/// One validator's report on a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellReport<K> {
    /// Who pays for the validator: two reports of one coldkey count as one witness.
    pub coldkey: K,
    /// The validator's stake, rao.
    pub stake: u64,
    /// Bits per byte in 1e-4.
    pub value: BitsQuanta,
}

/// The value of a cell: the stake-weighted median of its reports, the smallest value that at least half of the stake does
/// not exceed; none with reports of fewer than `coldkeys_min` coldkeys or without stake.
pub fn cell_value<K: Ord + Copy>(reports: &[CellReport<K>], coldkeys_min: usize) -> Option<BitsQuanta> {
    let coldkeys: BTreeSet<K> = reports.iter().map(|report| report.coldkey).collect();
    if coldkeys.len() < coldkeys_min {
        return None;
    }
    let mut by_value: Vec<(BitsQuanta, u128)> = reports
        .iter()
        .filter(|report| report.stake > 0)
        .map(|report| (report.value, u128::from(report.stake)))
        .collect();
    by_value.sort_unstable();
    let total: u128 = by_value.iter().map(|(_, stake)| stake).sum();
    let mut below = 0;
    by_value
        .into_iter()
        .find(|&(_, stake)| {
            below += stake;
            below * 2 >= total
        })
        .map(|(value, _)| value)
}

/// The four arms of one seed and domain that a duel compares, bits per byte in 1e-4; none where the cell is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArmValues {
    /// The recipe that reigns.
    pub champion: Option<BitsQuanta>,
    /// The recipe that wants to.
    pub challenger: Option<BitsQuanta>,
    /// All visible text of the same archives.
    pub ore: Option<BitsQuanta>,
    /// Text of the evaluation domains themselves.
    pub pure: Option<BitsQuanta>,
}

impl ArmValues {
    /// `B_champion − B_challenger` and `B_ore − B_pure` in bits per byte, if all four cells are there.
    fn differences(&self) -> Option<Pair> {
        let difference = |a: BitsQuanta, b: BitsQuanta| (f64::from(a) - f64::from(b)) / QUANTUM;
        Some(Pair {
            gained: difference(self.champion?, self.challenger?),
            span: difference(self.ore?, self.pure?),
        })
    }
}

/// The challenger's lead over the champion in points: positive if it needs fewer bits.
pub type DuelPoints = Points;

/// `Δ = 1000·mean_{s,d}(B_champion − B_challenger)/ȳ` with its standard error, from `seeds[s][d]` (mechanism §9.2, 5).
///
/// A seed with a missing cell or domain is dropped. `document_variance` is
/// [`crate::paired::document_variance`] of the differences, or 0 if reports carry no documents.
///
/// # Errors
/// [`StatisticsError`]: fewer than four complete seeds (no decision, the entry waits), ore and pure too close.
pub fn duel_points<S: AsRef<[ArmValues]>>(
    seeds: &[S],
    document_variance: f64,
) -> Result<DuelPoints, StatisticsError> {
    let domains = seeds.iter().map(|cells| cells.as_ref().len()).max().unwrap_or(0);
    let pairs: Vec<Pair> = seeds
        .iter()
        .map(AsRef::as_ref)
        .filter(|cells| cells.len() == domains)
        .filter_map(seed_pair)
        .collect();
    paired_points(&pairs, document_variance)
}

/// Means over the domains of one seed; none if there are no domains or a cell is missing.
fn seed_pair(cells: &[ArmValues]) -> Option<Pair> {
    let zero = Pair {
        gained: 0.0,
        span: 0.0,
    };
    let sum = cells.iter().try_fold(zero, |sum, cell| {
        let pair = cell.differences()?;
        Some(Pair {
            gained: sum.gained + pair.gained,
            span: sum.span + pair.span,
        })
    })?;
    let domains = cells.len() as f64;
    (domains > 0.0).then_some(Pair {
        gained: sum.gained / domains,
        span: sum.span / domains,
    })
}

/// Mean of cells of one arm in 1e-4 bits per byte, floor: the `bits` of [`crate::gain::Measured`]. None without cells.
pub fn mean_bits(cells: &[BitsQuanta]) -> Option<BitsQuanta> {
    let sum: u64 = cells.iter().map(|&cell| u64::from(cell)).sum();
    let mean = sum.checked_div(u64::try_from(cells.len()).ok()?)?;
    BitsQuanta::try_from(mean).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reports(list: &[(u8, u64, u32)]) -> Vec<CellReport<u8>> {
        let report = |&(coldkey, stake, value): &(u8, u64, u32)| CellReport {
            coldkey,
            stake,
            value,
        };
        list.iter().map(report).collect()
    }

    #[test]
    fn a_cell_is_the_stake_weighted_median() {
        let value = |list: &[(u8, u64, u32)]| cell_value(&reports(list), 2);
        assert_eq!(value(&[(1, 10, 100), (2, 30, 200), (3, 10, 300)]), Some(200));
        assert_eq!(value(&[(1, 51, 300), (2, 49, 100)]), Some(300));
        assert_eq!(value(&[(1, 50, 300), (2, 50, 100)]), Some(100));
        assert_eq!(value(&[(1, 50, 300), (1, 50, 100)]), None);
        assert_eq!(value(&[(1, 0, 300), (2, 0, 100)]), None);
        assert_eq!(value(&[(1, 0, 300), (2, 1, 100)]), Some(100));
        assert_eq!(value(&[(1, u64::MAX, 300), (2, u64::MAX, 100)]), Some(100));
        assert_eq!(value(&[]), None);
    }

    fn arms(champion: u32, challenger: u32) -> ArmValues {
        ArmValues {
            champion: Some(champion),
            challenger: Some(challenger),
            ore: Some(27_000),
            pure: Some(22_000),
        }
    }

    #[test]
    fn the_lead_is_in_thousandths_of_the_span() {
        // 50 of 5,000 units: 10 points; the domains of a seed are averaged.
        let seeds = vec![vec![arms(24_100, 24_000), arms(24_000, 24_000)]; 4];
        let found = duel_points(&seeds, 0.0).unwrap();
        assert!((found.points - 10.0).abs() < 1e-9 && found.standard_error < 1e-9);
        assert_eq!(found.seeds, 4);
    }

    #[test]
    fn incomplete_seeds_are_dropped() {
        let mut seeds = vec![vec![arms(24_100, 24_000); 2]; 5];
        seeds[1][0].pure = None;
        assert_eq!(duel_points(&seeds, 0.0).unwrap().seeds, 4);
        seeds[2].pop();
        assert_eq!(duel_points(&seeds, 0.0), Err(StatisticsError::Seeds { found: 3 }));
        assert_eq!(
            duel_points::<Vec<ArmValues>>(&[], 0.0),
            Err(StatisticsError::Seeds { found: 0 })
        );
        assert_eq!(
            duel_points(&[const { Vec::new() }; 9], 0.0),
            Err(StatisticsError::Seeds { found: 0 })
        );
    }

    #[test]
    fn mean_bits_floor() {
        assert_eq!(mean_bits(&[10, 11]), Some(10));
        assert_eq!(mean_bits(&[u32::MAX; 3]), Some(u32::MAX));
        assert_eq!(mean_bits(&[]), None);
    }

    proptest! {
        #[test]
        fn a_minority_of_stake_cannot_leave_the_honest_range(
            honest in prop::collection::vec((10_u64..20, 1_000_u32..1_100), 3..8), lie in any::<u32>(),
        ) {
            let mut list: Vec<(u8, u64, u32)> =
                (0..).zip(&honest).map(|(key, &(stake, value))| (key, stake, value)).collect();
            let stake: u64 = honest.iter().map(|(stake, _)| stake).sum();
            list.push((99, stake - 1, lie));
            let value = cell_value(&reports(&list), 2).unwrap();
            prop_assert!((1_000..1_100).contains(&value), "a liar moved the cell to {value}");
        }
    }
}
