//! `assay dataset show`: the units of a dataset, and whether it is the one the chain names; exit status 4 if not.

use std::fmt::Write as _;

use assay_agents::local::Dataset;
use assay_refine::report;
use assay_types::{Manifest, ManifestUnit};
use serde_json::{Value, json};

use super::target::{self, Checked, Found};
use crate::cli::PublishedArgs;
use crate::console::Console;
use crate::exit::Status;

/// Units shown to people; `--json` has all.
const UNITS_SHOWN: usize = 50;

/// Characters of a digest in a table.
const DIGEST_SHOWN: usize = 12;

pub(super) fn run(args: &PublishedArgs, console: &Console) -> anyhow::Result<Status> {
    let (manifest, checked) = match target::wait(target::open(args))? {
        Found::Folder(path) => (Dataset::open(&path)?.manifest, None),
        Found::Published(checked) => (checked.published.manifest.clone(), Some(checked)),
    };
    let inconsistent = manifest.validate().err().map(|error| error.to_string());
    let ok = inconsistent.is_none()
        && checked
            .as_ref()
            .is_none_or(|checked| checked.differences.is_empty());
    let data = json!({
        "target": checked.as_ref().map(|checked| checked.to_json()),
        "round": manifest.round,
        "netuid": manifest.netuid,
        "hotkey": manifest.hotkey,
        "submission_root": manifest.submission_root,
        "licence": manifest.licence,
        "manifest_error": inconsistent,
        "documents": documents(&manifest),
        "tokens": tokens(&manifest),
        "units": manifest.units.iter().map(unit_json).collect::<Value>(),
    });
    console.outcome("assay.dataset-show/1", ok, &data, || {
        text(&manifest, checked.as_deref(), inconsistent.as_deref())
    })?;
    Ok(if ok { Status::Ok } else { Status::CheckFailed })
}

fn documents(manifest: &Manifest) -> u64 {
    manifest.units.iter().map(|unit| u64::from(unit.n_kept)).sum()
}

fn tokens(manifest: &Manifest) -> u64 {
    manifest
        .units
        .iter()
        .map(|unit| unit.n_tokens.0)
        .fold(0, u64::saturating_add)
}

/// Bytes of a unit's files.
fn bytes(unit: &ManifestUnit) -> u64 {
    let docs = unit.docs.iter().map(|docs| docs.bytes.0);
    docs.fold(
        unit.ledger.bytes.0.saturating_add(unit.bands.bytes.0),
        u64::saturating_add,
    )
}

fn unit_json(unit: &ManifestUnit) -> Value {
    json!({
        "unit_id": unit.unit_id,
        "source": unit.source,
        "warc_path": unit.warc_path,
        "recipe_id": unit.recipe_id,
        "records": unit.n_records,
        "documents": unit.n_kept,
        "tokens": unit.n_tokens,
        "bytes": bytes(unit),
    })
}

fn text(manifest: &Manifest, checked: Option<&Checked>, inconsistent: Option<&str>) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<DIGEST_SHOWN$}  {:>9}  {:>9}  {:>12}  {:>12}  archive",
        "unit", "records", "documents", "tokens", "bytes"
    );
    for unit in manifest.units.iter().take(UNITS_SHOWN) {
        let id: String = unit.unit_id.to_string().chars().take(DIGEST_SHOWN).collect();
        let _ = writeln!(
            out,
            "{id}  {:>9}  {:>9}  {:>12}  {:>12}  {}:{}",
            report::count(u64::from(unit.n_records)),
            report::count(u64::from(unit.n_kept)),
            report::count(unit.n_tokens.0),
            report::count(bytes(unit)),
            unit.source.escape_debug(),
            unit.warc_path.escape_debug(),
        );
    }
    if manifest.units.len() > UNITS_SHOWN {
        let _ = writeln!(out, "… and {} more", manifest.units.len() - UNITS_SHOWN);
    }
    let _ = writeln!(
        out,
        "\n{}, {}, {}; submission root {}",
        report::counted(manifest.units.len() as u64, "unit"),
        report::counted(documents(manifest), "document"),
        report::counted(tokens(manifest), "token"),
        manifest.submission_root
    );
    if let Some(error) = inconsistent {
        let _ = writeln!(out, "differs: {error}");
    }
    if let Some(checked) = checked {
        for difference in &checked.differences {
            let (expected, found) = (&difference.expected, &difference.found);
            let _ = writeln!(
                out,
                "differs: {}: expected {expected}, found {found}",
                difference.what
            );
        }
        let _ = writeln!(out, "{}", binding(checked));
    }
    out
}

/// What the roots prove, in one line.
fn binding(checked: &Checked) -> &'static str {
    match (&checked.pointer, checked.differences.is_empty()) {
        (Some(_), true) => "the manifest is the one that the pointer on the chain names",
        (Some(_), false) => "the manifest is not the one that the pointer on the chain names",
        (None, _) => "not held against a chain: give --pointer, or --from-hotkey and --netuid",
    }
}
