//! The finaliser of SplitMix64: 64 bits mixed in three multiplications' time, for scores of pairs and simulated noise.
//!
//! Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, §3, variant 13 of `mix64`.
//! No secret is safe behind it: it is a permutation that anybody can invert.

/// A permutation of 64 bits in which each input bit flips each output bit with a chance near 1/2.
pub(crate) const fn mix64(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
