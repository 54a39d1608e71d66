//! One operator, many names: sybils, mergers, whitewashers, and what a true newcomer earns (P4, P9, P11).

use super::super::play::Cast;
use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use super::super::strategy::{Fabricate, Honest, Lazy, Strategy, Whitewash};

/// Miners of these capacities.
fn honest_miners(capacities: &[u32]) -> Vec<(u32, Box<dyn Strategy>)> {
    capacities
        .iter()
        .map(|&capacity| (capacity, Box::new(Honest::default()) as Box<dyn Strategy>))
        .collect()
}

/// Most that splitting or merging may gain.
const NEUTRAL: f64 = 1.01;

/// Operators of the same machines under 1, 2, 4 and 16 hotkeys.
pub(super) fn sybil(settings: &Settings, rounds: u32) -> Outcome {
    let splits: Vec<u32> = [1, 2, 4, 16]
        .into_iter()
        .filter(|k| settings.units.is_multiple_of(*k))
        .collect();
    let cast = splits.iter().fold(Cast::honest(settings), |cast, &k| {
        let capacities = vec![settings.units / k; k as usize];
        cast.with_many(settings, &format!("{k} hotkeys"), honest_miners(&capacities))
    });
    let played = cast.play(settings, rounds, 0);
    let alone = played.result(0).revenue;
    let mut outcome = played.outcome();
    for (at, k) in (1..).zip(&splits).filter(|(_, k)| **k > 1) {
        outcome.properties.push(Property::at_most(
            "P4",
            format!("{k} hotkeys earn at most 1.01 of one miner's revenue"),
            played.result(at).revenue / alone,
            NEUTRAL,
        ));
    }
    outcome
}

/// Operators that merge two and four miners.
pub(super) fn merge(settings: &Settings, rounds: u32) -> Outcome {
    let sizes = [2, 4];
    let cast = sizes.iter().fold(Cast::honest(settings), |cast, &n| {
        let capacity = (settings.units * n).min(settings.values().cap_max as u32);
        cast.with_many(settings, &format!("{n} merged"), honest_miners(&[capacity]))
    });
    let played = cast.play(settings, rounds, 0);
    let alone = played.result(0).revenue;
    let mut outcome = played.outcome();
    for (at, n) in (1..).zip(sizes) {
        outcome.properties.push(Property::at_most(
            "P4b",
            format!("{n} miners merged earn at most 1.01 of their revenue apart"),
            played.result(at).revenue / alone,
            NEUTRAL,
        ));
    }
    outcome
}

/// Cheaters who change their hotkey when caught; registration costs are not counted.
pub(super) fn whitewash(settings: &Settings, rounds: u32) -> Outcome {
    let cheats: [(&str, Box<dyn Strategy>); 4] = [
        ("whitewash f=0.99", Box::new(Lazy(0.99))),
        ("whitewash f=0.95", Box::new(Lazy(0.95))),
        ("whitewash φ=0.01", Box::new(Fabricate(0.01))),
        ("whitewash φ=0.2", Box::new(Fabricate(0.2))),
    ];
    let names = cheats.each_ref().map(|(name, _)| *name);
    let cast = cheats
        .into_iter()
        .fold(Cast::honest(settings), |cast, (name, cheat)| {
            cast.with(settings, name, Box::new(Whitewash(cheat)))
        });
    let played = cast.play(settings, rounds, 0);
    let honest = played.result(0).profit;
    let mut outcome = played.outcome();
    for (at, name) in (1..).zip(names) {
        outcome.properties.push(Property::below(
            "P9",
            format!("{name} earns less than honest, registrations for free"),
            played.result(at).profit,
            honest,
        ));
    }
    outcome
}

/// The round in which newcomers enter.
const JOIN_ROUND: u32 = 40;

/// Fewest rounds of `newcomer`: 40 behind the entry, so that a steady income can be seen.
pub(super) const NEWCOMER_ROUNDS_MIN: u32 = JOIN_ROUND + 40;

/// Blocks from a newcomer's registration to its first pay, beside the rounds it works: a round to join, then until
/// the last worked round is effective, then until weights are revealed.
fn waiting_blocks(settings: &Settings) -> f64 {
    let values = settings.values();
    (values.round_blocks + (values.effective_offset - values.round_blocks).max(1) + values.round_blocks)
        as f64
}

/// Newcomers of three sizes join.
pub(super) fn newcomer(settings: &Settings, rounds: u32) -> Outcome {
    let sizes = [1, 4, 16].map(|factor| (settings.units * factor).min(settings.values().cap_max as u32));
    let late = sizes.iter().fold(Cast::honest(settings), |cast, &capacity| {
        cast.with_late(settings, &format!("newcomer of {capacity}"), capacity, JOIN_ROUND)
    });
    let played = late.play(settings, rounds, 0);
    let mut outcome = played.outcome();
    for (at, capacity) in (1..).zip(sizes) {
        let revenue: Vec<f64> = played
            .revenue(at)
            .iter()
            .skip(JOIN_ROUND as usize)
            .copied()
            .collect();
        let last: Vec<f64> = revenue.iter().rev().take(20).copied().collect();
        let steady = last.iter().sum::<f64>() / last.len().max(1) as f64;
        let worked = revenue.iter().take_while(|&&one| one < steady / 2.0).count() + 1;
        let blocks = worked as f64 * settings.values().round_blocks as f64 + waiting_blocks(settings);
        outcome.properties.push(Property::at_most(
            "P11",
            format!("a newcomer of {capacity} units earns half of its income within immunity, blocks"),
            blocks,
            settings.values().immunity_period as f64,
        ));
    }
    outcome
}
