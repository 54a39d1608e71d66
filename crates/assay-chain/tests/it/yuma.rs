//! The reference's Yuma vectors, met through the chain: registrations, stakes, weights and epochs as transactions and blocks.
//!
//! Y1, Y2 and Y3 are those of opentensor/subtensor 14bc6f9 `pallets/subtensor/src/tests/epoch.rs` (`test_bonds`,
//! `test_active_stake`, the setting of `test_yuma_3_liquid_alpha_disabled`). Emission is one alpha an epoch and is burned,
//! so that stakes stand still, as they do there.

use assay_chain::embedded::{Clock, Genesis, GenesisSubnet};
use assay_chain::{At, Hyperparameters};
use assay_types::{MechId, NetUid, Rao};

use crate::conformance::world::{World, coldkey, genesis, key, register, start, weights};

const NETUID: NetUid = NetUid(1);
const FULL: u16 = 65_535;
/// Least stake the chain takes; the vectors' stakes are multiples of it.
const STAKE: u64 = 2_000_000;

/// Registers and stakes; ends just before a block in which an epoch is due.
async fn chain(stakes: &[u64], hyperparameters: Hyperparameters) -> World {
    let subnet = GenesisSubnet {
        netuid: NETUID,
        hyperparameters,
        started: true,
    };
    let genesis = Genesis {
        subnets: vec![subnet],
        owner_cut: 0,
        alpha_per_block: 0,
        pays_stake: false,
        ..genesis()
    };
    let node = start(genesis, Clock::Manual).await;
    let world = World::of(node.clone());
    world.fund(coldkey(&key("all")), 100_000).await;
    world.advance(1).await;
    for (uid, &stake) in stakes.iter().enumerate() {
        let name = format!("u{uid}");
        world.later(register(NETUID, &name), "all").await;
        if stake > 0 {
            let call = assay_chain::Call::AddStake {
                hotkey: crate::conformance::world::hotkey(&name),
                netuid: NETUID,
                amount: Rao(stake * STAKE),
            };
            world.later(call, "all").await;
        }
    }
    world.advance(1).await;
    set(&world, "activity_cutoff_factor_milli", 50_000).await;
    set(&world, "tempo", 1).await;
    // An epoch gives the permits.
    world.advance(2).await;
    node.set_alpha_per_block(1_000_000_000).await.unwrap();
    world
}

async fn set(world: &World, name: &str, value: u64) {
    world
        .later(crate::conformance::world::set(NETUID, name, value), "root")
        .await;
}

/// Puts weights into the next block.
async fn sets(world: &World, uid: u16, row: &[(u16, u16)]) {
    world.later(weights(NETUID, row), &format!("u{uid}")).await;
}

async fn emission(world: &World) -> Vec<u64> {
    let neurons = world.metagraph(NETUID).await.neurons;
    neurons.iter().map(|neuron| neuron.emission.0).collect()
}

async fn dividends(world: &World, count: usize) -> Vec<u16> {
    let neurons = world.metagraph(NETUID).await.neurons;
    neurons
        .iter()
        .take(count)
        .map(|neuron| neuron.dividends)
        .collect()
}

/// Stored bonds of the first `count` uids to one.
async fn bonds(world: &World, count: usize, to: u16) -> Vec<u16> {
    let rows = world.chain.bonds(NETUID, MechId(0), At::Head).await.unwrap();
    let mut found = vec![0; count];
    for row in rows {
        for (uid, bond) in row.weights {
            if uid.0 == to && usize::from(row.uid.0) < count {
                found[usize::from(row.uid.0)] = bond.0;
            }
        }
    }
    found
}

fn parameters() -> Hyperparameters {
    Hyperparameters {
        commit_reveal: false,
        weights_rate_limit: 0,
        yuma3: false,
        ..Hyperparameters::default()
    }
}

/// One epoch of Y1: what changes before it, emission of 0–3 and 4–7, bonds of 0–3 to 4 and 7 (zeros = not in the table).
type Y1Row = (Option<(u16, u16)>, [u64; 4], [u64; 4], [[u16; 4]; 2]);

#[rustfmt::skip]
fn y1_rows() -> [Y1Row; 8] {
    let servers = [49_998_779, 100_000_610, 149_996_337, 200_004_272];
    let last = [0, 0, 0, 500_000_000];
    [
        (None, [49_999_998, 99_999_999, 150_000_000, 200_000_001], servers,
            [[16_383, 32_767, 49_151, FULL]; 2]),
        (Some((0, 0)), [44_998_351, 101_110_561, 151_667_215, 202_223_870], servers,
            [[14_582, 32_767, 49_151, FULL]; 2]),
        (Some((1, 1)), [40_496_805, 90_999_783, 157_929_636, 210_573_773], servers,
            [[12_603, 28_321, 49_151, FULL]; 2]),
        (Some((2, 2)), [99_999_999, 199_999_999, 299_999_999, 399_999_999], [0; 4],
            [[12_602, 28_320, 49_150, FULL]; 2]),
        (Some((2, 7)), [36_443_733, 81_898_628, 163_565_493, 218_092_144], last,
            [[12_601, 28_319, 49_149, FULL], [10_951, 24_609, 49_150, FULL]]),
        (None, [0; 4], last, [[0; 4]; 2]),
        (None, [0; 4], last, [[0; 4]; 2]),
        (None, [26_565_175, 59_701_871, 177_311_856, 236_421_095], last,
            [[12_598, 28_316, 49_146, FULL], [7_363, 16_549, 49_150, FULL]]),
    ]
}

#[tokio::test]
async fn y1_bonds_through_the_chain() {
    let world = chain(&[1, 2, 3, 4, 0, 0, 0, 0], parameters()).await;
    for uid in 0..4 {
        sets(&world, uid, &[(4, 16_383), (5, 32_767), (6, 49_149), (7, FULL)]).await;
    }
    world.advance(1).await;
    let rows = y1_rows();
    for (at, (_, validators, miners, to)) in rows.iter().enumerate() {
        if let Some((Some((uid, target)), ..)) = rows.get(at + 1) {
            sets(&world, *uid, &[(*target, FULL)]).await;
        }
        // Runs this row's epoch, then takes in the weights of the next.
        world.advance(1).await;
        let (found, epoch) = (emission(&world).await, at + 1);
        assert_eq!(found[4..], *miners, "miners in epoch {epoch}");
        if *validators == [0; 4] {
            continue;
        }
        assert_eq!(found[..4], *validators, "validators in epoch {epoch}");
        assert_eq!(bonds(&world, 4, 4).await, to[0], "bonds to 4 in epoch {epoch}");
        assert_eq!(bonds(&world, 4, 7).await, to[1], "bonds to 7 in epoch {epoch}");
    }
}

#[tokio::test]
async fn y2_inactive_stake_through_the_chain() {
    let world = chain(&[1; 4], parameters()).await;
    let check = async |expected: [u64; 4], shares: [u16; 2], second: u16| {
        assert_eq!(emission(&world).await, expected);
        assert_eq!(dividends(&world, 2).await, shares);
        for to in [2, 3] {
            assert_eq!(bonds(&world, 2, to).await, [FULL, second]);
        }
    };
    sets(&world, 0, &[(2, FULL), (3, FULL)]).await;
    sets(&world, 1, &[(2, FULL), (3, FULL)]).await;
    world.advance(1).await;
    // From here on the next epoch is 5,000 blocks away, and so is the cutoff.
    set(&world, "tempo", 5_000).await;
    set(&world, "activity_cutoff_factor_milli", 1_000).await;
    world.node().set_alpha_per_block(0).await.unwrap();
    world.advance(1).await;
    check([250_000_000; 4], [32_767; 2], FULL).await;
    world.advance(4_998).await;
    sets(&world, 0, &[(2, FULL), (3, FULL)]).await;
    world.node().set_alpha_per_block(1_000_000_000).await.unwrap();
    world.advance(1).await;
    sets(&world, 1, &[(2, FULL), (3, FULL)]).await;
    set(&world, "tempo", 1).await;
    set(&world, "activity_cutoff_factor_milli", 50_000).await;
    world.advance(1).await;
    let second = [274_999_999, 224_999_999, 250_000_000, 250_000_000];
    check(second, [36_044, 29_490], 53_619).await;
    world.advance(1).await;
    let third = [272_501_132, 227_498_866, 250_000_000, 250_000_000];
    check(third, [35_716, 29_818], 54_712).await;
}

/// One epoch of Y3: bonds of 0 and 1 to 3, bonds of 2 to 3 and 4, emission and dividends of 0, 1, 2.
type Y3Row = (u16, [u16; 2], [u64; 3], [u16; 3]);

#[tokio::test]
async fn y3_yuma3_through_the_chain() {
    let parameters = Hyperparameters {
        yuma3: true,
        bonds_penalty: 0,
        bonds_moving_average: 975_000,
        validators_max: 3,
        ..parameters()
    };
    let world = chain(&[33, 33, 34, 0, 0], parameters).await;
    let equal = ([165_000_000, 165_000_000, 169_999_999], [21_626, 21_626, 22_281]);
    let rows: [Option<Y3Row>; 6] = [
        Some((1_638, [1_638, 0], equal.0, equal.1)),
        Some((3_235, [3_235, 0], equal.0, equal.1)),
        Some((
            4_792,
            [3_154, 1_638],
            [186_700_830, 186_700_830, 126_598_338],
            [24_470, 24_470, 16_593],
        )),
        Some((
            6_310,
            [4_713, 1_597],
            [180_534_164, 180_534_164, 138_931_670],
            [23_662, 23_662, 18_209],
        )),
        None,
        Some((
            9_233,
            [7_715, 1_518],
            [174_769_338, 174_769_338, 150_461_322],
            [22_907, 22_907, 19_720],
        )),
    ];
    for uid in 0..3 {
        sets(&world, uid, &[(3, FULL)]).await;
    }
    world.advance(1).await;
    for (at, row) in rows.into_iter().enumerate() {
        match at + 2 {
            3 => sets(&world, 2, &[(4, FULL)]).await,
            4 => sets(&world, 2, &[(3, FULL)]).await,
            _ => {}
        }
        world.advance(1).await;
        let Some((both, third, pay, shares)) = row else {
            continue;
        };
        let found = emission(&world).await;
        assert_eq!(found[..3], pay, "epoch {}", at + 1);
        assert_eq!(found[3..], [500_000_000, 0]);
        assert_eq!(dividends(&world, 3).await, shares);
        assert_eq!(bonds(&world, 3, 3).await, [both, both, third[0]]);
        assert_eq!(bonds(&world, 3, 4).await, [0, 0, third[1]]);
    }
}
