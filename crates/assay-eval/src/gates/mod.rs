//! Stage 0: gates a dataset passes or fails, each with a value, a threshold and a reason; never a penalty.
//!
//! Facts of documents come from `examine`, counts of a whole set from `tally`. Thresholds are provisional defaults of
//! docs/evaluation.md. Nothing is sampled: duplication shows only if both copies are seen.

mod examine;
mod lines;
mod tally;

pub use examine::{Examiner, Facts};
pub use lines::SharedLines;
pub use tally::Tally;

use serde::Serialize;

/// Most tokens in documents whose text occurred before, in parts a million: .5 %.
pub const EXACT_DUPLICATES_PPM_MAX: u64 = 5_000;

/// Most documents that share a band with an earlier one: 3 %.
pub const NEAR_DUPLICATES_PPM_MAX: u64 = 30_000;

/// Most documents over the repetition limits: 1 %.
pub const REPETITION_PPM_MAX: u64 = 10_000;

/// Most documents in another than the declared language, or in none that can be told: 2 %.
pub const LANGUAGE_PPM_MAX: u64 = 20_000;

/// Most documents with more than [`MARKUP_BYTES_PPM_MAX`] of their bytes in tags: 1 %.
pub const MARKUP_PPM_MAX: u64 = 10_000;

/// Bytes of a document in tags that make it markup: 5 %.
pub const MARKUP_BYTES_PPM_MAX: u64 = 50_000;

/// Most documents with more than [`SHARED_BYTES_PPM_MAX`] of their bytes in lines that many hosts share: 1 %.
pub const SHARED_LINES_PPM_MAX: u64 = 10_000;

/// Bytes of a document in lines of [`SHARED_HOSTS_MIN`] hosts that make it boilerplate: 30 %.
pub const SHARED_BYTES_PPM_MAX: u64 = 300_000;

/// Hosts a line occurs on to be nobody's own text.
pub const SHARED_HOSTS_MIN: usize = 10;

/// Most documents that share a 13-gram with public benchmarks or with the held-out text: 1e-4.
pub const CONTAMINATION_PPM_MAX: u64 = 100;

/// Most hits on public evaluation text, in times those of the dataset it is compared with (docs/evaluation.md).
pub const PUBLIC_TEXT_TIMES_MAX: u128 = 3;

/// Most lines and files of an input that hold no text: 1 %; a damaged dataset is not measured as if it were whole.
pub const UNREADABLE_PPM_MAX: u64 = 10_000;

/// A million parts.
const PPM: u64 = 1_000_000;

/// What a gate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Whether it is passed; null if it could not be checked.
    pub passed: Option<bool>,
    /// What was measured, in parts a million.
    pub value_ppm: Option<u64>,
    /// The most that passes, in parts a million.
    pub threshold_ppm: Option<u64>,
    /// Why it failed or was not checked; empty if passed.
    pub why: String,
}

impl Gate {
    /// `part` of `whole` `what`s against a threshold; nothing to look at passes.
    pub fn share(part: u64, whole: u64, threshold_ppm: u64, what: &str) -> Self {
        let value = (u128::from(part) * u128::from(PPM) / u128::from(whole.max(1))) as u64;
        // Compared exactly, not by the floored value.
        let passed = u128::from(part) * u128::from(PPM) <= u128::from(threshold_ppm) * u128::from(whole);
        let why = if passed {
            String::new()
        } else {
            format!("{part} of {whole} {what}, at most {threshold_ppm} in a million pass")
        };
        Self {
            passed: Some(passed),
            value_ppm: Some(value),
            threshold_ppm: Some(threshold_ppm),
            why,
        }
    }

    /// A gate that could not be checked.
    pub fn unchecked(why: &str) -> Self {
        Self {
            passed: None,
            value_ppm: None,
            threshold_ppm: None,
            why: why.to_owned(),
        }
    }

    /// A gate that is a condition without a measure.
    pub fn condition(passed: bool, why: impl Into<String>) -> Self {
        Self {
            passed: Some(passed),
            value_ppm: None,
            threshold_ppm: None,
            why: if passed { String::new() } else { why.into() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_at_the_threshold_passes_and_one_above_fails() {
        assert_eq!(Gate::share(1, 100, 10_000, "documents").passed, Some(true));
        let failed = Gate::share(1, 99, 10_000, "documents repeat themselves");
        assert_eq!((failed.passed, failed.value_ppm), (Some(false), Some(10_101)));
        assert_eq!(
            failed.why,
            "1 of 99 documents repeat themselves, at most 10000 in a million pass"
        );
        assert_eq!(Gate::share(0, 0, 10_000, "documents").passed, Some(true));
    }
}
