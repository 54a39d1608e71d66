//! Properties of Yuma over random subnets: permutation, ranges, what a colluding minority can take.

use super::chain::{Chain, EMISSION, FULL, emission};
use assay_mechanism::yuma::{BondRule, Fixed, LiquidAlpha, Neuron, Stake, Subnet, YumaParams, epoch};
use assay_types::BlockNumber;
use proptest::prelude::*;

/// Random subnets: stakes, weights, bonds and blocks of a few neurons.
fn subnets() -> impl Strategy<Value = Subnet> {
    let rule = prop_oneof![
        Just(BondRule::Classic),
        Just(BondRule::Yuma3),
        Just(BondRule::Yuma3Liquid(LiquidAlpha::default())),
    ];
    let neuron = (
        0_u64..1_000,
        (0_u32..20, 0_u32..20, prop::option::of(0_u32..20)),
        any::<bool>(),
        prop::collection::vec((0_u16..9, any::<u16>()), 0..6),
        prop::collection::vec((0_u16..9, any::<u16>()), 0..6),
    );
    let neuron = neuron.prop_map(
        |(rao, (registered, last_update, commit), permit, mut weights, mut bonds)| {
            for list in [&mut weights, &mut bonds] {
                list.sort_unstable();
                list.dedup_by_key(|(uid, _)| *uid);
            }
            Neuron {
                stake: Stake::from_rao(rao),
                registered: BlockNumber(registered),
                last_update: BlockNumber(last_update),
                commit: commit.map(BlockNumber),
                permit,
                weights,
                bonds,
            }
        },
    );
    let params = (any::<u16>(), any::<u16>(), 0_u32..1_000_000, 1_u16..10, rule);
    let params = params.prop_map(
        |(kappa, bonds_penalty, bonds_moving_average, validators_max, bonds)| YumaParams {
            kappa,
            bonds_penalty,
            bonds_moving_average,
            validators_max,
            bonds,
            activity_cutoff: 15,
            ..YumaParams::default()
        },
    );
    (prop::collection::vec(neuron, 0..9), params, 20_u32..30, 0_u32..3).prop_map(
        |(neurons, params, block, last)| Subnet {
            block: BlockNumber(block),
            last_step: BlockNumber(last * 5),
            tempo: 5,
            owner: None,
            params,
            neurons,
        },
    )
}

/// The subnet with uid `i` moved to `place[i]`.
fn permuted(subnet: &Subnet, place: &[u16]) -> Subnet {
    let moved = |list: &[(u16, u16)]| -> Vec<(u16, u16)> {
        let to = |&(uid, value): &(u16, u16)| Some((*place.get(usize::from(uid))?, value));
        list.iter().filter_map(to).collect()
    };
    let mut neurons = vec![Neuron::default(); subnet.neurons.len()];
    for (neuron, &to) in subnet.neurons.iter().zip(place) {
        neurons[usize::from(to)] = Neuron {
            weights: moved(&neuron.weights),
            bonds: moved(&neuron.bonds),
            ..neuron.clone()
        };
    }
    Subnet {
        neurons,
        ..subnet.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn permuting_uids_permutes_outcomes(
        subnet in subnets(),
        keys in prop::collection::vec(any::<u32>(), 9),
    ) {
        let n = subnet.neurons.len();
        let mut order: Vec<u16> = (0..n as u16).collect();
        order.sort_by_key(|&uid| keys[usize::from(uid)]);
        let moved = epoch(&permuted(&subnet, &order), EMISSION);
        // Equal stakes are ranked by uid for permits, so those, and the bonds they keep, may differ.
        for (outcome, &to) in epoch(&subnet, EMISSION).iter().zip(&order) {
            let other = &moved[usize::from(to)];
            prop_assert_eq!(outcome.stake, other.stake);
            prop_assert_eq!(outcome.consensus, other.consensus);
            prop_assert_eq!(outcome.validator_trust, other.validator_trust);
            prop_assert_eq!(outcome.incentive, other.incentive);
            prop_assert_eq!(outcome.dividends, other.dividends);
            prop_assert_eq!(outcome.emission, other.emission);
            if outcome.permit == other.permit {
                let mut bonds: Vec<(u16, u16)> = outcome.bonds.iter()
                    .filter(|(uid, _)| usize::from(*uid) < n)
                    .map(|&(uid, bond)| (order[usize::from(uid)], bond))
                    .collect();
                bonds.sort_unstable();
                let mut kept = other.bonds.clone();
                kept.sort_unstable();
                prop_assert_eq!(bonds, kept);
            }
        }
    }

    #[test]
    fn shares_stay_in_range_and_nothing_is_paid_twice(subnet in subnets()) {
        let outcomes = epoch(&subnet, EMISSION);
        for outcome in &outcomes {
            for share in [outcome.stake, outcome.consensus, outcome.validator_trust, outcome.incentive, outcome.dividends] {
                prop_assert!(share >= Fixed::ZERO && share <= Fixed::ONE, "{share:?}");
            }
        }
        prop_assert!(emission(&outcomes).iter().sum::<u64>() <= EMISSION);
        prop_assert!(outcomes.iter().map(|o| o.miner_emission + o.validator_emission).sum::<u64>() <= EMISSION);
    }

    /// P6: without noise colluders with stake c lift their miner by at most c/(1−c); one that honest validators rate
    /// zero gets nothing.
    #[test]
    fn a_colluding_minority_is_clipped(c in 1_u64..50, miners in 2_u16..40) {
        let mut chain = Chain::new(&vec![0; usize::from(miners) + 3], 2, YumaParams::default());
        chain.0.neurons[0].stake = Stake::from_rao(100 - c);
        chain.0.neurons[1].stake = Stake::from_rao(c);
        chain.at(1);
        let honest: Vec<(u16, u16)> = (2..miners + 2).map(|uid| (uid, FULL)).collect();
        chain.set(0, &honest);
        chain.set(1, &honest);
        let fair = chain.run()[2].incentive.to_bits() as f64;
        chain.set(1, &[(2, FULL), (miners + 2, FULL)]);
        let outcomes = chain.run();
        prop_assert_eq!(outcomes[usize::from(miners) + 2].incentive, Fixed::ZERO);
        let lift = outcomes[2].incentive.to_bits() as f64 / fair - 1.0;
        let bound = c as f64 / (100 - c) as f64;
        prop_assert!(lift <= bound + 1e-6, "lift {lift} above {bound}");
        chain.set(1, &[(miners + 2, FULL)]);
        prop_assert_eq!(chain.run()[usize::from(miners) + 2].incentive, Fixed::ZERO);
    }
}
