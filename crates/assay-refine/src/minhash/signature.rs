//! MinHash signatures of word 5-grams: SHA-1 cut to 64 bits, 112 permutations, the minimum of each.
//!
//! Source: `get_signature` and `get_shingles` in `pipeline/dedup/minhash.py` of datatrove 0.10.1. Words of the normalised
//! text come from [`crate::text`]; signatures go to `bands` and `cluster`. Speed: `benches/text.rs`.

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
        Self {
            a,
            b,
            joined: Vec::new(),
            ends: Vec::new(),
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
        let mut minima = [u64::MAX; HASHES];
        let mut start = 0;
        for (first, last) in self.ends.iter().zip(self.ends.get(SHINGLE_WORDS - 1..)?) {
            let shingle = self.joined.get(start..*last).unwrap_or(&[]);
            self.permute(shingle_hash(shingle), &mut minima);
            start = first + 1;
        }
        (start > 0).then_some(Signature(minima))
    }

    /// Lowers the minima to the permutations of `x`: ((x·a + b) mod 2^64) mod P. The product wraps, as in datatrove.
    #[inline]
    fn permute(&self, x: u64, minima: &mut [u64; HASHES]) {
        for ((minimum, a), b) in minima.iter_mut().zip(&self.a).zip(&self.b) {
            let v = x.wrapping_mul(*a).wrapping_add(*b);
            let folded = (v & PRIME) + (v >> 61);
            // folded < 2 P: below P the subtraction wraps to something larger.
            *minimum = folded.min(folded.wrapping_sub(PRIME)).min(*minimum);
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
            let mut minima = [u64::MAX; HASHES];
            hasher.permute(x, &mut minima);
            assert_eq!((minima[0], x % PRIME), (expected, expected));
        }
    }
}
