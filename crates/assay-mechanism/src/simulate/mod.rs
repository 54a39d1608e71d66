//! The simulator: the network over rounds with honest and hostile miners and validators, on the crate's real functions.
//!
//! A scenario and settings come in; profits by strategy and properties with value and bound go out. Only archives and
//! the miners' behaviour are simulated: assignment, samples, verdicts, scores, weights and consensus are those that
//! validators run. Everything is drawn from the seed. Floats measure; none of them reaches a weight.

mod archive;
mod audit;
mod chance;
mod play;
mod report;
mod scenario;
mod settings;
mod statistics;
pub mod strategy;
mod world;

pub use report::{Property, Report, SIMULATE_SCHEMA, Series, StrategyResult};
pub use scenario::{Scenario, all, find};
pub use settings::{DEFENCES, Defence, ROUNDS_MAX, SettingError, Settings};
pub use statistics::{Interval, interval};

/// Plays one scenario.
pub fn simulate(scenario: &Scenario, settings: &Settings) -> Report {
    let rounds = settings.rounds.unwrap_or(scenario.rounds);
    let rounds = rounds.clamp(scenario.rounds_min.max(1), ROUNDS_MAX);
    let outcome = (scenario.play)(settings, rounds);
    Report {
        scenario: scenario.name.to_owned(),
        seed: settings.seed,
        rounds,
        strategies: outcome.strategies,
        properties: outcome.properties,
        series: outcome.series,
    }
}
