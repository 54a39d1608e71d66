//! A server that lies about its assignment is caught by anybody who can read the chain, and its signature proves it.

use crate::world::{NETUID, Place, World, corpus, hotkey, params};
use assay_agents::api::{ApiError, AssignmentLie, Expected, check_assignment, read_chain};
use assay_mechanism::plan::plan;
use assay_types::api::{Assignment, AssignmentHeader};
use assay_types::{Digest, Round, UnitId, corpus_index_root};
use std::collections::BTreeMap;

/// Makes the server serve another document for round 0, as one who runs it could.
async fn replace(world: &World, document: &Assignment) {
    let text = String::from_utf8(document.to_bytes().unwrap()).unwrap();
    let done = sqlx::query("UPDATE rounds SET document = $1 WHERE round = 0")
        .bind(text)
        .execute(world.app.database().readers())
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
}

/// What a miner or validator does with an assignment before it works on it.
async fn check(world: &World) -> Result<(), AssignmentLie> {
    let (served, _) = world.client("miner-a").assignment(Round(0)).await.unwrap();
    let caps = BTreeMap::new();
    let view = read_chain(&world.chain, (NETUID, Round(0)), &params(), &caps)
        .await
        .unwrap();
    let fresh: Vec<UnitId> = corpus(200).iter().map(|unit| unit.unit_id).collect();
    let expected = Expected {
        genesis: world.identity.genesis,
        netuid: NETUID,
        round: Round(0),
        params: &params(),
        block: view.0,
        beacon: view.1,
        candidates: &view.2,
        caps: &caps,
        index_root: Some(corpus_index_root(&corpus(200))),
        cursor: Some(0),
        requeued: None,
        fresh: &fresh,
    };
    check_assignment(&served, &expected)
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_are_detected() {
    let world = World::new(&Place::Sqlite, &["miner-a", "miner-b"]).await;
    world.begin(0).await;
    assert_eq!(check(&world).await, Ok(()));
    let (honest, _) = world.client("miner-a").assignment(Round(0)).await.unwrap();
    let fresh: Vec<UnitId> = corpus(200).iter().map(|unit| unit.unit_id).collect();
    let computed = |change: &dyn Fn(&mut AssignmentHeader)| {
        let mut header = honest.header.clone();
        change(&mut header);
        plan(&header, &fresh, &params().values)
    };

    // Favours: every unit to one miner, more for a friend, another draw until it suits, work withheld.
    let mut favour = honest.clone();
    for entry in &mut favour.entries {
        entry.holder = hotkey("miner-b");
    }
    replace(&world, &favour).await;
    assert_eq!(check(&world).await, Err(AssignmentLie::List));
    replace(&world, &computed(&|header| header.candidates[0].want = 250)).await;
    assert!(matches!(check(&world).await, Err(AssignmentLie::Candidate(_))));
    replace(&world, &computed(&|header| header.beacon = Digest([1; 32]))).await;
    assert!(matches!(check(&world).await, Err(AssignmentLie::Beacon(_))));
    replace(&world, &computed(&|header| header.cursor = 3)).await;
    assert!(matches!(
        check(&world).await,
        Err(AssignmentLie::Cursor { found: 3, .. })
    ));
    let mut withheld = honest.clone();
    withheld.entries.truncate(2);
    replace(&world, &withheld).await;
    assert_eq!(check(&world).await, Err(AssignmentLie::List));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_the_server_did_not_sign_is_refused() {
    let world = World::new(&Place::Sqlite, &["miner-a"]).await;
    world.begin(0).await;
    let options = assay_agents::api::ClientOptions {
        url: world.url.clone(),
        server: hotkey("another-server"),
        time_max: std::time::Duration::from_secs(10),
    };
    let client = assay_agents::api::TaskApi::new(&options, crate::world::key("miner-a")).unwrap();
    assert!(matches!(
        client.assignment(Round(0)).await,
        Err(ApiError::Unsigned(_))
    ));
    // And the other way round: the server is not who the request was signed for.
    let error = client.whoami().await.unwrap_err();
    assert_eq!(error.kind(), Some(assay_types::api::ProblemKind::WrongReceiver));
    world.stop().await;
}
