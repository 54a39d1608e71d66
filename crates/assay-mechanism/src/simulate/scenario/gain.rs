//! Better and worse recipes (P5).

use super::super::play::Cast;
use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use super::super::strategy::Honest;
use crate::gain::{GainBounds, Measured};
use assay_types::{Q32, Tokens};

/// Bits per byte of the reference recipe, in 1e-4, and of one that needs one per cent fewer, and one more.
const ANCHOR_BITS: u32 = 13_000;
const BITS: [u32; 2] = [12_870, 13_130];

/// Tokens kept by every recipe.
const TOKENS: Tokens = Tokens(100);

/// The gain of a recipe of these bits per byte.
fn gain_of(settings: &Settings, bits: u32) -> Q32 {
    let measured = |bits| Measured { bits, tokens: TOKENS };
    let bounds = GainBounds::from(settings.values());
    crate::gain::gain(measured(ANCHOR_BITS), measured(bits), bounds).unwrap_or(Q32::ONE)
}

/// Miners with recipes of one per cent fewer and more bits per byte: gains of about 1.10 and 0.91.
pub(super) fn gain(settings: &Settings, rounds: u32) -> Outcome {
    let cast = BITS.into_iter().fold(Cast::honest(settings), |cast, bits| {
        let gain = gain_of(settings, bits);
        let name = format!("gain {:.3}", gain.0 as f64 / Q32::ONE.0 as f64);
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
        Property::below("P5c", "a recipe of gain 0.91 pays less", worse, 1.0),
    ];
    outcome
}
