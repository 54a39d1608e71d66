//! What a round does to a miner: production, credibility, the average that is paid, and the cap.
//!
//! Judgements and delivered units come in; `E`, the average, goes to `weights.rs` (mechanism §5, §7.4, §8). All in
//! Q32 with one floor an operation; everything is unsigned and monotone in each input (P13).

use crate::verdict::Judgement;
use assay_types::{ParamValues, Q32, Verdict};
use serde::{Deserialize, Serialize};

/// What is remembered of a miner, keyed by hotkey and registration block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinerState {
    /// `C`, how far it is trusted, 0 to 1.
    pub credibility: Q32,
    /// `E`, the moving average of production times credibility squared.
    pub average: Q32,
    /// `Q`, units it may hold.
    pub cap: u32,
    /// `CV`, rounds passed in a row.
    pub passed: u32,
}

impl MinerState {
    /// A newcomer: `C = cred_0`, `E = 0`, `Q = cap_first`.
    pub fn newcomer(values: &ParamValues) -> Self {
        Self {
            credibility: Q32(values.cred_0),
            average: Q32::ZERO,
            cap: values.cap_first as u32,
            passed: 0,
        }
    }

    /// Units it may be given: `min(want, Q)`.
    pub fn slots(&self, want: u16) -> u32 {
        u32::from(want).min(self.cap)
    }

    /// The state after a round of production `produced`.
    ///
    /// Credibility first, then `E ← mul(ONE − alpha, E) + mul(alpha, mul(P, mul(C, C)))` with the new credibility
    /// and `P = 0` unless the judgement pays. A skipped round changes nothing.
    #[must_use]
    pub fn after(&self, judgement: &Judgement, produced: Q32, values: &ParamValues) -> Self {
        if judgement.verdict == Verdict::Skipped {
            return *self;
        }
        let credibility = credibility(self.credibility, judgement, values).min(Q32::ONE);
        let kept = if judgement.verdict == Verdict::Fraud {
            Q32(values.fraud_keep).mul(self.average)
        } else {
            self.average
        };
        let paid = if judgement.pays { produced } else { Q32::ZERO };
        let alpha = Q32(values.alpha);
        let new = alpha.mul(paid.mul(credibility.mul(credibility)));
        Self {
            credibility,
            average: Q32::ONE.saturating_sub(alpha).mul(kept).saturating_add(new),
            cap: cap(self.cap, judgement, values),
            passed: match judgement.verdict {
                Verdict::Pass => self.passed.saturating_add(1),
                Verdict::Idle | Verdict::Unpaid | Verdict::Skipped => self.passed,
                Verdict::OneFault | Verdict::Fraud | Verdict::NoShow => 0,
            },
        }
    }
}

/// The credibility after a verdict; a pass never lowers it.
fn credibility(before: Q32, judgement: &Judgement, values: &ParamValues) -> Q32 {
    match judgement.verdict {
        Verdict::Pass => {
            let step = Q32(values.cred_up).mul(judgement.delivered_share);
            before.saturating_add(step.mul(Q32::ONE.saturating_sub(before)))
        }
        Verdict::OneFault => Q32(values.one_fault).mul(before),
        Verdict::Fraud => Q32(values.fraud_keep).mul(before),
        Verdict::NoShow => Q32(values.no_show).mul(before),
        Verdict::Idle | Verdict::Unpaid | Verdict::Skipped => before,
    }
}

/// The cap after a verdict: doubled by a clean full round, halved by a fault or no-show, 1 after fraud.
fn cap(before: u32, judgement: &Judgement, values: &ParamValues) -> u32 {
    match judgement.verdict {
        Verdict::Pass if judgement.delivered_share == Q32::ONE => {
            before.saturating_mul(2).min(values.cap_max as u32)
        }
        Verdict::OneFault | Verdict::NoShow => (before / 2).max(1),
        Verdict::Fraud => 1,
        Verdict::Pass | Verdict::Idle | Verdict::Unpaid | Verdict::Skipped => before,
    }
}

/// A unit that a miner delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveredUnit {
    /// `v`, its volume.
    pub volume: Q32,
    /// `ν`, its novelty, 0 to 1.
    pub novelty: Q32,
    /// `g`, the gain of the recipe used.
    pub gain: Q32,
    /// `r`, by how many its pot is divided: `Assigned::pot_shares` of the holders who passed it, at least 1.
    pub holders: u32,
}

/// `P = mul(d, Σ_u mul(mul(v, ν), g) / r)`, each quotient floored, units in the order given.
pub fn production(delivered_share: Q32, units: &[DeliveredUnit]) -> Q32 {
    let sum = units.iter().fold(Q32::ZERO, |sum, unit| {
        let whole = unit.volume.mul(unit.novelty).mul(unit.gain);
        sum.saturating_add(Q32(whole.0 / u64::from(unit.holders.max(1))))
    });
    delivered_share.mul(sum)
}

/// Demand of a round that nobody met: `max(demand_units, Σ v assigned) − Σ v passed`, over distinct units.
pub fn unspent_demand(demand_units: u64, assigned: Q32, passed: Q32) -> Q32 {
    let demand = Q32(demand_units.saturating_mul(Q32::ONE.0));
    demand.max(assigned).saturating_sub(passed)
}

/// `E_burn ← mul(ONE − alpha, E_burn) + mul(alpha, U_t)`.
pub fn burn_after(burn: Q32, unspent: Q32, values: &ParamValues) -> Q32 {
    let alpha = Q32(values.alpha);
    Q32::ONE
        .saturating_sub(alpha)
        .mul(burn)
        .saturating_add(alpha.mul(unspent))
}
