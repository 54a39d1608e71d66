//! Recipes that are not the subnet file's: read from where their authors published them, once a process.
//!
//! Anybody's bytes: a text counts only if its canonical form has the id that the chain names.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use assay_hub::store::{ObjectPath, Store};
use assay_mechanism::contest::Place;
use assay_types::{Recipe, RecipeId, RepoName, Revision};

use super::error::AgentError;

/// Name of a recipe's file in its repository.
pub const RECIPE_FILE: &str = "recipe.toml";

/// Most bytes of a recipe's text.
const RECIPE_BYTES_MAX: u64 = 1 << 20;

/// Texts by id, shared by all copies of a setup.
#[derive(Debug, Clone, Default)]
pub(super) struct Learned(Arc<RwLock<BTreeMap<RecipeId, Recipe>>>);

impl Learned {
    pub(super) fn get(&self, id: &RecipeId) -> Option<Recipe> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(id).cloned()
    }

    /// Reads and remembers a recipe.
    pub(super) async fn read(
        &self,
        store: &dyn Store,
        id: &RecipeId,
        place: &Place,
    ) -> Result<(), AgentError> {
        let bad = |reason: String| AgentError::Unexpected {
            what: "recipe",
            reason: format!("`{id}` at `{}`: {reason}", place.repo),
        };
        let repo = RepoName::parse(&place.repo).map_err(|error| bad(error.to_string()))?;
        let revision: [u8; 20] =
            assay_types::hex::decode(&place.revision).map_err(|error| bad(error.to_string()))?;
        let view = store.open(&repo, &Revision(revision)).await?;
        let path = ObjectPath::parse(RECIPE_FILE).map_err(assay_hub::store::StoreError::from)?;
        let bytes = view.get(&path, RECIPE_BYTES_MAX).await?;
        let text = std::str::from_utf8(&bytes).map_err(|error| bad(error.to_string()))?;
        let recipe = Recipe::parse(text).map_err(|error| bad(error.to_string()))?;
        if recipe.id() != *id {
            return Err(bad(format!("it is recipe `{}`", recipe.id())));
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(*id, recipe);
        Ok(())
    }
}
