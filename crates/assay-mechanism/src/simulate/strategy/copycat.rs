//! Copying: submit what others refined.
//!
//! Where rounds are in lockstep, only earlier rounds are readable, and their units are closed. Where they are not, the
//! copies of this round are as good as the originals.

use super::super::audit::Claim;
use super::{RoundView, Strategy, StrategyInfo, Submission};
use assay_types::Draws;

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "copycat",
    about: "copies twice its capacity from submissions of others and commits it under its own key",
};

/// Work per copied unit: reading and publishing it.
const EFFORT: f64 = 0.01;

/// Copies as many units as can be had.
#[derive(Debug, Default)]
pub(in super::super) struct Copycat;

impl Strategy for Copycat {
    fn work(&mut self, view: &RoundView<'_>, draws: &mut Draws) -> Submission {
        let readable = view.peers.unwrap_or(view.public);
        let wanted = u64::from(view.capacity) * 2;
        let claims: Vec<Claim> = draws
            .partial_fisher_yates(readable.len() as u64, wanted)
            .into_iter()
            .filter_map(|at| readable.get(usize::try_from(at).ok()?).cloned())
            .collect();
        Submission {
            effort: claims.len() as f64 * EFFORT,
            claims,
            ..Submission::default()
        }
    }
}
