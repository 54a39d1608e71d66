//! Bonds: the memory of who backed whom, and the dividends they pay.
//!
//! Stored bonds, weights, consensus and incentive come in; new bonds and dividends leave for [`super::epoch()`]. Source:
//! chain reference §1.10 step 3 (opentensor/subtensor 14bc6f9 `epoch/run_epoch.rs`: `compute_bonds_sparse`,
//! `compute_ema_bonds_normal_sparse`, `alpha_sigmoid`).

use super::fixed::{Fixed, normalize};
use super::matrix::Matrix;
use super::subnet::{BondRule, LiquidAlpha, Neuron, Subnet};

/// What the bonds of an epoch are computed from.
pub(crate) struct BondInputs<'a> {
    /// `A`: active stake.
    pub(crate) active_stake: &'a [Fixed],
    /// `W`: normalised weights.
    pub(crate) weights: &'a Matrix,
    /// `Wc`: weights clipped at consensus.
    pub(crate) clipped: &'a Matrix,
    /// `C`: consensus.
    pub(crate) consensus: &'a [Fixed],
    /// `I`: incentive.
    pub(crate) incentive: &'a [Fixed],
}

/// New bonds as the chain stores them (before the floor to `u16`), and `D`.
pub(crate) fn bonds_and_dividends(subnet: &Subnet, inputs: &BondInputs<'_>) -> (Matrix, Vec<Fixed>) {
    let for_bonds = penalized(subnet, inputs);
    let rate = rate(subnet.params.bonds_moving_average);
    match subnet.params.bonds {
        BondRule::Classic => classic(subnet, inputs, &for_bonds, rate),
        BondRule::Yuma3 => yuma3(subnet, inputs, |old| {
            for_bonds.combine(old, |_, _, new, old| blend(rate, new, old))
        }),
        BondRule::Yuma3Liquid(bounds) => yuma3(subnet, inputs, |old| {
            let agreed = inputs.consensus.iter().any(|&c| c != Fixed::ZERO);
            for_bonds.combine(old, |_, j, new, old| {
                if new == Fixed::ZERO && old == Fixed::ZERO {
                    return Fixed::ZERO; // whatever the rate, which is the costly part
                }
                let consensus = inputs.consensus.get(j).copied().unwrap_or_default();
                let rate = if agreed {
                    liquid_rate(bounds, consensus, new, old)
                } else {
                    rate
                };
                blend(rate, new, old)
            })
        }),
    }
}

/// `1 − bonds_moving_average/10^6`, the average truncated to 32 fraction bits; an average above one counts as one.
fn rate(bonds_moving_average: u32) -> Fixed {
    let kept = (u64::from(bonds_moving_average.min(1_000_000)) << 32) / 1_000_000;
    Fixed::ONE.sub(Fixed::from_bits(kept as i64))
}

/// `Wb = W + penalty·(Wc − W)`; exactly W or Wc at the ends.
fn penalized(subnet: &Subnet, inputs: &BondInputs<'_>) -> Matrix {
    match subnet.params.bonds_penalty {
        0 => inputs.weights.clone(),
        u16::MAX => inputs.clipped.clone(),
        share => {
            let penalty = Fixed::share(share);
            inputs.weights.combine(inputs.clipped, |_, _, w, c| {
                w.add(penalty.mul(c.sub(w))).max(Fixed::ZERO)
            })
        }
    }
}

/// `rate·new + (1 − rate)·old`.
fn blend(rate: Fixed, new: Fixed, old: Fixed) -> Fixed {
    rate.mul(new).add(Fixed::ONE.sub(rate).mul(old))
}

fn classic(
    subnet: &Subnet,
    inputs: &BondInputs<'_>,
    for_bonds: &Matrix,
    rate: Fixed,
) -> (Matrix, Vec<Fixed>) {
    let mut old = stored_bonds(subnet, Fixed::whole);
    old.normalize_columns();
    let mut delta = for_bonds.scale_rows(inputs.active_stake);
    delta.normalize_columns();
    let mut bonds = delta.combine(&old, |_, _, new, old| blend(rate, new, old));
    bonds.normalize_columns();
    let mut dividends = bonds.row_products(inputs.incentive);
    normalize(&mut dividends);
    bonds.upscale_columns();
    (bonds, dividends)
}

fn yuma3(
    subnet: &Subnet,
    inputs: &BondInputs<'_>,
    moved: impl FnOnce(&Matrix) -> Matrix,
) -> (Matrix, Vec<Fixed>) {
    let bonds = moved(&stored_bonds(subnet, Fixed::share));
    let mut shares = bonds.clone();
    shares.normalize_columns();
    let mut dividends: Vec<Fixed> = shares
        .row_products(inputs.incentive)
        .into_iter()
        .zip(inputs.active_stake)
        .map(|(bond, &stake)| bond.mul(stake))
        .collect();
    normalize(&mut dividends);
    (bonds, dividends)
}

/// Stored bonds by `scale`, without those to neurons that registered at or after the last step.
fn stored_bonds(subnet: &Subnet, scale: impl Fn(u16) -> Fixed) -> Matrix {
    let last_step = if subnet.last_step.0 == 0 {
        subnet.block.0.saturating_sub(u32::from(subnet.tempo))
    } else {
        subnet.last_step.0.saturating_add(1)
    };
    let n = subnet.neurons.len();
    let row = |from: &Neuron| {
        let mut row = vec![Fixed::ZERO; n];
        for &(uid, bond) in &from.bonds {
            let j = usize::from(uid);
            if let (Some(cell), Some(to)) = (row.get_mut(j), subnet.neurons.get(j))
                && last_step > to.registered.0
            {
                *cell = scale(bond);
            }
        }
        row
    };
    Matrix::new(n, |i| match subnet.neurons.get(i) {
        Some(from) if !from.bonds.is_empty() => row(from),
        _ => Vec::new(),
    })
}

/// Rate of one cell: between `low` and `high` by a sigmoid of how far the validator buys above consensus, or sells below
/// its own bond: `low + (high − low)/(1 + e^(−steepness/100·(difference − 1/2)))`.
fn liquid_rate(bounds: LiquidAlpha, consensus: Fixed, weight: Fixed, bond: Fixed) -> Fixed {
    let (low, high) = (Fixed::share(bounds.low), Fixed::share(bounds.high));
    let difference = if weight >= bond {
        weight.sub(consensus)
    } else {
        bond.sub(weight)
    };
    let difference = difference.clamp(Fixed::ZERO, Fixed::ONE);
    let steepness = Fixed::from_bits((i64::from(bounds.steepness) << 32) / -100);
    let exponent = steepness.mul(difference.sub(Fixed::from_bits(1 << 31)));
    let sigmoid = Fixed::ONE.div(Fixed::ONE.add(exponent.exp()));
    low.add(sigmoid.mul(high.sub(low))).min(high).max(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_the_default_average_is_a_tenth() {
        assert_eq!(rate(900_000), Fixed::from_bits(429_496_730));
        assert_eq!(rate(1_000_000), Fixed::ZERO);
        assert_eq!(rate(u32::MAX), Fixed::ZERO);
    }

    #[test]
    fn the_liquid_rate_moves_between_its_bounds() {
        // .1013 = .1 + .2/(1 + e^5): test_yuma_3_kappa_moves_first, epoch 0, of the runtime's tests.
        let bounds = LiquidAlpha {
            low: 6_553,
            high: 19_660,
            steepness: 1_000,
        };
        let close = |rate: Fixed, expected: f64| {
            let found = rate.to_bits() as f64 / 4_294_967_296.0;
            assert!((found - expected).abs() < 2e-5, "{found} is not {expected}");
        };
        close(liquid_rate(bounds, Fixed::ONE, Fixed::ONE, Fixed::ZERO), 0.10134);
        close(liquid_rate(bounds, Fixed::ZERO, Fixed::ONE, Fixed::ZERO), 0.29866);
        close(
            liquid_rate(bounds, Fixed::ZERO, Fixed::ZERO, Fixed::from_bits(1 << 31)),
            0.2,
        );
        let flat = LiquidAlpha {
            steepness: 0,
            ..bounds
        };
        close(liquid_rate(flat, Fixed::ZERO, Fixed::ONE, Fixed::ZERO), 0.2);
    }
}
