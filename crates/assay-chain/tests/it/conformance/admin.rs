//! What owners may do: hyper-parameters, identity, start, new subnets; and announced addresses.

use assay_chain::{At, Call, SubnetIdentity};
use assay_types::{NetUid, Rao};

use super::world::{TAO, World, hotkey, set};

/// A subnet in the middle of a tempo of 360.
async fn settled(world: &World) -> NetUid {
    let netuid = world.bare_subnet().await;
    world.advance(20).await;
    netuid
}

async fn immunity(world: &World, netuid: NetUid) -> u16 {
    world
        .chain
        .hyperparameters(netuid, At::Head)
        .await
        .unwrap()
        .immunity_period
}

pub(super) async fn the_owner_sets_a_hyperparameter(world: &World) {
    let netuid = settled(world).await;
    world.ok(set(netuid, "immunity_period", 7_200), "owner").await;
    assert_eq!(immunity(world, netuid).await, 7_200);
}

pub(super) async fn a_stranger_sets_nothing(world: &World) {
    let netuid = settled(world).await;
    world
        .refused(set(netuid, "immunity_period", 1), "stranger", "BadOrigin")
        .await;
    assert_eq!(immunity(world, netuid).await, 5_000);
}

pub(super) async fn the_owner_may_not_set_what_is_roots(world: &World) {
    let netuid = settled(world).await;
    for name in [
        "kappa",
        "validators_max",
        "weights_rate_limit",
        "registration_allowed",
    ] {
        world.refused(set(netuid, name, 1), "owner", "BadOrigin").await;
    }
}

pub(super) async fn a_value_out_of_bounds_is_refused(world: &World) {
    let netuid = settled(world).await;
    for (name, value) in [
        ("tempo", 359),
        ("uids_max", 257),
        ("mechanisms", 3),
        ("burn_min", TAO),
    ] {
        world
            .refused(set(netuid, name, value), "owner", "AdminUtils.ValueNotInBounds")
            .await;
    }
}

pub(super) async fn nothing_is_set_before_an_epoch(world: &World) {
    let netuid = settled(world).await;
    let state = world.epoch_state(netuid).await;
    let epoch = state.last_epoch.unwrap().0 + 360;
    world.advance(epoch - 9 - world.head().await).await;
    let error = world
        .refused(
            set(netuid, "immunity_period", 1),
            "owner",
            "AdminUtils.AdminActionProhibitedDuringWeightsWindow",
        )
        .await;
    assert!(error.retry_is_safe());
    world.advance(10).await;
    world.ok(set(netuid, "immunity_period", 1), "owner").await;
}

pub(super) async fn a_value_is_set_once_in_two_tempos(world: &World) {
    let netuid = settled(world).await;
    world.ok(set(netuid, "immunity_period", 1), "owner").await;
    world
        .refused(set(netuid, "immunity_period", 2), "owner", "TxRateLimitExceeded")
        .await;
    world.ok(set(netuid, "weights_min", 2), "owner").await;
    world.advance(720).await;
    world.ok(set(netuid, "immunity_period", 2), "owner").await;
}

pub(super) async fn the_tempo_is_set_once_in_360_blocks(world: &World) {
    let netuid = settled(world).await;
    world.ok(set(netuid, "tempo", 1_000), "owner").await;
    world.advance(358).await;
    world
        .refused(set(netuid, "tempo", 360), "owner", "TxRateLimitExceeded")
        .await;
    world.advance(1).await;
    world.ok(set(netuid, "tempo", 360), "owner").await;
}

pub(super) async fn uids_and_mechanisms_share_a_bound(world: &World) {
    let netuid = settled(world).await;
    world
        .refused(set(netuid, "mechanisms", 2), "owner", "TooManyUIDsPerMechanism")
        .await;
    world.ok(set(netuid, "uids_max", 128), "owner").await;
    world.ok(set(netuid, "mechanisms", 2), "owner").await;
    world
        .refused(set(netuid, "uids_max", 129), "root", "TooManyUIDsPerMechanism")
        .await;
}

pub(super) async fn the_activity_cutoff_has_two_names(world: &World) {
    let netuid = settled(world).await;
    let cutoff = async || {
        let parameters = world.chain.hyperparameters(netuid, At::Head).await.unwrap();
        parameters.activity_cutoff
    };
    for (name, value, blocks) in [
        ("activity_cutoff_factor_milli", 2_500, 900),
        ("activity_cutoff", 4_321, 4_321),
    ] {
        world.set(netuid, name, value).await;
        assert_eq!(cutoff().await, blocks, "{name}");
    }
}

pub(super) async fn an_identity_is_set_and_bounded(world: &World) {
    let netuid = world.bare_subnet().await;
    let identity = SubnetIdentity {
        subnet_name: "Assay".to_owned(),
        ..SubnetIdentity::default()
    };
    let call = |identity: &SubnetIdentity| Call::SetSubnetIdentity {
        netuid,
        identity: identity.clone(),
    };
    assert_eq!(world.chain.subnet_identity(netuid, At::Head).await.unwrap(), None);
    world.ok(call(&identity), "owner").await;
    let found = world.chain.subnet_identity(netuid, At::Head).await.unwrap();
    assert_eq!(found, Some(identity.clone()));
    world
        .refused(call(&identity), "stranger", "SubtensorModule.NotSubnetOwner")
        .await;
    let long = SubnetIdentity {
        discord: "x".repeat(257),
        ..identity
    };
    world
        .refused(call(&long), "owner", "SubtensorModule.InvalidIdentity")
        .await;
}

pub(super) async fn a_subnet_starts_once(world: &World) {
    let netuid = world.bare_subnet().await;
    let start = || Call::StartCall { netuid };
    world
        .refused(start(), "stranger", "SubtensorModule.NotSubnetOwner")
        .await;
    world.ok(start(), "owner").await;
    world
        .refused(
            start(),
            "owner",
            "SubtensorModule.FirstEmissionBlockNumberAlreadySet",
        )
        .await;
}

pub(super) async fn a_second_subnet_costs_twice(world: &World) {
    let cost = async || world.chain.lock_cost(At::Head).await.unwrap();
    assert_eq!(cost().await, Rao(1_000 * TAO));
    let before = world.balance("owner").await;
    world.bare_subnet().await;
    assert_eq!(before - world.balance("owner").await, 1_000 * TAO);
    assert_eq!(cost().await, Rao(2_000 * TAO));
    world.advance(100).await;
    assert_eq!(cost().await, Rao(2_000 * TAO - 100 * (1_000 * TAO / 100_800)));
    let poor = Call::RegisterNetwork {
        hotkey: hotkey("h"),
        identity: None,
    };
    world
        .refused(poor, "poor", "SubtensorModule.CannotAffordLockCost")
        .await;
}

pub(super) async fn an_address_is_announced_and_checked(world: &World) {
    let netuid = world.subnet().await;
    world.register(netuid, "v").await;
    let call = |address: &str| Call::ServeAxon {
        netuid,
        address: address.parse().unwrap(),
    };
    world.refused(call("127.0.0.1:80"), "v", "InvalidIpAddress").await;
    world.refused(call("192.0.2.1:0"), "v", "InvalidPort").await;
    world
        .refused(call("192.0.2.1:80"), "stranger", "HotKeyNotRegisteredInNetwork")
        .await;
    world.ok(call("192.0.2.1:80"), "v").await;
    assert_eq!(
        world.neuron(netuid, "v").await.axon,
        Some("192.0.2.1:80".parse().unwrap())
    );
    let error = world
        .refused(call("192.0.2.2:80"), "v", "ServingRateLimitExceeded")
        .await;
    assert!(error.retry_is_safe());
    world.advance(50).await;
    world.ok(call("[2001:db8::1]:80"), "v").await;
    assert_eq!(
        world.neuron(netuid, "v").await.axon,
        Some("[2001:db8::1]:80".parse().unwrap())
    );
}
