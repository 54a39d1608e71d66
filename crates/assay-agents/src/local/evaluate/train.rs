//! Trains the models of stage 2 on all processors, and goes on where a killed evaluation stopped.
//!
//! Finished cells and half-trained models lie in a folder under the digest of everything they depend on, so an entry can be
//! reused by any evaluation and never by a wrong one. What is computed is [`assay_eval::stage2`]'s business.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use assay_eval::stage2::{Cell, Look, Stage2, Trained, TrainingPlan, looks};
use assay_eval::transformer::checkpoint::{load_snapshot, save_snapshot};
use assay_eval::transformer::run::Finished;
use assay_eval::transformer::{Compute, Level, SHARDS, TrainError};
use fs_err as fs;

use super::EvaluateError;
use super::kept::{Found, read_bounded, read_finished, remove_snapshot, snapshot_path, write_finished};
use crate::local::LocalError;
use crate::local::output::write_atomically;

/// Steps between two copies of a model that is being trained.
const SNAPSHOT_STEPS: u64 = 128;

/// How models are trained.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    /// Models of each dataset at most: 4, 6 or 8.
    pub seeds: usize,
    /// Where finished and half-trained models are kept.
    pub keep: Option<&'a Path>,
    /// The model and how its text is sampled.
    pub plan: TrainingPlan,
    /// Vector instructions by name; the best of this machine if none.
    pub instructions: Option<&'a str>,
    /// The number of an NVIDIA graphics processor to train on instead of this machine's own.
    pub cuda: Option<usize>,
}

impl Training<'_> {
    /// Whether what was asked for can be trained on: asked before anything is read.
    ///
    /// # Errors
    /// [`EvaluateError::Instructions`], [`EvaluateError::Device`].
    pub(super) fn check(&self) -> Result<(), LocalError> {
        compute_of(self).map(drop)
    }
}

/// How far training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainingProgress {
    /// Steps taken.
    pub steps: u64,
    /// Steps of all models of this look.
    pub steps_all: u64,
    /// Models finished.
    pub models: usize,
    /// Models of this look.
    pub models_all: usize,
}

/// Is told how far training is.
pub type Watch<'a> = &'a (dyn Fn(TrainingProgress) + Sync);

/// Trains look after look until the first of `datasets` differs from the last, or all seeds are used.
pub(super) fn train(
    stage2: &Stage2<'_>,
    job: &Training<'_>,
    datasets: usize,
    note: &mut dyn FnMut(&str),
    watch: Watch<'_>,
) -> Result<Trained, LocalError> {
    let on = compute_of(job)?;
    let mut found = BTreeMap::new();
    let mut last = None;
    for look in looks(job.seeds) {
        let seeds = 0..look.seeds as u32;
        let cells = seeds.flat_map(|seed| (0..stage2.arms()).map(move |arm| Cell { arm, seed }));
        let cells: Vec<Cell> = cells.filter(|cell| !found.contains_key(cell)).collect();
        found.extend(train_cells(stage2, (job, &on), &cells, note, watch)?);
        let trained = stage2.gather(&found, 0..look.seeds as u32, &look, &on);
        let difference = trained
            .as_ref()
            .filter(|_| datasets > 1)
            .and_then(|trained| stage2.difference(trained, 0, datasets - 1));
        last = trained.or(last);
        if difference.is_some_and(|difference| difference.is_decided()) {
            break;
        }
    }
    last.ok_or_else(|| EvaluateError::NothingTrained.into())
}

/// Trains some seeds of all arms.
pub(super) fn train_seeds(
    stage2: &Stage2<'_>,
    job: &Training<'_>,
    seeds: Range<u32>,
    note: &mut dyn FnMut(&str),
    watch: Watch<'_>,
) -> Result<Trained, LocalError> {
    let of_seed = |seed| (0..stage2.arms()).map(move |arm| Cell { arm, seed });
    let cells: Vec<Cell> = seeds.clone().flat_map(of_seed).collect();
    let on = compute_of(job)?;
    let found = train_cells(stage2, (job, &on), &cells, note, watch)?;
    let look = Look {
        number: 1,
        seeds: seeds.len(),
        quantile: 0.0,
    };
    let trained = stage2.gather(&found, seeds, &look, &on);
    trained.ok_or_else(|| EvaluateError::NothingTrained.into())
}

/// What was asked for, else the best instructions of this machine's processor.
fn compute_of(job: &Training<'_>) -> Result<Compute, LocalError> {
    if let Some(ordinal) = job.cuda {
        return Ok(Compute::cuda(ordinal).map_err(EvaluateError::Device)?);
    }
    let Some(name) = job.instructions else {
        return Ok(Level::best().into());
    };
    let unknown = || EvaluateError::Instructions {
        name: name.to_owned(),
        has: Level::all()
            .iter()
            .map(|level| level.name())
            .collect::<Vec<_>>()
            .join(", "),
    };
    Ok(Level::named(name).ok_or_else(unknown)?.into())
}

fn train_cells(
    stage2: &Stage2<'_>,
    (job, on): (&Training<'_>, &Compute),
    cells: &[Cell],
    note: &mut dyn FnMut(&str),
    watch: Watch<'_>,
) -> Result<BTreeMap<Cell, Finished>, LocalError> {
    if let Some(folder) = job.keep {
        fs::create_dir_all(folder).map_err(LocalError::io(folder))?;
    }
    let round = Round {
        stage2,
        keep: job.keep,
        on,
        watch,
        models: AtomicUsize::new(0),
        steps: AtomicU64::new(0),
        damaged: Mutex::new(Vec::new()),
        cells,
    };
    let found = round.train()?;
    let mut damaged = round.damaged.into_inner().unwrap_or_else(PoisonError::into_inner);
    damaged.sort();
    for path in damaged {
        note(&format!(
            "the kept model `{}` was damaged or of another version: it was trained again",
            path.display()
        ));
    }
    Ok(found)
}

/// Some cells on their way.
struct Round<'a> {
    stage2: &'a Stage2<'a>,
    keep: Option<&'a Path>,
    on: &'a Compute,
    watch: Watch<'a>,
    models: AtomicUsize,
    steps: AtomicU64,
    /// Kept models that could not be used.
    damaged: Mutex<Vec<PathBuf>>,
    cells: &'a [Cell],
}

impl Round<'_> {
    /// Trains all cells, several at once.
    fn train(&self) -> Result<BTreeMap<Cell, Finished>, LocalError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // cuBLAS promises the same bits to one stream of a device alone.
        let most = if self.on.is_processor() { cores } else { 1 };
        let workers = most.min(self.cells.len()).max(1);
        let threads = (cores / workers).clamp(1, SHARDS);
        let next = AtomicUsize::new(0);
        let is_failed = AtomicBool::new(false);
        let results = Mutex::new(Vec::new());
        let work = || {
            while let Some(cell) = self.cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                if is_failed.load(Ordering::Relaxed) {
                    return;
                }
                let result = self.train_cell(*cell, threads);
                is_failed.fetch_or(result.is_err(), Ordering::Relaxed);
                let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                results.push(result.map(|finished| (*cell, finished)));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.into_iter().collect()
    }

    fn train_cell(&self, cell: Cell, threads: usize) -> Result<Finished, LocalError> {
        let diverged = |source| match source {
            TrainError::Machine(source) => EvaluateError::Device(source),
            source => EvaluateError::Train {
                arm: cell.arm,
                seed: cell.seed,
                source,
            },
        };
        let prepared = self.stage2.prepare(cell, self.on);
        let sizes = (self.stage2.documents(), self.stage2.passages_of(cell).len());
        if let Some(folder) = self.keep {
            match read_finished(folder, &prepared.key, sizes) {
                Found::Whole(finished) => {
                    // Left where the call was killed between the model's end and this.
                    remove_snapshot(folder, &prepared.key)?;
                    self.tell(prepared.steps(), prepared.steps(), 1);
                    return Ok(finished);
                }
                Found::Damaged(path) => {
                    let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
                    damaged.push(path);
                }
                Found::Nothing => {}
            }
        }
        let mut run = prepared.run(self.on, threads).map_err(diverged)?;
        let snapshot = self
            .keep
            .and_then(|folder| read_bounded(&snapshot_path(folder, &prepared.key)))
            .and_then(|bytes| load_snapshot(&self.stage2.profile().shape, &bytes).ok());
        if let Some(snapshot) = snapshot {
            // A snapshot that does not fit was made by another version: the run starts anew.
            let _ = run.resume(snapshot);
        }
        self.tell(run.step(), run.steps(), 0);
        while run.advance().map_err(diverged)? {
            self.tell(1, run.steps(), 0);
            if let Some(folder) = self.keep.filter(|_| run.step().is_multiple_of(SNAPSHOT_STEPS)) {
                let snapshot = run.snapshot().map_err(diverged)?;
                let bytes = save_snapshot(&self.stage2.profile().shape, &snapshot)
                    .map_err(EvaluateError::Snapshot)?;
                write_atomically(&snapshot_path(folder, &prepared.key), &bytes)?;
            }
        }
        let finished = run.finish().map_err(diverged)?;
        if let Some(folder) = self.keep {
            write_finished(folder, &prepared.key, &finished)?;
            remove_snapshot(folder, &prepared.key)?;
        }
        self.tell(0, prepared.steps(), 1);
        Ok(finished)
    }

    fn tell(&self, steps: u64, steps_of_model: u64, models: usize) {
        (self.watch)(TrainingProgress {
            steps: self.steps.fetch_add(steps, Ordering::Relaxed) + steps,
            steps_all: steps_of_model * self.cells.len() as u64,
            models: self.models.fetch_add(models, Ordering::Relaxed) + models,
            models_all: self.cells.len(),
        });
    }
}

#[cfg(test)]
mod tests;
