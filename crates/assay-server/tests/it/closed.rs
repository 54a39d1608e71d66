//! What is declared of a round counts until the round, or one behind it, is settled: sums over settled rounds are carried on.

use crate::postgres;
use crate::world::{Place, World, hotkey};
use assay_server::App;
use assay_server::store::{
    self, CompleteSubmission, DeclaredSum, RevealedRow, Settle, Verified, declared_of, declared_sums,
    network_state,
};
use assay_types::api::DeclaredWork;
use assay_types::{BlockNumber, Digest, Pointer, RepoName, Revision, Round, UnitId, recipe};

/// A pointer of miner b on a round; `late` ones are refused.
fn revealed(round: u32, number: u8, late: bool) -> RevealedRow {
    RevealedRow {
        hotkey: hotkey("miner-b"),
        pointer: Pointer {
            round: Round(round),
            n_units: 1,
            want_next: 1,
            submission_root: Digest([number; 32]),
            revision: Revision([number; 20]),
            repo: RepoName::parse("acme/data").unwrap(),
        },
        block: BlockNumber(70 + u32::from(number)),
        refusal: if late { "too late" } else { "" }.to_owned(),
        now_ms: 1,
    }
}

/// Hands in the manifest of a pointer.
async fn hand_in(app: &App, round: u32, number: u8, tokens: u64) {
    let write = CompleteSubmission {
        round: Round(round),
        hotkey: hotkey("miner-b"),
        root: Digest([number; 32]),
        units: vec![UnitId::of("file", "a.warc")],
        records: vec![10],
        declared: vec![DeclaredWork {
            recipe_id: recipe::fineweb_en_v1().id(),
            units: 1,
            records: 10,
            kept: 5,
            tokens,
            archive_bytes: 100,
        }],
        now_ms: 1,
    };
    app.writer().write(write).await.unwrap().unwrap();
}

async fn declared(app: &App, round: u32) -> Vec<u64> {
    let works = declared_of(app.database().readers(), Round(round), &hotkey("miner-b")).await;
    works.unwrap().iter().map(|work| work.tokens).collect()
}

async fn settle(app: &App, round: u32) {
    let state = network_state(app.database().readers()).await.unwrap();
    let write = Settle {
        round: Round(round),
        verdicts: Vec::new(),
        units: Vec::new(),
        leases: Vec::new(),
        before: state.clone(),
        state,
        now_ms: 1,
    };
    assert!(app.writer().write(write).await.unwrap());
}

async fn suite(place: &Place) {
    let world = World::new(place, &["miner-a", "miner-b"]).await;
    world.begin(1).await;
    let app = &world.app;
    let reveal = async |row: RevealedRow| app.writer().write(row).await.unwrap();
    // While a round is open, the newest manifest of the newest pointer counts.
    assert!(reveal(revealed(1, 1, true)).await);
    hand_in(app, 1, 1, 11).await;
    assert!(
        reveal(revealed(1, 2, true)).await,
        "an uncounted pointer is replaced"
    );
    assert!(declared(app, 1).await.is_empty(), "and what was declared of it");
    hand_in(app, 1, 2, 12).await;
    hand_in(app, 1, 2, 13).await;
    assert_eq!(declared(app, 1).await, [13]);

    settle(app, 1).await;
    hand_in(app, 1, 2, 99).await;
    assert!(
        !reveal(revealed(1, 3, true)).await,
        "nor does a later pointer count"
    );
    assert_eq!(declared(app, 1).await, [13]);
    // Round 0 is closed by the one behind it: a first pointer is listed, its units are known, its figures count for nothing.
    assert!(reveal(revealed(0, 4, true)).await);
    hand_in(app, 0, 4, 99).await;
    assert!(declared(app, 0).await.is_empty());
    let listed = store::submission(app.database().readers(), &Digest([4; 32])).await;
    assert_eq!(listed.unwrap().unwrap().units.len(), 1);
    // Round 2 is not here yet, and open.
    assert!(reveal(revealed(2, 5, false)).await);
    hand_in(app, 2, 5, 21).await;
    assert_eq!(declared(app, 2).await, [21]);
    let all = declared_sums(app.database().readers(), (Round(0), Round(9)), Verified::Any).await;
    let sums: Vec<(u32, u64)> = all
        .unwrap()
        .iter()
        .map(|sum: &DeclaredSum| (sum.rounds, sum.work.tokens))
        .collect();
    assert_eq!(sums, [(2, 34)]);
    app.warm_up().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_settled_rounds_stand_on_sqlite() {
    suite(&Place::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_settled_rounds_stand_on_postgres() {
    if let Some(url) = postgres::database("closed").await {
        suite(&Place::Postgres(url)).await;
    }
}
