//! Evaluation text in data or artifacts: the leak flag must be raised for it and for nothing else (P16).

use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use crate::duel::DuelParams;
use crate::leak::{Gains, gap};
use crate::normal::Noise;

/// Standard deviation of one seed's gain, bits per byte: 8 points of a span of 1, as in the duels.
const NOISE: f64 = 0.008;

/// Largest gap between public and fresh text that any recipe without leaked text was measured to have.
const HONEST_GAP: f64 = 0.019;

/// Smallest gap measured with one document in a hundred, and with five, from the public evaluation text.
const LEAKS: [(&str, f64); 2] = [("1 %", 0.081), ("5 %", 0.201)];

/// Gain of an honest better recipe on both kinds of text, bits per byte.
const GAIN: f64 = 0.024;

/// Recipes tried for each round asked for.
const RECIPES_PER_ROUND: u32 = 25;

/// Share of `recipes` with the true `gap` whose flag is raised.
fn flagged(settings: &Settings, recipes: u32, stream: u64, true_gap: f64) -> f64 {
    let seeds = DuelParams::from(settings.values()).seeds_screen.max(4);
    let raised = (0..recipes).filter(|&recipe| {
        let mut noise = Noise::new(settings.seed, (stream << 32) | u64::from(recipe));
        let mut draw = |mean: f64| mean + NOISE * noise.normal();
        let seeds: Vec<Gains> = (0..seeds)
            .map(|_| Gains {
                public: draw(GAIN + true_gap),
                fresh: draw(GAIN),
            })
            .collect();
        gap(&seeds).is_ok_and(|gap| gap.is_leak())
    });
    raised.count() as f64 / f64::from(recipes.max(1))
}

/// Recipes with and without public evaluation text in what they train on.
pub(super) fn leak(settings: &Settings, rounds: u32) -> Outcome {
    let recipes = rounds.saturating_mul(RECIPES_PER_ROUND);
    let mut outcome = Outcome::default();
    for (stream, (share, true_gap)) in (1..).zip(LEAKS) {
        outcome.properties.push(Property::at_least(
            "P16",
            format!("a recipe with {share} of leaked documents is flagged in 99 cases of 100"),
            flagged(settings, recipes, stream, true_gap),
            0.99,
        ));
    }
    outcome.properties.push(Property::at_most(
        "P16b",
        "an equally good recipe without a gap is flagged in at most one case of a hundred",
        flagged(settings, recipes, 3, 0.0),
        0.01,
    ));
    outcome.properties.push(Property::at_most(
        "P16c",
        "a recipe with the largest honest gap is flagged in at most one case of twenty",
        flagged(settings, recipes, 4, HONEST_GAP),
        0.05,
    ));
    outcome
}
