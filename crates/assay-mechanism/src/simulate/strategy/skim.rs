//! Skimming: the most units there are, a thin part of each.

use super::super::archive::KEPT_ROWS;
use super::super::audit::Claim;
use super::{RoundView, Strategy, StrategyInfo, Submission, rows};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "skim",
    about: "takes all units it can get and refines of each only what its machines allow",
};

/// Wants everything.
#[derive(Debug, Default)]
pub(in super::super) struct Skim;

impl Strategy for Skim {
    fn want(&mut self, _capacity: u32, _draws: &mut Draws) -> u16 {
        u16::MAX
    }

    fn work(&mut self, view: &RoundView<'_>, draws: &mut Draws) -> Submission {
        // Half a unit's work for each, as long as the machines last; less the more units there are.
        let units = view.units.len().max(1) as f64;
        let done = (f64::from(view.capacity) / units).min(0.5);
        let claims: Vec<Claim> = view
            .units
            .iter()
            .map(|&unit| Claim {
                false_dropped: rows(1.0 - done, KEPT_ROWS, draws),
                ..Claim::honest(unit)
            })
            .collect();
        Submission {
            effort: claims.len() as f64 * done,
            claims,
            ..Submission::default()
        }
    }
}
