//! What people and endpoints get wrong about a chain: each is an error with its code, its exit status and a cure.

use std::path::Path;
use std::process::Stdio;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::chain::{Running, alice};
use crate::support::{Answer, assay, folder};

/// What a command line on a chain answers: words without spaces, a wallet, its folder.
fn ask(network: &str, words: &str, wallet: &str, wallets: &Path) -> Answer {
    let mut command = assay(["chain"]);
    command
        .args(words.split(' '))
        .args(["--json", "--network", network]);
    let signs = !["metagraph", "status", "watch"].contains(&words.split(' ').next().unwrap());
    if signs {
        command.args(["--wallet", wallet, "--hotkey", "miner", "--wallet-path"]);
        command.arg(wallets);
    }
    command.output().unwrap().into()
}

/// That an answer is this exit status, this code, and a cure that says this.
#[track_caller]
fn check(answer: Answer, (exit, code, help): (i32, &str, &str)) {
    let document = answer.with_code(exit).json();
    assert_eq!(document["code"], code, "{document}");
    assert_eq!(document["retry"], exit == 3, "{document}");
    let found = document["help"].as_str().unwrap();
    assert!(found.contains(help), "`{help}` is not in: {document}");
}

/// A wallet whose coldkey holds nothing.
fn poor(folder: &Path, wallets: &Path) {
    let secret = folder.join("poor");
    fs_err::write(&secret, "//Poor\n").unwrap();
    for words in [
        &["import", "poor", secret.to_str().unwrap(), "--no-password"][..],
        &["new", "poor", "--hotkey", "miner"],
    ] {
        let mut command = assay(["wallet"]);
        let output = command.args(words).arg("--path").arg(wallets).output().unwrap();
        Answer::from(output).with_code(0);
    }
}

/// A wallet, a command line, and what it comes to: exit status, code, a part of the cure; nothing is wrong with status 0.
type Case = (&'static str, &'static str, (i32, &'static str, &'static str));

const REGISTER: &str = "assay chain register";

const CASES: &[Case] = &[
    (
        "alice",
        "metagraph --netuid 9",
        (1, "chain/not-found", "--netuid"),
    ),
    (
        "alice",
        "commit --netuid 9 --text x",
        (1, "chain/not-found", "--netuid"),
    ),
    (
        "alice",
        "register --netuid 9 --yes",
        (1, "chain/not-found", "--netuid"),
    ),
    (
        "alice",
        "set-weights --netuid 9 --set 0=1",
        (1, "chain/not-found", "--netuid"),
    ),
    (
        "poor",
        "register --netuid 1 --yes",
        (1, "chain/failed", "fund the coldkey"),
    ),
    (
        "poor",
        "owner create --name x --yes",
        (1, "chain/failed", "lock cost"),
    ),
    (
        "alice",
        "commit --netuid 1 --text x",
        (1, "chain/failed", REGISTER),
    ),
    (
        "alice",
        "set-weights --netuid 1 --set 0=1",
        (1, "chain/refused", REGISTER),
    ),
    ("alice", "stake 1 --netuid 1 --yes", (1, "chain/failed", REGISTER)),
    (
        "alice",
        "owner set --netuid 1 immunity_period 7 --yes",
        (0, "", ""),
    ),
    (
        "poor",
        "owner set --netuid 1 immunity_period 7 --yes",
        (1, "chain/failed", "owner's coldkey"),
    ),
];

#[test]
fn what_a_chain_refuses_is_told_with_a_cure() {
    let folder = folder();
    let wallets = folder.path().join("wallets");
    alice(&wallets, &folder.path().join("alice"));
    poor(folder.path(), &wallets);
    let chain = Running::start(&folder.path().join("chain.sqlite"));
    let long = format!("commit --netuid 1 --hex {}", "00".repeat(513));
    let long = ask(&chain.network, &long, "alice", &wallets);
    check(long, (2, "usage/invalid", "digest"));
    for &(wallet, words, expected) in CASES {
        let answer = ask(&chain.network, words, wallet, &wallets);
        if expected.0 == 0 {
            answer.with_code(0);
        } else {
            check(answer, expected);
        }
    }
    ask(&chain.network, "register --netuid 1 --yes", "alice", &wallets).with_code(0);
    let much = ask(
        &chain.network,
        "stake 2000000 --netuid 1 --yes",
        "alice",
        &wallets,
    );
    check(much, (1, "chain/failed", "fund the coldkey"));
    // What a new subnet costs is told before it is paid.
    let status = ask(&chain.network, "status", "alice", &wallets)
        .with_code(0)
        .json();
    assert_eq!(status["data"]["lock_cost_rao"], "1000000000000", "{status}");
    let asked = ask(
        &chain.network,
        "owner create --name x --dry-run",
        "alice",
        &wallets,
    );
    let asked = asked.with_code(0).json();
    assert!(
        asked["data"]["what"].as_str().unwrap().contains("for 1000"),
        "{asked}"
    );
}

#[test]
fn a_state_file_that_nobody_runs_is_not_waited_on() {
    let folder = folder();
    let (state, wallets) = (folder.path().join("chain.sqlite"), folder.path().join("wallets"));
    alice(&wallets, &folder.path().join("alice"));
    drop(Running::start(&state));
    let network = format!("embedded:{}", state.display());
    for words in ["watch --netuid 1", "set-weights --netuid 1 --set 0=1 --wait"] {
        let answer = ask(&network, words, "alice", &wallets);
        check(answer, (2, "usage/invalid", "assay chain run --state FILE"));
    }
    ask(&network, "status", "alice", &wallets).with_code(0);
}

#[test]
fn a_genesis_that_is_none_or_another_is_a_usage_error() {
    let folder = folder();
    let state = folder.path().join("chain.sqlite");
    drop(Running::start(&state));
    let genesis = folder.path().join("genesis.json");
    let begin = || {
        let mut command = assay(["chain", "run", "--json", "--listen", "127.0.0.1:0", "--state"]);
        command.arg(&state).arg("--genesis").arg(&genesis);
        Answer::from(command.output().unwrap())
    };
    check(begin(), (2, "usage/invalid", "docs/embedded-chain.md"));
    for malformed in ["", "[", "{\"time\": 1}", "{\"spec_version\": -1}"] {
        fs_err::write(&genesis, malformed).unwrap();
        check(begin(), (2, "usage/invalid", "docs/embedded-chain.md"));
    }
    fs_err::write(&genesis, "{\"spec_version\": 426}").unwrap();
    let answer = begin();
    assert!(answer.stdout.contains("another chain"), "{}", answer.stdout);
    check(answer, (2, "usage/invalid", "another --state"));
}

#[test]
fn a_chain_whose_disk_is_full_says_so() {
    let folder = folder();
    let mut command = std::process::Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\"";
    let program = assay::<&str>([]);
    command.args(["-c", script]).arg(program.get_program());
    command.args([
        "chain",
        "run",
        "--json",
        "--block-time",
        "10ms",
        "--listen",
        "127.0.0.1:0",
        "--state",
    ]);
    command
        .arg(folder.path().join("chain.sqlite"))
        .stdin(Stdio::null());
    let answer = Answer::from(command.output().unwrap()).with_code(1);
    let last = answer.stdout.lines().last().unwrap();
    let document: Value = serde_json::from_str(last).unwrap();
    assert_eq!(document["code"], "chain/state", "{document}");
    assert!(
        document["help"].as_str().unwrap().contains("check the disk"),
        "{document}"
    );
    let message = document["message"].as_str().unwrap();
    assert!(
        message.contains("makes no more blocks") && message.contains("chain.sqlite"),
        "{document}"
    );
}

/// A WebSocket server that says of everything what `answer` says, and closes where that says nothing.
async fn fake(answer: impl Fn(&str) -> Option<Value> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, answer.clone()));
        }
    });
    url
}

async fn converse(stream: TcpStream, answer: impl Fn(&str) -> Option<Value>) {
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let request: Value = serde_json::from_str(&text).unwrap();
        let Some(result) = answer(request["method"].as_str().unwrap()) else {
            return;
        };
        let reply = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
        if socket.send(Message::text(reply.to_string())).await.is_err() {
            return;
        }
    }
}

fn hash(digit: &str) -> Value {
    json!(format!("0x{}", digit.repeat(64)))
}

/// What an endpoint says that is honest as far as it goes.
fn honest(method: &str) -> Option<Value> {
    Some(match method {
        "chain_getBlockHash" => hash("1"),
        "chain_subscribeNewHeads" => json!("heads"),
        "chain_getHeader" => json!({
            "parentHash": hash("2"), "number": "0x7", "stateRoot": hash("3"), "extrinsicsRoot": hash("4"),
            "digest": {"logs": []},
        }),
        "state_getRuntimeVersion" => json!({"specVersion": 393, "transactionVersion": 1}),
        "state_call" => json!("0x00"),
        _ => return None,
    })
}

/// `assay chain status` at these addresses.
async fn status(network: String) -> Answer {
    let ask = move || {
        let mut command = assay(["chain", "status", "--json", "--network", &network]);
        Answer::from(command.output().unwrap())
    };
    tokio::task::spawn_blocking(ask).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_talks_nonsense_is_an_error_with_a_cure() {
    let lies: [(&str, Value); 4] = [
        ("chain_getBlockHash", json!("nonsense")),
        ("chain_getHeader", json!({"number": 1})),
        ("state_getRuntimeVersion", json!("old")),
        ("state_getMetadata", json!("0x1234")),
    ];
    for (method, lie) in lies {
        let answer = move |asked: &str| {
            if asked == method {
                return Some(lie.clone());
            }
            honest(asked)
        };
        let answer = status(fake(answer).await).await;
        assert!(answer.code == 1, "{method}: {}", answer.stdout);
        check(answer, (1, "chain/answer", "another endpoint"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_of_two_chains_are_not_one_network() {
    // The first says what chain it is of, and hangs up.
    let first = |method: &str| honest(method).filter(|_| method == "chain_getBlockHash");
    let second = |method: &str| match method {
        "chain_getBlockHash" => Some(hash("9")),
        _ => honest(method),
    };
    let network = format!("{},{}", fake(first).await, fake(second).await);
    check(status(network).await, (1, "chain/wrong-genesis", "another chain"));
}
