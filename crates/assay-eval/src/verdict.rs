//! Which of two datasets is better: gates first, then n-grams and trained models, which must not contradict each other.
//!
//! A dataset that fails a gate is never better than one that passes, whatever its bits. Neither stage alone sees everything:
//! n-grams hardly see the order of sentences, and small models like repeated text, so a contradiction is no verdict.

use std::collections::BTreeMap;

use crate::interval::{Interval, probability};
use crate::report::{Bits, DatasetReport, Outcome, Verdict};

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

/// Which stage a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    Ngram,
    Trained,
    /// Nothing, or gates.
    None,
}

/// The better of two, and why.
struct Decision {
    side: Side,
    outcome: Outcome,
    basis: Basis,
    why: String,
}

/// The first against the last dataset; none for a single one.
pub(crate) fn verdict(datasets: &[DatasetReport], differences: &Differences) -> Option<Verdict> {
    let [first, .., last] = datasets else {
        return None;
    };
    let decision = decide(first, last, differences);
    let better = match decision.side {
        Side::First => Some(first.name.clone()),
        Side::Last => Some(last.name.clone()),
        Side::Neither => None,
    };
    let of = match decision.basis {
        Basis::Ngram => differences.ngram.as_ref(),
        Basis::Trained => differences.trained.as_ref(),
        Basis::None => None,
    };
    let bits = |found: &Option<(Interval, usize)>| {
        found
            .as_ref()
            .map(|(interval, _)| Bits::of(interval, BTreeMap::new()))
    };
    Some(Verdict {
        outcome: decision.outcome,
        better,
        probability: of.map(|(difference, folds)| {
            (probability(difference, *folds) * PROBABILITY_UNITS).round() / PROBABILITY_UNITS
        }),
        looks: differences.looks,
        difference: bits(&differences.ngram),
        trained_difference: bits(&differences.trained),
        why: decision.why,
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

fn decide(first: &DatasetReport, last: &DatasetReport, differences: &Differences) -> Decision {
    let by_gates = |side, outcome, why: String| Decision {
        side,
        outcome,
        basis: Basis::None,
        why,
    };
    let fails = |name: &str| format!("`{name}` fails a gate");
    match (first.passes(), last.passes()) {
        (true, false) => by_gates(Side::First, Outcome::Better, fails(&last.name)),
        (false, true) => by_gates(Side::Last, Outcome::Better, fails(&first.name)),
        (false, false) => by_gates(Side::Neither, Outcome::NoVerdict, "both fail a gate".to_owned()),
        (true, true) => by_bits(differences),
    }
}

fn by_bits(differences: &Differences) -> Decision {
    let (ngram, trained) = (
        side(differences.ngram.as_ref()),
        side(differences.trained.as_ref()),
    );
    let (side, outcome, basis, why) = match (ngram, trained) {
        (Side::Neither, Side::Neither) if differences.ngram.is_none() => (
            Side::Neither,
            Outcome::NoVerdict,
            Basis::None,
            "bits per byte were not measured",
        ),
        (Side::Neither, Side::Neither) => (
            Side::Neither,
            Outcome::NoDifference,
            if differences.trained.is_some() {
                Basis::Trained
            } else {
                Basis::Ngram
            },
            "the interval covers 0",
        ),
        (side, Side::Neither) => (side, Outcome::Better, Basis::Ngram, "fewer bits per byte"),
        (Side::Neither, side) => (
            side,
            Outcome::Better,
            Basis::Trained,
            "fewer bits per byte of trained models",
        ),
        (ngram, trained) if ngram == trained => (
            ngram,
            Outcome::Better,
            Basis::Trained,
            "fewer bits per byte, of n-grams and of trained models",
        ),
        _ => (
            Side::Neither,
            Outcome::NoVerdict,
            Basis::None,
            "n-grams and trained models contradict each other",
        ),
    };
    Decision {
        side,
        outcome,
        basis,
        why: why.to_owned(),
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
            tokens_per_gb: None,
            stage1: None,
            stage2: None,
            benchmarks: Vec::new(),
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

    fn found(passes: (bool, bool), ngram: f64, trained: f64) -> Verdict {
        let differences = Differences {
            ngram: Some(at(ngram)),
            trained: Some(at(trained)),
            looks: 1,
        };
        verdict(&[dataset("a", passes.0), dataset("b", passes.1)], &differences).unwrap()
    }

    fn better(passes: (bool, bool), ngram: f64, trained: f64) -> (Option<String>, String) {
        let found = found(passes, ngram, trained);
        (found.better, found.why)
    }

    /// Found by review: the loser's bits gave the probability where a gate had decided.
    #[test]
    fn a_probability_is_of_the_bits_that_decided() {
        let both = (true, true);
        let of = |passes, ngram, trained| {
            let found = found(passes, ngram, trained);
            (found.outcome, found.probability, found.headline())
        };
        let (outcome, chance, headline) = of(both, -0.1, 0.02);
        assert_eq!(outcome, Outcome::Better);
        assert!(chance > Some(0.9), "of n-grams, which decided: {chance:?}");
        assert!(
            headline.starts_with("`a` is better, with probability 0.9"),
            "{headline}"
        );
        assert!(of(both, 0.0, 0.1).1 > Some(0.9));
        for (passes, words) in [
            ((true, false), "`a` is better"),
            ((false, true), "`b` is better"),
            ((false, false), "no verdict"),
        ] {
            let (_, chance, headline) = of(passes, 0.1, 0.1);
            assert_eq!((chance, headline.as_str()), (None, words));
        }
        let contradiction = of(both, 0.1, -0.1);
        assert_eq!(contradiction, (Outcome::NoVerdict, None, "no verdict".to_owned()));
        let (outcome, chance, headline) = of(both, 0.02, 0.0);
        assert_eq!(
            (outcome, headline.as_str()),
            (Outcome::NoDifference, "no difference")
        );
        assert_eq!(chance, Some(0.5), "of trained models, which see more");
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
        assert_eq!(
            (unmeasured.outcome, unmeasured.probability),
            (Outcome::NoVerdict, None)
        );
    }
}
