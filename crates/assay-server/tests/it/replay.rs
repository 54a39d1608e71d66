//! Rounds after the first, recomputed byte for byte by who has only the chain, the subnet's file and its store.

use crate::requeue::setup;
use crate::rounds::{pointer, report, report_after};
use crate::world::{NETUID, Place, Subnet, World, corpus, hotkey, params};
use assay_agents::subnet::{Batch, Tracker};
use assay_mechanism::network::NetworkState;
use assay_types::{Digest, Message, Round, UnitId, Verdict, batch_digest, corpus_index_root};

/// Miner a delivers in round 0, miner b does not; a's reports lie in the store, are handed in, and stand on the chain.
async fn first_round(world: &World, setup: &assay_agents::subnet::Setup) {
    world.begin(0).await;
    let client = world.client("miner-a");
    let assignment = client.assignment(Round(0)).await.unwrap().0;
    let mut units: Vec<UnitId> = assignment
        .of(&hotkey("miner-a"))
        .map(|entry| entry.unit)
        .collect();
    units.sort_unstable();
    // What a wants next is in the pointer that the chain opens.
    let root = Digest([9; 32]);
    world
        .commit_sealed("miner-a", &pointer(Round(0), &units, root))
        .await;
    let start = world.rounds().start(Round(0)).0;
    world.until(start + 18).await;
    let passed = report(world, "miner-a", (root, &units), Verdict::Pass);
    let absent = ("miner-b", Verdict::NoShow);
    let absent = report_after(world, passed.digest().unwrap(), absent, (Digest::ZERO, &[]));
    let reports = vec![passed, absent];
    for one in &reports {
        assert!(!client.report(one).await.unwrap().known);
    }
    let batch = Batch::new(reports, Vec::new()).unwrap();
    let lines = batch.lines().unwrap();
    let digest = batch_digest(lines.iter().map(String::as_bytes));
    batch
        .publish(setup.store.as_ref(), &hotkey("miner-a"), &NetworkState::default())
        .await
        .unwrap();
    let message = Message::Reports {
        round: Round(0),
        digest,
    };
    world.commit_plain("miner-a", &message).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_with_earned_caps_and_units_that_come_back_are_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let mut pinned = params();
    pinned.corpus_index_root = corpus_index_root(&corpus(200));
    let subnet = Subnet {
        params: pinned.clone(),
        ..Subnet::default()
    };
    let world = World::build(&Place::Sqlite, &["miner-a", "miner-b"], subnet, |_| 8).await;
    let setup = setup(&world, folder.path(), &pinned);
    first_round(&world, &setup).await;
    let start = world.rounds().start(Round(2)).0;
    world.until(start).await;
    let mut caps = Vec::new();
    for round in (0..3).map(Round) {
        let (document, bytes) = world.client("anybody").assignment(round).await.unwrap();
        let mut tracker = Tracker::in_memory(&setup);
        let block = setup.clock.assignment_block(round);
        tracker.advance(&world.chain, &setup, block).await.unwrap();
        let own = tracker.document(round).unwrap();
        assert_eq!(own, document, "round {round}");
        assert_eq!(own.to_bytes().unwrap(), bytes, "round {round}");
        assert_eq!(
            (own.header.netuid, own.header.genesis),
            (NETUID, world.identity.genesis)
        );
        caps.push(
            own.header
                .candidates
                .iter()
                .map(|one| one.cap)
                .collect::<Vec<_>>(),
        );
        if round == Round(1) {
            assert!(
                own.header.cursor > 0 && own.header.requeued.len() == 4,
                "what b held comes back"
            );
        }
    }
    assert!(caps[1].contains(&8) && caps[1].contains(&2), "{caps:?}");
    assert_ne!(caps[0], caps[1]);
    // A round that is not assigned yet is in no replay.
    let mut tracker = Tracker::in_memory(&setup);
    let block = setup.clock.assignment_block(Round(2));
    tracker.advance(&world.chain, &setup, block).await.unwrap();
    assert_eq!(tracker.document(Round(3)), None);
    world.stop().await;
}
