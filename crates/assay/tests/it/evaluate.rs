//! `assay evaluate` from files to verdict: every kind of input, bad input, packs and indexes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{folder, line};

/// Documents of a made-up language of thirty words: prose by a seed, enough of it for `ngram-small`.
pub(crate) fn prose(seed: u64, documents: usize) -> Vec<(String, String)> {
    const WORDS: [&str; 30] = [
        "the", "river", "rose", "in", "spring", "so", "an", "old", "mill", "near", "our", "bridge", "had",
        "to", "close", "for", "three", "weeks", "and", "children", "swam", "where", "carts", "used", "wait",
        "flour", "was", "cheap", "that", "year",
    ];
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    (0..documents)
        .map(|number| {
            let mut text = String::new();
            for sentence in 0..12 {
                let _ = write!(
                    text,
                    "{} {number}{sentence} ",
                    if sentence % 2 == 0 { "In" } else { "Near" }
                );
                for _ in 0..14 {
                    text.push_str(WORDS[draw(30)]);
                    text.push(' ');
                }
                text.push_str("today. ");
            }
            (format!("s{seed}-{number}#0"), text)
        })
        .collect()
}

pub(crate) fn jsonl(documents: &[(String, String)]) -> Vec<u8> {
    let lines: Vec<String> = documents
        .iter()
        .map(|(id, text)| json!({"id": id, "text": text}).to_string() + "\n")
        .collect();
    lines.concat().into_bytes()
}

/// The documents with the words of each in order, which makes them bad text.
pub(crate) fn sorted(documents: &[(String, String)]) -> Vec<(String, String)> {
    let sorted = |(id, text): &(String, String)| {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.sort_unstable();
        (id.clone(), words.join(" "))
    };
    documents.iter().map(sorted).collect()
}

pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `data` of a call with `--json`.
#[track_caller]
fn data(words: &str, paths: &[&Path], code: i32) -> Value {
    let document = line(&format!("{words} --json"), paths).with_code(code).json();
    assert_eq!(document["schema"], "assay.evaluate/1");
    document["data"].clone()
}

#[test]
fn a_dataset_against_itself_and_against_a_worse_one() {
    let folder = folder();
    let good = write(folder.path(), "good.jsonl.gz", &gzip(&jsonl(&prose(1, 1_400))));
    let eval = write(folder.path(), "eval.jsonl", &jsonl(&prose(2, 90)));
    // The same documents with their words in reverse order.
    let reversed = |(id, text): (String, String)| (id, text.split(' ').rev().collect::<Vec<_>>().join(" "));
    let bad: Vec<_> = prose(1, 1_400).into_iter().map(reversed).collect();
    let bad = write(folder.path(), "bad.jsonl", &jsonl(&bad));

    let same = data("evaluate {} --against {} --eval {}", &[&good, &good, &eval], 0);
    assert_eq!(same["profile"], "ngram-small");
    assert_eq!(same["verdict"]["better"], Value::Null, "{same}");
    assert_eq!(same["verdict"]["difference"]["bpb"], 0.0);
    assert_eq!(same["datasets"][0]["stage2"], Value::Null);
    assert_eq!(same["datasets"][0]["fineness"], Value::Null);
    assert!(
        same["datasets"][0]["why"]
            .as_str()
            .unwrap()
            .contains("no ore was given"),
        "{same}"
    );
    assert!(
        same["datasets"][0]["flags"]
            .as_array()
            .unwrap()
            .contains(&json!("small/ngram-small"))
    );

    let found = data("evaluate {} --against {} --eval {}", &[&good, &bad, &eval], 0);
    assert_eq!(found["verdict"]["better"], "good.jsonl.gz", "{found}");
    assert!(found["verdict"]["probability"].as_f64().unwrap() > 0.9);
    assert!(found["datasets"][0]["stage1"]["bpb"].as_f64() < found["datasets"][1]["stage1"]["low"].as_f64());
    let again = data("evaluate {} --against {} --eval {}", &[&good, &bad, &eval], 0);
    assert_eq!(again, found, "the same call gives the same numbers");
}

#[test]
fn spam_and_leaks_are_never_better() {
    let folder = folder();
    let good = write(folder.path(), "good.jsonl", &jsonl(&prose(1, 1_400)));
    let eval = prose(2, 90);
    // The evaluation text itself, many times over: the fewest bits, and two gates failed.
    let leak: Vec<_> = (0..1_400)
        .map(|n| (format!("l{n}#0"), eval[n % 90].1.clone()))
        .collect();
    let leak = write(folder.path(), "leak.jsonl", &jsonl(&leak));
    let eval = write(folder.path(), "eval.jsonl", &jsonl(&eval));
    let found = data("evaluate {} --against {} --eval {}", &[&leak, &good, &eval], 4);
    let gates = &found["datasets"][0]["gates"];
    assert_eq!(gates["held_out"]["passed"], false, "{gates}");
    assert_eq!(gates["exact_duplicates"]["passed"], false);
    assert_eq!(
        gates["size"]["passed"], false,
        "leaked documents are not trained on"
    );
    assert_eq!(found["verdict"]["better"], "good.jsonl");

    let spam: Vec<_> = (0..1_400)
        .map(|n| {
            (
                format!("p{n}#0"),
                format!("buy cheap watches {} ", n % 7).repeat(60),
            )
        })
        .collect();
    let spam = write(folder.path(), "spam.jsonl", &jsonl(&spam));
    let found = data("evaluate {} --against {} --eval {}", &[&spam, &good, &eval], 4);
    assert_eq!(found["datasets"][0]["gates"]["repetition"]["passed"], false);
    assert_eq!(found["verdict"]["better"], "good.jsonl");
    assert_eq!(found["verdict"]["probability"], Value::Null, "a gate decided");
    let table = line("evaluate {} --against {} --eval {}", &[&spam, &good, &eval])
        .with_code(4)
        .stdout;
    assert!(
        table.contains("verdict: `good.jsonl` is better (`spam.jsonl` fails a gate)"),
        "{table}"
    );
    assert!(
        table.contains("spam.jsonl: gate `repetition`: 1400 of 1400 documents"),
        "{table}"
    );
}

#[test]
fn text_files_parquet_and_datasets_are_read() {
    let folder = folder();
    let texts: Vec<(String, String)> = prose(3, 40);
    for (number, (_, text)) in texts.iter().enumerate() {
        write(folder.path(), &format!("texts/{number}.txt"), text.as_bytes());
    }
    let column = |values: Vec<&str>| {
        std::sync::Arc::new(arrow_array::StringArray::from(values)) as arrow_array::ArrayRef
    };
    let batch = arrow_array::RecordBatch::try_from_iter([
        ("id", column(texts.iter().map(|(id, _)| id.as_str()).collect())),
        (
            "text",
            column(texts.iter().map(|(_, text)| text.as_str()).collect()),
        ),
    ])
    .unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let parquet = write(folder.path(), "t.parquet", &bytes);
    let lines = write(folder.path(), "t.jsonl", &jsonl(&texts));
    let found = data(
        "evaluate {} {} {}",
        &[&folder.path().join("texts"), &parquet, &lines],
        4,
    );
    let datasets = found["datasets"].as_array().unwrap();
    for dataset in datasets {
        assert_eq!(
            (&dataset["documents"], &dataset["tokens"]),
            (&json!(40), &datasets[0]["tokens"])
        );
        assert_eq!(dataset["stage1"], Value::Null);
        assert_eq!(dataset["gates"]["size"]["passed"], false);
    }
}

/// Name, bytes, exit status, a part of the message and of the cure.
type Broken = (&'static str, Vec<u8>, i32, &'static str, &'static str);

fn broken_inputs() -> [Broken; 7] {
    let texts = "JSON Lines need a string `text`";
    let table = "give a whole Parquet file with a string column `text`";
    [
        (
            "empty.jsonl",
            Vec::new(),
            2,
            "holds no document with text (0 lines",
            texts,
        ),
        (
            "no-text.jsonl",
            b"{\"body\":\"x\"}\n{\"body\":\"y\"}\n".to_vec(),
            2,
            "(2 lines without a text)",
            texts,
        ),
        (
            "latin1.jsonl",
            b"{\"text\":\"caf\xe9\"}\n".to_vec(),
            2,
            "(1 lines without a text)",
            texts,
        ),
        (
            "latin1.txt",
            b"caf\xe9".to_vec(),
            2,
            "is no UTF-8 text: byte 3",
            "convert it to UTF-8",
        ),
        (
            "broken.parquet",
            b"PAR1 and nothing more".to_vec(),
            1,
            "parquet table `texts`",
            table,
        ),
        (
            "not.parquet",
            b"hello".to_vec(),
            1,
            "parquet table `texts`",
            table,
        ),
        (
            "broken.jsonl.gz",
            b"\x1f\x8b\x08\x00garbage".to_vec(),
            1,
            "broken.jsonl.gz",
            // What the decompressor says names the file; there is no other cure than a whole one.
            "",
        ),
    ]
}

#[test]
fn bad_input_is_named_with_its_cure() {
    let folder = folder();
    let path = folder.path();
    let eval = write(path, "eval.jsonl", &jsonl(&prose(2, 90)));
    for (name, bytes, code, message, cure) in broken_inputs() {
        let input = write(path, name, &bytes);
        let answer = line("evaluate {} --eval {}", &[&input, &eval]).with_code(code);
        assert!(answer.stderr.contains(message), "{name}: {}", answer.stderr);
        let help = answer.stderr.split("help: ").nth(1).unwrap_or_default();
        assert!(help.contains(cure), "{name}: {}", answer.stderr);
        assert_eq!(answer.stdout, "", "{name}");
    }
}

#[test]
fn evaluation_text_and_seeds_that_cannot_be_used_are_named() {
    let folder = folder();
    let path = folder.path();
    let eval = write(path, "eval.jsonl", &jsonl(&prose(2, 90)));
    let one = write(path, "one.jsonl", &jsonl(&prose(1, 1)));
    let answer = line("evaluate {} --eval {}", &[&eval, &one]).with_code(2);
    assert!(
        answer
            .stderr
            .contains("evaluation domain `one` has text of `1` works"),
        "{}",
        answer.stderr
    );
    let answer = line("evaluate {} --seeds 6", &[&one]).with_code(2);
    assert!(
        answer.stderr.contains("add `--budget standard`"),
        "{}",
        answer.stderr
    );
    let answer = line("evaluate {} --budget standard --seeds 5", &[&one]).with_code(2);
    assert!(
        answer.stderr.contains("[possible values: 4, 6, 8]"),
        "{}",
        answer.stderr
    );
}

#[test]
fn tables_without_text_addresses_and_empty_folders_are_named() {
    let folder = folder();
    let column = std::sync::Arc::new(arrow_array::StringArray::from(vec!["a", "b"])) as arrow_array::ArrayRef;
    let batch = arrow_array::RecordBatch::try_from_iter([("body", column)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let table = write(folder.path(), "t.parquet", &bytes);
    let answer = line("evaluate {}", &[&table]);
    assert!(
        answer.code != 0 && answer.stderr.contains("`text`") && answer.stdout.is_empty(),
        "{answer:?}"
    );
    let answer = line("evaluate ftp://some/data/x", &[]).with_code(2);
    assert!(
        answer.stderr.contains("its scheme is not known"),
        "{}",
        answer.stderr
    );
    let answer = line("evaluate hf://some", &[]).with_code(2);
    assert!(answer.stderr.contains("namespace/name"), "{}", answer.stderr);
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let answer = line("evaluate {}", &[&empty]).with_code(2);
    assert!(
        answer.stderr.contains("holds no document with text"),
        "{answer:?}"
    );
}

/// Text that was public before the dataset was made may be in it: the gain that fresh text does not show gives it away.
#[test]
fn a_leak_of_public_text_is_flagged_and_never_better() {
    const DOCUMENTS: usize = 4_400;
    let folder = folder();
    let public = prose(40, 200);
    let fresh = write(folder.path(), "fresh/mills.jsonl", &jsonl(&prose(2, 120)));
    let before = write(folder.path(), "public/mills.jsonl", &jsonl(&public));
    let clean = write(folder.path(), "clean.jsonl", &jsonl(&prose(1, DOCUMENTS)));
    let mut leaky = prose(3, DOCUMENTS - 200);
    leaky.extend(public);
    let leaky = write(folder.path(), "leaky.jsonl", &jsonl(&leaky));
    let words = "evaluate {} --against {} --eval {} --public {}";
    let found = data(words, &[&leaky, &clean, &fresh, &before], 4);
    assert_eq!(found["profile"], "ngram-v1", "{found}");
    let datasets = &found["datasets"];
    assert_eq!(datasets[0]["gates"]["leak"]["passed"], false, "{found}");
    let leak = &datasets[0]["leak"];
    assert!(
        leak["gap"].as_f64() > Some(0.03) && leak["fresh"].as_f64() < Some(0.01),
        "{leak}"
    );
    assert_eq!(
        (&leak["anchor"], &leak["is_leak"]),
        (&json!("clean.jsonl"), &json!(true))
    );
    assert_eq!(datasets[1]["gates"]["leak"]["passed"], true);
    assert_eq!(found["verdict"]["better"], "clean.jsonl");
    let other = write(folder.path(), "other.jsonl", &jsonl(&prose(5, 20)));
    let answer = line("evaluate {} --eval {} --public {}", &[&clean, &fresh, &other]).with_code(2);
    assert!(
        answer
            .stderr
            .contains("public text has domains `other`, the evaluation text `mills`"),
        "{}",
        answer.stderr
    );
}

/// What stage 2 needs, from training to report.
#[test]
fn smoke_models_are_reported_and_decide_nothing() {
    let folder = folder();
    let good = prose(1, 400);
    let bad = sorted(&good);
    let good = write(folder.path(), "good.jsonl", &jsonl(&good));
    let bad = write(folder.path(), "bad.jsonl", &jsonl(&bad));
    let eval = write(folder.path(), "eval.jsonl", &jsonl(&prose(2, 90)));
    let page = folder.path().join("report.html");
    let words = "evaluate {} --against {} --eval {} --budget standard --profile smoke --html {}";
    let found = data(words, &[&good, &bad, &eval, &page], 4);
    assert_eq!(
        (&found["training"]["profile"], &found["training"]["seeds"]),
        (&json!("smoke"), &json!(4)),
        "{found}"
    );
    let flags = found["datasets"][0]["flags"].as_array().unwrap();
    assert!(flags.contains(&json!("profile/smoke")), "{flags:?}");
    assert_eq!(found["verdict"]["trained_difference"], Value::Null);
    let instructions = found["training"]["instructions"].as_str().unwrap();
    assert!(
        ["avx512", "avx2", "simd", "plain"].contains(&instructions),
        "{instructions}"
    );
    let bits = &found["datasets"][0]["stage2"];
    assert!(bits["low"].as_f64() < bits["bpb"].as_f64() && bits["bpb"].as_f64() < bits["high"].as_f64());
    let page = std::fs::read_to_string(page).unwrap();
    for part in [
        "Training loss",
        "<polyline",
        "<rect",
        "Contamination",
        "good.jsonl",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

/// A real training of two datasets, resumed: minutes of processor time.
#[test]
#[ignore = "trains 8 models: .ci/long runs it"]
fn trained_models_prefer_prose_to_shuffled_prose() {
    let folder = folder();
    let good = prose(1, 1_600);
    let shuffled = |(id, text): &(String, String)| {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.sort_unstable();
        (id.clone(), words.join(" "))
    };
    let bad: Vec<_> = good.iter().map(shuffled).collect();
    let good = write(folder.path(), "good.jsonl", &jsonl(&good));
    let bad = write(folder.path(), "bad.jsonl", &jsonl(&bad));
    let eval = write(folder.path(), "eval.jsonl", &jsonl(&prose(2, 90)));
    let keep = folder.path().join("models");
    let words = "evaluate {} --against {} --eval {} --budget standard --resume {}";
    let found = data(words, &[&good, &bad, &eval, &keep], 0);
    assert_eq!(found["training"]["seeds"], 4, "{found}");
    assert_eq!(found["verdict"]["better"], "good.jsonl");
    assert!(found["verdict"]["trained_difference"]["high"].as_f64().unwrap() < 0.0);
    let again = data(words, &[&good, &bad, &eval, &keep], 0);
    assert_eq!(again, found, "kept models give the same numbers");
}

#[test]
fn a_pack_gives_fineness_and_an_index_finds_benchmarks() {
    let folder = folder();
    let path = folder.path();
    let one = write(path, "one.jsonl", &jsonl(&prose(20, 1_000)));
    let two = write(path, "two.jsonl", &jsonl(&prose(21, 1_000)));
    let pack = path.join("eval.pack");
    let made = line("evaluate pack {} {} --out {} --json", &[&one, &two, &pack])
        .with_code(0)
        .json();
    assert_eq!(made["data"]["domains"], json!(["one", "two"]));
    let items = json!({"query": "In what year was the flour cheap near our bridge", "choices": ["this", "that year"], "gold": 1});
    let items = write(path, "bench.jsonl", format!("{items}\n").as_bytes());
    let index = path.join("bench.index");
    let made = line("evaluate index {} --out {} --json", &[&items, &index])
        .with_code(0)
        .json();
    assert_eq!(
        (&made["data"]["texts"], &made["data"]["grams"]),
        (&json!(1), &json!(1))
    );
    let mut mine = prose(1, 400);
    mine[7].1 += "In what year was the flour cheap near our bridge? That year!";
    let mine = write(path, "mine.jsonl", &jsonl(&mine));
    let found = data("evaluate {} --pack {} --index {}", &[&mine, &pack, &index], 4);
    let gate = &found["datasets"][0]["gates"]["contamination"];
    assert_eq!(
        (&gate["passed"], &gate["value_ppm"]),
        (&json!(false), &json!(2_500))
    );
    std::fs::write(&index, b"something else").unwrap();
    let answer = line("evaluate {} --index {}", &[&mine, &index]).with_code(2);
    assert!(answer.stderr.contains("no 13-gram index"), "{}", answer.stderr);
    std::fs::write(&pack, b"{}").unwrap();
    let answer = line("evaluate {} --pack {}", &[&mine, &pack]).with_code(2);
    assert!(answer.stderr.contains("no evaluation pack"), "{}", answer.stderr);
}
