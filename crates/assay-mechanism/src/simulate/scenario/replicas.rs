//! Units with two holders, and rivals taken off the network.

use super::super::play::Cast;
use super::super::report::{Outcome, Property, StrategyResult};
use super::super::settings::Settings;
use super::super::strategy::{Honest, SkipReplicas, Strategy, Vanish};
use std::collections::BTreeSet;

/// An operator of a fifth of the network under different owners, who refines a unit once where it holds both replicas.
pub(super) fn replicas(settings: &Settings, rounds: u32) -> Outcome {
    let owned = (settings.miners / 4).max(1);
    let miners = (0..owned)
        .map(|_| (settings.units, Box::new(Honest::default()) as Box<dyn Strategy>))
        .collect();
    let cast = Cast::honest(settings).with_many(settings, "operator of a fifth", miners);
    let (mut world, mut played) = cast.world(settings, 0);
    let mine: BTreeSet<_> = world.hotkeys(1).into_iter().collect();
    let (mut held, mut twice) = (0_u64, 0_u64);
    for _ in 0..rounds {
        let result = world.play();
        played.take(&result.revenue, &result.cost);
        for one in &result.given {
            let holders = std::iter::once(one.holder).chain(one.replica);
            let own = holders.filter(|hotkey| mine.contains(hotkey)).count() as u64;
            held += own;
            twice += u64::from(own == 2);
        }
    }
    let mut outcome = played.outcome();
    outcome.properties = vec![Property::at_most(
        "P15",
        "doing one's own replicas once saves at most 2 % of the compute",
        twice as f64 / held.max(1) as f64,
        // ρ·s/(1+ρ) = 1.8 % for a fifth; the rest is chance.
        0.02,
    )];
    outcome
}

/// One miner that leaves out replicated units.
pub(super) fn skip_replicas(settings: &Settings, rounds: u32) -> Outcome {
    let played = Cast::honest(settings)
        .with(settings, "skip-replicas", Box::new(SkipReplicas))
        .play(settings, rounds, 0);
    let mut outcome = played.outcome();
    outcome.properties = vec![Property::below(
        "P15b",
        "leaving out units whose pay is shared earns less",
        played.result(1).profit,
        played.result(0).profit,
    )];
    outcome
}

/// A network with as much demand as it has places loses a miner half-way.
pub(super) fn sabotage(settings: &Settings, rounds: u32) -> Outcome {
    let mut settings = settings.clone();
    let capacity = (settings.miners as u64 + 1) * u64::from(settings.units);
    // More than can be done, as one unit in ten takes two places: everyone is full before and after.
    settings.params.values.demand_units = capacity;
    let falls = rounds / 2;
    let played = Cast::honest(&settings)
        .with(&settings, "victim", Box::new(Vanish(falls)))
        .play(&settings, rounds, 0);
    let half = |from: usize, to: usize| {
        let revenue: Vec<f64> = played.revenue(0).iter().take(to).skip(from).copied().collect();
        StrategyResult::new("", &revenue, &vec![0.0; revenue.len()]).revenue
    };
    let falls = falls as usize;
    // Thirty rounds settle the averages before and after.
    let (before, after) = (half(falls / 2, falls), half(falls + 30, rounds as usize));
    let mut outcome = played.outcome();
    outcome.properties = vec![Property::at_most(
        "P15c",
        "others gain at most half a per cent when a rival is knocked out",
        after / before.max(f64::MIN_POSITIVE),
        1.005,
    )];
    outcome
}
