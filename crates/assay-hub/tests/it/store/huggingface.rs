//! The Hub's store against a hub of the test: the suite, lost answers, rivals, and the Python client beside it.

use std::process::Command;

use assay_hub::Secret;
use assay_hub::store::{HuggingFaceStore, Side, Store as _, StoreError};
use assay_types::Revision;
use serde_json::{Value, json};

use super::conformance::{Stand, suite};
use super::mock_hub::{MockHub, TOKEN};
use super::{path, publication, repo, wait};
use crate::server::{Reply, Server, object, quick};

fn store(hub: &MockHub, token: Option<&str>) -> HuggingFaceStore {
    HuggingFaceStore::new(Some(&hub.server.url("")), token.map(Secret::new), &quick(100_000)).unwrap()
}

#[test]
fn the_suite_holds() {
    let hub = MockHub::start();
    wait(suite(&Stand {
        publisher: &store(&hub, Some(TOKEN)),
        reader: &store(&hub, None),
    }));
}

#[test]
fn large_files_go_through_lfs_and_small_ones_into_the_commit() {
    let hub = MockHub::start();
    let big = object(250_000);
    let files: [(&str, &[u8]); 4] = [
        ("manifest.json", b"{}"),
        ("big.bin", &big),
        ("small.bin", b"s"),
        ("empty.bin", b""),
    ];
    let store = store(&hub, Some(TOKEN));
    let revision = wait(store.publish(&publication(&repo("r1"), &files))).unwrap();
    for (name, is_large) in [
        ("manifest.json", false),
        ("big.bin", true),
        ("small.bin", true),
        ("empty.bin", false),
    ] {
        assert_eq!(hub.is_large("acme/r1", name), is_large, "{name}");
    }
    let requests = hub.server.requests();
    let parts = requests
        .iter()
        .filter(|request| request.target.starts_with("/lfs/part/"))
        .count();
    assert_eq!(parts, 5, "250,000 bytes in parts of 60,000");
    wait(store.reveal(&repo("r1"), &revision)).unwrap();
    let view = wait(store.open(&repo("r1"), &revision)).unwrap();
    assert!(view.head(&path("big.bin")).unwrap().sha256.is_some());
    assert!(wait(view.get(&path("big.bin"), 250_000)).unwrap() == big);
}

#[test]
fn a_commit_whose_answer_was_lost_is_found_and_not_made_twice() {
    let hub = MockHub::start();
    hub.lose_commits(1);
    let store = store(&hub, Some(TOKEN));
    let set = publication(&repo("r1"), &[("manifest.json", b"{}"), ("x.bin", b"x")]);
    let revision = wait(store.publish(&set)).unwrap();
    assert_eq!(hub.commits("acme/r1"), 2, "the first empty one and ours");
    assert_eq!(wait(store.publish(&set)).unwrap(), revision);
    assert_eq!(hub.commits("acme/r1"), 2);
}

#[test]
fn another_writers_commit_is_built_upon_and_never_overwritten_blindly() {
    let hub = MockHub::start();
    hub.rivals(1);
    let store = store(&hub, Some(TOKEN));
    let set = publication(&repo("r1"), &[("manifest.json", b"{}"), ("x.bin", b"x")]);
    wait(store.publish(&set)).unwrap();
    assert_eq!(hub.commits("acme/r1"), 3);
    hub.rivals(100);
    let other = publication(&repo("r1"), &[("manifest.json", b"{\"n\":2}")]);
    let error = wait(store.publish(&other)).unwrap_err();
    assert!(
        matches!(error, StoreError::Conflict { .. }) && error.retry_is_safe(),
        "{error:?}"
    );
}

#[test]
fn large_files_are_never_put_into_a_commit_request() {
    let hub = MockHub::start();
    let set = publication(
        &repo("r1"),
        &[("manifest.json", b"{}"), ("x.txt", &object((5 << 20) + 1))],
    );
    let error = wait(store(&hub, Some(TOKEN)).publish(&set)).unwrap_err();
    assert!(
        error.to_string().contains("name its ending in .gitattributes"),
        "{error}"
    );
    assert_eq!(hub.commits("acme/r1"), 1);
    let set = publication(&repo("r2"), &[("manifest.json", b"{}"), ("ignored.bin", b"x")]);
    let error = wait(store(&hub, Some(TOKEN)).publish(&set)).unwrap_err();
    assert!(
        error.to_string().contains("in the repository's .gitignore"),
        "{error}"
    );
}

#[test]
fn tokens_are_needed_checked_and_never_shown() {
    let hub = MockHub::start();
    let set = publication(&repo("r1"), &[("manifest.json", b"{}")]);
    let error = wait(store(&hub, None).publish(&set)).unwrap_err();
    assert!(
        matches!(error, StoreError::Refused { status: 401, .. }) && error.help().contains("HF_TOKEN"),
        "{error:?}"
    );
    let wrong = store(&hub, Some("hf_wrong"));
    let error = wait(wrong.publish(&set)).unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    assert!(!format!("{error} {error:?} {wrong:?}").contains("hf_wrong"));
    // A reader whose own token is wrong cannot say that nothing was published.
    let error = wait(wrong.open(&repo("r1"), &Revision([1; 20]))).unwrap_err();
    assert_eq!(error.side(), Side::Reader, "{error:?}");
}

#[test]
fn an_overloaded_hub_is_asked_again_then_reported() {
    let server = Server::start(|_| Reply::status(429).field("Retry-After", "1"));
    let store =
        HuggingFaceStore::new(Some(&server.url("")), Some(Secret::new(TOKEN)), &quick(1_000)).unwrap();
    let error = wait(store.publish(&publication(&repo("r1"), &[("manifest.json", b"{}")]))).unwrap_err();
    assert!(
        error.retry_is_safe() && error.to_string().contains("429, 4 attempts"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 4);
    let error = wait(store.open(&repo("r1"), &Revision([1; 20]))).unwrap_err();
    assert_eq!(error.side(), Side::Reader);
}

#[test]
fn upload_addresses_elsewhere_do_not_get_the_token() {
    let elsewhere = Server::start(|_| Reply::status(200));
    let href = elsewhere.url("/bucket/x");
    let hub = Server::start(move |request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let oid = &body["objects"][0]["oid"];
        Reply::json(&match request.target.as_str() {
            target if target.contains("/revision/") => json!({"sha": "11".repeat(20), "private": true}),
            target if target.contains("/tree/") => json!([]),
            target if target.contains("/preupload/") => {
                json!({"files": [{"path": "manifest.json", "uploadMode": "lfs"}]})
            }
            target if target.ends_with("/batch") => {
                json!({"objects": [{"oid": oid, "size": 2, "actions": {"upload": {"href": href}}}]})
            }
            target if target.contains("/commit/") => json!({"commitOid": "22".repeat(20)}),
            _ => json!({}),
        })
    });
    let store = HuggingFaceStore::new(Some(&hub.url("")), Some(Secret::new(TOKEN)), &quick(1_000)).unwrap();
    let revision = wait(store.publish(&publication(&repo("r1"), &[("manifest.json", b"{}")]))).unwrap();
    assert_eq!(revision, Revision([0x22; 20]));
    assert!(
        hub.requests()
            .iter()
            .all(|request| request.fields.contains_key("authorization"))
    );
    let uploads = elsewhere.requests();
    assert_eq!(uploads.len(), 1);
    assert!(!uploads[0].fields.contains_key("authorization"));
    assert_eq!(
        (
            uploads[0].body.as_slice(),
            uploads[0].fields["content-length"].as_str()
        ),
        (&b"{}"[..], "2")
    );
}

/// Uploads a folder with the Python client, or reads a revision with it and prints what it reads.
const CLIENT: &str = r#"
import os, sys, hashlib
from huggingface_hub import HfApi, hf_hub_download
mode, repo, arg, cache = sys.argv[1:5]
token = os.environ["TEST_TOKEN"] if mode == "upload" else False
api = HfApi(endpoint=os.environ["HF_ENDPOINT"], token=token)
if mode == "upload":
    api.create_repo(repo, repo_type="dataset", private=True)
    commit = api.upload_folder(repo_id=repo, repo_type="dataset", folder_path=arg)
    api.update_repo_settings(repo, repo_type="dataset", private=False)
    print("RESULT", commit.oid)
else:
    for file in sorted(api.list_repo_files(repo, repo_type="dataset", revision=arg)):
        local = hf_hub_download(repo, file, repo_type="dataset", revision=arg, cache_dir=cache, token=False, endpoint=os.environ["HF_ENDPOINT"])
        print("RESULT", file, hashlib.sha256(open(local, "rb").read()).hexdigest())
"#;

/// Runs the Python client against the hub; the words behind `RESULT` on its lines.
fn python(hub: &MockHub, mode: &str, arg: &str, cache: &std::path::Path) -> Option<Vec<String>> {
    let Some(python) = std::env::var_os("ASSAY_PYTHON") else {
        assert!(
            std::env::var_os("ASSAY_REQUIRE").is_none(),
            "ASSAY_PYTHON is not set: a Python with huggingface_hub"
        );
        eprintln!("skipped: ASSAY_PYTHON (a Python with huggingface_hub) is not set");
        return None;
    };
    let mut command = Command::new(python);
    command
        .args(["-c", CLIENT, mode, "acme/peer", arg])
        .arg(cache)
        .env("HF_ENDPOINT", hub.server.url(""))
        .env("HF_HOME", cache)
        .env("HF_HUB_DISABLE_XET", "1")
        .env("HF_HUB_DISABLE_TELEMETRY", "1")
        .env("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        .env("TEST_TOKEN", TOKEN)
        .env_remove("HF_TOKEN")
        .env_remove("HF_HUB_OFFLINE");
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let seen: Vec<String> = hub
        .server
        .requests()
        .iter()
        .map(|request| format!("{} {}", request.method, request.target))
        .collect();
    assert!(output.status.success(), "{err}\n{}", seen.join("\n"));
    Some(
        out.lines()
            .filter_map(|line| line.strip_prefix("RESULT "))
            .map(str::to_owned)
            .collect(),
    )
}

#[test]
fn the_python_client_reads_what_is_published_here() {
    let hub = MockHub::start();
    let dir = tempfile::tempdir().unwrap();
    let big = object(250_000);
    let files: [(&str, &[u8]); 3] = [
        ("manifest.json", b"{\"peer\":1}"),
        ("units/a/big.bin", &big),
        ("s.bin", b"s"),
    ];
    let store = store(&hub, Some(TOKEN));
    let revision = wait(store.publish(&publication(&repo("peer"), &files))).unwrap();
    wait(store.reveal(&repo("peer"), &revision)).unwrap();
    let Some(read) = python(&hub, "read", &revision.to_string(), dir.path()) else {
        return;
    };
    for (name, bytes) in files {
        use sha2::Digest as _;
        let line = format!(
            "{name} {}",
            assay_types::hex::encode(&sha2::Sha256::digest(bytes))
        );
        assert!(read.contains(&line), "{line} in {read:?}");
    }
}

#[test]
fn what_the_python_client_publishes_is_read_here() {
    let hub = MockHub::start();
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("set");
    std::fs::create_dir_all(folder.join("units/a")).unwrap();
    let big = object(250_000);
    for (name, bytes) in [
        ("manifest.json", &b"{\"peer\":2}"[..]),
        ("units/a/big.bin", &big),
        ("s.bin", b"s"),
    ] {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let Some(printed) = python(
        &hub,
        "upload",
        folder.to_str().unwrap(),
        &dir.path().join("cache"),
    ) else {
        return;
    };
    let revision: Revision = printed[0].parse().unwrap();
    let reader = store(&hub, None);
    let view = wait(reader.open(&repo("peer"), &revision)).unwrap();
    let listed: Vec<&str> = view.list("").map(|entry| entry.path.as_str()).collect();
    assert_eq!(listed, ["manifest.json", "s.bin", "units/a/big.bin"]);
    assert!(wait(view.get(&path("units/a/big.bin"), 250_000)).unwrap() == big);
    assert_eq!(
        wait(view.get(&path("manifest.json"), 100)).unwrap(),
        b"{\"peer\":2}"
    );
    assert!(wait(reader.revisions(&repo("peer"))).unwrap().contains(&revision));
}
