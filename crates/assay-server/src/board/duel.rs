//! Duels from the cells that validators reported, and the fineness of recipes that follows from them.

use super::cells::{Cycle, CycleKey, cells, is_named};
use super::range::newest_public;
use crate::app::App;
use crate::failure::Failure;
use crate::store::{self, Parts};
use assay_mechanism::contest::{Contest, Decision};
use assay_mechanism::fineness::{SeedBits, fineness, macro_average};
use assay_types::api::{DuelCell, DuelDecision, DuelList, DuelView, Estimate};
use assay_types::{Arm, DuelId, RecipeId, Round};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rounds of which duels are read.
pub(super) const DUEL_ROUNDS: u32 = 1_000;

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Duels {
    /// Duels between registered recipes, oldest first.
    pub(crate) list: Vec<Arc<DuelView>>,
    /// Recipes that were measured and that nobody has registered.
    pub(crate) unregistered: u32,
    /// Stages that were measured before a registered challenger has a cell.
    pub(crate) waiting: u32,
    /// The newest estimate of every registered recipe that has one; the later stage of a round counts.
    pub(crate) estimates: BTreeMap<RecipeId, Estimate>,
    made: BTreeMap<CycleKey, Arc<Made>>,
}

/// What follows from a cycle's cells.
#[derive(Debug)]
struct Made {
    cycle: Arc<Cycle>,
    /// Recipes of it that are registered.
    known: BTreeSet<RecipeId>,
    duels: Vec<Arc<DuelView>>,
    estimates: Vec<(RecipeId, Estimate)>,
    is_waiting: bool,
}

/// Duels from the reported cells that are public. A cycle whose cells and recipes are as before is not put together anew.
pub(crate) async fn all_duels(app: &App) -> Result<Arc<Duels>, Failure> {
    let Some(newest) = newest_public(app) else {
        return Ok(Arc::default());
    };
    let parts = Parts::DUELS.and(Parts::RELEASES).and(Parts::ROUNDS);
    let state = app.memo.as_of(parts, newest);
    let read = |before: Option<Arc<Duels>>| read(app, newest, before);
    app.memo.carry(state, "duels".to_owned(), read).await
}

async fn read(app: &App, newest: Round, before: Option<Arc<Duels>>) -> Result<Duels, Failure> {
    let cells = cells(app, newest, DUEL_ROUNDS).await?;
    let rounds = Round(newest.0.saturating_sub(DUEL_ROUNDS - 1))..=newest;
    let named: BTreeSet<RecipeId> = cells
        .cycles(rounds.clone())
        .flat_map(|(_, cycle)| cycle.named())
        .collect();
    let mut registered = store::registered_recipes(app.database().readers(), &named).await?;
    let anchor = super::recipe::anchor(app);
    registered.insert(anchor);
    let before = before.map_or_else(BTreeMap::new, |before| before.made.clone());
    let mut duels = Duels::of(cells.cycles(rounds), (&registered, anchor), &before);
    let state = super::known::network_state(app).await?;
    if let Some(contest) = &state.contest {
        for duel in &mut duels.list {
            if let Some(decision) = decision(contest, duel) {
                Arc::make_mut(duel).decision = Some(decision);
            }
        }
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

impl Duels {
    /// One duel a registered challenger: ore, pure, anchor and champion of a cycle are measured once for all of them.
    fn of<'a>(
        cycles: impl Iterator<Item = (&'a CycleKey, &'a Arc<Cycle>)>,
        (registered, anchor): (&BTreeSet<RecipeId>, RecipeId),
        before: &BTreeMap<CycleKey, Arc<Made>>,
    ) -> Self {
        let (mut duels, mut strangers) = (Self::default(), BTreeSet::new());
        for (key, cycle) in cycles {
            let (known, unknown): (BTreeSet<RecipeId>, BTreeSet<RecipeId>) =
                cycle.named().partition(|id| registered.contains(id));
            strangers.extend(unknown);
            let made = before
                .get(key)
                .filter(|made| Arc::ptr_eq(&made.cycle, cycle) && made.known == known)
                .cloned()
                .unwrap_or_else(|| Arc::new(Made::of(key, cycle, known, anchor)));
            duels.list.extend(made.duels.iter().cloned());
            duels.estimates.extend(made.estimates.iter().cloned());
            duels.waiting = duels.waiting.saturating_add(u32::from(made.is_waiting));
            duels.made.insert(key.clone(), made);
        }
        duels.unregistered = u32::try_from(strangers.len()).unwrap_or(u32::MAX);
        duels
    }

    /// All of them with their cells.
    pub(crate) fn to_list(&self) -> DuelList {
        DuelList {
            duels: self.list.iter().map(|duel| duel.as_ref().clone()).collect(),
            unregistered: self.unregistered,
            waiting: self.waiting,
        }
    }
}

impl Made {
    /// Duels of a cycle, or that it waits for one, and the estimates that follow.
    fn of(key: &CycleKey, cycle: &Arc<Cycle>, known: BTreeSet<RecipeId>, anchor: RecipeId) -> Self {
        let (round, stage, profile) = key;
        let champion = cycle.champion(&known);
        let (mut duels, mut estimates) = (Vec::new(), Vec::new());
        let mut measured = |recipe: Option<RecipeId>, cells: &[DuelCell], arm: Arm| {
            let found = estimate_of(cells, arm, (*round, profile));
            estimates.extend(recipe.zip(found));
        };
        let bases = cells_of(cycle, (None, champion, anchor));
        measured(Some(anchor), &bases, Arm::Anchor);
        measured(champion, &bases, Arm::Champion);
        for challenger in cycle.challengers().filter(|id| known.contains(id)) {
            let cells = cells_of(cycle, (Some(challenger), champion, anchor));
            measured(Some(challenger), &cells, Arm::Challenger);
            duels.push(Arc::new(DuelView {
                id: DuelId::of(*round, stage.name(), profile, &challenger),
                round: *round,
                stage: *stage,
                profile: profile.clone(),
                challenger,
                champion,
                cells,
                decision: None,
            }));
        }
        // Cells of strangers alone are nothing that waits.
        let is_ours = |arm: Arm, id: RecipeId| !is_named(arm) || known.contains(&id);
        let is_waiting = duels.is_empty() && cycle.cells(is_ours).next().is_some();
        Self {
            cycle: Arc::clone(cycle),
            is_waiting,
            duels,
            estimates,
            known,
        }
    }
}

/// The cells of a duel. Values of an arm under another recipe than its own are not mixed in.
fn cells_of(
    cycle: &Cycle,
    (challenger, champion, anchor): (Option<RecipeId>, Option<RecipeId>, RecipeId),
) -> Vec<DuelCell> {
    let belongs = |arm: Arm, id: RecipeId| match arm {
        Arm::Challenger => Some(id) == challenger,
        Arm::Champion => Some(id) == champion,
        Arm::Anchor => id == anchor,
        Arm::Ore | Arm::Pure => true,
    };
    let cells = cycle.cells(belongs).map(|(arm, seed, domain, values)| DuelCell {
        arm,
        seed,
        domain: domain.to_owned(),
        values: values.to_vec(),
    });
    cells.collect()
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
    use crate::board::cells::Cells;
    use crate::board::cells::tests::report;
    use assay_types::{Digest, EvaluationReport, Hotkey};

    fn duels_of(reports: Vec<EvaluationReport>, registered: &BTreeSet<RecipeId>, anchor: RecipeId) -> Duels {
        let mut cells = Cells::default();
        for report in reports {
            cells.add(report);
        }
        Duels::of(
            cells.cycles(Round(0)..=Round(9)),
            (registered, anchor),
            &BTreeMap::new(),
        )
    }

    fn anchor() -> RecipeId {
        assay_types::recipe::fineweb_en_v1().id()
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
        let duels = duels_of(reports, &registered([1, 2, 3, 9]), anchor()).list;
        let of = |duel: &Arc<DuelView>, arm: Arm| {
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
        assert_eq!((duels.list.len(), duels.waiting, duels.unregistered), (0, 1, 0));
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
        assert_eq!((duels.list.len(), duels.waiting, duels.unregistered), (0, 1, 2));
        let measured: BTreeSet<RecipeId> = duels.estimates.into_keys().collect();
        assert_eq!(measured, registered([1]), "the champion's fineness stands");
        let duels = duels_of(reports, &registered([1, 8]), anchor());
        assert_eq!((duels.list.len(), duels.waiting, duels.unregistered), (1, 0, 1));
        assert_eq!(duels.list[0].champion, registered([1]).first().copied());
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
        let before = duels_of(early, &known, anchor()).list;
        let after = duels_of(late, &known, anchor()).list;
        assert_eq!((before.len(), after.len()), (1, 3));
        let same = after.iter().find(|duel| duel.id == before[0].id).unwrap();
        assert_eq!(same.challenger, before[0].challenger);
        assert_eq!((before[0].cells.len(), same.cells.len()), (2, 3));
    }

    #[test]
    fn a_cycle_is_put_together_again_if_its_cells_or_recipes_are_others() {
        let mut cells = Cells::default();
        let early = EvaluationReport {
            round: Round(1),
            ..report(Arm::Challenger, 2, 1, 24_000)
        };
        for one in [
            early,
            report(Arm::Challenger, 2, 1, 24_000),
            report(Arm::Challenger, 3, 1, 23_000),
        ] {
            cells.add(one);
        }
        let made = |cells: &Cells, known: &BTreeSet<RecipeId>, before: &BTreeMap<CycleKey, Arc<Made>>| {
            Duels::of(cells.cycles(Round(0)..=Round(9)), (known, anchor()), before)
        };
        let kept = |duels: &Duels, before: &Duels| {
            let is_kept = |(key, made)| Arc::ptr_eq(made, &before.made[key]);
            duels.made.iter().map(is_kept).collect::<Vec<bool>>()
        };
        let (some, all) = (registered([2]), registered([2, 3]));
        let first = made(&cells, &some, &BTreeMap::new());
        let same = made(&cells, &some, &first.made);
        assert_eq!((kept(&same, &first), same.list.len()), (vec![true, true], 2));
        let more = made(&cells, &all, &same.made);
        assert_eq!((kept(&more, &same), more.list.len()), (vec![true, false], 3));
        cells.add(report(Arm::Challenger, 2, 2, 24_500));
        let late = made(&cells, &all, &more.made);
        assert_eq!(kept(&late, &more), [true, false]);
        let anew = made(&cells, &all, &BTreeMap::new());
        assert_eq!((late.list, late.estimates), (anew.list, anew.estimates));
    }
}
