//! Hoarding: more units than the machines can do, so that others have fewer.

use super::{RoundView, Strategy, StrategyInfo, Submission, honest_claims};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "hoard",
    about: "asks for every unit there is and delivers what its machines can do",
};

/// Wants everything, delivers its capacity.
#[derive(Debug, Default)]
pub(in super::super) struct Hoard;

impl Strategy for Hoard {
    fn want(&mut self, _capacity: u32, _draws: &mut Draws) -> u16 {
        u16::MAX
    }

    fn work(&mut self, view: &RoundView<'_>, _draws: &mut Draws) -> Submission {
        Submission::worked(honest_claims(view))
    }
}
