//! Duels from the cells that validators reported, and the fineness of recipes that follows from them.

use super::range::newest_public;
use crate::app::App;
use crate::failure::Failure;
use crate::store::{self, Parts};
use assay_mechanism::contest::{Contest, Decision};
use assay_mechanism::fineness::{SeedBits, fineness, macro_average};
use assay_types::api::{DuelCell, DuelDecision, DuelList, DuelView, Estimate};
use assay_types::{Arm, DuelId, EvaluationReport, Hotkey, RecipeId, Round, Stage};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rounds of which duels are read.
const DUEL_ROUNDS: u32 = 1_000;

/// First round, stage and profile: what is measured on the same archives with the same budget.
type CycleKey = (Round, Stage, String);
/// Seed and domain.
type CellKey = (u32, String);
/// Values by arm and its recipe, then by cell.
type Reported = BTreeMap<(Arm, RecipeId), BTreeMap<CellKey, Vec<u32>>>;

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Duels {
    /// Duels between registered recipes, and how much else there is.
    pub(crate) list: DuelList,
    /// The newest estimate of every registered recipe that has one; the later stage of a round counts.
    pub(crate) estimates: BTreeMap<RecipeId, Estimate>,
}

/// Duels from the reported cells that are public.
pub(crate) async fn all_duels(app: &App) -> Result<Arc<Duels>, Failure> {
    let Some(newest) = newest_public(app) else {
        return Ok(Arc::default());
    };
    let parts = Parts::DUELS.and(Parts::RELEASES).and(Parts::ROUNDS);
    app.memo
        .get(
            app.memo.as_of(parts, newest),
            "duels".to_owned(),
            read(app, newest),
        )
        .await
}

async fn read(app: &App, newest: Round) -> Result<Duels, Failure> {
    let readers = app.database().readers();
    let first = Round(newest.0.saturating_sub(DUEL_ROUNDS - 1));
    let reports = store::cells(readers, (first, newest)).await?;
    let named: BTreeSet<RecipeId> = reports.iter().filter_map(named).collect();
    let mut registered = store::registered_recipes(readers, &named).await?;
    let anchor = super::recipe::anchor(app);
    registered.insert(anchor);
    let mut duels = duels_of(reports, &registered, anchor);
    let state = super::known::network_state(app).await?;
    for duel in &mut duels.list.duels {
        duel.decision = state.contest.as_ref().and_then(|contest| decision(contest, duel));
    }
    Ok(duels)
}

/// What the network decided about a duel, as every node does.
fn decision(contest: &Contest, duel: &DuelView) -> Option<DuelDecision> {
    let is_of =
        |one: &&Decision| (one.round, one.stage, one.challenger) == (duel.round, duel.stage, duel.challenger);
    let one = contest
        .decisions()
        .iter()
        .find(is_of)
        .filter(|_| duel.profile == contest.profile())?;
    Some(DuelDecision {
        outcome: one.outcome.clone(),
        lead_milli: one.lead_milli,
        error_milli: one.error_milli,
    })
}

/// The recipe that a report measures as champion or challenger.
fn named(report: &EvaluationReport) -> Option<RecipeId> {
    let is_named = matches!(report.arm, Arm::Champion | Arm::Challenger);
    is_named.then_some(report.recipe_id)
}

/// One duel a registered challenger: ore, pure, anchor and champion of a cycle are measured once for all of them.
fn duels_of(mut reports: Vec<EvaluationReport>, registered: &BTreeSet<RecipeId>, anchor: RecipeId) -> Duels {
    let is_registered = |id: &RecipeId| registered.contains(id);
    let strangers: BTreeSet<RecipeId> = reports
        .iter()
        .filter_map(named)
        .filter(|id| !is_registered(id))
        .collect();
    reports.retain(|report| named(report).is_none_or(|id| is_registered(&id)));
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
        let arms = cycles.entry(key).or_default();
        let cells = arms.entry((report.arm, report.recipe_id)).or_default();
        let cell = cells.entry((report.seed, report.domain)).or_default();
        cell.push(report.value);
    }
    let mut duels = Duels::default();
    duels.list.unregistered = u32::try_from(strangers.len()).unwrap_or(u32::MAX);
    for (cycle, reported) in cycles {
        // The recipe that most validators measured as the champion, however many values each reports; of equals the least id.
        let named = champions.get(&cycle).into_iter().flatten();
        let champion = named.max_by_key(|(id, validators)| (validators.len(), Reverse(**id)));
        duels.add(&cycle, &reported, (champion.map(|(id, _)| *id), anchor));
    }
    duels
}

impl Duels {
    /// Adds a cycle: its duels, or that it waits for one, and the estimates that follow.
    fn add(
        &mut self,
        cycle: &CycleKey,
        reported: &Reported,
        (champion, anchor): (Option<RecipeId>, RecipeId),
    ) {
        let (round, stage, profile) = cycle;
        let mut measured = |recipe: Option<RecipeId>, cells: &[DuelCell], arm: Arm| {
            if let (Some(recipe), Some(found)) = (recipe, estimate_of(cells, arm, (*round, profile))) {
                self.estimates.insert(recipe, found);
            }
        };
        let bases = cells(reported, (None, champion, anchor));
        measured(Some(anchor), &bases, Arm::Anchor);
        measured(champion, &bases, Arm::Champion);
        let challengers = reported.keys().filter(|(arm, _)| *arm == Arm::Challenger);
        let challengers: Vec<RecipeId> = challengers.map(|(_, id)| *id).collect();
        for challenger in &challengers {
            let cells = cells(reported, (Some(*challenger), champion, anchor));
            measured(Some(*challenger), &cells, Arm::Challenger);
            self.list.duels.push(DuelView {
                id: DuelId::of(*round, stage.name(), profile, challenger),
                round: *round,
                stage: *stage,
                profile: profile.clone(),
                challenger: *challenger,
                champion,
                cells,
                decision: None,
            });
        }
        self.list.waiting = self
            .list
            .waiting
            .saturating_add(u32::from(challengers.is_empty()));
    }
}

/// The cells of a duel. Values of an arm under another recipe than its own are not mixed in.
fn cells(
    reported: &Reported,
    (challenger, champion, anchor): (Option<RecipeId>, Option<RecipeId>, RecipeId),
) -> Vec<DuelCell> {
    let belongs = |arm: Arm, id: RecipeId| match arm {
        Arm::Challenger => Some(id) == challenger,
        Arm::Champion => Some(id) == champion,
        Arm::Anchor => id == anchor,
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
    cells
}

/// Units of a cell's value in one bit per byte.
const QUANTA: f64 = 1e4;

/// Bits per byte of a cell: the middle of its reports, the lower one of two.
pub(crate) fn middle(cell: &DuelCell) -> Option<f64> {
    let at = cell.values.len().saturating_sub(1) / 2;
    cell.values.get(at).map(|value| f64::from(*value) / QUANTA)
}

/// Bits per byte of an arm with a seed: the mean over its domains of the middle report.
fn bits(cells: &[DuelCell], arm: Arm, seed: u32) -> Option<f64> {
    let domains: Vec<f64> = cells
        .iter()
        .filter(|cell| cell.arm == arm && cell.seed == seed)
        .filter_map(middle)
        .collect();
    (!domains.is_empty()).then(|| macro_average(&domains))
}

/// Fineness of an arm of a duel; none without four seeds that have ore, the arm and pure text.
pub(crate) fn estimate(duel: &DuelView, arm: Arm) -> Option<Estimate> {
    estimate_of(&duel.cells, arm, (duel.round, &duel.profile))
}

/// The same from cells of a stage that begins with `round`.
fn estimate_of(cells: &[DuelCell], arm: Arm, (round, profile): (Round, &str)) -> Option<Estimate> {
    let seeds: BTreeSet<u32> = cells.iter().map(|cell| cell.seed).collect();
    let measured: Vec<SeedBits> = seeds
        .iter()
        .filter_map(|seed| {
            Some(SeedBits {
                ore: bits(cells, Arm::Ore, *seed)?,
                recipe: bits(cells, arm, *seed)?,
                pure: bits(cells, Arm::Pure, *seed)?,
            })
        })
        .collect();
    let found = fineness(&measured, 0.0).ok()?;
    let estimate = Estimate {
        value: found.estimate.points,
        low: found.lower,
        high: found.upper,
        level: 0.95,
        profile: profile.to_owned(),
        seeds: found.estimate.seeds as u32,
        round,
    };
    [estimate.value, estimate.low, estimate.high]
        .iter()
        .all(|value| value.is_finite())
        .then_some(estimate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::{Digest, NetUid, Tokens};

    fn anchor() -> RecipeId {
        assay_types::recipe::fineweb_en_v1().id()
    }

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
        let id = |byte: u8| RecipeId(Digest([byte; 32]));
        let duels = duels_of(reports, &registered([1, 2, 3, 9]), anchor()).list.duels;
        let of = |duel: &DuelView, arm: Arm| {
            let cells = duel.cells.iter().filter(move |cell| cell.arm == arm);
            cells.flat_map(|cell| cell.values.clone()).collect::<Vec<u32>>()
        };
        assert_eq!(duels.len(), 2);
        for (duel, challenger, value) in [(&duels[0], id(2), 24_000), (&duels[1], id(3), 26_000)] {
            assert_eq!((duel.challenger, duel.champion), (challenger, Some(id(1))));
            let name = DuelId::of(Round(3), "screen", "cpu-v1", &challenger);
            assert_eq!(duel.id, name);
            assert_eq!(of(duel, Arm::Challenger), [value]);
            assert_eq!(
                of(duel, Arm::Champion),
                [25_000, 25_100, 25_200],
                "flooding makes no champion"
            );
            assert_eq!(of(duel, Arm::Ore), [30_000]);
        }
    }

    /// Recipes whose ids repeat these bytes.
    fn registered<const N: usize>(bytes: [u8; N]) -> BTreeSet<RecipeId> {
        bytes.map(|byte| RecipeId(Digest([byte; 32]))).into()
    }

    #[test]
    fn cells_without_a_challenger_wait() {
        let duels = duels_of(vec![report(Arm::Ore, 0, 1, 30_000)], &registered([1]), anchor());
        assert_eq!(
            (
                duels.list.duels.len(),
                duels.list.waiting,
                duels.list.unregistered
            ),
            (0, 1, 0)
        );
    }

    #[test]
    fn recipes_that_nobody_registered_are_counted_and_decide_nothing() {
        let mut reports = Vec::new();
        for seed in 0..4 {
            reports.push(report(Arm::Ore, 0, seed, 30_000));
            reports.push(report(Arm::Pure, 0, seed, 20_000));
            reports.push(report(Arm::Champion, 1, seed, 25_000));
            // Two validators measure a champion that is none, and a challenger.
            reports.push(by(2, report(Arm::Champion, 7, seed, 24_000)));
            reports.push(by(3, report(Arm::Champion, 7, seed, 24_000)));
            reports.push(report(Arm::Challenger, 8, seed, 21_000));
        }
        let duels = duels_of(reports.clone(), &registered([1]), anchor());
        assert_eq!(
            (
                duels.list.duels.len(),
                duels.list.waiting,
                duels.list.unregistered
            ),
            (0, 1, 2)
        );
        let measured: BTreeSet<RecipeId> = duels.estimates.into_keys().collect();
        assert_eq!(measured, registered([1]), "the champion's fineness stands");
        let duels = duels_of(reports, &registered([1, 8]), anchor());
        assert_eq!(
            (
                duels.list.duels.len(),
                duels.list.waiting,
                duels.list.unregistered
            ),
            (1, 0, 1)
        );
        assert_eq!(duels.list.duels[0].champion, registered([1]).first().copied());
        assert_eq!(duels.estimates.len(), 2);
    }

    #[test]
    fn a_late_cell_changes_no_id() {
        let early = vec![
            report(Arm::Challenger, 5, 1, 24_000),
            report(Arm::Champion, 1, 1, 25_000),
        ];
        let mut late = early.clone();
        late.push(report(Arm::Challenger, 2, 1, 24_000));
        late.push(EvaluationReport {
            round: Round(1),
            ..report(Arm::Challenger, 3, 1, 24_000)
        });
        late.push(report(Arm::Challenger, 5, 2, 24_100));
        let known = registered([1, 2, 3, 5]);
        let before = duels_of(early, &known, anchor()).list.duels;
        let after = duels_of(late, &known, anchor()).list.duels;
        assert_eq!((before.len(), after.len()), (1, 3));
        let same = after.iter().find(|duel| duel.id == before[0].id).unwrap();
        assert_eq!(same.challenger, before[0].challenger);
        assert_eq!((before[0].cells.len(), same.cells.len()), (2, 3));
    }
}
