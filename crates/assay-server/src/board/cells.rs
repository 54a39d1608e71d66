//! Reported cells of duels by cycle. Reports are only ever added, so each is read and parsed once: a subnet has tens of thousands
//! of cells that count, and validators report one after another.

use crate::app::App;
use crate::store::{self, Parts, StoreError};
use assay_mechanism::contest::CELLS_MAX;
use assay_types::{Arm, EvaluationReport, Hotkey, RecipeId, Round, Stage};
use sqlx::AnyPool;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// First round, stage and profile: what is measured on the same archives with the same budget.
pub(super) type CycleKey = (Round, Stage, String);
/// Seed and domain.
type CellKey = (u32, String);

/// Whether an arm is measured with a recipe that somebody names.
pub(super) const fn is_named(arm: Arm) -> bool {
    matches!(arm, Arm::Champion | Arm::Challenger)
}

/// What was reported of a cycle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cycle {
    /// Values by arm and its recipe, then by cell.
    reported: BTreeMap<(Arm, RecipeId), BTreeMap<CellKey, Vec<u32>>>,
    /// Who measured each recipe as the champion.
    champions: BTreeMap<RecipeId, BTreeSet<Hotkey>>,
}

impl Cycle {
    fn add(&mut self, report: EvaluationReport) {
        if report.arm == Arm::Champion {
            let named = self.champions.entry(report.recipe_id).or_default();
            named.insert(report.validator);
        }
        let cells = self.reported.entry((report.arm, report.recipe_id)).or_default();
        let values = cells.entry((report.seed, report.domain)).or_default();
        // In their order, whoever reported first.
        let place = values.partition_point(|value| *value <= report.value);
        values.insert(place, report.value);
    }

    /// Recipes that are measured as champion or challenger.
    pub(super) fn named(&self) -> impl Iterator<Item = RecipeId> {
        let named = self.reported.keys().filter(|(arm, _)| is_named(*arm));
        named.map(|(_, id)| *id)
    }

    /// Recipes that are measured as challengers.
    pub(super) fn challengers(&self) -> impl Iterator<Item = RecipeId> {
        let challengers = self.reported.keys().filter(|(arm, _)| *arm == Arm::Challenger);
        challengers.map(|(_, id)| *id)
    }

    /// Of some recipes the one that most validators measured as the champion, however many values each reports; of equals the least id.
    pub(super) fn champion(&self, among: &BTreeSet<RecipeId>) -> Option<RecipeId> {
        let named = self.champions.iter().filter(|(id, _)| among.contains(id));
        let champion = named.max_by_key(|(id, validators)| (validators.len(), Reverse(**id)));
        champion.map(|(id, _)| *id)
    }

    /// Cells of the arms with the recipes that belong: arm, seed, domain, values in ascending order.
    pub(super) fn cells(
        &self,
        belongs: impl Fn(Arm, RecipeId) -> bool,
    ) -> impl Iterator<Item = (Arm, u32, &str, &[u32])> {
        let arms = self
            .reported
            .iter()
            .filter(move |((arm, id), _)| belongs(*arm, *id));
        arms.flat_map(|((arm, _), cells)| {
            let of_arm = cells.iter();
            of_arm.map(|((seed, domain), values)| (*arm, *seed, domain.as_str(), values.as_slice()))
        })
    }
}

/// All cells that are known, public or not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cells {
    /// Number of the newest report that was looked at.
    last: u64,
    cycles: BTreeMap<CycleKey, Arc<Cycle>>,
    /// How many each validator reported of each round.
    counts: BTreeMap<(Round, Hotkey), usize>,
}

impl Cells {
    /// Adds a cell; those of a validator beyond what counts of a stage are passed over, so that nobody fills the memory.
    pub(super) fn add(&mut self, report: EvaluationReport) {
        let count = self.counts.entry((report.round, report.validator)).or_default();
        if *count >= CELLS_MAX {
            return;
        }
        *count += 1;
        let key = (report.round, report.stage, report.profile.clone());
        Arc::make_mut(self.cycles.entry(key).or_default()).add(report);
    }

    /// Reads the cells of rounds, or what is new of them.
    async fn read(
        pool: &AnyPool,
        before: Option<Arc<Self>>,
        rounds: RangeInclusive<Round>,
    ) -> Result<Self, StoreError> {
        let before = before.unwrap_or_default();
        // Before the cells, so that none comes in between and is passed over.
        let last = store::newest_report(pool).await?;
        let mut cells = Self {
            last: last.max(before.last),
            cycles: before.cycles.clone(),
            counts: before.counts.clone(),
        };
        cells.cycles.retain(|(round, ..), _| rounds.contains(round));
        cells.counts.retain(|(round, _), _| rounds.contains(round));
        for report in store::cells(pool, (before.last, last), *rounds.start()).await? {
            if rounds.contains(&report.round) {
                cells.add(report);
            }
        }
        Ok(cells)
    }

    /// Cycles that began with one of these rounds, in order.
    pub(super) fn cycles(
        &self,
        rounds: RangeInclusive<Round>,
    ) -> impl Iterator<Item = (&CycleKey, &Arc<Cycle>)> {
        let of_rounds = self.cycles.iter();
        of_rounds.filter(move |((round, ..), _)| rounds.contains(round))
    }
}

/// Rounds that are kept beyond those that are asked for: what is public is some rounds behind the newest one.
const MARGIN: u32 = 50;

/// The cells of cycles that began within so many rounds of `newest`, before or behind it, and of a few more.
pub(super) async fn cells(app: &App, newest: Round, within: u32) -> Result<Arc<Cells>, StoreError> {
    let within = within.saturating_add(MARGIN);
    let rounds = Round(newest.0.saturating_sub(within))..=Round(newest.0.saturating_add(within));
    let read = |before| Cells::read(app.database().readers(), before, rounds);
    app.memo
        .carry(app.memo.of(Parts::DUELS), "cells".to_owned(), read)
        .await
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::scratch::Scratch;
    use assay_types::{Digest, NetUid, Tokens};

    /// A cell of the screen of round 3, on one domain, by validator 1.
    pub(in crate::board) fn report(arm: Arm, recipe: u8, seed: u32, value: u32) -> EvaluationReport {
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

    /// The champion's cell of a round by a validator, as report `number`.
    async fn hand_in(store: &Scratch, number: u8, (round, value): (u32, u32)) {
        let report = EvaluationReport {
            round: Round(round),
            validator: Hotkey([number; 32]),
            ..report(Arm::Champion, 7, 1, value)
        };
        let line = String::from_utf8(report.to_canonical_bytes().unwrap()).unwrap();
        let insert = format!(
            "INSERT INTO reports (digest, kind, round, validator, subject, line, received_ms, sequence) \
             VALUES ('{number}', 'evaluation', {round}, '{}', '', '{line}', 0, {number})",
            report.validator
        );
        store.run([insert]).await;
    }

    #[tokio::test]
    async fn cells_that_come_later_are_added_to_those_that_are_known() {
        let store = Scratch::new().await;
        let read = async |before, first, last| {
            let rounds = Round(first)..=Round(last);
            Arc::new(
                Cells::read(store.database.readers(), before, rounds)
                    .await
                    .unwrap(),
            )
        };
        let mut known = read(None, 0, 9).await;
        assert_eq!(*known, Cells::default());
        let rounds = [
            (3, 24_000),
            (5, 25_000),
            (3, 23_000),
            (20, 1),
            (9, 22_000),
            (5, 24_500),
        ];
        for (number, cell) in (1..).zip(rounds) {
            hand_in(&store, number, cell).await;
            known = read(Some(known), 0, 9).await;
            assert_eq!(known, read(None, 0, 9).await, "after {cell:?}");
        }
        let all = |cells: &Cells| -> Vec<(u32, Vec<u32>)> {
            let cycles = cells.cycles(Round(0)..=Round(5));
            let of = cycles.flat_map(|((round, ..), cycle)| {
                cycle
                    .cells(|_, _| true)
                    .map(|(_, _, _, values)| (round.0, values.to_vec()))
            });
            of.collect()
        };
        assert_eq!(
            all(&known),
            [(3, vec![23_000, 24_000]), (5, vec![24_500, 25_000])]
        );
        let (_, third) = known.cycles(Round(3)..=Round(3)).next().unwrap();
        assert_eq!(third.champions.values().map(BTreeSet::len).sum::<usize>(), 2);
        // What is too old goes, and nothing is read twice.
        known = read(Some(known), 4, 13).await;
        assert_eq!(known, read(None, 4, 13).await);
        assert_eq!(all(&known), [(5, vec![24_500, 25_000])]);
    }

    #[test]
    fn a_validator_fills_no_memory_and_takes_no_other_ones_place() {
        let mut cells = Cells::default();
        for seed in 0..3_000 {
            cells.add(report(Arm::Ore, 0, seed, 30_000));
        }
        cells.add(EvaluationReport {
            validator: Hotkey([2; 32]),
            ..report(Arm::Ore, 0, 9_999, 30_000)
        });
        let (_, cycle) = cells.cycles(Round(3)..=Round(3)).next().unwrap();
        assert_eq!(cycle.cells(|_, _| true).count(), CELLS_MAX + 1);
    }
}
