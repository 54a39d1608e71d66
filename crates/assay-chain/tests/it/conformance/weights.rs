//! Weights in the clear: what is stored, and every refusal.

use assay_chain::Call;
use assay_types::{MechId, NetUid, Uid, Weight};

use super::world::{World, weights};

/// A subnet with validators `v` and miners `m1`, `m2`; `v` has a permit.
pub(super) async fn validated(world: &World) -> NetUid {
    let netuid = world.subnet().await;
    world.validator(netuid, "v", 100).await;
    world.register(netuid, "m1").await;
    world.register(netuid, "m2").await;
    world.epochs(netuid, 1).await;
    assert!(world.neuron(netuid, "v").await.permit);
    netuid
}

pub(super) async fn weights_are_stored_with_the_largest_at_full_scale(world: &World) {
    let netuid = validated(world).await;
    let receipt = world.ok(weights(netuid, &[(2, 1), (3, 2), (0, 3)]), "v").await;
    assert_eq!(receipt.events[0], "SubtensorModule.WeightsSet");
    let expected = [(0, 65_535), (2, 21_845), (3, 43_690)];
    assert_eq!(world.row(netuid, 0, Uid(1)).await, expected);
    assert_eq!(world.neuron(netuid, "v").await.last_update, receipt.block);
}

pub(super) async fn weights_in_the_clear_are_refused_under_commit_reveal(world: &World) {
    let netuid = validated(world).await;
    world.set(netuid, "commit_reveal", 1).await;
    world
        .refused(
            weights(netuid, &[(2, 1)]),
            "v",
            "SubtensorModule.CommitRevealEnabled",
        )
        .await;
}

pub(super) async fn weights_too_soon_are_refused(world: &World) {
    let netuid = validated(world).await;
    world.ok(weights(netuid, &[(2, 1)]), "v").await;
    world.set(netuid, "weights_rate_limit", 10).await;
    let error = world
        .refused(
            weights(netuid, &[(3, 1)]),
            "v",
            "SettingWeightsTooFast|RateLimitExceeded",
        )
        .await;
    assert!(error.retry_is_safe());
    assert_eq!(world.row(netuid, 0, Uid(1)).await, [(2, 65_535)]);
    world.advance(10).await;
    world.ok(weights(netuid, &[(3, 1)]), "v").await;
}

pub(super) async fn weights_without_a_permit_are_refused(world: &World) {
    let netuid = validated(world).await;
    let error = world
        .refused(
            weights(netuid, &[(2, 1), (3, 1)]),
            "m1",
            "SubtensorModule.NeuronNoValidatorPermit",
        )
        .await;
    assert!(!error.retry_is_safe());
}

pub(super) async fn a_weight_on_oneself_needs_no_permit(world: &World) {
    let netuid = validated(world).await;
    world.ok(weights(netuid, &[(2, 9)]), "m1").await;
    assert_eq!(world.row(netuid, 0, Uid(2)).await, [(2, 65_535)]);
}

pub(super) async fn the_owner_needs_no_permit(world: &World) {
    let netuid = world.subnet().await;
    world.register(netuid, "m1").await;
    assert!(!world.neuron(netuid, "owner-hot").await.permit);
    world.ok(weights(netuid, &[(1, 5)]), "owner-hot").await;
}

pub(super) async fn an_old_version_key_is_refused(world: &World) {
    let netuid = validated(world).await;
    world.set(netuid, "version_key", 7).await;
    let call = |version_key| Call::SetWeights {
        netuid,
        mecid: MechId(0),
        weights: vec![(Uid(2), Weight(1))],
        version_key,
    };
    world
        .refused(call(6), "v", "SubtensorModule.IncorrectWeightVersionKey")
        .await;
    world.ok(call(8), "v").await;
}

pub(super) async fn repeated_uids_are_refused(world: &World) {
    let netuid = validated(world).await;
    world
        .refused(
            weights(netuid, &[(2, 1), (2, 2)]),
            "v",
            "SubtensorModule.DuplicateUids",
        )
        .await;
}

pub(super) async fn a_uid_that_is_not_there_is_refused(world: &World) {
    let netuid = validated(world).await;
    let expected = "SubtensorModule.UidVecContainInvalidOne";
    world
        .refused(weights(netuid, &[(2, 1), (4, 2)]), "v", expected)
        .await;
}

pub(super) async fn more_uids_than_neurons_are_refused(world: &World) {
    let netuid = validated(world).await;
    let many = [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)];
    world
        .refused(
            weights(netuid, &many),
            "v",
            "SubtensorModule.UidsLengthExceedUidsInSubNet",
        )
        .await;
}

pub(super) async fn too_few_weights_are_refused(world: &World) {
    let netuid = validated(world).await;
    world.set(netuid, "weights_min", 2).await;
    world
        .refused(
            weights(netuid, &[(2, 1)]),
            "v",
            "SubtensorModule.WeightVecLengthIsLow",
        )
        .await;
    world.ok(weights(netuid, &[(2, 1), (3, 1)]), "v").await;
    world.ok(weights(netuid, &[(2, 1)]), "m1").await;
}

pub(super) async fn a_weight_above_the_limit_is_refused(world: &World) {
    let netuid = validated(world).await;
    world.set(netuid, "weight_max", 32_768).await;
    world
        .refused(
            weights(netuid, &[(2, 3), (3, 1)]),
            "v",
            "SubtensorModule.MaxWeightExceeded",
        )
        .await;
    world.ok(weights(netuid, &[(2, 1), (3, 1)]), "v").await;
}

pub(super) async fn weights_of_a_stranger_are_refused(world: &World) {
    let netuid = validated(world).await;
    world
        .refused(
            weights(netuid, &[(2, 1)]),
            "stranger",
            "SubtensorModule.HotKeyNotRegisteredInSubNet",
        )
        .await;
}

pub(super) async fn weights_of_no_mechanism_are_refused(world: &World) {
    let netuid = validated(world).await;
    let call = Call::SetWeights {
        netuid,
        mecid: MechId(1),
        weights: vec![(Uid(2), Weight(1))],
        version_key: 0,
    };
    world
        .refused(call, "v", "SubtensorModule.MechanismDoesNotExist")
        .await;
}

pub(super) async fn two_mechanisms_hold_their_own_weights(world: &World) {
    let netuid = validated(world).await;
    world.set(netuid, "uids_max", 128).await;
    world.set(netuid, "mechanisms", 2).await;
    world.ok(weights(netuid, &[(2, 1)]), "v").await;
    let second = Call::SetWeights {
        netuid,
        mecid: MechId(1),
        weights: vec![(Uid(3), Weight(1))],
        version_key: 0,
    };
    world.ok(second, "v").await;
    assert_eq!(world.row(netuid, 0, Uid(1)).await, [(2, 65_535)]);
    assert_eq!(world.row(netuid, 1, Uid(1)).await, [(3, 65_535)]);
    world.epochs(netuid, 1).await;
    let (first, second) = (
        world.neuron(netuid, "m1").await.emission,
        world.neuron(netuid, "m2").await.emission,
    );
    assert!(
        first.0 > 0 && first.0.abs_diff(second.0) <= 1,
        "{first} and {second}"
    );
}
