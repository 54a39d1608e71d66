//! The chain follower: no gap after downtime, no block twice, also by two servers; weights and emission as on the chain.

use crate::database::dump;
use crate::postgres;
use crate::world::{NETUID, Place, SERVER, World, key};
use assay_chain::{At, Chain as _};
use assay_server::follow::{FollowError, catch_up};
use assay_server::store::{self, StoreError, TakeBlock};
use assay_server::{App, AppParts, ServerClock};
use assay_types::{BlockNumber, Digest, MechId};
use sqlx::Row as _;
use std::sync::Arc;

/// Numbers, hashes and parents of all blocks taken in.
async fn heads(world: &World) -> Vec<(i64, String, String)> {
    let rows = sqlx::query("SELECT block, hash, parent FROM heads ORDER BY block")
        .fetch_all(world.app.database().readers())
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

/// Each block follows the one before, up to `newest`.
async fn are_whole(world: &World, newest: u32) {
    let heads = heads(world).await;
    assert!(heads.len() >= 4, "{}", heads.len());
    assert_eq!(heads.last().unwrap().0, i64::from(newest));
    for pair in heads.windows(2) {
        assert_eq!((pair[1].0, &pair[1].2), (pair[0].0 + 1, &pair[0].1));
    }
}

/// Follows to the newest block, as the task does: a step that another server took is taken anew.
async fn follow(app: &App, world: &World) -> Result<(), FollowError> {
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    loop {
        match catch_up(app, &world.chain, &shutdown).await {
            Err(FollowError::Store(StoreError::Stale)) => {}
            other => return other,
        }
    }
}

async fn suite(place: &Place) {
    let world = World::new(place, &["miner-a", "miner-b"]).await;
    world.begin(0).await;
    let start = world.rounds().start(assay_types::Round(0)).0;
    are_whole(&world, start).await;
    // While nobody follows, the chain goes on, through an epoch and the next assignment.
    world.node.seal(45).await.unwrap();
    follow(&world.app, &world).await.unwrap();
    are_whole(&world, start + 45).await;

    // The newest block again, by who does not know that it was taken: nothing changes.
    let readers = world.app.database().readers();
    let newest = store::cursor(readers).await.unwrap().unwrap().head;
    let before = dump(world.app.database()).await;
    let again = TakeBlock {
        head: newest,
        metagraph: None,
        weights: vec![(MechId(0), Vec::new())],
        commitments: Vec::new(),
        pulse: None,
        revealed: Vec::new(),
        recipes: Vec::new(),
        round: None,
        now_ms: 9,
    };
    assert!(!world.app.writer().write(again).await.unwrap());
    assert!(
        before == dump(world.app.database()).await,
        "a block was taken twice"
    );

    weights_are_the_chains(&world).await;

    // Two servers on one database take the same blocks; a block of another chain is none of theirs.
    let other = Arc::new(App::new(AppParts {
        database: world.app.database().clone(),
        writer: world.app.writer().clone(),
        key: key(SERVER),
        identity: world.identity,
        params: world.app.params().clone(),
        limits: world.app.limits().clone(),
        clock: ServerClock::default(),
        client_address_header: None,
        public_url: String::new(),
        batches: None,
        contest: None,
    }));
    for _ in 0..4 {
        world.node.seal(15).await.unwrap();
        let (one, two) = tokio::join!(follow(&world.app, &world), follow(&other, &world));
        one.unwrap();
        two.unwrap();
    }
    are_whole(&world, start + 105).await;
    sqlx::query("UPDATE heads SET hash = $1 WHERE block = $2")
        .bind(Digest([9; 32]).to_string())
        .bind(i64::from(start + 105))
        .execute(readers)
        .await
        .unwrap();
    world.node.seal(3).await.unwrap();
    let fork = follow(&world.app, &world).await.unwrap_err();
    assert!(
        matches!(fork, FollowError::Fork(BlockNumber(block)) if block == start + 106),
        "{fork}"
    );
    world.stop().await;
}

/// What was kept of each epoch is what the chain says at that block.
async fn weights_are_the_chains(world: &World) {
    let readers = world.app.database().readers();
    let kept = store::weights_rows(readers, 100).await.unwrap();
    assert!(kept.len() >= 2, "{} epochs", kept.len());
    let mut emission = 0;
    for (block, rows) in kept {
        let at = At::Number(block);
        assert_eq!(
            rows,
            world.chain.weights(NETUID, MechId(0), at).await.unwrap(),
            "{block}"
        );
        let metagraph = store::metagraph_at(readers, block).await.unwrap().unwrap();
        assert_eq!(
            metagraph,
            world.chain.metagraph(NETUID, at).await.unwrap(),
            "{block}"
        );
        emission += metagraph
            .neurons
            .iter()
            .map(|neuron| neuron.emission.0)
            .sum::<u64>();
    }
    assert!(emission > 0, "somebody was paid in some epoch");
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_taken_once_and_without_a_gap_on_sqlite() {
    suite(&Place::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_taken_once_and_without_a_gap_on_postgres() {
    if let Some(url) = postgres::database("follow").await {
        suite(&Place::Postgres(url)).await;
    }
}
