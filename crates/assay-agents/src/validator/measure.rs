//! Measuring the cells of a duel's stage: the drawn archives refined with every recipe, models trained, bits read.
//!
//! A job comes in as JSON, [`MeasuredCells`] go out. Runs inside `assay worker measure`, so that neither memory nor time of
//! it is the validator's own. Deterministic under an `ngram` profile.

use std::path::PathBuf;

use assay_hub::{OpenOptions, Source};
use assay_refine::engine::Engine;
use assay_refine::url_lists::UrlLists;
use assay_types::{Digest, Recipe, WorkUnit};
use serde::{Deserialize, Serialize};

use super::audit::AuditError;
use crate::local::{CellsJob, DuelProfile, MeasuredCells, measure_cells};
use crate::subnet::{AgentError, Archives};

/// What is to be measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasureJob {
    /// Where what the recipes keep is made.
    pub folder: PathBuf,
    /// Where the archives are.
    pub archives: Archives,
    /// How they are read; without secrets, which the worker does not get.
    #[serde(default)]
    pub open: OpenOptions,
    /// The drawn archives, in the order of the draw.
    pub units: Vec<WorkUnit>,
    /// Canonical texts of the recipes, each once: champion and anchor, then the challengers.
    pub recipes: Vec<String>,
    /// How many of them are no challengers.
    pub fixed: usize,
    /// What is trained.
    pub profile: String,
    /// Evaluation pack, open.
    pub pack: PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// Seeds.
    pub seeds: u32,
    /// Draws held-out text, samples and models.
    pub seed: Digest,
}

/// Measures all cells of a stage.
///
/// # Errors
/// [`AuditError`]: an archive, the pack or a recipe that cannot be used here, or too little text.
pub fn measure(job: &MeasureJob) -> Result<MeasuredCells, AuditError> {
    let bad = |reason: String| AuditError::Job(reason);
    let profile = DuelProfile::named(&job.profile)
        .ok_or_else(|| bad(format!("no profile `{}` is known here", job.profile)))?;
    let source = |unit| job.archives.source(unit);
    let sources: Result<Vec<Source>, AgentError> = job.units.iter().map(source).collect();
    let sources = sources.map_err(|error| bad(error.to_string()))?;
    let engine = |text: &String| {
        let recipe = Recipe::parse(text).map_err(|error| bad(error.to_string()))?;
        Engine::new(recipe, &UrlLists::default()).map_err(|error| bad(error.to_string()))
    };
    let recipes = job.recipes.iter().map(engine).collect::<Result<Vec<_>, _>>()?;
    Ok(measure_cells(&CellsJob {
        sources: &sources,
        open: &job.open,
        folder: &job.folder,
        recipes: &recipes,
        fixed: job.fixed,
        pack: &job.pack,
        digest: job.digest,
        profile,
        seeds: job.seeds,
        seed: job.seed,
        threads: 1,
    })?)
}
