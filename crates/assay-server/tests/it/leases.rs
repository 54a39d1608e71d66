//! Leases over the wire, on both databases: one conformance suite.

use crate::postgres;
use crate::world::{Place, World, hotkey};
use assay_agents::api::ApiError;
use assay_server::store;
use assay_types::api::{LeaseState, ProblemKind};
use assay_types::{Digest, Round, UnitId};

#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn suite(place: &Place) {
    let world = World::new(place, &["miner-a", "miner-b"]).await;
    world.begin(0).await;
    let (a, b) = (world.client("miner-a"), world.client("miner-b"));
    let (assignment, _) = a.assignment(Round(0)).await.unwrap();
    let mine: Vec<UnitId> = assignment
        .entries
        .iter()
        .filter(|entry| entry.is_held_by(&a.hotkey()) && !entry.is_held_by(&b.hotkey()))
        .map(|entry| entry.unit)
        .collect();
    assert!(mine.len() >= 3, "{}", mine.len());
    let kind = |error: ApiError| error.kind();

    // Only who is assigned, only assigned units, only known rounds, only once.
    assert_eq!(
        kind(b.take(Round(0), &mine[0]).await.unwrap_err()),
        Some(ProblemKind::NotYours)
    );
    let other = UnitId::of("file", "no-such.warc");
    assert_eq!(
        kind(a.take(Round(0), &other).await.unwrap_err()),
        Some(ProblemKind::NotAssigned)
    );
    assert_eq!(
        kind(a.take(Round(9), &mine[0]).await.unwrap_err()),
        Some(ProblemKind::UnknownRound)
    );
    let stranger = world
        .client("stranger")
        .take(Round(0), &mine[0])
        .await
        .unwrap_err();
    assert_eq!(kind(stranger), Some(ProblemKind::NotRegistered));
    let taken = a.take(Round(0), &mine[0]).await.unwrap();
    assert_eq!(
        (taken.state, taken.key.holder),
        (LeaseState::Leased, hotkey("miner-a"))
    );
    assert_eq!(
        kind(a.take(Round(0), &mine[0]).await.unwrap_err()),
        Some(ProblemKind::LeaseState)
    );

    // Heartbeat, completion (twice the same, not another), release, failure.
    assert_eq!(
        a.heartbeat(Round(0), &mine[0], 5_000).await.unwrap().progress,
        5_000
    );
    assert_eq!(
        kind(a.heartbeat(Round(0), &mine[0], 10_001).await.unwrap_err()),
        Some(ProblemKind::Invalid)
    );
    let root = Digest([7; 32]);
    for _ in 0..2 {
        let done = a.complete(Round(0), &mine[0], root).await.unwrap();
        assert_eq!((done.state, done.unit_root), (LeaseState::Submitted, Some(root)));
    }
    let another = a.complete(Round(0), &mine[0], Digest([8; 32])).await.unwrap_err();
    assert_eq!(kind(another), Some(ProblemKind::LeaseState));
    a.take(Round(0), &mine[1]).await.unwrap();
    assert_eq!(
        a.release(Round(0), &mine[1]).await.unwrap().state,
        LeaseState::Pending
    );
    a.take(Round(0), &mine[1]).await.unwrap();
    let failed = a.fail(Round(0), &mine[1], "out of disk").await.unwrap();
    assert_eq!(
        (failed.state, failed.reason.as_str()),
        (LeaseState::Expired, "out of disk")
    );
    assert_eq!(
        kind(a.release(Round(0), &mine[1]).await.unwrap_err()),
        Some(ProblemKind::LeaseState)
    );

    // The round ends every lease.
    a.take(Round(0), &mine[2]).await.unwrap();
    world.until(world.rounds().start(Round(0)).0 + 15).await;
    let late = a.complete(Round(0), &mine[2], root).await.unwrap_err();
    assert_eq!(kind(late), Some(ProblemKind::LeaseExpired));
    let leases = a.leases(Round(0), &a.hotkey()).await.unwrap();
    let state = |unit: UnitId| leases.iter().find(|lease| lease.key.unit == unit).unwrap().state;
    assert_eq!(state(mine[0]), LeaseState::Submitted);
    assert_eq!(state(mine[2]), LeaseState::Expired);
    let counts = store::leases_of_round(world.app.database().readers(), Round(0))
        .await
        .unwrap();
    assert_eq!(
        counts.iter().find(|(state, _)| *state == LeaseState::Submitted),
        Some(&(LeaseState::Submitted, 1))
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_on_sqlite() {
    suite(&Place::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_on_postgres() {
    if let Some(url) = postgres::database("leases").await {
        suite(&Place::Postgres(url)).await;
    }
}
