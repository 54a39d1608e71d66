//! The digests that bind files, units and a whole submission (mechanism §6.4).
//!
//! Files' sizes and SHA-256 and ledger roots come in; the submission root goes to the manifest and the chain.

use crate::hash::{Digest, tagged_hash};
use crate::ids::{Hotkey, NetUid, RecipeId, Round, UnitId};
use crate::manifest::{DocsEntry, FileEntry};
use crate::merkle::MerkleTree;

/// First byte of a unit root's preimage.
const UNIT_PREFIX: u8 = 0x02;

/// First byte of a submission root's preimage.
const SUBMISSION_PREFIX: u8 = 0x03;

/// `H("assay/files/1", for bands, then docs by path: path ‖ 0x00 ‖ bytes ‖ sha256)`.
///
/// The docs are hashed by ascending path whatever their order here.
pub fn files_digest(bands: &FileEntry, docs: &[DocsEntry]) -> Digest {
    let mut docs: Vec<&DocsEntry> = docs.iter().collect();
    docs.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    let docs = docs.into_iter().map(|file| (&file.path, file.bytes, file.sha256));
    let mut preimage = Vec::new();
    for (path, bytes, sha256) in std::iter::once((&bands.path, bands.bytes, bands.sha256)).chain(docs) {
        preimage.extend_from_slice(path.as_bytes());
        preimage.push(0);
        preimage.extend_from_slice(&bytes.0.to_le_bytes());
        preimage.extend_from_slice(sha256.as_bytes());
    }
    tagged_hash("assay/files/1", &[&preimage])
}

/// What a unit root is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitRootParts {
    /// The archive.
    pub unit_id: UnitId,
    /// The recipe.
    pub recipe_id: RecipeId,
    /// Rows of the ledger.
    pub n_records: u32,
    /// Kept rows.
    pub n_kept: u32,
    /// Root over the ledger's leaves.
    pub ledger_root: Digest,
    /// [`files_digest`] of bands and docs.
    pub files_digest: Digest,
}

/// U = BLAKE3(`0x02 ‖ unit_id ‖ recipe_id ‖ n_records ‖ n_kept ‖ ledger_root ‖ files_digest`).
pub fn unit_root(parts: &UnitRootParts) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&[UNIT_PREFIX])
        .update(parts.unit_id.as_bytes())
        .update(parts.recipe_id.as_bytes())
        .update(&parts.n_records.to_le_bytes())
        .update(&parts.n_kept.to_le_bytes())
        .update(parts.ledger_root.as_bytes())
        .update(parts.files_digest.as_bytes());
    Digest(*hasher.finalize().as_bytes())
}

/// Whose submission of which round a root belongs to; all zero in local runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Submitter {
    /// The subnet.
    pub netuid: NetUid,
    /// The round.
    pub round: Round,
    /// The miner.
    pub hotkey: Hotkey,
}

/// BLAKE3(`0x03 ‖ netuid ‖ round ‖ hotkey ‖ n_units ‖ MTH(U in ascending unit_id)`).
///
/// `unit_roots` must already be in ascending order of unit id; `Manifest::validate` checks that.
pub fn submission_root(by: &Submitter, unit_roots: &[Digest]) -> Digest {
    submission_root_over(by, unit_roots.len() as u32, &MerkleTree::root(unit_roots))
}

/// The submission root over a tree of `n_units` whose root is already known, as a proof has it.
pub fn submission_root_over(by: &Submitter, n_units: u32, units_root: &Digest) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&[SUBMISSION_PREFIX])
        .update(&by.netuid.0.to_le_bytes())
        .update(&by.round.0.to_le_bytes())
        .update(by.hotkey.as_bytes())
        .update(&n_units.to_le_bytes())
        .update(units_root.as_bytes());
    Digest(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Sha256Digest;
    use crate::ids::Bytes;

    #[test]
    fn the_roots_of_the_worked_example() {
        let ledger_root = "880ff97f6adc1bd4d663f6855acde4f00fb97d3e017ae1a288c170861bc66c87";
        let unit = unit_root(&UnitRootParts {
            unit_id: UnitId::of("cc", "EXAMPLE/00000"),
            recipe_id: RecipeId(Digest([0x33; 32])),
            n_records: 3,
            n_kept: 1,
            ledger_root: ledger_root.parse().unwrap(),
            files_digest: Digest([0x44; 32]),
        });
        assert_eq!(
            unit.to_string(),
            "997a7c38f3b03751f1f196f009a2cf6e6d2754c4bad81bd371116975a8c35a36"
        );
        let by = Submitter {
            netuid: NetUid(7),
            round: Round(12),
            hotkey: Hotkey([1; 32]),
        };
        let root = submission_root(&by, &[unit]).to_string();
        assert_eq!(
            root,
            "f874a6effca0ad9e1247a499de9cd4fced5519a52c3b4738219d4d1518a9c7fc"
        );
    }

    #[test]
    fn files_are_hashed_by_path() {
        let bands = FileEntry {
            path: "bands".into(),
            bytes: Bytes(3),
            sha256: Sha256Digest([9; 32]),
        };
        let docs = |path: &str| DocsEntry {
            path: path.into(),
            bytes: Bytes(4),
            rows: 1,
            sha256: bands.sha256,
        };
        let (a, b) = (docs("a"), docs("b"));
        assert_eq!(
            files_digest(&bands, &[a.clone(), b.clone()]),
            files_digest(&bands, &[b, a.clone()])
        );
        assert_ne!(files_digest(&bands, &[a]), files_digest(&bands, &[]));
        let mut preimage = b"assay/files/1\0bands\0\x03\0\0\0\0\0\0\0".to_vec();
        preimage.extend([9; 32]);
        assert_eq!(files_digest(&bands, &[]), Digest::of(&preimage));
    }
}
