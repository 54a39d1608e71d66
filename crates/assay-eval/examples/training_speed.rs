//! How fast a step of training is: `training_speed SHAPE STEPS THREADS [INSTRUCTIONS]`, one line of JSON.
//!
//! `bench/training_speed.py` runs it beside PyTorch on the same shapes.

use std::time::Instant;

use assay_eval::transformer::profile::{BENCH_A, BENCH_B, CPU_V1};
use assay_eval::transformer::{CpuTrainer, Level, Trainer as _, initial};

/// Steps before the clock starts.
const WARM_UP_STEPS: usize = 2;

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that measures"
)]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<usize>().ok());
    let shape = match arguments.first().map(String::as_str) {
        Some("a") => BENCH_A,
        Some("b") => BENCH_B,
        _ => CPU_V1.shape,
    };
    let (steps, threads) = (number(1).unwrap_or(10).max(1), number(2).unwrap_or(1));
    let level = arguments
        .get(3)
        .map_or(Some(Level::best()), |name| Level::named(name));
    let level = level.expect("instructions of this machine");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().expect("threads");
    let mut trainer =
        CpuTrainer::<f32>::new(shape, &initial(&shape, b"speed"), level, threads).expect("a shape of ours");
    let id = |at: usize| ((at * at * 31 + at * 7) % 1_000_003 % shape.vocabulary) as u16;
    let ids: Vec<u16> = (0..=shape.step_tokens()).map(id).collect();
    let (inputs, targets) = (&ids[..shape.step_tokens()], &ids[1..]);
    for _ in 0..WARM_UP_STEPS {
        trainer.step(inputs, targets, 1e-3).expect("a finite loss");
    }
    let (wall, cpu) = (Instant::now(), cpu_time::ProcessTime::now());
    for _ in 0..steps {
        trainer.step(inputs, targets, 1e-3).expect("a finite loss");
    }
    let (wall, cpu) = (wall.elapsed(), cpu.elapsed());
    let tokens = (steps * shape.step_tokens()) as f64;
    println!(
        "{{\"instructions\": \"{level}\", \"tokens_per_cpu_s\": {:.1}, \"tokens_per_s\": {:.1}}}",
        tokens / cpu.as_secs_f64(),
        tokens / wall.as_secs_f64()
    );
}
