//! Cells of a duel on the network: any number of recipes, ore and pure text on the same archives, with the same budget.
//!
//! Archives, recipes, an evaluation pack and a seed come in; bits of every seed and domain in 1e-4 bits per byte leave, with
//! what each arm keeps (docs/evaluation.md, "Duels on the network"). Held-out text is chosen by the seed, which nobody knew
//! when the recipes were committed. The same on every machine under an `ngram` profile.

use std::path::{Path, PathBuf};

use assay_eval::arm::{Against, Arm};
use assay_eval::contamination::GramIndexBuilder;
use assay_eval::duel::values;
use assay_eval::held_out::HeldOutSet;
use assay_eval::ngram::Order;
use assay_eval::profile::{NGRAM_DUEL, NGRAM_DUEL_SMALL, Profile};
use assay_eval::sample::Sample;
use assay_eval::stage1::{ArmBits, measure};
use assay_eval::stage2::{CPU_PLAN, Stage2};
use assay_hub::{OpenOptions, Source};
use assay_refine::engine::Engine;
use assay_types::{CELL_VALUE_MAX, Digest, RecipeId, Tokens};
use serde::{Deserialize, Serialize};

use super::super::error::LocalError;
use super::super::refine::Silent;
use super::duel::refine_into;
use super::ore::read_archives;
use super::packs::open_pack;
use super::train::{Training, train_seeds};
use super::{EvaluateError, Input, Sampling, read_arm};

/// Language of the text that recipes are judged by.
const LANGUAGE: &str = "en";

/// Documents below which gates say nothing: they bound shares of a per cent and less.
const GATE_DOCUMENTS_MIN: u64 = 1_000;

/// Place of the one profile that arms sample for.
const PLACE: usize = 0;

/// What is trained on each arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuelProfile {
    /// An n-gram model: seconds, and the same bits everywhere.
    Ngram(Profile),
    /// A small transformer: an hour or more.
    Trained,
}

impl DuelProfile {
    /// The profile of a name; none for one that is not known here.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            _ if name == NGRAM_DUEL.name => Some(Self::Ngram(NGRAM_DUEL)),
            _ if name == NGRAM_DUEL_SMALL.name => Some(Self::Ngram(NGRAM_DUEL_SMALL)),
            _ if name == CPU_PLAN.model.name => Some(Self::Trained),
            _ => None,
        }
    }

    /// What an arm samples for, a fold a seed.
    const fn sample(self, seeds: u32) -> Profile {
        match self {
            Self::Ngram(profile) => Profile {
                folds: seeds,
                ..profile
            },
            Self::Trained => CPU_PLAN.sample,
        }
    }
}

/// What is to be measured.
#[derive(Debug)]
pub struct CellsJob<'a> {
    /// The archives that all recipes refine.
    pub sources: &'a [Source],
    /// How to open them.
    pub open: &'a OpenOptions,
    /// Where what the recipes keep is made.
    pub folder: &'a Path,
    /// The recipes, ready to run, each once: champion and anchor, then who wants to be champion.
    pub recipes: &'a [Engine],
    /// How many of them are no challengers: they must hold enough text, and a challenger that does not has lost.
    pub fixed: usize,
    /// Evaluation pack: held-out and pure text.
    pub pack: &'a Path,
    /// The pack's digest.
    pub digest: Digest,
    /// What is trained.
    pub profile: DuelProfile,
    /// Seeds.
    pub seeds: u32,
    /// Draws held-out text, samples and models.
    pub seed: Digest,
    /// Worker threads of refining.
    pub threads: usize,
}

/// What was measured of one arm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredArm {
    /// The recipe; none for ore and pure text.
    pub recipe: Option<RecipeId>,
    /// Tokens it keeps of the archives.
    pub kept: Tokens,
    /// Gates that its text fails; none are looked at where the archives have fewer than a thousand pages.
    pub failed: Vec<String>,
    /// Bits per byte in 1e-4, by seed and domain.
    pub bits: Vec<Vec<u32>>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredCells {
    /// Names of the held-out domains.
    pub domains: Vec<String>,
    /// An arm a recipe, in their order.
    pub recipes: Vec<MeasuredArm>,
    /// All visible text of the archives.
    pub ore: MeasuredArm,
    /// Text of the evaluation domains.
    pub pure: MeasuredArm,
}

/// Measures all cells of a stage.
///
/// # Errors
/// [`LocalError`]: archives, pack or folder that cannot be used, or an arm that is too small for the profile.
pub fn measure_cells(job: &CellsJob<'_>) -> Result<MeasuredCells, LocalError> {
    let pack = open_pack(job.pack)?;
    if pack.header.digest != job.digest {
        return Err(EvaluateError::OtherPack {
            path: job.pack.to_owned(),
            expected: job.digest,
            found: pack.header.digest,
        }
        .into());
    }
    let seed = job.seed.as_bytes();
    let held_out = HeldOutSet::choose(pack.domains, seed, Order::V1).map_err(EvaluateError::HeldOut)?;
    let mut index = GramIndexBuilder::default();
    held_out.texts().for_each(|text| index.push(text));
    let against = Against::held_out(index.finish(), LANGUAGE);
    let profiles = [job.profile.sample(job.seeds)];
    let sampling = Sampling {
        profiles: &profiles,
        seed,
        against: &against,
    };
    let arms = read_recipes(job, &sampling)?;
    let mut ore = Arm::new("ore", &profiles, seed);
    read_archives(job.sources, job.open, &mut ore, &against)?;
    let mut pure = Arm::new("pure", &profiles, seed);
    pure.push(&pack.pure, &against);
    let is_judged = ore.tally().documents >= GATE_DOCUMENTS_MIN;
    let there: Vec<&Arm> = arms.iter().flatten().chain([&ore, &pure]).collect();
    let mut bits = bits(job, &there, &held_out)?
        .into_iter()
        .map(|bits| values(&bits, &held_out));
    let worthless = vec![vec![CELL_VALUE_MAX; held_out.domains().len()]; job.seeds as usize];
    let mut next = || bits.next().unwrap_or_default();
    let of_recipe = |(engine, arm): (&Engine, &Option<Arm>), bits: Vec<Vec<u32>>| {
        let gates = arm.as_ref().filter(|_| is_judged).map(|arm| arm.gates(&against));
        let failed = gates
            .into_iter()
            .flatten()
            .filter(|(_, gate)| gate.passed == Some(false));
        MeasuredArm {
            recipe: Some(engine.recipe_id()),
            kept: Tokens(arm.as_ref().map_or(0, |arm| arm.tally().tokens)),
            failed: failed.map(|(name, _)| name.to_owned()).collect(),
            bits,
        }
    };
    let mut recipes = Vec::with_capacity(arms.len());
    for (engine, arm) in job.recipes.iter().zip(&arms) {
        let bits = if arm.is_some() { next() } else { worthless.clone() };
        recipes.push(of_recipe((engine, arm), bits));
    }
    // Ore fails gates by its nature, and pure text has none to pass.
    let mut unjudged = |arm: &Arm| MeasuredArm {
        recipe: None,
        kept: Tokens(arm.tally().tokens),
        failed: Vec::new(),
        bits: next(),
    };
    let (ore, pure) = (unjudged(&ore), unjudged(&pure));
    Ok(MeasuredCells {
        domains: held_out.domains().to_vec(),
        recipes,
        ore,
        pure,
    })
}

/// What each recipe keeps; none for a challenger that keeps too little: it has lost, and stops nobody else.
fn read_recipes(job: &CellsJob<'_>, sampling: &Sampling<'_>) -> Result<Vec<Option<Arm>>, LocalError> {
    let profile = job.profile.sample(job.seeds);
    let mut arms = Vec::with_capacity(job.recipes.len());
    for (place, engine) in job.recipes.iter().enumerate() {
        let name = engine.recipe_id().to_string();
        let out = job.folder.join(&name);
        refine_into((job.sources, job.open), engine, (&out, job.threads), &Silent)?;
        let is_fixed = place < job.fixed;
        let arm = match read_arm(&Input::from(out), name, sampling) {
            Err(LocalError::Evaluate(EvaluateError::Empty { .. })) if !is_fixed => None,
            arm => Some(arm?).filter(|arm| is_fixed || fits(&profile, arm)),
        };
        arms.push(arm);
    }
    Ok(arms)
}

/// Whether an arm holds what the profile needs at least.
fn fits(profile: &Profile, arm: &Arm) -> bool {
    profile.budget(arm.smallest_fold(PLACE).0).is_some()
}

/// Bits of every arm at the budget that the smallest of them allows.
fn bits(job: &CellsJob<'_>, arms: &[&Arm], held_out: &HeldOutSet) -> Result<Vec<ArmBits>, LocalError> {
    let profile = job.profile.sample(job.seeds);
    let smallest = arms.iter().map(|arm| arm.smallest_fold(PLACE).0).min();
    let small = EvaluateError::Small {
        tokens: profile.budget_tokens_min,
    };
    let Some(budget) = smallest.and_then(|tokens| profile.budget(tokens)) else {
        return Err(small.into());
    };
    let samples: Vec<&Sample> = arms.iter().filter_map(|arm| arm.sample(PLACE)).collect();
    if matches!(job.profile, DuelProfile::Ngram(_)) {
        return Ok(samples
            .iter()
            .map(|sample| measure(sample, budget, held_out))
            .collect());
    }
    let budget = budget.min(CPU_PLAN.model.tokens);
    let stage2 = Stage2::new(CPU_PLAN.model, held_out, samples, budget, job.seed.as_bytes());
    let models: PathBuf = job.folder.join("models");
    let training = Training {
        seeds: job.seeds as usize,
        keep: Some(&models),
        plan: CPU_PLAN,
        instructions: None,
        cuda: None,
    };
    Ok(train_seeds(&stage2, &training, 0..job.seeds, &mut |_| {}, &|_| {})?.arms)
}
