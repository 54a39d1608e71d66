//! The report of an evaluation: what `assay evaluate --json` prints under `data`.
//!
//! Values are rounded once, here: bits per byte to 1e-4, points of fineness to whole ones, the lower end towards −∞.

use std::collections::BTreeMap;

use assay_types::Digest;
use serde::Serialize;

use crate::benchmark::{BenchmarkDifference, BenchmarkReport};
use crate::gates::Gate;
use crate::interval::Interval;
use crate::leak::Leak;
use crate::stage1::ArmBits;
use crate::stage2::Trained;

/// Units of reported bits per byte in one bit.
const BITS_UNITS: f64 = 10_000.0;

/// An evaluation of one or more datasets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Profile of stage 1; null if it did not run.
    pub profile: Option<&'static str>,
    /// Tokens of each fold of each arm.
    pub budget_tokens: Option<u64>,
    /// Digest of the held-out text that was scored.
    pub evaluation: Option<Digest>,
    /// Digest of the evaluation pack; null if none was given.
    pub pack: Option<Digest>,
    /// Digest of the index of benchmarks; null if none was given.
    pub index: Option<Digest>,
    /// How models were trained; null if none were.
    pub training: Option<TrainingReport>,
    /// The datasets in the order they were given.
    pub datasets: Vec<DatasetReport>,
    /// What models of the first dataset answer better than those of the last; empty for a single one or without benchmarks.
    pub benchmarks: Vec<BenchmarkDifference>,
    /// Which of two is better; null for a single dataset.
    pub verdict: Option<Verdict>,
}

/// What was found about a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DatasetReport {
    /// Its name.
    pub name: String,
    /// Documents with text.
    pub documents: u64,
    /// Bytes of their texts.
    pub bytes: u64,
    /// Tokens of their texts.
    pub tokens: u64,
    /// Tokens for each 10^9 bytes of archives; null unless it is a dataset of ours.
    pub tokens_per_gb: Option<u64>,
    /// n-gram bits per byte; null with a flag that says why.
    pub stage1: Option<Bits>,
    /// Bits of trained models; null if none were trained.
    pub stage2: Option<TrainedBits>,
    /// What its models answer to benchmarks, in the order they were given; empty if none were, or nothing was trained. They are
    /// reported and decide nothing.
    pub benchmarks: Vec<BenchmarkReport>,
    /// Points between ore (0) and pure text (1000).
    pub fineness: Option<f64>,
    /// Lower end: what ranks.
    pub fineness_low: Option<f64>,
    /// Upper end.
    pub fineness_high: Option<f64>,
    /// Profile that fineness was measured by.
    pub fineness_profile: Option<&'static str>,
    /// Why there is no fineness.
    pub why: Option<String>,
    /// Gains on public and on fresh text; null if no public text was given.
    pub leak: Option<Leak>,
    /// Gates by name.
    pub gates: BTreeMap<&'static str, Gate>,
    /// What to know before trusting the numbers.
    pub flags: Vec<String>,
}

/// Bits per byte with a 95 % interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bits {
    /// Macro average of the domains.
    pub bpb: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Bits per byte of every domain.
    pub domains: BTreeMap<String, DomainBits>,
}

/// Bits per byte of one domain with a 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DomainBits {
    /// Mean of the folds or seeds.
    pub bpb: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Bits per byte of trained models.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainedBits {
    /// The numbers.
    #[serde(flatten)]
    pub bits: Bits,
    /// Models behind them.
    pub seeds: usize,
    /// Mean training loss of equal parts of a run, bits a token.
    pub curve: Vec<f64>,
}

/// How models were trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingReport {
    /// The profile.
    pub profile: &'static str,
    /// Tokens of a run.
    pub budget_tokens: u64,
    /// Models of each arm.
    pub seeds: usize,
    /// Times the result was looked at.
    pub looks: u32,
    /// Vector instructions, or `cuda`: both, and `plain`, give other bits than all others.
    pub instructions: &'static str,
}

impl TrainedBits {
    /// Rounded for a report.
    pub fn of(bits: Bits, seeds: usize, curve: &[f64]) -> Self {
        Self {
            bits,
            seeds,
            curve: curve.iter().map(|loss| rounded(*loss)).collect(),
        }
    }
}

impl TrainingReport {
    /// Of what was trained.
    pub fn of(trained: &Trained) -> Self {
        Self {
            profile: trained.profile,
            budget_tokens: trained.budget_tokens,
            seeds: trained.arms.first().map_or(0, ArmBits::folds),
            looks: trained.looks,
            instructions: trained.instructions,
        }
    }
}

/// The comparison of two datasets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// What was decided.
    pub outcome: Outcome,
    /// Name of the better one; null if nothing was decided.
    pub better: Option<String>,
    /// Probability that the better one is better, given the spread of folds and documents; without a difference, that the one
    /// with fewer bits per byte is. Null where bits did not decide: a gate failed, the stages contradict, nothing was measured.
    pub probability: Option<f64>,
    /// Looks of stage 2 that were taken.
    pub looks: u32,
    /// First minus second in n-gram bits per byte: below 0, the first is better.
    pub difference: Option<Bits>,
    /// The same of trained models, as wide as the looks ask for.
    pub trained_difference: Option<Bits>,
    /// What decided, or why nothing did.
    pub why: String,
}

/// What a comparison decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// One dataset is better.
    Better,
    /// Both were measured, and the interval covers 0.
    NoDifference,
    /// Nothing can be said.
    NoVerdict,
}

impl Verdict {
    /// A sentence for people, without its reason.
    pub fn headline(&self) -> String {
        let chance = self.probability.map(|probability| {
            // Seen with few folds, no probability is 1.
            let shown = probability.min(0.9999);
            format!(", with probability {shown:.4}")
        });
        match (self.outcome, &self.better) {
            (Outcome::Better, Some(name)) => format!("`{name}` is better{}", chance.unwrap_or_default()),
            (Outcome::NoDifference, _) => "no difference".to_owned(),
            _ => "no verdict".to_owned(),
        }
    }
}

impl Bits {
    /// Rounded for a report.
    pub fn of(interval: &Interval, domains: BTreeMap<String, Interval>) -> Self {
        Self {
            bpb: rounded(interval.point),
            low: rounded(interval.low),
            high: rounded(interval.high),
            domains: domains
                .into_iter()
                .map(|(name, bits)| (name, DomainBits::of(&bits)))
                .collect(),
        }
    }
}

impl DomainBits {
    fn of(interval: &Interval) -> Self {
        Self {
            bpb: rounded(interval.point),
            low: rounded(interval.low),
            high: rounded(interval.high),
        }
    }
}

/// To the units of a report.
pub(crate) fn rounded(bits: f64) -> f64 {
    (bits * BITS_UNITS).round() / BITS_UNITS
}

impl DatasetReport {
    /// Whether no gate failed.
    pub fn passes(&self) -> bool {
        self.gates.values().all(|gate| gate.passed != Some(false))
    }
}
