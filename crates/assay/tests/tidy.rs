//! The walls of the workspace and the rules of its files, checked as a test.
//!
//! Reads every `Cargo.toml` and source file of the repository. A new edge between two crates changes [`EDGES`] in a
//! commit of its own with the reason.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which workspace crates a crate may import (ARCHITECTURE.md, "code map").
const EDGES: &[(&str, &[&str])] = &[
    ("assay-types", &[]),
    ("assay-refine", &["assay-types"]),
    ("assay-mechanism", &["assay-types"]),
    ("assay-chain", &["assay-mechanism", "assay-types"]),
    // Gates reuse the signatures and filters of refinement; intervals and fineness are the mechanism's.
    ("assay-eval", &["assay-mechanism", "assay-refine", "assay-types"]),
    ("assay-hub", &["assay-types"]),
    // Serves what the mechanism assigns on what the chain says; opens corpora and published files through the hub.
    (
        "assay-server",
        &[
            "assay-chain",
            "assay-hub",
            "assay-mechanism",
            "assay-refine",
            "assay-types",
        ],
    ),
    // The local driver opens the files of `assay evaluate` as it does those of `assay refine`; the client of the Task API
    // recomputes what it is told (mechanism) and signs requests (chain).
    (
        "assay-agents",
        &[
            "assay-chain",
            "assay-eval",
            "assay-hub",
            "assay-mechanism",
            "assay-refine",
            "assay-types",
        ],
    ),
    (
        "assay",
        &[
            "assay-agents",
            "assay-chain",
            "assay-eval",
            "assay-refine",
            "assay-hub",
            "assay-mechanism",
            "assay-server",
            "assay-types",
        ],
    ),
];

/// Heavy crates and the only crate that may depend on each (dev-dependencies are exempt).
const HOMES: &[(&str, &str)] = &[
    ("parquet", "assay-refine"),
    ("arrow-array", "assay-refine"),
    ("html5ever", "assay-refine"),
    ("tiktoken-rs", "assay-refine"),
    ("libdeflater", "assay-refine"),
    ("rayon", "assay-eval"),
    ("cudarc", "assay-eval"),
    ("safetensors", "assay-eval"),
    ("object_store", "assay-hub"),
    ("reqwest", "assay-hub"),
    ("clap", "assay"),
    ("indicatif", "assay"),
    ("plotters", "assay"),
    ("subxt", "assay-chain"),
    ("jsonrpsee", "assay-chain"),
    ("axum", "assay-server"),
];

/// Crates without sockets, paths, clocks or async.
const PURE: &[&str] = &["assay-types", "assay-refine", "assay-eval", "assay-mechanism"];

/// What a pure crate may not depend on.
const SHELL_ONLY: &[&str] = &[
    "tokio",
    "reqwest",
    "fs-err",
    "object_store",
    "tracing-subscriber",
    "rand",
];

const FILE_LINES_MAX: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Names in `[dependencies]` of each crate.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let mut inside = false;
        let mut names = Vec::new();
        for line in text.lines() {
            if line.starts_with('[') {
                inside = line == "[dependencies]"
                    || (line.starts_with("[target.") && line.ends_with(".dependencies]"));
            } else if let (true, Some((name, _))) = (inside, line.split_once('=')) {
                names.push(name.trim().split('.').next().unwrap().to_owned());
            }
        }
        all.insert(folder.file_name().unwrap().to_string_lossy().into_owned(), names);
    }
    all
}

fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["crates", "fuzz", "bench"] {
        if root().join(folder).is_dir() {
            walk(&root().join(folder), &mut found);
        }
    }
    assert!(found.len() > 20, "found only {} source files", found.len());
    found
}

#[test]
fn crates_import_only_what_the_table_allows() {
    let dependencies = dependencies();
    let known: Vec<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    let found: Vec<&String> = dependencies.keys().collect();
    let mut sorted = known.clone();
    sorted.sort_unstable();
    assert_eq!(found, sorted, "every crate has its row in EDGES");
    for (name, allowed) in EDGES {
        for dependency in &dependencies[*name] {
            if known.contains(&dependency.as_str()) {
                assert!(
                    allowed.contains(&dependency.as_str()),
                    "`{name}` may not import `{dependency}`"
                );
            }
        }
    }
}

#[test]
fn heavy_crates_have_one_home() {
    for (name, dependencies) in dependencies() {
        for (heavy, home) in HOMES {
            assert!(
                name == *home || !dependencies.iter().any(|found| found == heavy),
                "`{heavy}` belongs to `{home}`, found in `{name}`"
            );
        }
        if PURE.contains(&name.as_str()) {
            for shell in SHELL_ONLY {
                assert!(
                    !dependencies.iter().any(|found| found == shell),
                    "pure crate `{name}` depends on `{shell}`"
                );
            }
        }
    }
}

#[test]
fn versions_stand_in_the_workspace_only() {
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path().join("Cargo.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            assert!(
                !line.contains("version = \""),
                "{}: `{line}` names a version",
                path.display()
            );
        }
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{} does not take the workspace's lints",
            path.display()
        );
    }
}

#[test]
fn files_are_short_and_say_what_they_are() {
    // Spelled in pieces, so that this file does not find itself.
    let silenced = ["#[al", "low("].concat();
    let stringly = ["Result<_, ", "String>"].concat();
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! ") || first == "#![no_main]",
            "{shown}: line 1 is no `//!` sentence"
        );
        let lines = text.lines().count();
        assert!(
            lines <= FILE_LINES_MAX,
            "{shown} has {lines} lines, at most {FILE_LINES_MAX} are allowed"
        );
        assert!(
            !text.contains(&silenced),
            "{shown}: use #[expect(lint, reason = \"…\")]"
        );
        assert!(
            !text.contains(&stringly),
            "{shown}: an error is a type, not a String"
        );
    }
}

#[test]
fn only_the_command_line_reads_the_environment() {
    for path in sources() {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        let is_test = shown.contains("/tests/") || shown.contains("/benches/") || shown.starts_with("bench");
        if is_test || shown == "crates/assay/src/config.rs" || shown == "crates/assay/tests/tidy.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            !text.contains("env::var"),
            "{shown} reads the environment; crates/assay/src/config.rs does that"
        );
    }
}

#[test]
fn nothing_points_outside_the_repository() {
    // Spelled in pieces, so that this file does not find itself.
    let forbidden = [
        ["..", "/sha", "red"].concat(),
        ["/wo", "rk/"].concat(),
        ["/ro", "ot/"].concat(),
    ];
    let mut paths = sources();
    for folder in [".", "docs"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "md" || extension == "toml")
            {
                paths.push(path);
            }
        }
    }
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in &forbidden {
            assert!(
                !text.contains(word.as_str()),
                "{} mentions `{word}`",
                path.display()
            );
        }
    }
}
