//! The subnet's file: which subnet, which rules, which corpus, where things are published, which recipes count.
//!
//! `assay localnet` writes it; miners and validators read it. All of it is public, and its parameter set's digest goes into
//! every report, so that two nodes with different files notice.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_hub::store::{Store, StoreError, StoreOptions, open_store};
use assay_hub::{OpenOptions, Source};
use assay_mechanism::clock::Clock;
use assay_mechanism::contest::{Contest, Rules};
use assay_mechanism::network::NetworkState;
use assay_refine::engine::Engine;
use assay_refine::url_lists::UrlLists;
use assay_types::{Digest, NetUid, ParamSet, Q32, Recipe, RecipeId, Round, WorkUnit, corpus_index_root};
use serde::{Deserialize, Serialize};

use super::archives::Archives;
use super::error::AgentError;
use super::learned::Learned;
use crate::api::TaskApi;

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
    /// Where submissions and reports are published: a folder, `s3://bucket/prefix` or `https://host/prefix`. Not the Hugging Face hub:
    /// what is on the chain by its digest alone cannot be found there.
    pub store: String,
    /// The work, in the order in which it is given out.
    pub corpus: Vec<WorkUnit>,
    /// Active recipes; the first is the anchor.
    pub recipes: Vec<ActiveRecipe>,
    /// How recipes duel for a place among them; without it they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duels: Option<DuelRules>,
}

/// How duels are measured: the same for every validator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuelRules {
    /// Evaluation packs, by the round they hold from, the first from round 0: text is rotated, and what was used is public.
    pub packs: Vec<DuelPack>,
    /// What is trained: `ngram-duel-v1`, `ngram-duel-small` or `cpu-v1`.
    pub profile: String,
}

/// One evaluation pack of the rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuelPack {
    /// Stages that begin with this round or later are measured by it, until the next pack's round.
    pub from: Round,
    /// The file with held-out and pure text, beside the subnet's file or anywhere on this machine; it may be sealed to a pulse of
    /// the chain's beacon, which opens it.
    pub pack: PathBuf,
    /// Digest of the pack, of what is inside if it is sealed: one with another is refused.
    pub digest: Digest,
}

impl DuelRules {
    /// The pack of stages that begin with a round.
    #[must_use]
    pub fn pack(&self, round: Round) -> Option<&DuelPack> {
        self.packs.iter().rev().find(|pack| pack.from <= round)
    }

    /// Whether the rotation is one: it begins with round 0 and goes on.
    fn is_ordered(&self) -> bool {
        let is_from_start = self.packs.first().is_some_and(|pack| pack.from == Round(0));
        is_from_start
            && self
                .packs
                .windows(2)
                .all(|two| matches!(two, [a, b] if a.from < b.from))
    }
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
    learned: Learned,
    duels: Option<DuelRules>,
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
        let mut setup = Self::of(file, options).map_err(|reason| AgentError::invalid(path, reason))?;
        if let (Some(duels), Some(folder)) = (&mut setup.duels, path.parent()) {
            for pack in &mut duels.packs {
                pack.pack = folder.join(&pack.pack);
            }
        }
        Ok(setup)
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
        if file.duels.as_ref().is_some_and(|duels| !duels.is_ordered()) {
            return Err(SetupError::Packs);
        }
        if file.store.starts_with("hf://") {
            return Err(SetupError::Hub(file.store));
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
            learned: Learned::default(),
            duels: file.duels,
        })
    }

    /// How duels are measured; none on a subnet without.
    #[must_use]
    pub fn duels(&self) -> Option<&DuelRules> {
        self.duels.as_ref()
    }

    /// The subnet before its first round.
    #[must_use]
    pub fn first_state(&self) -> NetworkState {
        let contest = self.duels.as_ref().zip(self.anchor());
        NetworkState {
            contest: contest.map(|(duels, anchor)| Contest::new(anchor.id(), self.contest_rules(duels))),
            ..NetworkState::default()
        }
    }

    fn contest_rules(&self, duels: &DuelRules) -> Rules {
        Rules {
            profile: duels.profile.clone(),
            packs: duels.packs.iter().map(|pack| (pack.from, pack.digest)).collect(),
            fixed: self.recipes().map(Recipe::id).collect(),
        }
    }

    /// Keeps the texts of recipes that are learned in a folder, and reads them from there first.
    pub fn keep_learned(&self, folder: &Path) {
        self.learned.keep_in(folder);
    }

    /// The recipes that a submission of `round` may use, the anchor first: those of the file, and those that won a place.
    #[must_use]
    pub fn active(&self, contest: Option<&Contest>, round: Round) -> Vec<RecipeId> {
        let mut active: Vec<RecipeId> = self.recipes().map(Recipe::id).collect();
        for won in contest.map_or_else(Vec::new, |contest| contest.active(round)) {
            if !active.contains(&won) {
                active.push(won);
            }
        }
        active
    }

    /// The gain of an active recipe: its last duel's, else the file's.
    #[must_use]
    pub fn gain(&self, contest: Option<&Contest>, id: &RecipeId) -> Option<Q32> {
        let known = self.recipes.iter().find(|(recipe, _)| recipe.id() == *id);
        let won = contest.and_then(|contest| contest.gain(id));
        won.or(known.map(|(_, gain)| *gain))
    }

    /// The active recipe of the largest gain, the earlier one on a tie.
    #[must_use]
    pub fn best(&self, contest: Option<&Contest>, round: Round) -> Option<RecipeId> {
        let mut best: Option<(RecipeId, Q32)> = None;
        for id in self.active(contest, round) {
            let gain = self.gain(contest, &id).unwrap_or_default();
            if best.is_none_or(|(_, most)| gain > most) {
                best = Some((id, gain));
            }
        }
        best.map(|(id, _)| id)
    }

    /// Reads the texts of recipes that are not the file's from where their authors published them, or from a Task API if they
    /// took them away: the id says whether it is the text. One that cannot be read does not keep the others from being read.
    ///
    /// # Errors
    /// [`AgentError::Store`] if one cannot be read, [`AgentError::Unexpected`] if it is another recipe: the last of them.
    pub async fn learn(
        &self,
        contest: &Contest,
        ids: &[RecipeId],
        api: Option<&TaskApi>,
    ) -> Result<(), AgentError> {
        let mut read = Ok(());
        for id in ids.iter().filter(|id| self.recipe(id).is_none()) {
            let store = self.store.as_ref();
            let found = self.learned.read(store, id, contest.place(id)).await;
            let served = match api.filter(|_| self.recipe(id).is_none()) {
                Some(api) => api.recipe(id).await.ok().flatten(),
                None => None,
            };
            let found = match served {
                Some(recipe) => self.learned.keep(recipe),
                None => found,
            };
            read = found.and(read);
        }
        read
    }

    /// A recipe of the file, or one that was learned.
    #[must_use]
    pub fn recipe(&self, id: &RecipeId) -> Option<Recipe> {
        let known = self.recipes().find(|recipe| recipe.id() == *id).cloned();
        known.or_else(|| self.learned.get(id))
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

    /// Canonical texts of the recipes that are known here among `ids`.
    #[must_use]
    pub fn recipe_texts(&self, ids: &[RecipeId]) -> Vec<String> {
        let known = ids.iter().filter_map(|id| self.recipe(id));
        known.map(|recipe| recipe.to_canonical()).collect()
    }

    /// An engine that runs a recipe of the file, or one that was learned.
    ///
    /// # Errors
    /// [`AgentError::Unexpected`] for a recipe that is not known or cannot run here.
    pub fn engine(&self, id: &RecipeId) -> Result<Engine, AgentError> {
        let unexpected = |reason: String| AgentError::Unexpected {
            what: "recipe",
            reason,
        };
        let recipe = self
            .recipe(id)
            .ok_or_else(|| unexpected(format!("`{id}` is not active")))?;
        Engine::new(recipe, &UrlLists::default()).map_err(|error| unexpected(error.to_string()))
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
    #[error(
        "`duels.packs`: name at least one, the first `from` round 0, each other `from` a later round than the one before"
    )]
    Packs,
    #[error(
        "store `{0}`: reports are found by their digest, and the Hugging Face hub names revisions itself; \
         name a folder, `s3://bucket/prefix` or `https://host/prefix`"
    )]
    Hub(String),
}
