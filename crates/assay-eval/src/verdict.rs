//! Which of two datasets is better: gates first, then n-grams and trained models, which must not contradict each other.
//!
//! A dataset that fails a gate is never better than one that passes, whatever its bits. Neither stage alone sees everything:
//! n-grams hardly see the order of sentences, and small models like repeated text, so a contradiction is no verdict.

use std::collections::BTreeMap;

use crate::interval::{Interval, probability};
use crate::report::{Bits, DatasetReport, Verdict};

/// Steps of a reported probability.
const PROBABILITY_UNITS: f64 = 10_000.0;

/// First minus last dataset in bits per byte, with the folds or seeds behind it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Differences {
    /// Of n-grams.
    pub(crate) ngram: Option<(Interval, usize)>,
    /// Of trained models.
    pub(crate) trained: Option<(Interval, usize)>,
    /// Looks at trained models.
    pub(crate) looks: u32,
}

/// What one stage says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    First,
    Last,
    Neither,
}

/// The first against the last dataset; none for a single one.
pub(crate) fn verdict(datasets: &[DatasetReport], differences: &Differences) -> Option<Verdict> {
    let [first, .., last] = datasets else {
        return None;
    };
    let (side, why) = decide(first, last, differences);
    let better = match side {
        Side::First => Some(first.name.clone()),
        Side::Last => Some(last.name.clone()),
        Side::Neither => None,
    };
    // Of the stage that decided, else of the one that knows more.
    let decided = |found: &&(Interval, usize)| found.0.is_decided();
    let trained = differences.trained.as_ref();
    let of = trained
        .filter(decided)
        .or(differences.ngram.as_ref().filter(decided));
    let of = of.or(trained).or(differences.ngram.as_ref());
    let bits = |found: &Option<(Interval, usize)>| {
        found
            .as_ref()
            .map(|(interval, _)| Bits::of(interval, BTreeMap::new()))
    };
    Some(Verdict {
        better,
        probability: of.map(|(difference, folds)| {
            (probability(difference, *folds) * PROBABILITY_UNITS).round() / PROBABILITY_UNITS
        }),
        looks: differences.looks,
        difference: bits(&differences.ngram),
        trained_difference: bits(&differences.trained),
        why,
    })
}

/// Whom an interval speaks for.
fn side(difference: Option<&(Interval, usize)>) -> Side {
    match difference {
        Some((interval, _)) if interval.high < 0.0 => Side::First,
        Some((interval, _)) if interval.low > 0.0 => Side::Last,
        _ => Side::Neither,
    }
}

/// The better of two, and why.
fn decide(first: &DatasetReport, last: &DatasetReport, differences: &Differences) -> (Side, String) {
    match (first.passes(), last.passes()) {
        (true, false) => return (Side::First, format!("`{}` fails a gate", last.name)),
        (false, true) => return (Side::Last, format!("`{}` fails a gate", first.name)),
        (false, false) => return (Side::Neither, "both fail a gate".to_owned()),
        (true, true) => {}
    }
    let (ngram, trained) = (
        side(differences.ngram.as_ref()),
        side(differences.trained.as_ref()),
    );
    match (ngram, trained) {
        (Side::Neither, Side::Neither) if differences.ngram.is_none() => {
            (Side::Neither, "bits per byte were not measured".to_owned())
        }
        (Side::Neither, Side::Neither) => (Side::Neither, "no difference: the interval covers 0".to_owned()),
        (side, Side::Neither) => (side, "fewer bits per byte".to_owned()),
        (Side::Neither, side) => (side, "fewer bits per byte of trained models".to_owned()),
        (ngram, trained) if ngram == trained => (
            ngram,
            "fewer bits per byte, of n-grams and of trained models".to_owned(),
        ),
        _ => (
            Side::Neither,
            "n-grams and trained models contradict each other".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::Gate;

    fn dataset(name: &str, passes: bool) -> DatasetReport {
        DatasetReport {
            name: name.to_owned(),
            documents: 1,
            bytes: 1,
            tokens: 1,
            stage1: None,
            stage2: None,
            fineness: None,
            fineness_low: None,
            fineness_high: None,
            fineness_profile: None,
            why: None,
            leak: None,
            gates: BTreeMap::from([("size", Gate::condition(passes, "small"))]),
            flags: Vec::new(),
        }
    }

    fn at(point: f64) -> (Interval, usize) {
        let interval = Interval {
            point,
            low: 0.0,
            high: 0.0,
            standard_error: 0.01,
        };
        (interval.within(3.0), 4)
    }

    fn better(passes: (bool, bool), ngram: f64, trained: f64) -> (Option<String>, String) {
        let differences = Differences {
            ngram: Some(at(ngram)),
            trained: Some(at(trained)),
            looks: 1,
        };
        let found = verdict(&[dataset("a", passes.0), dataset("b", passes.1)], &differences).unwrap();
        (found.better, found.why)
    }

    #[test]
    fn gates_come_first_and_stages_must_not_contradict() {
        let name = |passes, ngram, trained| better(passes, ngram, trained).0.unwrap_or_default();
        let both = (true, true);
        assert_eq!(name(both, -0.1, -0.1), "a");
        assert_eq!(name(both, 0.1, 0.1), "b");
        assert_eq!(name(both, -0.1, 0.02), "a");
        assert_eq!(name(both, 0.0, 0.1), "b");
        assert_eq!(name(both, 0.02, -0.02), "");
        // Repeated spam: n-grams see it, a small model may like it.
        assert_eq!(
            better(both, 0.1, -0.1),
            (
                None,
                "n-grams and trained models contradict each other".to_owned()
            )
        );
        assert_eq!(name((true, false), 0.1, 0.1), "a");
        assert_eq!(name((false, true), -0.1, -0.1), "b");
        assert_eq!(name((false, false), -0.1, -0.1), "");
        assert!(verdict(&[dataset("a", true)], &Differences::default()).is_none());
        let unmeasured = verdict(&[dataset("a", true), dataset("b", true)], &Differences::default()).unwrap();
        assert_eq!(unmeasured.why, "bits per byte were not measured");
    }
}
