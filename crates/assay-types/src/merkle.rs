//! Merkle trees of the shape of RFC 6962 over BLAKE3, with proofs of membership.
//!
//! Leaf digests come from `ledger.rs` (rows) and `roots.rs` (units); roots go into manifests and onto the chain,
//! proofs into fraud proofs. Inner node = BLAKE3(`0x01 ‖ left ‖ right`); the left part of `n` leaves is the
//! largest power of two below `n`; nothing is duplicated; the empty tree is 32 zero bytes (mechanism §6.4).

use crate::hash::Digest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Most siblings a proof may hold: a tree of 2^64 leaves needs no more.
pub const PROOF_SIBLINGS_MAX: usize = 64;

/// First byte of every inner node's preimage.
const NODE_PREFIX: u8 = 0x01;

/// Why a list of bytes or digests is no proof.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MerkleError {
    /// More siblings than any tree needs.
    #[error("proof of `{found}` siblings is longer than {PROOF_SIBLINGS_MAX}")]
    TooLong {
        /// Siblings given.
        found: usize,
    },
    /// Proof bytes are not whole digests.
    #[error("proof of `{found}` bytes is not a multiple of 32")]
    Ragged {
        /// Bytes given.
        found: usize,
    },
}

/// The parent of two nodes.
fn node(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&[NODE_PREFIX])
        .update(left.as_bytes())
        .update(right.as_bytes());
    Digest(*hasher.finalize().as_bytes())
}

/// The largest power of two below `n`, for `n` ≥ 2.
fn left_len(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}

/// A tree that exists only as its leaves: all nodes are recomputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MerkleTree;

impl MerkleTree {
    /// The root over `leaves` in order; 32 zero bytes if there are none.
    pub fn root(leaves: &[Digest]) -> Digest {
        let mut builder = MerkleBuilder::default();
        for leaf in leaves {
            builder.push(*leaf);
        }
        builder.root()
    }

    /// The siblings that lead from `leaves[index]` to the root; none if there is no such leaf.
    pub fn proof(leaves: &[Digest], index: u64) -> Option<MerkleProof> {
        let mut siblings = Vec::new();
        let mut rest = leaves;
        let mut at = usize::try_from(index).ok().filter(|&at| at < leaves.len())?;
        while rest.len() > 1 {
            let (left, right) = rest.split_at(usize::try_from(left_len(rest.len() as u64)).ok()?);
            if at < left.len() {
                siblings.push(Self::root(right));
                rest = left;
            } else {
                siblings.push(Self::root(left));
                at -= left.len();
                rest = right;
            }
        }
        siblings.reverse();
        Some(MerkleProof { siblings })
    }
}

/// A root computed leaf by leaf, in memory logarithmic in the number of leaves.
#[derive(Debug, Clone, Default)]
pub struct MerkleBuilder {
    /// Roots of complete subtrees, largest first; their sizes are the set bits of `len`.
    peaks: Vec<Digest>,
    len: u64,
}

impl MerkleBuilder {
    /// Appends a leaf.
    pub fn push(&mut self, leaf: Digest) {
        let mut top = leaf;
        for _ in 0..self.len.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                top = node(&left, &top);
            }
        }
        self.peaks.push(top);
        self.len += 1;
    }

    /// Leaves so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether no leaf was appended.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The root over the leaves so far.
    pub fn root(&self) -> Digest {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node(&left, &right))
            .unwrap_or_default()
    }
}

/// The siblings on the way from a leaf to the root, the leaf's own sibling first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Digest>", into = "Vec<Digest>")]
pub struct MerkleProof {
    siblings: Vec<Digest>,
}

impl MerkleProof {
    /// The proof whose siblings stand one after the other in `bytes`.
    ///
    /// # Errors
    /// [`MerkleError`] if the length is no multiple of 32 or above 64 siblings.
    pub fn parse(bytes: &[u8]) -> Result<Self, MerkleError> {
        let (siblings, ragged) = bytes.as_chunks::<32>();
        if !ragged.is_empty() {
            return Err(MerkleError::Ragged { found: bytes.len() });
        }
        siblings
            .iter()
            .copied()
            .map(Digest)
            .collect::<Vec<_>>()
            .try_into()
    }

    /// The siblings one after the other, 32 bytes each.
    pub fn encode(&self) -> Vec<u8> {
        self.siblings.iter().flat_map(|sibling| sibling.0).collect()
    }

    /// The siblings, nearest to the leaf first.
    pub fn siblings(&self) -> &[Digest] {
        &self.siblings
    }

    /// The root that `leaf` at `index` of `n` leaves has under this proof; none if the number of siblings does
    /// not fit that place of that tree.
    pub fn root_from(&self, leaf: &Digest, index: u64, n: u64) -> Option<Digest> {
        if index >= n {
            return None;
        }
        // Walk from the root down to learn on which side each sibling stands, then hash upwards.
        let (mut at, mut size) = (index, n);
        let mut leaf_is_left = Vec::new();
        while size > 1 {
            let left = left_len(size);
            leaf_is_left.push(at < left);
            if at < left {
                size = left;
            } else {
                at -= left;
                size -= left;
            }
        }
        if leaf_is_left.len() != self.siblings.len() {
            return None;
        }
        let sides = leaf_is_left.iter().rev();
        Some(
            self.siblings
                .iter()
                .zip(sides)
                .fold(*leaf, |below, (sibling, &is_left)| {
                    if is_left {
                        node(&below, sibling)
                    } else {
                        node(sibling, &below)
                    }
                }),
        )
    }

    /// Whether `leaf` is number `index` of the `n` leaves under `root`.
    pub fn verify(&self, leaf: &Digest, index: u64, n: u64, root: &Digest) -> bool {
        self.root_from(leaf, index, n).as_ref() == Some(root)
    }
}

impl TryFrom<Vec<Digest>> for MerkleProof {
    type Error = MerkleError;

    fn try_from(siblings: Vec<Digest>) -> Result<Self, MerkleError> {
        if siblings.len() > PROOF_SIBLINGS_MAX {
            return Err(MerkleError::TooLong {
                found: siblings.len(),
            });
        }
        Ok(Self { siblings })
    }
}

impl From<MerkleProof> for Vec<Digest> {
    fn from(proof: MerkleProof) -> Self {
        proof.siblings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(n: u64) -> Vec<Digest> {
        (0..n).map(|i| Digest::of(&i.to_le_bytes())).collect()
    }

    /// The definition of RFC 6962, by recursion.
    fn plain_root(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest::ZERO,
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&plain_root(left), &plain_root(right))
            }
        }
    }

    #[test]
    fn small_trees_follow_the_definition() {
        for n in 0..40 {
            assert_eq!(MerkleTree::root(&leaves(n)), plain_root(&leaves(n)), "{n} leaves");
        }
        assert_eq!(MerkleTree::root(&[]), Digest::ZERO);
        assert_eq!(MerkleTree::proof(&leaves(3), 3), None);
    }

    #[test]
    fn overlong_and_ragged_proofs_are_refused() {
        assert_eq!(
            MerkleProof::parse(&[0; 33]),
            Err(MerkleError::Ragged { found: 33 })
        );
        assert_eq!(
            MerkleProof::parse(&[0; 65 * 32]),
            Err(MerkleError::TooLong { found: 65 })
        );
        let deepest = MerkleProof::parse(&[0; 64 * 32]).unwrap();
        assert_eq!(deepest.root_from(&Digest::ZERO, 0, 2), None);
        assert!(deepest.root_from(&Digest::ZERO, 0, u64::MAX).is_some());
    }

    proptest! {
        #[test]
        fn a_proof_holds_for_its_leaf_and_for_nothing_else(n in 1_u64..70, pick in any::<u64>(), bit in any::<usize>()) {
            let leaves = leaves(n);
            let index = pick % n;
            let root = MerkleTree::root(&leaves);
            let proof = MerkleTree::proof(&leaves, index).unwrap();
            let leaf = leaves[index as usize];
            prop_assert!(proof.verify(&leaf, index, n, &root));
            prop_assert_eq!(MerkleProof::parse(&proof.encode()).unwrap(), proof.clone());
            prop_assert!(!proof.verify(&leaf, index + 1, n, &root));

            let mut other = leaf;
            other.0[bit / 8 % 32] ^= 1 << (bit % 8);
            prop_assert!(!proof.verify(&other, index, n, &root));
            let mut bytes = proof.encode();
            if !bytes.is_empty() {
                let at = bit / 8 % bytes.len();
                bytes[at] ^= 1 << (bit % 8);
                prop_assert!(!MerkleProof::parse(&bytes).unwrap().verify(&leaf, index, n, &root));
            }
        }
    }
}
