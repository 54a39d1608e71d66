//! `assay evaluate --benchmark`: what trained models answer is reported, told of contamination, kept, and decides nothing.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::evaluate::{jsonl, prose, write};
use crate::support::{folder, line};

/// Words that the prose never has.
const FOREIGN: &str = "ZQXJ VKWZ QQXX JJZZ";

/// A choice whose right answer is made of the prose's words, the wrong one of others.
fn choice(number: usize) -> Value {
    json!({
        "query": format!("In {number} the river rose in spring so an old mill near"),
        "choices": ["our bridge had to close today", FOREIGN],
        "gold": 0,
    })
}

fn lines(items: &[Value]) -> Vec<u8> {
    items
        .iter()
        .map(|item| item.to_string() + "\n")
        .collect::<String>()
        .into_bytes()
}

fn evaluate(paths: &[&Path; 5], code: i32) -> Value {
    let words =
        "evaluate {} --eval {} --benchmark {} --budget standard --profile smoke --resume {} --html {} --json";
    let document = line(words, paths).with_code(code).json();
    document["data"]["datasets"][0].clone()
}

/// A dataset, evaluation text and a folder of two sets.
fn inputs(path: &Path) -> [PathBuf; 5] {
    let mut mine = prose(1, 700);
    // One document holds an item of the cloze set with its answer.
    mine[7].1 += "So 5 children swam where carts used to wait, and the flour was cheap that year.";
    let mine = write(path, "mine.jsonl", &jsonl(&mine));
    let eval = write(path, "eval.jsonl", &jsonl(&prose(2, 90)));
    let sets = path.join("sets");
    std::fs::create_dir(&sets).unwrap();
    let choices: Vec<Value> = (0..40).map(choice).collect();
    write(&sets, "choices.jsonl", &lines(&choices));
    let cloze = |number: usize| {
        json!({
            "context": format!("So {number} children swam where carts used to wait, and the flour was cheap that"),
            "continuation": "year.",
        })
    };
    let mut cloze: Vec<Value> = (0..8).map(cloze).collect();
    cloze.push(json!({"text": "no item"}));
    write(&sets, "cloze.jsonl", &lines(&cloze));
    [mine, eval, sets, path.join("models"), path.join("report.html")]
}

#[test]
fn answers_are_reported_with_their_intervals_and_what_the_dataset_has_seen() {
    let folder = folder();
    let inputs = inputs(folder.path());
    let paths = std::array::from_fn(|at| inputs[at].as_path());
    let found = evaluate(&paths, 0);
    let [choices, cloze] = found["benchmarks"].as_array().unwrap().as_slice() else {
        panic!("{found}")
    };
    assert_eq!(
        (
            &choices["name"],
            &choices["items"],
            &choices["given"],
            &choices["chance"]
        ),
        (&json!("choices"), &json!(40), &json!(40), &json!(0.5))
    );
    // The simplest model knows which words the prose has.
    assert_eq!(choices["accuracy"]["value"], 1.0, "{choices}");
    assert!(choices["margin"]["low"].as_f64().unwrap() > 0.5, "{choices}");
    let bits = &choices["bpb"];
    assert!(bits["low"].as_f64() < bits["value"].as_f64() && bits["value"].as_f64() < bits["high"].as_f64());
    assert_eq!((&choices["hits"], &cloze["hits"]), (&json!(0), &json!(1)));
    assert!(cloze["bpb"]["value"].as_f64().unwrap() > 0.0);
    assert_eq!(
        (&cloze["accuracy"], &cloze["chance"]),
        (&Value::Null, &Value::Null)
    );
    // Hits are told and decide nothing.
    assert_eq!(found["gates"]["contamination"]["passed"], Value::Null);
    let page = std::fs::read_to_string(paths[4]).unwrap();
    assert!(page.contains("<h2>Benchmarks</h2>") && page.contains("<td>40 of 40</td>"));
    // Other questions are answered by models trained again, beside those that are kept.
    let models = || std::fs::read_dir(paths[3]).unwrap().count();
    assert_eq!(models(), 4);
    write(paths[2], "cloze.jsonl", &lines(&[choice(77)]));
    let other = evaluate(&paths, 0);
    assert_eq!((models(), &other["stage2"]), (8, &found["stage2"]));
    assert_eq!(other["benchmarks"][0], *choices);
}

#[test]
fn two_datasets_are_compared_item_by_item() {
    let folder = folder();
    let inputs = inputs(folder.path());
    let [mine, eval, sets, ..] = &inputs;
    // A dataset of the words that are wrong in the other.
    let foreign: Vec<(String, String)> = prose(3, 700)
        .into_iter()
        .map(|(id, text)| (id, text + &format!("{FOREIGN} ").repeat(30)))
        .collect();
    let foreign = write(folder.path(), "foreign.jsonl", &jsonl(&foreign));
    let words = "evaluate {} --against {} --eval {} --benchmark {} --budget standard --profile smoke --json";
    let found = line(words, &[mine, &foreign, eval, sets]).with_code(0).json();
    let difference = &found["data"]["benchmarks"][0];
    assert_eq!(difference["name"], "choices");
    assert!(
        difference["margin"]["low"].as_f64().unwrap() > 0.0,
        "{difference}"
    );
    assert_eq!(found["data"]["benchmarks"][1]["accuracy"], Value::Null);
}

#[test]
fn the_table_names_sets_and_lines_that_are_no_items() {
    let folder = folder();
    let inputs = inputs(folder.path());
    let paths: Vec<&Path> = inputs.iter().take(3).map(PathBuf::as_path).collect();
    let words = "evaluate {} --eval {} --benchmark {} --budget standard --profile smoke";
    let answer = line(words, &paths).with_code(0);
    let row = |name: &str| {
        let found = answer.stdout.lines().find(|line| line.starts_with(name));
        found
            .unwrap_or_else(|| panic!("{name}: {}", answer.stdout))
            .to_owned()
    };
    assert!(row("benchmark ").contains("right"));
    assert!(row("choices ").contains("mine.jsonl") && row("choices ").contains("100.0 [89."));
    assert!(row("cloze ").ends_with(" 1"), "{}", row("cloze "));
    assert!(
        answer.stderr.contains("1 lines of `") && answer.stderr.contains("line 9: an item has"),
        "{}",
        answer.stderr
    );
}

#[test]
fn benchmarks_that_cannot_be_answered_are_named_with_their_cure() {
    let folder = folder();
    let inputs = inputs(folder.path());
    let [mine, eval, sets, ..] = &inputs;
    let answer = line("evaluate {} --eval {} --benchmark {}", &[mine, eval, sets]).with_code(2);
    assert!(
        answer.stderr.contains("add `--budget standard`"),
        "{}",
        answer.stderr
    );
    let wrong = write(
        folder.path(),
        "wrong.jsonl",
        b"{\"query\": \"q\", \"choices\": [\"a\", \"b\"], \"gold\": 2}\n",
    );
    let words = "evaluate {} --eval {} --benchmark {} --budget standard --profile smoke";
    let answer = line(words, &[mine, eval, &wrong]).with_code(2);
    for part in [
        "holds no benchmark item: line 1: the right answer is number `2`",
        "under `Benchmarks`",
    ] {
        assert!(answer.stderr.contains(part), "{}", answer.stderr);
    }
    let answer = line(
        "evaluate {} --eval {} --budget standard --profile smoke --benchmark {} {}",
        &[mine, eval, sets, &sets.join("cloze.jsonl")],
    )
    .with_code(2);
    assert!(
        answer.stderr.contains("two benchmarks are named `cloze`"),
        "{}",
        answer.stderr
    );
}
