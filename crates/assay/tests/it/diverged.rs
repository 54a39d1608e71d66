//! A training run whose loss stops being a number ends the evaluation with its own error, never with a figure.

use std::path::Path;

use assay_eval::transformer::TrainerState;
use assay_eval::transformer::checkpoint::{Snapshot, save_snapshot};
use assay_eval::transformer::profile::SMOKE;
use serde_json::Value;

use crate::evaluate::{jsonl, prose};
use crate::support::{folder, line};

/// Puts a half-trained model in the place of a finished one: weights so large that every product is infinite.
fn explode(kept: &Path) {
    let finished = fs_err::read_dir(kept)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "json"))
        .unwrap();
    let cell: Value = serde_json::from_slice(&fs_err::read(&finished).unwrap()).unwrap();
    let zeros = |key: &str| vec![0.0; cell[key].as_array().unwrap().len()];
    let parameters = SMOKE.shape.parameters();
    let snapshot = Snapshot {
        trainer: TrainerState {
            values: vec![3e38; parameters],
            first: vec![0.0; parameters],
            second: vec![0.0; parameters],
            steps: 1,
        },
        bits: zeros("bits"),
        curve: zeros("curve"),
    };
    let bytes = save_snapshot(&SMOKE.shape, &snapshot).unwrap();
    fs_err::write(finished.with_extension("safetensors"), bytes).unwrap();
    fs_err::remove_file(&finished).unwrap();
}

#[test]
fn an_evaluation_whose_training_diverges_gives_no_number() {
    let folder = folder();
    let write = |name: &str, seed, documents| {
        let path = folder.path().join(name);
        fs_err::write(&path, jsonl(&prose(seed, documents))).unwrap();
        path
    };
    let (one, two) = (write("one.jsonl", 1, 400), write("two.jsonl", 3, 400));
    let eval = write("eval.jsonl", 2, 90);
    let kept = folder.path().join("models");
    let words = "evaluate {} --against {} --eval {} --budget standard --profile smoke --resume {} --json";
    let paths: [&Path; 4] = [&one, &two, &eval, &kept];
    let whole = line(words, &paths).with_code(4).json();
    assert_eq!(whole["data"]["training"]["seeds"], 4, "{whole}");
    explode(&kept);
    let answer = line(words, &paths);
    assert!(![0, 4].contains(&answer.code), "{answer:?}");
    let problem = answer.json();
    assert_eq!(
        (&problem["ok"], &problem["code"]),
        (&false.into(), &"evaluate/not-trained".into())
    );
    assert!(problem["data"].is_null(), "no figure that looks fine: {problem}");
    let message = problem["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("training diverged: the loss of step `1` is not finite")
            && message.contains("model of seed `"),
        "{problem}"
    );
    assert!(
        problem["help"]
            .as_str()
            .is_some_and(|help| help.contains("--budget quick")),
        "{problem}"
    );
}
