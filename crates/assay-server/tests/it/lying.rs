//! A server that lies about its assignment is caught by anybody who can read the chain, and its signature proves it.

use crate::requeue::setup;
use crate::world::{NETUID, Place, SERVER, Subnet, World, corpus, hotkey, params, signer};
use assay_agents::api::{ApiError, AssignmentLie, Expected, ServerStatement, check_assignment, read_chain};
use assay_agents::miner::{Conduct, Miner, MinerOptions};
use assay_agents::subnet::{Courier, Setup, Signer};
use assay_agents::validator::{PrivateAudit, Validator, ValidatorOptions, Worker};
use assay_chain::{At, Chain as _};
use assay_mechanism::plan::plan;
use assay_types::api::{Assignment, AssignmentHeader};
use assay_types::{Digest, Round, UnitId, corpus_index_root};
use std::collections::BTreeMap;
use std::path::Path;

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

/// What an agent has kept of a round's assignment: the server's bytes and its word for them.
fn evidence(folder: &Path) -> Option<(Vec<u8>, ServerStatement)> {
    let folder = folder.join("evidence");
    let bytes = fs_err::read(folder.join("assignment-0.jsonl")).ok()?;
    let statement = fs_err::read(folder.join("assignment-0.signed.json")).unwrap();
    Some((bytes, serde_json::from_slice(&statement).unwrap()))
}

/// One step of a miner and of a validator who hold nothing themselves; what each has kept of round 0.
async fn step(world: &World, setup: &Setup, folder: &Path) -> Vec<Option<(Vec<u8>, ServerStatement)>> {
    let block = world.chain.head(At::Finalized).await.unwrap().number;
    let at = |name: &str| folder.join(name);
    let courier = |name: &str| Courier::new(world.client("watcher"), &at(name));
    let options = MinerOptions {
        folder: at("miner"),
        signer: Signer(signer("watcher")),
        want: 1,
        threads: 1,
        recipe: None,
        conduct: Conduct::Honest,
    };
    let miner = Miner::open(&world.chain, setup, options).unwrap();
    let did = miner.with_courier(courier("miner")).step(block).await.unwrap();
    assert!(did.is_empty(), "the watcher holds no unit");
    let options = ValidatorOptions {
        folder: at("validator"),
        signer: Signer(signer("watcher")),
        worker: Worker::Here,
        private: PrivateAudit::default(),
    };
    let validator = Validator::open(&world.chain, setup, options).unwrap();
    let mut validator = validator.with_courier(courier("validator"));
    validator.step(block).await.unwrap();
    // The chain is followed, whatever the server says.
    let own = validator.tracker().document(Round(0)).unwrap();
    assert_eq!(
        own.header.beacon,
        world.chain.head(At::Number(own.header.block)).await.unwrap().hash
    );
    ["miner", "validator"].map(|name| evidence(&at(name))).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_keep_a_lie_with_the_servers_signature_and_follow_the_chain() {
    let mut pinned = params();
    pinned.corpus_index_root = corpus_index_root(&corpus(200));
    let subnet = Subnet {
        params: pinned.clone(),
        ..Subnet::default()
    };
    let world = World::build(&Place::Sqlite, &["miner-a", "miner-b"], subnet, |_| 8).await;
    world.begin(0).await;
    let folder = tempfile::tempdir().unwrap();
    let setup = setup(&world, folder.path(), &pinned);
    let kept = step(&world, &setup, &folder.path().join("honest")).await;
    assert_eq!(kept, [None, None], "an honest server leaves no evidence");

    // Another list; and the same list from inputs that are not the chain's.
    let (honest, _) = world.client("miner-a").assignment(Round(0)).await.unwrap();
    let mut favour = honest.clone();
    for entry in &mut favour.entries {
        entry.holder = hotkey("miner-b");
    }
    let mut inputs = honest.clone();
    inputs.header.candidates[0].cap += 1;
    for (name, lie) in [("list", favour), ("inputs", inputs)] {
        replace(&world, &lie).await;
        for kept in step(&world, &setup, &folder.path().join(name)).await {
            let (bytes, statement) = kept.expect(name);
            assert_eq!(bytes, lie.to_bytes().unwrap(), "{name}");
            assert!(statement.is_over(&bytes), "{name}");
            assert_eq!(
                (statement.target.as_str(), statement.status, statement.server),
                ("/v1/rounds/0/assignment", 200, hotkey(SERVER).to_ss58())
            );
        }
    }
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
