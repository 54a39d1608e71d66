//! The rules a manifest must keep beyond its keys and types.
//!
//! `Manifest::validate` calls this on foreign manifests before any path in them is opened.

use crate::ids::UnitId;
use crate::manifest::{Manifest, ManifestError, ManifestUnit, PROTOCOL};

/// Most bytes of an archive path or URL.
const WARC_PATH_BYTES_MAX: usize = 4_096;

/// Most bytes of a short text: source, licence, tool name and version.
const TEXT_BYTES_MAX: usize = 256;

/// Most files of documents of one unit: the numbers in their names have five digits.
const DOCS_FILES_MAX: usize = 100_000;

/// All rules, in the order protocol, texts, units, root.
pub(crate) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    if manifest.protocol != PROTOCOL {
        return Err(ManifestError::Protocol(manifest.protocol.clone()));
    }
    text("tool.name", &manifest.tool.name, TEXT_BYTES_MAX)?;
    text("tool.version", &manifest.tool.version, TEXT_BYTES_MAX)?;
    text("licence", &manifest.licence, TEXT_BYTES_MAX)?;
    if !manifest.tool.git.is_empty() {
        text("tool.git", &manifest.tool.git, TEXT_BYTES_MAX)?;
    }
    let mut before: Option<UnitId> = None;
    for unit in &manifest.units {
        if before.is_some_and(|before| before >= unit.unit_id) {
            return Err(ManifestError::Order(unit.unit_id));
        }
        before = Some(unit.unit_id);
        check_unit(unit)?;
    }
    same(
        "submission_root",
        &manifest.expected_root(),
        &manifest.submission_root,
    )
}

/// The rules of one unit.
fn check_unit(unit: &ManifestUnit) -> Result<(), ManifestError> {
    text("source", &unit.source, TEXT_BYTES_MAX)?;
    text("warc_path", &unit.warc_path, WARC_PATH_BYTES_MAX)?;
    same(
        "unit_id",
        &UnitId::of(&unit.source, &unit.warc_path),
        &unit.unit_id,
    )?;
    check_paths(unit)?;

    let id = unit.unit_id;
    let count = |what: String| Err(ManifestError::Count { unit: id, what });
    if unit.n_kept > unit.n_records {
        return count(format!("{} kept of {} records", unit.n_kept, unit.n_records));
    }
    let rows: u64 = unit.docs.iter().map(|docs| u64::from(docs.rows)).sum();
    if rows != u64::from(unit.n_kept) {
        return count(format!("{rows} rows in docs for {} kept records", unit.n_kept));
    }
    if unit.n_kept == 0 && unit.n_tokens.0 > 0 {
        return count(format!("{} tokens without a kept record", unit.n_tokens));
    }
    if unit.n_records == 0 && unit.warc_len.0 > 0 {
        return count(format!("{} bytes without a record", unit.warc_len));
    }
    same("unit_root", &unit.expected_root(), &unit.unit_root)
}

/// Ledger and bands have one place each; docs are numbered files beside them, in ascending order.
pub(crate) fn check_paths(unit: &ManifestUnit) -> Result<(), ManifestError> {
    let folder = format!("units/{}/", unit.unit_id);
    let wrong = |path: &str, name: &str| ManifestError::Path {
        unit: unit.unit_id,
        path: path.chars().take(TEXT_BYTES_MAX).collect(),
        expected: format!("{folder}{name}"),
    };
    for (path, name) in [
        (&unit.ledger.path, "ledger.parquet"),
        (&unit.bands.path, "bands.parquet"),
    ] {
        if path.strip_prefix(&folder) != Some(name) {
            return Err(wrong(path, name));
        }
    }
    if unit.docs.len() > DOCS_FILES_MAX {
        return Err(ManifestError::Count {
            unit: unit.unit_id,
            what: format!("{} docs files", unit.docs.len()),
        });
    }
    for (number, docs) in unit.docs.iter().enumerate() {
        let stem = format!("docs-{number:05}.");
        let ending = docs
            .path
            .strip_prefix(&folder)
            .and_then(|name| name.strip_prefix(&stem));
        if !ending.is_some_and(|ending| DOCS_ENDINGS.contains(&ending)) {
            return Err(wrong(&docs.path, &format!("{stem}parquet")));
        }
    }
    Ok(())
}

/// Endings of docs files; a round accepts only the first.
const DOCS_ENDINGS: [&str; 4] = ["parquet", "jsonl", "jsonl.gz", "jsonl.zst"];

/// Whether a text is not empty, short enough and free of control characters.
fn text(field: &'static str, value: &str, max: usize) -> Result<(), ManifestError> {
    if value.is_empty() || value.len() > max || value.chars().any(char::is_control) {
        return Err(ManifestError::Text { field, max });
    }
    Ok(())
}

/// Whether a digest is the expected one.
fn same<T>(field: &'static str, expected: &T, found: &T) -> Result<(), ManifestError>
where
    T: PartialEq + std::fmt::Display,
{
    if expected == found {
        return Ok(());
    }
    Err(ManifestError::Root {
        field,
        expected: expected.to_string(),
        found: found.to_string(),
    })
}
