//! One epoch of Yuma consensus: from stake, weights and bonds to incentive, dividends and emission.
//!
//! A [`Subnet`] and the epoch's alpha come in; an [`Outcome`] per uid leaves, with the same bits as the runtime's
//! (chain reference §1.10; opentensor/subtensor 14bc6f9 `epoch/run_epoch.rs`, the sparse version).

use super::bonds::{BondInputs, bonds_and_dividends};
use super::consensus::{
    active, active_stake, masked_weights, new_permits, normalized_stake, weighted_median,
};
use super::fixed::{Fixed, divide_by, normalize, sum};
use super::matrix::Matrix;
use super::subnet::{Neuron, Subnet};

/// What an epoch decides about one uid. The chain stores the [`Fixed`] values as [`Fixed::to_share`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `S`: share of the subnet's stake.
    pub stake: Fixed,
    /// Whether it set weights within the activity cutoff.
    pub active: bool,
    /// `C`: what a stake majority of `kappa` gives it at least.
    pub consensus: Fixed,
    /// Validator trust: how much of its weights lies within consensus.
    pub validator_trust: Fixed,
    /// `I`: share of the miners' half.
    pub incentive: Fixed,
    /// `D`: share of the validators' half.
    pub dividends: Fixed,
    /// Permit for the next epoch.
    pub permit: bool,
    /// Bonds to store: (uid, bond), ascending uid, without zeros.
    pub bonds: Vec<(u16, u16)>,
    /// Alpha for mining, rao.
    pub miner_emission: u64,
    /// Alpha for validating, rao.
    pub validator_emission: u64,
    /// The uid's share of all alpha, rao: what `Emission` shows and pruning compares. It is rounded by itself, so it may
    /// differ from the sum of the two parts by a rao.
    pub emission: u64,
}

/// Runs one epoch that distributes `emission` rao; one outcome per uid, in uid order.
///
/// No neurons give an empty list. If nothing was agreed on (no weights, or all clipped away without dividends), all
/// alpha goes by active stake, and by stake if none is active. The result does not depend on the order of rows, only
/// on uids: sums run in uid order.
pub fn epoch(subnet: &Subnet, emission: u64) -> Vec<Outcome> {
    let stake = normalized_stake(subnet);
    let active = active(subnet);
    let active_stake = active_stake(subnet, &stake, &active);
    let weights = masked_weights(subnet);
    let consensus = weighted_median(&active_stake, &weights, Fixed::share(subnet.params.kappa));
    let clipped = weights.clip_columns(&consensus);
    let validator_trust = clipped.row_sums();
    let mut incentive = clipped.column_products(&active_stake);
    normalize(&mut incentive);
    let inputs = BondInputs {
        active_stake: &active_stake,
        weights: &weights,
        clipped: &clipped,
        consensus: &consensus,
        incentive: &incentive,
    };
    let (bonds, dividends) = bonds_and_dividends(subnet, &inputs);
    let shares = Shares::new(&incentive, &dividends, &active_stake, &stake);
    let permits = new_permits(subnet, &stake);
    let at = |values: &[Fixed], uid: usize| values.get(uid).copied().unwrap_or_default();
    subnet
        .neurons
        .iter()
        .enumerate()
        .map(|(uid, neuron)| {
            let permit = permits.get(uid).copied().unwrap_or_default();
            Outcome {
                stake: at(&stake, uid),
                active: active.get(uid).copied().unwrap_or_default(),
                consensus: at(&consensus, uid),
                validator_trust: at(&validator_trust, uid),
                incentive: at(&incentive, uid),
                dividends: at(&dividends, uid),
                permit,
                bonds: kept_bonds(neuron, permit, &bonds, uid),
                miner_emission: paid(at(&shares.miner, uid), emission),
                validator_emission: paid(at(&shares.validator, uid), emission),
                emission: paid(at(&shares.combined, uid), emission),
            }
        })
        .collect()
}

/// How the epoch's alpha is split, each share over the sum of both halves.
struct Shares {
    miner: Vec<Fixed>,
    validator: Vec<Fixed>,
    combined: Vec<Fixed>,
}

impl Shares {
    fn new(incentive: &[Fixed], dividends: &[Fixed], active_stake: &[Fixed], stake: &[Fixed]) -> Self {
        let mut combined: Vec<Fixed> = incentive.iter().zip(dividends).map(|(i, d)| i.add(*d)).collect();
        let total = sum(&combined);
        let mut miner = incentive.to_vec();
        let mut validator = dividends.to_vec();
        divide_by(&mut miner, total);
        divide_by(&mut validator, total);
        divide_by(&mut combined, total);
        if total == Fixed::ZERO {
            let fallback = if sum(active_stake) == Fixed::ZERO {
                stake
            } else {
                active_stake
            };
            validator = fallback.to_vec();
            combined = fallback.to_vec();
        }
        Self {
            miner,
            validator,
            combined,
        }
    }
}

/// `floor(share·emission)` for a share of 0…1.
fn paid(share: Fixed, emission: u64) -> u64 {
    let share = u128::try_from(share.to_bits()).unwrap_or(0);
    u64::try_from((share * u128::from(emission)) >> 32).unwrap_or(u64::MAX)
}

/// The bonds row to store: the new one for permit holders, none for those who lose the permit, unchanged for others.
fn kept_bonds(neuron: &Neuron, permit: bool, bonds: &Matrix, uid: usize) -> Vec<(u16, u16)> {
    if !permit {
        return if neuron.permit {
            Vec::new()
        } else {
            neuron.bonds.clone()
        };
    }
    let row = bonds.rows().get(uid).map(Vec::as_slice).unwrap_or_default();
    (0..=u16::MAX)
        .zip(row.iter().map(|bond| bond.to_share()))
        .filter(|&(_, bond)| bond > 0)
        .collect()
}
