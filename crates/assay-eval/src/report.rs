//! The report of an evaluation: what `assay evaluate --json` prints under `data`.
//!
//! Values are rounded once, here: bits per byte to 1e-4, points of fineness to whole ones, the lower end towards −∞.

use std::collections::BTreeMap;

use assay_types::Digest;
use serde::Serialize;

use crate::gates::Gate;
use crate::interval::Interval;

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
    /// The datasets in the order they were given.
    pub datasets: Vec<DatasetReport>,
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
    /// n-gram bits per byte; null with a flag that says why.
    pub stage1: Option<Bits>,
    /// Training; null, this budget has none.
    pub stage2: Option<Bits>,
    /// Points between ore (0) and pure text (1000).
    pub fineness: Option<f64>,
    /// Lower end: what ranks.
    pub fineness_low: Option<f64>,
    /// Upper end.
    pub fineness_high: Option<f64>,
    /// Why there is no fineness.
    pub why: Option<String>,
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
    pub domains: BTreeMap<String, f64>,
}

/// The comparison of two datasets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Name of the better one; null: no difference was found.
    pub better: Option<String>,
    /// Probability that the one with fewer bits per byte is the better one, given the spread of folds and documents.
    pub probability: Option<f64>,
    /// Looks of stage 2 that were taken.
    pub looks: u32,
    /// First minus second in bits per byte: below 0, the first is better.
    pub difference: Option<Bits>,
    /// What decided, or why nothing did.
    pub why: String,
}

impl Bits {
    /// Rounded for a report.
    pub fn of(interval: &Interval, domains: BTreeMap<String, f64>) -> Self {
        Self {
            bpb: rounded(interval.point),
            low: rounded(interval.low),
            high: rounded(interval.high),
            domains: domains
                .into_iter()
                .map(|(name, bits)| (name, rounded(bits)))
                .collect(),
        }
    }
}

fn rounded(bits: f64) -> f64 {
    (bits * BITS_UNITS).round() / BITS_UNITS
}

impl DatasetReport {
    /// Whether no gate failed.
    pub fn passes(&self) -> bool {
        self.gates.values().all(|gate| gate.passed != Some(false))
    }
}
