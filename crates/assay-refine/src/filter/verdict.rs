//! What a filter decides, and the integer comparisons every filter decides with.
//!
//! In: counts and thresholds in parts per million. Out: [`Verdict`], stored in the ledger row of the record.
use serde::{Serialize, Serializer};

/// One million: thresholds are parts of it.
const MILLION: u128 = 1_000_000;

/// A filter's decision; the reason is datatrove's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The record goes on to the next step.
    Kept,
    /// The record is dropped for this reason.
    Dropped(&'static str),
}

impl Verdict {
    /// Whether the record goes on.
    pub fn is_kept(self) -> bool {
        self == Self::Kept
    }

    /// The reason, if dropped.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Kept => None,
            Self::Dropped(reason) => Some(reason),
        }
    }

    /// The first reason whose condition holds, else kept.
    pub(crate) fn first(rules: &[(bool, &'static str)]) -> Self {
        rules
            .iter()
            .find(|(broken, _)| *broken)
            .map_or(Self::Kept, |(_, reason)| Self::Dropped(reason))
    }
}

/// As the reason, null when kept.
impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.reason().serialize(serializer)
    }
}

/// `count / total > ppm / 10^6`, exactly; equals Python's float comparison for totals below 10^12.
pub(crate) fn above(count: u64, ppm: u32, total: u64) -> bool {
    u128::from(count) * MILLION > u128::from(ppm) * u128::from(total)
}

/// `count / total < ppm / 10^6`, exactly.
pub(crate) fn below(count: u64, ppm: u32, total: u64) -> bool {
    u128::from(count) * MILLION < u128::from(ppm) * u128::from(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn thresholds_are_strict() {
        assert!(!above(3, 300_000, 10) && above(4, 300_000, 10));
        assert!(!below(8, 800_000, 10) && below(7, 800_000, 10));
        assert!(!above(0, 0, 0) && above(u64::MAX, 999_999, u64::MAX));
    }

    #[test]
    fn the_first_broken_rule_names_the_reason() {
        assert_eq!(
            Verdict::first(&[(false, "a"), (true, "b"), (true, "c")]),
            Verdict::Dropped("b")
        );
        assert_eq!(Verdict::first(&[(false, "a")]).reason(), None);
        assert!(Verdict::Kept.is_kept());
    }

    proptest! {
        #[test]
        fn comparisons_equal_floats(count in 0u64..1_000_000, total in 1u64..1_000_000, percent in 0u32..100) {
            let threshold: f64 = format!("0.{percent:02}").parse().unwrap();
            prop_assert_eq!(above(count, percent * 10_000, total), count as f64 / total as f64 > threshold);
            prop_assert_eq!(below(count, percent * 10_000, total), (count as f64 / total as f64) < threshold);
        }
    }
}
