//! Before a round is signed: what could not be read of a remote archive is fetched once more.
//!
//! ```text
//! rows whose bytes are no record ─► fetched again ─► the same bytes: the archive is like that
//!                                              └──► others: the unit is refined anew
//! ```
//!
//! gzip's checksum and the WARC frame find bytes that a network has spoiled, but they leave a row like damage in the archive
//! itself. Which of the two it is only a second reading tells. An archive of another length than the corpus index has is not
//! the one that was assigned.

use std::path::Path;

use assay_hub::{OpenOptions, Source};
use assay_types::{Manifest, ManifestUnit, Reason};
use fs_err as fs;

use crate::local::{Dataset, LocalError, is_steady, range_digest};
use crate::subnet::{AgentError, Setup};

/// Rows of a unit that are fetched again; where more are broken, it is the archive.
const ROWS_MAX: usize = 256;

/// Holds each unit against its archive as far as [`self`] says.
///
/// # Errors
/// [`LocalError::Unsteady`] after the unit was dropped: the next try fetches it anew. [`AgentError::Unexpected`] for an archive
/// of another length. What reading says.
pub(super) fn check(
    (setup, folder): (&Setup, &Path),
    manifest: &Manifest,
    sources: &[Source],
) -> Result<(), AgentError> {
    let dataset = Dataset::of(folder, manifest.clone());
    for unit in &manifest.units {
        check_length(setup, unit)?;
        let named = |source: &&Source| source.source == unit.source && source.path == unit.warc_path;
        let Some(archive) = sources.iter().find(named).filter(|archive| !is_steady(archive)) else {
            continue;
        };
        let Some(offset) = differing(&dataset, unit, (archive, setup.open()))? else {
            continue;
        };
        let unit = folder.join("units").join(unit.unit_id.to_string());
        fs::remove_dir_all(&unit).map_err(AgentError::file(&unit))?;
        return Err(AgentError::Local(LocalError::Unsteady {
            input: archive.name.clone(),
            offset,
        }));
    }
    Ok(())
}

fn check_length(setup: &Setup, unit: &ManifestUnit) -> Result<(), AgentError> {
    match setup.unit(&unit.unit_id) {
        Some(known) if known.bytes != unit.warc_len => Err(AgentError::Unexpected {
            what: "archive",
            reason: format!(
                "`{}` has {} bytes, the corpus index says {}",
                unit.warc_path, unit.warc_len, known.bytes
            ),
        }),
        _ => Ok(()),
    }
}

/// Where an unreadable row has other bytes now.
fn differing(
    dataset: &Dataset,
    unit: &ManifestUnit,
    place: (&Source, &OpenOptions),
) -> Result<Option<u64>, LocalError> {
    let ledger = dataset.ledger(unit)?;
    let broken = ledger.iter().filter(|row| row.reason == Reason::Malformed);
    for row in broken.take(ROWS_MAX) {
        if range_digest(place, (row.offset, u64::from(row.length)))? != row.record_digest {
            return Ok(Some(row.offset));
        }
    }
    Ok(None)
}
