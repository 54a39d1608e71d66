//! datatrove's duplicates through the command line: `assay dedup` on the near-duplicates of the parity fixture.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::parity::{lines, lines_of_gzip};
use crate::support::{data, folder, line};

/// The fixture's answer and the documents of each of its two runs as files, in their reading order.
struct Fixture {
    _folder: tempfile::TempDir,
    corpus: PathBuf,
    expected: Value,
    runs: BTreeMap<&'static str, Vec<PathBuf>>,
}

impl Fixture {
    fn open() -> Option<Self> {
        let answer = data("parity/minhash_removed.json")?;
        let expected: Value = serde_json::from_slice(&fs_err::read(&answer).unwrap()).unwrap();
        let corpus = answer.with_file_name("minhash_corpus.jsonl.gz");
        let documents = lines_of_gzip(&corpus);
        let by_id: BTreeMap<&str, &Value> = documents
            .iter()
            .map(|row| (row["id"].as_str().unwrap(), row))
            .collect();
        let folder = folder();
        let mut runs = BTreeMap::new();
        for run in ["one_file", "four_files"] {
            let files = expected[run]["files"].as_array().unwrap();
            let write = |(at, ids): (usize, &Value)| {
                let path = folder.path().join(format!("{run}-{at}.jsonl"));
                let ids = ids.as_array().unwrap().iter();
                fs_err::write(&path, lines(ids.map(|id| by_id[id.as_str().unwrap()]))).unwrap();
                path
            };
            runs.insert(run, files.iter().enumerate().map(write).collect());
        }
        Some(Self {
            _folder: folder,
            corpus,
            expected,
            runs,
        })
    }
}

fn dedup(paths: &[&Path], order: &str) -> Value {
    let words = format!("dedup {} --json --order {order}", "{} ".repeat(paths.len()));
    let found = line(&words, paths).with_code(0).json();
    assert_eq!(found["schema"], "assay.dedup/1");
    found
}

#[test]
fn duplicates_are_datatroves() {
    let Some(fixture) = Fixture::open() else { return };
    eprintln!("run         pairs  clusters  removed  (all equal, in datatrove's order)");
    for (run, paths) in &fixture.runs {
        let expected = &fixture.expected[run];
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let found = dedup(&paths, "datatrove");
        let buckets = found["pairs_by_bucket"].as_array().unwrap();
        assert_eq!(buckets.len(), 14);
        for (at, (wanted, given)) in expected["pairs_by_bucket"]
            .as_array()
            .unwrap()
            .iter()
            .zip(buckets)
            .enumerate()
        {
            assert_eq!(wanted, given, "{run}: pairs of bucket {at}");
        }
        assert_eq!(expected["clusters"], found["clusters"], "{run}");
        assert_eq!(expected["removed"], found["removed"], "{run}");
        let length = |value: &Value| value.as_array().unwrap().len();
        let pairs: usize = buckets.iter().map(length).sum();
        let (clusters, removed) = (length(&found["clusters"]), length(&found["removed"]));
        eprintln!("{run:<11} {pairs:>5} {clusters:>9} {removed:>8}");
        assert_eq!(removed, 328, "{run}");
    }
}

/// The canonical order does not know files: any order of them gives the same answer.
#[test]
fn the_canonical_order_does_not_know_files() {
    let Some(fixture) = Fixture::open() else { return };
    let forward: Vec<&Path> = fixture.runs["four_files"].iter().map(PathBuf::as_path).collect();
    let backward: Vec<&Path> = forward.iter().rev().copied().collect();
    let (forward, backward) = (dedup(&forward, "canonical"), dedup(&backward, "canonical"));
    let whole = dedup(&[&fixture.corpus], "canonical");
    for key in ["clusters", "removed", "documents"] {
        assert_eq!(forward[key], backward[key], "{key}");
        assert_eq!(forward[key], whole[key], "{key}");
    }
    assert_eq!(whole["documents"], 482);
    // Of each cluster the smallest id stays, and all others are removed.
    let mut removed = 0;
    for cluster in whole["clusters"].as_array().unwrap() {
        let members: Vec<&str> = cluster["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap())
            .collect();
        assert_eq!(
            cluster["kept"].as_str(),
            members.iter().min().copied(),
            "{cluster}"
        );
        assert_eq!(cluster["size"], members.len());
        removed += members.len() - 1;
    }
    assert_eq!(whole["removed"].as_array().unwrap().len(), removed);
}
