//! Honest miners: they refine what they are assigned, with the reference recipe or a better one.

use super::{RoundView, Strategy, StrategyInfo, Submission, honest_claims};
use assay_types::{Draws, Q32};

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "honest",
    about: "refines every assigned unit, with the reference recipe or one of another gain",
};

pub(super) const SEASONAL_INFO: StrategyInfo = StrategyInfo {
    name: "seasonal",
    about: "honest, with a quarter to all of its machines from round to round",
};

/// Refines everything under a recipe of this gain.
#[derive(Debug)]
pub(in super::super) struct Honest {
    gain: Q32,
}

impl Default for Honest {
    fn default() -> Self {
        Self { gain: Q32::ONE }
    }
}

impl Honest {
    /// Uses a recipe of gain `gain`.
    pub(in super::super) fn with_gain(gain: Q32) -> Self {
        Self { gain }
    }
}

impl Strategy for Honest {
    fn work(&mut self, view: &RoundView<'_>, _draws: &mut Draws) -> Submission {
        let mut claims = honest_claims(view);
        for claim in &mut claims {
            claim.gain = self.gain;
        }
        Submission::worked(claims)
    }
}

/// Wants another number of units each round.
#[derive(Debug, Default)]
pub(in super::super) struct Seasonal;

impl Strategy for Seasonal {
    fn want(&mut self, capacity: u32, draws: &mut Draws) -> u16 {
        let least = u64::from(capacity).div_ceil(4);
        (least + draws.draw(u64::from(capacity) + 1 - least)) as u16
    }

    fn work(&mut self, view: &RoundView<'_>, _draws: &mut Draws) -> Submission {
        Submission::worked(honest_claims(view))
    }
}
