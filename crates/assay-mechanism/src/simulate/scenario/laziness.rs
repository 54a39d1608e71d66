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

/// The smallest cheats are found so rarely that one miner's luck would decide: several are measured.
const MINERS_OF_ALMOST: u32 = 4;

/// Most of the honest profit that doing 99.9 % may keep under private audits.
const ALMOST_DONE_SHARE: f64 = 0.5;

/// A group that deviates: its name and its miners.
struct Cheat {
    name: String,
    miners: Vec<(u32, Box<dyn Strategy>)>,
}

impl Cheat {
    fn new(name: String, miners: u32, capacity: u32, strategy: impl Fn() -> Box<dyn Strategy>) -> Self {
        Self {
            name,
            miners: (0..miners).map(|_| (capacity, strategy())).collect(),
        }
    }
}

/// Plays each cheat alone in a network of honest miners, and that network without it.
///
/// The bound of each is what the same work earns where everyone is honest. Cheats that share a world lift each other
/// and the honest: what one of them loses in caps and pay goes to the rest.
fn alone(settings: &Settings, run: (u32, u32), id: &str, cheats: Vec<Cheat>) -> Outcome {
    let (rounds, auditors) = run;
    let baseline = Cast::honest(settings).play(settings, rounds, auditors);
    let honest = baseline.result(0).profit;
    let mut outcome = Outcome::default();
    append(&mut outcome, &baseline, auditors);
    for cheat in cheats {
        let statement = format!(
            "{} earns less than honest work, {auditors} private audits",
            cheat.name
        );
        let played = Cast::honest(settings)
            .with_many(settings, &cheat.name, cheat.miners)
            .play(settings, rounds, auditors);
        let profit = played.result(1).profit;
        outcome
            .properties
            .push(Property::below(id, statement, profit, honest));
        let mut found = Outcome::default();
        append(&mut found, &played, auditors);
        outcome.strategies.extend(found.strategies.into_iter().skip(1));
        outcome.series.extend(found.series.into_iter().skip(1));
    }
    outcome
}

/// Puts a run's results behind those of `outcome`.
fn join(outcome: &mut Outcome, mut more: Outcome) {
    outcome.strategies.append(&mut more.strategies);
    outcome.series.append(&mut more.series);
    outcome.properties.append(&mut more.properties);
}

/// Lazy miners under the common sample alone, then under private audits too.
pub(super) fn lazy(settings: &Settings, rounds: u32) -> Outcome {
    let mut outcome = Outcome::default();
    for auditors in [0, AUDITORS] {
        let cheats = FRACTIONS.into_iter().map(|f| {
            let miners = if f >= 0.999 { MINERS_OF_ALMOST } else { 1 };
            Cheat::new(format!("lazy f={f}"), miners, settings.units, || {
                Box::new(Lazy(f))
            })
        });
        let run = alone(settings, (rounds, auditors), "P2", cheats.collect());
        let almost = run.properties.first().map(|first| (first.value, first.bound));
        join(&mut outcome, run);
        if let (AUDITORS, Some((profit, honest))) = (auditors, almost) {
            let statement = "under private audits, doing 0.999 of the work keeps at most half of the profit";
            let bound = honest * ALMOST_DONE_SHARE;
            outcome
                .properties
                .push(Property::at_most("P2c", statement, profit, bound));
        }
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

/// Miners of 16 and 256 units that invent one or four of them, each among six miners of its own size.
pub(super) fn whole_units(settings: &Settings, rounds: u32) -> Outcome {
    let small = Settings {
        miners: settings.miners.min(6),
        ..settings.clone()
    };
    // A large cheat among small miners would be most of the network: what it loses would come back to it.
    let large = Settings {
        units: (small.units * 16).min(small.values().cap_max as u32).max(1),
        ..small.clone()
    };
    let cheat = |settings: &Settings, invented, miners| {
        let name = format!("{invented} of {} invented", settings.units);
        Cheat::new(name, miners, settings.units, || Box::new(WholeUnits(invented)))
    };
    let mut outcome = Outcome::default();
    for auditors in [0, AUDITORS] {
        let run = (rounds, auditors);
        join(&mut outcome, alone(&small, run, "P2b", vec![cheat(&small, 1, 1)]));
        let cheats = vec![cheat(&large, 4, 1), cheat(&large, 1, MINERS_OF_ALMOST)];
        join(&mut outcome, alone(&large, run, "P2b", cheats));
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
