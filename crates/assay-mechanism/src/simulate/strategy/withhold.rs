//! Deleting after reward: files are honest, audited, and gone some rounds later.

use super::{RoundView, Strategy, StrategyInfo, Submission, honest_claims};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "withhold",
    about: "deletes its files some rounds after they were paid, to save their storage",
};

/// Share of a unit's cost that its storage makes.
const STORAGE: f64 = 0.05;

/// Deletes after this many rounds.
#[derive(Debug)]
pub(in super::super) struct Withhold(pub(in super::super) u32);

impl Strategy for Withhold {
    fn work(&mut self, view: &RoundView<'_>, _draws: &mut Draws) -> Submission {
        let claims = honest_claims(view);
        Submission {
            effort: claims.len() as f64 * (1.0 - STORAGE),
            claims,
            deletes_after: Some(self.0),
            ..Submission::default()
        }
    }
}
