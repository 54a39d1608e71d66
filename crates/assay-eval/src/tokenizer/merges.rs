//! The list of merges: read from its artifact, checked, looked up by pair.
//!
//! The artifact is one `(left, right)` pair of u16, little-endian, a merge, in order of rank: 7,164 bytes.

use super::{FIRST_MERGE, TokenId, VOCABULARY};
use thiserror::Error;

/// Merges of the vocabulary.
pub const MERGES: usize = (VOCABULARY - FIRST_MERGE) as usize;

/// Bytes of one merge in the artifact.
const MERGE_BYTES: usize = 4;

/// The merges in service: trained on 33,631,938 bytes of English text (docs/evaluation.md; SHA-256
/// 6b05c52a3972c13685984fbea39b7b93ce557b9119d87cd1c33fff880c601f81, a test compares).
static ARTIFACT: &[u8] = include_bytes!("merges.bin");

/// Why bytes are no list of merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MergeError {
    /// Not whole pairs, or more than [`MERGES`].
    #[error("`{0}` bytes are no list of at most {MERGES} merges of {MERGE_BYTES} bytes")]
    Length(usize),
    /// A merge of the start id or of an id that is made later.
    #[error("merge `{0}` joins ids that do not exist before it")]
    Order(usize),
    /// A merge that stands twice.
    #[error("merge `{0}` repeats an earlier one")]
    Repeated(usize),
}

/// Merges by pair.
#[derive(Debug, Clone)]
pub struct Merges {
    /// `(right, id)` of every merge, grouped by left id, ascending by right.
    by_left: Vec<(TokenId, TokenId)>,
    /// Where a left id's group starts; one more entry than ids.
    starts: Vec<u32>,
    pairs: Vec<(TokenId, TokenId)>,
}

impl Merges {
    /// The merges of the profile, `ARTIFACT`.
    pub fn v1() -> Self {
        // A damaged artifact would be caught by the test of its digest; the list is then empty and ids are bytes.
        Self::parse(ARTIFACT).unwrap_or_else(|_| Self::of(Vec::new()))
    }

    /// Reads an artifact.
    ///
    /// # Errors
    /// [`MergeError`]: the rule that is broken and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, MergeError> {
        let (chunks, rest) = bytes.as_chunks::<MERGE_BYTES>();
        if !rest.is_empty() || chunks.len() > MERGES {
            return Err(MergeError::Length(bytes.len()));
        }
        let pairs: Vec<(u16, u16)> = chunks
            .iter()
            .map(|[a, b, c, d]| (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d])))
            .collect();
        for (rank, (left, right)) in pairs.iter().enumerate() {
            let exists = |id: u16| id > 0 && usize::from(id) < usize::from(FIRST_MERGE) + rank;
            if !exists(*left) || !exists(*right) {
                return Err(MergeError::Order(rank));
            }
        }
        let mut sorted: Vec<(&(u16, u16), usize)> = pairs.iter().zip(0..).collect();
        sorted.sort_unstable();
        for neighbours in sorted.windows(2) {
            if let [(a, _), (b, rank)] = neighbours
                && a == b
            {
                return Err(MergeError::Repeated(*rank));
            }
        }
        Ok(Self::of(pairs))
    }

    fn of(pairs: Vec<(TokenId, TokenId)>) -> Self {
        let mut all: Vec<(u16, u16, u16)> = pairs
            .iter()
            .zip(FIRST_MERGE..)
            .map(|(&(left, right), id)| (left, right, id))
            .collect();
        all.sort_unstable();
        let starts = (0..=VOCABULARY)
            .map(|left| all.partition_point(|merge| merge.0 < left) as u32)
            .collect();
        Self {
            by_left: all.into_iter().map(|(_, right, id)| (right, id)).collect(),
            starts,
            pairs,
        }
    }

    /// The id that a pair merges into; a smaller id has the lower rank.
    pub fn merged(&self, left: TokenId, right: TokenId) -> Option<TokenId> {
        let left = usize::from(left);
        let start = *self.starts.get(left)? as usize;
        let end = *self.starts.get(left + 1)? as usize;
        let group = self.by_left.get(start..end)?;
        let at = group.binary_search_by_key(&right, |merge| merge.0).ok()?;
        group.get(at).map(|merge| merge.1)
    }

    /// The pairs in order of rank.
    pub fn pairs(&self) -> &[(TokenId, TokenId)] {
        &self.pairs
    }

    /// The artifact's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pairs
            .iter()
            .flat_map(|(left, right)| [left.to_le_bytes(), right.to_le_bytes()].concat())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest as _;

    #[test]
    fn the_artifact_is_the_pinned_one() {
        let digest = assay_types::hex::encode(&sha2::Sha256::digest(ARTIFACT));
        assert_eq!(
            digest,
            "6b05c52a3972c13685984fbea39b7b93ce557b9119d87cd1c33fff880c601f81"
        );
        let merges = Merges::parse(ARTIFACT).unwrap();
        assert_eq!(merges.to_bytes(), ARTIFACT);
        assert_eq!(merges.pairs().len(), MERGES);
        assert_eq!(merges.merged(33, 117), Some(257));
        assert_eq!(merges.merged(33, 121), Some(2_047));
        assert_eq!(merges.merged(117, 33), Merges::v1().merged(117, 33));
    }

    #[test]
    fn other_bytes_say_what_is_wrong() {
        let of = |pairs: &[(u16, u16)]| Merges::parse(&Merges::of(pairs.to_vec()).to_bytes()).map(|_| ());
        assert_eq!(Merges::parse(&[1, 0, 1]).map(|_| ()), Err(MergeError::Length(3)));
        assert_eq!(of(&[(1, 2), (0, 3)]), Err(MergeError::Order(1)));
        assert_eq!(of(&[(1, 257)]), Err(MergeError::Order(0)));
        assert_eq!(of(&[(1, 2), (3, 4), (1, 2)]), Err(MergeError::Repeated(2)));
        assert_eq!(of(&[(1, 2), (257, 4)]), Ok(()));
        assert_eq!(
            of(&[(1, 2); MERGES + 1]),
            Err(MergeError::Length(4 * (MERGES + 1)))
        );
    }
}
