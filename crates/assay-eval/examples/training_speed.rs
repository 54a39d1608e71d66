//! How fast a step of training is: `training_speed SHAPE STEPS THREADS [INSTRUCTIONS|cuda [PEAK]]`, one line of JSON.
//!
//! `bench/training_speed.py` runs it beside PyTorch on the same shapes. SHAPE is `a`, `b`, or a profile: `cpu-v1`, `gpu-v1`,
//! `audit-v1`. PEAK is what a device could do in FLOP/s: then the share of it that is used is printed (6 FLOP a parameter and token).

use std::time::Instant;

use assay_eval::transformer::profile::{AUDIT_V1, BENCH_A, BENCH_B, CPU_V1, GPU_V1, TrainingProfile};
use assay_eval::transformer::{Compute, Level, initial};

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
    let bench = |shape| TrainingProfile { shape, ..CPU_V1 };
    let profile = match arguments.first().map(String::as_str) {
        Some("a") => bench(BENCH_A),
        Some("b") => bench(BENCH_B),
        Some("gpu-v1") => GPU_V1,
        Some("audit-v1") => AUDIT_V1,
        _ => CPU_V1,
    };
    let shape = profile.shape;
    let (steps, threads) = (number(1).unwrap_or(10).max(1), number(2).unwrap_or(1));
    let on = match arguments.get(3).map(String::as_str) {
        None => Compute::from(Level::best()),
        Some("cuda") => Compute::cuda(0).expect("a graphics processor"),
        Some(name) => Level::named(name).expect("instructions of this machine").into(),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().expect("threads");
    let start = initial(&shape, b"speed");
    let mut trainer = on.trainer(&profile, &start, threads).expect("a shape of ours");
    drop(start);
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
    let flop = 6.0 * shape.parameters() as f64 * tokens / wall.as_secs_f64();
    let peak = arguments.get(4).and_then(|text| text.parse::<f64>().ok());
    let share = peak.map_or(String::new(), |peak| {
        format!(", \"flop_share\": {:.4}", flop / peak)
    });
    println!(
        "{{\"instructions\": \"{}\", \"tokens_per_cpu_s\": {:.1}, \"tokens_per_s\": {:.1}, \"flop_per_s\": {flop:.3e}{share}}}",
        on.name(),
        tokens / cpu.as_secs_f64(),
        tokens / wall.as_secs_f64()
    );
}
