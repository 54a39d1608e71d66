//! `assay chain` over an embedded chain in a process of its own; and where no chain answers: exit status, error document,
//! no secret of an address anywhere.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{Answer, assay, folder, run};

/// `assay chain run`, killed when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) network: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended is what this is for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts the chain of `state` and waits for its address.
    pub(crate) fn start(state: &Path) -> Self {
        Self::start_with(state, "50ms")
    }

    /// As [`Self::start`], with its time between blocks.
    fn start_with(state: &Path, block_time: &str) -> Self {
        let args = [
            "chain",
            "run",
            "--json",
            "--listen",
            "127.0.0.1:0",
            "--block-time",
            block_time,
            "--state",
        ];
        let mut command = assay(args);
        let mut child = command.arg(state).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let document: Value = serde_json::from_str(&line).unwrap();
        let address = document["data"]["url"]
            .as_str()
            .unwrap()
            .trim_start_matches("ws://");
        Self {
            network: format!("embedded:{address}"),
            child,
        }
    }

    /// `assay chain COMMAND … --json` on subnet 1 of this chain.
    pub(crate) fn ask(&self, words: &str, wallets: Option<&Path>) -> Answer {
        let mut command = assay(["chain"]);
        command
            .args(words.split(' '))
            .args(["--netuid", "1", "--json", "--network", &self.network]);
        if let Some(folder) = wallets {
            command
                .args(["--wallet", "alice", "--hotkey", "miner", "--wallet-path"])
                .arg(folder);
        }
        command.output().unwrap().into()
    }
}

/// Makes the wallet `alice`, which has money on a development chain, with the hotkey `miner`.
pub(crate) fn alice(wallets: &Path, secret: &Path) {
    fs_err::write(secret, "//Alice\n").unwrap();
    for words in [
        &["import", "alice", secret.to_str().unwrap(), "--no-password"][..],
        &["new", "alice", "--hotkey", "miner"],
    ] {
        let mut command = assay(["wallet"]);
        let output = command.args(words).arg("--path").arg(wallets).output().unwrap();
        Answer::from(output).with_code(0);
    }
}

#[test]
fn a_miner_registers_and_commits_and_a_killed_chain_forgets_nothing() {
    let folder = folder();
    let (state, wallets, secret) = (
        folder.path().join("chain.sqlite"),
        folder.path().join("wallets"),
        folder.path().join("alice"),
    );
    alice(&wallets, &secret);
    let chain = Running::start(&state);
    chain.ask("register --yes", Some(&wallets)).with_code(0);
    let again = chain.ask("register --yes", Some(&wallets));
    assert!(
        again.code != 0 && again.stdout.contains("HotKeyAlreadyRegisteredInSubNet"),
        "{}",
        again.stdout
    );
    chain.ask("commit --text hello", Some(&wallets)).with_code(0);
    // A registration counts as the last weights, so the first ones have to wait a hundred blocks.
    let soon = chain
        .ask("set-weights --set 0=1", Some(&wallets))
        .with_code(3)
        .json();
    assert!(
        soon["help"].as_str().unwrap().starts_with("try again in"),
        "{soon}"
    );
    drop(chain);
    let chain = Running::start(&state);
    let neurons = chain.ask("metagraph", None).with_code(0).json();
    assert_eq!(
        neurons["data"]["neurons"].as_array().unwrap().len(),
        1,
        "{neurons}"
    );
    let commitments = chain.ask("commitments", None).with_code(0).json();
    assert!(
        commitments["data"].to_string().contains("68656c6c6f"),
        "{commitments}"
    );
}

#[test]
fn weights_are_committed_under_timelock_and_the_command_waits_until_they_count() {
    let folder = folder();
    let wallets = folder.path().join("wallets");
    alice(&wallets, &folder.path().join("alice"));
    let chain = Running::start_with(&folder.path().join("chain.sqlite"), "10ms");
    chain.ask("register --yes", Some(&wallets)).with_code(0);
    // The registration counts as the last weights: the answer says how long to wait, and that a retry is safe.
    let set = || chain.ask("set-weights --set 0=1 --wait", Some(&wallets));
    let mut answer = set();
    for _ in 0..200 {
        if answer.code != 3 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        answer = set();
    }
    let data = answer.with_code(0).json()["data"].clone();
    let (committed, revealed) = (&data["receipt"]["block"], &data["revealed_block"]);
    assert!(
        revealed.as_u64().unwrap() > committed.as_u64().unwrap() && committed.as_u64().unwrap() > 100,
        "{data}"
    );
    let weights = chain.ask("weights", None).with_code(0).json();
    let rows = weights["data"]["weights"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{weights}");
    assert!(rows[0].to_string().contains("65535"), "{weights}");
}

#[test]
fn an_owner_creates_names_and_rules_a_subnet_and_stakes() {
    let folder = folder();
    let wallets = folder.path().join("wallets");
    alice(&wallets, &folder.path().join("alice"));
    let chain = Running::start(&folder.path().join("chain.sqlite"));
    let owner = |words: &str| {
        let mut command = assay(["chain"]);
        command
            .args(words.split(' '))
            .args(["--json", "--network", &chain.network]);
        command.args(["--wallet", "alice", "--hotkey", "miner", "--wallet-path"]);
        Answer::from(command.arg(&wallets).output().unwrap())
    };
    let shown = owner("owner create --name gold --dry-run").with_code(0).json();
    assert!(shown["data"].get("receipt").is_none(), "{shown}");
    let refused = owner("owner create --name gold").with_code(2);
    assert!(refused.stdout.contains("--yes"), "{}", refused.stdout);
    let created = owner("owner create --name gold --description refined --yes")
        .with_code(0)
        .json();
    assert!(
        created["data"]["receipt"]["block"].as_u64().unwrap() > 0,
        "{created}"
    );
    owner("owner identity --netuid 2 --name silver --yes").with_code(0);
    owner("owner set --netuid 2 immunity_period 5000 --yes").with_code(0);
    let params = read(&chain, "params")["parameters"].clone();
    assert_eq!(params["immunity_period"], 5_000, "{params}");
    let before = read(&chain, "metagraph");
    let early = owner("stake 10 --netuid 2 --yes");
    assert!(early.stdout.contains("SubtokenDisabled"), "{}", early.stdout);
    owner("owner start --netuid 2 --yes").with_code(0);
    owner("stake 10 --netuid 2 --yes").with_code(0);
    let after = read(&chain, "metagraph");
    let stake = |document: &Value| document["neurons"][0]["stake_rao"].clone();
    assert_eq!(
        (stake(&before), stake(&after)),
        ("0".into(), "10000000000".into()),
        "{after}"
    );
    let nonsense = owner("owner set --netuid 2 nothing 1 --yes");
    assert!(nonsense.code != 0, "{}", nonsense.stdout);
    owner("stake ten --netuid 2 --yes").with_code(2);
}

/// What a command says of subnet 2.
fn read(chain: &Running, command: &str) -> Value {
    let args = [
        "chain",
        command,
        "--netuid",
        "2",
        "--json",
        "--network",
        &chain.network,
    ];
    run(args).with_code(0).json()["data"].clone()
}

/// An address on which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("ws://user:sekret@{}/sekret-key", listener.local_addr().unwrap())
}

/// Every command that reads, with what it needs.
const READS: [&[&str]; 6] = [
    &["status"],
    &["metagraph", "--netuid", "7"],
    &["commitments", "--netuid", "7"],
    &["weights", "--netuid", "7"],
    &["params", "--netuid", "7"],
    &["watch", "--netuid", "7"],
];

#[test]
fn an_unreachable_chain_is_exit_status_3_with_a_cure() {
    for command in READS {
        let url = nobody();
        let args = ["chain"].iter().chain(command).copied();
        let answer = run(args.chain(["--network", &url, "--json"])).with_code(3);
        let document = answer.json();
        assert_eq!(document["code"], "chain/unreachable", "{command:?}");
        assert_eq!(document["retry"], true);
        assert!(
            document["help"].as_str().unwrap().contains("address"),
            "{document}"
        );
        for shown in [&answer.stdout, &answer.stderr] {
            assert!(!shown.contains("sekret"), "{command:?}: {shown}");
            assert!(shown.contains("127.0.0.1"), "{command:?}: {shown}");
        }
    }
}

#[test]
fn what_is_no_network_is_a_usage_error() {
    for network in ["finey", "http://127.0.0.1", "ws://", "ws://h,https://u:sekret@h"] {
        let answer = run(["chain", "status", "--network", network]).with_code(2);
        assert!(answer.stderr.contains("network"), "{}", answer.stderr);
        assert!(
            answer.stdout.is_empty() && !answer.stderr.contains("sekret"),
            "{}",
            answer.stderr
        );
    }
    let answer = run([
        "chain",
        "params",
        "--netuid",
        "7",
        "--at",
        "latest",
        "--network",
        &nobody(),
    ])
    .with_code(2);
    assert!(answer.stderr.contains("finalized"), "{}", answer.stderr);
}

#[test]
fn a_recipe_is_made_of_another_one() {
    let folder = folder();
    let file = folder.path().join("stricter.toml");
    let file = file.to_str().unwrap();
    let make = [
        "recipe",
        "new",
        "stricter",
        "--without",
        "c4",
        "--set",
        "extract.profile=balanced",
        "--out",
        file,
        "--json",
    ];
    let made = run(make).with_code(0).json();
    assert_ne!(made["data"]["id"], made["data"]["parent"]);
    run(["recipe", "check", file]).with_code(0);
    let differs = run(["recipe", "diff", "fineweb-en-v1", file, "--json"])
        .with_code(0)
        .json();
    let paths: Vec<&str> = differs["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    assert!(
        paths.contains(&"extract.profile") && paths.contains(&"steps"),
        "{paths:?}"
    );
    for wrong in [
        ["--set", "extract.nothing=1"],
        ["--set", "extract.profile"],
        ["--without", "c5"],
    ] {
        run(["recipe", "new", "x", "--out", "/dev/null/x", wrong[0], wrong[1]]).with_code(2);
    }
    run(make).with_code(2);
}

#[test]
fn a_recipe_is_committed_sealed_and_public_once_the_chain_opens_it() {
    let folder = folder();
    let (wallets, store) = (folder.path().join("wallets"), folder.path().join("store"));
    alice(&wallets, &folder.path().join("alice"));
    let chain = Running::start(&folder.path().join("chain.sqlite"));
    chain.ask("register --yes", Some(&wallets)).with_code(0);
    let submit = || {
        let mut command = assay([
            "recipe",
            "submit",
            "fineweb-en-v1",
            "--repo",
            "acme/stricter",
            "--netuid",
            "1",
            "--json",
        ]);
        command.args([
            "--network",
            &chain.network,
            "--wallet",
            "alice",
            "--hotkey",
            "miner",
            "--wallet-path",
        ]);
        command.arg(&wallets).arg("--store").arg(&store);
        Answer::from(command.output().unwrap()).with_code(0).json()["data"]["state"].clone()
    };
    assert_eq!(submit(), "committed");
    let public = store.join("acme/stricter");
    let is_public = || {
        let entries = std::fs::read_dir(&public).unwrap();
        entries
            .into_iter()
            .any(|entry| !entry.unwrap().file_name().to_string_lossy().starts_with('.'))
    };
    assert!(!is_public(), "nobody reads it before the chain has opened it");
    let mut state = submit();
    for _ in 0..200 {
        if state == "public" {
            break;
        }
        assert_eq!(state, "sealed", "not committed twice");
        std::thread::sleep(std::time::Duration::from_millis(100));
        state = submit();
    }
    assert_eq!(state, "public");
    assert!(is_public());
}
