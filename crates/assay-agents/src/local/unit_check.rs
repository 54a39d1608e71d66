//! A unit's files and tables against its manifest entry, without any archive: what a consumer can check at once.
//!
//! Digests of the files, then ledger, bands and documents against each other and the Merkle root.

use assay_types::{Fault, FaultKind, ManifestUnit};

use super::dataset::Dataset;
use super::error::LocalError;
use super::verify::load;

/// Everything in which a unit's files differ from its entry; none if they are as the manifest says.
///
/// # Errors
/// If a file cannot be read for another reason than its content.
pub fn unit_faults(dataset: &Dataset, unit: &ManifestUnit) -> Result<Vec<Fault>, LocalError> {
    let unreadable = |found: String| Fault {
        kind: FaultKind::Unreadable,
        unit: unit.unit_id,
        idx: None,
        offset: None,
        expected: "readable tables where the format puts them".to_owned(),
        found,
    };
    if let Err(error) = unit.check_paths() {
        return Ok(vec![unreadable(error.to_string())]);
    }
    let mut faults = dataset.file_faults(unit)?;
    match load(dataset, unit) {
        Ok(mut tables) => faults.extend(tables.take_faults()),
        Err(error @ LocalError::Table { .. }) => faults.push(unreadable(error.to_string())),
        Err(error) => return Err(error),
    }
    Ok(faults)
}
