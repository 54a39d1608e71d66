//! Recipes that want the throne: offers from the chain, cycles of duels between them, who reigns and what that is worth.
//!
//! Offers (message 0x02) come in with each assignment, cells that validators reported with each settlement; stages to
//! measure, active recipes, gains and the innovation lane go out. Part of [`crate::network::NetworkState`], so that every
//! node has the same, bit for bit (docs/evaluation.md, "Duels on the network").
//!
//! ```text
//! offers ─► entries of a cycle ─► screen (first half of its rounds) ─► confirmation (second half) ─► crown
//! ```
//!
//! A cycle begins when the round before its first is settled: only then its champion is certain. Who wins reigns from the
//! first round that is not assigned yet. An entry that was measured and lost does not enter again; one that could not be
//! measured does, behind newer ones, three times in all.

mod lane;
mod stage;
mod table;

use crate::duel::{Confirmed, DuelParams, Outcome, best};
use crate::gain::{GainBounds, gain};
use crate::registry::{Author, Registry};
use assay_types::{
    Arm, BlockNumber, Coldkey, Digest, EvaluationReport, Hotkey, ParamValues, Q32, RecipeId, RecipeMessage,
    Round, Stage,
};
pub use lane::Standing;
use serde::{Deserialize, Serialize};
use stage::{Ballot, Cell, stage_at};
pub use stage::{CellVote, StagePlan, archives};
use std::collections::{BTreeMap, BTreeSet};
use table::{Judged, Table};

/// Most recipes that are remembered: later offers are not heard.
pub const OFFERS_MAX: usize = 4_096;

/// Most recipes of one coldkey that wait for a cycle: later offers of it are not heard until one was measured.
pub const OPEN_MAX: usize = 8;

/// Cycles that an entry may enter without being measured to an end.
const TRIES_MAX: u32 = 3;

/// Most cells of one validator that count in a stage: nine arms, sixteen seeds, sixteen domains.
pub const CELLS_MAX: usize = 2_304;

/// Decisions that are kept for who looks on.
const DECISIONS_KEPT: usize = 32;

/// Where a recipe's text is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Repository.
    pub repo: String,
    /// Revision, hexadecimal.
    pub revision: String,
}

/// A recipe message as the chain shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Who committed it.
    pub author: Author,
    /// What it says.
    pub message: RecipeMessage,
}

/// The cycle that is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cycle {
    first: Round,
    champion: RecipeId,
    /// Rounds the champion has reigned when the cycle begins.
    age: u32,
    /// Who is measured in the stage that is on.
    entries: Vec<RecipeId>,
}

/// What a stage decided about one challenger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// First round of the stage.
    pub round: Round,
    /// The stage.
    pub stage: Stage,
    /// Who reigned.
    pub champion: RecipeId,
    /// Who wanted to.
    pub challenger: RecipeId,
    /// `won`, `lost`, `inconclusive`, or `waits` for cells.
    pub outcome: String,
    /// Lead in thousandths of a point, floor; 0 without cells.
    pub lead_milli: i64,
    /// Standard error in thousandths of a point, floor.
    pub error_milli: i64,
}

/// What the duels of a subnet are measured by: nodes with other rules have other states, and see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Cells of other profiles do not count.
    pub profile: String,
    /// Digests of the evaluation packs by the round they hold from.
    pub packs: BTreeMap<Round, Digest>,
    /// Recipes that are active whatever duels decide: they are nobody's to offer.
    pub fixed: BTreeSet<RecipeId>,
}

/// Offers, the cycle that is on, and the throne.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contest {
    /// What duels are measured by.
    rules: Rules,
    registry: Registry,
    places: BTreeMap<RecipeId, Place>,
    gains: BTreeMap<RecipeId, Q32>,
    /// Share of the newest settled round's production by crowned recipe.
    #[serde(default)]
    used: BTreeMap<RecipeId, Q32>,
    /// Measured, and either not better or crowned: they do not enter again.
    measured: BTreeSet<RecipeId>,
    /// How often each entered a cycle.
    tries: BTreeMap<RecipeId, u32>,
    cycle: Option<Cycle>,
    decisions: Vec<Decision>,
}

impl Contest {
    /// A contest in which the anchor reigns and nobody has offered anything.
    #[must_use]
    pub fn new(anchor: RecipeId, rules: Rules) -> Self {
        Self {
            rules,
            registry: Registry::new(anchor),
            places: BTreeMap::new(),
            gains: BTreeMap::new(),
            used: BTreeMap::new(),
            measured: BTreeSet::new(),
            tries: BTreeMap::new(),
            cycle: None,
            decisions: Vec::new(),
        }
    }

    /// What stages are measured with: cells of other profiles do not count.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.rules.profile
    }

    /// The frozen reference recipe.
    #[must_use]
    pub const fn anchor(&self) -> RecipeId {
        self.registry.anchor()
    }

    /// Takes in the offers that the chain shows when `round` is assigned; the first cycle begins with round 0.
    pub fn offered(&mut self, round: Round, offers: &[Offer], values: &ParamValues) {
        for offer in offers {
            let recipe = offer.message.recipe_id;
            // What was decided stays decided, however long the chain shows the offer.
            let is_closed = self.rules.fixed.contains(&recipe) || self.measured.contains(&recipe);
            let is_known = self.places.contains_key(&recipe);
            if is_closed || !is_known && !self.has_room(&offer.author.coldkey) {
                continue;
            }
            if self.registry.commit(recipe, offer.author) {
                let place = Place {
                    repo: offer.message.repo.as_str().to_owned(),
                    revision: offer.message.revision.to_string(),
                };
                self.places.insert(recipe, place);
            }
        }
        if round == Round(0) {
            self.begin(round, values);
        }
    }

    /// Whether one more offer of a coldkey is heard.
    fn has_room(&self, coldkey: &Coldkey) -> bool {
        let is_open = |recipe: &&RecipeId| {
            let author = self.registry.author(recipe);
            !self.measured.contains(recipe) && author.is_some_and(|author| author.coldkey == *coldkey)
        };
        self.places.len() < OFFERS_MAX && self.places.keys().filter(is_open).count() < OPEN_MAX
    }

    /// Begins the cycle whose first round is `first`, with the earliest offers that were not measured before.
    fn begin(&mut self, first: Round, values: &ParamValues) {
        // One that was crowned just now reigns a round later, and is the one to beat already.
        let reign = self.registry.newest();
        let params = DuelParams::from(values);
        let mut open: Vec<(u32, BlockNumber, Hotkey, RecipeId)> = self
            .places
            .keys()
            .filter(|recipe| !self.measured.contains(recipe))
            .filter_map(|recipe| {
                let author = self.registry.author(recipe)?;
                // Who could not be measured before lets others go first.
                let tries = self.tries.get(recipe).copied().unwrap_or(0);
                Some((tries, author.block, author.hotkey, *recipe))
            })
            .collect();
        open.sort_unstable();
        let entries = open.into_iter().take(params.entries as usize);
        let entries: Vec<RecipeId> = entries.map(|(_, _, _, recipe)| recipe).collect();
        for entry in &entries {
            *self.tries.entry(*entry).or_default() += 1;
        }
        self.cycle = Some(Cycle {
            first,
            champion: reign.recipe,
            age: first.0.saturating_sub(reign.since.0),
            entries,
        });
    }

    /// What is measured in the stage that `round` belongs to; none if nobody duels.
    #[must_use]
    pub fn stage_of(&self, round: Round, values: &ParamValues) -> Option<StagePlan> {
        let cycle = self.cycle.as_ref().filter(|cycle| !cycle.entries.is_empty())?;
        let (stage, first, last) = stage_at(cycle.first, round, values)?;
        let params = DuelParams::from(values);
        let seeds = match stage {
            Stage::Screen => params.seeds_screen,
            Stage::Confirm => params.seeds_confirm,
        };
        Some(StagePlan {
            stage,
            first,
            last,
            anchor: self.registry.anchor(),
            champion: cycle.champion,
            challengers: cycle.entries.clone(),
            seeds: u32::try_from(seeds).unwrap_or(u32::MAX),
        })
    }

    /// Decides the stage that ends with `round` by the cells in the reports on it, and begins the next cycle behind a cycle's
    /// last. `next` is the first round that is not assigned yet: a new champion reigns from it on.
    ///
    /// Cells in reports on the stage's earlier rounds do not count: they are readable when later ones are made.
    pub fn settle(&mut self, round: Round, next: Round, votes: &[CellVote<'_>], values: &ParamValues) {
        if let Some(plan) = self.stage_of(round, values).filter(|plan| plan.last == round) {
            let ballots = self.ballots(&plan, votes);
            self.decide(&plan, &ballots, next, values);
        }
        let after = Round(round.0.saturating_add(1));
        let length = DuelParams::from(values).cycle_rounds.max(2);
        if after.0.checked_rem(length) == Some(0) {
            self.begin(after, values);
        }
    }

    /// The cells of votes that are the stage's, one ballot a validator, by hotkey.
    fn ballots(&self, plan: &StagePlan, votes: &[CellVote<'_>]) -> Vec<Ballot> {
        let of_stage = |report: &&EvaluationReport| {
            report.stage == plan.stage
                && report.round == plan.first
                && report.profile == self.rules.profile
                && report.seed < plan.seeds
                && plan.has(report.arm, &report.recipe_id)
        };
        let mut ballots = Vec::<Ballot>::new();
        for vote in votes {
            let cells: Vec<Cell> = vote
                .cells
                .iter()
                .filter(of_stage)
                .take(CELLS_MAX)
                .map(Cell::from)
                .collect();
            let is_known = ballots.iter().any(|ballot| ballot.validator == vote.validator);
            if !is_known && !cells.is_empty() {
                ballots.push(Ballot {
                    validator: vote.validator,
                    coldkey: vote.coldkey,
                    stake: vote.stake,
                    cells,
                });
            }
        }
        ballots.sort_unstable_by_key(|ballot| ballot.validator);
        ballots
    }

    fn decide(&mut self, plan: &StagePlan, ballots: &[Ballot], next: Round, values: &ParamValues) {
        let Some(mut cycle) = self.cycle.take() else {
            return;
        };
        let table = Table::new(ballots, values);
        let mut winners = Vec::new();
        for challenger in &plan.challengers {
            let judged = table.judge(plan, challenger, cycle.age, values);
            self.note(plan, challenger, judged.as_ref());
            let Some(judged) = judged else { continue };
            match judged.outcome {
                Outcome::Won => winners.push((*challenger, judged)),
                Outcome::Lost => self.forget(challenger),
                Outcome::Inconclusive => {}
            }
        }
        self.give_up(plan, &winners);
        if plan.stage == Stage::Screen {
            cycle.entries = winners.into_iter().map(|(recipe, _)| recipe).collect();
        } else {
            cycle.entries.clear();
            self.crown(plan, &table, &winners, (next, values));
        }
        self.cycle = Some(cycle);
    }

    /// Crowns the best of the confirmation; it and the champion have the gain that was measured there.
    fn crown(
        &mut self,
        plan: &StagePlan,
        table: &Table<'_>,
        winners: &[(RecipeId, Judged)],
        (next, values): (Round, &ParamValues),
    ) {
        let confirmed: Vec<Confirmed> = winners
            .iter()
            .filter_map(|(recipe, judged)| {
                let commit = self.registry.author(recipe)?.block;
                Some(Confirmed { z: judged.z, commit })
            })
            .collect();
        let winner = best(&confirmed)
            .and_then(|at| winners.get(at))
            .map(|(winner, _)| *winner);
        let bounds = GainBounds::from(values);
        let anchor = table.measured(Arm::Anchor, &plan.anchor);
        let champion = Some((Arm::Champion, plan.champion));
        for (arm, recipe) in champion
            .into_iter()
            .chain(winner.map(|winner| (Arm::Challenger, winner)))
        {
            let measured = table.measured(arm, &recipe);
            if let Some(g) = anchor.zip(measured).and_then(|(a, m)| gain(a, m, bounds)) {
                self.gains.insert(recipe, g);
            }
        }
        // The anchor's gain is one by definition.
        self.gains.remove(&plan.anchor);
        if let Some(winner) = winner {
            self.measured.insert(winner);
            self.tries.remove(&winner);
            self.registry.crown(winner, Round(next.0.saturating_sub(1)));
        }
    }

    /// A recipe that does not enter again: where it lies need not be known any more.
    fn forget(&mut self, recipe: &RecipeId) {
        self.measured.insert(*recipe);
        self.places.remove(recipe);
        self.tries.remove(recipe);
    }

    /// Entries that were not measured to an end often enough give their place to others.
    fn give_up(&mut self, plan: &StagePlan, winners: &[(RecipeId, Judged)]) {
        let is_winner = |id: &RecipeId| winners.iter().any(|(winner, _)| winner == id);
        for challenger in plan.challengers.iter().filter(|id| !is_winner(id)) {
            if self
                .tries
                .get(challenger)
                .is_some_and(|tries| *tries >= TRIES_MAX)
            {
                self.forget(challenger);
            }
        }
    }

    fn note(&mut self, plan: &StagePlan, challenger: &RecipeId, judged: Option<&Judged>) {
        let milli = |value: f64| (value * 1_000.0).floor() as i64;
        self.decisions.push(Decision {
            round: plan.first,
            stage: plan.stage,
            champion: plan.champion,
            challenger: *challenger,
            outcome: match judged.map(|judged| judged.outcome) {
                None => "waits",
                Some(Outcome::Won) => "won",
                Some(Outcome::Lost) => "lost",
                Some(Outcome::Inconclusive) => "inconclusive",
            }
            .to_owned(),
            lead_milli: judged.map_or(0, |judged| milli(judged.points)),
            error_milli: judged.map_or(0, |judged| milli(judged.error)),
        });
        let surplus = self.decisions.len().saturating_sub(DECISIONS_KEPT);
        self.decisions.drain(..surplus);
    }

    /// The recipes that a submission of `round` may use beside those the subnet always allows: champion and two before it.
    #[must_use]
    pub fn active(&self, round: Round) -> Vec<RecipeId> {
        self.registry.active(round)
    }

    /// What a crowned recipe multiplies pay by; none for the anchor and for recipes that never won.
    #[must_use]
    pub fn gain(&self, recipe: &RecipeId) -> Option<Q32> {
        self.gains.get(recipe).copied()
    }

    /// Who reigns in `round`.
    #[must_use]
    pub fn champion(&self, round: Round) -> RecipeId {
        self.registry.champion(round).recipe
    }

    /// Where an offered recipe's text is.
    #[must_use]
    pub fn place(&self, recipe: &RecipeId) -> Option<&Place> {
        self.places.get(recipe)
    }

    /// What the latest stages decided, oldest first.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }
}

#[cfg(test)]
impl Contest {
    /// Crowns a recipe without a duel.
    pub(crate) fn enthrone(&mut self, recipe: RecipeId, round: Round) {
        let author = Author {
            hotkey: Hotkey([1; 32]),
            coldkey: Coldkey([1; 32]),
            block: BlockNumber(1),
        };
        self.registry.commit(recipe, author);
        self.registry.crown(recipe, round);
    }
}

#[cfg(test)]
mod tests;
