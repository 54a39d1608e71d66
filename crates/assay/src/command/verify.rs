//! `assay verify`: recomputes a dataset's rows from its archives; exit status 4 on any difference.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use assay_agents::local::{self, Dataset, Sample, Verified, VerifyJob};
use assay_hub::Source;
use assay_refine::engine::Engine;
use assay_refine::report;
use assay_refine::url_lists::UrlLists;
use assay_types::FaultKind;
use assay_types::recipe::{builtin, builtin_names};
use serde_json::{Value, json};

use crate::cli::VerifyArgs;
use crate::config;
use crate::console::Console;
use crate::exit::{Status, UsageError};
use crate::recipes;

/// Faults shown on a terminal; `--json` has all.
const FAULTS: usize = 20;

pub(super) fn run(args: &VerifyArgs, console: &Console) -> anyhow::Result<Status> {
    let dataset = Dataset::open(&args.dataset)?;
    let archives = assay_hub::resolve(&args.warc)?;
    let verified = recompute(args, &dataset, &archives)?;
    show(args, &verified, &Value::Null, console)
}

/// Recomputes a dataset's rows from archives.
pub(super) fn recompute(
    args: &VerifyArgs,
    dataset: &Dataset,
    archives: &[Source],
) -> anyhow::Result<Verified> {
    let open = config::open_options();
    let declared = dataset
        .manifest
        .units
        .first()
        .map(|unit| unit.recipe_id.to_string());
    let name = args
        .recipe
        .clone()
        .or(declared)
        .unwrap_or_else(|| "fineweb-en-v1".to_owned());
    let engine = recipes::engine(&name, args.url_lists.as_deref())
        .with_context(|| format!("recipe of `{}`", args.dataset.display()))?;
    let others: Vec<Engine> = builtin_names()
        .into_iter()
        .filter_map(builtin)
        .filter_map(|recipe| Engine::new(recipe, &UrlLists::default()).ok())
        .collect();
    let job = VerifyJob {
        dataset,
        archives,
        open: &open,
        engine: &engine,
        others: &others,
        sample: sample(&args.sample)?,
        seed: args.seed,
        prefix: args.prefix,
        threads: super::threads(args.threads),
    };
    Ok(local::verify(&job)?)
}

fn sample(text: &str) -> anyhow::Result<Sample<'static>> {
    if text == "all" {
        return Ok(Sample::All);
    }
    if let Ok(rows @ 1..) = text.parse() {
        return Ok(Sample::Rows(rows));
    }
    let help = "give a number of rows from 1 on, or `all`";
    Err(UsageError::new(format!("`--sample {text}`"), help).into())
}

/// Prints what was found, files the proofs, and gives the status; `target` says where the dataset came from.
pub(super) fn show(
    args: &VerifyArgs,
    verified: &Verified,
    target: &Value,
    console: &Console,
) -> anyhow::Result<Status> {
    let ok = verified.faults.is_empty();
    let mut proof_file = None;
    if !ok {
        let mut proofs = Vec::new();
        for proof in &verified.proofs {
            proofs.push(serde_json::from_slice::<serde_json::Value>(
                &proof.to_canonical_bytes()?,
            )?);
        }
        let report = json!({ "schema": "assay.fraud-proofs/1", "faults": verified.faults, "proofs": proofs });
        match local::write_atomically(&args.proof, &serde_json::to_vec_pretty(&report)?) {
            Ok(()) => proof_file = Some(args.proof.clone()),
            // What was found matters more than where it is filed.
            Err(error) => console.note(&format!("warning: the fraud proofs are not written: {error}")),
        }
    }
    let kinds = kinds(verified);
    let mut data = json!({
        "units": verified.units,
        "checked": verified.checked,
        "faults": verified.faults,
        "fault_counts": kinds.iter().map(|(kind, count)| (kind.name().to_owned(), *count)).collect::<std::collections::BTreeMap<_, _>>(),
        "proofs": verified.proofs.len(),
        "proof_file": proof_file,
    });
    if !target.is_null() {
        data["target"] = target.clone();
    }
    let hint = hint(verified);
    if let Some(hint) = &hint {
        data["hint"] = hint.as_str().into();
    }
    let filed = proof_file.as_deref();
    console.outcome("assay.verify/1", ok, &data, || {
        let hint = hint.map(|hint| format!("\nhint: {hint}\n"));
        text(verified, &kinds, filed) + &hint.unwrap_or_default()
    })?;
    Ok(if ok { Status::Ok } else { Status::CheckFailed })
}

/// What may explain the differences without anybody's fault.
fn hint(verified: &Verified) -> Option<String> {
    let first = verified.limited.first()?;
    let units = match verified.limited.len() as u64 {
        1 => format!("unit {first} was"),
        several => format!("unit {first} and {} were", report::counted(several - 1, "other")),
    };
    Some(format!(
        "{units} made with `--limit`, of the beginning of an archive: `assay verify … --prefix` verifies what is there"
    ))
}

fn kinds(verified: &Verified) -> Vec<(FaultKind, u64)> {
    let count = |kind| verified.faults.iter().filter(|fault| fault.kind == kind).count() as u64;
    FaultKind::ALL
        .into_iter()
        .map(|kind| (kind, count(kind)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn text(verified: &Verified, kinds: &[(FaultKind, u64)], proof_file: Option<&Path>) -> String {
    let mut out = String::new();
    let (units, checked) = (
        report::counted(verified.units, "unit"),
        report::counted(verified.checked, "record"),
    );
    if kinds.is_empty() {
        let _ = writeln!(out, "ok: {checked} of {units} recomputed, no difference");
        return out;
    }
    let _ = writeln!(
        out,
        "{} in {checked} of {units}\n",
        report::counted(verified.faults.len() as u64, "difference")
    );
    for (kind, count) in kinds {
        let _ = writeln!(
            out,
            "{:>9}  {:<17} {}",
            report::count(*count),
            kind.name(),
            kind.explanation()
        );
    }
    let _ = writeln!(out);
    for fault in verified.faults.iter().take(FAULTS) {
        let _ = writeln!(out, "{fault}");
    }
    if verified.faults.len() > FAULTS {
        let _ = writeln!(out, "… and {} more", verified.faults.len() - FAULTS);
    }
    if let Some(file) = proof_file {
        let _ = writeln!(
            out,
            "\n{} fraud proofs in {}",
            verified.proofs.len(),
            file.display()
        );
    }
    out
}
