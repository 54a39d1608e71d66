//! How simulated miners behave, one file a strategy.
//!
//! The world tells a strategy what it was assigned and what it may see; the strategy answers what it submits and what
//! that cost. Verdict, score and pay are those of the crate.

use super::audit::Claim;
use super::chance::uniform;
use crate::assign::Offer;
use assay_types::{Draws, UnitId, Verdict};
use std::fmt::Debug;

mod copycat;
mod fabricate;
mod freeze;
mod hoard;
mod honest;
mod lapse;
mod lazy;
mod precompute;
mod skim;
mod skip_replicas;
mod vanish;
mod whitewash;
mod whole_units;
mod withhold;

pub(super) use copycat::Copycat;
pub(super) use fabricate::Fabricate;
pub(super) use freeze::Freeze;
pub(super) use hoard::Hoard;
pub(super) use honest::{Honest, Seasonal};
pub(super) use lapse::Lapse;
pub(super) use lazy::Lazy;
pub(super) use precompute::Precompute;
pub(super) use skim::Skim;
pub(super) use skip_replicas::SkipReplicas;
pub(super) use vanish::Vanish;
pub(super) use whitewash::Whitewash;
pub(super) use whole_units::WholeUnits;
pub(super) use withhold::Withhold;

/// A strategy for the list of strategies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StrategyInfo {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// Every strategy of miners.
pub fn all() -> &'static [StrategyInfo] {
    &[
        honest::INFO,
        honest::SEASONAL_INFO,
        lapse::INFO,
        lazy::INFO,
        fabricate::INFO,
        whole_units::INFO,
        copycat::INFO,
        skim::INFO,
        hoard::INFO,
        freeze::INFO,
        withhold::INFO,
        whitewash::INFO,
        precompute::INFO,
        skip_replicas::INFO,
        vanish::INFO,
    ]
}

/// What a miner knows when it works.
#[derive(Debug)]
pub(super) struct RoundView<'a> {
    /// The round.
    pub(super) round: u32,
    /// Units assigned to it, by ascending id.
    pub(super) units: &'a [UnitId],
    /// Whether each of them has a second holder.
    pub(super) replicated: &'a [bool],
    /// Units its hardware can refine.
    pub(super) capacity: u32,
    /// Submissions of others that are public: of the round before.
    pub(super) public: &'a [Claim],
    /// Submissions of others in this round, where nothing keeps them private.
    pub(super) peers: Option<&'a [Claim]>,
    /// The round's work list, known before the beacon.
    pub(super) work_list: &'a [Offer],
}

/// What a miner submits and does.
#[derive(Debug, Default)]
pub(super) struct Submission {
    /// Units, in any order.
    pub(super) claims: Vec<Claim>,
    /// Honest units' worth of work done.
    pub(super) effort: f64,
    /// Thousandths of the validators' stake that are refused.
    pub(super) refused: u32,
    /// Rounds after which its files are deleted; none for never.
    pub(super) deletes_after: Option<u32>,
}

impl Submission {
    /// Claims that cost as much as as many honest units.
    pub(super) fn worked(claims: Vec<Claim>) -> Self {
        Self {
            effort: claims.len() as f64,
            claims,
            ..Self::default()
        }
    }
}

/// A miner's behaviour.
pub(super) trait Strategy: Debug {
    /// Units wanted for the next round.
    fn want(&mut self, capacity: u32, draws: &mut Draws) -> u16 {
        let _ = draws;
        u16::try_from(capacity).unwrap_or(u16::MAX)
    }

    /// The work of a round.
    fn work(&mut self, view: &RoundView<'_>, draws: &mut Draws) -> Submission;

    /// Whether it leaves its hotkey for a new one after this verdict.
    fn leaves(&self, verdict: Verdict) -> bool {
        let _ = verdict;
        false
    }
}

/// Honest claims over at most `capacity` of the assigned units.
fn honest_claims(view: &RoundView<'_>) -> Vec<Claim> {
    view.units
        .iter()
        .take(view.capacity as usize)
        .copied()
        .map(Claim::honest)
        .collect()
}

/// `share` of `whole` rows, rounded up or down by chance so that the mean is exact.
fn rows(share: f64, whole: u64, draws: &mut Draws) -> u64 {
    let exact = share * whole as f64;
    let up = uniform(draws) <= exact.fract();
    exact.floor() as u64 + u64::from(up)
}
