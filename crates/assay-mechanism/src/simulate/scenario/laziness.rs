//! Laziness in records, in units and over many units (P2).

use super::super::play::{Cast, Played};
use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use super::super::strategy::{Lazy, Skim, Strategy, WholeUnits};

/// Private auditors where there are any: eight validators of a network look for themselves, one of them in the
/// common sample's place.
pub(super) const AUDITORS: u32 = 7;

/// Fractions of the work done.
const FRACTIONS: [f64; 4] = [0.999, 0.99, 0.95, 0.5];

/// From this fraction on, several miners are measured.
const ALMOST: f64 = 0.999;

/// How many.
const MINERS_OF_ALMOST: u32 = 4;

/// Most of the honest profit that doing 99.9 % may keep under private audits.
const ALMOST_DONE_SHARE: f64 = 0.5;

/// Lazy miners under the common sample alone, then under private audits too.
pub(super) fn lazy(settings: &Settings, rounds: u32) -> Outcome {
    let mut outcome = Outcome::default();
    for auditors in [0, AUDITORS] {
        let cast = FRACTIONS.into_iter().fold(Cast::honest(settings), |cast, f| {
            // The smallest cheat is found so rarely that one miner's luck would decide.
            let miners = if f >= ALMOST { MINERS_OF_ALMOST } else { 1 };
            let group = (0..miners).map(|_| (settings.units, Box::new(Lazy(f)) as Box<dyn Strategy>));
            cast.with_many(settings, &format!("lazy f={f}"), group.collect())
        });
        let played = cast.play(settings, rounds, auditors);
        let honest = played.result(0);
        for (at, f) in (1..).zip(FRACTIONS) {
            let statement =
                format!("doing {f} of the work earns less than all of it, {auditors} private audits");
            outcome.properties.push(Property::below(
                "P2",
                statement,
                played.result(at).profit,
                honest.profit,
            ));
        }
        if auditors > 0 {
            let statement = "under private audits, doing 0.999 of the work keeps at most half of the profit";
            outcome.properties.push(Property::at_most(
                "P2c",
                statement,
                played.result(1).profit,
                honest.profit * ALMOST_DONE_SHARE,
            ));
        }
        append(&mut outcome, &played, auditors);
    }
    outcome
}

/// Adds a run's strategies, marked by its auditors.
pub(super) fn append(outcome: &mut Outcome, played: &Played, auditors: u32) {
    let mut more = played.outcome();
    let marked = |name: &str| format!("{name}, V={auditors}");
    for strategy in &mut more.strategies {
        strategy.name = marked(&strategy.name);
    }
    for series in &mut more.series {
        series.name = marked(&series.name);
    }
    outcome.strategies.append(&mut more.strategies);
    outcome.series.append(&mut more.series);
}

/// Miners of 16 and 256 units that invent one or four of them.
pub(super) fn whole_units(settings: &Settings, rounds: u32) -> Outcome {
    let mut outcome = Outcome::default();
    // Ten honest miners suffice, as pay is linear; large ones make rounds slow.
    let settings = &Settings {
        miners: settings.miners.min(10),
        ..settings.clone()
    };
    for auditors in [0, AUDITORS] {
        let large = settings.units * 16;
        let miners = |count: u32, invented| -> Vec<(u32, Box<dyn Strategy>)> {
            let one = || Box::new(WholeUnits(invented)) as Box<dyn Strategy>;
            (0..count).map(|_| (large, one())).collect()
        };
        let name = |invented, of| format!("{invented} of {of} invented");
        let played = Cast::honest(settings)
            .with(settings, &name(1, settings.units), Box::new(WholeUnits(1)))
            .with_many(settings, &name(4, large), miners(1, 4))
            // Found in one round of 128: several miners, or luck would decide.
            .with_many(settings, &name(1, large), miners(MINERS_OF_ALMOST, 1))
            .play(settings, rounds, auditors);
        let honest = played.result(0);
        for at in 1..=3 {
            let cheat = played.result(at);
            let statement = format!(
                "{}: earns less than honest, {auditors} private audits",
                cheat.name
            );
            outcome
                .properties
                .push(Property::below("P2b", statement, cheat.profit, honest.profit));
        }
        append(&mut outcome, &played, auditors);
    }
    outcome
}

/// One miner that does a thin part of everything.
pub(super) fn skim(settings: &Settings, rounds: u32) -> Outcome {
    let played = Cast::honest(settings)
        .with(settings, "skim", Box::new(Skim))
        .play(settings, rounds, 0);
    let mut outcome = played.outcome();
    outcome.properties = vec![Property::below(
        "P3c",
        "a thin part of many units earns less than honest work",
        played.result(1).profit,
        played.result(0).profit,
    )];
    outcome
}
