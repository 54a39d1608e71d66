//! A stream of unbiased draws from a seed, the only randomness of the protocol.
//!
//! A seed (a beacon hash, or `--seed` on the command line) comes in; units, rows and offsets to check go out.
//! The stream is the BLAKE3 extendable output of `"assay/draw/1" ‖ 0x00 ‖ seed`, read as little-endian u64 (mechanism §7.1).

/// Tag of the stream (mechanism §7.1).
const TAG: &[u8] = b"assay/draw/1\0";

/// Bytes that one compression of BLAKE3 yields.
const BLOCK_BYTES: usize = 64;

/// An endless, repeatable stream of integers.
#[derive(Debug, Clone)]
pub struct Draws {
    stream: blake3::OutputReader,
    /// One block of the stream: reading 8 bytes of it costs as much as reading all.
    block: [u8; BLOCK_BYTES],
    /// Bytes of `block` already given.
    used: usize,
}

impl Draws {
    /// The stream of `seed`; equal seeds give equal streams.
    pub fn new(seed: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(TAG).update(seed);
        Self {
            stream: hasher.finalize_xof(),
            block: [0; BLOCK_BYTES],
            used: BLOCK_BYTES,
        }
    }

    /// The next 8 bytes of the stream as an integer.
    pub fn next_u64(&mut self) -> u64 {
        if self.used >= BLOCK_BYTES {
            self.stream.fill(&mut self.block);
            self.used = 0;
        }
        let next = self.block.get(self.used..).and_then(<[u8]>::first_chunk);
        self.used += 8;
        u64::from_le_bytes(next.copied().unwrap_or_default())
    }

    /// A uniform integer in `0..n`; `n = 0` gives 0 without reading.
    ///
    /// Values at or above the largest multiple of `n` below 2^64 are rejected, so no remainder is favoured;
    /// fewer than half of all values are rejected for any `n`.
    pub fn draw(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        // 2^64 mod n, in 64 bits: (2^64 - n) mod n.
        let excess = n.wrapping_neg() % n;
        loop {
            let x = self.next_u64();
            // x < 2^64 - excess, written so that it cannot overflow.
            if x <= u64::MAX - excess {
                return x % n;
            }
        }
    }

    /// The first `k` places of a random order of `0..n` (all `n` if `k > n`), by partial Fisher–Yates:
    /// place `i` is swapped with place `i + draw(n − i)`.
    ///
    /// Only moved places are kept, so memory is proportional to `k`, not to `n`.
    pub fn partial_fisher_yates(&mut self, n: u64, k: u64) -> Vec<u64> {
        let mut moved = std::collections::BTreeMap::<u64, u64>::new();
        (0..k.min(n))
            .map(|i| {
                let j = i + self.draw(n - i);
                let at_i = moved.remove(&i).unwrap_or(i);
                if i == j {
                    at_i
                } else {
                    moved.insert(j, at_i).unwrap_or(j)
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::tagged_hash;
    use proptest::prelude::*;

    /// The seed of mechanism §15: S_t = 32 x 0x5A, hotkey 32 x 0x01, root 00..1f.
    fn example_seed() -> [u8; 32] {
        let root: [u8; 32] = std::array::from_fn(|i| i as u8);
        tagged_hash("assay/sample/1", &[&[0x5A; 32], &[1; 32], &root]).0
    }

    #[test]
    fn the_draws_of_the_worked_example() {
        let seed = example_seed();
        assert_eq!(
            crate::hex::encode(&seed),
            "cfeda5a11885d60e87072367ec26a2bf36bc528046f7d2514abf193dc5d0da50"
        );
        let mut draws = Draws::new(&seed);
        let six: Vec<u64> = (0..6).map(|_| draws.draw(1000)).collect();
        assert_eq!(six, [325, 78, 579, 949, 845, 829]);
        assert_eq!(Draws::new(&seed).partial_fisher_yates(5, 2), [0, 3]);
    }

    #[test]
    fn the_stream_is_the_extendable_output_byte_for_byte() {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"assay/draw/1\0seed");
        let mut bytes = [0; 200];
        hasher.finalize_xof().fill(&mut bytes);
        let mut draws = Draws::new(b"seed");
        for chunk in bytes.as_chunks::<8>().0 {
            assert_eq!(draws.next_u64(), u64::from_le_bytes(*chunk));
        }
    }

    #[test]
    fn degenerate_ranges_end() {
        let mut draws = Draws::new(b"");
        assert_eq!(draws.draw(0), 0);
        assert_eq!(draws.draw(1), 0);
        assert!(draws.draw(u64::MAX) < u64::MAX);
        assert!(draws.partial_fisher_yates(0, 7).is_empty());
    }

    /// The same rule on a whole array, as it is usually written.
    fn plain_fisher_yates(draws: &mut Draws, n: u64, k: u64) -> Vec<u64> {
        let mut all: Vec<u64> = (0..n).collect();
        let k = k.min(n);
        for i in 0..k {
            let j = i + draws.draw(n - i);
            all.swap(i as usize, j as usize);
        }
        all.truncate(k as usize);
        all
    }

    proptest! {
        #[test]
        fn the_sparse_shuffle_equals_the_plain_one(seed in any::<u64>(), n in 0_u64..60, k in 0_u64..70) {
            let seed = seed.to_le_bytes();
            let sparse = Draws::new(&seed).partial_fisher_yates(n, k);
            prop_assert_eq!(sparse, plain_fisher_yates(&mut Draws::new(&seed), n, k));
        }
    }
}
