//! Epochs: when they run, who gets a permit, and where the alpha goes.

use assay_chain::{At, Call};
use assay_types::{NetUid, Rao};

use super::weights::validated;
use super::world::{TAO, World, hotkey, register, weights};

pub(super) async fn an_epoch_runs_each_tempo(world: &World) {
    let netuid = world.subnet().await;
    world.epochs(netuid, 1).await;
    let first = world.epoch_state(netuid).await;
    assert_eq!(first.last_epoch, Some(first.block));
    assert_eq!((first.tempo, first.blocks_since_last_step), (20, 0));
    world.advance(19).await;
    let before = world.epoch_state(netuid).await;
    assert_eq!(
        (before.epoch_index, before.blocks_since_last_step),
        (first.epoch_index, 19)
    );
    world.advance(1).await;
    let second = world.epoch_state(netuid).await;
    assert_eq!(second.epoch_index, first.epoch_index + 1);
    assert_eq!(second.last_epoch, Some(second.block));
}

pub(super) async fn permits_go_to_the_largest_stakes(world: &World) {
    let netuid = world.subnet().await;
    world.set(netuid, "validators_max", 2).await;
    for (name, tao) in [("v1", 10), ("v2", 30), ("v3", 20)] {
        world.validator(netuid, name, tao).await;
    }
    world.register(netuid, "m").await;
    world.epochs(netuid, 1).await;
    let mut permits = Vec::new();
    for name in ["owner-hot", "v1", "v2", "v3", "m"] {
        permits.push(world.neuron(netuid, name).await.permit);
    }
    assert_eq!(permits, [true, false, true, true, false]);
}

pub(super) async fn a_silent_validator_becomes_inactive(world: &World) {
    let netuid = validated(world).await;
    world.set(netuid, "activity_cutoff_factor_milli", 1_000).await;
    world.validator(netuid, "w", 100).await;
    world.epochs(netuid, 1).await;
    world.ok(weights(netuid, &[(2, 1)]), "v").await;
    world.ok(weights(netuid, &[(3, 1)]), "w").await;
    world.epochs(netuid, 1).await;
    for _ in 0..3 {
        world.ok(weights(netuid, &[(2, 1)]), "v").await;
        world.epochs(netuid, 1).await;
    }
    assert!(world.neuron(netuid, "v").await.active);
    assert!(!world.neuron(netuid, "w").await.active);
    assert_eq!(world.neuron(netuid, "m2").await.incentive, 0, "only w rated it");
    assert_eq!(world.neuron(netuid, "m1").await.incentive, 65_535);
}

pub(super) async fn emission_is_split_between_owner_miner_and_validator(world: &World) {
    let netuid = validated(world).await;
    world.ok(weights(netuid, &[(2, 1)]), "v").await;
    world.epochs(netuid, 1).await;
    let stake = async |name| world.neuron(netuid, name).await.stake.0;
    let before = (stake("owner-hot").await, stake("v").await, stake("m1").await);
    world.epochs(netuid, 1).await;
    let after = (stake("owner-hot").await, stake("v").await, stake("m1").await);
    let alpha = 20 * TAO;
    let cut = alpha * 11_796 / 65_535;
    assert!(
        (after.0 - before.0).abs_diff(cut) <= 20,
        "owner {}",
        after.0 - before.0
    );
    let half = (alpha - cut) / 2;
    assert!(
        (after.1 - before.1).abs_diff(half) <= 40,
        "validator {}",
        after.1 - before.1
    );
    assert!(
        (after.2 - before.2).abs_diff(half) <= 40,
        "miner {}",
        after.2 - before.2
    );
    let emission = world.neuron(netuid, "m1").await.emission.0;
    assert!(emission.abs_diff(half) <= 40, "{emission}");
}

pub(super) async fn the_owners_miner_is_burned(world: &World) {
    let netuid = validated(world).await;
    world.ok(register(netuid, "own-miner"), "owner").await;
    let uid = world.neuron(netuid, "own-miner").await.uid.0;
    world.ok(weights(netuid, &[(uid, 1)]), "v").await;
    world.epochs(netuid, 2).await;
    let miner = world.neuron(netuid, "own-miner").await;
    assert!(miner.emission.0 > 0);
    assert_eq!(miner.stake, Rao(0));
}

pub(super) async fn without_a_start_there_is_no_emission_and_no_stake(world: &World) {
    let netuid = world.bare_subnet().await;
    world.set(netuid, "tempo", 20).await;
    world.ok(register(netuid, "v"), "owner").await;
    let stake = Call::AddStake {
        hotkey: hotkey("v"),
        netuid,
        amount: Rao(TAO),
    };
    world
        .refused(stake.clone(), "owner", "SubtensorModule.SubtokenDisabled")
        .await;
    world.epochs(netuid, 2).await;
    let metagraph = world.metagraph(netuid).await;
    assert!(
        metagraph
            .neurons
            .iter()
            .all(|neuron| neuron.emission == Rao(0) && neuron.stake == Rao(0))
    );
    world.ok(Call::StartCall { netuid }, "owner").await;
    world.ok(stake, "owner").await;
    assert_eq!(world.neuron(netuid, "v").await.stake, Rao(TAO));
}

pub(super) async fn a_third_epoch_waits_for_the_next_block(world: &World) {
    let netuids: Vec<NetUid> = vec![
        world.bare_subnet().await,
        world.bare_subnet().await,
        world.bare_subnet().await,
    ];
    for &netuid in &netuids {
        world.set(netuid, "tempo", 1).await;
    }
    world.advance(3).await;
    let mut due = Vec::new();
    for &netuid in &netuids {
        let state = world.chain.epoch_state(netuid, At::Head).await.unwrap();
        due.push((
            state.last_epoch == Some(state.block),
            state.pending_epoch_at.0 == state.block.0 + 1,
        ));
    }
    let ran = due.iter().filter(|(ran, _)| *ran).count();
    let deferred = due.iter().filter(|(_, deferred)| *deferred).count();
    assert_eq!((ran, deferred), (2, 1), "{due:?}");
}
