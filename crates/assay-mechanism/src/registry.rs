//! The registry of recipes: who committed which first, which are active in a round, who reigns.
//!
//! Recipe messages and duel outcomes come in by block order; the active set goes to admission and pay (mechanism §3,
//! §9). The anchor is frozen; a champion made in one round takes the throne at the start of the next.

use assay_types::{BlockNumber, Coldkey, Hotkey, RecipeId, Round};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Recipes that were champions before and are still active.
pub const PREVIOUS_ACTIVE: usize = 2;

/// Who committed a recipe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// The hotkey of the commitment.
    pub hotkey: Hotkey,
    /// Its owner at that time.
    pub coldkey: Coldkey,
    /// Block of the commitment.
    pub block: BlockNumber,
}

/// A champion and the first round in which it reigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reign {
    /// The recipe.
    pub recipe: RecipeId,
    /// Its first round on the throne.
    pub since: Round,
}

/// All recipes known to the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    anchor: RecipeId,
    authors: BTreeMap<RecipeId, Author>,
    /// Oldest first; the anchor reigns until the first.
    reigns: Vec<Reign>,
}

impl Registry {
    /// A registry in which the anchor reigns from round 0.
    pub fn new(anchor: RecipeId) -> Self {
        Self {
            anchor,
            authors: BTreeMap::new(),
            reigns: Vec::new(),
        }
    }

    /// The frozen reference recipe.
    pub const fn anchor(&self) -> RecipeId {
        self.anchor
    }

    /// Notes a revealed recipe message; the earliest commitment stays, and the anchor has no author.
    ///
    /// Returns whether this commitment is now the recipe's.
    pub fn commit(&mut self, recipe: RecipeId, author: Author) -> bool {
        if recipe == self.anchor {
            return false;
        }
        let known = self.authors.entry(recipe).or_insert(author);
        if (author.block, author.hotkey) < (known.block, known.hotkey) {
            *known = author;
        }
        *known == author
    }

    /// Who is paid for a recipe; none for the anchor and for recipes nobody committed.
    pub fn author(&self, recipe: &RecipeId) -> Option<&Author> {
        self.authors.get(recipe)
    }

    /// Crowns a recipe whose duel became final in `round`; it reigns from the next round on.
    ///
    /// Returns false, and changes nothing, if it reigns already or was never committed.
    pub fn crown(&mut self, recipe: RecipeId, round: Round) -> bool {
        let reigns = self.reigns.last().map_or(self.anchor, |reign| reign.recipe);
        if reigns == recipe || !self.authors.contains_key(&recipe) {
            return false;
        }
        self.reigns.push(Reign {
            recipe,
            since: Round(round.0.saturating_add(1)),
        });
        true
    }

    /// The newest champion, also one that reigns only from a later round on.
    pub fn newest(&self) -> Reign {
        self.reigns.last().copied().unwrap_or(Reign {
            recipe: self.anchor,
            since: Round(0),
        })
    }

    /// The champion of `round`.
    pub fn champion(&self, round: Round) -> Reign {
        self.line(round).next().unwrap_or(Reign {
            recipe: self.anchor,
            since: Round(0),
        })
    }

    /// The first round in which a recipe was active as a champion; none if it never reigned.
    pub fn active_since(&self, recipe: &RecipeId) -> Option<Round> {
        let mut reigns = self.reigns.iter();
        reigns
            .find(|reign| reign.recipe == *recipe)
            .map(|reign| reign.since)
    }

    /// Champion, the one before and the one before that in `round`; the anchor stands in nobody's place.
    pub fn line(&self, round: Round) -> impl Iterator<Item = Reign> + '_ {
        self.reigns
            .iter()
            .rev()
            .filter(move |reign| reign.since <= round)
            .take(1 + PREVIOUS_ACTIVE)
            .copied()
    }

    /// The recipes a submission of `round` may use: anchor, champion, two previous, each once.
    ///
    /// Units already assigned keep the set of the round they were assigned in.
    pub fn active(&self, round: Round) -> Vec<RecipeId> {
        let mut active = vec![self.anchor];
        for reign in self.line(round) {
            if !active.contains(&reign.recipe) {
                active.push(reign.recipe);
            }
        }
        active
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::Digest;

    fn recipe(byte: u8) -> RecipeId {
        RecipeId(Digest([byte; 32]))
    }

    fn author(hotkey: u8, block: u32) -> Author {
        Author {
            hotkey: Hotkey([hotkey; 32]),
            coldkey: Coldkey([hotkey; 32]),
            block: BlockNumber(block),
        }
    }

    #[test]
    fn the_first_commitment_is_the_author_whatever_the_order_of_reading() {
        let mut registry = Registry::new(recipe(0));
        assert!(registry.commit(recipe(1), author(2, 20)));
        assert!(registry.commit(recipe(1), author(1, 10)));
        assert!(!registry.commit(recipe(1), author(3, 30)));
        assert_eq!(registry.author(&recipe(1)), Some(&author(1, 10)));
        assert!(
            !registry.commit(recipe(0), author(1, 1)),
            "nobody authors the anchor"
        );
    }

    #[test]
    fn a_champion_reigns_from_the_next_round_and_two_before_it_stay_active() {
        let mut registry = Registry::new(recipe(0));
        assert_eq!(registry.champion(Round(5)).recipe, recipe(0));
        assert!(!registry.crown(recipe(1), Round(9)), "nobody committed it");
        for byte in 1..=4 {
            registry.commit(recipe(byte), author(byte, 1));
            assert!(registry.crown(recipe(byte), Round(10 * u32::from(byte) - 1)));
        }
        assert!(!registry.crown(recipe(4), Round(41)), "it reigns already");
        assert_eq!(registry.champion(Round(9)).recipe, recipe(0));
        assert_eq!(registry.champion(Round(10)).recipe, recipe(1));
        assert_eq!(registry.active(Round(10)), [recipe(0), recipe(1)]);
        assert_eq!(registry.active(Round(99)), [0, 4, 3, 2].map(recipe));
        assert_eq!(registry.champion(Round(99)).since, Round(40));
    }
}
