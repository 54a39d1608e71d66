//! Finished and half-trained models as files: written whole, read back only if they are what was written.
//!
//! A file lies under the digest of everything its model depends on. What another version or a failing disk left there is not
//! trusted: bits of a document that are missing would count as none.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use assay_eval::transformer::run::Finished;
use assay_types::{Digest, tagged_hash};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::local::LocalError;
use crate::local::output::write_atomically;

/// Most bytes of a kept file that are read.
const KEPT_BYTES_MAX: u64 = 256 << 20;

/// Version of a finished cell's file.
pub(super) const CELL_VERSION: u32 = 3;

/// A finished cell as it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub(super) version: u32,
    pub(super) bits: Vec<u64>,
    /// Losses as the bits of f64: decimal places would come back rounded.
    pub(super) curve: Vec<u64>,
    /// Bits of the options of benchmarks.
    pub(super) answers: Vec<u64>,
    /// Over key, bits, curve and answers.
    pub(super) digest: Digest,
}

impl Kept {
    pub(super) fn digest_of(key: &Digest, [bits, curve, answers]: [&[u64]; 3]) -> Digest {
        let bytes =
            |values: &[u64]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
        tagged_hash(
            "assay/kept-cell/2",
            &[key.as_bytes(), &bytes(bits), &bytes(curve), &bytes(answers)],
        )
    }

    /// Whether its digest is that of what it holds.
    fn is_of(&self, key: &Digest) -> bool {
        self.digest == Self::digest_of(key, [&self.bits, &self.curve, &self.answers])
    }
}

/// A kept model as it was found.
pub(super) enum Found {
    /// As it was written.
    Whole(Finished),
    /// There is a file, but not one that this build wrote for this model.
    Damaged(PathBuf),
    /// There is none.
    Nothing,
}

fn finished_path(folder: &Path, key: &Digest) -> PathBuf {
    folder.join(format!("{key}.json"))
}

pub(super) fn snapshot_path(folder: &Path, key: &Digest) -> PathBuf {
    folder.join(format!("{key}.safetensors"))
}

/// Removes what a finished model was continued from.
pub(super) fn remove_snapshot(folder: &Path, key: &Digest) -> Result<(), LocalError> {
    let path = snapshot_path(folder, key);
    if path.exists() {
        fs::remove_file(&path).map_err(LocalError::io(&path))?;
    }
    Ok(())
}

/// A kept file's bytes; none if it cannot be read whole: then the work is done again.
pub(super) fn read_bounded(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).ok()?;
    let length = file.take(KEPT_BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
    (length as u64 <= KEPT_BYTES_MAX).then_some(bytes)
}

/// A kept model with bits of `documents` held-out documents and `passages` options of benchmarks. A file that another build or a failing disk left is not trusted: bits of a
/// document that are missing would count as none.
pub(super) fn read_finished(folder: &Path, key: &Digest, (documents, passages): (usize, usize)) -> Found {
    let path = finished_path(folder, key);
    if !path.exists() {
        return Found::Nothing;
    }
    let kept = read_bounded(&path).and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
    let is_whole = |kept: &Kept| {
        kept.version == CELL_VERSION
            && kept.bits.len() == documents
            && kept.answers.len() == passages
            && kept.is_of(key)
    };
    match kept.filter(is_whole) {
        Some(kept) => Found::Whole(Finished {
            bits: kept.bits,
            curve: kept.curve.iter().map(|loss| f64::from_bits(*loss)).collect(),
            answers: kept.answers,
        }),
        None => Found::Damaged(path),
    }
}

pub(super) fn write_finished(folder: &Path, key: &Digest, finished: &Finished) -> Result<(), LocalError> {
    let curve: Vec<u64> = finished.curve.iter().map(|loss| loss.to_bits()).collect();
    let kept = Kept {
        version: CELL_VERSION,
        digest: Kept::digest_of(key, [&finished.bits, &curve, &finished.answers]),
        bits: finished.bits.clone(),
        curve,
        answers: finished.answers.clone(),
    };
    let path = finished_path(folder, key);
    let bytes = serde_json::to_vec(&kept).map_err(|source| LocalError::Io {
        path: path.clone(),
        source: source.into(),
    })?;
    write_atomically(&path, &bytes)
}
