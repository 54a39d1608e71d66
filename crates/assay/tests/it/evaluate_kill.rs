//! `assay evaluate --resume`: killed again and again while models are trained, it gives the report of an undisturbed call.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::evaluate::{jsonl, prose, sorted, write};
use crate::support::{assay, folder};

/// Models of two datasets and four seeds.
const MODELS: usize = 8;

/// Finished models at which the call is killed.
const KILLED_AT: [usize; 3] = [1, 3, 6];

/// Longest wait for a model.
const PATIENCE: Duration = Duration::from_mins(3);

fn finished(keep: &Path) -> usize {
    let Ok(models) = fs_err::read_dir(keep) else {
        return 0;
    };
    let is_finished = |entry: &fs_err::DirEntry| entry.path().extension().is_some_and(|end| end == "json");
    models
        .filter(|entry| entry.as_ref().is_ok_and(is_finished))
        .count()
}

fn args(paths: &[PathBuf; 3], keep: &Path) -> Vec<String> {
    let [good, bad, eval] = paths.each_ref().map(|path| path.display().to_string());
    let words = ["evaluate", &good, "--against", &bad, "--eval", &eval, "--resume"];
    let rest = ["--budget", "standard", "--profile", "smoke", "--json"];
    let keep = keep.display().to_string();
    let all = words.into_iter().chain([keep.as_str()]).chain(rest);
    all.map(str::to_owned).collect()
}

fn report(args: &[String]) -> Value {
    crate::support::run(args).with_code(4).json()["data"].clone()
}

#[test]
fn a_killed_evaluation_goes_on_and_gives_the_same() {
    let folder = folder();
    let good = prose(1, 400);
    let bad = sorted(&good);
    let write = |name: &str, documents: &[(String, String)]| write(folder.path(), name, &jsonl(documents));
    let paths = [
        write("good.jsonl", &good),
        write("bad.jsonl", &bad),
        write("eval.jsonl", &prose(2, 90)),
    ];
    let [whole, killed] = ["whole", "killed"].map(|name| folder.path().join(name));
    let found = report(&args(&paths, &whole));
    assert_eq!(
        (found["training"]["seeds"].as_u64(), finished(&whole)),
        (Some(4), MODELS)
    );
    let mut kills = 0;
    for models in KILLED_AT {
        let mut child = assay(args(&paths, &killed))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while finished(&killed) < models && child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < PATIENCE, "no model was finished");
            std::thread::sleep(Duration::from_millis(2));
        }
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills >= 2, "{kills} kills while it ran");
    assert!(
        (1..=MODELS).contains(&finished(&killed)),
        "{} models",
        finished(&killed)
    );
    assert_eq!(
        report(&args(&paths, &killed)),
        found,
        "killed {kills} times and taken up"
    );
    let half_trained = fs_err::read_dir(&killed)
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|end| end == "safetensors")
        })
        .count();
    assert_eq!(half_trained, 0);
}
