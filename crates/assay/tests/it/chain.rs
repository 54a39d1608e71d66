//! `assay chain` where no chain answers: exit status, error document, and no secret of an address anywhere.

use std::net::TcpListener;

use crate::support::run;

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
