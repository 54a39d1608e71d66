//! Kept models, kills, and what a person is told.

use super::super::kept::{CELL_VERSION, Kept};
use super::*;
use assay_eval::benchmark::{Benchmark, BenchmarkBuilder};
use assay_eval::held_out::{Domain, HeldOutDocument, HeldOutSet};
use assay_eval::ngram::Order;
use assay_eval::profile::{Profile, TRAINING};
use assay_eval::sample::Sample;
use assay_eval::stage2::CPU_PLAN;
use assay_eval::transformer::Shape;
use assay_eval::transformer::profile::{CPU_V1, TrainingProfile};
use assay_types::Digest;

static TINY: TrainingProfile = TrainingProfile {
    name: "tiny",
    shape: Shape {
        width: 16,
        layers: 1,
        heads: 2,
        hidden: 16,
        context: 16,
        batch: 4,
        ..CPU_V1.shape
    },
    tokens: 12_288,
    ..CPU_V1
};

fn held_out() -> HeldOutSet {
    let document = |number: usize| HeldOutDocument {
        id: number.to_string(),
        cluster: number.to_string(),
        text: format!("The mill near bridge {number} was closed in spring. ").repeat(4),
    };
    let domain = Domain {
        name: "mills".to_owned(),
        documents: (0..3).map(document).collect(),
    };
    HeldOutSet::choose(vec![domain], b"s", Order::V1).unwrap()
}

fn sample(shift: u16) -> Sample {
    let profile = Profile {
        budget_tokens_min: 1,
        ..TRAINING
    };
    let mut sample = Sample::new(profile, b"s");
    for document in 0..30_u16 {
        let tokens: Vec<u16> = (0..450).map(|at| 1 + (at * 7 + document * shift) % 300).collect();
        sample.push(&document.to_le_bytes(), &tokens);
    }
    sample
}

fn trained(keep: Option<&Path>, watch: Watch<'_>) -> Trained {
    noted(keep, watch).0
}

/// What was trained, and what a person was told.
fn noted(keep: Option<&Path>, watch: Watch<'_>) -> (Trained, Vec<String>) {
    answered(&[], keep, watch)
}

/// As [`noted`], of models that answer benchmarks.
fn answered(benchmarks: &[Benchmark], keep: Option<&Path>, watch: Watch<'_>) -> (Trained, Vec<String>) {
    let mut notes = Vec::new();
    let (held_out, samples) = (held_out(), [sample(3), sample(5)]);
    let stage2 = Stage2::new(&TINY, &held_out, samples.iter().collect(), TINY.tokens, b"seed")
        .with_benchmarks(benchmarks, 1);
    let training = Training {
        seeds: 4,
        keep,
        plan: CPU_PLAN,
        instructions: None,
        cuda: None,
    };
    let found = train(
        &stage2,
        &training,
        2,
        &mut |line| notes.push(line.to_owned()),
        watch,
    )
    .unwrap();
    (found, notes)
}

#[test]
fn kept_models_are_used_and_damaged_ones_trained_again() {
    let folder = tempfile::tempdir().unwrap();
    let steps = AtomicU64::new(0);
    let watch = |progress: TrainingProgress| {
        assert!(progress.steps <= progress.steps_all && progress.models_all == 8);
        steps.fetch_max(progress.steps, Ordering::Relaxed);
    };
    let plain = trained(None, &watch);
    // 12,288 tokens are 768 sequences, 192 steps.
    assert_eq!(steps.load(Ordering::Relaxed), 8 * 192);
    let kept = trained(Some(folder.path()), &watch);
    assert_eq!((&kept.arms, &kept.curves), (&plain.arms, &plain.curves));
    assert_eq!((kept.looks, kept.arms.len(), kept.arms[0].folds()), (1, 2, 4));
    let mut files: Vec<PathBuf> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 8, "no half-trained model is left: {files:?}");
    // One is lost, one cut, one of another version, one has no bits, one has other bits than were written, one is
    // another model's; one half-trained model is rubbish.
    fs::remove_file(&files[0]).unwrap();
    fs::write(&files[1], b"{\"version\":1,\"bits\":[").unwrap();
    let mut kept: Kept = serde_json::from_slice(&fs::read(&files[2]).unwrap()).unwrap();
    assert_eq!(kept.bits.len(), 3, "held-out documents");
    kept.version = 9;
    fs::write(&files[2], serde_json::to_vec(&kept).unwrap()).unwrap();
    fs::write(&files[3], b"{\"version\":3,\"bits\":[],\"curve\":[]}").unwrap();
    let mut kept: Kept = serde_json::from_slice(&fs::read(&files[4]).unwrap()).unwrap();
    kept.bits[1] -= 1;
    fs::write(&files[4], serde_json::to_vec(&kept).unwrap()).unwrap();
    fs::copy(&files[6], &files[5]).unwrap();
    fs::write(files[0].with_extension("safetensors"), b"no model").unwrap();
    let left_by_a_kill = files[7].with_extension("safetensors");
    fs::write(&left_by_a_kill, b"of a model that is whole").unwrap();
    let (again, notes) = noted(Some(folder.path()), &watch);
    assert_eq!((&again.arms, &again.curves), (&plain.arms, &plain.curves));
    let told: Vec<String> = files[1..6]
        .iter()
        .map(|path| {
            format!(
                "the kept model `{}` was damaged or of another version: it was trained again",
                path.display()
            )
        })
        .collect();
    assert_eq!(notes, told);
    assert!(!left_by_a_kill.exists());
    let (last, notes) = noted(Some(folder.path()), &watch);
    assert_eq!((&last.arms, notes), (&plain.arms, Vec::new()), "all are mended");
}

/// Found by review: a kept model without bits was measured as one that predicts everything for free.
#[test]
fn a_kept_model_without_bits_is_trained_again() {
    let folder = tempfile::tempdir().unwrap();
    let plain = trained(Some(folder.path()), &|_| {});
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let key: Digest = serde_json::from_value(stem.into()).unwrap();
        let kept = Kept {
            version: CELL_VERSION,
            digest: Kept::digest_of(&key, [&[]; 3]),
            bits: Vec::new(),
            curve: Vec::new(),
            answers: Vec::new(),
        };
        fs::write(path, serde_json::to_vec(&kept).unwrap()).unwrap();
    }
    let (again, notes) = noted(Some(folder.path()), &|_| {});
    assert_eq!((again.arms, notes.len()), (plain.arms, 8));
}

#[test]
fn a_killed_training_goes_on_and_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (held_out, samples) = (held_out(), [sample(3)]);
    let stage2 = Stage2::new(&TINY, &held_out, samples.iter().collect(), TINY.tokens, b"seed");
    let cell = Cell { arm: 0, seed: 2 };
    let on = Compute::from(Level::best());
    let prepared = stage2.prepare(cell, &on);
    let mut run = prepared.run(&on, 1).unwrap();
    while run.step() < SNAPSHOT_STEPS {
        run.advance().unwrap();
    }
    let bytes = save_snapshot(&TINY.shape, &run.snapshot().unwrap()).unwrap();
    fs::write(snapshot_path(folder.path(), &prepared.key), bytes).unwrap();
    while run.advance().unwrap() {}
    let whole = run.finish().unwrap();
    let first = Mutex::new(None);
    let round = Round {
        stage2: &stage2,
        keep: Some(folder.path()),
        on: &on,
        watch: &|progress: TrainingProgress| {
            first.lock().unwrap().get_or_insert(progress.steps);
        },
        models: AtomicUsize::new(0),
        steps: AtomicU64::new(0),
        damaged: Mutex::new(Vec::new()),
        cells: &[cell],
    };
    assert_eq!(round.train().unwrap()[&cell], whole);
    assert_eq!(
        *first.lock().unwrap(),
        Some(SNAPSHOT_STEPS),
        "it went on, not anew"
    );
}

#[test]
fn unknown_instructions_are_named() {
    let (held_out, samples) = (held_out(), [sample(3)]);
    let stage2 = Stage2::new(&TINY, &held_out, samples.iter().collect(), TINY.tokens, b"seed");
    let training = Training {
        seeds: 4,
        keep: None,
        plan: CPU_PLAN,
        instructions: Some("mmx"),
        cuda: None,
    };
    let error = train(&stage2, &training, 1, &mut |_| {}, &|_| {})
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no `mmx` instructions, it has ") && error.contains("plain"),
        "{error}"
    );
}

/// Files of a folder, sorted, and what is in them.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn kept_answers_are_those_of_their_questions() {
    let set = |continuation: &str| {
        let mut builder = BenchmarkBuilder::default();
        for number in 0..3 {
            let line = format!(r#"{{"context": "{number} said", "continuation": "{continuation}"}}"#);
            builder.push(&line).unwrap();
        }
        builder.finish("said".to_owned())
    };
    let folder = tempfile::tempdir().unwrap();
    let (one, keep) = ([set("Ann")], Some(folder.path()));
    let steps = AtomicU64::new(0);
    let watch = |progress: TrainingProgress| {
        steps.fetch_max(progress.steps, Ordering::Relaxed);
    };
    let (plain, _) = answered(&one, None, &watch);
    assert_eq!(plain.answers[0].len(), 4, "seeds");
    assert!(
        plain.answers[0]
            .iter()
            .all(|bits| bits.len() == 3 && bits.iter().all(|bits| *bits > 0))
    );
    assert!(
        plain.answers[1].iter().all(Vec::is_empty),
        "the second arm is not asked"
    );
    let (kept, _) = answered(&one, keep, &watch);
    assert_eq!(kept.answers, plain.answers);
    let files = files_in(folder.path());
    // An answer is changed, another is missing though the digest fits.
    let mut spoiled = 0;
    for path in &files {
        let mut kept: Kept = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        if kept.answers.is_empty() || spoiled == 2 {
            continue;
        }
        if spoiled == 0 {
            kept.answers[1] += 1;
        } else {
            kept.answers.pop();
            let key: Digest =
                serde_json::from_value(path.file_stem().unwrap().to_str().unwrap().into()).unwrap();
            kept.digest = Kept::digest_of(&key, [&kept.bits, &kept.curve, &kept.answers]);
        }
        fs::write(path, serde_json::to_vec(&kept).unwrap()).unwrap();
        spoiled += 1;
    }
    let (again, notes) = answered(&one, keep, &watch);
    assert_eq!(
        (again.answers, notes.len()),
        (plain.answers.clone(), 2),
        "{notes:?}"
    );
    // Whole files are not written again.
    let times = || -> Vec<_> {
        let time = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        files.iter().map(time).collect()
    };
    let before = times();
    assert_eq!(answered(&one, keep, &watch).0.answers, plain.answers);
    assert_eq!(times(), before);
    // Of other questions the models of the arm that is asked are trained again; the other arm's are not.
    let (other, notes) = answered(&[set("Eve")], keep, &watch);
    assert_eq!((&other.arms, notes), (&plain.arms, Vec::new()));
    assert_ne!(other.answers, plain.answers);
    assert_eq!(files_in(folder.path()).len(), files.len() + 4);
}
