//! Reports that a validator published and did not hand in: waited for while asking again may help, then settled without.

use crate::postgres;
use crate::rounds::report;
use crate::world::{Place, Subnet, World, hotkey};
use assay_mechanism::reports::{TRIES_MIN, WAIT_BLOCKS};
use assay_server::follow::{FollowError, catch_up};
use assay_server::{BatchError, BatchSource, store};
use assay_types::{Digest, Hotkey, Message, Round, UnitId, Verdict, batch_digest};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};

/// A store as the test wants it.
#[derive(Debug, Clone)]
enum Shelf {
    Away,
    Lines(Vec<String>),
    Gone,
}

#[derive(Debug)]
struct Batches(Mutex<(Shelf, u32)>);

impl Batches {
    fn put(&self, shelf: Shelf) {
        *self.0.lock().unwrap() = (shelf, 0);
    }

    fn asked(&self) -> u32 {
        self.0.lock().unwrap().1
    }
}

impl BatchSource for Batches {
    fn lines(&self, _: Round, _: Hotkey, _: Digest) -> BoxFuture<'_, Result<Vec<String>, BatchError>> {
        let mut shelf = self.0.lock().unwrap();
        shelf.1 += 1;
        let fails = |retry_is_safe| {
            Err(BatchError {
                retry_is_safe,
                source: "the shelf is empty".into(),
            })
        };
        let answer = match &shelf.0 {
            Shelf::Away => fails(true),
            Shelf::Gone => fails(false),
            Shelf::Lines(lines) => Ok(lines.clone()),
        };
        Box::pin(async move { answer })
    }
}

/// A round behind its effective block whose only validator has put a digest on the chain, and the lines behind it.
async fn reported(place: &Place) -> (World, Arc<Batches>, Vec<String>) {
    let batches = Arc::new(Batches(Mutex::new((Shelf::Away, 0))));
    let subnet = Subnet {
        batches: Some(Arc::<Batches>::clone(&batches)),
        ..Subnet::default()
    };
    let world = World::build(place, &["miner-a", "miner-b"], subnet, |_| 8).await;
    world.begin(0).await;
    let assignment = world.client("anybody").assignment(Round(0)).await.unwrap().0;
    let mut units: Vec<UnitId> = assignment.of(&hotkey("miner-a")).map(|one| one.unit).collect();
    units.sort_unstable();
    let passed = report(&world, "miner-a", (Digest([9; 32]), &units), Verdict::Pass);
    let line = passed.to_canonical_bytes().unwrap();
    let digest = batch_digest([line.as_slice()]);
    let start = world.rounds().start(Round(0)).0;
    world.until(start + 20).await;
    let message = Message::Reports {
        round: Round(0),
        digest,
    };
    world.commit_plain("miner-a", &message).await;
    // One block before reports close.
    world.until(start + 25).await;
    world.node.seal(20 + WAIT_BLOCKS).await.unwrap();
    (world, batches, vec![String::from_utf8(line).unwrap()])
}

async fn follow(world: &World) -> Result<(), FollowError> {
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    catch_up(&world.app, &world.chain, &shutdown).await
}

async fn verdict(world: &World) -> Option<Verdict> {
    let of = store::verdict_of(world.app.database().readers(), Round(0), &hotkey("miner-a")).await;
    of.unwrap().map(|row| row.verdict)
}

async fn suite(place: &Place) {
    let (world, batches, lines) = reported(place).await;
    // More often than anybody is waited for: he has all the stake, so that without him nothing is settled.
    for _ in 0..TRIES_MIN + 5 {
        let waits = follow(&world).await.unwrap_err();
        assert!(
            matches!(&waits, FollowError::Unread { round: Round(0), validator, source }
                if *validator == hotkey("miner-a") && source.retry_is_safe),
            "{waits:?}"
        );
        let text = waits.to_string();
        assert!(
            text.ends_with("the shelf is empty") && text.contains("round 0 waits"),
            "{text}"
        );
    }
    assert_eq!((batches.asked(), verdict(&world).await), (TRIES_MIN + 5, None));
    batches.put(Shelf::Lines(lines));
    follow(&world).await.unwrap();
    assert_eq!((batches.asked(), verdict(&world).await), (1, Some(Verdict::Pass)));
    follow(&world).await.unwrap();
    assert_eq!(batches.asked(), 1, "settled once");
    world.stop().await;
}

async fn given_up(place: &Place, shelf: impl FnOnce(Vec<String>) -> Shelf) {
    let (world, batches, lines) = reported(place).await;
    batches.put(shelf(lines));
    follow(&world).await.unwrap();
    assert_eq!(batches.asked(), 1, "asking again would not help");
    assert_eq!(
        verdict(&world).await,
        Some(Verdict::Skipped),
        "nobody else reported"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_out_of_reach_are_waited_for_on_sqlite() {
    suite(&Place::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_out_of_reach_are_waited_for_on_postgres() {
    if let Some(url) = postgres::database("unread").await {
        suite(&Place::Postgres(url)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_are_gone_do_not_count_at_once() {
    given_up(&Place::Sqlite, |_| Shelf::Gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_another_digest_do_not_count_at_once() {
    given_up(&Place::Sqlite, |lines| {
        Shelf::Lines([lines.clone(), lines].concat())
    })
    .await;
}
