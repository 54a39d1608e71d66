//! The form of a simulation's results: profits by strategy, properties with value and bound, series to draw.
//!
//! Scenarios fill it; the command line prints it as a table, JSON or a plot. The JSON keys are those of
//! `assay.simulate/1`.

use super::statistics::{batched, mean};
use serde::{Deserialize, Serialize};

/// `schema` of a report in the envelope.
pub const SIMULATE_SCHEMA: &str = "assay.simulate/1";

/// How a strategy fared, in mean revenue of an honest miner a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategyResult {
    /// The strategy.
    pub name: String,
    /// Mean revenue; 1 is an equal share.
    pub revenue: f64,
    /// Mean cost.
    pub cost: f64,
    /// Mean profit.
    pub profit: f64,
    /// Lower end of the 95 % interval.
    pub profit_low: f64,
    /// Upper end of the 95 % interval.
    pub profit_high: f64,
}

impl StrategyResult {
    /// The result of rounds of revenue and cost, those counted only.
    pub(super) fn new(name: &str, revenue: &[f64], cost: &[f64]) -> Self {
        let profits: Vec<f64> = revenue.iter().zip(cost).map(|(r, c)| r - c).collect();
        let profit = batched(&profits);
        Self {
            name: name.to_owned(),
            revenue: mean(revenue),
            cost: mean(cost),
            profit: profit.mean,
            profit_low: profit.low,
            profit_high: profit.high,
        }
    }
}

/// A property and whether it held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// `P1` to `P14`, with a letter where it has parts.
    pub id: String,
    /// What must hold, in words.
    pub statement: String,
    /// What was measured.
    pub value: f64,
    /// What it is compared with.
    pub bound: f64,
    /// Whether it holds.
    pub holds: bool,
}

impl Property {
    /// Holds if `value < bound`.
    pub(super) fn below(id: &str, statement: impl Into<String>, value: f64, bound: f64) -> Self {
        Self::new(id, statement.into(), value, bound, value < bound)
    }

    /// Holds if `value ≤ bound`.
    pub(super) fn at_most(id: &str, statement: impl Into<String>, value: f64, bound: f64) -> Self {
        Self::new(id, statement.into(), value, bound, value <= bound)
    }

    /// Holds if `value ≥ bound`.
    pub(super) fn at_least(id: &str, statement: impl Into<String>, value: f64, bound: f64) -> Self {
        Self::new(id, statement.into(), value, bound, value >= bound)
    }

    fn new(id: &str, statement: String, value: f64, bound: f64, holds: bool) -> Self {
        Self {
            id: id.to_owned(),
            statement,
            value,
            bound,
            holds,
        }
    }
}

/// Revenue of one strategy over rounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The strategy.
    pub name: String,
    /// Revenue of each round from the first.
    pub revenue: Vec<f64>,
}

/// What a scenario gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Outcome {
    /// Strategies in the order of interest.
    pub(super) strategies: Vec<StrategyResult>,
    /// Properties tested.
    pub(super) properties: Vec<Property>,
    /// Revenue over rounds.
    pub(super) series: Vec<Series>,
}

/// One scenario under one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// Rounds played.
    pub rounds: u32,
    /// Strategies.
    pub strategies: Vec<StrategyResult>,
    /// Properties.
    pub properties: Vec<Property>,
    /// For plots only.
    #[serde(skip)]
    pub series: Vec<Series>,
}

impl Report {
    /// Whether every property held.
    pub fn holds(&self) -> bool {
        self.properties.iter().all(|property| property.holds)
    }
}
