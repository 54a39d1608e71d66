//! Recipes that are not the subnet file's: read from where their authors published them, or from a Task API, once, and kept.
//!
//! Anybody's bytes: a text counts only if its canonical form has the id that the chain names. What was read once is kept in
//! the agent's folder: an author who takes a reigning recipe away must not make its users' work unreadable.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use assay_hub::store::{ObjectPath, Store};
use assay_mechanism::contest::Place;
use assay_types::{Recipe, RecipeId, RepoName, Revision};
use fs_err as fs;

use super::error::AgentError;
use crate::local::{read_bounded, write_atomically};

/// Name of a recipe's file in its repository.
pub const RECIPE_FILE: &str = "recipe.toml";

/// Most bytes of a recipe's text.
const RECIPE_BYTES_MAX: u64 = 1 << 20;

/// Texts by id, shared by all copies of a setup.
#[derive(Debug, Clone, Default)]
pub(super) struct Learned(Arc<RwLock<Texts>>);

/// Recipes known, and the folder they are kept in.
#[derive(Debug, Default)]
struct Texts {
    known: BTreeMap<RecipeId, Recipe>,
    folder: Option<PathBuf>,
}

impl Learned {
    pub(super) fn get(&self, id: &RecipeId) -> Option<Recipe> {
        let texts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        texts.known.get(id).cloned()
    }

    /// Keeps texts in a folder from now on.
    pub(super) fn keep_in(&self, folder: &Path) {
        let mut texts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        texts.folder = Some(folder.to_owned());
    }

    /// Where a recipe's text is kept.
    fn path(&self, id: &RecipeId) -> Option<PathBuf> {
        let texts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(texts.folder.as_ref()?.join(format!("{id}.toml")))
    }

    fn remember(&self, id: &RecipeId, recipe: Recipe) {
        let mut texts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        texts.known.insert(*id, recipe);
    }

    /// Reads and remembers a recipe: from the folder, or else from `place`; without either nothing happens.
    pub(super) async fn read(
        &self,
        store: &dyn Store,
        id: &RecipeId,
        place: Option<&Place>,
    ) -> Result<(), AgentError> {
        let kept = self.path(id);
        if let Some(path) = kept.as_ref().filter(|path| path.exists()) {
            let bytes = read_bounded(path, RECIPE_BYTES_MAX).map_err(AgentError::file(path))?;
            let text = String::from_utf8_lossy(&bytes);
            if let Ok(recipe) = Recipe::parse(&text)
                && recipe.id() == *id
            {
                self.remember(id, recipe);
                return Ok(());
            }
        }
        let Some(place) = place else { return Ok(()) };
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
        self.keep(recipe)
    }

    /// Remembers a recipe, and keeps its text if there is a folder.
    pub(super) fn keep(&self, recipe: Recipe) -> Result<(), AgentError> {
        let id = recipe.id();
        if let Some(path) = self.path(&id) {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(AgentError::file(folder))?;
            }
            write_atomically(&path, recipe.to_canonical().as_bytes())?;
        }
        self.remember(&id, recipe);
        Ok(())
    }
}
