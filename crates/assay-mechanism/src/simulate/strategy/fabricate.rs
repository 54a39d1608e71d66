//! Fabrication: a share of the records is not refined, invented or foreign rows stand in its place.

use super::super::archive::CONTENT_ROWS;
use super::{RoundView, Strategy, StrategyInfo, Submission, honest_claims, rows};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "fabricate",
    about: "puts invented text, or rows of a published dataset, in place of a share φ of the records",
};

/// Invents this share of the rows.
#[derive(Debug)]
pub(in super::super) struct Fabricate(pub(in super::super) f64);

impl Strategy for Fabricate {
    fn work(&mut self, view: &RoundView<'_>, draws: &mut Draws) -> Submission {
        let mut claims = honest_claims(view);
        for claim in &mut claims {
            claim.false_kept = rows(self.0, CONTENT_ROWS, draws);
        }
        Submission {
            effort: claims.len() as f64 * (1.0 - self.0),
            claims,
            ..Submission::default()
        }
    }
}
