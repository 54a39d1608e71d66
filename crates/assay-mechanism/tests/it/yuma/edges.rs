//! Yuma at the edges: no neurons, one, no weights, all stake on one, a full subnet.

use super::chain::{Chain, EMISSION, FULL, emission};
use assay_mechanism::yuma::{BondRule, Fixed, LiquidAlpha, Subnet, YumaParams, epoch};

#[test]
fn edges_no_neurons_one_neuron_no_weights() {
    assert!(epoch(&Subnet::default(), EMISSION).is_empty());
    let mut one = Chain::new(&[5], 1, YumaParams::default());
    one.at(1);
    one.set(0, &[(0, FULL)]);
    let outcome = &one.run()[0];
    // Its weight on itself does not count; the alpha goes by stake.
    assert_eq!(
        (outcome.miner_emission, outcome.validator_emission),
        (0, EMISSION)
    );
    one.0.owner = Some(0);
    let outcome = &one.run()[0];
    assert_eq!(
        (outcome.miner_emission, outcome.validator_emission),
        (EMISSION / 2, EMISSION / 2)
    );
    let mut idle = Chain::new(&[3, 1, 0], 2, YumaParams::default());
    idle.at(1);
    assert_eq!(emission(&idle.run()), [750_000_000, 250_000_000, 0]);
    idle.at(100_000);
    assert_eq!(emission(&idle.run()), [750_000_000, 250_000_000, 0]);
    let mut poor = Chain::new(&[0, 0], 2, YumaParams::default());
    poor.at(1);
    assert_eq!(emission(&poor.run()), [0, 0]);
}

#[test]
fn edges_all_zero_weights_and_all_stake_on_one() {
    for rule in [
        BondRule::Classic,
        BondRule::Yuma3,
        BondRule::Yuma3Liquid(LiquidAlpha::default()),
    ] {
        let params = YumaParams {
            bonds: rule,
            ..YumaParams::default()
        };
        let mut chain = Chain::new(&[u64::MAX, 0, 0, 0], 2, params);
        chain.at(1);
        chain.set(0, &[(1, 0), (2, 0), (3, 0)]);
        assert_eq!(emission(&chain.run()), [EMISSION, 0, 0, 0]);
        chain.set(0, &[(2, 30_000), (3, 30_000)]);
        chain.set(1, &[(3, FULL)]);
        let outcomes = chain.run();
        assert_eq!(emission(&outcomes), [500_000_000, 0, 250_000_000, 250_000_000]);
        assert_eq!(outcomes[0].validator_trust, Fixed::ONE);
    }
}

#[test]
fn edges_a_full_subnet_of_256_uids() {
    let stakes: Vec<u64> = (0..256)
        .map(|uid| if uid < 64 { 1_000 + uid } else { 0 })
        .collect();
    for rule in [BondRule::Classic, BondRule::Yuma3] {
        let params = YumaParams {
            bonds: rule,
            ..YumaParams::default()
        };
        let mut chain = Chain::new(&stakes, 64, params);
        let weights: Vec<(u16, u16)> = (64..256).map(|uid| (uid, uid * 200)).collect();
        for block in 1..4 {
            chain.at(block);
            for uid in 0..64 {
                chain.set(uid, &weights);
            }
            let outcomes = chain.run();
            let paid: u64 = emission(&outcomes).iter().sum();
            assert!(EMISSION - paid <= 512, "paid {paid}");
            assert!(outcomes[255].incentive > outcomes[64].incentive);
            assert_eq!(outcomes.iter().filter(|outcome| outcome.permit).count(), 64);
        }
    }
}
