//! `assay evaluate`: a table of datasets with bits per byte, fineness and gates, and which of two is better.
//!
//! Numbers come from assay-eval through the local driver; here inputs are found and results laid out.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use assay_agents::local::{self, Dataset, EvaluateJob, Input, Ore};
use assay_eval::benchmark::Estimate;
use assay_eval::gates::Gate;
use assay_eval::html::report_html;
use assay_eval::report::{Bits, DatasetReport, Report};
use assay_hub::{ARCHIVE_ENDINGS, OpenOptions, Source};
use assay_refine::report;

use super::{fetched, verify};
use crate::cli::{BudgetArg, EvaluateArgs, EvaluateCommand, VerifyArgs};
use crate::config;
use crate::console::Console;
use crate::exit::{Status, UsageError};
use crate::training_bar::TrainingBar;

/// Rows of each unit that are recomputed for the gate `provenance`.
const PROVENANCE_ROWS: u64 = 64;

pub(super) fn run(args: &EvaluateArgs, console: &Console) -> anyhow::Result<Status> {
    match &args.command {
        Some(EvaluateCommand::Pack { input, out, seal }) => {
            let made = local::make_pack(input, out, *seal)?;
            console.result("assay.evaluate-pack/1", &made, &[], || {
                let header = &made.header;
                let (held_out, pure) = (report::count(header.held_out), report::count(header.pure));
                let domains = header.domains.join(", ");
                let sealed = made.sealed_to.map_or(String::new(), |round| {
                    format!(", sealed until round {round} of drand quicknet")
                });
                format!(
                    "{domains}: {held_out} documents held out, {pure} pure, digest {}{sealed}\n",
                    header.digest
                )
            })?;
            Ok(Status::Ok)
        }
        Some(EvaluateCommand::Open { input, pulse, out }) => {
            let header = local::open_sealed_pack(input, pulse, out)?;
            console.result("assay.evaluate-pack/1", &header, &[], || {
                format!("{}: digest {}\n", header.domains.join(", "), header.digest)
            })?;
            Ok(Status::Ok)
        }
        Some(EvaluateCommand::Index { input, out }) => {
            let summary = local::make_index(input, out)?;
            console.result("assay.evaluate-index/1", &summary, &[], || {
                let (texts, grams) = (report::count(summary.texts), report::count(summary.grams));
                format!("{texts} texts, {grams} 13-grams, digest {}\n", summary.digest)
            })?;
            Ok(Status::Ok)
        }
        None => evaluate(args, console),
    }
}

fn evaluate(args: &EvaluateArgs, console: &Console) -> anyhow::Result<Status> {
    let given = args.seeds.as_deref().and_then(|seeds| seeds.parse().ok());
    if args.budget == BudgetArg::Quick && (given.is_some() || args.resume.is_some()) {
        let message = "`--seeds` and `--resume` are about training, which `--budget quick` does not do";
        return Err(UsageError::new(message, "add `--budget standard`").into());
    }
    let untrained = [
        ("--device", args.training.device.cuda.is_some()),
        ("--benchmark", !args.benchmark.is_empty()),
    ];
    let untrained = untrained.iter().find(|(_, is_given)| *is_given);
    if let (BudgetArg::Quick, Some((name, _))) = (args.budget, untrained) {
        let message = format!("`{name}` is about training, which `--budget quick` does not do");
        return Err(UsageError::new(message, "add `--budget standard`").into());
    }
    let fetch = |paths: &[PathBuf]| fetched::local(paths, &args.downloads, args.seed, console);
    let mut datasets = fetch(&args.datasets)?;
    datasets.extend(fetch(args.against.as_slice())?);
    let (eval, public, benchmarks) = (fetch(&args.eval)?, fetch(&args.public)?, fetch(&args.benchmark)?);
    let open = config::open_options();
    let ore = match args.ore.as_slice() {
        [] => None,
        [texts] if !is_archive(texts) => {
            let texts = fetch(std::slice::from_ref(texts))?;
            texts.into_iter().next().map(GivenOre::Texts)
        }
        archives => Some(GivenOre::Archives(assay_hub::resolve(&names(archives))?)),
    };
    let provenance = provenance(args, &datasets, console)?;
    let pack = if args.eval.is_empty() {
        args.pack.clone().or_else(config::evaluation_pack)
    } else {
        None
    };
    let job = EvaluateJob {
        datasets: &datasets,
        eval: &eval,
        public: &public,
        pack: pack.as_deref(),
        provenance: &provenance,
        ore: ore.as_ref().map(|ore| ore.borrowed(&open)),
        index: args.index.as_deref(),
        benchmarks: &benchmarks,
        language: &args.language,
        seed: args.seed,
        training: (args.budget != BudgetArg::Quick).then(|| {
            let seeds = given.unwrap_or(if args.budget == BudgetArg::Full { 8 } else { 4 });
            super::training(&args.training, seeds, args.resume.as_deref())
        }),
    };
    let bar = TrainingBar::new(console);
    let found = local::evaluate(&job, &mut |line| console.note(line), &|progress| {
        bar.show(progress);
    });
    bar.finish();
    let found = found?;
    if let Some(path) = &args.html {
        local::write_atomically(path, report_html(&found).as_bytes())?;
    }
    let ok = found
        .datasets
        .iter()
        .take(args.datasets.len())
        .all(DatasetReport::passes);
    console.outcome("assay.evaluate/1", ok, &found, || table(&found))?;
    Ok(if ok { Status::Ok } else { Status::CheckFailed })
}

/// Where ore comes from, as it was given.
enum GivenOre {
    Texts(Input),
    Archives(Vec<Source>),
}

impl GivenOre {
    fn borrowed<'a>(&'a self, open: &'a OpenOptions) -> Ore<'a> {
        match self {
            Self::Texts(input) => Ore::Texts(input),
            Self::Archives(sources) => Ore::Archives { sources, open },
        }
    }
}

/// Whether an input is an archive by its name.
fn is_archive(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    ARCHIVE_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    paths
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}

/// Recomputes some rows of every dataset of ours from the archives of `--warc`; nothing without them.
fn provenance(
    args: &EvaluateArgs,
    datasets: &[Input],
    console: &Console,
) -> anyhow::Result<Vec<Option<Gate>>> {
    if args.warc.is_empty() {
        return Ok(Vec::new());
    }
    let archives = assay_hub::resolve(&args.warc)?;
    let gate = |input: &Input| {
        if !input.path.join(assay_types::MANIFEST_FILE).is_file() {
            return Ok(None);
        }
        console.note(&format!("recomputing rows of {}", input.path.display()));
        let job = VerifyArgs {
            dataset: input.path.clone(),
            warc: args.warc.clone(),
            sample: PROVENANCE_ROWS.to_string(),
            seed: args.seed,
            proof: PathBuf::new(),
            prefix: true,
            recipe: None,
            url_lists: None,
            threads: None,
        };
        // A gate that cannot be checked says why, and the measuring goes on: archives of one dataset may not be the other's.
        let verified = match verify::recompute(&job, &Dataset::open(&input.path)?, &archives) {
            Ok(verified) => verified,
            Err(error) => return Ok(Some(Gate::unchecked(&format!("not checked: {error:#}")))),
        };
        let (faults, checked) = (verified.faults.len(), verified.checked);
        let first = verified.faults.first().map(|fault| fault.kind.name());
        let why = format!(
            "{faults} differences in {checked} recomputed rows, the first is `{}`; `assay verify` lists them",
            first.unwrap_or_default()
        );
        Ok(Some(Gate::condition(faults == 0, why)))
    };
    datasets.iter().map(gate).collect()
}

/// The report for people.
fn table(found: &Report) -> String {
    let mut text = String::new();
    let width = found
        .datasets
        .iter()
        .map(|dataset| dataset.name.chars().count())
        .max()
        .unwrap_or(0)
        .max(7);
    let trained = |text: &str| {
        if found.training.is_some() {
            format!("{text:25} ")
        } else {
            String::new()
        }
    };
    let heads = ["bits per byte", "fineness", "documents", "tokens"];
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{:width$}  {:25} {}{:20} {:>11} {:>13}  gates",
        "dataset",
        heads[0],
        trained("trained"),
        heads[1],
        heads[2],
        heads[3]
    );
    for dataset in &found.datasets {
        let _ = writeln!(
            text,
            "{:width$}  {:25} {}{:20} {:>11} {:>13}  {}",
            dataset.name,
            bits(dataset.stage1.as_ref()),
            trained(&bits(dataset.stage2.as_ref().map(|trained| &trained.bits))),
            fineness(dataset),
            report::count(dataset.documents),
            report::count(dataset.tokens),
            if dataset.passes() { "pass" } else { "FAIL" },
        );
    }
    for dataset in &found.datasets {
        notes(dataset, &mut text);
    }
    if let (Some(profile), Some(budget)) = (found.profile, found.budget_tokens) {
        let _ = writeln!(
            text,
            "\n{profile}, {} tokens a fold, 95 % intervals",
            report::count(budget)
        );
    }
    add_verdict(found, &mut text);
    add_benchmarks(found, &mut text);
    text
}

/// What models answered, a line a set and dataset.
fn add_benchmarks(found: &Report, text: &mut String) {
    let rows = found
        .datasets
        .iter()
        .flat_map(|dataset| dataset.benchmarks.iter().map(move |set| (&dataset.name, set)));
    let rows: Vec<_> = rows.collect();
    let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0).max(9);
    let sets = width(&mut rows.iter().map(|(_, set)| set.name.chars().count()));
    let names = width(&mut rows.iter().map(|(name, _)| name.chars().count()));
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n{:sets$}  {:names$}  {:>5}  {:25} {:27} {:21} {:>6}  hits",
        "benchmark", "dataset", "items", "bits per byte", "margin", "right", "guess"
    );
    let bits = |bits: f64| format!("{bits:.4}");
    let signed = |bits: f64| format!("{bits:+.4}");
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    for (name, set) in rows {
        let _ = writeln!(
            text,
            "{:sets$}  {name:names$}  {:>5}  {:25} {:27} {:21} {:>6}  {}",
            set.name,
            set.items,
            estimate(set.bpb, bits),
            estimate(set.margin, signed),
            estimate(set.accuracy, percent),
            set.chance.map_or("–".to_owned(), percent),
            set.hits
        );
    }
    for set in &found.benchmarks {
        let _ = writeln!(
            text,
            "{}, first − last: {} bits per byte, margin {}, right {}",
            set.name,
            estimate(set.bpb, signed),
            estimate(set.margin, signed),
            estimate(set.accuracy, |share| format!("{:+.1}", share * 100.0))
        );
    }
    let _ = writeln!(text, "benchmarks are reported, they decide nothing");
}

fn estimate(found: Option<Estimate>, text: impl Fn(f64) -> String) -> String {
    found.map_or("–".to_owned(), |Estimate { value, low, high }| {
        format!("{} [{}, {}]", text(value), text(low), text(high))
    })
}

/// How models were trained, and which dataset is better.
fn add_verdict(found: &Report, text: &mut String) {
    if let Some(training) = &found.training {
        let _ = writeln!(
            text,
            "{}, {} models of {} tokens a dataset, {} looks, trained with {}",
            training.profile,
            training.seeds,
            report::count(training.budget_tokens),
            training.looks,
            training.instructions
        );
    }
    if let Some(verdict) = &found.verdict {
        let _ = writeln!(text, "verdict: {} ({})", verdict.headline(), verdict.why);
        let differences = [
            ("", &verdict.difference),
            ("trained, ", &verdict.trained_difference),
        ];
        for (what, difference) in differences {
            if let Some(difference) = difference {
                let _ = writeln!(
                    text,
                    "{what}first − last: {:+.4} bits per byte [{:+.4}, {:+.4}]",
                    difference.bpb, difference.low, difference.high
                );
            }
        }
    }
}

fn bits(found: Option<&Bits>) -> String {
    found.map_or("–".to_owned(), |bits| {
        format!("{:.4} [{:.4}, {:.4}]", bits.bpb, bits.low, bits.high)
    })
}

fn fineness(dataset: &DatasetReport) -> String {
    match (dataset.fineness, dataset.fineness_low, dataset.fineness_high) {
        (Some(point), Some(low), Some(high)) => format!("{point:.0} [{low:.0}, {high:.0}]"),
        _ => "–".to_owned(),
    }
}

/// Failed gates, flags and why there is no fineness.
fn notes(dataset: &DatasetReport, text: &mut String) {
    let name = &dataset.name;
    for (gate, found) in dataset
        .gates
        .iter()
        .filter(|(_, gate)| gate.passed == Some(false))
    {
        let _ = writeln!(text, "{name}: gate `{gate}`: {}", found.why);
    }
    for flag in dataset.flags.iter().filter(|flag| !flag.starts_with("gate/")) {
        let _ = writeln!(text, "{name}: flag `{flag}`");
    }
    if let Some(tokens) = dataset.tokens_per_gb {
        let _ = writeln!(text, "{name}: {} tokens a GB of archives", report::count(tokens));
    }
    if let Some(why) = &dataset.why {
        let _ = writeln!(text, "{name}: no fineness: {why}");
    }
}
