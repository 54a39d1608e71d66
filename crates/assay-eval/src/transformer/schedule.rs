//! The learning rate of every step, and the steps whose models are scored.

/// Share of the steps in which the rate rises: one in this many (docs/evaluation.md).
const WARM_UP_ONE_IN: u64 = 20;

/// Percent of the steps at which the model is scored; the scores are averaged.
const CHECKPOINTS_PERCENT: [u64; 4] = [85, 90, 95, 100];

/// A run's course.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Steps of the run.
    pub steps: u64,
    /// Highest rate.
    pub rate_max: f64,
}

impl Schedule {
    /// The rate of step `step`, counted from 0: a straight line up over 5 % of the steps, then one down to 0.
    pub fn rate(&self, step: u64) -> f64 {
        let warm = self.steps.div_ceil(WARM_UP_ONE_IN);
        if step < warm {
            return self.rate_max * (step + 1) as f64 / warm as f64;
        }
        let left = self.steps.saturating_sub(step);
        self.rate_max * left as f64 / (self.steps - warm + 1) as f64
    }

    /// Numbers of steps after which the model is scored, ascending, each once.
    pub fn checkpoints(&self) -> Vec<u64> {
        let mut all: Vec<u64> = CHECKPOINTS_PERCENT
            .iter()
            .map(|percent| (self.steps * percent / 100).max(1))
            .collect();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls_to_almost_nothing() {
        let schedule = Schedule {
            steps: 1_000,
            rate_max: 3e-3,
        };
        let rates: Vec<f64> = (0..1_000).map(|step| schedule.rate(step)).collect();
        assert!((rates[49] - 3e-3).abs() < 1e-12 && (rates[24] - 1.5e-3).abs() < 1e-12);
        assert!(rates[..50].is_sorted() && rates[49..].is_sorted_by(|a, b| a > b));
        assert!(rates[999] > 0.0 && rates[999] < 4e-6);
        assert_eq!(schedule.checkpoints(), [850, 900, 950, 1_000]);
        let one = Schedule { steps: 1, ..schedule };
        assert_eq!(one.checkpoints(), [1]);
        assert!(one.rate(0).is_finite());
    }
}
