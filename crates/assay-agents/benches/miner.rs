//! What a miner's round costs beside `assay refine` of the same archives, one thread each, one after the other:
//! `cargo bench -p assay-agents --bench miner`. Ends with 1 below 0.9 of its throughput (CPU seconds).
//!
//! Measured on two cores: 1.02 times (1.09, 0.99, 1.02), 5,594 records a round.
//!
//! The round is a rehearsal: assignment from the chain, refining, roots, manifest; nothing is published or committed.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::unwrap_used, reason = "without its world there is nothing to measure")]

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use assay_agents::local::{RefineJob, Silent, refine};
use assay_agents::miner::Conduct;
use assay_hub::{OpenOptions, Source};
use assay_refine::unit::Format;
use assay_types::recipe::builtin;
use assay_types::{Bytes, WorkUnit};
use cpu_time::ProcessTime;
use world::World;

/// Units a new miner gets in a round of the local parameters.
const UNITS: usize = 2;
/// Both sides this often.
const ROUNDS: usize = 3;
/// Least ratio of throughputs.
const RATIO_MIN: f64 = 0.9;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(data) = std::env::var_os("ASSAY_DATA").map(PathBuf::from) else {
        println!("skipped: ASSAY_DATA names no folder of test data");
        return ExitCode::SUCCESS;
    };
    let archive = data.join("warc/built-train.warc.gz");
    let fill = |folder: &Path| (0..UNITS).map(|number| copy(&archive, folder, number)).collect();
    let recipe = builtin("fineweb-en-v1-nolang").unwrap();
    let world = World::over(&["miner"], &["validator"], (recipe, fill)).await;
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let begun = ProcessTime::now();
        let rehearsal = world.miner("miner", Conduct::Honest).rehearse().await.unwrap();
        let mined = begun.elapsed();
        assert_eq!(rehearsal.units as usize, UNITS, "both archives were assigned");
        let plain = plain(&world, round);
        let ratio = plain.as_secs_f64() / mined.as_secs_f64();
        println!(
            "{} records: miner {:.2} s, refine {:.2} s of CPU, ratio {ratio:.3}",
            rehearsal.records,
            mined.as_secs_f64(),
            plain.as_secs_f64()
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ROUNDS / 2).copied().unwrap_or(0.0);
    println!("median of the ratios: {median:.3} ({RATIO_MIN} required)");
    ExitCode::from(u8::from(median < RATIO_MIN))
}

fn copy(archive: &Path, folder: &Path, number: usize) -> WorkUnit {
    let name = format!("unit-{number}.warc.gz");
    let bytes = std::fs::copy(archive, folder.join(&name)).unwrap();
    WorkUnit::new("file", &name, Bytes(bytes)).unwrap()
}

/// CPU time of refining the same archives without a subnet.
fn plain(world: &World, round: usize) -> Duration {
    let sources: Vec<Source> = world
        .setup
        .corpus
        .iter()
        .map(|unit| world.setup.source(unit).unwrap())
        .collect();
    let recipe = world.setup.anchor().unwrap().id();
    let engine = world.setup.engine(&recipe).unwrap();
    let job = RefineJob {
        sources: &sources,
        open: &OpenOptions::default(),
        out: world.folder.path().join(format!("plain-{round}")),
        engine: &engine,
        threads: 1,
        limit: None,
        format: Format::Parquet,
        features: false,
        alter: None,
    };
    let begun = ProcessTime::now();
    let run = refine(&job, &Silent).unwrap();
    let spent = begun.elapsed();
    assert!(run.failed.is_empty());
    spent
}
