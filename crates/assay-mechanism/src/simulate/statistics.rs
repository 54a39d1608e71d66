//! Means and 95 % intervals of what a simulation measured.
//!
//! Profits of rounds come in batches, because a moving average makes neighbouring rounds alike.

/// Batches of a run.
const BATCHES: usize = 10;

/// Student's t at .975 for `n` − 1 degrees of freedom, n = 2 to 10; the normal quantile above.
const T_975: [f64; 9] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/// A mean with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The mean, 0 of nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean of independent values with its 95 % interval; a single value has no width.
pub fn interval(values: &[f64]) -> Interval {
    let mean = mean(values);
    let n = values.len();
    if n < 2 {
        return Interval {
            mean,
            low: mean,
            high: mean,
        };
    }
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
    let t = T_975.get(n - 2).copied().unwrap_or(1.96);
    let half = t * (variance / n as f64).sqrt();
    Interval {
        mean,
        low: mean - half,
        high: mean + half,
    }
}

/// The mean of consecutive values with its 95 % interval, from means of ten batches.
pub(super) fn batched(values: &[f64]) -> Interval {
    let size = values.len().div_ceil(BATCHES).max(1);
    let batches: Vec<f64> = values.chunks(size).map(mean).collect();
    Interval {
        mean: mean(values),
        ..shifted(interval(&batches), mean(values))
    }
}

/// An interval of the same width around another mean.
fn shifted(interval: Interval, mean: f64) -> Interval {
    Interval {
        mean,
        low: interval.low + mean - interval.mean,
        high: interval.high + mean - interval.mean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_its_mean_and_shrinks_with_agreement() {
        let wide = interval(&[0.0, 1.0, 2.0, 3.0, 4.0]);
        assert!((wide.mean - 2.0).abs() < 1e-12);
        // s = 1.5811, t = 2.776: half width 1.963.
        assert!((wide.high - 3.963).abs() < 1e-3 && (wide.low - 0.037).abs() < 1e-3);
        assert!((interval(&[2.0, 2.0]).low - 2.0).abs() < 1e-12);
        assert!((interval(&[7.0]).high - 7.0).abs() < 1e-12);
        assert!(batched(&[]).mean.abs() < 1e-12);
    }
}
