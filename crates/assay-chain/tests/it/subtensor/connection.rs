//! What goes wrong with connections: lost, silent, of another chain, lying, upgraded under way.

use std::time::Duration;

use assay_chain::subtensor::{Subtensor, Timing};
use assay_chain::{At, Chain as _, ChainErrorKind, FINNEY_GENESIS, Heads, Network};
use assay_types::{BlockNumber, Digest, NetUid};
use subxt::ext::scale_value::Value;

use crate::recorded;
use crate::scripted::{Script, ScriptedNode, fast};

/// A chain of `blocks` blocks of runtime 393, with subnet 7; `None` without recorded metadata.
pub(crate) fn script(test: &str, blocks: usize) -> Option<Script> {
    let folder = recorded::folder(test)?;
    let mut script = Script::new(393, recorded::metadata(&folder, 393));
    script.set(
        "SubtensorModule",
        "NetworksAdded",
        &[Value::from(7_u16)],
        &Value::bool(true),
    );
    for _ in 0..blocks {
        script.make_block();
    }
    Some(script)
}

pub(crate) async fn connect(urls: &[&str]) -> Result<Subtensor, assay_chain::ChainError> {
    Subtensor::connect_with(urls.join(",").parse::<Network>().unwrap(), fast()).await
}

/// The next head, errors that are safe to retry left out; returns how many there were.
async fn next_head(heads: &mut Heads) -> (BlockNumber, usize) {
    let mut errors = 0;
    loop {
        match heads.next().await.unwrap() {
            Ok(head) => return (head.number, errors),
            Err(error) => {
                assert!(error.retry_is_safe(), "{error}");
                errors += 1;
            }
        }
    }
}

#[tokio::test]
async fn heads_missed_while_disconnected_are_filled_in() {
    let Some(script) = script("heads_missed_while_disconnected_are_filled_in", 5) else {
        return;
    };
    let node = ScriptedNode::start(script).await;
    let chain = connect(&[&node.url]).await.unwrap();
    let mut heads = chain.heads().await.unwrap();
    assert_eq!(next_head(&mut heads).await.0, BlockNumber(5));
    node.make_blocks(1);
    assert_eq!(next_head(&mut heads).await.0, BlockNumber(6));
    node.set_open(false);
    node.close();
    node.make_blocks_unheard(40);
    node.set_open(true);
    let mut errors = 0;
    for number in 7..=46 {
        let (found, lost) = next_head(&mut heads).await;
        errors += lost;
        assert_eq!(found, BlockNumber(number), "each number once, in order");
    }
    assert!(errors >= 1, "the loss is told");
    let head = chain.head(At::Head).await.unwrap();
    assert_eq!(head.time_ms, 1_750_000_000_000 + 12_000 * 46);
}

#[tokio::test]
async fn a_node_without_new_heads_is_given_up_for_the_next() {
    let Some(stuck) = script("a_node_without_new_heads_is_given_up_for_the_next", 5) else {
        return;
    };
    let Some(live) = script("a_node_without_new_heads_is_given_up_for_the_next", 9) else {
        return;
    };
    let (stuck, live) = (ScriptedNode::start(stuck).await, ScriptedNode::start(live).await);
    let timing = Timing {
        silence_max: Duration::from_millis(100),
        ..fast()
    };
    let network: Network = format!("{},{}", stuck.url, live.url).parse().unwrap();
    let chain = Subtensor::connect_with(network, timing).await.unwrap();
    let mut heads = chain.heads().await.unwrap();
    assert_eq!(next_head(&mut heads).await.0, BlockNumber(5));
    live.accepted(1).await;
    // The blocks up to the other node's head follow without a gap.
    for number in 6..=9 {
        assert_eq!(next_head(&mut heads).await.0, BlockNumber(number));
    }
}

#[tokio::test]
async fn a_read_that_loses_its_connection_is_sent_again() {
    let Some(script) = script("a_read_that_loses_its_connection_is_sent_again", 3) else {
        return;
    };
    let node = ScriptedNode::start(script).await;
    let chain = connect(&[&node.url]).await.unwrap();
    for _ in 0..5 {
        node.close();
        assert_eq!(chain.head(At::Head).await.unwrap().number, BlockNumber(3));
    }
    node.accepted(2).await;
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_an_error_that_may_be_retried() {
    let Some(script) = script(
        "an_endpoint_that_does_not_answer_is_an_error_that_may_be_retried",
        3,
    ) else {
        return;
    };
    let node = ScriptedNode::start(script).await;
    node.script().silent.push("chain_getHeader");
    let timing = Timing {
        request_max: Duration::from_millis(60),
        ..fast()
    };
    let network: Network = node.url.replace("ws://", "ws://user:sekret@").parse().unwrap();
    let error = Subtensor::connect_with(network, timing).await.unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::Transport { .. }), "{error}");
    assert!(error.retry_is_safe());
    assert!(error.to_string().contains("chain_getHeader"), "{error}");
    assert!(!error.to_string().contains("sekret"), "{error}");
    let header_reads = node.script().calls["chain_getHeader"];
    assert!(header_reads >= 3, "read {header_reads} times");
}

#[tokio::test]
async fn nobody_listening_is_told_with_a_cure() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://u:sekret@{}/sekret", listener.local_addr().unwrap());
    drop(listener);
    let error = connect(&[&url]).await.unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::Transport { .. }), "{error}");
    assert!(error.retry_is_safe() && error.help().contains("check the address"));
    assert!(!format!("{error} {error:?}").contains("sekret"), "{error:?}");
}

#[tokio::test]
async fn another_genesis_than_finneys_is_refused() {
    let Some(script) = script("another_genesis_than_finneys_is_refused", 3) else {
        return;
    };
    // The check of the main network, with its first genesis seen standing for the known one.
    assert_eq!(Network::Finney.genesis(), Some(FINNEY_GENESIS));
    let Some(mut other) = self::script("another_genesis_than_finneys_is_refused", 0) else {
        return;
    };
    other.blocks.clear();
    other.make_block();
    other.blocks[0].header["stateRoot"] = serde_json::json!(format!("0x{}", "77".repeat(32)));
    other.blocks[0].hash = format!("0x{}", "99".repeat(32));
    let (node, other) = (
        ScriptedNode::start(script).await,
        ScriptedNode::start(other).await,
    );
    let chain = connect(&[&node.url, &other.url]).await.unwrap();
    assert_eq!(chain.head(At::Head).await.unwrap().number, BlockNumber(3));
    node.set_open(false);
    node.close();
    other.accepted(1).await;
    // It waits for the right chain rather than going on with the wrong one.
    let error = loop {
        match chain.head(At::Head).await {
            Err(error) if matches!(error.kind, ChainErrorKind::WrongGenesis { .. }) => break error,
            Err(error) => assert!(error.retry_is_safe(), "{error}"),
            Ok(head) => assert_eq!(head.number, BlockNumber(3)),
        }
    };
    assert!(!error.retry_is_safe());
    assert!(error.help().contains("another chain"), "{}", error.help());
}

#[tokio::test]
async fn only_the_chain_of_the_genesis_asked_for_is_taken() {
    let Some(script) = script("only_the_chain_of_the_genesis_asked_for_is_taken", 3) else {
        return;
    };
    let genesis: Digest = script.blocks[0].hash.trim_start_matches("0x").parse().unwrap();
    let node = ScriptedNode::start(script).await;
    let network: Network = node.url.parse().unwrap();
    let other = Digest([9; 32]);
    let error = Subtensor::connect_to(network.clone(), other, fast())
        .await
        .unwrap_err();
    let ChainErrorKind::WrongGenesis { expected, found } = &error.kind else {
        panic!("{error}");
    };
    assert_eq!(
        (expected.as_str(), found.as_str()),
        (&*format!("0x{other}"), &*format!("0x{genesis}"))
    );
    assert!(!error.retry_is_safe() && error.help().contains("another chain"));
    let chain = Subtensor::connect_to(network, genesis, fast()).await.unwrap();
    assert_eq!(chain.genesis().await.unwrap(), genesis);
}

#[tokio::test]
async fn an_endpoint_that_gives_one_block_for_another_is_found_out() {
    let Some(mut script) = script("an_endpoint_that_gives_one_block_for_another_is_found_out", 6) else {
        return;
    };
    let (wanted, lie) = (script.blocks[4].hash.clone(), script.blocks[5].header.clone());
    script.blocks[4].header = lie;
    let node = ScriptedNode::start(script).await;
    let chain = connect(&[&node.url]).await.unwrap();
    let error = chain.head(At::Number(BlockNumber(4))).await.unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::Answer { .. }), "{error}");
    assert!(!error.retry_is_safe());
    let digest: Digest = wanted.trim_start_matches("0x").parse().unwrap();
    assert!(chain.head(At::Hash(digest)).await.is_err());
    assert!(chain.head(At::Number(BlockNumber(3))).await.is_ok());
    let error = chain.head(At::Number(BlockNumber(99))).await.unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn an_upgrade_is_met_with_the_block_it_takes_effect_in() {
    let test = "an_upgrade_is_met_with_the_block_it_takes_effect_in";
    let Some(folder) = recorded::folder(test) else {
        return;
    };
    let mut script = Script::new(365, recorded::metadata(&folder, 365));
    script.set(
        "SubtensorModule",
        "NetworksAdded",
        &[Value::from(7_u16)],
        &Value::bool(true),
    );
    script.set(
        "SubtensorModule",
        "Tempo",
        &[Value::from(7_u16)],
        &Value::from(99_u16),
    );
    script.make_block();
    let node = ScriptedNode::start(script).await;
    let chain = connect(&[&node.url]).await.unwrap();
    assert_eq!(chain.check().spec_version, 365);
    assert_eq!(
        chain.hyperparameters(NetUid(7), At::Head).await.unwrap().tempo,
        99
    );
    node.script().upgrade(393, recorded::metadata(&folder, 393));
    node.make_blocks(1);
    assert_eq!(
        chain.hyperparameters(NetUid(7), At::Head).await.unwrap().tempo,
        99
    );
    assert_eq!(chain.check().spec_version, 393);
    // Each runtime's metadata is read once, and older blocks keep theirs.
    assert!(chain.head(At::Number(BlockNumber(1))).await.is_ok());
    let (reads, checked) = (node.script().calls["state_call"], chain.check());
    assert_eq!(reads, 4, "versions and metadata, twice");
    assert_eq!(
        checked.spec_version, 393,
        "a read of an old block does not undo the check"
    );
    assert_eq!(checked.required, Vec::<String>::new());
}

/// Metadata in which a name is spelled differently.
pub(crate) fn without(metadata: &[u8], name: &str) -> Vec<u8> {
    let mut bytes = metadata.to_vec();
    let name = name.as_bytes();
    let mut found = 0;
    for at in 0..bytes.len() - name.len() {
        if bytes[at..].starts_with(name) {
            bytes[at] = b'X';
            found += 1;
        }
    }
    assert!(found > 0);
    bytes
}

#[tokio::test]
async fn names_nothing_works_without_are_all_listed_at_the_start() {
    let Some(folder) = recorded::folder("names_nothing_works_without_are_all_listed_at_the_start") else {
        return;
    };
    let metadata = recorded::metadata(&folder, 393);
    let metadata = without(&without(&metadata, "set_commitment"), "CommitmentOf");
    let node = ScriptedNode::start(Script::new(393, metadata)).await;
    let error = connect(&[&node.url]).await.unwrap_err();
    let ChainErrorKind::Unsupported {
        spec_version,
        missing,
    } = &error.kind
    else {
        panic!("{error}");
    };
    assert_eq!(*spec_version, 393);
    for name in ["Commitments.CommitmentOf", "Commitments.set_commitment"] {
        assert!(missing.iter().any(|missing| missing == name), "{missing:?}");
    }
    assert!(!error.retry_is_safe());
}

#[tokio::test]
async fn what_an_upgrade_takes_away_is_told_and_the_rest_works_on() {
    let test = "what_an_upgrade_takes_away_is_told_and_the_rest_works_on";
    let Some(script) = script(test, 3) else {
        return;
    };
    let metadata = script.metadata[&393].clone();
    let node = ScriptedNode::start(script).await;
    let chain = connect(&[&node.url]).await.unwrap();
    assert!(chain.check().has("SubtensorModule.Bonds"));
    node.script().upgrade(394, without(&metadata, "LastStoredRound"));
    node.make_blocks(1);
    assert_eq!(chain.head(At::Head).await.unwrap().number, BlockNumber(4));
    assert!(chain.hyperparameters(NetUid(7), At::Head).await.is_ok());
    let error = chain.last_pulse_round(At::Head).await.unwrap_err();
    assert!(
        matches!(&error.kind, ChainErrorKind::Unsupported { spec_version: 394, missing } if missing == &["Drand.LastStoredRound"]),
        "{error}"
    );
    assert!(!chain.check().has("Drand.LastStoredRound"));
    assert!(chain.last_pulse_round(At::Number(BlockNumber(3))).await.is_ok());
}
