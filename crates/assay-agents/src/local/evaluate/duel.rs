//! `assay duel`: two recipes on the same archives, the same models trained on what each keeps, and the network's decision.
//!
//! Both datasets are made in one folder and taken over if they are there; ore is all visible text of the same archives, pure
//! and held-out text come from an evaluation pack. The decision is [`assay_eval::duel`]'s.

use std::path::{Path, PathBuf};

use assay_eval::arm::{Against, Arm, TrainingDocument};
use assay_eval::contamination::GramIndexBuilder;
use assay_eval::duel::{ARMS, StageReport, cells, decide};
use assay_eval::evaluate::Evaluation;
use assay_eval::held_out::HeldOutSet;
use assay_eval::ngram::Order;
use assay_eval::ore::visible_text;
use assay_eval::stage2::{SEEDS_MIN, Trained};
use assay_hub::{OpenOptions, Source};
use assay_refine::charset;
use assay_refine::engine::Engine;
use assay_refine::html::{ParseLimits, parse};
use assay_refine::http::{decoded_body, parse_response};
use assay_refine::media::{Media, media_type};
use assay_refine::unit::Format;
use assay_refine::warc::{ArchiveReader, ArchiveRecord, ReadLimits, RecordContent, RecordKind};
use assay_types::{Digest, RecipeId, Stage};
use serde::Serialize;

use super::super::error::LocalError;
use super::super::refine::{Progress, RefineJob, refine};
use super::train::{Training, Watch, train_seeds};
use super::{EvaluateError, Sampling, open_pack, read_arm};

/// Seeds of the confirmation, after those of the screen (docs/mechanism.md).
const CONFIRM_SEEDS: u32 = 8;

/// Seeds of the screen.
const SCREEN_SEEDS: u32 = SEEDS_MIN as u32;

/// Pages whose text is held at once.
const PAGES: usize = 256;

/// A duel on this machine.
#[derive(Debug)]
pub struct DuelJob<'a> {
    /// The recipe that reigns, ready to run.
    pub champion: &'a Engine,
    /// The recipe that wants to.
    pub challenger: &'a Engine,
    /// The archives both refine.
    pub sources: &'a [Source],
    /// How to open them.
    pub open: &'a OpenOptions,
    /// Where both datasets are made and kept.
    pub out: &'a Path,
    /// Evaluation pack: held-out and pure text.
    pub pack: &'a Path,
    /// Declared language, ISO 639-1.
    pub language: &'a str,
    /// Seed of samples and models.
    pub seed: u64,
    /// How models are trained; seeds are the duel's own.
    pub training: Training<'a>,
    /// Rounds since the champion's activation: its lead shrinks with them.
    pub age_rounds: u32,
    /// Worker threads of refining.
    pub threads: usize,
}

/// What a recipe kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The recipe.
    pub recipe: RecipeId,
    /// Documents.
    pub documents: u64,
    /// Tokens of stage 1.
    pub tokens: u64,
}

/// The result of a duel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DuelReport {
    /// `champion` or `challenger`; null if the confirmation was inconclusive.
    pub winner: Option<&'static str>,
    /// The champion's yield.
    pub champion: Kept,
    /// The challenger's, from the same archives.
    pub challenger: Kept,
    /// Digest of the held-out text.
    pub evaluation: Digest,
    /// Profile of the models; `smoke` decides nothing.
    pub profile: &'static str,
    /// Tokens every model was trained on.
    pub budget_tokens: u64,
    /// Models trained.
    pub models: u32,
    /// The stages played.
    pub stages: Vec<StageReport>,
}

/// Plays a duel.
///
/// # Errors
/// [`LocalError`]: archives, pack or folder that cannot be used, too little text, ore and pure text too close.
pub fn duel(
    job: &DuelJob<'_>,
    note: &mut dyn FnMut(&str),
    progress: &dyn Progress,
    watch: Watch<'_>,
) -> Result<DuelReport, LocalError> {
    let evaluation = read_arms(job, note, progress)?;
    let held_out = evaluation
        .held_out
        .as_ref()
        .ok_or(EvaluateError::NothingTrained)?;
    let stage2 = evaluation.stage2(&job.seed.to_le_bytes());
    let stage2 = stage2.filter(|stage2| stage2.arms() == ARMS.len());
    let stage2 = stage2.ok_or(EvaluateError::Small {
        tokens: job.training.plan.sample.budget_tokens_min,
    })?;
    let mut stages: Vec<StageReport> = Vec::new();
    let mut budget_tokens = 0;
    let plan = [
        (Stage::Screen, 0..SCREEN_SEEDS),
        (Stage::Confirm, SCREEN_SEEDS..SCREEN_SEEDS + CONFIRM_SEEDS),
    ];
    for (stage, seeds) in plan {
        note(match stage {
            Stage::Screen => "screen: training models",
            Stage::Confirm => "confirmation: training models of new seeds",
        });
        let trained: Trained = train_seeds(&stage2, &job.training, seeds, watch)?;
        budget_tokens = trained.budget_tokens;
        let arms = trained
            .arms
            .try_into()
            .map_err(|_| EvaluateError::NothingTrained)?;
        let report = decide(stage, &cells(&arms, held_out), job.age_rounds).map_err(EvaluateError::Duel)?;
        let is_won = report.is_won();
        stages.push(report);
        if !is_won {
            break;
        }
    }
    let kept = |place: usize, engine: &Engine| Kept {
        recipe: engine.recipe_id(),
        documents: evaluation.arms.get(place).map_or(0, |arm| arm.tally().documents),
        tokens: evaluation.arms.get(place).map_or(0, |arm| arm.tally().tokens),
    };
    let last = stages.last();
    let is_inconclusive = last.is_some_and(|stage| stage.outcome == "inconclusive");
    let [champion, challenger, ..] = ARMS;
    Ok(DuelReport {
        winner: match last {
            Some(stage) if stage.is_won() => Some(challenger),
            _ if is_inconclusive => None,
            _ => Some(champion),
        },
        champion: kept(0, job.champion),
        challenger: kept(1, job.challenger),
        evaluation: held_out.id,
        profile: job.training.plan.model.name,
        budget_tokens,
        models: stages
            .iter()
            .map(|stage| stage.seeds as u32 * ARMS.len() as u32)
            .sum(),
        stages,
    })
}

/// Refines with both recipes and reads what there is to train on.
fn read_arms(
    job: &DuelJob<'_>,
    note: &mut dyn FnMut(&str),
    progress: &dyn Progress,
) -> Result<Evaluation, LocalError> {
    let pack = open_pack(job.pack)?;
    let seed = job.seed.to_le_bytes();
    let held_out = HeldOutSet::choose(pack.domains, &seed, Order::V1).map_err(EvaluateError::HeldOut)?;
    let mut index = GramIndexBuilder::default();
    held_out.texts().for_each(|text| index.push(text));
    let against = Against {
        held_out: index.finish(),
        public: None,
        language: job.language.to_owned(),
    };
    let profiles = job.training.plan.profiles();
    let sampling = Sampling {
        profiles: &profiles,
        seed: &seed,
        against: &against,
    };
    let mut arms = Vec::new();
    for (name, engine) in ARMS.iter().zip([job.champion, job.challenger]) {
        note(&format!("refining with the {name}'s recipe"));
        let out = job.out.join(name);
        refine_into(job, engine, &out, progress)?;
        arms.push(read_arm(&out, (*name).to_owned(), &sampling)?);
    }
    note("reading all visible text");
    let mut ore = Arm::new("ore", sampling.profiles, &seed);
    for source in job.sources {
        read_ore(source, job.open, &mut ore, &against)?;
    }
    let mut pure = Arm::new("pure", sampling.profiles, &seed);
    pure.push(&pack.pure, &against);
    Ok(Evaluation {
        arms,
        ore: Some(ore),
        pure: Some(pure),
        held_out: Some(held_out),
        public: None,
        plan: job.training.plan,
        against,
    })
}

fn refine_into(
    job: &DuelJob<'_>,
    engine: &Engine,
    out: &Path,
    progress: &dyn Progress,
) -> Result<(), LocalError> {
    let run = refine(
        &RefineJob {
            sources: job.sources,
            open: job.open,
            out: PathBuf::from(out),
            engine,
            threads: job.threads,
            limit: None,
            format: Format::Parquet,
            features: false,
            alter: None,
        },
        progress,
    )?;
    // A duel on fewer archives than were named would be another duel.
    match run.failed.into_iter().next() {
        Some(failed) => Err(failed.error),
        None => Ok(()),
    }
}

/// Adds the visible text of every HTML page of an archive.
fn read_ore(source: &Source, open: &OpenOptions, ore: &mut Arm, against: &Against) -> Result<(), LocalError> {
    let limits = ReadLimits::default();
    let archive = |error| LocalError::Archive {
        input: source.name.clone(),
        source: error,
    };
    let reader = ArchiveReader::new(assay_hub::open(source, open)?, limits).map_err(archive)?;
    let mut batch = Vec::new();
    for record in reader {
        let record = record.map_err(LocalError::io(&source.name))?;
        if let Some(text) = text_of(&record, &limits) {
            let id = format!("{}@{}", source.name, record.offset);
            batch.push(TrainingDocument { id, text });
        }
        if batch.len() >= PAGES {
            ore.push(&batch, against);
            batch.clear();
        }
    }
    ore.push(&batch, against);
    Ok(())
}

/// All visible text of a page that was found.
fn text_of(record: &ArchiveRecord, limits: &ReadLimits) -> Option<String> {
    let RecordContent::Record(content) = &record.content else {
        return None;
    };
    if content.kind != RecordKind::Response {
        return None;
    }
    let response = parse_response(&content.block, limits).ok()?;
    let body = decoded_body(&response, limits).ok()?;
    let media = media_type(None, response.content_type(), &body);
    if response.status != 200 || !matches!(media, Media::Html | Media::Xhtml) {
        return None;
    }
    let html = charset::decode(&body, response.content_type(), None).text;
    let page = parse(&html, &ParseLimits::default()).ok()?;
    Some(visible_text(&page)).filter(|text| !text.is_empty())
}
