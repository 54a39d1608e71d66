//! Skipping the units that somebody else does too, because they pay half.

use super::{RoundView, Strategy, StrategyInfo, Submission, honest_claims};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "skip-replicas",
    about: "leaves out units that have a second holder, because the pot is shared",
};

/// Delivers what it holds alone.
#[derive(Debug, Default)]
pub(in super::super) struct SkipReplicas;

impl Strategy for SkipReplicas {
    fn work(&mut self, view: &RoundView<'_>, _draws: &mut Draws) -> Submission {
        let alone = honest_claims(view)
            .into_iter()
            .zip(view.replicated)
            .filter(|(_, replicated)| !**replicated)
            .map(|(claim, _)| claim)
            .collect();
        Submission::worked(alone)
    }
}
