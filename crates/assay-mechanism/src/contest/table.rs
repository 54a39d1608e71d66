//! The cells of a stage as a table: one value a cell, a decision a challenger, bits and yield an arm.
//!
//! Ballots of validators come in, [`Judged`] and [`Measured`] leave. A cell without enough witnesses is missing, and its seed
//! with it.

use super::stage::{Ballot, StagePlan};
use crate::duel::{
    ArmValues, CellReport, DuelParams, Outcome, cell_value, duel_points, epsilon, mean_bits, outcome, z_score,
};
use crate::gain::Measured;
use assay_types::{Arm, Coldkey, ParamValues, RecipeId, Tokens};
use std::collections::{BTreeMap, BTreeSet};

/// What validators say of each seed and domain, and what they say is kept.
type Said<'a> = BTreeMap<(u32, &'a str), Vec<(CellReport<Coldkey>, Tokens)>>;

/// Cells of a stage by arm and recipe, then by seed and domain.
pub(super) struct Table<'a> {
    cells: BTreeMap<(Arm, RecipeId), Said<'a>>,
    /// Of all ballots.
    stake: u128,
    coldkeys_min: usize,
}

/// A decided stage of one challenger.
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    pub(super) z: f64,
    pub(super) points: f64,
    pub(super) error: f64,
}

impl<'a> Table<'a> {
    pub(super) fn new(ballots: &'a [Ballot], values: &ParamValues) -> Self {
        let mut table = Self {
            cells: BTreeMap::new(),
            stake: ballots.iter().map(|ballot| u128::from(ballot.stake)).sum(),
            coldkeys_min: usize::try_from(values.duel_reports).unwrap_or(usize::MAX),
        };
        for ballot in ballots {
            let mut said = BTreeSet::new();
            for cell in &ballot.cells {
                let arm = (cell.arm, cell.recipe);
                let place = (cell.seed, cell.domain.as_str());
                // A validator speaks once on each cell.
                if !said.insert((arm, place)) {
                    continue;
                }
                let report = CellReport {
                    coldkey: ballot.coldkey,
                    stake: ballot.stake,
                    value: cell.value,
                };
                let cells = table.cells.entry(arm).or_default();
                cells.entry(place).or_default().push((report, cell.kept));
            }
        }
        table
    }

    /// The value of one cell; none without enough witnesses and more than half of the stake: a domain that two small
    /// validators invent is none.
    fn value(&self, (arm, recipe): (Arm, RecipeId), place: (u32, &str)) -> Option<u32> {
        let reports = self.cells.get(&(arm, recipe))?.get(&place)?;
        let reports: Vec<CellReport<Coldkey>> = reports.iter().map(|(report, _)| *report).collect();
        let stake: u128 = reports.iter().map(|report| u128::from(report.stake)).sum();
        if stake * 2 <= self.stake {
            return None;
        }
        cell_value(&reports, self.coldkeys_min)
    }

    /// What the cells say about a challenger; none if they are too few or ore and pure text too close.
    pub(super) fn judge(
        &self,
        plan: &StagePlan,
        challenger: &RecipeId,
        age: u32,
        values: &ParamValues,
    ) -> Option<Judged> {
        let params = DuelParams::from(values);
        let none = RecipeId(assay_types::Digest::ZERO);
        let domains = self.domains();
        let cell = |seed: u32, domain: &str| {
            let of = |arm, recipe| self.value((arm, recipe), (seed, domain));
            ArmValues {
                champion: of(Arm::Champion, plan.champion),
                challenger: of(Arm::Challenger, *challenger),
                ore: of(Arm::Ore, none),
                pure: of(Arm::Pure, none),
            }
        };
        let seeds: Vec<Vec<ArmValues>> = (0..plan.seeds)
            .map(|seed| domains.iter().map(|domain| cell(seed, domain)).collect())
            .collect();
        let points = duel_points(&seeds, 0.0).ok()?;
        let lead = epsilon(&params, age);
        Some(Judged {
            outcome: outcome(&params, plan.stage, &points, lead),
            z: z_score(&params, &points, lead),
            points: points.points,
            error: points.standard_error,
        })
    }

    /// Domains on which pure text was measured by enough of the stake: a minority cannot add one that nobody else has.
    fn domains(&self) -> BTreeSet<&'a str> {
        let pure = self.cells.iter().filter(|((arm, _), _)| *arm == Arm::Pure);
        let mut domains = BTreeSet::new();
        for (seed, domain) in pure.flat_map(|(_, cells)| cells.keys()) {
            let none = RecipeId(assay_types::Digest::ZERO);
            if self.value((Arm::Pure, none), (*seed, domain)).is_some() {
                domains.insert(*domain);
            }
        }
        domains
    }

    /// Bits and yield of an arm; none without cells that count.
    pub(super) fn measured(&self, arm: Arm, recipe: &RecipeId) -> Option<Measured> {
        let cells = self.cells.get(&(arm, *recipe))?;
        let values: Vec<u32> = cells
            .keys()
            .filter_map(|place| self.value((arm, *recipe), *place))
            .collect();
        let counted = cells
            .iter()
            .filter(|(place, _)| self.value((arm, *recipe), **place).is_some());
        let kept = counted
            .flat_map(|(_, said)| said)
            .map(|(report, kept)| (kept.0, report.stake));
        Some(Measured {
            bits: mean_bits(&values)?,
            tokens: Tokens(weighted_median(kept)?),
        })
    }
}

/// The smallest value that at least half of the stake does not exceed; none without stake.
fn weighted_median(values: impl IntoIterator<Item = (u64, u64)>) -> Option<u64> {
    let mut values: Vec<(u64, u128)> = values
        .into_iter()
        .filter(|(_, stake)| *stake > 0)
        .map(|(value, stake)| (value, u128::from(stake)))
        .collect();
    values.sort_unstable();
    let all: u128 = values.iter().map(|(_, stake)| stake).sum();
    let mut below = 0;
    values
        .into_iter()
        .find(|(_, stake)| {
            below += stake;
            below * 2 >= all
        })
        .map(|(value, _)| value)
}
