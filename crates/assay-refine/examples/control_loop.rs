//! A loop that only computes, on a number of threads: what a perfectly parallel program gains on this machine now.
//!
//! `control_loop THREADS STEPS` shares STEPS equal steps among THREADS threads. Started by `bench/scaling.py` between runs
//! of `assay refine`, so that both meet the same clock rates, hyper-threads and neighbours. The state is one register a
//! thread: no memory traffic, no locks, no system calls, no output.

use std::hint::black_box;
use std::process::ExitCode;

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok())
        .collect();
    let &[threads, steps] = numbers.as_slice() else {
        return ExitCode::from(2);
    };
    std::thread::scope(|scope| {
        for thread in 0..threads {
            // The first threads take one step more where the steps do not divide.
            let share = steps / threads + u64::from(thread < steps % threads);
            scope.spawn(move || black_box(xorshift(share, thread + 1)));
        }
    });
    ExitCode::SUCCESS
}

/// Marsaglia's 64-bit xorshift (2003, "Xorshift RNGs", triple 13, 7, 17): every step needs the one before.
fn xorshift(steps: u64, seed: u64) -> u64 {
    let mut state = seed;
    for _ in 0..steps {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    state
}
