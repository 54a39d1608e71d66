//! Timelocked weights: commit, reveal, and everything that is dropped without a word.

use assay_chain::embedded::Fault;
use assay_chain::reveal::{BlockClock, Reveal, reveal_of};
use assay_chain::subtensor::{Committed, Fate, Follower};
use assay_chain::timelock::{Entropy, WeightsPayload, seal};
use assay_chain::{At, Call, PendingCommit};
use assay_types::{MechId, NetUid, Uid, Weight};

use super::weights::validated;
use super::world::{World, hotkey};

/// A subnet with a validator `v` (uid 1) under commit–reveal, just after an epoch.
async fn committed(world: &World) -> NetUid {
    let netuid = validated(world).await;
    world.set(netuid, "commit_reveal", 1).await;
    world.epochs(netuid, 1).await;
    netuid
}

/// The round to seal to and the block that is due to reveal, as predicted for a commit in the next block.
async fn predicted(world: &World, netuid: NetUid) -> Reveal {
    let head = world.chain.head(At::Head).await.unwrap();
    let clock = BlockClock {
        now_ms: head.time_ms,
        block_ms: 12_000,
    };
    reveal_of(&world.epoch_state(netuid).await, netuid, clock).unwrap()
}

async fn reveal_round(world: &World, netuid: NetUid) -> (u64, u32) {
    let reveal = predicted(world, netuid).await;
    (reveal.round, reveal.block.0)
}

/// Weights of `name`, sealed to `round`.
async fn sealed(world: &World, name: &str, round: u64, weights: &[(u16, u16)]) -> Vec<u8> {
    let payload = WeightsPayload {
        hotkey: hotkey(name),
        weights: weights
            .iter()
            .map(|&(uid, weight)| (Uid(uid), Weight(weight)))
            .collect(),
        version_key: 0,
    };
    let beacon = world.chain.beacon(At::Head).await.unwrap();
    seal(
        &beacon,
        round,
        &payload.encode().unwrap(),
        &Entropy::random().unwrap(),
    )
    .unwrap()
}

const fn commit(netuid: NetUid, commit: Vec<u8>, reveal_round: u64) -> Call {
    Call::CommitTimelockedWeights {
        netuid,
        mecid: MechId(0),
        commit,
        reveal_round,
        version: 4,
    }
}

async fn pending(world: &World, netuid: NetUid) -> Vec<PendingCommit> {
    world
        .chain
        .pending_commits(netuid, MechId(0), At::Head)
        .await
        .unwrap()
}

pub(super) async fn a_commit_is_revealed_where_predicted_and_earns(world: &World) {
    let netuid = committed(world).await;
    let (round, block) = reveal_round(world, netuid).await;
    let bytes = sealed(world, "v", round, &[(2, 65_535), (3, 65_535)]).await;
    world.ok(commit(netuid, bytes, round), "v").await;
    world.advance(block + 3 - world.head().await).await;
    assert_eq!(world.row(netuid, 0, Uid(1)).await, [], "not before its pulse");
    // The pulse is in the third block after r and opens the commit at the start of the next.
    world.advance(1).await;
    assert_eq!(world.row(netuid, 0, Uid(1)).await, [(2, 65_535), (3, 65_535)]);
    assert_eq!(pending(world, netuid).await, []);
    let events = world.embedded().events(At::Head).await.unwrap();
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    assert!(
        names.contains(&"SubtensorModule.TimelockedWeightsRevealed"),
        "{names:?}"
    );
    assert!(names.contains(&"SubtensorModule.WeightsSet"), "{names:?}");
    assert_eq!(world.neuron(netuid, "m1").await.emission.0, 0);
    world.epochs(netuid, 1).await;
    assert!(world.neuron(netuid, "m1").await.emission.0 > TAO_OF_A_TEMPO / 8);
    assert!(world.neuron(netuid, "v").await.dividends > 0);
}

/// Alpha of 20 blocks.
const TAO_OF_A_TEMPO: u64 = 20_000_000_000;

pub(super) async fn an_open_commit_is_listed_with_its_digest(world: &World) {
    let netuid = committed(world).await;
    let Reveal {
        round, commit_epoch, ..
    } = predicted(world, netuid).await;
    let bytes = sealed(world, "v", round, &[(2, 1)]).await;
    let receipt = world.ok(commit(netuid, bytes, round), "v").await;
    assert_eq!(receipt.events[0], "SubtensorModule.TimelockedWeightsCommitted");
    let found = pending(world, netuid).await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].hotkey, found[0].reveal_round), (hotkey("v"), round));
    assert_eq!(found[0].block, receipt.block);
    assert_eq!(found[0].epoch, commit_epoch);
    assert!(!found[0].commit.is_zero());
}

pub(super) async fn a_commit_moves_the_last_update_and_a_reveal_does_not(world: &World) {
    let netuid = committed(world).await;
    let (round, block) = reveal_round(world, netuid).await;
    let bytes = sealed(world, "v", round, &[(2, 1)]).await;
    let receipt = world.ok(commit(netuid, bytes, round), "v").await;
    assert_eq!(world.neuron(netuid, "v").await.last_update, receipt.block);
    world.advance(block + 5 - world.head().await).await;
    assert_eq!(world.row(netuid, 0, Uid(1)).await.len(), 1);
    assert_eq!(world.neuron(netuid, "v").await.last_update, receipt.block);
}

pub(super) async fn a_commit_without_commit_reveal_is_refused(world: &World) {
    let netuid = validated(world).await;
    world
        .refused(
            commit(netuid, vec![1; 300], u64::MAX),
            "v",
            "SubtensorModule.CommitRevealDisabled",
        )
        .await;
}

pub(super) async fn a_commit_of_another_version_is_refused(world: &World) {
    let netuid = committed(world).await;
    let call = Call::CommitTimelockedWeights {
        netuid,
        mecid: MechId(0),
        commit: vec![1; 300],
        reveal_round: u64::MAX,
        version: 3,
    };
    world
        .refused(call, "v", "SubtensorModule.IncorrectCommitRevealVersion")
        .await;
}

pub(super) async fn a_commit_to_a_past_round_is_refused(world: &World) {
    let netuid = committed(world).await;
    let last = world.chain.last_pulse_round(At::Head).await.unwrap();
    world
        .refused(
            commit(netuid, vec![1; 300], last - 1),
            "v",
            "SubtensorModule.InvalidRevealRound",
        )
        .await;
}

pub(super) async fn a_commit_too_soon_is_refused(world: &World) {
    let netuid = committed(world).await;
    world.ok(commit(netuid, vec![1; 300], u64::MAX), "v").await;
    world.set(netuid, "weights_rate_limit", 10).await;
    let error = world
        .refused(
            commit(netuid, vec![2; 300], u64::MAX),
            "v",
            "SubtensorModule.CommittingWeightsTooFast",
        )
        .await;
    assert!(error.retry_is_safe());
}

pub(super) async fn an_eleventh_open_commit_is_refused(world: &World) {
    let netuid = committed(world).await;
    world.set(netuid, "tempo", 100).await;
    for number in 0..10 {
        world.ok(commit(netuid, vec![number; 300], u64::MAX), "v").await;
    }
    world
        .refused(
            commit(netuid, vec![11; 300], u64::MAX),
            "v",
            "SubtensorModule.TooManyUnrevealedCommits",
        )
        .await;
    assert_eq!(pending(world, netuid).await.len(), 10);
}

pub(super) async fn a_commit_of_a_stranger_is_refused(world: &World) {
    let netuid = committed(world).await;
    world
        .refused(
            commit(netuid, vec![1; 300], u64::MAX),
            "stranger",
            "SubtensorModule.HotKeyNotRegisteredInSubNet",
        )
        .await;
}

/// Commits bytes of `name` and waits for the reveal; the weights must not be there and the commit be gone.
async fn dropped(world: &World, netuid: NetUid, name: &str, uid: u16, bytes: Vec<u8>) {
    let (round, block) = reveal_round(world, netuid).await;
    world.ok(commit(netuid, bytes, round), name).await;
    world.advance(block + 5 - world.head().await).await;
    assert_eq!(world.row(netuid, 0, Uid(uid)).await, []);
    assert_eq!(pending(world, netuid).await, []);
}

pub(super) async fn a_commit_of_another_hotkeys_weights_is_dropped_silently(world: &World) {
    let netuid = committed(world).await;
    let (round, _) = reveal_round(world, netuid).await;
    let bytes = sealed(world, "m1", round, &[(2, 1)]).await;
    dropped(world, netuid, "v", 1, bytes).await;
}

pub(super) async fn a_commit_of_noise_is_dropped_silently(world: &World) {
    let netuid = committed(world).await;
    dropped(world, netuid, "v", 1, vec![7; 400]).await;
}

pub(super) async fn a_commit_without_a_permit_is_dropped_silently(world: &World) {
    let netuid = committed(world).await;
    let (round, _) = reveal_round(world, netuid).await;
    let bytes = sealed(world, "m1", round, &[(3, 1)]).await;
    dropped(world, netuid, "m1", 2, bytes).await;
}

/// Commits bytes of `v` and follows them, block by block, to their end.
async fn followed(world: &World, netuid: NetUid, (round, block): (u64, u32), bytes: Vec<u8>) -> Fate {
    let receipt = world.ok(commit(netuid, bytes.clone(), round), "v").await;
    let row = [(Uid(2), Weight(65_535)), (Uid(3), Weight(65_535))];
    let committed = Committed::new(
        (netuid, MechId(0)),
        hotkey("v"),
        &bytes,
        (receipt.block, round),
        &row,
    );
    let mut follower = Follower::new(committed);
    world.advance(block - world.head().await).await;
    for _ in 0..40 {
        // As a restart stores and reads it.
        let stored = serde_json::to_vec(&follower).unwrap();
        follower = serde_json::from_slice(&stored).unwrap();
        let head = world.chain.head(At::Head).await.unwrap();
        if let Some(fate) = follower.look(&*world.chain, &head).await.unwrap() {
            return fate;
        }
        world.advance(1).await;
    }
    panic!("nothing became of the commit in forty blocks");
}

pub(super) async fn an_unchanged_row_does_not_pass_for_a_reveal(world: &World) {
    let netuid = committed(world).await;
    let weights = [(2, 65_535), (3, 65_535)];
    for is_good in [true, false, true] {
        let reveal = reveal_round(world, netuid).await;
        // Weights of another hotkey do not open.
        let of = if is_good { "v" } else { "m1" };
        let bytes = sealed(world, of, reveal.0, &weights).await;
        let fate = followed(world, netuid, reveal, bytes).await;
        assert_eq!(
            world.row(netuid, 0, Uid(1)).await,
            weights,
            "the row never changes"
        );
        match fate {
            // The pulse of r + 3 opens it in the block after.
            Fate::Revealed(block) => assert!(is_good && block.0 == reveal.1 + 4, "{block}"),
            Fate::Dropped(reason) => assert!(!is_good && reason.contains("the chain dropped it"), "{reason}"),
        }
    }
}

pub(super) async fn a_pulse_that_never_comes_drops_the_commit(world: &World) {
    let netuid = committed(world).await;
    let (round, block) = reveal_round(world, netuid).await;
    let bytes = sealed(world, "v", round, &[(2, 1)]).await;
    world.ok(commit(netuid, bytes, round), "v").await;
    world.inject(Fault::MissPulses { rounds: 400 }).await;
    world.advance(block + 6 - world.head().await).await;
    assert_eq!(pending(world, netuid).await.len(), 1, "it waits for its pulse");
    world.epochs(netuid, 1).await;
    world.advance(1).await;
    assert_eq!(pending(world, netuid).await, [], "its epoch is over");
    assert_eq!(world.row(netuid, 0, Uid(1)).await, []);
}

pub(super) async fn a_late_pulse_still_reveals_within_the_epoch(world: &World) {
    let netuid = committed(world).await;
    let (round, block) = reveal_round(world, netuid).await;
    let bytes = sealed(world, "v", round, &[(2, 1)]).await;
    world.ok(commit(netuid, bytes, round), "v").await;
    world.inject(Fault::MissPulses { rounds: 400 }).await;
    world.advance(block + 6 - world.head().await).await;
    assert_eq!(world.row(netuid, 0, Uid(1)).await, []);
    world.inject(Fault::ReleasePulses).await;
    world.advance(2).await;
    assert_eq!(world.row(netuid, 0, Uid(1)).await, [(2, 65_535)]);
}
