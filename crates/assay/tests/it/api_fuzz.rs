//! The whole API against property-based tests made from its OpenAPI document (schemathesis), with signed requests.

use std::process::Command;
use std::time::Duration;

use crate::served::{hotkey, running};
use crate::support::python;

/// Pinned: the same requests in every run.
const SEED: &str = "20261128";
/// Requests made for each operation and phase at most.
const EXAMPLES: &str = "15";

/// Checks that do not apply, each with its reason.
const EXCLUDED: [(&str, &str); 3] = [
    (
        "positive_data_acceptance",
        "a well-formed request may still name a unit, report or manifest that does not exist",
    ),
    (
        "negative_data_rejection",
        "unknown query parameters are ignored on purpose, and a negated key may be another valid one",
    ),
    (
        "unsupported_method",
        "HEAD is answered like GET, and OPTIONS is not a method of the document",
    ),
];

/// Paths that are not asked, each with its reason.
const EXCLUDED_PATHS: [(&str, &str); 1] = [(
    "/v1/stream",
    "its answer has no end, so that a request for it never ends either; connections.rs of the server's tests asks it",
)];

/// What generated data leaves out, each with its reason.
const LEFT_OUT: [(&str, &str, &str); 1] = [(
    "--generation-allow-x00",
    "false",
    "PostgreSQL's texts hold no NUL, and the paths of a URL cannot carry one",
)];

#[tokio::test(flavor = "multi_thread")]
async fn no_generated_request_breaks_the_documented_behaviour() {
    let Some(python) = python() else { return };
    let server = running().await;
    let url = server.url.clone();
    let exchange = assay_hub::Exchange::new(&url, Duration::from_secs(5)).unwrap();
    loop {
        let request = assay_hub::ExchangeRequest {
            method: "GET",
            target: "/v1/rounds/0",
            headers: Vec::new(),
            body: Vec::new(),
            bytes_max: 1 << 20,
        };
        if exchange
            .send(request)
            .await
            .is_ok_and(|answer| answer.status == 200)
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let hooks = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../assay-server/tests/schemathesis/hooks.py"
    );
    let reasons = EXCLUDED.iter().chain(&EXCLUDED_PATHS).map(|(_, reason)| *reason);
    for reason in reasons.chain(LEFT_OUT.map(|(.., reason)| reason)) {
        assert!(reason.len() > 20, "`{reason}` is no reason");
    }
    let excluded = EXCLUDED.map(|(check, _)| check).join(",");
    let output = tokio::task::spawn_blocking({
        let (url, folder) = (url.clone(), server.folder.path().to_owned());
        move || {
            Command::new(python)
                .args(["-m", "schemathesis.cli", "run"])
                .arg(format!("{url}/v1/openapi.json"))
                .args([
                    "--url",
                    &url,
                    "--seed",
                    SEED,
                    "-n",
                    EXAMPLES,
                    "--phases",
                    "examples,coverage,fuzzing",
                ])
                .args(["--checks", "all", "--exclude-checks", &excluded])
                .args(
                    EXCLUDED_PATHS
                        .iter()
                        .flat_map(|(path, _)| ["--exclude-path", path]),
                )
                .args(LEFT_OUT.iter().flat_map(|(flag, value, _)| [flag, value]))
                .arg("--no-color")
                .env("SCHEMATHESIS_HOOKS", hooks)
                .env("FUZZ_KEY", "//miner-0")
                .env("FUZZ_RECEIVER", hotkey("server").to_ss58())
                .current_dir(folder)
                .output()
                .unwrap()
        }
    });
    let output = output.await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
