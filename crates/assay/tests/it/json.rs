//! `--json` of every command: one document, alone on stdout, without colours, in the committed form.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::pages;
use crate::support::{assay, folder, line};

/// The form of a document: values that hang on time, place or every byte of the pages are replaced by what they are.
fn redacted(value: &Value, key: &str) -> Value {
    let is_hex = |text: &str| text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), redacted(value, key)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| redacted(item, key)).collect(),
        Value::String(_) if key == "time" => "<time>".into(),
        Value::String(text) if is_hex(text) => "<hex>".into(),
        Value::String(text) if text.contains('/') && text.contains("tmp") => "<path>".into(),
        Value::String(text) if text.len() > 120 => "<text>".into(),
        Value::Number(number) => if number.is_f64() { "<float>" } else { "<integer>" }.into(),
        other => other.clone(),
    }
}

/// Runs a call with `--json` and checks everything that holds for every document.
#[track_caller]
fn document(words: &str, paths: &[&Path], code: i32) -> Value {
    let answer = line(&format!("{words} --json"), paths).with_code(code);
    assert_eq!(answer.stderr, "", "`{words}` says something beside its document");
    assert_eq!(answer.stdout.lines().count(), 1, "`{words}`");
    assert!(!answer.stdout.contains('\u{1b}'), "`{words}`: colours");
    let document = answer.json();
    let time = document["as_of"]["time"].as_str().unwrap();
    assert!(
        time.len() == 20 && time.ends_with('Z') && time.as_bytes()[10] == b'T',
        "`{words}`: {time}"
    );
    assert_eq!(document["as_of"]["block"], Value::Null, "`{words}`");
    assert_eq!(document["ok"], code == 0, "`{words}`");
    assert!(document["warnings"].is_array(), "`{words}`");
    document
}

/// A folder with the mixed archive and its dataset.
fn with_dataset() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf, Value) {
    let folder = folder();
    let archive = pages::mixed_archive(folder.path());
    let out = folder.path().join("out");
    let report = document("refine {} --out {}", &[&archive, &out], 0);
    (folder, archive, out, report)
}

#[test]
fn the_report_of_refine_has_the_promised_keys_and_adds_up() {
    let (_folder, archive, out, report) = with_dataset();
    insta::assert_json_snapshot!("json-refine", redacted(&report, ""));
    let data = report["data"].as_object().unwrap();
    let keys: BTreeSet<&str> = data.keys().map(String::as_str).collect();
    let promised = [
        "records",
        "kept",
        "tokens",
        "bytes_in",
        "bytes_out",
        "dropped",
        "cpu_seconds",
        "wall_seconds",
        "recipe_id",
        "unit_roots",
    ];
    assert_eq!(keys, BTreeSet::from(promised));
    let dropped: u64 = data["dropped"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    let (records, kept) = (data["records"].as_u64().unwrap(), data["kept"].as_u64().unwrap());
    assert_eq!(records, kept + dropped, "{report}");
    assert!(
        data["dropped"]
            .as_object()
            .unwrap()
            .keys()
            .all(|key| key.split('.').count() == 2),
        "{report}"
    );
    assert_eq!(data["dropped"]["minhash.duplicate"], 1, "{report}");
    assert_eq!(kept, 8, "{report}");
    assert_eq!(data["bytes_in"], fs_err::metadata(&archive).unwrap().len());
    assert!(data["cpu_seconds"].as_f64().unwrap() > 0.0 && data["wall_seconds"].as_f64().unwrap() > 0.0);

    // What the report says is what the dataset holds.
    let manifest: Value = serde_json::from_slice(&fs_err::read(out.join("manifest.json")).unwrap()).unwrap();
    let unit = &manifest["units"][0];
    assert_eq!(data["unit_roots"], json!([unit["unit_root"]]));
    assert_eq!(
        (&unit["n_records"], &unit["n_kept"], &unit["n_tokens"]),
        (&data["records"], &data["kept"], &data["tokens"])
    );
    let stats = document("dataset stats {}", &[&out], 0);
    assert_eq!(stats["data"]["documents"], data["kept"], "{stats}");
    assert_eq!(stats["data"]["tokens"], data["tokens"], "{stats}");
    assert_eq!(stats["data"]["text_bytes"], data["bytes_out"], "{stats}");

    // Again: everything is taken over, the numbers are the same, and a warning says so.
    let again = document("refine {} --out {}", &[&archive, &out], 0);
    for key in [
        "records",
        "kept",
        "tokens",
        "bytes_in",
        "bytes_out",
        "dropped",
        "recipe_id",
        "unit_roots",
    ] {
        assert_eq!(again["data"][key], report["data"][key], "{key}");
    }
    assert_eq!(
        again["warnings"],
        json!(["1 unit was finished before and taken over"])
    );
}

#[test]
fn every_document_has_its_committed_form() {
    let (folder, archive, out, _) = with_dataset();
    let root = folder.path();
    let page = root.join("mixed/0001.html");
    let texts = root.join("texts.jsonl");
    let given: Vec<String> = [3u64, 3, 4]
        .iter()
        .zip(0..)
        .map(|(number, id)| {
            json!({"id": format!("d{id}"), "text": pages::paragraphs(*number).join("\n"), "url": ""})
                .to_string()
        })
        .collect();
    fs_err::write(&texts, given.join("\n")).unwrap();
    let recipe = root.join("recipe.toml");
    fs_err::write(&recipe, line("recipe show fineweb-en-v1 -q", &[]).stdout).unwrap();
    let (html, packed, lists) = (
        root.join("stats.html"),
        root.join("p.warc.gz"),
        root.join("lists"),
    );
    let given_lists = root.join("lists.json");
    fs_err::write(
        &given_lists,
        r#"{"domains":["bad.example"],"banned_words":["zebra"],"urls":["https://example.org/0001.html"]}"#,
    )
    .unwrap();
    let calls: [(&str, &str, &[&Path]); 11] = [
        (
            "explain",
            "refine {} --explain https://example.org/0001.html",
            &[&archive],
        ),
        ("verify", "verify {} --warc {}", &[&out, &archive]),
        ("dataset-stats", "dataset stats {} --html {}", &[&out, &html]),
        ("extract", "extract {} {}", &[&page, &page]),
        ("dedup", "dedup {}", &[&texts]),
        ("filter", "filter {}", &[&texts]),
        ("pack", "pack {} --out {}", &[&page, &packed]),
        ("recipe-list", "recipe list", &[]),
        ("recipe-show", "recipe show fineweb-en-v1", &[]),
        ("recipe-check", "recipe check {}", &[&recipe]),
        (
            "recipe-diff",
            "recipe diff fineweb-en-v1 fineweb-en-v1-nolang",
            &[],
        ),
    ];
    for (name, words, paths) in calls {
        let document = document(words, paths, 0);
        assert!(
            document["schema"].as_str().unwrap().starts_with("assay."),
            "{name}"
        );
        insta::assert_json_snapshot!(format!("json-{name}"), redacted(&document, ""));
    }
    let written = document("recipe lists {} --out {}", &[&given_lists, &lists], 0);
    insta::assert_json_snapshot!("json-recipe-lists", redacted(&written, ""));
    // What was written is what the recipe of lists runs with.
    let with_lists = document("recipe show fineweb-en-v1-lists --url-lists {}", &[&lists], 0);
    assert_eq!(with_lists["data"]["id"], written["data"]["recipe_id"]);
    lists_drop_pages(&archive, &lists, &written["data"]["recipe_id"]);
}

/// Found by review: the recipe that `recipe lists` wrote was refused, so nothing could be refined with it.
#[track_caller]
fn lists_drop_pages(archive: &Path, lists: &Path, id: &Value) {
    let folder = folder();
    let (recipe, out) = (lists.join("recipe.toml"), folder.path().join("out"));
    let checked = document("recipe check {}", &[&recipe], 0);
    assert_eq!(
        (&checked["data"]["id"], &checked["data"]["problems"]),
        (id, &json!([]))
    );
    let run = document(
        "refine {} --recipe {} --url-lists {} --out {}",
        &[archive, &recipe, lists, &out],
        0,
    );
    assert_eq!(run["data"]["recipe_id"], *id, "{run}");
    assert_eq!(run["data"]["dropped"]["url_filter.url"], 1, "{run}");
    let verified = document(
        "verify {} --warc {} --recipe {} --url-lists {}",
        &[&out, archive, &recipe, lists],
        0,
    );
    assert_eq!(verified["data"]["checked"], run["data"]["records"], "{verified}");
    // The dataset names its recipe by id; the lists make it known.
    document("verify {} --warc {} --url-lists {}", &[&out, archive, lists], 0);
    document(
        "recipe diff fineweb-en-v1 fineweb-en-v1-lists --url-lists {}",
        &[lists],
        0,
    );
}

/// Colours only where asked for: never in a pipe by themselves, never in a document.
#[test]
fn colours_follow_the_flag_and_the_environment() {
    let coloured = |flags: &[&str], variable: Option<(&str, &str)>| {
        let mut command = assay(["recipe", "show", "nothing"].iter().chain(flags));
        command.envs(variable);
        let output = command.output().unwrap();
        assert!(!output.stdout.contains(&0x1b), "{flags:?}");
        output.stderr.contains(&0x1b)
    };
    assert!(!coloured(&[], None));
    assert!(coloured(&["--color", "always"], None));
    assert!(coloured(&[], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!coloured(&["--color", "never"], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!coloured(&[], Some(("NO_COLOR", "1"))));
}

/// With `--quiet` and on success nothing is said on stderr; results stay.
#[test]
fn quiet_is_quiet() {
    let (folder, archive, ..) = with_dataset();
    let out = folder.path().join("other");
    let answer = line("refine {} --out {} --quiet", &[&archive, &out]).with_code(0);
    assert_eq!(answer.stderr, "");
    assert!(answer.stdout.contains("dropped for"), "{}", answer.stdout);
}

/// A table goes to a pipe without colours and whole; the funnel's figures are those of the report.
#[test]
fn the_funnel_is_shown_as_table_and_picture() {
    let (folder, archive, out, report) = with_dataset();
    let other = folder.path().join("other");
    let shown = line("refine {} --out {}", &[&archive, &other])
        .with_code(0)
        .stdout;
    assert!(!shown.contains('\u{1b}'));
    let count = |stage: &str| {
        let line = shown.lines().find(|line| line.trim_start().starts_with(stage));
        line.unwrap_or_else(|| panic!("no `{stage}` in\n{shown}"))
            .to_owned()
    };
    assert!(
        count("records").contains(&report["data"]["records"].to_string()),
        "{shown}"
    );
    assert!(
        count("kept").contains(&report["data"]["kept"].to_string()),
        "{shown}"
    );
    let svg = fs_err::read_to_string(out.join("funnel.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    for stage in ["records", "kept"] {
        assert!(svg.contains(stage), "{svg}");
    }
}
