//! MinHash signatures of word 5-grams: SHA-1 cut to 64 bits, 112 permutations, the minimum of each.
//!
//! Source: `get_signature` and `get_shingles` in `pipeline/dedup/minhash.py` of datatrove 0.10.1. Words of the normalised
//! text come from [`crate::text`]; signatures go to `bands` and `cluster`.
//!
//! Cost a shingle on one core of an AMD EPYC: SHA-1 60–80 ns; the permutations 440 ns as SSE2, 200 ns scalar, 70–100 ns as
//! AVX2, 43 ns as AVX-512 (whole signature with bands: 92 MB/s of text). So `pulp` chooses the instructions at run time; it is all integers, the result is the same.

use sha1::{Digest as _, Sha1};

use super::{HASHES, PRIME, SHINGLE_WORDS, constants};
use crate::text::words::Token;

/// The 112 minima, band after band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature([u64; HASHES]);

impl Signature {
    /// A signature of given minima.
    pub fn new(minima: [u64; HASHES]) -> Self {
        Self(minima)
    }

    /// The minima, band after band.
    pub fn minima(&self) -> &[u64; HASHES] {
        &self.0
    }
}

/// Computes signatures; holds the constants and buffers.
#[derive(Debug)]
pub struct MinHasher {
    a: [u64; HASHES],
    b: [u64; HASHES],
    /// The words joined by one space.
    joined: Vec<u8>,
    /// Byte after each word in `joined`.
    ends: Vec<usize>,
    /// Hash of each shingle.
    hashes: Vec<u64>,
    instructions: pulp::Arch,
}

impl Default for MinHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl MinHasher {
    /// A hasher with datatrove's constants (seed 1).
    pub fn new() -> Self {
        let (a, b) = constants();
        let instructions = pulp::Arch::new();
        Self {
            a,
            b,
            joined: Vec::new(),
            ends: Vec::new(),
            hashes: Vec::new(),
            instructions,
        }
    }

    /// The signature of a normalised text's tokens (white-space tokens are skipped); none under five words.
    pub fn signature(&mut self, text: &str, tokens: &[Token]) -> Option<Signature> {
        let words = tokens.iter().filter(|token| !token.is_space);
        self.signature_of_words(words.map(|token| token.text(text)))
    }

    /// The signature of a sequence of words; none under five words.
    pub fn signature_of_words<'a>(&mut self, words: impl Iterator<Item = &'a str>) -> Option<Signature> {
        self.joined.clear();
        self.ends.clear();
        for word in words {
            if !self.ends.is_empty() {
                self.joined.push(b' ');
            }
            self.joined.extend_from_slice(word.as_bytes());
            self.ends.push(self.joined.len());
        }
        self.hashes.clear();
        let mut start = 0;
        for (first, last) in self.ends.iter().zip(self.ends.get(SHINGLE_WORDS - 1..)?) {
            let shingle = self.joined.get(start..*last).unwrap_or(&[]);
            self.hashes.push(shingle_hash(shingle));
            start = first + 1;
        }
        (!self.hashes.is_empty()).then(|| Signature(self.minima()))
    }

    /// The minimum of every permutation over all hashes.
    fn minima(&self) -> [u64; HASHES] {
        let mut minima = [PRIME; HASHES];
        self.instructions
            .dispatch(|| permute(&self.hashes, &self.a, &self.b, &mut minima));
        minima
    }
}

/// Lowers the minima to the permutations of each x: ((x·a + b) mod 2^64) mod P. The product wraps, as in datatrove.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "compiled anew for each instruction set only if it is inlined"
)]
fn permute(hashes: &[u64], a: &[u64; HASHES], b: &[u64; HASHES], minima: &mut [u64; HASHES]) {
    for &x in hashes {
        for ((minimum, a), b) in minima.iter_mut().zip(a).zip(b) {
            let v = x.wrapping_mul(*a).wrapping_add(*b);
            // Below 2^62, so signed comparisons serve; AVX2 has no unsigned ones.
            let folded = ((v & PRIME) + (v >> 61)) as i64;
            let less = folded - PRIME as i64;
            let residue = if less >= 0 { less } else { folded };
            *minimum = residue.min(*minimum as i64) as u64;
        }
    }
}

/// The first eight bytes, little-endian, of the SHA-1 of a shingle.
#[inline]
fn shingle_hash(shingle: &[u8]) -> u64 {
    Sha1::digest(shingle)
        .first_chunk::<8>()
        .map_or(0, |first| u64::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::*;

    const NORMAL: &str = "the quick brown fox jumps over 0 0 lazy dogs don t you think cafe";

    #[test]
    fn vector_of_the_reference() {
        let signature = MinHasher::new().signature_of_words(NORMAL.split(' ')).unwrap();
        assert_eq!(
            signature.minima()[..2],
            [512_628_154_476_074_443, 139_296_286_822_101_389]
        );
        assert_eq!(
            shingle_hash(b"the quick brown fox jumps"),
            12_313_522_834_835_307_089
        );
        let bytes: Vec<u8> = signature.minima().iter().flat_map(|x| x.to_le_bytes()).collect();
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(digest[..4], [0x36, 0x5a, 0x64, 0x73]);
    }

    #[test]
    fn four_words_have_no_signature() {
        let mut hasher = MinHasher::new();
        assert_eq!(hasher.signature_of_words("a b c d".split(' ')), None);
        assert_eq!(hasher.signature_of_words(std::iter::empty()), None);
        assert!(hasher.signature_of_words("a b c d e".split(' ')).is_some());
    }

    #[test]
    fn values_at_the_prime_fold_to_small_ones() {
        let mut hasher = MinHasher::new();
        hasher.a = [1; HASHES];
        hasher.b = [0; HASHES];
        for (x, expected) in [(PRIME, 0), (PRIME + 1, 1), (u64::MAX, 7), (PRIME - 1, PRIME - 1)] {
            hasher.hashes = vec![x];
            assert_eq!((hasher.minima(), x % PRIME), ([expected; HASHES], expected));
        }
    }

    proptest! {
        #[test]
        fn minima_are_those_of_plain_arithmetic(hashes in prop::collection::vec(any::<u64>(), 1..20)) {
            let mut hasher = MinHasher::new();
            hasher.hashes = hashes;
            let least = |i: usize| {
                let of = |x: &u64| x.wrapping_mul(hasher.a[i]).wrapping_add(hasher.b[i]) % PRIME;
                hasher.hashes.iter().map(of).min().unwrap()
            };
            prop_assert_eq!(hasher.minima(), std::array::from_fn(least));
        }
    }
}
