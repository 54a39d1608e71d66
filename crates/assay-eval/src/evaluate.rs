//! All stages of datasets that were read: gates, bits per byte, what trained models say, fineness.
//!
//! [`Arm`]s and the held-out text come in, a [`Report`] leaves. Stage 2 takes minutes: [`Evaluation::stage2`] says what to
//! train, the caller trains it cell by cell, [`Evaluation::run`] takes the result.

use std::collections::BTreeMap;

use assay_types::Digest;

use crate::arm::{Against, Arm};
use crate::benchmark::{self, Benchmark, BenchmarkDifference};
use crate::contamination::GramIndex;
use crate::gates::Gate;
use crate::held_out::{CLUSTERS_MIN, HeldOutSet};
use crate::interval::{Bootstrap, Interval};
use crate::leak::{Both, Texts, leak};
use crate::profile::{NGRAM_SMALL, NGRAM_V1, Profile};
use crate::report::{Bits, DatasetReport, Report, TrainedBits, TrainingReport};
use crate::sample::Sample;
use crate::stage1::{ArmBits, measure_on};
use crate::stage2::{Stage2, Trained, TrainingPlan};
use crate::verdict::{Differences, verdict};

/// Profiles of stage 1 in order of preference; an [`Arm`] samples for all of them.
pub const PROFILES: [Profile; 2] = [NGRAM_V1, NGRAM_SMALL];

/// Points that the lower end of a trained fineness is rounded down to (docs/evaluation.md).
const FINENESS_STEP: u16 = 5;

/// Place of the training profile in [`TrainingPlan::profiles`].
const TRAINING_PLACE: usize = 2;

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
    /// Text of the same domains that was public before: a gain on it alone is a leak.
    pub public: Option<HeldOutSet>,
    /// Benchmarks that trained models answer.
    pub benchmarks: Vec<Benchmark>,
    /// What is trained; an arm samples for [`TrainingPlan::profiles`].
    pub plan: TrainingPlan,
    /// What documents were held against.
    pub against: Against,
    /// Digest of the evaluation pack that held-out and pure text came from.
    pub pack: Option<Digest>,
}

/// Bits of every arm at one budget.
struct Measured<'a> {
    place: usize,
    budget_tokens: u64,
    bootstrap: Bootstrap<'a>,
    arms: Vec<Both>,
    /// Ore and pure, or why there is no scale.
    scale: Result<(Both, Both), String>,
}

impl Evaluation {
    /// What stage 2 trains: all datasets, then ore and pure if both are large enough; none if a dataset is too small or no
    /// held-out text was given.
    pub fn stage2(&self, seed: &[u8]) -> Option<Stage2<'_>> {
        let held_out = self.held_out.as_ref()?;
        let of = |arms: &mut dyn Iterator<Item = &'_ Arm>| -> Option<(u64, usize)> {
            let sizes: Vec<u64> = arms.map(|arm| arm.smallest_fold(TRAINING_PLACE).0).collect();
            Some((
                self.plan.sample.budget(sizes.iter().min().copied()?)?,
                sizes.len(),
            ))
        };
        let scale = || {
            self.ore
                .iter()
                .zip(&self.pure)
                .flat_map(|(ore, pure)| [ore, pure])
        };
        let (budget, arms) =
            of(&mut self.arms.iter().chain(scale())).or_else(|| of(&mut self.arms.iter()))?;
        let budget = budget.min(self.plan.model.tokens);
        let samples = self.arms.iter().chain(scale()).take(arms);
        let samples: Option<Vec<&Sample>> = samples.map(|arm| arm.sample(TRAINING_PLACE)).collect();
        let stage2 = Stage2::new(self.plan.model, held_out, samples?, budget, seed);
        Some(stage2.with_benchmarks(&self.benchmarks, self.arms.len()))
    }

    /// Runs stage 1 and puts everything together with what was trained.
    pub fn run(&self, trained: Option<&Trained>) -> Report {
        let measured = self.held_out.as_ref().and_then(|held_out| self.measure(held_out));
        let datasets: Vec<DatasetReport> = self
            .arms
            .iter()
            .enumerate()
            .map(|(place, arm)| self.dataset(place, arm, measured.as_ref(), trained))
            .collect();
        let differences = Differences {
            ngram: measured.as_ref().and_then(Measured::difference),
            trained: trained
                .filter(|_| self.plan.decides())
                .zip(self.held_out.as_ref())
                .and_then(|(trained, held_out)| {
                    let (first, last) = (trained.arms.first()?, trained.arms.get(self.arms.len() - 1)?);
                    let difference = Bootstrap::new(held_out).difference(first, last);
                    Some((difference.within(trained.quantile), last.folds()))
                }),
            looks: trained.map_or(0, |trained| trained.looks),
        };
        Report {
            profile: measured
                .as_ref()
                .and_then(|measured| PROFILES.get(measured.place))
                .map(|profile| profile.name),
            budget_tokens: measured.as_ref().map(|measured| measured.budget_tokens),
            evaluation: self.held_out.as_ref().map(|held_out| held_out.id),
            pack: self.pack,
            index: self.against.public.as_ref().map(GramIndex::digest),
            training: trained.map(TrainingReport::of),
            verdict: verdict(&datasets, &differences),
            benchmarks: trained.map(|trained| self.answered(trained)).unwrap_or_default(),
            datasets,
        }
    }

    /// What the first dataset answers better than the last; nothing of a single one.
    fn answered(&self, trained: &Trained) -> Vec<BenchmarkDifference> {
        let last = self.arms.len().checked_sub(1).filter(|last| *last > 0);
        let last = last.and_then(|last| trained.answers.get(last));
        match trained.answers.first().zip(last) {
            Some((first, last)) => benchmark::differences(&self.benchmarks, first, last),
            None => Vec::new(),
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
            let sample = arm.sample(place)?;
            let (fresh, public) = measure_on(sample, budget_tokens, held_out, self.public.as_ref());
            Some(Both { fresh, public })
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

    fn dataset(
        &self,
        place: usize,
        arm: &Arm,
        measured: Option<&Measured<'_>>,
        trained: Option<&Trained>,
    ) -> DatasetReport {
        let tally = arm.tally();
        let mut report = DatasetReport {
            name: arm.name.clone(),
            documents: tally.documents,
            bytes: tally.bytes,
            tokens: tally.tokens,
            tokens_per_gb: arm.tokens_per_gb(),
            stage1: None,
            stage2: None,
            benchmarks: Vec::new(),
            fineness: None,
            fineness_low: None,
            fineness_high: None,
            fineness_profile: None,
            why: None,
            leak: None,
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
        report.gates.insert("public_text", self.public_text(place));
        let bits = measured.and_then(|measured| Some((measured, measured.arms.get(place)?)));
        match (bits, &self.held_out) {
            (Some((measured, bits)), Some(held_out)) => {
                fill(&mut report, measured, &bits.fresh, held_out);
                self.fill_leak(&mut report, place, measured, held_out);
            }
            (_, Some(_)) => report.why = Some("a dataset is too small for stage 1".to_owned()),
            (_, None) => report.why = Some("no evaluation text was given (`--eval` or `--pack`)".to_owned()),
        }
        if let (Some(trained), Some(held_out)) = (trained, &self.held_out) {
            self.fill_trained(&mut report, place, trained, held_out);
        }
        let failed = report.gates.iter().filter(|(_, gate)| gate.passed == Some(false));
        let failed: Vec<String> = failed.map(|(name, _)| format!("gate/{name}")).collect();
        report.flags.extend(failed);
        report
    }
}

impl Evaluation {
    /// Place of the dataset that one is held against: the other end of the comparison, itself if it is alone.
    fn other(&self, place: usize) -> usize {
        let last = self.arms.len().saturating_sub(1);
        if place == last { 0 } else { last }
    }

    /// Whether far more documents of a dataset repeat public text than of the one it is compared with.
    fn public_text(&self, place: usize) -> Gate {
        let other = self.other(place);
        if self.against.public_text.is_none() {
            return Gate::unchecked("no public evaluation text was given (`--public`)");
        }
        match (self.arms.get(place), self.arms.get(other)) {
            (Some(arm), Some(anchor)) if other != place => arm.tally().public_text(anchor.tally()),
            _ => Gate::unchecked(
                "hits on public text are compared with those of another dataset (`--against`)",
            ),
        }
    }

    /// Whether a dataset gains on public text what it does not gain on fresh text.
    fn fill_leak(
        &self,
        report: &mut DatasetReport,
        place: usize,
        measured: &Measured<'_>,
        fresh: &HeldOutSet,
    ) {
        let Some(public) = &self.public else {
            let why = "no public evaluation text was given (`--public`)";
            report.gates.insert("leak", Gate::unchecked(why));
            return;
        };
        // Each is held against the other end of the comparison, a single one against ore.
        let other = self.other(place);
        let anchor = if other == place {
            measured.scale.as_ref().ok().map(|(ore, _)| (ore, "ore"))
        } else {
            let name = self.arms.get(other).map_or("", |arm| arm.name.as_str());
            measured.arms.get(other).map(|bits| (bits, name))
        };
        let texts = Texts { fresh, public };
        let found = measured.arms.get(place).zip(anchor);
        let found = found.and_then(|(bits, (anchor, name))| leak(bits, anchor, name, texts));
        let gate = match found {
            Some(Ok(found)) => {
                let gate = found.gate();
                report.leak = Some(found);
                gate
            }
            Some(Err(error)) => Gate::unchecked(&error.to_string()),
            None => {
                Gate::unchecked("a leak shows against another dataset (`--against`), or against ore and pure")
            }
        };
        report.gates.insert("leak", gate);
    }

    /// What stage 2 says of a dataset.
    fn fill_trained(
        &self,
        report: &mut DatasetReport,
        place: usize,
        trained: &Trained,
        held_out: &HeldOutSet,
    ) {
        let Some(bits) = trained.arms.get(place) else {
            return;
        };
        let bootstrap = Bootstrap::new(held_out);
        let level = Bits::of(&bootstrap.level(bits), domains(&bootstrap, bits, held_out));
        let curve = trained.curves.get(place).cloned().unwrap_or_default();
        report.stage2 = Some(TrainedBits::of(level, bits.folds(), &curve));
        if let (Some(answers), Some(arm)) = (trained.answers.get(place), self.arms.get(place)) {
            report.benchmarks = benchmark::reports(&self.benchmarks, answers, &arm.tally().benchmark_hits);
        }
        if !self.plan.decides() {
            report.flags.push(format!("profile/{}", trained.profile));
        } else if trained.budget_tokens < self.plan.model.tokens {
            report.flags.push(format!("short/{}", trained.profile));
        }
        let scale = trained.arms.get(self.arms.len()..);
        if let Some([ore, pure]) = scale.filter(|_| self.plan.decides()) {
            match bootstrap.fineness(bits, ore, pure) {
                Ok(fineness) => {
                    report.fineness = Some(fineness.estimate.points.round());
                    report.fineness_low = Some(fineness.lower_quantized(FINENESS_STEP) as f64);
                    report.fineness_high = Some(fineness.upper.ceil());
                    report.fineness_profile = Some(trained.profile);
                    report.why = None;
                }
                // What n-grams gave stands, marked as theirs.
                Err(_) if report.fineness.is_some() => {
                    let profile = report.fineness_profile.unwrap_or_default();
                    report.flags.push(format!("fineness/{profile}"));
                }
                Err(error) => report.why = Some(error.to_string()),
            }
        }
    }
}

impl Measured<'_> {
    /// The first against the last dataset, and the folds behind it.
    fn difference(&self) -> Option<(Interval, usize)> {
        match self.arms.as_slice() {
            [first, .., last] => {
                let difference = self.bootstrap.difference(&first.fresh, &last.fresh);
                Some((difference, first.fresh.folds()))
            }
            _ => None,
        }
    }
}

/// Intervals of every domain.
fn domains(bootstrap: &Bootstrap<'_>, bits: &ArmBits, held_out: &HeldOutSet) -> BTreeMap<String, Interval> {
    let named = held_out.domains().iter().enumerate();
    named
        .map(|(place, name)| (name.clone(), bootstrap.domain(bits, place)))
        .collect()
}

/// What stage 1 says of a dataset.
fn fill(report: &mut DatasetReport, measured: &Measured<'_>, bits: &ArmBits, held_out: &HeldOutSet) {
    let bootstrap = &measured.bootstrap;
    report.stage1 = Some(Bits::of(
        &bootstrap.level(bits),
        domains(bootstrap, bits, held_out),
    ));
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
            .fineness(bits, &ore.fresh, &pure.fresh)
            .map_err(|error| error.to_string()),
        Err(why) => Err(why.clone()),
    };
    match fineness {
        Ok(fineness) => {
            report.fineness = Some(fineness.estimate.points.round());
            report.fineness_low = Some(fineness.lower_quantized(1) as f64);
            report.fineness_high = Some(fineness.upper.ceil());
            report.fineness_profile = PROFILES.get(measured.place).map(|profile| profile.name);
        }
        Err(why) => report.why = Some(why),
    }
}
