//! `assay evaluate` of `hf://` addresses against a hub on the loopback address: any repository, one of ours, a changed one.

use std::path::Path;

use assay_hub::store::{LocalStore, Publication, Store as _};
use assay_types::RepoName;
use serde_json::{Value, json};

use crate::pages;
use crate::support::{Answer, assay, folder, line};
use crate::web_server::WebServer;

const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, bytes).unwrap();
}

/// A repository of the hub with some files; `digest` is what the hub says of each.
fn repository(root: &Path, name: &str, files: &[(&str, Vec<u8>)], digest: Option<&str>) {
    let item = |(path, bytes): &(&str, Vec<u8>)| {
        let mut item = json!({"type": "file", "oid": REVISION, "size": bytes.len(), "path": path});
        if let Some(oid) = digest {
            item["lfs"] = json!({"oid": oid});
        }
        item
    };
    let tree: Value = files.iter().map(item).collect();
    let api = format!("api/datasets/{name}");
    put(
        root,
        &format!("{api}/tree/{REVISION}"),
        tree.to_string().as_bytes(),
    );
    let info = json!({"sha": REVISION, "private": false});
    put(root, &format!("{api}/revision/main"), info.to_string().as_bytes());
    put(
        root,
        &format!("{api}/commits/main"),
        json!([{"id": REVISION}]).to_string().as_bytes(),
    );
    for (path, bytes) in files {
        put(root, &format!("datasets/{name}/resolve/{REVISION}/{path}"), bytes);
    }
}

fn texts(first: u64, count: u64) -> Vec<u8> {
    let line =
        |number| json!({"id": number, "text": pages::paragraphs(number).join("\n")}).to_string() + "\n";
    (first..first + count).map(line).collect::<String>().into_bytes()
}

fn evaluate(server: &WebServer, target: &str, downloads: &Path) -> Answer {
    let mut command = assay(["evaluate", target, "--json", "--downloads"]);
    let endpoint = format!("http://{}", server.address);
    command.arg(downloads).env("HF_ENDPOINT", endpoint);
    Answer::from(command.output().unwrap())
}

#[test]
fn texts_of_a_repository_are_fetched_once_and_measured() {
    let folder = folder();
    let (root, downloads) = (folder.path().join("hub"), folder.path().join("kept"));
    let files = [
        ("README.md", b"# about".to_vec()),
        ("data/a.jsonl", texts(0, 30)),
        ("data/b.jsonl", texts(100, 20)),
        ("load.py", b"raise SystemExit".to_vec()),
    ];
    repository(&root, "acme/web", &files, None);
    let server = WebServer::start(root);
    // No revision is named: the repository has one.
    let found = evaluate(&server, "hf://acme/web", &downloads).with_code(4).json();
    let dataset = &found["data"]["datasets"][0];
    assert_eq!(dataset["documents"], 50, "{found}");
    assert_eq!(dataset["name"], format!("web@{REVISION}"));
    assert_eq!(dataset["gates"]["exact_duplicates"]["passed"], true);
    let kept = downloads.join(format!("acme/web@{REVISION}"));
    assert!(kept.join("data/a.jsonl").exists() && !kept.join("load.py").exists());
    // Found by review: what another seed or an older program left in the folder was measured, too.
    fs_err::write(kept.join("data/old.jsonl"), texts(500, 9)).unwrap();
    let beside = evaluate(&server, "hf://acme/web", &downloads).with_code(4).json();
    assert_eq!(beside["data"], found["data"], "only what was chosen is read");
    // The revision is named and everything is there: only the listing is asked for.
    fs_err::remove_dir_all(folder.path().join("hub/datasets")).unwrap();
    let again = evaluate(&server, &format!("hf://acme/web@{REVISION}"), &downloads);
    assert_eq!(again.with_code(4).json()["data"], found["data"]);
}

#[test]
fn changed_files_and_repositories_without_text_are_refused() {
    let folder = folder();
    let root = folder.path().join("hub");
    repository(&root, "acme/none", &[("load.py", b"x".to_vec())], None);
    let other = "ab".repeat(32);
    repository(&root, "acme/changed", &[("a.jsonl", texts(0, 3))], Some(&other));
    let server = WebServer::start(root);
    let downloads = folder.path().join("kept");
    let cases = [
        ("hf://acme/none", 2, "input/nothing-found"),
        ("hf://acme/changed", 4, "store/differs"),
        ("hf://acme/missing", 2, "usage/invalid"),
    ];
    for (target, code, name) in cases {
        let answer = evaluate(&server, target, &downloads).with_code(code).json();
        assert_eq!(answer["code"], name, "{target}: {answer}");
        assert!(!answer["help"].as_str().unwrap().is_empty());
    }
}

#[test]
fn a_published_dataset_of_ours_is_measured_as_its_folder_is() {
    let folder = folder();
    let archive = pages::archive(folder.path(), "a.warc.gz", 0, 8);
    let made = folder.path().join("made");
    line("refine {} --out {} -q", &[&archive, &made]).with_code(0);
    let store = folder.path().join("store");
    let repo = RepoName::parse("acme/r1").unwrap();
    let revision = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async {
            let store = LocalStore::new(&store);
            let revision = store
                .publish(&Publication::dataset(repo.clone(), &made).unwrap())
                .await
                .unwrap();
            store.reveal(&repo, &revision).await.unwrap();
            revision
        });
    let target = format!("{}/acme/r1@{revision}", store.display());
    let downloads = folder.path().join("kept");
    let words = format!("evaluate {target} --downloads {{}} --json");
    let fetched = line(&words, &[&downloads]).with_code(4).json();
    let local = line("evaluate {} --json", &[&made]).with_code(4).json();
    let of = |found: &Value, key: &str| found["data"]["datasets"][0][key].clone();
    for key in ["documents", "bytes", "tokens", "gates"] {
        assert_eq!(of(&fetched, key), of(&local, key), "{key}");
    }
    assert!(of(&local, "documents").as_u64() > Some(0));
}
