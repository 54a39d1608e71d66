//! A few units wholly invented among honest ones, to slip between the audited units.

use super::super::archive::CONTENT_ROWS;
use super::{RoundView, Strategy, StrategyInfo, Submission, honest_claims};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "whole-units",
    about: "invents a few units from first to last row and refines the others",
};

/// Invents this many units a round.
#[derive(Debug)]
pub(in super::super) struct WholeUnits(pub(in super::super) u32);

impl Strategy for WholeUnits {
    fn work(&mut self, view: &RoundView<'_>, _draws: &mut Draws) -> Submission {
        let mut claims = honest_claims(view);
        // Few units are all audited: it waits until it has as many as its machines can do.
        let full = claims.len() >= view.capacity as usize;
        let invented = if full { self.0 as usize } else { 0 };
        for claim in claims.iter_mut().take(invented) {
            claim.false_kept = CONTENT_ROWS;
        }
        Submission {
            effort: (claims.len() - invented) as f64,
            claims,
            ..Submission::default()
        }
    }
}
