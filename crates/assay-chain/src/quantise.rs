//! Scores to the weights the chain takes: integers relative to the largest, which becomes 65,535.

use assay_types::{Uid, Weight};

/// `round(value / largest · 65,535)`, halves up, in integers; targets whose weight rounds to 0 are left out.
///
/// The order is kept. All zeros, or no scores, give no weights.
pub fn quantise(scores: &[(Uid, u64)]) -> Vec<(Uid, Weight)> {
    let largest = u128::from(scores.iter().map(|(_, score)| *score).max().unwrap_or(0));
    if largest == 0 {
        return Vec::new();
    }
    let scaled = |score: u64| {
        let twice = 2 * u128::from(score) * u128::from(u16::MAX) + largest;
        u16::try_from(twice / (2 * largest)).unwrap_or(u16::MAX)
    };
    scores
        .iter()
        .map(|&(uid, score)| (uid, Weight(scaled(score))))
        .filter(|(_, weight)| weight.0 > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scores_become_shares_of_the_largest() {
        let check = |scores: &[u64], expected: &[u16]| {
            let scores: Vec<(Uid, u64)> = (0..).map(Uid).zip(scores.iter().copied()).collect();
            let found: Vec<u16> = quantise(&scores).iter().map(|(_, weight)| weight.0).collect();
            assert_eq!(found, expected, "{scores:?}");
        };
        check(&[1, 2, 3], &[21_845, 43_690, 65_535]);
        check(&[3, 0, 1_000_000], &[65_535]);
        check(&[1, 131_070], &[1, 65_535]);
        check(&[1, 131_071], &[65_535]);
        check(&[u64::MAX, u64::MAX / 2], &[65_535, 32_767]);
        check(&[0, 0], &[]);
        check(&[], &[]);
    }

    proptest! {
        #[test]
        fn order_is_kept_and_the_largest_is_full(scores in proptest::collection::vec(any::<u64>(), 1..64)) {
            let scores: Vec<(Uid, u64)> = (0..).map(Uid).zip(scores).collect();
            let weights = quantise(&scores);
            prop_assert!(weights.is_empty() || weights.iter().any(|(_, weight)| weight.0 == u16::MAX));
            let score = |uid: Uid| scores[usize::from(uid.0)].1;
            for pair in weights.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0);
                prop_assert!(score(pair[0].0) <= score(pair[1].0) || pair[0].1 >= pair[1].1);
            }
        }
    }
}
