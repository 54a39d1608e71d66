//! `assay evaluate`: reads datasets and evaluation text, lets assay-eval measure, and gives its report.
//!
//! Files are opened here; every number comes from [`assay_eval`]. Datasets are read once, in batches, and not kept.

mod benchmarks;
mod cells;
mod domains;
mod duel;
mod error;
mod files;
mod kept;
mod ore;
mod packs;
mod read;
mod seal;
mod train;

use std::path::{Path, PathBuf};

use assay_eval::arm::{Against, Arm, TrainingDocument};
use assay_eval::contamination::{GramIndex, GramIndexBuilder, MarkedIndex};
use assay_eval::evaluate::{Evaluation, PROFILES};
use assay_eval::gates::Gate;
use assay_eval::held_out::{Domain, HeldOutSet};
use assay_eval::ngram::Order;
use assay_eval::profile::Profile;
use assay_eval::report::Report;
pub use assay_eval::stage2::{CPU_PLAN, SMOKE_PLAN, TrainingPlan};
use assay_refine::language;
use assay_types::{Addressing, Digest};

pub use cells::{CellsJob, DuelProfile, MeasuredArm, MeasuredCells, measure_cells};
pub use duel::{DuelJob, DuelReport, Kept, duel};
pub use error::EvaluateError;
pub(crate) use files::is_text;
pub use ore::Ore;
pub use packs::{IndexSummary, PackSummary, make_index, make_pack, make_pack_of_pages};
pub use seal::{SealedHeader, open_pack_of, open_sealed_pack, sealed_header, write_sealed};
pub use train::{Training, TrainingProgress, Watch};

use benchmarks::read_benchmarks;
use domains::read_domains;
use packs::{open_index, open_pack};
use read::{Given, read};

use super::Dataset;
use super::error::LocalError;

/// One input of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// A file, or a folder of files or of a dataset.
    pub path: PathBuf,
    /// Paths below the folder that are read; none for all of its files with texts.
    pub files: Option<Vec<PathBuf>>,
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self { path, files: None }
    }
}

/// What to evaluate.
#[derive(Debug, Clone, Copy)]
pub struct EvaluateJob<'a> {
    /// Datasets; a verdict compares the first with the last.
    pub datasets: &'a [Input],
    /// What recomputing each dataset from its archives gave, in their order; shorter if nothing was recomputed.
    pub provenance: &'a [Option<Gate>],
    /// Evaluation text, one domain a path.
    pub eval: &'a [Input],
    /// An evaluation pack, instead of `eval`.
    pub pack: Option<&'a Path>,
    /// Text of the same domains that was public before the datasets were made.
    pub public: &'a [Input],
    /// All visible text of the same archives.
    pub ore: Option<Ore<'a>>,
    /// An index of public benchmarks.
    pub index: Option<&'a Path>,
    /// Benchmarks that trained models answer: one set a file of JSON Lines.
    pub benchmarks: &'a [Input],
    /// Declared language, ISO 639-1.
    pub language: &'a str,
    /// Seed of folds, windows and the choice of held-out text.
    pub seed: u64,
    /// How models are trained; none for stages 0 and 1 alone.
    pub training: Option<Training<'a>>,
}

/// Evaluates datasets; `watch` hears of training.
///
/// # Errors
/// [`LocalError`]: an input that cannot be read, holds no text, or evaluation text that cannot be used.
pub fn evaluate(
    job: &EvaluateJob<'_>,
    note: &mut dyn FnMut(&str),
    watch: Watch<'_>,
) -> Result<Report, LocalError> {
    check_language(job.language)?;
    match &job.training {
        Some(training) => training.check()?,
        None if !job.benchmarks.is_empty() => return Err(EvaluateError::Untrained.into()),
        None => {}
    }
    let seed = job.seed.to_le_bytes();
    let EvaluationText { held_out, pure, pack } = evaluation_text(job, &seed)?;
    if held_out.is_none() && !job.benchmarks.is_empty() {
        return Err(EvaluateError::Unscored.into());
    }
    let benchmarks = read_benchmarks(job.benchmarks, note)?;
    let public = match &held_out {
        Some(fresh) if !job.public.is_empty() => Some(read_public(job.public, fresh, &seed)?),
        _ => None,
    };
    let plan = job.training.map_or(CPU_PLAN, |training| training.plan);
    let profiles = plan.profiles();
    let against = Against {
        held_out: held_out.as_ref().map(grams).unwrap_or_default(),
        public: job.index.map(open_index).transpose()?,
        public_text: public.as_ref().map(grams),
        benchmarks: MarkedIndex::of(benchmarks.iter().map(|set| &set.grams)),
        language: job.language.to_owned(),
    };
    let sampling = Sampling {
        profiles: if job.training.is_some() {
            &profiles
        } else {
            &PROFILES
        },
        seed: &seed,
        against: &against,
    };
    let arms = read_arms(job, &sampling, note)?;
    let ore = job.ore.map(|ore| read_ore(ore, &sampling)).transpose()?;
    let pure = (!pure.is_empty()).then(|| {
        let mut arm = Arm::new("pure", sampling.profiles, &seed);
        arm.push(&pure, &against);
        arm
    });
    let evaluation = Evaluation {
        arms,
        ore,
        pure,
        held_out,
        public,
        benchmarks,
        plan,
        against,
        pack,
    };
    let trained = match (job.training, evaluation.stage2(&seed)) {
        (Some(training), Some(stage2)) => {
            note("training models");
            let datasets = job.datasets.len();
            Some(train::train(&stage2, &training, datasets, note, watch)?)
        }
        _ => None,
    };
    note("counting and scoring n-grams");
    let mut report = evaluation.run(trained.as_ref());
    // Without evaluation text nothing is trained; the report says so by itself.
    if job.training.is_some() && trained.is_none() && evaluation.held_out.is_some() {
        flag_untrained(&mut report, &evaluation);
    }
    Ok(report)
}

/// The datasets, each with what recomputing it gave.
fn read_arms(
    job: &EvaluateJob<'_>,
    sampling: &Sampling<'_>,
    note: &mut dyn FnMut(&str),
) -> Result<Vec<Arm>, LocalError> {
    let mut arms = Vec::new();
    let mut provenance = job.provenance.iter().cloned();
    for (input, name) in job.datasets.iter().zip(names(job.datasets)) {
        note(&format!("reading {name}"));
        let mut arm = read_arm(input, name, sampling)?;
        if let Some(gate) = provenance.next().flatten() {
            arm.set_provenance(gate);
        }
        arms.push(arm);
    }
    Ok(arms)
}

/// Says of every dataset that nothing was trained, however large it is: another may be too small.
fn flag_untrained(report: &mut Report, evaluation: &Evaluation) {
    for dataset in &mut report.datasets {
        dataset
            .flags
            .push(format!("small/{}", evaluation.plan.model.name));
        if !evaluation.benchmarks.is_empty() {
            dataset.flags.push("unanswered/benchmarks".to_owned());
        }
    }
}

/// 13-grams of evaluation text.
fn grams(set: &HeldOutSet) -> GramIndex {
    let mut index = GramIndexBuilder::default();
    set.texts().for_each(|text| index.push(text));
    index.finish()
}

/// How datasets are sampled.
#[derive(Clone, Copy)]
struct Sampling<'a> {
    profiles: &'a [Profile],
    seed: &'a [u8],
    against: &'a Against,
}

/// Refuses a language that no document can be told to be in.
fn check_language(code: &str) -> Result<(), LocalError> {
    if language::codes().any(|known| known == code) {
        return Ok(());
    }
    Err(EvaluateError::Language {
        code: code.to_owned(),
    }
    .into())
}

/// Names of datasets: the last part of each path, or the whole path where two would be equal.
fn names(inputs: &[Input]) -> Vec<String> {
    let short = |input: &Input| {
        let name = input.path.file_name().unwrap_or(input.path.as_os_str());
        name.to_string_lossy().into_owned()
    };
    let all: Vec<String> = inputs.iter().map(short).collect();
    let is_alone = |name: &String| all.iter().filter(|other| *other == name).count() == 1;
    let named = inputs.iter().zip(&all).enumerate().map(|(place, (input, name))| {
        let whole = input.path.display().to_string();
        let is_twice = inputs.iter().filter(|other| other.path == input.path).count() > 1;
        match (is_alone(name), is_twice) {
            (true, _) => name.clone(),
            (false, false) => whole,
            // The same path twice is a check of the method.
            (false, true) => format!("{whole} ({})", place + 1),
        }
    });
    named.collect()
}

fn read_arm(input: &Input, name: String, sampling: &Sampling<'_>) -> Result<Arm, LocalError> {
    let path = &input.path;
    let mut arm = Arm::new(name, sampling.profiles, sampling.seed);
    let unreadable = read(input, &mut |batch: Vec<Given>| {
        // A document without an id goes by its text: where it lies decides nothing.
        let document = |given: Given| TrainingDocument {
            id: given.id,
            url: given.url,
            text: given.text,
        };
        let documents: Vec<TrainingDocument> = batch.into_iter().map(document).collect();
        arm.push(&documents, sampling.against);
        if arm.is_over() {
            let path = path.clone();
            Err(EvaluateError::TooLarge { path }.into())
        } else {
            Ok(())
        }
    })?;
    arm.add_unreadable(unreadable);
    if arm.tally().documents == 0 {
        return Err(EvaluateError::Empty {
            path: path.clone(),
            unreadable: arm.tally().unreadable,
        }
        .into());
    }
    if let Some(bytes) = crawl_bytes(path) {
        arm.set_crawl_bytes(bytes);
    }
    Ok(arm)
}

/// Bytes of the archives behind a dataset of ours; none if it is no such dataset, or an archive's stored size is not known.
fn crawl_bytes(path: &Path) -> Option<u64> {
    let dataset = Dataset::open(path).ok()?;
    let units = dataset.manifest.units.iter();
    let of_unit = units.map(|unit| (unit.addressing == Addressing::Member).then_some(unit.warc_len.0));
    of_unit.sum()
}

fn read_ore(ore: Ore<'_>, sampling: &Sampling<'_>) -> Result<Arm, LocalError> {
    match ore {
        Ore::Texts(input) => read_arm(input, "ore".to_owned(), sampling),
        Ore::Archives { sources, open } => {
            let mut arm = Arm::new("ore", sampling.profiles, sampling.seed);
            ore::read_archives(sources, open, &mut arm, sampling.against)?;
            Ok(arm)
        }
    }
}

/// Held-out and pure text of an evaluation.
struct EvaluationText {
    held_out: Option<HeldOutSet>,
    pure: Vec<TrainingDocument>,
    pack: Option<Digest>,
}

/// Held-out text, if any was given, and the pure text of a pack.
fn evaluation_text(job: &EvaluateJob<'_>, seed: &[u8]) -> Result<EvaluationText, LocalError> {
    let (domains, pure, pack): (Vec<Domain>, _, _) = match job.pack {
        Some(path) => {
            let pack = open_pack(path)?;
            (pack.domains, pack.pure, Some(pack.header.digest))
        }
        None => (read_domains(job.eval)?, Vec::new(), None),
    };
    let held_out = if domains.is_empty() {
        None
    } else {
        let held_out = HeldOutSet::choose(domains, seed, Order::V1).map_err(EvaluateError::HeldOut)?;
        Some(held_out)
    };
    Ok(EvaluationText { held_out, pure, pack })
}

/// Public text of the domains that are held out.
fn read_public(inputs: &[Input], fresh: &HeldOutSet, seed: &[u8]) -> Result<HeldOutSet, LocalError> {
    let public =
        HeldOutSet::choose(read_domains(inputs)?, seed, Order::V1).map_err(EvaluateError::HeldOut)?;
    if public.domains() == fresh.domains() {
        return Ok(public);
    }
    let (found, expected) = (public.domains().join(", "), fresh.domains().join(", "));
    Err(EvaluateError::PublicDomains { found, expected }.into())
}
