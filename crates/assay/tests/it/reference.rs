//! Pages of the documentation that are made of the program, and codes of errors: none is out of date, none is missing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::run;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A committed page is what the program prints.
fn check(page: &str) -> String {
    let path = root().join(format!("docs/{page}.md"));
    let printed = run(["reference", page]).with_code(0).stdout;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs_err::write(&path, &printed).unwrap();
    }
    assert!(
        fs_err::read_to_string(&path).unwrap_or_default() == printed,
        "docs/{page}.md differs from the program: run this test with UPDATE_DOCS=1"
    );
    printed
}

#[test]
fn the_page_of_commands_is_what_the_parser_knows() {
    let page = check("cli");
    for part in [
        "## assay refine\n",
        "### assay recipe new\n",
        "#### assay serve admin requeue\n",
        "| `-o, --out <DIR>` |",
        "| `--color <COLOR>` | `auto` |",
        "| `<DATASET>` | required |",
    ] {
        assert!(page.contains(part), "no `{part}`");
    }
    for hidden in ["assay worker", "assay reference\n", "--admin-socket`` "] {
        assert!(!page.contains(&format!("# {hidden}")), "{hidden}");
    }
}

#[test]
fn the_page_of_configuration_is_what_the_program_reads() {
    let page = check("configuration");
    for part in [
        "| `HF_TOKEN` |",
        "| `listen` | `127.0.0.1:8470` |",
        "| `limits.cache_bytes_max` | 67,108,864 |",
        "| `recipes[].gain` |",
    ] {
        assert!(page.contains(part), "no `{part}`");
    }
}

/// Source files that give errors their codes.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether a text is `area/what`, in lower case.
fn is_code(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    text.split_once('/')
        .is_some_and(|(area, what)| is_word(area) && is_word(what))
}

/// Codes of the errors of a source text: of its match arms, and of `exit.rs` all.
fn codes_of(path: &Path) -> BTreeSet<String> {
    let text = fs_err::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    let is_exit = path.ends_with("assay/src/exit.rs");
    if !is_exit && !text.contains("fn code(") && !text.contains("fn store_code(") && !text.contains("kinds!")
    {
        return BTreeSet::new();
    }
    text.split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| is_code(text))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_code_of_an_error_has_its_cure() {
    let mut paths = Vec::new();
    for name in ["assay", "assay-agents", "assay-chain", "assay-types"] {
        sources(&root().join("crates").join(name).join("src"), &mut paths);
    }
    let codes: BTreeSet<String> = paths.iter().flat_map(|path| codes_of(path)).collect();
    assert!(codes.len() > 70, "only {} codes were found", codes.len());
    for known in [
        "auth/stale",
        "chain/pool",
        "usage/invalid",
        "wallet/name",
        "output/locked",
    ] {
        assert!(codes.contains(known), "`{known}` was not found");
    }
    let page = fs_err::read_to_string(root().join("docs/faq.md")).unwrap();
    let cured: BTreeSet<String> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|text| is_code(text))
        .map(str::to_owned)
        .collect();
    let without: Vec<&String> = codes.difference(&cured).collect();
    assert!(without.is_empty(), "docs/faq.md has no cure for {without:?}");
    let unknown: Vec<&String> = cured.difference(&codes).collect();
    assert!(
        unknown.is_empty(),
        "no error has the codes {unknown:?} of docs/faq.md"
    );
}
