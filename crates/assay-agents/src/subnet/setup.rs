//! The subnet's file: which subnet, which rules, which corpus, where things are published, which recipes count.
//!
//! `assay localnet` writes it; miners and validators read it. All of it is public, and its parameter set's digest goes into
//! every report, so that two nodes with different files notice.

use std::path::Path;
use std::sync::Arc;

use assay_hub::store::{Store, StoreError, StoreOptions, open_store};
use assay_hub::{OpenOptions, Source};
use assay_mechanism::clock::Clock;
use assay_refine::engine::Engine;
use assay_refine::url_lists::UrlLists;
use assay_types::{Digest, NetUid, ParamSet, Q32, Recipe, RecipeId, WorkUnit, corpus_index_root};
use serde::{Deserialize, Serialize};

use super::archives::Archives;
use super::error::AgentError;

/// This file: `docs/configuration.md` is made of its comments.
pub const SETUP_SOURCE: &str = include_str!("setup.rs");

/// Most bytes of a subnet file: a corpus of 100,000 units.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// A recipe that may be used, and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActiveRecipe {
    /// Canonical text.
    pub toml: String,
    /// `g` of its last duel.
    pub gain: Q32,
}

/// What is in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubnetFile {
    /// The subnet.
    pub netuid: NetUid,
    /// Hash of the chain's first block.
    pub genesis: Digest,
    /// Parameter set, canonical text.
    pub params: String,
    /// Where the archives are, whose file names or addresses end in the units' paths.
    pub archives: Archives,
    /// Where submissions and reports are published: a folder, `s3://bucket/prefix`, `https://host/prefix` or `hf://`.
    pub store: String,
    /// The work, in the order in which it is given out.
    pub corpus: Vec<WorkUnit>,
    /// Active recipes; the first is the anchor.
    pub recipes: Vec<ActiveRecipe>,
}

/// The subnet, ready to be worked for.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The subnet.
    pub netuid: NetUid,
    /// Hash of the chain's first block.
    pub genesis: Digest,
    /// Rules.
    pub params: ParamSet,
    /// Digest of the rules.
    pub params_digest: Digest,
    /// Blocks of rounds.
    pub clock: Clock,
    /// The work.
    pub corpus: Vec<WorkUnit>,
    /// Where things are published.
    pub store: Arc<dyn Store>,
    /// Address of the store, as in the file.
    pub store_address: String,
    archives: Archives,
    open: OpenOptions,
    recipes: Vec<(Recipe, Q32)>,
}

impl Setup {
    /// Reads the subnet's file.
    ///
    /// # Errors
    /// [`AgentError::File`] or [`AgentError::Invalid`] naming the file and what is wrong.
    pub fn load(path: &Path, options: &StoreOptions) -> Result<Self, AgentError> {
        let bytes = crate::local::read_bounded(path, FILE_BYTES_MAX).map_err(AgentError::file(path))?;
        let file: SubnetFile =
            serde_json::from_slice(&bytes).map_err(|error| AgentError::invalid(path, error))?;
        Self::of(file, options).map_err(|reason| AgentError::invalid(path, reason))
    }

    /// The subnet a file describes.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn of(file: SubnetFile, options: &StoreOptions) -> Result<Self, SetupError> {
        let params = ParamSet::parse_any(&file.params)?;
        let root = corpus_index_root(&file.corpus);
        if root != params.corpus_index_root {
            return Err(SetupError::Corpus {
                expected: params.corpus_index_root,
                found: root,
            });
        }
        let recipes = file
            .recipes
            .iter()
            .map(|active| Ok((Recipe::parse(&active.toml)?, active.gain)))
            .collect::<Result<Vec<_>, SetupError>>()?;
        if recipes.is_empty() {
            return Err(SetupError::NoRecipe);
        }
        Ok(Self {
            netuid: file.netuid,
            genesis: file.genesis,
            params_digest: params.digest(),
            clock: Clock::new(&params.values),
            params,
            corpus: file.corpus,
            store: Arc::from(open_store(&file.store, options)?),
            store_address: file.store,
            archives: file.archives,
            open: options.open.clone(),
            recipes,
        })
    }

    /// The active recipes' ids, the anchor first.
    #[must_use]
    pub fn active(&self) -> Vec<RecipeId> {
        self.recipes.iter().map(|(recipe, _)| recipe.id()).collect()
    }

    /// The gain of an active recipe.
    #[must_use]
    pub fn gain(&self, id: &RecipeId) -> Option<Q32> {
        let known = self.recipes.iter().find(|(recipe, _)| recipe.id() == *id);
        known.map(|(_, gain)| *gain)
    }

    /// The active recipe of the largest gain, the earlier one on a tie.
    #[must_use]
    pub fn best(&self) -> Option<&Recipe> {
        let mut best: Option<&(Recipe, Q32)> = None;
        for one in &self.recipes {
            if best.is_none_or(|(_, gain)| one.1 > *gain) {
                best = Some(one);
            }
        }
        best.map(|(recipe, _)| recipe)
    }

    /// The active recipe of a name or id.
    #[must_use]
    pub fn recipe_of(&self, name: &str) -> Option<&Recipe> {
        let mut recipes = self.recipes.iter().map(|(recipe, _)| recipe);
        recipes.find(|recipe| recipe.name == name || recipe.id().to_string() == name)
    }

    /// The first active recipe.
    #[must_use]
    pub fn anchor(&self) -> Option<&Recipe> {
        self.recipes.first().map(|(recipe, _)| recipe)
    }

    /// The active recipes, the anchor first.
    pub fn recipes(&self) -> impl Iterator<Item = &Recipe> {
        self.recipes.iter().map(|(recipe, _)| recipe)
    }

    /// Canonical texts of the active recipes.
    #[must_use]
    pub fn recipe_texts(&self) -> Vec<String> {
        self.recipes
            .iter()
            .map(|(recipe, _)| recipe.to_canonical())
            .collect()
    }

    /// An engine that runs an active recipe.
    ///
    /// # Errors
    /// [`AgentError::Unexpected`] for a recipe that is not active or cannot run here.
    pub fn engine(&self, id: &RecipeId) -> Result<Engine, AgentError> {
        let unexpected = |reason: String| AgentError::Unexpected {
            what: "recipe",
            reason,
        };
        let (recipe, _) = self
            .recipes
            .iter()
            .find(|(recipe, _)| recipe.id() == *id)
            .ok_or_else(|| unexpected(format!("`{id}` is not active")))?;
        Engine::new(recipe.clone(), &UrlLists::default()).map_err(|error| unexpected(error.to_string()))
    }

    /// Where a unit's archive lies, under the unit's own name.
    ///
    /// # Errors
    /// [`AgentError::File`] if it is not there.
    pub fn source(&self, unit: &WorkUnit) -> Result<Source, AgentError> {
        self.archives.source(unit)
    }

    /// Where the archives are.
    #[must_use]
    pub fn archives(&self) -> &Archives {
        &self.archives
    }

    /// How addresses are read.
    #[must_use]
    pub fn open(&self) -> &OpenOptions {
        &self.open
    }

    /// The unit of an id.
    #[must_use]
    pub fn unit(&self, id: &assay_types::UnitId) -> Option<&WorkUnit> {
        self.corpus.iter().find(|unit| unit.unit_id == *id)
    }
}

/// Why a subnet file cannot be used.
#[derive(Debug, thiserror::Error)]
enum SetupError {
    #[error("parameter set: {0}")]
    Params(#[from] assay_types::ParamError),
    #[error("the corpus has root `{found}`, the parameter set says `{expected}`")]
    Corpus { expected: Digest, found: Digest },
    #[error("recipe: {0}")]
    Recipe(#[from] assay_types::RecipeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no recipe is active")]
    NoRecipe,
}
