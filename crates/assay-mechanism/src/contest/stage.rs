//! A stage of a cycle: which rounds and archives it has, who is measured in it, and the cells that validators report.

use crate::assign::is_reserved;
use crate::duel::DuelParams;
use assay_types::{
    Arm, Coldkey, EvaluationReport, Hotkey, ParamValues, RecipeId, Round, Stage, Tokens, UnitId, tagged_hash,
};

/// One validator's cells of the stage that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ballot {
    pub(super) validator: Hotkey,
    pub(super) coldkey: Coldkey,
    pub(super) stake: u64,
    pub(super) cells: Vec<Cell>,
}

/// A cell as a validator reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) arm: Arm,
    pub(super) recipe: RecipeId,
    pub(super) seed: u32,
    pub(super) domain: String,
    pub(super) value: u32,
    pub(super) kept: Tokens,
}

/// What a validator measures in a round's stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagePlan {
    /// The stage.
    pub stage: Stage,
    /// Its first round: its pulse draws archives and seeds.
    pub first: Round,
    /// Its last round: cells in the reports on it count.
    pub last: Round,
    /// The frozen reference recipe.
    pub anchor: RecipeId,
    /// Who reigns.
    pub champion: RecipeId,
    /// Who wants to.
    pub challengers: Vec<RecipeId>,
    /// Seeds.
    pub seeds: u32,
}

/// One validator's cells in its reports on a round.
#[derive(Debug, Clone, Copy)]
pub struct CellVote<'a> {
    /// Who.
    pub validator: Hotkey,
    /// Its owner: reports of one coldkey are one witness.
    pub coldkey: Coldkey,
    /// Its stake at the cutoff, rao.
    pub stake: u64,
    /// What it measured, whatever the stage.
    pub cells: &'a [EvaluationReport],
}

impl StagePlan {
    /// Whether an arm under a recipe is one of the stage's.
    pub(super) fn has(&self, arm: Arm, recipe: &RecipeId) -> bool {
        match arm {
            Arm::Champion => *recipe == self.champion,
            Arm::Anchor => *recipe == self.anchor,
            Arm::Challenger => self.challengers.contains(recipe),
            Arm::Ore | Arm::Pure => recipe.0.is_zero(),
        }
    }
}

impl From<&EvaluationReport> for Cell {
    fn from(report: &EvaluationReport) -> Self {
        Self {
            arm: report.arm,
            recipe: report.recipe_id,
            seed: report.seed,
            domain: report.domain.clone(),
            value: report.value,
            kept: report.tokens,
        }
    }
}

/// Stage of `round` in the cycle that begins with `first`, its first and its last round.
pub(super) fn stage_at(first: Round, round: Round, values: &ParamValues) -> Option<(Stage, Round, Round)> {
    let length = DuelParams::from(values).cycle_rounds.max(2);
    let half = length / 2;
    let offset = round.0.checked_sub(first.0)?;
    let at = |offset: u32| Round(first.0.saturating_add(offset));
    match offset {
        _ if offset < half => Some((Stage::Screen, first, at(half - 1))),
        _ if offset < length => Some((Stage::Confirm, at(half), at(length - 1))),
        _ => None,
    }
}

/// The archives of a stage: the reserved units of `corpus` that come first by hash under the stage's pulse, by that hash.
///
/// The draw is `H("assay/duel-archive/1", pulse ‖ unit)`.
pub fn archives<'a>(
    pulse: &[u8; 32],
    corpus: impl IntoIterator<Item = &'a UnitId>,
    values: &ParamValues,
) -> Vec<UnitId> {
    let reserved = corpus
        .into_iter()
        .filter(|unit| is_reserved(unit, values.reserve_mod));
    let mut drawn: Vec<_> = reserved
        .map(|unit| {
            (
                tagged_hash("assay/duel-archive/1", &[pulse, unit.as_bytes()]),
                *unit,
            )
        })
        .collect();
    drawn.sort_unstable();
    let most = usize::try_from(values.duel_warcs).unwrap_or(usize::MAX);
    drawn.into_iter().map(|(_, unit)| unit).take(most).collect()
}
