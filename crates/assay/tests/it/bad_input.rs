//! Bad input of every kind: the message names it, the help line cures it, the exit code is the documented one.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::pages;
use crate::support::{Answer, files_of, folder, line, only_unit, run};

/// What a bad call must answer.
pub(crate) struct Bad<'a> {
    pub(crate) exit: i32,
    pub(crate) code: &'a str,
    pub(crate) message: &'a str,
    pub(crate) help: &'a str,
}

/// Checks an error of a call, for people and as JSON; returns the answer for people.
#[track_caller]
pub(crate) fn check(words: &str, paths: &[&Path], bad: &Bad<'_>) -> Answer {
    let people = line(words, paths).with_code(bad.exit);
    let first = people.stderr.lines().find(|line| line.starts_with("error"));
    let first = first.unwrap_or_else(|| panic!("`{words}`: no error line in\n{}", people.stderr));
    assert!(
        first.starts_with(&format!("error[{}]: ", bad.code)) && first.contains(bad.message),
        "`{words}`: {first}"
    );
    let help = people
        .stderr
        .lines()
        .find_map(|line| line.trim().strip_prefix("help: "));
    let help = help.unwrap_or_else(|| panic!("`{words}`: no help line in\n{}", people.stderr));
    assert!(help.contains(bad.help), "`{words}`: {help}");
    assert!(!people.stderr.contains('\u{1b}'), "`{words}`: colours in a pipe");

    let machine = line(&format!("{words} --json"), paths).with_code(bad.exit);
    let document = machine.json();
    let mut keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        ["code", "help", "message", "ok", "retry", "schema"],
        "`{words}`"
    );
    assert_eq!(document["schema"], "assay.error/1", "`{words}`");
    assert_eq!(document["ok"], false, "`{words}`");
    assert_eq!(document["code"], bad.code, "`{words}`");
    assert_eq!(document["retry"], bad.exit == 3, "`{words}`");
    assert!(
        document["help"].as_str().unwrap().contains(bad.help),
        "`{words}`: {document}"
    );
    assert!(
        document["message"].as_str().unwrap().contains(bad.message),
        "`{words}`: {document}"
    );
    people
}

/// A folder with an archive of a few pages.
pub(crate) fn with_archive() -> (TempDir, PathBuf) {
    let folder = folder();
    let archive = pages::archive(folder.path(), "a.warc.gz", 0, 5);
    (folder, archive)
}

#[test]
fn inputs_that_are_not_there_or_not_archives() {
    let folder = folder();
    let (root, out) = (folder.path(), folder.path().join("out"));
    let write = |name: &str, bytes: &[u8]| {
        fs_err::write(root.join(name), bytes).unwrap();
        root.join(name)
    };
    let empty = write("empty.warc.gz", b"");
    let text = write("text.warc", b"Dear reader,\n\nthis is no archive.\n");
    let noise: Vec<u8> = (0..4096u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 | 1)
        .collect();
    let noise = write("noise.warc.gz", &noise);
    let missing = root.join("missing.warc.gz");
    let folder_of_nothing = root.join("nothing");
    fs_err::create_dir(&folder_of_nothing).unwrap();
    for (input, code, message, help) in [
        (
            &missing,
            "input/unreadable",
            "no such file or directory: `",
            "check the spelling",
        ),
        (
            &empty,
            "input/not-an-archive",
            "file:empty.warc.gz",
            "fetch it again",
        ),
        (
            &text,
            "input/not-an-archive",
            "file:text.warc",
            "`assay pack` makes one",
        ),
        (
            &noise,
            "input/not-an-archive",
            "file:noise.warc.gz",
            "`assay pack` makes one",
        ),
        (
            &folder_of_nothing,
            "input/unreadable",
            "no archive in directory",
            ".warc.gz",
        ),
    ] {
        let bad = Bad {
            exit: 1,
            code,
            message,
            help,
        };
        check("refine {} --out {}", &[input, &out], &bad);
        check("refine {} --explain 0", &[input], &bad);
    }
    let name = Bad {
        exit: 1,
        code: "input/unreadable",
        message: "gs://",
        help: "http://, https:// or s3://",
    };
    check("refine gs://bucket/x.warc.gz --out {}", &[&out], &name);
}

#[test]
fn a_failing_input_leaves_the_others_refined() {
    let (folder, archive) = with_archive();
    let (root, out) = (folder.path(), folder.path().join("out"));
    let empty = root.join("empty.warc.gz");
    fs_err::write(&empty, b"").unwrap();
    let bad = Bad {
        exit: 1,
        code: "input/not-an-archive",
        message: "1 of 2 inputs failed, first `file:empty.warc.gz`",
        help: "fetch it again",
    };
    let answer = check("refine {} {} --out {}", &[&empty, &archive, &out], &bad);
    assert!(
        answer.stdout.contains('5'),
        "the funnel of the good input is shown: {}",
        answer.stdout
    );
    line("verify {} --warc {}", &[&out, &archive]).with_code(0);
}

#[test]
fn an_unreadable_address_is_transient() {
    let folder = folder();
    let out = folder.path().join("out");
    // Bound and dropped: nobody listens on this port of the loopback.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let answer = run([
        "refine".as_ref(),
        format!("http://127.0.0.1:{port}/x.warc.gz").as_ref(),
        "--json".as_ref(),
        "--out".as_ref(),
        out.as_os_str(),
    ])
    .with_code(3);
    let document = answer.json();
    assert_eq!(document["code"], "input/unreadable");
    assert_eq!(document["retry"], true);
    assert!(
        document["help"].as_str().unwrap().contains("start again"),
        "{document}"
    );
    assert!(
        answer.stderr.contains(&format!("127.0.0.1:{port}")),
        "{}",
        answer.stderr
    );
}

#[test]
fn recipes_that_are_wrong() {
    let (folder, archive) = with_archive();
    let (root, out) = (folder.path(), folder.path().join("out"));
    let canonical = line("recipe show fineweb-en-v1 -q", &[]).with_code(0).stdout;
    let write = |name: &str, text: &str| {
        fs_err::write(root.join(name), text).unwrap();
        root.join(name)
    };
    let misspelt = canonical.replacen("\nwords_min =", "\nword_min =", 1);
    assert_ne!(misspelt, canonical);
    let misspelt = write("misspelt.toml", &misspelt);
    let unknown = write(
        "unknown.toml",
        &canonical.replacen("kind = \"c4\"", "kind = \"c5\"", 1),
    );
    let no_toml = write("text.toml", "this is = = no recipe");
    for (recipe, message, help) in [
        (&misspelt, "unknown key `word_min`", "`words_min`"),
        (&unknown, "`c5`", "`c4`"),
        (&no_toml, "recipe is not TOML", "assay recipe show"),
    ] {
        let bad = Bad {
            exit: 2,
            code: "recipe/invalid",
            message,
            help,
        };
        check("refine {} --recipe {} --out {}", &[&archive, recipe, &out], &bad);
        check("filter --recipe {}", &[recipe], &bad);
        // The check itself has done its work: it answers, and says no.
        let checked = line("recipe check {} --json", &[recipe]).with_code(4).json();
        assert_eq!(
            (&checked["ok"], &checked["schema"]),
            (&json!(false), &json!("assay.recipe-check/1"))
        );
        assert!(
            checked["data"]["problems"][0].as_str().unwrap().contains(message),
            "{checked}"
        );
    }
    for words in [
        "recipe show fineweb-en-v2",
        "filter --recipe fineweb-en-v2",
        "recipe diff fineweb-en-v2 fineweb-en-v1",
    ] {
        let bad = Bad {
            exit: 2,
            code: "usage/invalid",
            message: "no recipe `fineweb-en-v2`",
            help: "fineweb-en-v1",
        };
        check(words, &[], &bad);
    }
    let lists = Bad {
        exit: 2,
        code: "usage/invalid",
        message: "needs its lists",
        help: "--url-lists",
    };
    check("recipe show fineweb-en-v1-lists", &[], &lists);
    assert!(!out.exists(), "nothing is written for a recipe that cannot run");
}

#[test]
fn an_output_of_another_recipe_or_settings_is_left_alone() {
    let (folder, archive) = with_archive();
    let out = folder.path().join("out");
    line("refine {} --out {}", &[&archive, &out]).with_code(0);
    let before = files_of(&out);
    let unit = only_unit(&out).display().to_string();
    for (flags, code, message, help) in [
        (
            "--recipe fineweb-en-v1-nolang",
            "output/other-recipe",
            "holds a dataset made with recipe",
            "another `--out`",
        ),
        (
            "--limit 3",
            "output/other-settings",
            "another --limit",
            unit.as_str(),
        ),
        (
            "--format jsonl",
            "output/other-settings",
            "another --format",
            &unit,
        ),
        ("--features", "output/other-settings", "another --features", &unit),
    ] {
        let bad = Bad {
            exit: 2,
            code,
            message,
            help,
        };
        check(
            &format!("refine {{}} --out {{}} {flags}"),
            &[&archive, &out],
            &bad,
        );
    }
    let longer = folder.path().join("longer");
    fs_err::create_dir(&longer).unwrap();
    let longer = pages::archive(&longer, "a.warc.gz", 0, 6);
    let bad = Bad {
        exit: 2,
        code: "output/other-settings",
        message: "another length of the input",
        help: &unit,
    };
    check("refine {} --out {}", &[&longer, &out], &bad);
    assert!(files_of(&out) == before, "the finished unit was touched");
}

/// Damages one file of a fresh copy of a dataset, expects the error, cures it as told, and gets the same bytes again.
fn damage_and_cure(archive: &Path, damage: impl Fn(&Path), code: &str, message: &str) {
    let folder = folder();
    let out = folder.path().join("out");
    line("refine {} --out {} --features", &[archive, &out]).with_code(0);
    let whole = files_of(&out);
    let unit = only_unit(&out);
    damage(&unit);
    let help = format!("remove `{}` and run again", unit.display());
    let bad = Bad {
        exit: 1,
        code,
        message,
        help: &help,
    };
    check("refine {} --out {} --features", &[archive, &out], &bad);
    fs_err::remove_dir_all(&unit).unwrap();
    line("refine {} --out {} --features", &[archive, &out]).with_code(0);
    assert!(files_of(&out) == whole, "{message}: the cure gives other bytes");
}

#[test]
fn a_damaged_output_is_named_and_its_cure_works() {
    let (_folder, archive) = with_archive();
    let truncate = |name: &'static str| {
        move |unit: &Path| {
            let bytes = fs_err::read(unit.join(name)).unwrap();
            fs_err::write(unit.join(name), &bytes[..bytes.len() / 2]).unwrap();
        }
    };
    let remove = |name: &'static str| move |unit: &Path| fs_err::remove_file(unit.join(name)).unwrap();
    damage_and_cure(
        &archive,
        truncate("ledger.parquet"),
        "dataset/damaged",
        "ledger.parquet` has",
    );
    damage_and_cure(
        &archive,
        remove("docs-00000.parquet"),
        "dataset/damaged",
        "docs-00000.parquet` is missing",
    );
    damage_and_cure(
        &archive,
        truncate("done.json"),
        "dataset/damaged",
        "completion marker",
    );
    damage_and_cure(
        &archive,
        remove("done.json"),
        "dataset/damaged",
        "no completion marker",
    );
    let flip = |name: &'static str| {
        move |unit: &Path| {
            let path = unit.join(name);
            let mut bytes = fs_err::read(&path).unwrap();
            let at = bytes.len() / 2;
            bytes[at] ^= 1;
            fs_err::write(path, bytes).unwrap();
        }
    };
    for (name, message) in [
        ("bands.parquet", "bands.parquet` has another SHA-256"),
        // Found by review: no digest bound the features.
        ("features.parquet", "features.parquet` has another SHA-256"),
    ] {
        damage_and_cure(&archive, flip(name), "dataset/damaged", message);
    }
    damage_and_cure(
        &archive,
        remove("features.parquet"),
        "dataset/damaged",
        "features.parquet` is missing",
    );
}

#[test]
fn a_damaged_manifest_or_table_stops_its_readers() {
    let (folder, archive) = with_archive();
    let out = folder.path().join("out");
    line("refine {} --out {}", &[&archive, &out]).with_code(0);
    let manifest = fs_err::read_to_string(out.join("manifest.json")).unwrap();
    let missing = folder.path().join("missing");
    let no_file = Bad {
        exit: 1,
        code: "dataset/missing",
        message: "`manifest.json` is missing",
        help: "assay refine",
    };
    check("verify {} --warc {}", &[&missing, &archive], &no_file);
    check("dataset stats {}", &[&missing], &no_file);
    fs_err::write(out.join("manifest.json"), &manifest[..manifest.len() / 2]).unwrap();
    let broken = Bad {
        exit: 1,
        code: "dataset/damaged",
        message: "manifest.json",
        help: "assay refine",
    };
    check("verify {} --warc {}", &[&out, &archive], &broken);
    check("dataset stats {}", &[&out], &broken);
    // Running again writes the manifest anew from the finished units.
    line("refine {} --out {}", &[&archive, &out]).with_code(0);
    assert_eq!(
        fs_err::read_to_string(out.join("manifest.json")).unwrap(),
        manifest
    );
    let docs = only_unit(&out).join("docs-00000.parquet");
    fs_err::write(&docs, b"PAR1 is not enough").unwrap();
    let table = Bad {
        exit: 1,
        code: "dataset/damaged",
        message: "docs-00000.parquet",
        help: "assay refine",
    };
    check("dataset stats {}", &[&out], &table);
}

/// A manifest from a stranger must not make a reader open files outside the dataset.
#[test]
fn paths_that_leave_the_dataset_are_refused() {
    let (folder, archive) = with_archive();
    let out = folder.path().join("out");
    line("refine {} --out {}", &[&archive, &out]).with_code(0);
    let path = out.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
    // Endless, if it were opened.
    manifest["units"][0]["docs"][0]["path"] = json!("/dev/zero");
    fs_err::write(&path, manifest.to_string()).unwrap();
    let bad = Bad {
        exit: 1,
        code: "dataset/damaged",
        message: "/dev/zero",
        help: "assay refine",
    };
    check("dataset stats {}", &[&out], &bad);
    let proof = folder.path().join("proof.json");
    let verified = line("verify {} --warc {} --proof {} --json", &[&out, &archive, &proof])
        .with_code(4)
        .json();
    assert!(
        verified["data"]["faults"].to_string().contains("/dev/zero"),
        "{verified}"
    );
}
