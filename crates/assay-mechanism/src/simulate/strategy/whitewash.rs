//! Whitewashing: cheat until it costs credibility, then come back under a new key.

use super::{RoundView, Strategy, StrategyInfo, Submission};
use assay_types::{Draws, Verdict};

pub(super) const INFO: StrategyInfo = StrategyInfo {
    name: "whitewash",
    about: "cheats as another strategy does and registers a new hotkey whenever fraud is found",
};

/// Another strategy under ever new keys.
#[derive(Debug)]
pub(in super::super) struct Whitewash(pub(in super::super) Box<dyn Strategy>);

impl Strategy for Whitewash {
    fn want(&mut self, capacity: u32, draws: &mut Draws) -> u16 {
        self.0.want(capacity, draws)
    }

    fn work(&mut self, view: &RoundView<'_>, draws: &mut Draws) -> Submission {
        self.0.work(view, draws)
    }

    fn leaves(&self, verdict: Verdict) -> bool {
        verdict == Verdict::Fraud
    }
}
