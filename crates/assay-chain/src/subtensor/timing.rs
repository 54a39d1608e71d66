//! How long the connection waits for what, and how it backs off.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// Times of a connection; the defaults suit 12-second blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Longest wait for a WebSocket to open.
    pub connect_max: Duration,
    /// Longest wait for an answer.
    pub request_max: Duration,
    /// Longest time without a new head before the connection is given up: five blocks.
    pub silence_max: Duration,
    /// First pause after a lost connection.
    pub backoff_min: Duration,
    /// Longest pause between two attempts.
    pub backoff_max: Duration,
    /// Longest wait of a request for a connection.
    pub wait_max: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect_max: Duration::from_secs(15),
            request_max: Duration::from_mins(1),
            silence_max: Duration::from_mins(1),
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            wait_max: Duration::from_mins(1),
        }
    }
}

impl Timing {
    /// The pause before attempt `attempt` (0 = the first again): doubled each time up to the longest, and then between
    /// half and all of it by `jitter`, so that clients of one lost node do not return together.
    pub fn backoff(&self, attempt: u32, jitter: u64) -> Duration {
        let whole = self
            .backoff_min
            .saturating_mul(2_u32.saturating_pow(attempt.min(16)))
            .min(self.backoff_max);
        let half = whole / 2;
        let micros = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
        half + Duration::from_micros(if micros == 0 { 0 } else { jitter % micros })
    }
}

/// A number that differs between processes and calls; not for secrets.
pub(crate) fn jitter() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_never_less_than_half() {
        let timing = Timing::default();
        for (attempt, whole_ms) in [(0, 500), (1, 1_000), (3, 4_000), (6, 30_000), (u32::MAX, 30_000)] {
            for jitter in [0, 1, 77_777_777, u64::MAX] {
                let pause = timing.backoff(attempt, jitter).as_millis();
                assert!(
                    pause >= whole_ms / 2 && pause <= whole_ms,
                    "{attempt} {jitter}: {pause}"
                );
            }
        }
        assert_ne!(timing.backoff(3, 1_000), timing.backoff(3, 1_000_000));
    }
}
