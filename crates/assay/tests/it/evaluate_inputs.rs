//! Inputs of `assay evaluate`: where a text lies decides nothing, domains stay apart, only texts are read, archives are ore.

use std::path::Path;

use serde_json::{Value, json};

use crate::evaluate::{gzip, jsonl, prose, write};
use crate::pages;
use crate::support::{folder, line};

#[track_caller]
fn data(words: &str, paths: &[&Path], code: i32) -> Value {
    let document = line(&format!("{words} --json"), paths).with_code(code).json();
    document["data"].clone()
}

/// Documents without ids; an address of its own for each, if they are asked for.
fn anonymous(documents: &[(String, String)], has_url: bool) -> Vec<u8> {
    let line = |(number, (_, text)): (usize, &(String, String))| {
        let mut document = json!({"text": text});
        if has_url {
            document["url"] = json!(format!("https://site{number}.com/"));
        }
        document.to_string() + "\n"
    };
    documents
        .iter()
        .enumerate()
        .map(line)
        .collect::<String>()
        .into_bytes()
}

/// Found by review: the path was part of the ids that choose fold, window and order.
#[test]
fn numbers_do_not_depend_on_where_texts_lie() {
    let folder = folder();
    let path = folder.path();
    let mut mine = prose(1, 1_400);
    // The same document twice is two documents.
    mine.push(mine[3].clone());
    let (mine, eval) = (anonymous(&mine, false), anonymous(&prose(2, 90), true));
    let other = anonymous(&prose(3, 1_400), false);
    for place in ["a", "deep/er"] {
        write(path, &format!("{place}/mine.jsonl"), &mine);
        write(path, &format!("{place}/other/part.jsonl"), &other);
        write(path, &format!("{place}/mills.jsonl"), &eval);
    }
    let of = |place: &str, spelled: &str| {
        let at = |name: &str| path.join(place).join(spelled).join(name);
        data(
            "evaluate {} --against {} --eval {}",
            &[&at("mine.jsonl"), &at("other"), &at("mills.jsonl")],
            0,
        )
    };
    let found = of("a", "");
    assert_eq!(found["datasets"][0]["documents"], 1_401);
    assert_eq!(of("deep/er", ""), found, "another folder");
    assert_eq!(of("a", "../deep/er"), found, "another way to spell it");
    let copy = write(path, "copy.jsonl", &mine);
    let same = data(
        "evaluate {} --against {} --eval {}",
        &[&path.join("a/mine.jsonl"), &copy, &path.join("a/mills.jsonl")],
        0,
    );
    let difference = &same["verdict"]["difference"];
    assert_eq!(
        [&difference["bpb"], &difference["low"], &difference["high"]],
        [&json!(0.0), &json!(0.0), &json!(0.0)],
        "{same}"
    );
    assert_eq!(same["verdict"]["outcome"], "no_difference");

    let pack = |place: &str| {
        let out = path.join(place).join("eval.pack");
        let words = "evaluate pack {} --out {} --json";
        line(words, &[&path.join(place).join("mills.jsonl"), &out])
            .with_code(0)
            .json()["data"]
            .clone()
    };
    assert_eq!(pack("a"), pack("deep/er"), "digest and split of a pack");
}

#[test]
fn domains_of_one_name_are_refused_and_others_stay_apart() {
    let folder = folder();
    let path = folder.path();
    let texts = |seed| jsonl(&prose(seed, 60));
    let english = write(path, "wiki.en.jsonl", &texts(20));
    let german = write(path, "wiki.de.jsonl", &texts(21));
    let out = path.join("eval.pack");
    let made = line("evaluate pack {} {} --out {} --json", &[&english, &german, &out]).with_code(0);
    assert_eq!(made.json()["data"]["domains"], json!(["wiki.de", "wiki.en"]));
    let (one, two) = (
        write(path, "a/x.jsonl", &texts(22)),
        write(path, "b/x.jsonl", &texts(23)),
    );
    let below = path.join("a");
    let [one, two] = [one, two].map(|file| below.join("..").join(file.strip_prefix(path).unwrap()));
    let answer = line("evaluate pack {} {} --out {}", &[&one, &two, &out]).with_code(2);
    assert!(
        answer.stderr.contains("are both domain `x`") && answer.stderr.contains("help: rename one"),
        "{}",
        answer.stderr
    );
    let mine = write(path, "mine.jsonl", &texts(1));
    let answer = line("evaluate {} --eval {} {}", &[&mine, &one, &two]).with_code(2);
    assert!(answer.stderr.contains("are both domain `x`"), "{}", answer.stderr);
}

#[test]
fn of_a_folder_only_texts_are_read() {
    let folder = folder();
    let texts = prose(3, 40);
    let path = folder.path().join("data");
    write(&path, "part.jsonl.gz", &gzip(&jsonl(&texts[..25])));
    write(&path, "more/part.ndjson", &jsonl(&texts[25..]));
    let alone = data("evaluate {}", &[&path], 4);
    assert_eq!(alone["datasets"][0]["documents"], 40);
    for (name, bytes) in [
        ("README.md", b"# About this data".as_slice()),
        ("load.py", b"raise SystemExit"),
        ("dataset_infos.json", b"{\"text\":\"features\"}"),
        (".cache/x.jsonl", b"{\"text\":\"hidden\"}"),
        ("notes.docx", b"\xff\xfe"),
    ] {
        write(&path, name, bytes);
    }
    assert_eq!(
        data("evaluate {}", &[&path], 4),
        alone,
        "what lies beside texts is no text"
    );
    let scripts = folder.path().join("scripts");
    write(&scripts, "load.py", b"raise SystemExit");
    let answer = line("evaluate {}", &[&scripts]).with_code(2);
    assert!(
        answer.stderr.contains("holds no document with text")
            && answer.stderr.contains("end in .parquet, .jsonl"),
        "{}",
        answer.stderr
    );
}

#[test]
fn languages_are_known_and_nothing_is_trained_without_evaluation_text() {
    let folder = folder();
    let mine = write(folder.path(), "mine.jsonl", &jsonl(&prose(1, 400)));
    let answer = line("evaluate {} --language english", &[&mine]).with_code(2);
    assert!(
        answer.stderr.contains("`english` is no language")
            && answer.stderr.contains("help: give an ISO 639-1 code"),
        "{}",
        answer.stderr
    );
    let found = data("evaluate {} --budget standard", &[&mine], 4);
    let dataset = &found["datasets"][0];
    let flags = dataset["flags"].as_array().unwrap();
    assert!(!flags.contains(&json!("small/cpu-v1")), "{flags:?}");
    assert!(
        dataset["why"].as_str().unwrap().contains("no evaluation text"),
        "{dataset}"
    );
    let german = data("evaluate {} --language de", &[&mine], 4);
    assert_eq!(german["datasets"][0]["gates"]["language"]["passed"], false);
}

#[test]
fn too_little_text_is_not_trained_on() {
    let folder = folder();
    let few = write(folder.path(), "few.jsonl", &jsonl(&prose(1, 40)));
    let eval = write(folder.path(), "eval.jsonl", &jsonl(&prose(2, 90)));
    for budget in ["standard", "full"] {
        let found = data(
            &format!("evaluate {{}} --eval {{}} --budget {budget}"),
            &[&few, &eval],
            4,
        );
        assert_eq!(
            (&found["training"], &found["datasets"][0]["stage2"]),
            (&Value::Null, &Value::Null)
        );
        let flags = found["datasets"][0]["flags"].as_array().unwrap();
        assert!(flags.contains(&json!("small/cpu-v1")), "{found}");
    }
}

#[test]
fn archives_are_ore_and_show_where_a_dataset_comes_from() {
    let folder = folder();
    let path = folder.path();
    let archive = pages::archive(path, "crawl.warc.gz", 0, 12);
    let made = path.join("made");
    line("refine {} --out {} --format jsonl -q", &[&archive, &made]).with_code(0);
    let eval = write(path, "reports.jsonl", &jsonl(&prose(2, 200)));
    let pack = path.join("eval.pack");
    let header = line("evaluate pack {} --out {} --json", &[&eval, &pack])
        .with_code(0)
        .json();
    let words = "evaluate {} --ore {} --warc {} --pack {}";
    let found = data(words, &[&made, &archive, &archive, &pack], 4);
    let dataset = &found["datasets"][0];
    let why = dataset["why"].as_str().unwrap();
    assert!(
        !why.contains("no ore"),
        "the archive's text is ore, if too little: {why}"
    );
    assert_eq!(dataset["gates"]["provenance"]["passed"], true, "{dataset}");
    assert_eq!(
        (&found["pack"], &found["index"]),
        (&header["data"]["digest"], &Value::Null)
    );
    let bytes = fs_err::metadata(&archive).unwrap().len();
    let tokens = dataset["tokens"].as_u64().unwrap();
    assert_eq!(
        dataset["tokens_per_gb"].as_u64(),
        Some(tokens * 1_000_000_000 / bytes),
        "{dataset}"
    );
    let alone = data("evaluate {}", &[&made], 4);
    assert_eq!(alone["datasets"][0]["gates"]["provenance"]["passed"], Value::Null);

    // Archives of another dataset decide nothing.
    let foreign = pages::archive(path, "foreign.warc.gz", 50, 12);
    let found = data("evaluate {} --warc {}", &[&made, &foreign], 4);
    let gate = &found["datasets"][0]["gates"]["provenance"];
    assert_eq!(gate["passed"], Value::Null, "{gate}");
    assert!(
        gate["why"].as_str().unwrap().starts_with("not checked: "),
        "{gate}"
    );

    // The archive of that name holds other pages: the rows are not what it gives.
    let other = pages::archive(&path.join("other"), "crawl.warc.gz", 50, 12);
    fs_err::copy(other, &archive).unwrap();
    let found = data("evaluate {} --warc {}", &[&made, &archive], 4);
    let gate = &found["datasets"][0]["gates"]["provenance"];
    assert_eq!(gate["passed"], false, "{gate}");
    assert!(gate["why"].as_str().unwrap().contains("differences in"), "{gate}");

    let none = write(path, "none.warc.gz", b"no archive");
    let answer = line("evaluate {} --ore {} --pack {}", &[&made, &none, &pack]);
    assert!(
        answer.code != 0 && answer.stderr.contains("none.warc.gz"),
        "{answer:?}"
    );
}

/// A huge document and half-broken lines are measured or gated, never silently trusted.
#[test]
fn a_giant_document_and_broken_lines_are_gated() {
    let folder = folder();
    let giant = prose(5, 800)
        .into_iter()
        .map(|(_, text)| text)
        .collect::<String>();
    let giant = write(folder.path(), "giant.txt", giant.as_bytes());
    let found = data("evaluate {}", &[&giant], 4);
    assert_eq!(
        found["datasets"][0]["gates"]["size"]["passed"], false,
        "one window of 512 tokens"
    );
    let mut lines = jsonl(&prose(1, 40));
    lines.extend_from_slice(b"{\"text\":\"caf\xe9\"}\n{\"other\":1}\n");
    let broken = write(folder.path(), "broken.jsonl", &lines);
    let found = data("evaluate {}", &[&broken], 4);
    assert_eq!(found["datasets"][0]["gates"]["readable"]["passed"], false);
    assert_eq!(
        found["datasets"][0]["gates"]["readable"]["why"],
        "2 of 42 lines hold no text, at most 10000 in a million pass"
    );
}

/// The pulse of round 1000 of drand quicknet, which everybody knows.
const PULSE_1000: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";

#[test]
fn a_sealed_pack_is_closed_until_its_pulse() {
    let folder = folder();
    let path = folder.path();
    let eval = write(path, "reports.jsonl", &jsonl(&prose(2, 200)));
    let (plain, sealed, open) = (path.join("plain"), path.join("sealed"), path.join("open"));
    let header = |words: &str, paths: &[&Path]| line(words, paths).with_code(0).json()["data"].clone();
    let made = header("evaluate pack {} --out {} --json", &[&eval, &plain]);
    let closed = header("evaluate pack {} --out {} --seal 1000 --json", &[&eval, &sealed]);
    assert_eq!(
        (&closed["digest"], &closed["sealed_to"]),
        (&made["digest"], &json!(1_000))
    );
    let mine = write(path, "mine.jsonl", &jsonl(&prose(1, 40)));
    let answer = line("evaluate {} --pack {}", &[&mine, &sealed]).with_code(2);
    assert!(
        answer.stderr.contains("sealed until round 1000") && answer.stderr.contains("help: after that round"),
        "{}",
        answer.stderr
    );
    let words = format!("evaluate open {{}} --pulse {PULSE_1000} --out {{}} --json");
    let later = path.join("later");
    header("evaluate pack {} --out {} --seal 1001 --json", &[&eval, &later]);
    let answer = line(&words, &[&later, &open]).with_code(2);
    assert!(
        answer.stderr.contains("round 1001") || answer.stdout.contains("round 1001"),
        "{answer:?}"
    );
    assert!(!open.exists());
    assert_eq!(header(&words, &[&sealed, &open]), made);
    assert_eq!(fs_err::read(&open).unwrap(), fs_err::read(&plain).unwrap());
}
