//! Laziness: a share of the records is declared dropped without being looked at.
//!
//! The worst case for validators: every guess of a drop reason is right, so that only records the recipe would have
//! kept are wrong rows.

use super::super::archive::KEPT_ROWS;
use super::{RoundView, Strategy, StrategyInfo, Submission, honest_claims, rows};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "lazy",
    about: "refines a fraction f of the records and declares the rest dropped, guessing every reason right",
};

/// Does this fraction of the work.
#[derive(Debug)]
pub(in super::super) struct Lazy(pub(in super::super) f64);

impl Strategy for Lazy {
    fn work(&mut self, view: &RoundView<'_>, draws: &mut Draws) -> Submission {
        let mut claims = honest_claims(view);
        for claim in &mut claims {
            claim.false_dropped = rows(1.0 - self.0, KEPT_ROWS, draws);
        }
        Submission {
            effort: claims.len() as f64 * self.0,
            claims,
            ..Submission::default()
        }
    }
}
