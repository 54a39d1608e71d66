//! Refusing, deleting and hoarding (P12).

use super::super::play::{Cast, Played};
use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use super::super::strategy::{Freeze, Hoard, Strategy, Withhold};

/// Every group after the first earns less than the first.
fn less_than_honest(played: &Played, groups: usize, id: &str) -> Outcome {
    let honest = played.result(0).profit;
    let mut outcome = played.outcome();
    for at in 1..=groups {
        let result = played.result(at);
        outcome.properties.push(Property::below(
            id,
            format!("{} earns less than taking part", result.name),
            result.profit,
            honest,
        ));
    }
    outcome
}

/// Miners who refuse half and all of the validators' stake, and one whom a tenth of the stake cannot reach.
pub(super) fn freeze(settings: &Settings, rounds: u32) -> Outcome {
    // Several, because a single miner's share of replicas moves by half a per cent.
    let unlucky = (0..4)
        .map(|_| (settings.units, Box::new(Freeze(100)) as Box<dyn Strategy>))
        .collect();
    let played = Cast::honest(settings)
        .with(settings, "refuses half", Box::new(Freeze(500)))
        .with(settings, "refuses all", Box::new(Freeze(1_000)))
        .with_many(settings, "a tenth cannot read", unlucky)
        .play(settings, rounds, 0);
    let mut outcome = less_than_honest(&played, 2, "P12");
    outcome.properties.push(Property::at_least(
        "P10c",
        "a tenth of the stake that cannot read costs a miner less than 1 %",
        played.result(3).revenue / played.result(0).revenue,
        0.99,
    ));
    outcome
}

/// Miners who delete at once and after ten rounds.
pub(super) fn withhold(settings: &Settings, rounds: u32) -> Outcome {
    let played = Cast::honest(settings)
        .with(settings, "deletes at once", Box::new(Withhold(0)))
        .with(settings, "deletes after 10 rounds", Box::new(Withhold(10)))
        .play(settings, rounds, 0);
    less_than_honest(&played, 2, "P12b")
}

/// One hoarder.
pub(super) fn hoard(settings: &Settings, rounds: u32) -> Outcome {
    let played = Cast::honest(settings)
        .with(settings, "hoard", Box::new(Hoard))
        .play(settings, rounds, 0);
    less_than_honest(&played, 1, "P12c")
}
