//! `docs/examples/task_api.py` as a reader of docs/api.md runs it: signed, answered, the answer's signature checked.

use std::process::{Command, Output};
use std::time::Duration;

use crate::served::{hotkey, running};
use crate::support::python;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/task_api.py");

/// The page that shows it.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");

#[test]
fn the_page_shows_the_example_of_at_most_40_lines() {
    let example = fs_err::read_to_string(EXAMPLE).unwrap();
    assert!(example.lines().count() <= 40, "{} lines", example.lines().count());
    let page = fs_err::read_to_string(PAGE).unwrap();
    assert!(
        page.contains(&format!("```python\n{example}```\n")),
        "docs/api.md shows another example than docs/examples/task_api.py"
    );
}

/// Times the example is tried until the server follows the chain.
const TRIES: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn the_python_example_is_answered_and_checks_the_answer() {
    let Some(python) = python() else { return };
    let server = running().await;
    let ask = async |receiver: String, uri: &str| -> Output {
        let mut command = Command::new(&python);
        command.args([EXAMPLE, &server.url, &receiver, uri]);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    };
    let receiver = hotkey("server").to_ss58();
    let mut last = String::new();
    for _ in 0..TRIES {
        let answer = ask(receiver.clone(), "//miner-0").await;
        if answer.status.success() {
            let data: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
            let expected = assay_types::hex::encode(&hotkey("miner-0").0);
            assert_eq!(data["hotkey"], expected, "{data}");
            // Another server's hotkey: the request is refused, and nobody is not a member.
            for (receiver, uri) in [
                (hotkey("miner-1").to_ss58(), "//miner-0"),
                (receiver, "//nobody-at-all"),
            ] {
                let refused = ask(receiver, uri).await;
                assert!(
                    !refused.status.success() && refused.stdout.is_empty(),
                    "{refused:?}"
                );
            }
            return;
        }
        last = String::from_utf8_lossy(&answer.stderr).into_owned();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the example was never answered: {last}");
}
