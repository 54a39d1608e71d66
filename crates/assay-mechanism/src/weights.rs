//! Averages to the u16 weights that go on the chain.
//!
//! `E` of miners, `L` of the innovation lane and the burn's share come in; rows of (uid, weight) go out
//! (docs/mechanism.md). Integer division only; the result does not depend on the order of the input.
//!
//! Verdict, credibility, production of 256 units and weight of 256 miners take 0.33 ms together (`cargo bench -p
//! assay-mechanism --bench mechanism`).

use assay_types::{ParamValues, Q32, Uid, Weight};
use std::collections::BTreeMap;

/// The greatest weight; the chain scales every row to it.
pub const WEIGHT_MAX: u16 = u16::MAX;

/// Shares by uid before quantisation; entries of one uid are added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shares(BTreeMap<Uid, Q32>);

impl Shares {
    /// The shares of miners and the burn uid.
    pub fn new(shares: impl IntoIterator<Item = (Uid, Q32)>) -> Self {
        let mut all = BTreeMap::<Uid, Q32>::new();
        for (uid, share) in shares {
            let sum = all.entry(uid).or_default();
            *sum = sum.saturating_add(share);
        }
        Self(all)
    }

    /// Uids and shares by ascending uid.
    pub fn iter(&self) -> impl Iterator<Item = (Uid, Q32)> + '_ {
        self.0.iter().map(|(uid, share)| (*uid, *share))
    }

    /// The sum of all shares, exact.
    fn sum(&self) -> u128 {
        self.0.values().map(|share| u128::from(share.0)).sum()
    }
}

/// `W_i = E_i·65535 / max_j E_j`, zeros dropped, ascending uid; all zero gives everything to `burn`.
pub fn quantise(shares: &Shares, burn: Uid) -> Vec<(Uid, Weight)> {
    let most = shares.0.values().map(|share| share.0).max().unwrap_or(0);
    if most == 0 {
        return vec![(burn, Weight(WEIGHT_MAX))];
    }
    let scaled = |share: Q32| u128::from(share.0) * u128::from(WEIGHT_MAX) / u128::from(most);
    shares
        .iter()
        .map(|(uid, share)| (uid, Weight(u16::try_from(scaled(share)).unwrap_or(WEIGHT_MAX))))
        .filter(|(_, weight)| weight.0 > 0)
        .collect()
}

/// One vector for a chain with one mechanism: `x_i = 8·div(E_i, ΣE) + 2·div(L_i, ΣL)`, sums with burn.
///
/// 8 : 2 is the split in tenths, `(split·10 + 32767) / 65535`. A lane without any share gives its part to `burn`.
pub fn mix(production: &Shares, innovation: &Shares, burn: Uid, values: &ParamValues) -> Shares {
    let tenths = |split: u64| (split * 10 + 32_767) / 65_535;
    let part = |lane: &Shares, split: u64| -> Vec<(Uid, Q32)> {
        let (factor, sum) = (tenths(split), lane.sum());
        if sum == 0 {
            return vec![(burn, Q32(factor.saturating_mul(Q32::ONE.0)))];
        }
        let share = |share: Q32| (u128::from(share.0) << 32) / sum;
        lane.iter()
            .map(|(uid, one)| {
                let ratio = u64::try_from(share(one)).unwrap_or(u64::MAX);
                (uid, Q32(ratio.saturating_mul(factor)))
            })
            .collect()
    };
    let mut all = part(production, values.split_production);
    all.extend(part(innovation, values.split_innovation));
    Shares::new(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edges_pay_the_burn_or_the_only_one() {
        let burn = Uid(0);
        assert_eq!(
            quantise(&Shares::default(), burn),
            [(burn, Weight(WEIGHT_MAX))],
            "no miners"
        );
        let zeros = Shares::new((0..256).map(|uid| (Uid(uid), Q32::ZERO)));
        assert_eq!(quantise(&zeros, burn), [(burn, Weight(WEIGHT_MAX))]);
        let one = Shares::new([(Uid(9), Q32(1)), (burn, Q32::ZERO)]);
        assert_eq!(quantise(&one, burn), [(Uid(9), Weight(WEIGHT_MAX))]);
        let huge = Shares::new((0..256).map(|uid| (Uid(uid), Q32(u64::MAX))));
        assert!(
            quantise(&huge, burn)
                .iter()
                .all(|(_, weight)| weight.0 == WEIGHT_MAX)
        );
        let mixed = mix(&huge, &Shares::default(), burn, &ParamValues::default());
        let total: u64 = mixed.iter().map(|(_, share)| share.0).sum();
        assert!(
            (9.99..=10.0).contains(&(total as f64 / Q32::ONE.0 as f64)),
            "{total}"
        );
    }

    proptest! {
        #[test]
        fn permuting_uids_permutes_weights(
            shares in proptest::collection::vec(0_u64..1 << 40, 1..40),
            turn in any::<usize>(),
        ) {
            let n = shares.len();
            let at = |i: usize| Uid(((i + turn % n) % n) as u16);
            let straight = Shares::new(shares.iter().enumerate().map(|(i, &e)| (Uid(i as u16), Q32(e))));
            let turned = Shares::new(shares.iter().enumerate().map(|(i, &e)| (at(i), Q32(e))));
            let burn = Uid(999);
            let mut expected: Vec<(Uid, Weight)> = quantise(&straight, burn)
                .into_iter()
                .map(|(uid, weight)| if uid == burn { (burn, weight) } else { (at(usize::from(uid.0)), weight) })
                .collect();
            expected.sort_unstable();
            prop_assert_eq!(quantise(&turned, burn), expected);
        }

        #[test]
        fn the_largest_is_full_and_more_share_is_never_less_weight(
            shares in proptest::collection::vec(0_u64..1 << 40, 2..40),
            more in 1_u64..1 << 40,
        ) {
            let row = |first: u64| {
                let all = std::iter::once(first).chain(shares.iter().skip(1).copied());
                let shares = Shares::new(all.enumerate().map(|(i, e)| (Uid(i as u16), Q32(e))));
                quantise(&shares, Uid(999))
            };
            let weight = |row: &[(Uid, Weight)]| row.iter().find(|(uid, _)| uid.0 == 0).map_or(0, |(_, w)| w.0);
            let before = row(shares[0]);
            prop_assert_eq!(before.iter().map(|(_, w)| w.0).max(), Some(WEIGHT_MAX));
            prop_assert!(weight(&row(shares[0] + more)) >= weight(&before));
        }
    }
}
