//! Precomputing: refine units of the work list before the beacon says whose they are.

use super::super::audit::Claim;
use super::{RoundView, Strategy, StrategyInfo, Submission};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "precompute",
    about: "refines units of the public work list before the round and delivers those it happens to be assigned",
};

/// Guesses which units it will get.
#[derive(Debug, Default)]
pub(in super::super) struct Precompute;

impl Strategy for Precompute {
    fn work(&mut self, view: &RoundView<'_>, draws: &mut Draws) -> Submission {
        let guesses = draws.partial_fisher_yates(view.work_list.len() as u64, u64::from(view.capacity));
        let effort = guesses.len() as f64;
        let claims = guesses
            .into_iter()
            .filter_map(|at| view.work_list.get(usize::try_from(at).ok()?))
            .map(|offer| offer.unit)
            .filter(|unit| view.units.contains(unit))
            .map(Claim::honest)
            .collect();
        Submission {
            claims,
            effort,
            ..Submission::default()
        }
    }
}
