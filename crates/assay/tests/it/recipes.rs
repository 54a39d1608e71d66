//! Recipes that cannot be run: what they need is named, and where it is.

use std::path::{Path, PathBuf};

use crate::bad_input::{Bad, check, with_archive};
use crate::support::line;

/// A recipe file made of a built-in one.
fn changed(folder: &Path, name: &str, change: impl Fn(&str) -> String) -> PathBuf {
    let canonical = line("recipe show fineweb-en-v1 -q", &[]).with_code(0).stdout;
    let text = change(&canonical);
    assert_ne!(text, canonical);
    let path = folder.join(name);
    fs_err::write(&path, text).unwrap();
    path
}

/// Found by review: such a recipe ended with `failure/other` and no cure.
#[test]
fn recipes_that_this_engine_cannot_run_say_what_they_need() {
    let (folder, archive) = with_archive();
    let (root, out) = (folder.path(), folder.path().join("out"));
    let old = changed(root, "old.toml", |text| {
        text.replacen("engine = \"2.0.0\"", "engine = \"1.0.0\"", 1)
    });
    // The language step before the address is looked at.
    let moved = changed(root, "moved.toml", |text| {
        let parts: Vec<&str> = text.split("[[step]]\n").collect();
        let order: Vec<&str> = [0, 2, 1]
            .into_iter()
            .chain(3..parts.len())
            .map(|at| parts[at])
            .collect();
        order.join("[[step]]\n")
    });
    let lists = changed(root, "lists.toml", |text| {
        let named = text.replacen("domains = \"\"", "domains = \"domains\"", 1);
        let digest = "00".repeat(32);
        format!(
            "{named}[[artifact]]\nblake3 = \"{digest}\"\nbytes = 3\nkind = \"domain_hashes\"\nname = \"domains\"\n"
        )
    });
    for (recipe, message, help) in [
        (&old, "is for engine 1.0.0, this is", "has engine 1.0.0"),
        (
            &moved,
            "does not support this `[[step]] url_filter after another step`",
            "as `assay recipe show fineweb-en-v1` does",
        ),
        (&lists, "needs the artifact `domains`", "give `--url-lists`"),
    ] {
        let bad = Bad {
            exit: 2,
            code: "recipe/not-runnable",
            message,
            help,
        };
        check("refine {} --recipe {} --out {}", &[&archive, recipe, &out], &bad);
        check("filter --recipe {}", &[recipe], &bad);
    }
    let other = root.join("other.json");
    fs_err::write(&other, r#"{"domains":["bad.example"]}"#).unwrap();
    let bad = Bad {
        exit: 2,
        code: "recipe/not-runnable",
        message: "artifact `domains` has digest",
        help: "the very lists",
    };
    check(
        "refine {} --recipe {} --url-lists {} --out {}",
        &[&archive, &lists, &other, &out],
        &bad,
    );
    assert!(!out.exists(), "nothing is written for a recipe that cannot run");
}

/// A dataset names its recipe by id only; one with lists needs them again.
#[test]
fn verifying_with_lists_says_where_they_go() {
    let (folder, archive) = with_archive();
    let (lists, out) = (folder.path().join("lists.json"), folder.path().join("out"));
    fs_err::write(&lists, r#"{"banned_words":["zebra"]}"#).unwrap();
    line(
        "refine {} --recipe fineweb-en-v1-lists --url-lists {} --out {} -q",
        &[&archive, &lists, &out],
    )
    .with_code(0);
    let bad = Bad {
        exit: 2,
        code: "usage/invalid",
        message: "no recipe `",
        help: "give `--url-lists` its lists",
    };
    check("verify {} --warc {}", &[&out, &archive], &bad);
    line("verify {} --warc {} --url-lists {}", &[&out, &archive, &lists]).with_code(0);
}
