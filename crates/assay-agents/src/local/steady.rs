//! Places of remote archives read until two readings agree: what a network spoils once is not what an archive holds.
//!
//! A length and an entity tag bind every answer ([`assay_hub::Ranges`]), but nothing vouches for the bytes of a range. Where
//! they fit what is claimed of them one reading will do; where they do not, somebody would be blamed, so they are read again.

use assay_hub::{HubError, Input, OpenOptions, Ranges, Source};

use super::error::LocalError;

/// Readings of one range before its source counts as unsteady.
const READINGS_MAX: usize = 3;

/// Bytes read at once where a long range is only hashed.
const PIECE_BYTES: u64 = 4 << 20;

/// The bytes of a range, if `fits` or as two readings agree on them.
///
/// # Errors
/// [`LocalError::Unsteady`] if no two of three readings agree; what reading says.
pub(super) fn range(
    (archive, open): (&Source, &OpenOptions),
    (offset, len): (u64, u64),
    fits: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, LocalError> {
    let mut readings: Vec<Vec<u8>> = Vec::new();
    for _ in 0..READINGS_MAX {
        let bytes = assay_hub::open_range(archive, open, offset, len)?;
        if is_steady(archive) || fits(&bytes) || readings.contains(&bytes) {
            return Ok(bytes);
        }
        readings.push(bytes);
    }
    Err(LocalError::Unsteady {
        input: archive.name.clone(),
        offset,
    })
}

/// BLAKE3 (16 bytes) of a range of any length, read once more.
///
/// # Errors
/// What reading says.
pub(crate) fn digest(
    (archive, open): (&Source, &OpenOptions),
    (offset, len): (u64, u64),
) -> Result<assay_types::Digest16, HubError> {
    let mut ranges = Ranges::open(archive, open)?;
    let mut hasher = blake3::Hasher::new();
    let mut at = 0;
    while at < len {
        let piece = (len - at).min(PIECE_BYTES);
        hasher.update(&ranges.read(offset + at, piece)?);
        at += piece;
    }
    Ok(assay_types::Digest(*hasher.finalize().as_bytes()).truncated())
}

/// Whether a source gives the same bytes each time: what is on this machine.
pub(crate) fn is_steady(archive: &Source) -> bool {
    !matches!(archive.input, Input::Url(_))
}
