//! `assay refine`: archives into a dataset, or one record explained.

use std::time::Instant;

use anyhow::Context as _;
use assay_agents::local::{self, LocalError, RefineJob, RunReport};
use assay_hub::Source;
use assay_refine::engine::Engine;
use assay_refine::report;
use assay_refine::unit::Format;
use assay_types::report::{REFINE_SCHEMA, RefineReport};
use assay_types::{Bytes, Tokens};

use crate::cli::{FormatArg, RefineArgs};
use crate::config;
use crate::console::Console;
use crate::exit::Status;
use crate::progress::RunProgress;
use crate::recipes;

/// Most frequent drop reasons shown.
const DROPS: usize = 12;

pub(super) fn run(args: &RefineArgs, console: &Console) -> anyhow::Result<Status> {
    let started = Instant::now();
    let open = config::open_options();
    // The inputs are looked at first: a wrong path should not wait for recipe and lists.
    let sources = if args.sample {
        Vec::new()
    } else {
        assay_hub::resolve(&args.input)?
    };
    let engine = recipes::engine(&args.recipe.recipe, args.recipe.url_lists.as_deref())?;
    if let Some(needle) = &args.explain {
        let explanation = local::explain(&sources, &open, &engine, needle)?;
        console.result("assay.explain/1", &explanation, &[], || explanation.to_string())?;
        return Ok(Status::Ok);
    }
    let out = args.out.clone().context("`--out` is missing")?;
    let sources = if args.sample {
        sample(&out, console)?
    } else {
        sources
    };
    let format = match args.format {
        FormatArg::Parquet => Format::Parquet,
        FormatArg::Jsonl => Format::Jsonl,
    };
    let job = RefineJob {
        sources: &sources,
        open: &open,
        out,
        engine: &engine,
        threads: super::threads(args.threads),
        limit: args.limit,
        format,
        features: args.features,
        alter: None,
    };
    let progress = RunProgress::new(console);
    let run = local::refine(&job, &progress);
    progress.finish();
    show(run?, &job, started, console)
}

/// Packs the sample into the output folder and gives it as the only source.
fn sample(out: &std::path::Path, console: &Console) -> anyhow::Result<Vec<Source>> {
    fs_err::create_dir_all(out).map_err(LocalError::io(out))?;
    let archive = out.join("sample.warc.gz");
    if !archive.is_file() {
        let (packed, folder) = local::pack_sample(&archive)?;
        let (pages, bytes) = (report::count(packed.pages), report::bytes(packed.html_bytes));
        console.note(&format!(
            "sample: {pages} pages ({bytes}) of {}",
            folder.display()
        ));
    }
    Ok(vec![Source::file(
        archive.clone(),
        Some(
            fs_err::metadata(&archive)
                .map_err(LocalError::read(&archive))?
                .len(),
        ),
    )?])
}

fn show(run: RunReport, job: &RefineJob<'_>, started: Instant, console: &Console) -> anyhow::Result<Status> {
    let svg = job.out.join("funnel.svg");
    local::write_atomically(&svg, report::funnel_svg(&run.counts).as_bytes())?;
    let data = report_of(&run, job.engine, started);
    let mut warnings: Vec<String> = run
        .failed
        .iter()
        .map(|failed| format!("{}: {}", failed.input, failed.error))
        .collect();
    if run.resumed > 0 {
        let were = if run.resumed == 1 { "was" } else { "were" };
        let units = report::counted(run.resumed as u64, "unit");
        warnings.push(format!("{units} {were} finished before and taken over"));
    }
    if run.failed.is_empty() {
        console.result(REFINE_SCHEMA, &data, &warnings, || summary(&run, &data, job))?;
        return Ok(Status::Ok);
    }
    if !console.is_json() {
        console.result(REFINE_SCHEMA, &data, &[], || summary(&run, &data, job))?;
    }
    let (failed, total) = (run.failed.len(), job.sources.len());
    let mut failures = run.failed.into_iter().map(|input| input.error);
    match failures.next() {
        Some(first) if total == 1 => Err(first.into()),
        Some(first) => Err(LocalError::Inputs {
            failed,
            total,
            first: Box::new(first),
        }
        .into()),
        None => Ok(Status::Ok),
    }
}

fn summary(run: &RunReport, data: &RefineReport, job: &RefineJob<'_>) -> String {
    let drops = report::drops_table(&run.counts, DROPS);
    let rate = (data.records as f64 / data.wall_seconds.max(0.001)) as u64;
    format!(
        "{}\ndropped for\n{drops}\nrecipe {} {}\n{} in {} and {}, {:.1} s ({} records/s, {:.1} CPU s)\n",
        report::funnel_table(&run.counts),
        job.engine.recipe().name,
        job.engine.recipe_id(),
        units(run),
        job.out.display(),
        job.out.join("funnel.svg").display(),
        data.wall_seconds,
        report::count(rate),
        data.cpu_seconds,
    )
}

/// This run's units, and those of the folder where it has more.
fn units(run: &RunReport) -> String {
    let (mine, all) = (run.unit_roots.len() as u64, run.manifest.units.len() as u64);
    if mine == all {
        report::counted(all, "unit")
    } else {
        format!("{} of {}", report::count(mine), report::counted(all, "unit"))
    }
}

fn report_of(run: &RunReport, engine: &Engine, started: Instant) -> RefineReport {
    RefineReport {
        records: run.counts.records,
        kept: run.counts.kept,
        tokens: Tokens(run.counts.tokens),
        bytes_in: Bytes(run.counts.archive_bytes),
        bytes_out: Bytes(run.counts.text_bytes),
        dropped: run.counts.dropped.clone(),
        cpu_seconds: cpu_time::ProcessTime::now().as_duration().as_secs_f64(),
        wall_seconds: started.elapsed().as_secs_f64(),
        recipe_id: engine.recipe_id(),
        unit_roots: run.unit_roots.clone(),
    }
}
