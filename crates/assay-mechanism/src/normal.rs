//! Seeded noise for simulations: uniform integers and normal deviates with the same bits on every machine.
//!
//! A seed and a stream number come in; deviates leave for the duel trials and the simulator. Nothing of it reaches a real
//! round, whose only randomness is [`assay_types::Draws`].
//!
//! * Integers: splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, §3 and
//!   its `mix64` variant 13), started at `u64(H("assay/noise/1", seed u64 ‖ stream u64))`. A BLAKE3 block for each integer
//!   would cost the 5-seed run of all scenarios more than its arithmetic.
//! * Normal deviates: the polar method (Marsaglia and Bray, SIAM Review 6 (1964) 260), exact but for rounding, with +, −, ×,
//!   ÷ and √ in fixed order and a logarithm made of the same, so no mathematics library of a platform takes part.

use crate::mix::mix64;
use assay_types::{tagged_hash, u64_le};
use std::f64::consts::{LN_2, SQRT_2};

/// Step of the splitmix64 counter: 2^64 over the golden ratio, odd.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Terms of the series of [`ln`]: |t| ≤ 0.172, so the next term is below 1e-17.
const LN_TERMS: u32 = 11;

/// An endless, repeatable stream of noise.
#[derive(Debug, Clone)]
pub struct Noise {
    state: u64,
    spare: Option<f64>,
}

impl Noise {
    /// Stream `stream` of `seed`; equal pairs give equal noise, different pairs unrelated noise.
    pub fn new(seed: u64, stream: u64) -> Self {
        let digest = tagged_hash("assay/noise/1", &[&seed.to_le_bytes(), &stream.to_le_bytes()]);
        Self {
            state: u64_le(&digest),
            spare: None,
        }
    }

    /// A uniform integer.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix64(self.state)
    }

    /// A uniform number in [0, 1), a multiple of 2^−53.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// A normal deviate with mean 0 and variance 1.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let u = 2.0 * self.uniform() - 1.0;
            let v = 2.0 * self.uniform() - 1.0;
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = (-2.0 * ln(s) / s).sqrt();
                self.spare = Some(v * scale);
                return u * scale;
            }
        }
    }
}

/// Natural logarithm of a positive normal number, within 1e-15 of the truth relative to max(1, |ln x|).
///
/// With x = m·2^e and m in (√½, √2]: `ln x = e·ln 2 + 2·(t + t³/3 + t⁵/5 + …)`, t = (m − 1)/(m + 1).
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7FF) as i32 - 1_023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1_023 << 52));
    if mantissa > SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    let mut sum = 0.0;
    for k in (0..LN_TERMS).rev() {
        sum = sum * square + 1.0 / f64::from(2 * k + 1);
    }
    f64::from(exponent) * LN_2 + 2.0 * t * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_right_to_the_last_bits() {
        let mut noise = Noise::new(1, 0);
        for _ in 0..100_000 {
            let x = noise.uniform() + f64::MIN_POSITIVE;
            let (found, expected) = (ln(x), x.ln());
            assert!(
                (found - expected).abs() <= 1e-15 * expected.abs().max(1.0),
                "ln({x}) = {found}"
            );
        }
        assert!((ln(1e-300) - 1e-300_f64.ln()).abs() < 1e-12);
        assert!(ln(1.0).abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn streams_repeat_and_differ() {
        let first = |seed, stream| Noise::new(seed, stream).next_u64();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(2, 1));
        // Pinned: simulator tables and their documents depend on these bits.
        let mut noise = Noise::new(1, 0);
        let deviates: Vec<u64> = (0..3).map(|_| noise.normal().to_bits()).collect();
        assert_eq!(deviates, PINNED);
    }

    const PINNED: [u64; 3] = [
        4_604_215_257_149_019_813,
        13_825_037_272_205_241_570,
        4_603_641_133_846_405_402,
    ];

    #[test]
    fn deviates_have_normal_moments_and_tails() {
        let n = 1_000_000;
        let mut noise = Noise::new(7, 0);
        let (mut moments, mut beyond) = ([0.0; 4], [0_u32; 4]);
        for _ in 0..n {
            let z = noise.normal();
            let mut power = 1.0;
            for moment in &mut moments {
                power *= z;
                *moment += power / f64::from(n);
            }
            for (count, limit) in beyond.iter_mut().zip([1.0, 2.0, 3.0, 4.0]) {
                *count += u32::from(z > limit);
            }
        }
        // Four standard errors of each moment at a million deviates.
        for (moment, (expected, tolerance)) in
            moments
                .into_iter()
                .zip([(0.0, 0.004), (1.0, 0.006), (0.0, 0.016), (3.0, 0.04)])
        {
            assert!((moment - expected).abs() < tolerance, "{moments:?}");
        }
        // Upper tails 1 − Φ(1, 2, 3, 4).
        for (count, p) in beyond
            .into_iter()
            .zip([0.158_655, 0.022_750, 0.001_350, 0.000_031_7])
        {
            let (mean, count) = (p * f64::from(n), f64::from(count));
            assert!((count - mean).abs() < 4.0 * mean.sqrt(), "{beyond:?}");
        }
    }
}
