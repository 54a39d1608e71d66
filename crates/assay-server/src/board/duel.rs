//! Duels from the cells that validators reported, and the fineness of recipes that follows from them.

use super::range::is_public;
use crate::app::App;
use crate::failure::Failure;
use crate::store;
use assay_mechanism::fineness::{SeedBits, fineness, macro_average};
use assay_types::api::{DuelCell, DuelView, Estimate, ReportKind};
use assay_types::{Arm, EvaluationReport, Hotkey, RecipeId, Round, Stage};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Rounds of which duels are read.
const DUEL_ROUNDS: u32 = 1_000;

/// First round, stage and profile: what is measured on the same archives with the same budget.
type CycleKey = (Round, Stage, String);
/// Seed and domain.
type CellKey = (u32, String);
/// Values by arm and its recipe, then by cell.
type Reported = BTreeMap<(Arm, RecipeId), BTreeMap<CellKey, Vec<u32>>>;

/// Duels in the order of their first rounds, from the reported cells that are public.
pub(crate) async fn all_duels(app: &App) -> Result<Vec<DuelView>, Failure> {
    let readers = app.database().readers();
    let mut reports = Vec::new();
    let rounds = store::rounds(readers, u64::from(u32::MAX) + 1, DUEL_ROUNDS).await?;
    for round in rounds.iter().filter(|round| is_public(app, round.round)) {
        for view in store::reports_of_round(readers, round.round, ReportKind::Evaluation).await? {
            reports.extend(EvaluationReport::parse(view.line.as_bytes()));
        }
    }
    Ok(duels_of(reports))
}

/// One duel a challenger: ore, pure, anchor and champion of a cycle are measured once for all of them.
fn duels_of(reports: Vec<EvaluationReport>) -> Vec<DuelView> {
    let mut cycles = BTreeMap::<CycleKey, Reported>::new();
    let mut champions = BTreeMap::<CycleKey, BTreeMap<RecipeId, BTreeSet<Hotkey>>>::new();
    for report in reports {
        let key = (report.round, report.stage, report.profile);
        if report.arm == Arm::Champion {
            let named = champions.entry(key.clone()).or_default();
            named
                .entry(report.recipe_id)
                .or_default()
                .insert(report.validator);
        }
        let cycle = cycles.entry(key);
        let arm = cycle
            .or_default()
            .entry((report.arm, report.recipe_id))
            .or_default();
        arm.entry((report.seed, report.domain))
            .or_default()
            .push(report.value);
    }
    let duels = cycles.into_iter().flat_map(|(cycle, reported)| {
        // The recipe that most validators measured as the champion, however many values each reports; of equals the least id.
        let named = champions.get(&cycle).into_iter().flatten();
        let champion = named.max_by_key(|(id, validators)| (validators.len(), Reverse(**id)));
        let champion = champion.map(|(id, _)| *id);
        let of = |arm| reported.keys().filter(move |key| key.0 == arm).map(|key| key.1);
        let challengers: Vec<Option<RecipeId>> = match of(Arm::Challenger).count() {
            0 => vec![None],
            _ => of(Arm::Challenger).map(Some).collect(),
        };
        challengers
            .into_iter()
            .map(|challenger| duel(&cycle, &reported, (challenger, champion)))
            .collect::<Vec<DuelView>>()
    });
    let mut duels: Vec<DuelView> = duels.collect();
    for (number, duel) in (1..).zip(&mut duels) {
        duel.number = number;
    }
    duels
}

/// A challenger's duel, not yet numbered. Values of an arm under another recipe than its own are not mixed in.
fn duel(
    cycle: &CycleKey,
    reported: &Reported,
    (challenger, champion): (Option<RecipeId>, Option<RecipeId>),
) -> DuelView {
    let belongs = |arm: Arm, id: RecipeId| match arm {
        Arm::Challenger => Some(id) == challenger,
        Arm::Champion => Some(id) == champion,
        Arm::Anchor => id == super::recipe::anchor(),
        Arm::Ore | Arm::Pure => true,
    };
    let mut cells = Vec::new();
    for ((arm, id), values) in reported {
        for ((seed, domain), values) in values.iter().filter(|_| belongs(*arm, *id)) {
            let mut values = values.clone();
            values.sort_unstable();
            cells.push(DuelCell {
                arm: *arm,
                seed: *seed,
                domain: domain.clone(),
                values,
            });
        }
    }
    DuelView {
        number: 0,
        round: cycle.0,
        stage: cycle.1,
        challenger,
        champion,
        cells,
        profile: cycle.2.clone(),
    }
}

/// Units of a cell's value in one bit per byte.
const QUANTA: f64 = 1e4;

/// Bits per byte of a cell: the middle of its reports, the lower one of two.
pub(crate) fn middle(cell: &DuelCell) -> Option<f64> {
    let at = cell.values.len().saturating_sub(1) / 2;
    cell.values.get(at).map(|value| f64::from(*value) / QUANTA)
}

/// Bits per byte of an arm with a seed: the mean over its domains of the middle report.
fn bits(duel: &DuelView, arm: Arm, seed: u32) -> Option<f64> {
    let domains: Vec<f64> = duel
        .cells
        .iter()
        .filter(|cell| cell.arm == arm && cell.seed == seed)
        .filter_map(middle)
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

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::{Digest, NetUid, Tokens};

    fn report(arm: Arm, recipe: u8, seed: u32, value: u32) -> EvaluationReport {
        EvaluationReport {
            version: assay_types::EVALUATION_REPORT_VERSION,
            netuid: NetUid(1),
            round: Round(3),
            stage: Stage::Screen,
            validator: Hotkey([1; 32]),
            params: Digest::ZERO,
            profile: "cpu-v1".to_owned(),
            arm,
            recipe_id: RecipeId(Digest([recipe; 32])),
            seed,
            domain: "prose".to_owned(),
            value,
            tokens: Tokens(1),
            signature: String::new(),
        }
    }

    fn by(validator: u8, report: EvaluationReport) -> EvaluationReport {
        EvaluationReport {
            validator: Hotkey([validator; 32]),
            ..report
        }
    }

    #[test]
    fn two_challengers_of_a_round_are_two_duels_over_the_same_ore() {
        let reports = vec![
            report(Arm::Ore, 0, 1, 30_000),
            report(Arm::Champion, 1, 1, 25_000),
            report(Arm::Champion, 1, 1, 25_200),
            by(2, report(Arm::Champion, 1, 1, 25_100)),
            report(Arm::Champion, 9, 1, 1),
            report(Arm::Champion, 9, 2, 1),
            report(Arm::Champion, 9, 3, 1),
            report(Arm::Champion, 9, 4, 1),
            report(Arm::Challenger, 2, 1, 24_000),
            report(Arm::Challenger, 3, 1, 26_000),
        ];
        let duels = duels_of(reports);
        let id = |byte: u8| Some(RecipeId(Digest([byte; 32])));
        let of = |duel: &DuelView, arm: Arm| {
            let cells = duel.cells.iter().filter(move |cell| cell.arm == arm);
            cells.flat_map(|cell| cell.values.clone()).collect::<Vec<u32>>()
        };
        assert_eq!(duels.len(), 2);
        for (duel, number, challenger, value) in
            [(&duels[0], 1, id(2), 24_000), (&duels[1], 2, id(3), 26_000)]
        {
            assert_eq!(
                (duel.number, duel.challenger, duel.champion),
                (number, challenger, id(1))
            );
            assert_eq!(of(duel, Arm::Challenger), [value]);
            assert_eq!(
                of(duel, Arm::Champion),
                [25_000, 25_100, 25_200],
                "flooding makes no champion"
            );
            assert_eq!(of(duel, Arm::Ore), [30_000]);
        }
    }

    #[test]
    fn cells_without_a_challenger_are_shown_as_a_duel_that_waits() {
        let duels = duels_of(vec![report(Arm::Ore, 0, 1, 30_000)]);
        assert_eq!(
            (duels.len(), duels[0].challenger, duels[0].champion),
            (1, None, None)
        );
        assert_eq!(middle(&duels[0].cells[0]), Some(3.0));
    }
}
