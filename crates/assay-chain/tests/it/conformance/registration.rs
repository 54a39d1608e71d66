//! Registration, price, uids, immunity and pruning.

use assay_chain::{At, Call, Hyperparameters};
use assay_types::{NetUid, Rao, Uid};

use super::world::{TAO, World, coldkey, hotkey, key, register, set, weights};

pub(super) async fn a_new_subnet_starts_with_the_documented_parameters(world: &World) {
    let netuid = world.bare_subnet().await;
    let found = world.chain.hyperparameters(netuid, At::Head).await.unwrap();
    assert_eq!(found, Hyperparameters::default());
    assert_eq!(world.chain.burn(netuid, At::Head).await.unwrap(), Rao(TAO));
    let metagraph = world.metagraph(netuid).await;
    assert_eq!(metagraph.owner_hotkey, Some(hotkey("owner-hot")));
    assert_eq!(metagraph.owner_coldkey, Some(coldkey(&key("owner"))));
    assert_eq!(metagraph.neurons.len(), 1);
    assert_eq!(metagraph.neurons[0].hotkey, hotkey("owner-hot"));
}

pub(super) async fn registering_gives_the_next_uid_and_costs_the_price(world: &World) {
    let netuid = world.bare_subnet().await;
    world.fund(coldkey(&key("m-cold")), 10).await;
    let receipt = world.ok(register(netuid, "m"), "m-cold").await;
    assert_eq!(
        receipt.events,
        ["SubtensorModule.NeuronRegistered", "System.ExtrinsicSuccess"]
    );
    let neuron = world.neuron(netuid, "m").await;
    assert_eq!(neuron.uid, Uid(1));
    assert_eq!(neuron.coldkey, coldkey(&key("m-cold")));
    assert_eq!(neuron.registered, receipt.block);
    assert_eq!(neuron.last_update, receipt.block);
    let paid = 10 * TAO - world.balance("m-cold").await;
    assert!((990_000_000..=TAO).contains(&paid), "{paid} rao");
}

pub(super) async fn registering_twice_is_refused(world: &World) {
    let netuid = world.bare_subnet().await;
    world.register(netuid, "m").await;
    world
        .refused(
            register(netuid, "m"),
            "m-cold",
            "SubtensorModule.HotKeyAlreadyRegisteredInSubNet",
        )
        .await;
}

pub(super) async fn registering_where_no_subnet_is_is_refused(world: &World) {
    world
        .refused(
            register(NetUid(4_000), "m"),
            "owner",
            "SubtensorModule.SubnetNotExists",
        )
        .await;
}

pub(super) async fn registering_on_the_root_is_refused(world: &World) {
    let expected = "SubtensorModule.RegistrationNotPermittedOnRootSubnet";
    world.refused(register(NetUid(0), "m"), "owner", expected).await;
}

pub(super) async fn registering_without_money_is_refused(world: &World) {
    let netuid = world.bare_subnet().await;
    let error = world
        .refused(
            register(netuid, "m"),
            "poor",
            "SubtensorModule.NotEnoughBalanceToStake",
        )
        .await;
    assert!(!error.retry_is_safe());
}

pub(super) async fn registering_anothers_hotkey_is_refused(world: &World) {
    let (first, second) = (world.bare_subnet().await, world.bare_subnet().await);
    world.register(first, "m").await;
    world.fund(coldkey(&key("thief")), 10).await;
    world
        .refused(
            register(second, "m"),
            "thief",
            "SubtensorModule.NonAssociatedColdKey",
        )
        .await;
}

pub(super) async fn registering_above_the_limit_price_is_refused(world: &World) {
    let netuid = world.bare_subnet().await;
    let call = Call::Register {
        netuid,
        hotkey: hotkey("m"),
        limit_price: Rao(world.chain.burn(netuid, At::Head).await.unwrap().0 / 2),
    };
    world
        .refused(call, "owner", "SubtensorModule.RegistrationPriceLimitExceeded")
        .await;
}

pub(super) async fn registering_while_it_is_switched_off_is_refused(world: &World) {
    let netuid = world.bare_subnet().await;
    world.set(netuid, "registration_allowed", 0).await;
    world
        .refused(
            register(netuid, "m"),
            "owner",
            "SubtensorModule.SubNetRegistrationDisabled",
        )
        .await;
}

pub(super) async fn the_price_rises_with_a_registration_and_falls_with_blocks(world: &World) {
    let netuid = world.bare_subnet().await;
    let burn = async || world.chain.burn(netuid, At::Head).await.unwrap().0;
    world.fund(coldkey(&key("m-cold")), 10).await;
    let before = burn().await;
    world.ok(register(netuid, "m"), "m-cold").await;
    let decayed = (before * 4_286_705_684) >> 32;
    assert_eq!(burn().await, decayed * 126 / 100);
    world.advance(360).await;
    let half = decayed * 63 / 100;
    assert!(burn().await.abs_diff(half) < 500, "{} rao", burn().await);
}

/// A subnet of four uids (the owner and three miners) with nobody immune; miner 2 earned, 1 and 3 did not.
async fn full_subnet(world: &World, immunity: u64) -> NetUid {
    let netuid = world.subnet().await;
    world.set(netuid, "uids_max", 4).await;
    world.set(netuid, "immunity_period", immunity).await;
    world.set(netuid, "non_immune_uids_min", 0).await;
    for name in ["m1", "m2", "m3"] {
        world.register(netuid, name).await;
    }
    netuid
}

pub(super) async fn a_full_subnet_prunes_the_lowest_emission(world: &World) {
    let netuid = full_subnet(world, 0).await;
    world
        .ok(weights(netuid, &[(1, 65_535), (3, 1)]), "owner-hot")
        .await;
    world.epochs(netuid, 2).await;
    assert!(world.neuron(netuid, "m1").await.emission.0 > 0);
    assert_eq!(world.register(netuid, "new").await, Uid(2), "m2 earned nothing");
    let metagraph = world.metagraph(netuid).await;
    assert_eq!(metagraph.neurons.len(), 4);
    assert!(metagraph.neuron(&hotkey("m2")).is_none());
}

pub(super) async fn a_full_subnet_of_immune_neurons_prunes_the_oldest(world: &World) {
    let netuid = full_subnet(world, 60_000).await;
    assert_eq!(world.register(netuid, "new").await, Uid(1));
    assert_eq!(world.register(netuid, "newer").await, Uid(2));
}

pub(super) async fn the_owner_is_never_pruned(world: &World) {
    let netuid = full_subnet(world, 0).await;
    for name in ["n1", "n2", "n3", "n4"] {
        assert_ne!(world.register(netuid, name).await, Uid(0));
    }
    assert_eq!(world.neuron(netuid, "owner-hot").await.uid, Uid(0));
}

pub(super) async fn nobody_can_be_pruned_below_the_least_of_non_immune(world: &World) {
    let netuid = full_subnet(world, 0).await;
    world.set(netuid, "non_immune_uids_min", 3).await;
    world
        .refused(
            register(netuid, "new"),
            "owner",
            "SubtensorModule.NoNeuronIdAvailable",
        )
        .await;
}

pub(super) async fn a_reused_uid_keeps_nothing_of_its_last_owner(world: &World) {
    let netuid = full_subnet(world, 0).await;
    let address = "192.0.2.7:8091".parse().unwrap();
    world.ok(Call::ServeAxon { netuid, address }, "m1").await;
    world.ok(weights(netuid, &[(1, 1)]), "m1").await;
    world
        .ok(weights(netuid, &[(1, 10), (2, 65_535), (3, 65_535)]), "owner-hot")
        .await;
    world.epochs(netuid, 2).await;
    let before = world.neuron(netuid, "m1").await;
    assert!(before.incentive > 0 && before.axon == Some(address));
    assert_eq!(world.register(netuid, "new").await, Uid(1));
    let after = world.neuron(netuid, "new").await;
    assert_eq!(
        (
            after.incentive,
            after.dividends,
            after.consensus,
            after.vtrust,
            after.emission
        ),
        (0, 0, 0, 0, Rao(0))
    );
    assert_eq!((after.permit, after.axon, after.stake), (false, None, Rao(0)));
    assert_eq!(world.row(netuid, 0, Uid(1)).await, []);
    let owners = world.row(netuid, 0, Uid(0)).await;
    assert!(owners.iter().all(|&(uid, _)| uid != 1), "{owners:?}");
    world.epochs(netuid, 1).await;
    assert_eq!(world.neuron(netuid, "new").await.incentive, 0);
}

pub(super) async fn one_coldkey_may_own_several_hotkeys(world: &World) {
    let netuid = world.bare_subnet().await;
    for name in ["a", "b", "c"] {
        world.ok(register(netuid, name), "owner").await;
        assert_eq!(world.neuron(netuid, name).await.coldkey, coldkey(&key("owner")));
    }
}

pub(super) async fn immunity_counts_down(world: &World) {
    let netuid = world.bare_subnet().await;
    world.ok(set(netuid, "immunity_period", 10), "root").await;
    world.ok(register(netuid, "m"), "owner").await;
    assert_eq!(world.neuron(netuid, "m").await.immunity_left, 10);
    world.advance(4).await;
    assert_eq!(world.neuron(netuid, "m").await.immunity_left, 6);
    world.advance(20).await;
    assert_eq!(world.neuron(netuid, "m").await.immunity_left, 0);
}
