//! What the throne and the use of recipes are worth: places and royalties, paid out of the innovation lane.
//!
//! What was produced with each recipe comes in with each settled round; the lane of a round and the standing of a recipe
//! leave. The formulas are `royalty`'s.

use super::Contest;
use crate::registry::Author;
use crate::royalty::{LaneParams, LaneShares, Places, Usage, innovation_shares, royalty};
use assay_types::{Hotkey, ParamValues, Q32, RecipeId, Round};
use std::collections::BTreeMap;

/// What a crowned recipe is in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// 1 for the champion, 2 and 3 for the two before it; none for one before those.
    pub place: Option<u32>,
    /// Its first round as the champion.
    pub since: Round,
    /// What it multiplies pay by; none before a confirmation measured it.
    pub gain: Option<Q32>,
    /// Share of the newest settled round's production that was made with it.
    pub used: Q32,
    /// Its author's royalty on that, as a share of the lane.
    pub royalty: Q32,
}

impl Contest {
    /// Takes in what was produced with each recipe in the newest settled round; recipes that never reigned earn no royalty.
    pub fn used(&mut self, produced: &BTreeMap<RecipeId, Q32>) {
        let all = produced
            .values()
            .fold(Q32::ZERO, |sum, part| sum.saturating_add(*part));
        let crowned = produced
            .iter()
            .filter(|(recipe, _)| self.registry.active_since(recipe).is_some());
        let shares = crowned.filter_map(|(recipe, part)| Some((*recipe, Q32::ratio(part.0, all.0)?)));
        self.used = shares.filter(|(_, share)| *share > Q32::ZERO).collect();
    }

    /// What a recipe is in `round`; none if it does not reign by then.
    #[must_use]
    pub fn standing(&self, recipe: &RecipeId, round: Round, values: &ParamValues) -> Option<Standing> {
        let since = self.registry.active_since(recipe)?;
        let age = u64::from(round.0.checked_sub(since.0)?);
        let place = self
            .registry
            .line(round)
            .position(|reign| reign.recipe == *recipe);
        let used = self.used.get(recipe).copied().unwrap_or_default();
        Some(Standing {
            place: place.and_then(|place| u32::try_from(place + 1).ok()),
            since,
            gain: self.gain(recipe),
            used,
            royalty: royalty(&LaneParams::from(values), used, age),
        })
    }

    /// The innovation lane in `round`, by hotkeys of authors that `is_member` still knows: places, and royalties on use.
    pub fn lane(
        &self,
        round: Round,
        is_member: impl Fn(&Author) -> bool,
        values: &ParamValues,
    ) -> LaneShares<Hotkey> {
        let line: Vec<_> = self.registry.line(round).collect();
        let author_of = |recipe: &RecipeId| {
            let author = self.registry.author(recipe)?;
            is_member(author).then_some(author.hotkey)
        };
        let author = |place: usize| author_of(&line.get(place)?.recipe);
        let age = |since: Round| u64::from(round.0.saturating_sub(since.0));
        let since = line.first().map_or(round, |reign| reign.since);
        let places = Places {
            champion: author(0),
            previous: author(1),
            before: author(2),
            reign_rounds: age(since),
        };
        let usages: Vec<Usage<Hotkey>> = self
            .used
            .iter()
            .map(|(recipe, share)| Usage {
                author: author_of(recipe),
                share: *share,
                age_rounds: self.registry.active_since(recipe).map_or(0, age),
            })
            .collect();
        innovation_shares(&LaneParams::from(values), &places, &usages)
    }
}
