//! The embedded chain after kill −9 at any point: whole blocks, the same states, nobody's receipt taken back.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use assay_chain::embedded::{Clock, EmbeddedChain, Fault, Genesis, Node, NodeOptions};
use assay_chain::{At, Chain as _, ChainErrorKind};
use assay_types::{BlockNumber, NetUid, Rao};

use crate::conformance::world::{World, coldkey, genesis, key, register};

/// Names the database to the child.
const DATABASE: &str = "ASSAY_TEST_CRASH_DATABASE";
/// Times the child is killed.
const KILLS: u32 = 5;

async fn open(path: &Path) -> Node {
    let options = NodeOptions {
        genesis: genesis(),
        path: Some(path.to_path_buf()),
        clock: Clock::Instant,
        ..NodeOptions::default()
    };
    Node::start(&options).await.unwrap()
}

/// Not a test of its own: what the killed process runs.
#[tokio::test]
async fn child_that_is_killed() {
    let Ok(path) = std::env::var(DATABASE) else {
        return;
    };
    let world = World::of(open(Path::new(&path)).await);
    if world.chain.metagraph(NetUid(1), At::Head).await.is_err() {
        world.subnet().await;
    }
    let already = world.metagraph(NetUid(1)).await.neurons.len();
    for number in already.. {
        let name = format!("m{number}");
        world.fund(coldkey(&key("payer")), 1_000).await;
        let receipt = world.ok(register(NetUid(1), &name), "payer").await;
        println!("receipt {} {} {name}", receipt.block, receipt.hash);
    }
}

#[tokio::test]
async fn a_killed_chain_keeps_every_receipt_and_every_total() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.sqlite");
    let mut receipts = Vec::new();
    for kill in 1..=KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "crash::child_that_is_killed",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(DATABASE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut new = lines
            .map(Result::unwrap)
            .filter_map(|line| Some(line.split_once("receipt ")?.1.to_owned()));
        // Each life is a little longer, so that the kills fall on different work.
        receipts.extend(new.by_ref().take(7 * kill as usize));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let chain = EmbeddedChain::from(open(&path).await);
    let totals = chain.totals(At::Head).await.unwrap();
    assert_eq!(totals.tao_issued, totals.tao_held);
    assert_eq!(totals.alpha_issued, totals.alpha_held);
    let metagraph = chain.metagraph(NetUid(1), At::Head).await.unwrap();
    assert_eq!(receipts.len(), 105);
    for receipt in &receipts {
        let [block, hash, name]: [&str; 3] = receipt.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let head = chain
            .head(crate::conformance::world::at(block.parse().unwrap()))
            .await
            .unwrap();
        assert_eq!(head.hash.to_string(), hash, "block {block}");
        let neuron = metagraph.neuron(&crate::conformance::world::hotkey(name));
        assert_eq!(neuron.unwrap().registered.to_string(), block);
    }
}

#[tokio::test]
async fn a_chain_goes_on_from_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.sqlite");
    let node = open(&path).await;
    let world = World::of(node.clone());
    let netuid = world.subnet().await;
    world.validator(netuid, "v", 10).await;
    // Past a snapshot, so that both ways of loading are taken.
    world.advance(300).await;
    let (head, metagraph) = (
        world.chain.head(At::Head).await.unwrap(),
        world.metagraph(netuid).await,
    );
    node.stop().await;
    let again = World::of(open(&path).await);
    assert_eq!(again.chain.head(At::Head).await.unwrap(), head);
    assert_eq!(again.metagraph(netuid).await, metagraph);
    let old = again.chain.head(crate::conformance::world::at(3)).await.unwrap();
    assert_eq!(
        old,
        world.chain.head(crate::conformance::world::at(3)).await.unwrap()
    );
    again.advance(1).await;
    let next = again.chain.head(At::Head).await.unwrap();
    assert_eq!((next.number.0, next.parent), (head.number.0 + 1, head.hash));
    assert_eq!(
        again
            .chain
            .balance(&coldkey(&key("nobody")), At::Head)
            .await
            .unwrap(),
        Rao(0)
    );
}

#[tokio::test]
async fn what_was_ordered_for_the_next_block_outlives_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.sqlite");
    let manual = async || {
        let options = NodeOptions {
            genesis: genesis(),
            path: Some(path.clone()),
            clock: Clock::Manual,
            ..NodeOptions::default()
        };
        Node::start(&options).await.unwrap()
    };
    let account = coldkey(&key("late"));
    let balance = async |node: &Node| {
        let chain = EmbeddedChain::from(node.clone());
        chain.balance(&account, At::Head).await.unwrap()
    };
    let node = manual().await;
    node.fund(account, Rao(7)).await.unwrap();
    node.stop().await;
    let node = manual().await;
    assert_eq!(balance(&node).await, Rao(0));
    node.seal(1).await.unwrap();
    assert_eq!(balance(&node).await, Rao(7));
    node.stop().await;
    let node = manual().await;
    node.seal(1).await.unwrap();
    assert_eq!(balance(&node).await, Rao(7), "once");
}

#[tokio::test]
async fn a_fork_over_a_snapshot_does_not_lose_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.sqlite");
    let node = open(&path).await;
    let world = World::of(node.clone());
    // A fork replaces blocks 255 and 256 by 255 to 257, the snapshot's in the middle; another snapshot comes later.
    world.advance(256).await;
    node.inject(assay_chain::embedded::Fault::Reorg { depth: 2 })
        .await
        .unwrap();
    world.advance(512 + 20 - world.head().await).await;
    let head = world.chain.head(At::Head).await.unwrap();
    node.stop().await;
    let again = World::of(open(&path).await);
    assert_eq!(again.chain.head(At::Head).await.unwrap(), head);
}

#[tokio::test]
async fn a_database_has_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.sqlite");
    let node = open(&path).await;
    node.seal(1).await.unwrap();
    let options = NodeOptions {
        path: Some(path),
        ..NodeOptions::default()
    };
    let error = Node::start(&options).await.unwrap_err();
    assert!(error.to_string().contains("another process"), "{error}");
}

#[tokio::test]
async fn a_damaged_database_is_named_and_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.sqlite");
    let node = open(&path).await;
    World::of(node.clone()).subnet().await;
    node.stop().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut database = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("UPDATE blocks SET inherents = '[]' WHERE number = 2")
        .execute(&mut database)
        .await
        .unwrap();
    drop(database);
    let options = NodeOptions {
        path: Some(path.clone()),
        ..NodeOptions::default()
    };
    let error = Node::start(&options).await.unwrap_err().to_string();
    assert!(error.contains("block 2 does not give its hash again"), "{error}");
    assert!(error.contains("chain.sqlite"), "{error}");
    std::fs::write(
        &path,
        b"no database at all, but long enough to be looked at as one",
    )
    .unwrap();
    let options = NodeOptions {
        path: Some(path),
        ..NodeOptions::default()
    };
    let error = Node::start(&options).await.unwrap_err().to_string();
    assert!(error.contains("chain.sqlite"), "{error}");
}

#[tokio::test]
async fn a_fork_after_a_restart_is_none_that_was_there_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.sqlite");
    let node = open(&path).await;
    node.seal(5).await.unwrap();
    node.inject(Fault::Reorg { depth: 1 }).await.unwrap();
    let of = async |node: &Node, number| {
        let chain = EmbeddedChain::from(node.clone());
        chain.head(At::Number(BlockNumber(number))).await.unwrap().hash
    };
    // Blocks 5 and 6 are of the first fork, and empty.
    let (first, parent) = (of(&node, 6).await, of(&node, 5).await);
    node.stop().await;
    let node = open(&path).await;
    node.inject(Fault::Reorg { depth: 1 }).await.unwrap();
    assert_eq!(of(&node, 5).await, parent);
    assert_ne!(
        of(&node, 6).await,
        first,
        "an empty block on the same parent, of another fork"
    );
}

#[tokio::test]
async fn another_genesis_is_refused_where_the_same_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.sqlite");
    open(&path).await.stop().await;
    let options = |genesis, same_genesis| NodeOptions {
        genesis,
        same_genesis,
        path: Some(path.clone()),
        ..NodeOptions::default()
    };
    let other = Genesis::default();
    let error = Node::start(&options(other.clone(), true)).await.unwrap_err();
    let ChainErrorKind::WrongGenesis { expected, found } = &error.kind else {
        panic!("{error}");
    };
    assert_eq!(*expected, other.hash().to_string());
    assert_eq!(*found, genesis().hash().to_string());
    // The file is free again, and what it holds is untouched.
    let node = Node::start(&options(genesis(), true)).await.unwrap();
    node.stop().await;
    let node = Node::start(&options(other, false)).await.unwrap();
    assert_eq!(node.genesis_hash(), genesis().hash());
}
