//! Intervals: folds first, held-out clusters second, the same resampled clusters for all arms.
//!
//! [`ArmBits`] come in; points with a 95 % interval leave: `x ± t(.975, S − 1)·√(var(e)/S + var_doc)` (docs/evaluation.md). f64 with + − × ÷ √ in the written order only.

use assay_mechanism::fineness::{Fineness, SeedBits, fineness};
use assay_mechanism::paired::{Level, StatisticsError, t_quantile};
use assay_types::{Draws, tagged_hash};

use crate::held_out::HeldOutSet;
use crate::stage1::ArmBits;

/// Samples of the bootstrap (docs/evaluation.md).
pub const REPLICATES: usize = 1_000;

/// .975 quantile of the normal distribution: the interval of one fold knows the documents' spread only.
const NORMAL_P975: f64 = 1.96;

/// t(.975) of two and three folds; larger numbers are those of [`t_quantile`].
const T_TWO: f64 = 12.706;
const T_THREE: f64 = 4.303;

/// A number with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The number.
    pub point: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Standard error.
    pub standard_error: f64,
}

impl Interval {
    /// Whether the interval excludes 0.
    pub fn is_decided(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }

    /// The same number with `quantile` standard errors on both sides.
    #[must_use]
    pub fn within(self, quantile: f64) -> Self {
        Self {
            low: self.point - quantile * self.standard_error,
            high: self.point + quantile * self.standard_error,
            ..self
        }
    }
}

/// Resampled clusters of a held-out set.
#[derive(Debug)]
pub struct Bootstrap<'a> {
    held_out: &'a HeldOutSet,
    /// Sample → domain → how often each cluster was drawn.
    counts: Vec<Vec<Vec<u32>>>,
}

impl<'a> Bootstrap<'a> {
    /// Draws the samples: per domain as many clusters as it has, with replacement, from a seed that is the set's id.
    pub fn new(held_out: &'a HeldOutSet) -> Self {
        let seed = tagged_hash("assay/boot/1", &[held_out.id.as_bytes()]);
        let mut draws = Draws::new(seed.as_bytes());
        let mut sample = || {
            let of_domain = |clusters: &Vec<_>| {
                let mut counts = vec![0_u32; clusters.len()];
                for _ in 0..clusters.len() {
                    if let Some(count) = counts.get_mut(draws.draw(clusters.len() as u64) as usize) {
                        *count += 1;
                    }
                }
                counts
            };
            held_out.clusters.iter().map(of_domain).collect()
        };
        Self {
            held_out,
            counts: (0..REPLICATES).map(|_| sample()).collect(),
        }
    }

    /// Bits per byte of an arm.
    pub fn level(&self, arm: &ArmBits) -> Interval {
        let folds: Vec<f64> = (0..arm.folds())
            .map(|fold| arm.bits_per_byte(fold, self.held_out))
            .collect();
        let samples: Vec<f64> = self.samples(|counts| arm.mean_resampled(self.held_out, Some(counts)));
        interval(&folds, &samples)
    }

    /// `B_a − B_b` in bits per byte, paired by fold and by resampled clusters: below 0 if `a` is better.
    pub fn difference(&self, a: &ArmBits, b: &ArmBits) -> Interval {
        let of = |fold| a.bits_per_byte(fold, self.held_out) - b.bits_per_byte(fold, self.held_out);
        let folds: Vec<f64> = (0..a.folds().min(b.folds())).map(of).collect();
        let samples = self.samples(|counts| {
            a.mean_resampled(self.held_out, Some(counts)) - b.mean_resampled(self.held_out, Some(counts))
        });
        interval(&folds, &samples)
    }

    /// Fineness of `arm` between `ore` and `pure`.
    ///
    /// # Errors
    /// [`StatisticsError`]: fewer than four folds, ore and pure too close on average, or in a sample of clusters.
    pub fn fineness(
        &self,
        arm: &ArmBits,
        ore: &ArmBits,
        pure: &ArmBits,
    ) -> Result<Fineness, StatisticsError> {
        let folds = arm.folds().min(ore.folds()).min(pure.folds());
        let bits = |fold| SeedBits {
            ore: ore.bits_per_byte(fold, self.held_out),
            recipe: arm.bits_per_byte(fold, self.held_out),
            pure: pure.bits_per_byte(fold, self.held_out),
        };
        let seeds: Vec<SeedBits> = (0..folds).map(bits).collect();
        let points = self.samples(|counts| {
            let [ore, arm, pure] =
                [ore, arm, pure].map(|arm| arm.mean_resampled(self.held_out, Some(counts)));
            1_000.0 * (ore - arm) / (ore - pure)
        });
        let spread = variance(&points);
        if spread.is_finite() {
            return fineness(&seeds, spread);
        }
        // Ore and pure coincide in a sample: the width of the interval is unknown. What the folds refuse is said first.
        fineness(&seeds, 0.0)?;
        Err(StatisticsError::NotFinite)
    }

    /// Bits per byte of an arm on one domain.
    pub fn domain(&self, arm: &ArmBits, domain: usize) -> Interval {
        let of_fold = |fold| arm.fold(fold).domain(domain, self.held_out);
        let folds: Vec<f64> = (0..arm.folds()).map(of_fold).collect();
        let samples = self.samples(|counts| arm.domain_resampled(domain, self.held_out, Some(counts)));
        interval(&folds, &samples)
    }

    fn samples(&self, of: impl Fn(&[Vec<u32>]) -> f64) -> Vec<f64> {
        self.counts.iter().map(|counts| of(counts)).collect()
    }
}

/// Mean of the folds with `t·√(var(folds)/S + var(samples))` around it; with two or three folds `√(t²·var(folds)/S +
/// 1.96²·var(samples))`.
fn interval(folds: &[f64], samples: &[f64]) -> Interval {
    let point = mean(folds);
    let of_folds = variance(folds) / folds.len().max(1) as f64;
    let of_documents = variance(samples);
    let standard_error = (of_folds + of_documents).sqrt();
    let half = match folds.len() {
        // t of one or two degrees of freedom belongs to the folds alone: documents are many.
        2 | 3 => {
            let t = quantile(folds.len());
            (t * t * of_folds + NORMAL_P975 * NORMAL_P975 * of_documents).sqrt()
        }
        many => quantile(many) * standard_error,
    };
    Interval {
        point,
        low: point - half,
        high: point + half,
        standard_error,
    }
}

/// Probability that the true difference has the sign of the point: Student's t of `folds − 1` degrees of freedom.
///
/// With three and five folds (two and four degrees) the distribution is algebraic: `½ + t/(2√(2 + t²))` and `½ + ⅜·u·(1 −
/// u²/12)` with `u = t/√(1 + t²/4)`. Any other number takes the wider tails of two degrees.
pub fn probability(difference: &Interval, folds: usize) -> f64 {
    if difference.standard_error <= 0.0 {
        return if difference.point == 0.0 { 0.5 } else { 1.0 };
    }
    let t = difference.point.abs() / difference.standard_error;
    if folds == 5 {
        let u = t / (1.0 + t * t / 4.0).sqrt();
        0.5 + 0.375 * u * (1.0 - u * u / 12.0)
    } else {
        0.5 + t / (2.0 * (2.0 + t * t).sqrt())
    }
}

/// t(.975) of `folds` folds.
fn quantile(folds: usize) -> f64 {
    match folds {
        0 | 1 => NORMAL_P975,
        2 => T_TWO,
        3 => T_THREE,
        more => t_quantile(Level::P975, more).unwrap_or(T_THREE),
    }
}

/// Sum over count, in order; 0 for nothing.
fn mean(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, value| sum + value) / values.len().max(1) as f64
}

/// `Σ(x − mean)²/(n − 1)`, in order; 0 below two values.
fn variance(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let center = mean(values);
    let squares = values
        .iter()
        .fold(0.0, |sum, value| sum + (value - center) * (value - center));
    squares / (values.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held_out::{Domain, HeldOutDocument};
    use crate::ngram::{BITS_ONE, Order};

    fn held_out(domains: &[&str], documents: usize) -> HeldOutSet {
        let document = |number: usize| HeldOutDocument {
            id: number.to_string(),
            cluster: number.to_string(),
            text: "y".repeat(100),
        };
        let domain = |name: &&str| Domain {
            name: (*name).to_owned(),
            documents: (0..documents).map(document).collect(),
        };
        HeldOutSet::choose(domains.iter().map(domain).collect(), b"s", Order::V1).unwrap()
    }

    /// An arm of equal folds from the bits per byte of every document.
    fn arm(folds: usize, bits: &[f64], held_out: &HeldOutSet) -> ArmBits {
        let units = |bits: &f64| (bits * 100.0 * BITS_ONE as f64) as u64;
        let fold: Vec<u64> = bits.iter().map(units).collect();
        ArmBits::of_documents(&vec![fold; folds], held_out).unwrap()
    }

    #[test]
    fn a_sample_without_a_scale_is_an_error() {
        let set = held_out(&["d"], 2);
        let of = |bits: [f64; 2]| arm(5, &bits, &set);
        let (ore, pure) = (of([3.0, 3.0]), of([3.0, 2.0]));
        let bootstrap = Bootstrap::new(&set);
        // In the samples that draw the first document twice, ore and pure are equal.
        let found = bootstrap.fineness(&of([2.9, 2.5]), &ore, &pure);
        assert_eq!(found.unwrap_err(), StatisticsError::NotFinite);
        let close = bootstrap.fineness(&of([2.9, 2.5]), &ore, &ore).unwrap_err();
        assert!(matches!(close, StatisticsError::Span { .. }), "{close:?}");
        let found = bootstrap
            .fineness(&of([2.5, 2.5]), &ore, &of([2.0, 2.0]))
            .unwrap();
        assert!((found.estimate.points - 500.0).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn a_domain_has_an_interval_of_its_own() {
        let set = held_out(&["calm", "wild"], 8);
        let mut bits = vec![2.0; 8];
        bits.extend((0..8).map(|at| if at % 2 == 0 { 1.0 } else { 3.0 }));
        let arm = arm(4, &bits, &set);
        let bootstrap = Bootstrap::new(&set);
        let [calm, wild] = [0, 1].map(|domain| bootstrap.domain(&arm, domain));
        assert!(
            (calm.point - 2.0).abs() < 1e-6 && calm.high - calm.low < 1e-6,
            "{calm:?}"
        );
        // Eight values of standard deviation 1: an error of about .35, t(.975, 3) = 3.182 on each side.
        assert!((wild.point - 2.0).abs() < 1e-6, "{wild:?}");
        assert!(
            (wild.high - wild.low - 2.0 * 3.182 * 0.354).abs() < 0.25,
            "{wild:?}"
        );
    }

    #[test]
    fn the_interval_is_t_times_the_error_of_folds_and_samples() {
        // Folds 1, 2, 3, 4: variance 5/3, /4 = .41667; samples 0 and 1: variance .5; t(.975, 3) = 3.182.
        let found = interval(&[1.0, 2.0, 3.0, 4.0], &[0.0, 1.0]);
        assert!((found.standard_error - (5.0_f64 / 12.0 + 0.5).sqrt()).abs() < 1e-12);
        assert!((found.high - found.point - 3.182 * found.standard_error).abs() < 1e-12);
        assert!(!found.is_decided());
        // Three folds 1, 2, 3: variance 1, /3; t(.975, 2) for them, 1.96 for the documents' .5.
        let small = interval(&[1.0, 2.0, 3.0], &[0.0, 1.0]);
        let half = (4.303_f64.powi(2) / 3.0 + 1.96 * 1.96 * 0.5).sqrt();
        assert!((small.high - small.point - half).abs() < 1e-12);
        assert!(interval(&[1.0], &[1.0, 1.1]).is_decided());
        let at = |point| Interval {
            point,
            low: 0.0,
            high: 0.0,
            standard_error: 1.0,
        };
        assert!((probability(&at(-2.776), 5) - 0.975).abs() < 1e-4);
        assert!((probability(&at(4.303), 3) - 0.975).abs() < 1e-4);
        assert!((probability(&at(0.0), 3) - 0.5).abs() < 1e-12);
        assert!((quantile(3) - 4.303).abs() < 1e-9 && quantile(5) < quantile(4));
    }
}
