//! Byte probes: whether the record that begins at or behind a drawn byte of the archive has a row.
//!
//! Nothing the dataset says steers the bytes, so a ledger that leaves records out is found by their size (mechanism §7.1).

use std::collections::BTreeSet;

use assay_hub::Source;
use assay_refine::verify::UnitTables;
use assay_refine::warc::{Compression, first_record};
use assay_types::{Fault, FaultKind};

use super::error::LocalError;
use super::steady;
use super::verify::{InRange, Places, VerifyJob, record_of};

/// Records of the archive that begin behind drawn bytes and have no row, each once.
pub(super) fn hidden(
    job: &VerifyJob<'_>,
    tables: &UnitTables,
    (archive, compression): (&Source, Compression),
    places: &Places,
) -> Result<Vec<Fault>, LocalError> {
    let Some(bytes) = archive.bytes else {
        return Ok(Vec::new());
    };
    let starts: BTreeSet<u64> = tables.ledger.iter().map(|row| row.offset).collect();
    let mut missing = BTreeSet::new();
    for &offset in places.offsets.iter().filter(|&&offset| offset < bytes) {
        let len = places.window_bytes.min(bytes - offset);
        let has_row = |window: &[u8]| {
            first_record(window, compression).is_some_and(|at| starts.contains(&(offset + at as u64)))
        };
        let window = steady::range((archive, job.open), (offset, len), has_row)?;
        if let Some(at) = first_record(&window, compression) {
            let start = offset + at as u64;
            if !starts.contains(&start) && !is_inside_a_record(job, tables, (archive, compression), start)? {
                missing.insert(start);
            }
        }
    }
    let fault = |offset: u64| Fault {
        kind: FaultKind::RowHidden,
        unit: tables.entry.unit_id,
        idx: None,
        offset: Some(offset),
        expected: format!("a row for the record at byte {offset}"),
        found: "none".to_owned(),
    };
    Ok(missing.into_iter().map(fault).collect())
}

/// Whether a byte lies within a row's range that holds one record and no other: then a page only holds what looks like a
/// record.
fn is_inside_a_record(
    job: &VerifyJob<'_>,
    tables: &UnitTables,
    (archive, compression): (&Source, Compression),
    at: u64,
) -> Result<bool, LocalError> {
    let behind = tables.ledger.partition_point(|row| row.offset <= at);
    let row = behind.checked_sub(1).and_then(|place| tables.ledger.get(place));
    let Some(row) = row.filter(|row| at < row.end()) else {
        return Ok(false);
    };
    let found = record_of(job, archive, compression, row)?;
    Ok(matches!(found, InRange::Record(_, 0)))
}
