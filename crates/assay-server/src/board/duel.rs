//! Duels from the cells that validators reported, and the fineness of recipes that follows from them.

use crate::app::App;
use crate::failure::Failure;
use crate::store;
use assay_mechanism::fineness::{SeedBits, fineness, macro_average};
use assay_types::api::{DuelCell, DuelView, Estimate, ReportKind};
use assay_types::{Arm, EvaluationReport, RecipeId, Round, Stage};
use std::collections::{BTreeMap, BTreeSet};

/// Rounds of which duels are read.
const DUEL_ROUNDS: u32 = 1_000;

/// First round, stage and profile.
type DuelKey = (Round, Stage, String);
/// Arm, seed and domain.
type CellKey = (Arm, u32, String);

/// Duels in the order of their first rounds, from the reported cells.
pub(crate) async fn all_duels(app: &App) -> Result<Vec<DuelView>, Failure> {
    let readers = app.database().readers();
    let head = app.view().block();
    let mut cells = BTreeMap::<DuelKey, BTreeMap<CellKey, Vec<u32>>>::new();
    let mut arms = BTreeMap::<DuelKey, BTreeMap<Arm, RecipeId>>::new();
    let rounds = store::rounds(readers, u64::from(u32::MAX) + 1, DUEL_ROUNDS).await?;
    for round in rounds
        .iter()
        .filter(|round| head > app.rounds().report_cutoff(round.round))
    {
        for view in store::reports_of_round(readers, round.round, ReportKind::Evaluation).await? {
            let Ok(report) = EvaluationReport::parse(view.line.as_bytes()) else {
                continue;
            };
            let duel = (report.round, report.stage, report.profile.clone());
            let cell = (report.arm, report.seed, report.domain.clone());
            cells
                .entry(duel.clone())
                .or_default()
                .entry(cell)
                .or_default()
                .push(report.value);
            arms.entry(duel)
                .or_default()
                .entry(report.arm)
                .or_insert(report.recipe_id);
        }
    }
    let duels = (1..).zip(cells).map(|(number, (duel, cells))| {
        let arm = |arm| arms.get(&duel).and_then(|arms| arms.get(&arm)).copied();
        DuelView {
            number,
            round: duel.0,
            stage: duel.1,
            challenger: arm(Arm::Challenger),
            champion: arm(Arm::Champion),
            cells: cells
                .into_iter()
                .map(|((arm, seed, domain), mut values)| {
                    values.sort_unstable();
                    DuelCell {
                        arm,
                        seed,
                        domain,
                        values,
                    }
                })
                .collect(),
            profile: duel.2.clone(),
        }
    });
    Ok(duels.collect())
}

/// Units of a cell's value in one bit per byte.
const QUANTA: f64 = 1e4;

/// Bits per byte of an arm with a seed: the mean over its domains of the middle report.
fn bits(duel: &DuelView, arm: Arm, seed: u32) -> Option<f64> {
    let domains: Vec<f64> = duel
        .cells
        .iter()
        .filter(|cell| cell.arm == arm && cell.seed == seed)
        .filter_map(|cell| cell.values.get(cell.values.len().saturating_sub(1) / 2))
        .map(|value| f64::from(*value) / QUANTA)
        .collect();
    (!domains.is_empty()).then(|| macro_average(&domains))
}

/// Fineness of an arm of a duel; none without four seeds that have ore, the arm and pure text.
pub(crate) fn estimate(duel: &DuelView, arm: Arm) -> Option<Estimate> {
    let seeds: BTreeSet<u32> = duel.cells.iter().map(|cell| cell.seed).collect();
    let measured: Vec<SeedBits> = seeds
        .iter()
        .filter_map(|seed| {
            Some(SeedBits {
                ore: bits(duel, Arm::Ore, *seed)?,
                recipe: bits(duel, arm, *seed)?,
                pure: bits(duel, Arm::Pure, *seed)?,
            })
        })
        .collect();
    let found = fineness(&measured, 0.0).ok()?;
    let estimate = Estimate {
        value: found.estimate.points,
        low: found.lower,
        high: found.upper,
        level: 0.95,
        profile: duel.profile.clone(),
        seeds: found.estimate.seeds as u32,
        round: duel.round,
    };
    [estimate.value, estimate.low, estimate.high]
        .iter()
        .all(|value| value.is_finite())
        .then_some(estimate)
}

/// The newest estimate of every recipe that has one; the later stage of a round counts.
pub(crate) fn estimates(duels: &[DuelView], anchor: RecipeId) -> BTreeMap<RecipeId, Estimate> {
    let mut newest = BTreeMap::new();
    for duel in duels {
        let arms = [
            (Arm::Anchor, Some(anchor)),
            (Arm::Champion, duel.champion),
            (Arm::Challenger, duel.challenger),
        ];
        for (arm, recipe) in arms {
            if let (Some(recipe), Some(found)) = (recipe, estimate(duel, arm)) {
                newest.insert(recipe, found);
            }
        }
    }
    newest
}
