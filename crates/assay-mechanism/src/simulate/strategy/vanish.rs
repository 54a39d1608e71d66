//! A victim of sabotage: honest, and from some round on unable to deliver.

use super::{RoundView, Strategy, StrategyInfo, Submission, honest_claims};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "vanish",
    about: "honest until a rival takes it off the network",
};

/// Delivers until this round.
#[derive(Debug)]
pub(in super::super) struct Vanish(pub(in super::super) u32);

impl Strategy for Vanish {
    fn work(&mut self, view: &RoundView<'_>, _draws: &mut Draws) -> Submission {
        if view.round < self.0 {
            Submission::worked(honest_claims(view))
        } else {
            Submission::default()
        }
    }
}
