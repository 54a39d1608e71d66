//! Fineness: how far a recipe's text lies between the ore (0) and text of the evaluation domains themselves (1000).
//!
//! Bits per byte of three arms per seed come in; points with a 95 % interval leave for reports. `F = 1000·(B_ore − B)/
//! (B_ore − B_pure)`, ranked by the lower end of the interval and never shown without it (mechanism §9.1).

use crate::paired::{Level, Pair, Points, StatisticsError, mean, paired_points, t_quantile};

/// One seed's bits per byte, each macro-averaged over the domains by [`macro_average`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeedBits {
    /// The model of all visible text of the same archives.
    pub ore: f64,
    /// The model of the recipe's output.
    pub recipe: f64,
    /// The model of the evaluation domains' own text.
    pub pure: f64,
}

/// Fineness with its interval, in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fineness {
    /// F and its standard error.
    pub estimate: Points,
    /// Lower end of the 95 % interval: what ranks.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

impl Fineness {
    /// The lower end as a whole multiple of `step` points, toward −∞: 1 for `ngram-v1`, 5 for transformer profiles
    /// (evaluation reference §5). A step of 0 counts as 1. Held within ±10^9 points.
    pub fn lower_quantized(&self, step: u16) -> i64 {
        let step = i64::from(step.max(1));
        let held = self.lower.clamp(-1e9, 1e9);
        let truncated = held as i64;
        let floor = if truncated as f64 > held {
            truncated - 1
        } else {
            truncated
        };
        floor.div_euclid(step) * step
    }
}

/// Mean over domains with equal weights, in the order given.
pub fn macro_average(domains: &[f64]) -> f64 {
    mean(domains.iter().copied())
}

/// Fineness of a recipe from its seeds and, if documents are known, [`crate::paired::document_variance`] (else 0):
/// `F ± t(.975, S−1)·SE`.
///
/// # Errors
/// [`StatisticsError`]: fewer than four seeds, ore and pure too close, numbers not finite.
pub fn fineness(seeds: &[SeedBits], document_variance: f64) -> Result<Fineness, StatisticsError> {
    let pair = |seed: &SeedBits| Pair {
        gained: seed.ore - seed.recipe,
        span: seed.ore - seed.pure,
    };
    let pairs: Vec<Pair> = seeds.iter().map(pair).collect();
    let estimate = paired_points(&pairs, document_variance)?;
    let quantile = t_quantile(Level::P975, estimate.seeds).ok_or(StatisticsError::Seeds {
        found: estimate.seeds,
    })?;
    let half = quantile * estimate.standard_error;
    Ok(Fineness {
        estimate,
        lower: estimate.points - half,
        upper: estimate.points + half,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::Noise;
    use proptest::prelude::*;

    fn seeds(recipe: [f64; 4]) -> Vec<SeedBits> {
        let bits = |recipe| SeedBits {
            ore: 2.7,
            recipe,
            pure: 2.2,
        };
        recipe.map(bits).to_vec()
    }

    #[test]
    fn ore_is_zero_and_pure_is_a_thousand() {
        let of = |recipe| fineness(&seeds([recipe; 4]), 0.0).unwrap().estimate.points;
        assert!(of(2.7).abs() < 1e-9);
        assert!((of(2.2) - 1_000.0).abs() < 1e-9);
        assert!(of(2.8) < 0.0 && of(2.1) > 1_000.0);
    }

    #[test]
    fn the_interval_is_t_times_the_standard_error() {
        let found = fineness(&seeds([2.40, 2.42, 2.38, 2.40]), 0.0).unwrap();
        // sd of x/ȳ·1000: 40·√(2/3) = 32.66; SE 16.33; t(.975, 3) = 3.182.
        assert!((found.estimate.points - 600.0).abs() < 1e-9);
        assert!((found.upper - found.lower - 2.0 * 3.182 * 16.329_932).abs() < 1e-4);
        assert_eq!(found.lower_quantized(1), 548);
        assert_eq!(found.lower_quantized(5), 545);
    }

    #[test]
    fn quantizing_goes_down_also_below_zero() {
        let at = |lower| Fineness {
            lower,
            ..fineness(&seeds([2.4; 4]), 0.0).unwrap()
        };
        assert_eq!(at(-0.1).lower_quantized(5), -5);
        assert_eq!(at(-5.0).lower_quantized(5), -5);
        assert_eq!(at(4.9).lower_quantized(5), 0);
        assert_eq!(at(4.9).lower_quantized(0), 4);
        assert_eq!(at(f64::INFINITY).lower_quantized(1), 1_000_000_000);
    }

    #[test]
    fn the_interval_covers_the_truth_in_95_of_100() {
        // 4,000 recipes of true fineness 400, seed noise 20 points: coverage .95 ± 4·√(.95·.05/4000) = ± .014.
        let mut noise = Noise::new(3, 0);
        let covered = (0..4_000)
            .filter(|_| {
                let found = fineness(&seeds([(); 4].map(|()| 2.5 + 0.01 * noise.normal())), 0.0).unwrap();
                found.lower <= 400.0 && 400.0 <= found.upper
            })
            .count();
        assert!((3_744..=3_856).contains(&covered), "covered {covered} of 4000");
    }

    proptest! {
        #[test]
        fn fewer_bits_are_finer(recipe in prop::array::uniform4(1.0..4.0_f64), less in 0.0..0.5_f64) {
            let before = fineness(&seeds(recipe), 0.0).unwrap();
            let after = fineness(&seeds(recipe.map(|bits| bits - less)), 0.0).unwrap();
            prop_assert!(after.estimate.points >= before.estimate.points - 1e-9);
            prop_assert!(after.lower <= after.estimate.points && after.estimate.points <= after.upper);
        }
    }
}
