//! Timelocked weights that are revealed, and those the chain drops without a word.

use assay_chain::subtensor::{Committed, REVEAL_GRACE_BLOCKS, Subtensor, await_reveal};
use assay_chain::{At, Chain as _, ChainError, ChainErrorKind};
use assay_types::{BlockNumber, Digest, Hotkey, MechId, NetUid, Uid, Weight};
use subxt::ext::scale_value::Value;

use super::connection::{connect, script, without};
use crate::scripted::{Script, ScriptedNode};

const S: &str = "SubtensorModule";

fn committed() -> Committed {
    Committed {
        netuid: NetUid(7),
        mecid: MechId(0),
        hotkey: Hotkey([1; 32]),
        commit: Digest(blake2_256(&[1, 2])),
        block: BlockNumber(5),
        reveal_round: 99,
        weights: vec![(Uid(0), Weight(65_535))],
    }
}

fn blake2_256(bytes: &[u8]) -> [u8; 32] {
    use subxt::config::Hasher as _;
    subxt::config::substrate::BlakeTwo256.hash(bytes).0
}

/// Subnet 7 with one validator whose commit waits for round 99; the metagraph comes from storage.
fn waiting(test: &str, permit: bool) -> Option<Script> {
    let mut script = script(test, 0)?;
    let metadata = without(&script.metadata[&393], "get_metagraph");
    script.upgrade(393, metadata);
    let netuid = Value::from(7_u16);
    let list = |value: Value| Value::unnamed_composite([value]);
    let key = Value::from_bytes([1; 32]);
    script.set(S, "Keys", &[netuid.clone(), Value::from(0_u16)], &key);
    script.set(
        S,
        "ValidatorPermit",
        std::slice::from_ref(&netuid),
        &list(Value::bool(permit)),
    );
    script.set(
        S,
        "LastUpdate",
        std::slice::from_ref(&netuid),
        &list(Value::from(5_u64)),
    );
    script.set("Drand", "LastStoredRound", &[], &Value::from(90_u64));
    let commit = Value::unnamed_composite([
        key,
        Value::from(5_u64),
        Value::from_bytes([1, 2]),
        Value::from(99_u64),
    ]);
    script.set(
        S,
        "TimelockedWeightCommits",
        &[netuid, Value::from(1_u64)],
        &list(commit),
    );
    for _ in 0..6 {
        script.make_block();
    }
    Some(script)
}

/// Takes the commit away, as the chain does when it opens or drops it.
fn drop_commit(node: &ScriptedNode) {
    let mut script = node.script();
    let keys = [Value::from(7_u16), Value::from(1_u64)];
    let key = script.codec.key(S, "TimelockedWeightCommits", &keys);
    script.storage.remove(&key);
}

/// What happens in the next block: the commit is opened, with the event of it, and no event otherwise.
fn reveal_in_the_next_block(node: &ScriptedNode, hotkey: [u8; 32]) {
    drop_commit(node);
    let fields = Value::unnamed_composite([Value::from(7_u16), Value::from_bytes(hotkey)]);
    node.script()
        .events
        .push((S, "TimelockedWeightsRevealed", fields));
    node.make_blocks(1);
}

/// The row of uid 0.
fn store_row(node: &ScriptedNode) {
    let pair = Value::unnamed_composite([Value::from(0_u16), Value::from(65_535_u16)]);
    let row = Value::unnamed_composite([pair]);
    node.script()
        .set(S, "Weights", &[Value::from(7_u16), Value::from(0_u16)], &row);
}

/// Stores the pulse.
fn store_pulse(node: &ScriptedNode, round: u64) {
    let mut script = node.script();
    script.set("Drand", "LastStoredRound", &[], &Value::from(round));
    let pulse = Value::named_composite([
        ("round", Value::from(99_u64)),
        ("randomness", Value::from_bytes([5; 32])),
    ]);
    script.set("Drand", "Pulses", &[Value::from(99_u64)], &pulse);
}

async fn start(script: Script) -> (ScriptedNode, Subtensor) {
    let node = ScriptedNode::start(script).await;
    let chain = connect(&[&node.url]).await.unwrap();
    (node, chain)
}

/// Blocks one by one until the watch has ended.
async fn with_blocks(node: &ScriptedNode, chain: &Subtensor) -> Result<BlockNumber, ChainError> {
    let committed = committed();
    let watching = await_reveal(chain, &committed);
    tokio::pin!(watching);
    let mut seen = 0;
    loop {
        tokio::select! {
            biased;
            result = &mut watching => return result,
            () = tokio::task::yield_now() => {}
        }
        // A block after each reading, so that the watch is never ahead of the chain for long.
        let mut script = node.script();
        let read = *script.calls.entry("state_queryStorageAt".to_owned()).or_default();
        drop(script);
        if read > seen {
            seen = read;
            node.make_blocks(1);
        }
    }
}

#[tokio::test]
async fn a_reveal_ends_the_watch_with_its_block() {
    let Some(script) = waiting("a_reveal_ends_the_watch_with_its_block", true) else {
        return;
    };
    let (node, chain) = start(script).await;
    store_pulse(&node, 99);
    node.make_blocks(1);
    reveal_in_the_next_block(&node, [1; 32]);
    node.make_blocks(3);
    // Block 6 is the last of the script.
    assert_eq!(with_blocks(&node, &chain).await.unwrap(), BlockNumber(8));
    let of_block = async |block| {
        let at = At::Number(BlockNumber(block));
        let of = async |mecid| {
            chain
                .weights_revealed(NetUid(7), MechId(mecid), at)
                .await
                .unwrap()
        };
        (of(0).await, of(1).await)
    };
    assert_eq!(of_block(8).await, (vec![Hotkey([1; 32])], Vec::new()));
    assert_eq!(of_block(9).await, (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_row_that_was_there_before_is_no_reveal() {
    let Some(script) = waiting("a_row_that_was_there_before_is_no_reveal", true) else {
        return;
    };
    let (node, chain) = start(script).await;
    store_pulse(&node, 99);
    store_row(&node);
    node.make_blocks(1);
    // Another hotkey's reveal in the same block is not this one's.
    reveal_in_the_next_block(&node, [2; 32]);
    assert!(reason(&node, &chain).await.contains("the chain dropped it"));
}

#[tokio::test]
async fn without_the_event_the_row_decides() {
    let Some(mut script) = waiting("without_the_event_the_row_decides", true) else {
        return;
    };
    let metadata = without(&script.metadata[&393], "TimelockedWeightsRevealed");
    script.upgrade(394, metadata);
    let (node, chain) = start(script).await;
    store_pulse(&node, 99);
    store_row(&node);
    node.make_blocks(1);
    drop_commit(&node);
    node.make_blocks(1);
    assert!(with_blocks(&node, &chain).await.unwrap() >= BlockNumber(8));
    let at = At::Head;
    let error = chain
        .weights_revealed(NetUid(7), MechId(0), at)
        .await
        .unwrap_err();
    assert!(
        matches!(&error.kind, ChainErrorKind::Unsupported { missing, .. }
            if missing == &["SubtensorModule.TimelockedWeightsRevealed"]),
        "{error}"
    );
}

/// The reason why a commit was not revealed, once the grace is over.
async fn reason(node: &ScriptedNode, chain: &Subtensor) -> String {
    let before = node.script().blocks.len();
    let error = with_blocks(node, chain).await.unwrap_err();
    let blocks = node.script().blocks.len() - before;
    assert!(
        blocks >= REVEAL_GRACE_BLOCKS as usize,
        "told after {blocks} blocks"
    );
    assert!(error.retry_is_safe(), "{error}");
    match error.kind {
        ChainErrorKind::NotRevealed {
            block: 5,
            reveal_round: 99,
            reason,
        } => reason,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_commit_dropped_without_a_word_is_an_error() {
    let Some(script) = waiting("a_commit_dropped_without_a_word_is_an_error", true) else {
        return;
    };
    let (node, chain) = start(script).await;
    store_pulse(&node, 99);
    drop_commit(&node);
    assert!(reason(&node, &chain).await.contains("the chain dropped it"));
}

#[tokio::test]
async fn a_validator_without_a_permit_is_told_so() {
    let Some(script) = waiting("a_validator_without_a_permit_is_told_so", false) else {
        return;
    };
    let (node, chain) = start(script).await;
    store_pulse(&node, 99);
    drop_commit(&node);
    assert!(reason(&node, &chain).await.contains("no validator permit"));
}

#[tokio::test]
async fn a_pulse_the_chain_never_got_is_told_so() {
    let Some(script) = waiting("a_pulse_the_chain_never_got_is_told_so", true) else {
        return;
    };
    let (node, chain) = start(script).await;
    node.script()
        .set("Drand", "LastStoredRound", &[], &Value::from(105_u64));
    drop_commit(&node);
    assert!(reason(&node, &chain).await.contains("no pulse of round 99"));
}
