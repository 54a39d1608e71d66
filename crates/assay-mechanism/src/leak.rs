//! The leak flag: a recipe whose gain on public text is well above its gain on fresh text has seen the public text.
//!
//! Per seed, the gains in bits per byte on public and on fresh text of the same domains come in; the difference with its
//! standard error and whether the flag is raised go out. A raised flag ends the duel as lost and its numbers are shown.
//! f64 with +, −, ×, ÷ and √ in seed order only, so every IEEE machine gets the same bits.
//!
//! Thresholds ([`GAP_MIN`], [`GAP_STANDARD_ERRORS_MIN`]) from measurements of small models trained on text with pieces of
//! the public evaluation text in it: the gain on the leaked text was .09 to .21 with one document in a hundred leaked and .21
//! to .77 with five, at most .009 on fresh text; the gap of every other kind of damage stayed below .019 (docs/mechanism.md).

use crate::paired::{SEEDS_MIN, StatisticsError, mean, variance};

/// Least gap that raises the flag, bits per byte.
pub const GAP_MIN: f64 = 0.03;

/// Least gap in its own standard errors (more than this many).
pub const GAP_STANDARD_ERRORS_MIN: f64 = 3.0;

/// The same seed's gains over the anchor, `B_anchor − B` in bits per byte.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gains {
    /// On evaluation text that was public before the recipe was committed.
    pub public: f64,
    /// On text drawn after the commitment.
    pub fresh: f64,
}

/// How far the two gains lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// Mean of `public − fresh`, bits per byte.
    pub gap: f64,
    /// Its standard error over seeds.
    pub standard_error: f64,
}

impl Gap {
    /// Whether the flag is raised: at least [`GAP_MIN`] and more than [`GAP_STANDARD_ERRORS_MIN`] standard errors.
    pub fn is_leak(&self) -> bool {
        self.gap >= GAP_MIN && self.gap > GAP_STANDARD_ERRORS_MIN * self.standard_error
    }
}

/// `L = (B_anchor − B)_public − (B_anchor − B)_fresh` and its standard error, `sd/√S`.
///
/// # Errors
/// [`StatisticsError`]: fewer than four seeds, numbers not finite.
pub fn gap(seeds: &[Gains]) -> Result<Gap, StatisticsError> {
    if seeds.len() < SEEDS_MIN {
        return Err(StatisticsError::Seeds { found: seeds.len() });
    }
    let differences = || seeds.iter().map(|gains| gains.public - gains.fresh);
    let gap = mean(differences());
    let standard_error = (variance(differences(), gap) / seeds.len() as f64).sqrt();
    if !gap.is_finite() || !standard_error.is_finite() {
        return Err(StatisticsError::NotFinite);
    }
    Ok(Gap { gap, standard_error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seeds(differences: &[f64]) -> Vec<Gains> {
        let gains = |&difference: &f64| Gains {
            public: 0.1 + difference,
            fresh: 0.1,
        };
        differences.iter().map(gains).collect()
    }

    #[test]
    fn both_thresholds_must_be_passed() {
        // Mean .04; sd .01 gives an error of .005 and 8 of them, sd .04 an error of .02 and 2 of them.
        let raised = |differences: &[f64]| gap(&seeds(differences)).unwrap().is_leak();
        assert!(raised(&[0.03, 0.05, 0.03, 0.05]));
        assert!(!raised(&[0.0, 0.08, 0.0, 0.08]));
        assert!(
            !raised(&[0.019; 4]),
            "certain, and as small as honest recipes give"
        );
        assert!(!raised(&[-0.2; 4]), "better on fresh text");
        let found = gap(&seeds(&[0.03, 0.05, 0.03, 0.05])).unwrap();
        assert!((found.gap - 0.04).abs() < 1e-12);
        assert!((found.standard_error - 0.011_547_005_38 / 2.0).abs() < 1e-9);
    }

    #[test]
    fn too_few_seeds_and_no_numbers_are_errors() {
        assert_eq!(gap(&seeds(&[0.5; 3])), Err(StatisticsError::Seeds { found: 3 }));
        assert_eq!(gap(&seeds(&[f64::NAN; 4])), Err(StatisticsError::NotFinite));
        assert_eq!(gap(&seeds(&[f64::INFINITY; 4])), Err(StatisticsError::NotFinite));
    }

    proptest! {
        #[test]
        fn more_gain_on_public_text_never_lowers_a_flag(
            differences in prop::collection::vec(-0.1..0.1_f64, 4..9), more in 0.0..0.5_f64,
        ) {
            let before = gap(&seeds(&differences)).unwrap();
            let moved: Vec<f64> = differences.iter().map(|difference| difference + more).collect();
            let after = gap(&seeds(&moved)).unwrap();
            prop_assert!(!before.is_leak() || after.gap >= before.gap - 1e-12);
            prop_assert!(after.gap >= before.gap - 1e-12);
        }
    }
}
