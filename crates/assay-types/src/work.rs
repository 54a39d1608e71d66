//! The corpus index: which archives are work, and how large each is.
//!
//! The owner builds it and puts its root into the parameter set; assignment takes [`WorkUnit`]s from it and
//! verification the true length of an archive (mechanism §5, §6.4).

use crate::hash::Digest;
use crate::ids::{Bytes, UnitId};
use crate::merkle::MerkleTree;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// First byte of a corpus index leaf's preimage.
const CORPUS_PREFIX: u8 = 0x04;

/// Most bytes of `<source>:<path>`, the range of its length field.
pub const WORK_NAME_BYTES_MAX: usize = u16::MAX as usize;

/// Why an archive cannot be work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WorkUnitError {
    /// The name does not fit the leaf's length field.
    #[error("`source:path` of `{found}` bytes is longer than {WORK_NAME_BYTES_MAX}")]
    TooLong {
        /// Bytes of the name.
        found: usize,
    },
    /// An empty source, or one with a colon, which would make the name ambiguous.
    #[error("source `{0}` is empty or holds a colon")]
    Source(String),
}

/// One archive as a piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkUnit {
    /// `H16("assay/unit/1", "<source>:<path>")`.
    pub unit_id: UnitId,
    /// Where the archive comes from, such as `cc`.
    pub source: String,
    /// Path of the archive in its source.
    pub path: String,
    /// Length of the archive.
    pub bytes: Bytes,
}

impl WorkUnit {
    /// The unit of an archive.
    ///
    /// # Errors
    /// [`WorkUnitError`] if the name is too long or the source is empty or holds a colon.
    pub fn new(source: &str, path: &str, bytes: Bytes) -> Result<Self, WorkUnitError> {
        if source.is_empty() || source.contains(':') {
            return Err(WorkUnitError::Source(source.chars().take(64).collect()));
        }
        let found = source.len() + 1 + path.len();
        if found > WORK_NAME_BYTES_MAX {
            return Err(WorkUnitError::TooLong { found });
        }
        Ok(Self {
            unit_id: UnitId::of(source, path),
            source: source.to_owned(),
            path: path.to_owned(),
            bytes,
        })
    }

    /// BLAKE3(`0x04 ‖ unit_id ‖ bytes ‖ len ‖ "<source>:<path>"`).
    pub fn leaf(&self) -> Digest {
        let name_len = (self.source.len() + 1 + self.path.len()) as u16;
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&[CORPUS_PREFIX])
            .update(self.unit_id.as_bytes())
            .update(&self.bytes.0.to_le_bytes())
            .update(&name_len.to_le_bytes())
            .update(self.source.as_bytes())
            .update(b":")
            .update(self.path.as_bytes());
        Digest(*hasher.finalize().as_bytes())
    }
}

/// The root over the leaves of `units` in their order.
pub fn corpus_index_root(units: &[WorkUnit]) -> Digest {
    MerkleTree::root(&units.iter().map(WorkUnit::leaf).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leaf_binds_name_and_length() {
        let unit = WorkUnit::new("cc", "EXAMPLE/00000", Bytes(1_000)).unwrap();
        assert_eq!(unit.unit_id.to_string(), "e99f5853d11aa41fcfce6a9a3c0f07ac");
        let mut preimage = vec![4];
        preimage.extend_from_slice(unit.unit_id.as_bytes());
        preimage.extend_from_slice(&1_000_u64.to_le_bytes());
        preimage.extend_from_slice(&[16, 0]);
        preimage.extend_from_slice(b"cc:EXAMPLE/00000");
        assert_eq!(unit.leaf(), Digest::of(&preimage));
        let longer = WorkUnit {
            bytes: Bytes(1_001),
            ..unit.clone()
        };
        assert_ne!(longer.leaf(), unit.leaf());
        assert_eq!(corpus_index_root(std::slice::from_ref(&unit)), unit.leaf());
        assert_eq!(corpus_index_root(&[]), Digest::ZERO);
    }

    #[test]
    fn ambiguous_and_endless_names_are_refused() {
        let error = WorkUnit::new("c:c", "x", Bytes(1)).unwrap_err();
        assert_eq!(error, WorkUnitError::Source("c:c".into()));
        assert!(WorkUnit::new("", "x", Bytes(1)).is_err());
        let longest = "x".repeat(WORK_NAME_BYTES_MAX - 3);
        assert!(WorkUnit::new("cc", &longest, Bytes(1)).is_ok());
        assert!(WorkUnit::new("ccc", &longest, Bytes(1)).is_err());
    }
}
