//! Yuma against the runtime's own test vectors.
//!
//! Y1, Y2 and Y3 are the integers of opentensor/subtensor 14bc6f9 `pallets/subtensor/src/tests/epoch.rs` (`test_bonds`,
//! `test_active_stake`, the setting of `test_yuma_3_liquid_alpha_disabled`); the liquid-alpha tables are that file's
//! `test_yuma_3_*`, which it asserts to 1e-3.

use super::chain::{Chain, FULL, bonds_to, emission};
use assay_mechanism::yuma::{BondRule, Fixed, LiquidAlpha, YumaParams};
use assay_types::BlockNumber;

/// Cuts to ten decimals, as the runtime's log prints.
fn decimals(values: impl Iterator<Item = Fixed>) -> Vec<u64> {
    let cut = |value: Fixed| (value.to_bits() as u128 * 10_000_000_000 + (1 << 31)) >> 32;
    values.map(|value| cut(value) as u64).collect()
}

fn classic(bonds_penalty: u16) -> YumaParams {
    YumaParams {
        bonds: BondRule::Classic,
        bonds_penalty,
        ..YumaParams::default()
    }
}

fn y1() -> Chain {
    let mut chain = Chain::new(&[1, 2, 3, 4, 0, 0, 0, 0], 4, classic(FULL));
    chain.at(1);
    for uid in 0..4 {
        chain.set(uid, &[(4, 16_383), (5, 32_767), (6, 49_149), (7, 65_535)]);
    }
    chain
}

#[test]
fn y1_the_first_epoch_in_fixed_point() {
    let first = y1().run();
    let check = |found: Vec<u64>, expected: &[u64], name: &str| assert_eq!(found, expected, "{name}");
    let consensus = decimals(first[4..].iter().map(|o| o.consensus));
    check(
        consensus,
        &[999_975_584, 2_000_012_207, 2_999_926_754, 4_000_085_450],
        "C",
    );
    let incentive = decimals(first[4..].iter().map(|o| o.incentive));
    check(
        incentive,
        &[999_975_582, 2_000_012_207, 2_999_926_752, 4_000_085_455],
        "I",
    );
    let dividends = decimals(first[..4].iter().map(|o| o.dividends));
    check(
        dividends,
        &[999_999_978, 1_999_999_983, 3_000_000_012, 4_000_000_022],
        "D",
    );
    let trust = decimals(first[..4].iter().map(|o| o.validator_trust));
    check(trust, &[9_999_999_995; 4], "vtrust");
}

#[test]
fn y1_eight_epochs_of_bonds() {
    let mut chain = y1();
    let servers = [49_998_779, 100_000_610, 149_996_337, 200_004_272];
    let last = [0, 0, 0, 500_000_000];
    let equal = [16_383, 32_767, 49_151, 65_535];
    let check = |chain: &mut Chain, block: u32, expected: [[u64; 4]; 2], bonds: [[u16; 4]; 2]| {
        let outcomes = chain.run();
        assert_eq!(emission(&outcomes), expected.concat(), "E at block {block}");
        assert_eq!(bonds_to(&outcomes, 4, 4), bonds[0], "bonds to 4 at {block}");
        assert_eq!(bonds_to(&outcomes, 7, 4), bonds[1], "bonds to 7 at {block}");
        chain.at(block + 1);
    };
    let e1 = [49_999_998, 99_999_999, 150_000_000, 200_000_001];
    check(&mut chain, 1, [e1, servers], [equal; 2]);
    chain.set(0, &[(0, FULL)]);
    let b2 = [14_582, 32_767, 49_151, 65_535];
    let e2 = [44_998_351, 101_110_561, 151_667_215, 202_223_870];
    check(&mut chain, 2, [e2, servers], [b2; 2]);
    chain.set(1, &[(1, FULL)]);
    let b3 = [12_603, 28_321, 49_151, 65_535];
    let e3 = [40_496_805, 90_999_783, 157_929_636, 210_573_773];
    check(&mut chain, 3, [e3, servers], [b3; 2]);
    chain.set(2, &[(2, FULL)]);
    let b4 = [12_602, 28_320, 49_150, 65_535];
    let e4 = [99_999_999, 199_999_999, 299_999_999, 399_999_999];
    check(&mut chain, 4, [e4, [0; 4]], [b4; 2]);
    chain.set(2, &[(7, FULL)]);
    let b5 = [[12_601, 28_319, 49_149, 65_535], [10_951, 24_609, 49_150, 65_535]];
    let e5 = [36_443_733, 81_898_628, 163_565_493, 218_092_144];
    check(&mut chain, 5, [e5, last], b5);
    for block in 6..8 {
        let outcomes = chain.run();
        assert_eq!(emission(&outcomes)[4..], last, "block {block}");
        chain.at(block + 1);
    }
    let b8 = [[12_598, 28_316, 49_146, 65_535], [7_363, 16_549, 49_150, 65_535]];
    let e8 = [26_565_175, 59_701_871, 177_311_856, 236_421_095];
    check(&mut chain, 8, [e8, last], b8);
}

#[test]
fn y2_inactive_stake_earns_from_old_bonds_only() {
    let mut chain = Chain::new(&[1; 4], 4, classic(FULL));
    chain.at(1);
    chain.set(0, &[(2, FULL), (3, FULL)]);
    chain.set(1, &[(2, FULL), (3, FULL)]);
    let check = |chain: &mut Chain, expected: [u64; 4], dividends: [u16; 2], second: u16| {
        let outcomes = chain.run();
        assert_eq!(emission(&outcomes), expected);
        let found: Vec<u16> = outcomes[..2].iter().map(|o| o.dividends.to_share()).collect();
        assert_eq!(found, dividends);
        for to in [2, 3] {
            assert_eq!(bonds_to(&outcomes, to, 2), [FULL, second]);
        }
    };
    check(&mut chain, [250_000_000; 4], [32_767; 2], FULL);
    chain.at(5_002);
    chain.0.neurons[0].last_update = BlockNumber(5_002);
    let e = [274_999_999, 224_999_999, 250_000_000, 250_000_000];
    check(&mut chain, e, [36_044, 29_490], 53_619);
    chain.at(5_003);
    chain.0.neurons[1].last_update = BlockNumber(5_003);
    let e = [272_501_132, 227_498_866, 250_000_000, 250_000_000];
    check(&mut chain, e, [35_716, 29_818], 54_712);
}

fn yuma3(bonds: BondRule) -> YumaParams {
    YumaParams {
        bonds,
        bonds_penalty: 0,
        bonds_moving_average: 975_000,
        validators_max: 3,
        ..YumaParams::default()
    }
}

/// One epoch of Y3: bonds of 0 and 1 to 3, bonds of 2 to 3 and 4, emission and dividends of 0, 1, 2.
type Y3Row = (u16, [u16; 2], [u64; 3], [u16; 3]);

#[test]
fn y3_yuma3_without_liquid_alpha() {
    let mut chain = Chain::new(&[33, 33, 34, 0, 0], 3, yuma3(BondRule::Yuma3));
    let expected: [Y3Row; 6] = [
        (
            1_638,
            [1_638, 0],
            [165_000_000, 165_000_000, 169_999_999],
            [21_626, 21_626, 22_281],
        ),
        (
            3_235,
            [3_235, 0],
            [165_000_000, 165_000_000, 169_999_999],
            [21_626, 21_626, 22_281],
        ),
        (
            4_792,
            [3_154, 1_638],
            [186_700_830, 186_700_830, 126_598_338],
            [24_470, 24_470, 16_593],
        ),
        (
            6_310,
            [4_713, 1_597],
            [180_534_164, 180_534_164, 138_931_670],
            [23_662, 23_662, 18_209],
        ),
        (0, [0, 0], [0; 3], [0; 3]),
        (
            9_233,
            [7_715, 1_518],
            [174_769_338, 174_769_338, 150_461_322],
            [22_907, 22_907, 19_720],
        ),
    ];
    for (at, (both, third, pay, dividends)) in expected.into_iter().enumerate() {
        chain.at(at as u32 + 1);
        for uid in 0..3 {
            let to = if at == 2 && uid == 2 { 4 } else { 3 };
            chain.set(uid, &[(to, FULL)]);
        }
        let outcomes = chain.run();
        if at == 4 {
            continue; // not in the table
        }
        assert_eq!(
            bonds_to(&outcomes, 3, 3),
            [both, both, third[0]],
            "epoch {}",
            at + 1
        );
        assert_eq!(bonds_to(&outcomes, 4, 3), [0, 0, third[1]]);
        assert_eq!(emission(&outcomes)[..3], pay);
        assert_eq!(emission(&outcomes)[3..], [500_000_000, 0]);
        let found: Vec<u16> = outcomes[..3].iter().map(|o| o.dividends.to_share()).collect();
        assert_eq!(found, dividends);
    }
}

/// One epoch of a liquid-alpha table: server of validators A, B, C (3 or 4), bonds to 3 and 4 of each, dividends.
type LiquidRow = ([u16; 3], [[f64; 2]; 3], [f64; 3]);

fn check_liquid(stakes: &[u64], rows: &[LiquidRow]) {
    let bounds = LiquidAlpha {
        low: 6_553,
        high: 19_660,
        steepness: 1_000,
    };
    let mut chain = Chain::new(stakes, 3, yuma3(BondRule::Yuma3Liquid(bounds)));
    for (at, (targets, bonds, dividends)) in rows.iter().enumerate() {
        chain.at(at as u32 + 1);
        for (uid, &to) in targets.iter().enumerate() {
            chain.set(uid, &[(to, FULL)]);
        }
        let outcomes = chain.run();
        for uid in 0..3 {
            for (server, expected) in [3, 4].into_iter().zip(bonds[uid]) {
                let found = f64::from(bonds_to(&outcomes, server, 3)[uid]) / 65_535.0;
                assert!(
                    (found - expected).abs() < 1e-3,
                    "epoch {at}: bond {uid} to {server} is {found}"
                );
            }
            let found = f64::from(outcomes[uid].dividends.to_share()) / 65_535.0;
            assert!(
                (found - dividends[uid]).abs() < 1e-3,
                "epoch {at}: dividend of {uid} is {found}"
            );
        }
    }
}

#[test]
fn liquid_alpha_when_the_majority_moves_first() {
    check_liquid(
        &[8, 1, 1, 0, 0],
        &[
            ([3, 3, 3], [[0.1013, 0.0]; 3], [0.8, 0.1, 0.1]),
            (
                [4, 3, 3],
                [[0.0908, 0.1013], [0.3697, 0.0], [0.3697, 0.0]],
                [1.0, 0.0, 0.0],
            ),
            (
                [4, 4, 3],
                [[0.0815, 0.1924], [0.3170, 0.1013], [0.5580, 0.0]],
                [0.9382, 0.0618, 0.0],
            ),
            (
                [4, 4, 4],
                [[0.0731, 0.2742], [0.2765, 0.1924], [0.4306, 0.1013]],
                [0.8819, 0.0773, 0.0407],
            ),
            (
                [4, 4, 4],
                [[0.0656, 0.3478], [0.2435, 0.2742], [0.3589, 0.1924]],
                [0.8564, 0.0844, 0.0592],
            ),
            (
                [4, 4, 4],
                [[0.0588, 0.4139], [0.2157, 0.3478], [0.3089, 0.2742]],
                [0.8418, 0.0884, 0.0697],
            ),
        ],
    );
}

#[test]
fn liquid_alpha_when_the_majority_moves_last() {
    check_liquid(
        &[8, 1, 1, 0, 0],
        &[
            ([3, 3, 3], [[0.1013, 0.0]; 3], [0.8, 0.1, 0.1]),
            (
                [3, 4, 3],
                [[0.1924, 0.0], [0.0908, 0.2987], [0.1924, 0.0]],
                [0.8446, 0.0498, 0.1056],
            ),
            (
                [3, 4, 4],
                [[0.2742, 0.0], [0.0815, 0.5081], [0.1715, 0.2987]],
                [0.8966, 0.0333, 0.0701],
            ),
            (
                [4, 4, 4],
                [[0.2416, 0.1013], [0.0731, 0.5580], [0.1531, 0.3697]],
                [0.4663, 0.3210, 0.2127],
            ),
        ],
    );
}

#[test]
fn liquid_alpha_through_one_epoch_of_dissent() {
    let all = [3, 3, 3];
    check_liquid(
        &[33, 33, 34, 0, 0],
        &[
            (all, [[0.1013, 0.0]; 3], [0.33, 0.33, 0.34]),
            (all, [[0.1924, 0.0]; 3], [0.33, 0.33, 0.34]),
            (
                [3, 3, 4],
                [[0.2742, 0.0], [0.2742, 0.0], [0.1715, 0.2987]],
                [0.3782, 0.3782, 0.2436],
            ),
            (
                all,
                [[0.3478, 0.0], [0.3478, 0.0], [0.2554, 0.2618]],
                [0.3628, 0.3628, 0.2745],
            ),
            (
                all,
                [[0.4139, 0.0], [0.4139, 0.0], [0.3309, 0.2312]],
                [0.3541, 0.3541, 0.2917],
            ),
            (
                all,
                [[0.4733, 0.0], [0.4733, 0.0], [0.3987, 0.2051]],
                [0.3487, 0.3487, 0.3026],
            ),
        ],
    );
}
