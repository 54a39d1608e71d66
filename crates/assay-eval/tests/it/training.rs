//! The trainer against PyTorch, against central differences, against itself on other threads and instructions, and resumed.

use std::sync::LazyLock;

use assay_eval::transformer::checkpoint::{load_snapshot, save_snapshot};
use assay_eval::transformer::profile::CPU_V1;
use assay_eval::transformer::run::{Course, Run};
use assay_eval::transformer::{
    CpuTrainer, Level, Passage, Real, Role, Shape, Stream, TrainError, Trainer, TrainerState, initial,
};
use serde::Deserialize;

/// Small, and with a second block of attention rows.
pub(crate) const TINY: Shape = Shape {
    width: 32,
    layers: 2,
    heads: 2,
    hidden: 48,
    context: 80,
    batch: 4,
    vocabulary: 300,
};

/// What `fixtures/training.py` wrote.
#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    shape: String,
    f64: Losses,
    f32: Losses,
}

#[derive(Deserialize)]
struct Losses {
    losses: Vec<f64>,
    norms: Vec<f64>,
}

/// The formula of `fixtures/training.py`: `made`.
pub(crate) fn values(shape: &Shape) -> Vec<f32> {
    let wave = |at: usize| ((at * 7_919 + 13) % 1_009) as f64 / 1_009.0 - 0.5;
    let tensors = shape.tensors().into_iter();
    let of = |is_gain, at| {
        if is_gain {
            1.0 + wave(at) * 0.2
        } else {
            wave(at) * 0.2
        }
    };
    tensors
        .flat_map(|tensor| {
            tensor
                .range()
                .map(move |at| of(tensor.role == Role::Gain, at) as f32)
        })
        .collect()
}

/// The formula of `fixtures/training.py`: `ids_of`.
pub(crate) fn ids(shape: &Shape, step: usize) -> (Vec<u16>, Vec<u16>) {
    let id = |at: usize| ((at * at * 31 + at * 7 + step * 101) % 1_000_003 % shape.vocabulary) as u16;
    let all: Vec<u16> = (0..shape.batch * (shape.context + 1)).map(id).collect();
    let part = |from: usize| {
        let sequences = all.chunks(shape.context + 1);
        sequences
            .flat_map(|ids| ids[from..from + shape.context].to_vec())
            .collect()
    };
    (part(0), part(1))
}

/// Trains as the script does and gives losses and the bits of the parameters.
fn train<T: Real>(shape: Shape, steps: usize, level: Level, threads: usize) -> (Vec<f64>, Vec<u32>) {
    let mut trainer = CpuTrainer::<T>::new(shape, &values(&shape), level, threads).unwrap();
    let losses = (0..steps).map(|step| {
        let (inputs, targets) = ids(&shape, step);
        let rate = 3e-3 * ((step + 1) as f64 / 5.0).min(1.0);
        trainer.step(&inputs, &targets, rate).unwrap()
    });
    let losses = losses.collect();
    let state = trainer.state().unwrap();
    (losses, state.values.iter().map(|value| value.to_bits()).collect())
}

fn worst(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f64::max)
}

#[test]
fn losses_are_those_of_pytorch_step_by_step() {
    let vectors: Vectors = serde_json::from_str(include_str!("../fixtures/training.json")).unwrap();
    assert_eq!(vectors.cases.len(), 2);
    for case in &vectors.cases {
        let shape = if case.shape == "tiny" { TINY } else { CPU_V1.shape };
        let steps = case.f32.losses.len();
        if shape == TINY {
            let exact = worst(&train::<f64>(shape, steps, Level::best(), 1).0, &case.f64.losses);
            eprintln!("{}: f64 losses of {steps} steps within {exact:.1e}", case.shape);
            assert!(exact < 1e-10, "{exact}");
        }
        // Without vector instructions eight steps of the larger shape take a minute.
        let levels = Level::all().into_iter();
        for level in levels.filter(|level| shape == TINY || level.name() != "plain") {
            let close = worst(&train::<f32>(shape, steps, level, 1).0, &case.f32.losses);
            eprintln!(
                "{}: {level} losses of {steps} steps within {close:.1e}",
                case.shape
            );
            assert!(close < 2e-5, "{level}: {close}");
        }
        let (inputs, targets) = ids(&shape, 0);
        let mut trainer = CpuTrainer::<f64>::new(shape, &values(&shape), Level::best(), 1).unwrap();
        trainer.gradient(&inputs, &targets);
        let squares = trainer
            .summed_gradient()
            .iter()
            .map(|value| value * value)
            .sum::<f64>();
        let norms = (squares.sqrt(), case.f64.norms[0]);
        assert!((norms.0 / norms.1 - 1.0).abs() < 1e-9, "{norms:?}");
    }
}

#[test]
fn gradients_are_central_differences() {
    // One row of attention's second block, two heads, every kind of tensor.
    let shape = Shape { context: 67, ..TINY };
    let (inputs, targets) = ids(&shape, 3);
    let start = values(&shape);
    let mut trainer = CpuTrainer::<f64>::new(shape, &start, Level::best(), 1).unwrap();
    trainer.gradient(&inputs, &targets);
    let gradient = trainer.summed_gradient();
    let loss_at = |place: usize, change: f32| {
        let mut moved = start.clone();
        moved[place] += change;
        let mut trainer = CpuTrainer::<f64>::new(shape, &moved, Level::best(), 1).unwrap();
        (trainer.gradient(&inputs, &targets), f64::from(moved[place]))
    };
    for tensor in shape.tensors() {
        let range = tensor.range();
        for place in [range.start, range.start + range.len() / 2 + 1, range.end - 1] {
            let ((above, to), (below, from)) = (loss_at(place, 2e-4), loss_at(place, -2e-4));
            let difference = (above - below) / (to - from);
            let error = (difference - gradient[place]).abs() / (gradient[place].abs() + 1e-6);
            let values = (difference, gradient[place]);
            assert!(error < 1e-4, "{} at {place}: {values:?}", tensor.name);
        }
    }
}

#[test]
fn threads_and_instructions_change_no_bit() {
    let (losses, one) = train::<f32>(TINY, 50, Level::best(), 1);
    for threads in [1, 2, 3, 4] {
        let again = train::<f32>(TINY, 50, Level::best(), threads);
        assert!(again == (losses.clone(), one.clone()), "{threads} threads");
    }
    for level in Level::all() {
        let (other, bits) = train::<f32>(TINY, 50, level, 2);
        // Fused multiply-add gives the same bits in every width; without it each product is rounded twice.
        assert!(bits == one || level.name() == "plain", "{level}");
        assert!(worst(&other, &losses) < 1e-3, "{level}");
        assert_eq!(Level::named(level.name()).unwrap().name(), level.name());
    }
    assert!(Level::named("avx1024").is_none());
}

/// A text with something to learn: short repeating phrases.
pub(crate) fn stream(shape: &Shape) -> Stream {
    let windows: Vec<Vec<u16>> = (0..60_u16)
        .map(|window| {
            (0..100)
                .map(|at| 1 + (window % 7) * 9 + at % (3 + window % 5))
                .collect()
        })
        .collect();
    Stream::new(windows.iter().map(Vec::as_slice), shape, 6_000, b"seed")
}

/// Options of a benchmark: a phrase that is learned and one that is not, behind a context.
static PASSAGES: LazyLock<Vec<Passage>> = LazyLock::new(|| {
    let passage = |ids: &[u16]| Passage {
        ids: ids.to_vec(),
        given: 3,
    };
    vec![passage(&[1, 2, 3, 1, 2, 3]), passage(&[1, 2, 3, 290, 289, 288])]
});

pub(crate) fn course<'a>(stream: &'a Stream, documents: &'a [Vec<u16>]) -> Course<'a> {
    Course {
        shape: TINY,
        rate_max: 1e-2,
        stream,
        documents,
        passages: &PASSAGES,
    }
}

fn trainer() -> Box<dyn Trainer> {
    Box::new(CpuTrainer::<f32>::new(TINY, &initial(&TINY, b"seed"), Level::best(), 1).unwrap())
}

#[test]
fn a_killed_run_goes_on_as_if_nothing_had_happened() {
    let (stream, documents) = (stream(&TINY), [vec![1, 2, 3, 1, 2, 3, 1, 2, 3], vec![290; 5]]);
    let mut whole = Run::new(course(&stream, &documents), trainer());
    assert_eq!(whole.steps(), 18);
    while whole.advance().unwrap() {}
    let whole = whole.finish().unwrap();
    // Seen phrases are cheap, an id that never occurs is dear; the untrained model takes 8.2 bits for any.
    assert!(
        whole.bits[0] < (9 * 8) << 24 && whole.bits[1] > (5 * 8) << 24,
        "{:?}",
        whole.bits
    );
    assert!(whole.curve.first() > whole.curve.last(), "{:?}", whole.curve);
    assert!(
        whole.answers[0] < (3 * 6) << 24 && whole.answers[1] > 2 * whole.answers[0],
        "{:?}",
        whole.answers
    );
    for killed_after in [1, 9, 16, 17, 18] {
        let mut first = Run::new(course(&stream, &documents), trainer());
        for _ in 0..killed_after {
            assert!(first.advance().unwrap());
        }
        let bytes = save_snapshot(&TINY, &first.snapshot().unwrap()).unwrap();
        drop(first);
        let mut second = Run::new(course(&stream, &documents), trainer());
        second.resume(load_snapshot(&TINY, &bytes).unwrap()).unwrap();
        assert_eq!(second.step(), killed_after);
        while second.advance().unwrap() {}
        assert_eq!(
            second.finish().unwrap(),
            whole,
            "killed after {killed_after} steps"
        );
    }
}

/// A trainer whose losses stop being numbers: what a run must never turn into a result.
#[derive(Debug)]
struct Diverging {
    steps: u64,
    loss: f32,
}

impl Trainer for Diverging {
    fn step(&mut self, _: &[u16], _: &[u16], _: f64) -> Result<f64, TrainError> {
        self.steps += 1;
        Ok(1.0)
    }

    fn losses(&mut self, inputs: &[u16], _: &[u16], _: usize, to: &mut Vec<f32>) -> Result<(), TrainError> {
        to.clear();
        to.resize(inputs.len(), self.loss);
        Ok(())
    }

    fn state(&mut self) -> Result<TrainerState, TrainError> {
        Ok(TrainerState {
            values: Vec::new(),
            first: Vec::new(),
            second: Vec::new(),
            steps: self.steps,
        })
    }

    fn restore(&mut self, state: TrainerState) -> Result<(), TrainError> {
        self.steps = state.steps;
        Ok(())
    }
}

#[test]
fn numbers_that_are_none_are_errors() {
    let (stream, documents) = (stream(&TINY), [vec![1, 2, 3]]);
    let finish = |loss| {
        let mut run = Run::new(
            course(&stream, &documents),
            Box::new(Diverging { steps: 0, loss }),
        );
        while run.advance().unwrap() {}
        run.finish()
    };
    assert_eq!(finish(f32::NAN), Err(TrainError::NotFinite { step: 18 }));
    assert_eq!(finish(f32::INFINITY), Err(TrainError::NotFinite { step: 18 }));
    // One unit of e is 1.4427 bits.
    assert_eq!(
        finish(1.0).unwrap().bits,
        [(3.0 / std::f64::consts::LN_2 * f64::from(1 << 24)).round() as u64]
    );
    let mut broken = values(&TINY);
    broken[TINY.parameters() - 1] = f32::INFINITY;
    let mut trainer = CpuTrainer::<f32>::new(TINY, &broken, Level::best(), 1).unwrap();
    let (inputs, targets) = ids(&TINY, 0);
    assert_eq!(
        trainer.step(&inputs, &targets, 1e-3),
        Err(TrainError::NotFinite { step: 0 })
    );
    let odd = Shape { heads: 3, ..TINY };
    assert_eq!(
        CpuTrainer::<f32>::new(odd, &broken, Level::best(), 1).unwrap_err(),
        TrainError::Shape(odd)
    );
    let short = CpuTrainer::<f32>::new(TINY, &broken[1..], Level::best(), 1).unwrap_err();
    assert!(matches!(short, TrainError::Size { .. }), "{short}");
}

#[test]
fn a_run_that_diverges_ends_with_its_own_error_and_gives_no_number() {
    let (stream, documents) = (stream(&TINY), [vec![1, 2, 3]]);
    for (rate_max, threads) in [(1e30, 1), (1e30, 4), (f64::INFINITY, 1), (f64::NAN, 1)] {
        let wild = Course {
            rate_max,
            ..course(&stream, &documents)
        };
        let start = initial(&TINY, b"seed");
        let trainer = CpuTrainer::<f32>::new(TINY, &start, Level::best(), threads).unwrap();
        let mut run = Run::new(wild, Box::new(trainer));
        // The first loss is that of the start values; the step after the wild one has none.
        let stopped = loop {
            match run.advance() {
                Ok(more) => assert!(more, "a rate of {rate_max} ended like any other run"),
                Err(error) => break error,
            }
        };
        let TrainError::NotFinite { step } = stopped else {
            panic!("{stopped}");
        };
        assert!(step < run.steps(), "{step}: before the last step, not in scoring");
        assert_eq!(
            stopped.to_string(),
            format!("training diverged: the loss of step `{step}` is not finite")
        );
        // Nobody who goes on gets a result either: the state is refused, and scoring has no bits.
        let bytes = save_snapshot(&TINY, &run.snapshot().unwrap());
        let kept = bytes.and_then(|bytes| load_snapshot(&TINY, &bytes));
        assert!(kept.is_err() || run.advance().is_err(), "rate {rate_max}");
    }
}
