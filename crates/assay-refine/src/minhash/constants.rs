//! The 112 multipliers and offsets of the permutations, drawn as numpy's `RandomState(1)` draws them.
//!
//! Source: `init_parameters` in `pipeline/dedup/minhash.py` of datatrove 0.10.1; the generator is MT19937 (Matsumoto and
//! Nishimura 1998) with numpy's legacy masked rejection for `randint`. Used by `signature`.

use super::{HASHES, PRIME};

/// Words of MT19937's state.
const STATE_WORDS: usize = 624;
/// Offset of the word mixed in by the twist.
const MIDDLE: usize = 397;

/// Multipliers a (1 … P−1) and offsets b (0 … P−1), seed 1.
pub fn constants() -> ([u64; HASHES], [u64; HASHES]) {
    let mut generator = Mt19937::new(1);
    let a = std::array::from_fn(|_| generator.below(1, PRIME));
    let b = std::array::from_fn(|_| generator.below(0, PRIME));
    (a, b)
}

struct Mt19937 {
    state: [u32; STATE_WORDS],
    next: usize,
}

impl Mt19937 {
    fn new(seed: u32) -> Self {
        let mut last = seed;
        let mut number = 0;
        let state = std::array::from_fn(|_| {
            if number > 0 {
                last = 1_812_433_253_u32
                    .wrapping_mul(last ^ last >> 30)
                    .wrapping_add(number);
            }
            number += 1;
            last
        });
        Self {
            state,
            next: STATE_WORDS,
        }
    }

    fn at(&self, i: usize) -> u32 {
        self.state.get(i % STATE_WORDS).copied().unwrap_or(0)
    }

    fn twist(&mut self) {
        for i in 0..STATE_WORDS {
            let mixed = (self.at(i) & 0x8000_0000) | (self.at(i + 1) & 0x7fff_ffff);
            let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            let word = self.at(i + MIDDLE) ^ mixed >> 1 ^ odd;
            if let Some(slot) = self.state.get_mut(i) {
                *slot = word;
            }
        }
        self.next = 0;
    }

    fn word(&mut self) -> u32 {
        if self.next >= STATE_WORDS {
            self.twist();
        }
        let mut y = self.at(self.next);
        self.next += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// numpy's `randint(low, high)` for a range of 61 bits: larger draws are skipped.
    fn below(&mut self, low: u64, high: u64) -> u64 {
        let span = high - 1 - low;
        loop {
            let draw = (u64::from(self.word()) << 32 | u64::from(self.word())) & PRIME;
            if draw <= span {
                return low + draw;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn constants_are_numpys() {
        let (a, b) = constants();
        assert_eq!(
            (a[0], a[1], a[111]),
            (
                775_169_054_918_279_404,
                1_758_426_461_858_698_313,
                223_865_076_026_037_746
            )
        );
        assert_eq!(
            (b[0], b[1], b[111]),
            (
                1_062_448_801_025_099_917,
                1_324_811_268_927_594_100,
                1_097_409_548_522_419_201
            )
        );
        let bytes: Vec<u8> = a.iter().chain(&b).flat_map(|x| x.to_le_bytes()).collect();
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(digest[..4], [0x3b, 0x8c, 0xe0, 0xe5]);
    }
}
