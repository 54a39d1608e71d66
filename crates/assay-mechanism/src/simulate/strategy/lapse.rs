//! One lapse: honest but for a single round of fraud.

use super::super::archive::CONTENT_ROWS;
use super::{RoundView, Strategy, StrategyInfo, Submission, honest_claims};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "lapse",
    about: "is honest but for one round in which it invents everything",
};

/// Invents everything in this round.
#[derive(Debug)]
pub(in super::super) struct Lapse(pub(in super::super) u32);

impl Strategy for Lapse {
    fn work(&mut self, view: &RoundView<'_>, _draws: &mut Draws) -> Submission {
        let mut claims = honest_claims(view);
        if view.round != self.0 {
            return Submission::worked(claims);
        }
        for claim in &mut claims {
            claim.false_kept = CONTENT_ROWS;
        }
        Submission {
            claims,
            ..Submission::default()
        }
    }
}
