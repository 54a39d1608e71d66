//! Stages 0 and 1 of datasets that were read: gates, bits per byte, fineness, and which of two is better.
//!
//! [`Arm`]s and the held-out text come in, a [`Report`] leaves. A dataset that fails a gate is never called better than one
//! that passes, whatever its bits.

use std::collections::BTreeMap;

use crate::arm::{Against, Arm};
use crate::gates::Gate;
use crate::held_out::{CLUSTERS_MIN, HeldOutSet};
use crate::interval::{Bootstrap, Interval, probability};
use crate::profile::{NGRAM_SMALL, NGRAM_V1, Profile};
use crate::report::{Bits, DatasetReport, Report, Verdict};
use crate::stage1::{ArmBits, measure};

/// Profiles in order of preference; an [`Arm`] samples for all of them.
pub const PROFILES: [Profile; 2] = [NGRAM_V1, NGRAM_SMALL];

/// What is evaluated.
#[derive(Debug)]
pub struct Evaluation {
    /// The datasets; a verdict compares the first with the last.
    pub arms: Vec<Arm>,
    /// All visible text of the same archives: fineness 0.
    pub ore: Option<Arm>,
    /// Text of the evaluation domains: fineness 1000.
    pub pure: Option<Arm>,
    /// The held-out text; without it only gates are looked at.
    pub held_out: Option<HeldOutSet>,
    /// What documents were held against.
    pub against: Against,
}

/// Bits of every arm at one budget.
struct Measured<'a> {
    place: usize,
    budget_tokens: u64,
    bootstrap: Bootstrap<'a>,
    arms: Vec<ArmBits>,
    /// Ore and pure, or why there is no scale.
    scale: Result<(ArmBits, ArmBits), String>,
}

impl Evaluation {
    /// Runs stage 1 and puts everything together.
    pub fn run(&self) -> Report {
        let measured = self.held_out.as_ref().and_then(|held_out| self.measure(held_out));
        let datasets: Vec<DatasetReport> = self
            .arms
            .iter()
            .enumerate()
            .map(|(place, arm)| self.dataset(place, arm, measured.as_ref()))
            .collect();
        Report {
            profile: measured
                .as_ref()
                .and_then(|measured| PROFILES.get(measured.place))
                .map(|profile| profile.name),
            budget_tokens: measured.as_ref().map(|measured| measured.budget_tokens),
            evaluation: self.held_out.as_ref().map(|held_out| held_out.id),
            verdict: verdict(&datasets, measured.as_ref()),
            datasets,
        }
    }

    /// The first profile that every dataset is large enough for, and its budget; ore and pure count where they are large enough.
    fn budget(&self) -> Option<(usize, u64, bool)> {
        let smallest = |place, arms: &mut dyn Iterator<Item = &Arm>| {
            arms.map(|arm| arm.smallest_fold(place).0).min().unwrap_or(0)
        };
        let scale = || self.ore.iter().chain(&self.pure);
        let has_scale = self.ore.is_some() && self.pure.is_some();
        PROFILES.iter().enumerate().find_map(|(place, profile)| {
            let with = profile
                .budget(smallest(place, &mut self.arms.iter().chain(scale())))
                .filter(|_| has_scale);
            let without = profile.budget(smallest(place, &mut self.arms.iter()));
            with.map(|budget| (place, budget, true))
                .or(without.map(|budget| (place, budget, false)))
        })
    }

    fn measure<'a>(&self, held_out: &'a HeldOutSet) -> Option<Measured<'a>> {
        let (place, budget_tokens, has_scale) = self.budget()?;
        let bits = |arm: &Arm| {
            arm.sample(place)
                .map(|sample| measure(sample, budget_tokens, held_out))
        };
        let scale = match (&self.ore, &self.pure) {
            (Some(ore), Some(pure)) if has_scale => bits(ore).zip(bits(pure)).ok_or_else(String::new),
            (Some(_), Some(_)) => Err("ore or pure text is too small for a fold".to_owned()),
            (None, _) => Err("no ore was given: all visible text of the same archives (`--ore`)".to_owned()),
            (_, None) => Err("no pure text was given: an evaluation pack holds it (`--pack`)".to_owned()),
        };
        Some(Measured {
            place,
            budget_tokens,
            bootstrap: Bootstrap::new(held_out),
            arms: self.arms.iter().filter_map(bits).collect(),
            scale,
        })
    }

    fn dataset(&self, place: usize, arm: &Arm, measured: Option<&Measured<'_>>) -> DatasetReport {
        let tally = arm.tally();
        let mut report = DatasetReport {
            name: arm.name.clone(),
            documents: tally.documents,
            bytes: tally.bytes,
            tokens: tally.tokens,
            stage1: None,
            stage2: None,
            fineness: None,
            fineness_low: None,
            fineness_high: None,
            why: None,
            gates: arm.gates(&self.against),
            flags: Vec::new(),
        };
        let fold = arm.smallest_fold(PROFILES.len() - 1).0;
        let need = NGRAM_SMALL.budget_tokens_min;
        let why = format!(
            "the smallest of {} folds holds {fold} tokens, stage 1 needs {need}",
            NGRAM_SMALL.folds
        );
        report.gates.insert("size", Gate::condition(fold >= need, why));
        report.gates.insert(
            "provenance",
            Gate::unchecked("`assay verify` recomputes a dataset from its archives"),
        );
        let bits = measured.and_then(|measured| Some((measured, measured.arms.get(place)?)));
        match (bits, &self.held_out) {
            (Some((measured, bits)), Some(held_out)) => fill(&mut report, measured, bits, held_out),
            (_, Some(_)) => report.why = Some("a dataset is too small for stage 1".to_owned()),
            (_, None) => report.why = Some("no evaluation text was given (`--eval` or `--pack`)".to_owned()),
        }
        let failed = report.gates.iter().filter(|(_, gate)| gate.passed == Some(false));
        let failed: Vec<String> = failed.map(|(name, _)| format!("gate/{name}")).collect();
        report.flags.extend(failed);
        report
    }
}

/// The first against the last dataset.
fn verdict(datasets: &[DatasetReport], measured: Option<&Measured<'_>>) -> Option<Verdict> {
    let [first, .., last] = datasets else {
        return None;
    };
    let bits = measured.and_then(|measured| match measured.arms.as_slice() {
        [a, .., b] => Some((measured.bootstrap.difference(a, b), a.folds())),
        _ => None,
    });
    let (better, why) = decide(first, last, bits.as_ref().map(|(difference, _)| difference));
    Some(Verdict {
        better,
        probability: bits
            .as_ref()
            .map(|(difference, folds)| (probability(difference, *folds) * 10_000.0).round() / 10_000.0),
        looks: 0,
        difference: bits.map(|(difference, _)| Bits::of(&difference, BTreeMap::new())),
        why,
    })
}

/// The better of two, and why: gates first, then bits.
fn decide(
    first: &DatasetReport,
    last: &DatasetReport,
    difference: Option<&Interval>,
) -> (Option<String>, String) {
    match (first.passes(), last.passes()) {
        (true, false) => return (Some(first.name.clone()), format!("`{}` fails a gate", last.name)),
        (false, true) => return (Some(last.name.clone()), format!("`{}` fails a gate", first.name)),
        (false, false) => return (None, "both fail a gate".to_owned()),
        (true, true) => {}
    }
    match difference {
        None => (None, "bits per byte were not measured".to_owned()),
        Some(difference) if difference.high < 0.0 => {
            (Some(first.name.clone()), "fewer bits per byte".to_owned())
        }
        Some(difference) if difference.low > 0.0 => {
            (Some(last.name.clone()), "fewer bits per byte".to_owned())
        }
        Some(_) => (None, "no difference: the interval covers 0".to_owned()),
    }
}

/// What stage 1 says of a dataset.
fn fill(report: &mut DatasetReport, measured: &Measured<'_>, bits: &ArmBits, held_out: &HeldOutSet) {
    let domains = held_out.domains().iter().enumerate();
    let domains = domains
        .map(|(place, name)| (name.clone(), bits.domain(place, held_out)))
        .collect();
    report.stage1 = Some(Bits::of(&measured.bootstrap.level(bits), domains));
    if PROFILES.get(measured.place) == Some(&NGRAM_SMALL) {
        report.flags.push("small/ngram-small".to_owned());
    }
    if held_out.clusters_min() < CLUSTERS_MIN {
        report
            .flags
            .push(format!("few-clusters/{}", held_out.clusters_min()));
    }
    let fineness = match &measured.scale {
        Ok((ore, pure)) => measured
            .bootstrap
            .fineness(bits, ore, pure)
            .map_err(|error| error.to_string()),
        Err(why) => Err(why.clone()),
    };
    match fineness {
        Ok(fineness) => {
            report.fineness = Some(fineness.estimate.points.round());
            report.fineness_low = Some(fineness.lower_quantized(1) as f64);
            report.fineness_high = Some(fineness.upper.ceil());
        }
        Err(why) => report.why = Some(why),
    }
}
