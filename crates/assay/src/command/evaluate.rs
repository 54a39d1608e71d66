//! `assay evaluate`: a table of datasets with bits per byte, fineness and gates, and which of two is better.
//!
//! Numbers come from assay-eval through the local driver; here they are only laid out.

use std::fmt::Write as _;

use assay_agents::local::{self, EvaluateJob};
use assay_eval::report::{DatasetReport, Report};
use assay_refine::report;

use crate::cli::{BudgetArg, EvaluateArgs, EvaluateCommand};
use crate::config;
use crate::console::Console;
use crate::exit::{Status, UsageError};

pub(super) fn run(args: &EvaluateArgs, console: &Console) -> anyhow::Result<Status> {
    match &args.command {
        Some(EvaluateCommand::Pack { input, out }) => {
            let header = local::make_pack(input, out)?;
            console.result("assay.evaluate-pack/1", &header, &[], || {
                let (held_out, pure) = (report::count(header.held_out), report::count(header.pure));
                let domains = header.domains.join(", ");
                format!(
                    "{domains}: {held_out} documents held out, {pure} pure, digest {}\n",
                    header.digest
                )
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
    if args.budget != BudgetArg::Quick {
        let message =
            "budgets `standard` and `full` train transformers (stage 2), which this build does not have";
        return Err(UsageError::new(message, "use `--budget quick`: gates and n-gram bits per byte").into());
    }
    let mut datasets = args.datasets.clone();
    datasets.extend(args.against.clone());
    let pack = if args.eval.is_empty() {
        args.pack.clone().or_else(config::evaluation_pack)
    } else {
        None
    };
    let job = EvaluateJob {
        datasets: &datasets,
        eval: &args.eval,
        pack: pack.as_deref(),
        ore: args.ore.as_deref(),
        index: args.index.as_deref(),
        language: &args.language,
        seed: args.seed,
    };
    let found = local::evaluate(&job, &mut |line| console.note(line))?;
    let ok = found
        .datasets
        .iter()
        .take(args.datasets.len())
        .all(DatasetReport::passes);
    console.outcome("assay.evaluate/1", ok, &found, || table(&found))?;
    Ok(if ok { Status::Ok } else { Status::CheckFailed })
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
    let heads = ["bits per byte", "fineness", "documents", "tokens"];
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{:width$}  {:25} {:20} {:>11} {:>13}  gates",
        "dataset", heads[0], heads[1], heads[2], heads[3]
    );
    for dataset in &found.datasets {
        let _ = writeln!(
            text,
            "{:width$}  {:25} {:20} {:>11} {:>13}  {}",
            dataset.name,
            bits(dataset),
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
    if let Some(verdict) = &found.verdict {
        let better = verdict
            .better
            .as_deref()
            .map_or("no difference".to_owned(), |name| format!("`{name}` is better"));
        let _ = writeln!(text, "verdict: {better} ({})", verdict.why);
        if let Some(difference) = &verdict.difference {
            let _ = writeln!(
                text,
                "first − last: {:+.4} bits per byte [{:+.4}, {:+.4}]",
                difference.bpb, difference.low, difference.high
            );
        }
    }
    text
}

fn bits(dataset: &DatasetReport) -> String {
    dataset.stage1.as_ref().map_or("–".to_owned(), |bits| {
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
    if let Some(why) = &dataset.why {
        let _ = writeln!(text, "{name}: no fineness: {why}");
    }
}
