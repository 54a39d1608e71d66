//! Copying and precomputing: work that is not the miner's own, or not its to do (P1).

use super::super::play::Cast;
use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use super::super::strategy::{Copycat, Precompute};

/// One copycat among honest miners.
pub(super) fn copycat(settings: &Settings, rounds: u32) -> Outcome {
    let played = Cast::honest(settings)
        .with(settings, "copycat", Box::new(Copycat))
        .play(settings, rounds, 0);
    let (honest, copycat) = (played.result(0), played.result(1));
    let mut outcome = played.outcome();
    outcome.properties = vec![
        Property::at_most("P1", "copying earns nothing", copycat.profit, 0.0),
        Property::at_least(
            "P1b",
            "honest work earns at least half of its margin",
            honest.profit,
            (1.0 - settings.cost) / 2.0,
        ),
    ];
    outcome
}

/// One precomputing miner among honest ones.
pub(super) fn precompute(settings: &Settings, rounds: u32) -> Outcome {
    let played = Cast::honest(settings)
        .with(settings, "precompute", Box::new(Precompute))
        .play(settings, rounds, 0);
    let mut outcome = played.outcome();
    outcome.properties = vec![Property::at_most(
        "P1c",
        "refining before the beacon earns nothing",
        played.result(1).profit,
        0.0,
    )];
    outcome
}
