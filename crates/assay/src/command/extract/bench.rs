//! `assay extract bench`: quality and speed of the extraction on annotated pages, by the measures of their benchmarks.
//!
//! Measures and pages are those of assay-refine's bench and data test, so that all figures come from the same code.

#[path = "../../../../assay-refine/benches/extraction/measures.rs"]
mod measures;
#[path = "../../../../assay-refine/benches/extraction/pages.rs"]
mod pages;

use std::fmt::Write as _;

use anyhow::Context as _;
use assay_refine::extract::{ExtractOptions, extract};
use serde_json::{Value, json};

use crate::cli::{ExtractBenchArgs, ProfileArg};
use crate::console::Console;
use crate::exit::Status;

const PROFILES: [(ProfileArg, &str); 4] = [
    (ProfileArg::Precision, "precision"),
    (ProfileArg::Balanced, "balanced"),
    (ProfileArg::Recall, "recall"),
    (ProfileArg::Union, "union"),
];

/// A figure with four digits after the point.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

pub(super) fn run(args: &ExtractBenchArgs, console: &Console) -> anyhow::Result<Status> {
    let pages = pages::load(&args.data)
        .map_err(anyhow::Error::from_boxed)
        .with_context(|| format!("read annotated pages of `{}`", args.data.display()))?;
    let wanted = PROFILES
        .iter()
        .filter(|(profile, _)| args.profile.is_none_or(|only| only == *profile));
    let rows: Vec<Value> = wanted
        .map(|(profile, name)| row(&pages, super::profile(*profile), name))
        .collect();
    console.result("assay.extract-bench/1", &rows, &[], || table(&rows))?;
    Ok(Status::Ok)
}

fn row(pages: &[pages::Page], profile: assay_refine::extract::Profile, name: &str) -> Value {
    let options = ExtractOptions {
        profile,
        ..ExtractOptions::default()
    };
    let text = |html: &str| extract(html, &options).map(|page| page.text).unwrap_or_default();
    let (texts, speed) = pages::run(pages, text);
    let score = measures::judge(pages, &texts);
    let types: serde_json::Map<String, Value> = measures::TYPES
        .iter()
        .zip(score.by_type)
        .map(|(name, value)| ((*name).to_owned(), rounded(value).into()))
        .collect();
    json!({
        "profile": name,
        "pages": pages.len(),
        "empty": score.empty,
        "wcxb": { "f1": rounded(score.wcxb[0]), "precision": rounded(score.wcxb[1]), "recall": rounded(score.wcxb[2]),
            "forbidden": rounded(score.forbidden), "by_type": types },
        "article_extraction_benchmark": { "f1": rounded(score.aeb) },
        "trafilatura": { "f1": rounded(score.tf) },
        "all_gold": { "mean": rounded(score.all_gold[0]), "median": rounded(score.all_gold[1]) },
        "speed": { "pages_per_cpu_second": rounded(speed.pages), "megabytes_per_cpu_second": rounded(speed.megabytes),
            "p50_ms": rounded(speed.p50), "p99_ms": rounded(speed.p99) },
    })
}

/// The rows as a table for people.
fn table(rows: &[Value]) -> String {
    let mut out = format!(
        "{:<10} {:>7} {:>7} {:>7} {:>7} {:>9} {:>7} {:>8}\n",
        "profile", "WCXB", "AEB", "TF", "gold", "forbidden", "empty", "pages/s"
    );
    for row in rows {
        let figure = |path: &str| row.pointer(path).and_then(Value::as_f64).unwrap_or(0.0);
        let _ = writeln!(
            out,
            "{:<10} {:>7.4} {:>7.4} {:>7.4} {:>7.4} {:>9.4} {:>7} {:>8.1}",
            row["profile"].as_str().unwrap_or(""),
            figure("/wcxb/f1"),
            figure("/article_extraction_benchmark/f1"),
            figure("/trafilatura/f1"),
            figure("/all_gold/mean"),
            figure("/wcxb/forbidden"),
            row["empty"],
            figure("/speed/pages_per_cpu_second"),
        );
    }
    out
}
