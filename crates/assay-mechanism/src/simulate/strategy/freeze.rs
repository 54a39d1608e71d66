//! Refusal: work is committed, but validators cannot read it.

use super::{RoundView, Strategy, StrategyInfo, Submission, honest_claims};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "freeze",
    about: "commits and then answers only a part of the validators, to freeze a good record",
};

/// Refuses this many thousandths of the validators' stake.
#[derive(Debug)]
pub(in super::super) struct Freeze(pub(in super::super) u32);

impl Strategy for Freeze {
    fn work(&mut self, view: &RoundView<'_>, _draws: &mut Draws) -> Submission {
        Submission {
            refused: self.0,
            ..Submission::worked(honest_claims(view))
        }
    }
}
