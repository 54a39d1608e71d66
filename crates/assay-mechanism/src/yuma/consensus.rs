//! Who counts and what they agree on: normalised stake, permits, masked weights and the stake-weighted median.
//!
//! A [`Subnet`] comes in; active stake, weights and consensus leave for [`super::epoch()`]. Source: chain reference
//! §1.10 steps 1 and 2 (opentensor/subtensor 14bc6f9 `epoch/run_epoch.rs`, `epoch/math.rs`).

use super::fixed::{Fixed, normalize, sum};
use super::matrix::Matrix;
use super::subnet::{Neuron, Subnet};

/// `S`: stake over total stake, with stakes below the threshold (the owner's excepted) counted as zero.
///
/// The runtime divides in I64F64 and truncates to I32F32, which is one floor of `stake·2^32 / total`.
pub(crate) fn normalized_stake(subnet: &Subnet) -> Vec<Fixed> {
    let counted = |(uid, neuron): (usize, &Neuron)| {
        let enough = neuron.stake.rao() >= subnet.params.stake_threshold_rao;
        if enough || is_owner(subnet, uid) {
            neuron.stake.bits()
        } else {
            0
        }
    };
    let mut bits: Vec<u128> = subnet.neurons.iter().enumerate().map(counted).collect();
    let checked_total = bits
        .iter()
        .try_fold(0_u128, |total, &stake| total.checked_add(stake));
    let total = match checked_total {
        Some(total) if total < 1 << 127 => total,
        // More than all tokens there can be: the runtime itself would overflow. Scaling keeps the shares.
        _ => {
            for stake in &mut bits {
                *stake >>= 32;
            }
            bits.iter().sum()
        }
    };
    bits.into_iter().map(|stake| fraction(stake, total)).collect()
}

/// `floor(part·2^32 / total)` for `part ≤ total < 2^127`; 0 if `total` is 0.
fn fraction(part: u128, total: u128) -> Fixed {
    if total == 0 {
        return Fixed::ZERO;
    }
    let mut quotient = i64::from(part >= total);
    let mut rest = if part >= total { part - total } else { part };
    for _ in 0..32 {
        rest <<= 1;
        quotient <<= 1;
        if rest >= total {
            rest -= total;
            quotient |= 1;
        }
    }
    Fixed::from_bits(quotient)
}

pub(crate) fn is_owner(subnet: &Subnet, uid: usize) -> bool {
    subnet.owner.is_some_and(|owner| usize::from(owner) == uid)
}

/// Permits for the next epoch: the `validators_max` largest non-zero stakes, the higher uid first on ties, and the owner.
pub(crate) fn new_permits(subnet: &Subnet, stake: &[Fixed]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..stake.len()).collect();
    order.sort_by_key(|&uid| std::cmp::Reverse((stake.get(uid).copied(), uid)));
    let mut permits = vec![false; stake.len()];
    let best = order.into_iter().take(usize::from(subnet.params.validators_max));
    for uid in best.filter(|&uid| stake.get(uid).is_some_and(|&share| share > Fixed::ZERO)) {
        if let Some(permit) = permits.get_mut(uid) {
            *permit = true;
        }
    }
    for (uid, permit) in permits.iter_mut().enumerate() {
        *permit |= is_owner(subnet, uid);
    }
    permits
}

/// Whether each neuron set weights within the activity cutoff.
pub(crate) fn active(subnet: &Subnet) -> Vec<bool> {
    let now = u64::from(subnet.block.0);
    let cutoff = u64::from(subnet.params.activity_cutoff);
    let recent = |neuron: &Neuron| u64::from(neuron.last_update.0) + cutoff >= now;
    subnet.neurons.iter().map(recent).collect()
}

/// `A`: `S` of active permit holders, normalised.
pub(crate) fn active_stake(subnet: &Subnet, stake: &[Fixed], active: &[bool]) -> Vec<Fixed> {
    let rows = stake.iter().zip(active).zip(&subnet.neurons);
    let mut counted: Vec<Fixed> = rows
        .map(|((&share, &active), neuron)| {
            if active && neuron.permit {
                share
            } else {
                Fixed::ZERO
            }
        })
        .collect();
    normalize(&mut counted);
    counted
}

/// `W`: weights of permit holders on others (the owner's on itself too) that were set, and committed, after the target
/// registered; rows normalised.
pub(crate) fn masked_weights(subnet: &Subnet) -> Matrix {
    let n = subnet.neurons.len();
    let mut weights = Matrix::new(n, |i| match subnet.neurons.get(i) {
        Some(from) if from.permit && !from.weights.is_empty() => weight_row(subnet, i, from),
        _ => Vec::new(),
    });
    weights.normalize_rows();
    weights
}

fn weight_row(subnet: &Subnet, i: usize, from: &Neuron) -> Vec<Fixed> {
    let mut row = vec![Fixed::ZERO; subnet.neurons.len()];
    for &(uid, weight) in &from.weights {
        let j = usize::from(uid);
        let (Some(cell), Some(to)) = (row.get_mut(j), subnet.neurons.get(j)) else {
            continue;
        };
        let current =
            from.last_update > to.registered && from.commit.is_none_or(|commit| commit >= to.registered);
        if current && (i != j || is_owner(subnet, i)) {
            *cell = Fixed::whole(weight);
        }
    }
    row
}

/// `C`: per column the stake-weighted median at majority `kappa` over rows with active stake.
///
/// In ascending order of score it is the first score whose cumulative stake exceeds `Σ stake − kappa`; if none does
/// (`kappa` 0) it is the largest. Stake is normalised once more over the rows that count. The runtime finds the same
/// score by pivots; its sums are exact, so the order of search does not matter.
pub(crate) fn weighted_median(stake: &[Fixed], weights: &Matrix, kappa: Fixed) -> Vec<Fixed> {
    let n = stake.len();
    let mut counted: Vec<Fixed> = stake.iter().copied().filter(|&s| s > Fixed::ZERO).collect();
    normalize(&mut counted);
    let minority = sum(&counted).sub(kappa);
    let rows: Vec<&Vec<Fixed>> = stake
        .iter()
        .zip(weights.rows())
        .filter(|(share, _)| **share > Fixed::ZERO)
        .map(|(_, row)| row)
        .collect();
    let mut scored: Vec<(Fixed, Fixed)> = Vec::with_capacity(rows.len());
    (0..n)
        .map(|j| {
            let cells = rows.iter().map(|row| row.get(j).copied().unwrap_or_default());
            scored.clear();
            scored.extend(cells.zip(counted.iter().copied()));
            median(&mut scored, minority)
        })
        .collect()
}

/// The first score, ascending, whose cumulative stake exceeds `minority`; the largest if none does, 0 if there is none.
fn median(scored: &mut [(Fixed, Fixed)], minority: Fixed) -> Fixed {
    scored.sort_unstable();
    let mut cumulative = Fixed::ZERO;
    for (at, &(score, stake)) in scored.iter().enumerate() {
        cumulative = cumulative.add(stake);
        // Equal scores form one step: stake of a tie counts wholly before the next score.
        let last_of_tie = scored.get(at + 1).is_none_or(|&(next, _)| next != score);
        if last_of_tie && cumulative > minority {
            return score;
        }
    }
    scored.last().map_or(Fixed::ZERO, |&(score, _)| score)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yuma::subnet::{Stake, YumaParams};
    use assay_types::BlockNumber;
    use proptest::prelude::*;

    fn ratio(hundredths: i64) -> Fixed {
        Fixed::from_bits((hundredths << 32) / 100)
    }

    #[test]
    fn the_median_vectors_of_the_chain_reference() {
        // Chain reference §1.10: stake [0, .75, .25, 0], rows [0,.1,0], [0,.2,.4], [0,.3,.1], [0,.4,.5].
        let stake = [0, 75, 25, 0].map(ratio);
        let rows = [[0, 10, 0], [0, 20, 40], [0, 30, 10], [0, 40, 50]];
        let weights = Matrix::new(4, |i| rows[i].map(ratio).to_vec());
        let check = |kappa: i64, expected: [i64; 3]| {
            let median = weighted_median(&stake, &weights, ratio(kappa));
            assert_eq!(median[..3], expected.map(ratio), "kappa {kappa} %");
        };
        check(24, [0, 30, 40]);
        check(26, [0, 20, 40]);
        check(76, [0, 20, 10]);
    }

    #[test]
    fn the_median_at_the_ends_of_kappa() {
        let stake = [50, 50].map(ratio);
        let weights = Matrix::new(2, |i| vec![ratio([20, 70][i]), Fixed::ZERO]);
        assert_eq!(weighted_median(&stake, &weights, Fixed::ZERO)[0], ratio(70));
        assert_eq!(weighted_median(&stake, &weights, Fixed::ONE)[0], ratio(20));
        assert_eq!(
            weighted_median(&[Fixed::ZERO; 2], &weights, ratio(50))[0],
            Fixed::ZERO
        );
    }

    fn neuron(rao: u64) -> Neuron {
        Neuron {
            stake: Stake::from_rao(rao),
            permit: true,
            ..Neuron::default()
        }
    }

    fn subnet(stakes: &[u64]) -> Subnet {
        Subnet {
            neurons: stakes.iter().map(|&rao| neuron(rao)).collect(),
            ..Subnet::default()
        }
    }

    #[test]
    fn stake_is_one_floor_of_its_share() {
        let shares = normalized_stake(&subnet(&[1, 2, 3, 4]));
        let expected = [1_i64, 2, 3, 4].map(|s| Fixed::from_bits((s << 32) / 10));
        assert_eq!(shares, expected);
        assert_eq!(normalized_stake(&subnet(&[0, 0])), [Fixed::ZERO; 2]);
        let huge = normalized_stake(&subnet(&[u64::MAX; 256]));
        assert_eq!(huge, [Fixed::from_bits(1 << 24); 256]);
    }

    #[test]
    fn stake_below_the_threshold_counts_for_the_owner_only() {
        let mut subnet = subnet(&[5, 5, 10]);
        subnet.params.stake_threshold_rao = 6;
        subnet.owner = Some(1);
        let shares = normalized_stake(&subnet);
        assert_eq!(shares[0], Fixed::ZERO);
        assert_eq!(shares[1], Fixed::from_bits((5 << 32) / 15));
    }

    #[test]
    fn permits_go_to_the_higher_uid_on_ties() {
        let mut subnet = subnet(&[7, 7, 7, 0, 9]);
        subnet.params = YumaParams {
            validators_max: 2,
            ..YumaParams::default()
        };
        let stake = normalized_stake(&subnet);
        assert_eq!(new_permits(&subnet, &stake), [false, false, true, false, true]);
        subnet.owner = Some(3);
        assert_eq!(new_permits(&subnet, &stake), [false, false, true, true, true]);
        subnet.params.validators_max = 9;
        subnet.owner = None;
        assert_eq!(new_permits(&subnet, &stake), [true, true, true, false, true]);
    }

    #[test]
    fn weights_older_than_the_target_are_dropped() {
        let mut subnet = subnet(&[1, 1, 1]);
        subnet.neurons[1].registered = BlockNumber(10);
        subnet.neurons[0].weights = vec![(0, 9), (1, 30), (2, 90), (7, 5)];
        let row = |subnet: &Subnet| masked_weights(subnet).rows()[0].clone();
        subnet.neurons[0].last_update = BlockNumber(10);
        assert_eq!(row(&subnet), [Fixed::ZERO, Fixed::ZERO, Fixed::ONE]);
        subnet.neurons[0].last_update = BlockNumber(11);
        assert_eq!(row(&subnet)[1], Fixed::from_bits(1 << 30));
        subnet.neurons[0].commit = Some(BlockNumber(9));
        assert_eq!(row(&subnet)[1], Fixed::ZERO);
        subnet.neurons[0].commit = Some(BlockNumber(10));
        assert_eq!(row(&subnet)[1], Fixed::from_bits(1 << 30));
        subnet.owner = Some(0);
        assert_eq!(row(&subnet)[0], Fixed::whole(9).div(Fixed::whole(129)));
        subnet.neurons[0].permit = false;
        assert!(row(&subnet).is_empty());
    }

    proptest! {
        #[test]
        fn a_minority_cannot_lift_the_median(c in 1_i64..50, lift in 0_i64..=100) {
            // Colluders with stake c < 1/2 raise a column that all others rate zero: consensus stays zero.
            let stake = [ratio(c), Fixed::ONE.sub(ratio(c))];
            let weights = Matrix::new(2, |i| vec![if i == 0 { ratio(lift) } else { Fixed::ZERO }; 2]);
            let median = weighted_median(&stake, &weights, Fixed::share(32_767));
            prop_assert_eq!(median[0], Fixed::ZERO);
        }
    }
}
