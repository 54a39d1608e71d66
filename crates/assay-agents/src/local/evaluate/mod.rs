//! `assay evaluate`: reads datasets and evaluation text, lets assay-eval measure, and gives its report.
//!
//! Files are opened here; every number comes from [`assay_eval`]. Datasets are read once, in batches, and not kept.

mod duel;
mod error;
mod files;
mod read;
mod train;

use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use assay_eval::arm::{Against, Arm, TrainingDocument};
use assay_eval::contamination::{GramIndex, GramIndexBuilder};
use assay_eval::evaluate::{Evaluation, PROFILES};
use assay_eval::held_out::{Domain, HeldOutDocument, HeldOutSet};
use assay_eval::ngram::Order;
use assay_eval::pack::{Pack, PackBuilder, PackHeader};
use assay_eval::profile::Profile;
use assay_eval::report::Report;
pub use assay_eval::stage2::{CPU_PLAN, SMOKE_PLAN, TrainingPlan};
use assay_refine::filter::registered_domain::SuffixList;
use fs_err as fs;
use serde::Serialize;

pub use duel::{DuelJob, DuelReport, Kept, duel};
pub use error::EvaluateError;
use read::{Given, read};
pub use train::{Training, TrainingProgress, Watch};

use super::error::LocalError;
use super::output::write_atomically;

/// What to evaluate.
#[derive(Debug, Clone, Copy)]
pub struct EvaluateJob<'a> {
    /// Datasets; a verdict compares the first with the last.
    pub datasets: &'a [PathBuf],
    /// Evaluation text, one domain a path.
    pub eval: &'a [PathBuf],
    /// An evaluation pack, instead of `eval`.
    pub pack: Option<&'a Path>,
    /// Text of the same domains that was public before the datasets were made.
    pub public: &'a [PathBuf],
    /// All visible text of the same archives.
    pub ore: Option<&'a Path>,
    /// An index of public benchmarks.
    pub index: Option<&'a Path>,
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
    let seed = job.seed.to_le_bytes();
    let (held_out, pure) = evaluation_text(job, &seed)?;
    let public = match &held_out {
        Some(fresh) if !job.public.is_empty() => Some(read_public(job.public, fresh, &seed)?),
        _ => None,
    };
    let plan = job.training.map_or(CPU_PLAN, |training| training.plan);
    let profiles = plan.profiles();
    let mut index = GramIndexBuilder::default();
    held_out
        .iter()
        .flat_map(HeldOutSet::texts)
        .for_each(|text| index.push(text));
    let against = Against {
        held_out: index.finish(),
        public: job.index.map(open_index).transpose()?,
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
    let mut arms = Vec::new();
    for (path, name) in job.datasets.iter().zip(names(job.datasets)) {
        note(&format!("reading {name}"));
        arms.push(read_arm(path, name, &sampling)?);
    }
    let ore = job
        .ore
        .map(|path| read_arm(path, "ore".to_owned(), &sampling))
        .transpose()?;
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
        plan,
        against,
    };
    let trained = match (job.training, evaluation.stage2(&seed)) {
        (Some(training), Some(stage2)) => {
            note("training models");
            Some(train::train(&stage2, &training, job.datasets.len(), watch)?)
        }
        _ => None,
    };
    note("counting and scoring n-grams");
    let mut report = evaluation.run(trained.as_ref());
    if job.training.is_some() && trained.is_none() {
        for dataset in &mut report.datasets {
            dataset.flags.push(format!("small/{}", plan.model.name));
        }
    }
    Ok(report)
}

/// How datasets are sampled.
#[derive(Clone, Copy)]
struct Sampling<'a> {
    profiles: &'a [Profile],
    seed: &'a [u8],
    against: &'a Against,
}

/// Names of datasets: the last part of each path, or the whole path where two would be equal.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let short = |path: &PathBuf| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        name.to_string_lossy().into_owned()
    };
    let all: Vec<String> = paths.iter().map(short).collect();
    let is_alone = |name: &String| all.iter().filter(|other| *other == name).count() == 1;
    let named = paths.iter().zip(&all).enumerate().map(|(place, (path, name))| {
        let whole = path.display().to_string();
        let is_twice = paths.iter().filter(|other| *other == path).count() > 1;
        match (is_alone(name), is_twice) {
            (true, _) => name.clone(),
            (false, false) => whole,
            // The same path twice is a check of the method.
            (false, true) => format!("{whole} ({})", place + 1),
        }
    });
    named.collect()
}

fn read_arm(path: &Path, name: String, sampling: &Sampling<'_>) -> Result<Arm, LocalError> {
    let mut arm = Arm::new(name, sampling.profiles, sampling.seed);
    let unreadable = read(path, &mut |batch: Vec<Given>| {
        let documents: Vec<TrainingDocument> = batch
            .into_iter()
            .map(|given| TrainingDocument {
                id: given.id,
                text: given.text,
            })
            .collect();
        arm.push(&documents, sampling.against);
        if arm.is_full() {
            Err(EvaluateError::TooLarge {
                path: path.to_owned(),
            }
            .into())
        } else {
            Ok(())
        }
    })?;
    arm.add_unreadable(unreadable);
    if arm.tally().documents == 0 {
        return Err(EvaluateError::Empty {
            path: path.to_owned(),
            unreadable,
        }
        .into());
    }
    Ok(arm)
}

/// The work or site a document belongs to: the registered domain of its address, else its id before `#`, else its id.
fn cluster_of(given: &Given, suffixes: &SuffixList) -> String {
    let site = suffixes.extract(&given.url).registered_domain;
    if !site.is_empty() {
        return site;
    }
    given.id.split('#').next().unwrap_or(&given.id).to_owned()
}

/// Documents of every path; each path is one domain, named after it.
fn for_each_domain(paths: &[PathBuf], mut each: impl FnMut(&str, HeldOutDocument)) -> Result<(), LocalError> {
    let suffixes = SuffixList::pinned();
    for (path, name) in paths.iter().zip(names(paths)) {
        let name = name.split('.').next().unwrap_or(&name);
        let mut count = 0_u64;
        let unreadable = read(path, &mut |batch: Vec<Given>| {
            for given in batch {
                let cluster = cluster_of(&given, &suffixes);
                each(
                    name,
                    HeldOutDocument {
                        id: given.id,
                        cluster,
                        text: given.text,
                    },
                );
                count += 1;
            }
            Ok(())
        })?;
        if count == 0 {
            return Err(EvaluateError::Empty {
                path: path.clone(),
                unreadable,
            }
            .into());
        }
    }
    Ok(())
}

fn read_domains(paths: &[PathBuf]) -> Result<Vec<Domain>, LocalError> {
    let mut domains: Vec<Domain> = Vec::new();
    for_each_domain(paths, |name, document| match domains.last_mut() {
        Some(last) if last.name == name => last.documents.push(document),
        _ => domains.push(Domain {
            name: name.to_owned(),
            documents: vec![document],
        }),
    })?;
    Ok(domains)
}

/// Held-out text, if any was given, and the pure text of a pack.
fn evaluation_text(
    job: &EvaluateJob<'_>,
    seed: &[u8],
) -> Result<(Option<HeldOutSet>, Vec<TrainingDocument>), LocalError> {
    let (domains, pure) = match job.pack {
        Some(path) => {
            let pack = open_pack(path)?;
            (pack.domains, pack.pure)
        }
        None => (read_domains(job.eval)?, Vec::new()),
    };
    let held_out = if domains.is_empty() {
        None
    } else {
        let held_out = HeldOutSet::choose(domains, seed, Order::V1).map_err(EvaluateError::HeldOut)?;
        Some(held_out)
    };
    Ok((held_out, pure))
}

/// Public text of the domains that are held out.
fn read_public(paths: &[PathBuf], fresh: &HeldOutSet, seed: &[u8]) -> Result<HeldOutSet, LocalError> {
    let public = HeldOutSet::choose(read_domains(paths)?, seed, Order::V1).map_err(EvaluateError::HeldOut)?;
    if public.domains() == fresh.domains() {
        return Ok(public);
    }
    let (found, expected) = (public.domains().join(", "), fresh.domains().join(", "));
    Err(EvaluateError::PublicDomains { found, expected }.into())
}

fn open_pack(path: &Path) -> Result<Pack, LocalError> {
    let file = fs::File::open(path).map_err(LocalError::io(path))?;
    Pack::read(BufReader::new(file)).map_err(|source| {
        EvaluateError::Pack {
            path: path.to_owned(),
            source,
        }
        .into()
    })
}

fn open_index(path: &Path) -> Result<GramIndex, LocalError> {
    let file = fs::File::open(path).map_err(LocalError::io(path))?;
    GramIndex::read(BufReader::new(file)).map_err(|source| {
        EvaluateError::Index {
            path: path.to_owned(),
            source,
        }
        .into()
    })
}

/// Writes an evaluation pack of folders or files, one domain each.
///
/// # Errors
/// [`LocalError`]: unreadable input, too few works, an output that cannot be written.
pub fn make_pack(input: &[PathBuf], out: &Path) -> Result<PackHeader, LocalError> {
    let mut builder = PackBuilder::default();
    for_each_domain(input, |name, document| builder.push(name, document))?;
    let mut bytes = Vec::new();
    let header = builder.write(&mut bytes).map_err(|source| EvaluateError::Pack {
        path: out.to_owned(),
        source,
    })?;
    write_atomically(out, &bytes)?;
    Ok(header)
}

/// What an index holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexSummary {
    /// Texts read.
    pub texts: u64,
    /// Distinct hashes.
    pub grams: u64,
    /// What pins the index.
    pub digest: assay_types::Digest,
}

/// Writes an index of 13-grams of texts and benchmark items.
///
/// # Errors
/// [`LocalError`]: unreadable input, or an output that cannot be written.
pub fn make_index(input: &[PathBuf], out: &Path) -> Result<IndexSummary, LocalError> {
    let mut builder = GramIndexBuilder::default();
    let mut texts = 0;
    for path in input {
        let before = texts;
        let unreadable = read::read_items(path, &mut |batch: Vec<Given>| {
            texts += batch.len() as u64;
            for given in &batch {
                builder.push(&given.text);
            }
            Ok(())
        })?;
        if texts == before {
            return Err(EvaluateError::Empty {
                path: path.clone(),
                unreadable,
            }
            .into());
        }
    }
    let index = builder.finish();
    let mut bytes = BufWriter::new(Vec::new());
    let write = index.write(&mut bytes).and_then(|()| bytes.flush());
    write.map_err(LocalError::io(out))?;
    write_atomically(out, bytes.get_ref())?;
    Ok(IndexSummary {
        texts,
        grams: index.len() as u64,
        digest: index.digest(),
    })
}
