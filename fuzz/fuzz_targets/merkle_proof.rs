//! Any bytes as place, size, leaf and Merkle proof: a proof holds for its root and for no other leaf.

#![no_main]

use assay_types::{Digest, MerkleProof};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((numbers, rest)) = data.split_first_chunk::<16>() else { return };
    let index = u64::from_le_bytes(numbers[..8].try_into().unwrap());
    let n = u64::from_le_bytes(numbers[8..].try_into().unwrap());
    let Some((leaf, rest)) = rest.split_first_chunk::<32>() else { return };
    let Ok(proof) = MerkleProof::parse(rest) else { return };
    assert_eq!(proof.encode(), rest);
    let leaf = Digest(*leaf);
    if let Some(root) = proof.root_from(&leaf, index, n) {
        assert!(proof.verify(&leaf, index, n, &root));
        let mut other = leaf;
        other.0[0] ^= 1;
        assert!(!proof.verify(&other, index, n, &root));
    }
});
