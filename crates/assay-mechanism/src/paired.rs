//! Paired statistics: a ratio of means over seeds, its standard error, and the quantiles of Student's t.
//!
//! Pairs of differences in bits per byte come in (one a seed, from the same seed's arms); points with a standard error
//! leave for `fineness` and `duel`. f64 with +, −, ×, ÷ and √ in the written order only, sums in seed order, so every
//! IEEE machine gets the same bits (mechanism §9.1).

use thiserror::Error;

/// Fewest seeds that decide anything (mechanism §9.2, 4).
pub const SEEDS_MIN: usize = 4;

/// Least `B_ore − B_pure` in bits per byte: below it points are undefined (mechanism §9.1).
pub const SPAN_MIN: f64 = 0.05;

/// Least `B_ore − B_pure` in its own standard errors (evaluation reference §5).
pub const SPAN_STANDARD_ERRORS_MIN: f64 = 10.0;

/// Why there are no points.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum StatisticsError {
    /// Fewer than [`SEEDS_MIN`] seeds have all their cells.
    #[error("`{found}` complete seeds are fewer than {SEEDS_MIN}")]
    Seeds {
        /// Complete seeds.
        found: usize,
    },
    /// Ore and pure lie too close for a scale.
    #[error("`{span:.4}` bits per byte between ore and pure are fewer than {SPAN_MIN}")]
    Span {
        /// Mean `B_ore − B_pure`, bits per byte.
        span: f64,
    },
    /// Ore and pure are far enough apart on average, but not for sure: seeds differ too much.
    #[error(
        "`{span:.4}` bits per byte between ore and pure are fewer than {SPAN_STANDARD_ERRORS_MIN} of their \
         standard errors (`{standard_error:.4}`)"
    )]
    SpanNoise {
        /// Mean `B_ore − B_pure`, bits per byte.
        span: f64,
        /// Its standard error over the seeds, bits per byte.
        standard_error: f64,
    },
    /// A value is infinite or no number.
    #[error("a value is not finite")]
    NotFinite,
}

/// The same seed's two differences, bits per byte.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// What is measured: `B_ore − B` for fineness, `B_champion − B_challenger` for a duel.
    pub gained: f64,
    /// The scale: `B_ore − B_pure`.
    pub span: f64,
}

/// A ratio of means in points (thousandths of the span).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Points {
    /// `1000·x̄/ȳ`.
    pub points: f64,
    /// Standard error in points.
    pub standard_error: f64,
    /// Seeds behind it.
    pub seeds: usize,
}

/// Points of `pairs` and their standard error, with `document_variance` points² from [`document_variance`] (0 if the
/// documents are not known).
///
/// `F = 1000·x̄/ȳ`, `e_s = 1000·(x_s − (F/1000)·y_s)/ȳ`, `SE² = var(e)/S + document_variance`; `var` divides by S − 1
/// (mechanism §9.1; the residual of a ratio estimator).
///
/// # Errors
/// [`StatisticsError`]: fewer than four pairs, a span below .05 or below ten of its standard errors, numbers not finite.
pub fn paired_points(pairs: &[Pair], document_variance: f64) -> Result<Points, StatisticsError> {
    let seeds = pairs.len();
    if seeds < SEEDS_MIN {
        return Err(StatisticsError::Seeds { found: seeds });
    }
    let finite = pairs
        .iter()
        .all(|pair| pair.gained.is_finite() && pair.span.is_finite());
    if !finite || !document_variance.is_finite() || document_variance < 0.0 {
        return Err(StatisticsError::NotFinite);
    }
    let n = seeds as f64;
    let gained = mean(pairs.iter().map(|pair| pair.gained));
    let span = mean(pairs.iter().map(|pair| pair.span));
    let span_error = (variance(pairs.iter().map(|pair| pair.span), span) / n).sqrt();
    if span < SPAN_MIN {
        return Err(StatisticsError::Span { span });
    }
    if span < SPAN_STANDARD_ERRORS_MIN * span_error {
        return Err(StatisticsError::SpanNoise {
            span,
            standard_error: span_error,
        });
    }
    let points = 1_000.0 * gained / span;
    let residual = |pair: &Pair| 1_000.0 * (pair.gained - points / 1_000.0 * pair.span) / span;
    let residual_mean = mean(pairs.iter().map(residual));
    let seed_variance = variance(pairs.iter().map(residual), residual_mean) / n;
    let standard_error = (seed_variance + document_variance).sqrt();
    if !points.is_finite() || !standard_error.is_finite() {
        return Err(StatisticsError::NotFinite);
    }
    Ok(Points {
        points,
        standard_error,
        seeds,
    })
}

/// One held-out document of a domain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DocumentResidual {
    /// Its residual in points, as `e_s` of [`paired_points`], averaged over seeds.
    pub residual: f64,
    /// Its bytes.
    pub bytes: u64,
}

/// `(1/D²)·Σ_d Σ_i w_i²·(e_i − ē_d)²` in points²: what the choice of documents adds, D domains with equal weights, w_i the
/// document's share of its domain's bytes, `ē_d = Σ w_i·e_i` (mechanism §9.1).
///
/// The byte-weighted mean is the domain's value, so the sum is the linearised variance that a bootstrap of documents
/// estimates. Domains without bytes count in D and add nothing.
pub fn document_variance(domains: &[Vec<DocumentResidual>]) -> f64 {
    let spread = |documents: &Vec<DocumentResidual>| {
        let bytes: u64 = documents
            .iter()
            .fold(0, |sum, document| sum.saturating_add(document.bytes));
        if bytes == 0 {
            return 0.0;
        }
        let weight = |document: &DocumentResidual| document.bytes as f64 / bytes as f64;
        let center = documents
            .iter()
            .fold(0.0, |sum, document| sum + weight(document) * document.residual);
        documents.iter().fold(0.0, |sum, document| {
            let deviation = weight(document) * (document.residual - center);
            sum + deviation * deviation
        })
    };
    if domains.is_empty() {
        return 0.0;
    }
    let count = domains.len() as f64;
    domains.iter().map(spread).fold(0.0, |sum, spread| sum + spread) / (count * count)
}

/// Sum over count, in order; 0 for nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// `Σ(x − center)²/(n − 1)`, in order; 0 below two values.
pub(crate) fn variance(values: impl Iterator<Item = f64>, center: f64) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| {
        (sum + (value - center) * (value - center), count + 1.0)
    });
    if count > 1.0 { sum / (count - 1.0) } else { 0.0 }
}

/// Probability below a quantile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// .95: the screen.
    P95,
    /// .975: two-sided 95 % intervals.
    P975,
    /// .99: the confirmation.
    P99,
}

/// Quantiles of Student's t for 3…15 degrees of freedom at .95, .975, .99, in thousandths (mechanism §9.1 for 4, 5, 6, 8, 12
/// and 16 seeds; the rows between from the same distribution, which the test integrates).
const T_QUANTILES_THOUSANDTHS: [[u16; 3]; 13] = [
    [2_353, 3_182, 4_541],
    [2_132, 2_776, 3_747],
    [2_015, 2_571, 3_365],
    [1_943, 2_447, 3_143],
    [1_895, 2_365, 2_998],
    [1_860, 2_306, 2_896],
    [1_833, 2_262, 2_821],
    [1_812, 2_228, 2_764],
    [1_796, 2_201, 2_718],
    [1_782, 2_179, 2_681],
    [1_771, 2_160, 2_650],
    [1_761, 2_145, 2_624],
    [1_753, 2_131, 2_602],
];

/// The t quantile for `seeds` seeds (`seeds − 1` degrees of freedom); none below four seeds. Above sixteen the row of sixteen
/// stands in, which is too wide by at most 7 %.
pub fn t_quantile(level: Level, seeds: usize) -> Option<f64> {
    let row = T_QUANTILES_THOUSANDTHS.get(seeds.min(16).checked_sub(SEEDS_MIN)?)?;
    let [p95, p975, p99] = *row;
    let thousandths = match level {
        Level::P95 => p95,
        Level::P975 => p975,
        Level::P99 => p99,
    };
    Some(f64::from(thousandths) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(gained: &[f64], span: f64) -> Vec<Pair> {
        gained.iter().map(|&gained| Pair { gained, span }).collect()
    }

    #[test]
    fn with_a_constant_span_it_is_the_plain_standard_error() {
        // x = .01 .02 .03 .04: mean .025, sd .0129099; span .5: 50 points, SE 25.8199/2.
        let found = paired_points(&pairs(&[0.01, 0.02, 0.03, 0.04], 0.5), 0.0).unwrap();
        assert!((found.points - 50.0).abs() < 1e-9);
        assert!((found.standard_error - 12.909_944_487).abs() < 1e-6);
        let with_documents = paired_points(&pairs(&[0.01, 0.02, 0.03, 0.04], 0.5), 25.0).unwrap();
        assert!((with_documents.standard_error - (12.909_944_487_f64.powi(2) + 25.0).sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_proportional_gain_has_no_error() {
        // x = .1·y in every seed: the ratio is exact though both vary.
        let pairs: Vec<Pair> = [0.50, 0.52, 0.48, 0.51]
            .iter()
            .map(|&span| Pair {
                gained: span / 10.0,
                span,
            })
            .collect();
        let found = paired_points(&pairs, 0.0).unwrap();
        assert!((found.points - 100.0).abs() < 1e-9);
        assert!(found.standard_error < 1e-9);
    }

    #[test]
    fn undefined_points_are_errors() {
        let seeds = |n| paired_points(&pairs(&vec![0.1; n], 0.5), 0.0);
        assert_eq!(seeds(3), Err(StatisticsError::Seeds { found: 3 }));
        assert!(seeds(4).is_ok());
        assert!(matches!(
            paired_points(&pairs(&[0.1; 4], 0.04), 0.0),
            Err(StatisticsError::Span { .. })
        ));
        assert!(matches!(
            paired_points(&pairs(&[0.1; 4], -1.0), 0.0),
            Err(StatisticsError::Span { .. })
        ));
        let loose: Vec<Pair> = [0.05, 0.15, 0.05, 0.15]
            .map(|span| Pair { gained: 0.0, span })
            .to_vec();
        let noisy = paired_points(&loose, 0.0).unwrap_err();
        assert!(
            matches!(noisy, StatisticsError::SpanNoise { span, .. } if span > SPAN_MIN),
            "{noisy:?}"
        );
        assert_eq!(
            noisy.to_string(),
            "`0.1000` bits per byte between ore and pure are fewer than 10 of their standard errors (`0.0289`)"
        );
        let close = paired_points(&pairs(&[0.1; 4], 0.04), 0.0).unwrap_err();
        assert_eq!(
            close.to_string(),
            "`0.0400` bits per byte between ore and pure are fewer than 0.05"
        );
        let nan = paired_points(&pairs(&[f64::NAN; 4], 0.5), 0.0);
        assert_eq!(nan, Err(StatisticsError::NotFinite));
        assert_eq!(
            paired_points(&pairs(&[0.1; 4], 0.5), -1.0),
            Err(StatisticsError::NotFinite)
        );
        assert_eq!(
            paired_points(&pairs(&[f64::MAX; 4], 0.5), 0.0),
            Err(StatisticsError::NotFinite)
        );
    }

    #[test]
    fn document_variance_by_hand() {
        // Two domains: one with two equal documents at ±2 points (½²·4 + ½²·4 = 2), one with a single document (0).
        let document = |residual, bytes| DocumentResidual { residual, bytes };
        let domains = [
            vec![document(2.0, 10), document(-2.0, 10)],
            vec![document(5.0, 3)],
        ];
        assert!((document_variance(&domains) - 0.5).abs() < 1e-12);
        assert!(document_variance(&[]).abs() < 1e-12);
        assert!(document_variance(&[vec![document(1.0, 0)]]).abs() < 1e-12);
    }

    /// The t distribution's upper tail beyond `x` by Simpson's rule on the density, for whole degrees of freedom.
    fn upper_tail(x: f64, freedom: i32) -> f64 {
        let density = |t: f64| {
            let base = 1.0 + t * t / f64::from(freedom);
            1.0 / (base.powi((freedom + 1) / 2) * if freedom % 2 == 0 { base.sqrt() } else { 1.0 })
        };
        let integral = |to: f64| {
            let steps = 20_000;
            let h = to / f64::from(steps);
            let term = |k: i32| {
                let weight = if k == 0 || k == steps {
                    1.0
                } else {
                    2.0 + 2.0 * f64::from(k % 2)
                };
                weight * density(f64::from(k) * h)
            };
            (0..=steps).map(term).sum::<f64>() * h / 3.0
        };
        // Half of the mass lies above zero; beyond 400 less than 1e-7 is left.
        let half = integral(400.0);
        (half - integral(x)) / (2.0 * half)
    }

    #[test]
    fn the_quantiles_are_those_of_students_t() {
        for (seeds, freedom) in (4..=16).zip(3_i32..) {
            for (level, beyond) in [(Level::P95, 0.05), (Level::P975, 0.025), (Level::P99, 0.01)] {
                let quantile = t_quantile(level, seeds).unwrap();
                let (low, high) = (
                    upper_tail(quantile + 5.1e-4, freedom),
                    upper_tail(quantile - 5.1e-4, freedom),
                );
                assert!(
                    low < beyond && beyond < high,
                    "{seeds} seeds, {level:?}: {low} {high}"
                );
            }
        }
        assert_eq!(t_quantile(Level::P95, 3), None);
        assert_eq!(t_quantile(Level::P95, 99), t_quantile(Level::P95, 16));
    }

    proptest! {
        #[test]
        fn points_are_finite_and_do_not_depend_on_seed_order(
            cells in prop::collection::vec((-64.0..64.0_f64, 0.1..64.0_f64), 4..17), turn in 0_usize..16,
        ) {
            let mut pairs: Vec<Pair> = cells.iter().map(|&(gained, span)| Pair { gained, span }).collect();
            if let Ok(found) = paired_points(&pairs, 0.0) {
                prop_assert!(found.points.is_finite() && found.standard_error >= 0.0);
                pairs.rotate_left(turn % cells.len());
                let turned = paired_points(&pairs, 0.0).unwrap();
                let scale = found.points.abs().max(1.0);
                prop_assert!((turned.points - found.points).abs() < 1e-9 * scale);
            }
        }
    }
}
