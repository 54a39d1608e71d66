//! Better and worse recipes (P5).

use super::super::play::Cast;
use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use super::super::strategy::Honest;
use assay_types::Q32;

/// Gains in hundredths of the reference's.
const GAINS: [u64; 2] = [110, 90];

/// Miners with recipes of gain 1.10 and 0.90.
pub(super) fn gain(settings: &Settings, rounds: u32) -> Outcome {
    let cast = GAINS
        .into_iter()
        .fold(Cast::honest(settings), |cast, hundredths| {
            let gain = Q32(hundredths * Q32::ONE.0 / 100);
            let name = format!("gain {}.{:02}", hundredths / 100, hundredths % 100);
            cast.with(settings, &name, Box::new(Honest::with_gain(gain)))
        });
    let played = cast.play(settings, rounds, 0);
    let alike = played.result(0).revenue;
    let (better, worse) = (played.result(1).revenue / alike, played.result(2).revenue / alike);
    let mut outcome = played.outcome();
    outcome.properties = vec![
        Property::at_least("P5", "a recipe of gain 1.10 pays at least 8 % more", better, 1.08),
        Property::at_most(
            "P5b",
            "a recipe of gain 1.10 pays at most 12 % more",
            better,
            1.12,
        ),
        Property::below("P5c", "a recipe of gain 0.90 pays less", worse, 1.0),
    ];
    outcome
}
