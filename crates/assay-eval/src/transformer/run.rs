//! One run: a model trained over a stream by its schedule, scored at the last checkpoints, resumable after any step.

use super::checkpoint::Snapshot;
use super::schedule::Schedule;
use super::score::{Passage, document_bits, passage_bits};
use super::shape::Shape;
use super::stream::Stream;
use super::trainer::{TrainError, Trainer};
use crate::ngram::BITS_ONE;
use crate::tokenizer::TokenId;

/// Points of a loss curve.
const CURVE_POINTS: u64 = 64;

/// What a run trains on and is scored on.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    /// The model's shape.
    pub shape: Shape,
    /// Highest learning rate.
    pub rate_max: f64,
    /// Training text.
    pub stream: &'a Stream,
    /// Held-out documents.
    pub documents: &'a [Vec<TokenId>],
    /// Options of benchmarks.
    pub passages: &'a [Passage],
}

/// What a finished run found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Bits of every document in units of 2^−24 bit: the mean over the checkpoints, rounded to the nearest unit.
    pub bits: Vec<u64>,
    /// Mean training loss of equal parts of the run, in bits a token.
    pub curve: Vec<f64>,
    /// Bits of every passage under the last checkpoint, in the same units.
    pub answers: Vec<u64>,
}

/// A run on its way.
#[derive(Debug)]
pub struct Run<'a> {
    course: Course<'a>,
    schedule: Schedule,
    trainer: Box<dyn Trainer>,
    step: u64,
    /// Bits of every document, summed over the checkpoints passed.
    bits: Vec<f64>,
    /// Losses of the steps in natural units, summed in parts of the run.
    curve: Vec<f64>,
    inputs: Vec<TokenId>,
    targets: Vec<TokenId>,
}

impl<'a> Run<'a> {
    /// A run from its first step, with a trainer that has its start values.
    pub fn new(course: Course<'a>, trainer: Box<dyn Trainer>) -> Self {
        let schedule = Schedule {
            steps: course.stream.steps(),
            rate_max: course.rate_max,
        };
        Self {
            bits: vec![0.0; course.documents.len()],
            curve: vec![0.0; CURVE_POINTS.min(schedule.steps) as usize],
            course,
            schedule,
            trainer,
            step: 0,
            inputs: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Goes on from where a snapshot was taken.
    ///
    /// # Errors
    /// [`TrainError`]: the snapshot is of another model or other documents.
    pub fn resume(&mut self, snapshot: Snapshot) -> Result<(), TrainError> {
        let sizes = [
            (snapshot.bits.len(), self.bits.len()),
            (snapshot.curve.len(), self.curve.len()),
        ];
        for (found, expected) in sizes {
            if found != expected {
                return Err(TrainError::Size { found, expected });
            }
        }
        let step = snapshot.trainer.steps;
        self.trainer.restore(snapshot.trainer)?;
        self.step = step;
        self.bits = snapshot.bits;
        self.curve = snapshot.curve;
        Ok(())
    }

    /// Everything needed to go on later.
    ///
    /// # Errors
    /// [`TrainError::Machine`].
    pub fn snapshot(&mut self) -> Result<Snapshot, TrainError> {
        Ok(Snapshot {
            trainer: self.trainer.state()?,
            bits: self.bits.clone(),
            curve: self.curve.clone(),
        })
    }

    /// Steps taken.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Steps in all.
    pub fn steps(&self) -> u64 {
        self.schedule.steps
    }

    /// One step, and scoring if it ends at a checkpoint; false if there was nothing left to do.
    ///
    /// # Errors
    /// [`TrainError::NotFinite`], [`TrainError::Machine`].
    pub fn advance(&mut self) -> Result<bool, TrainError> {
        let has_batch = self
            .course
            .stream
            .batch(self.step, &mut self.inputs, &mut self.targets);
        if self.step >= self.schedule.steps || !has_batch {
            return Ok(false);
        }
        let rate = self.schedule.rate(self.step);
        let loss = self.trainer.step(&self.inputs, &self.targets, rate)?;
        let point = self.step * self.curve.len() as u64 / self.schedule.steps;
        if let Some(sum) = self.curve.get_mut(point as usize) {
            *sum += loss;
        }
        self.step += 1;
        if self.schedule.checkpoints().contains(&self.step) {
            let bits = document_bits(&mut *self.trainer, &self.course.shape, self.course.documents)?;
            for (sum, bits) in self.bits.iter_mut().zip(bits) {
                *sum += bits;
            }
        }
        Ok(true)
    }

    /// The result after the last step. Passages are scored here and not at every checkpoint: they decide nothing, and take long.
    ///
    /// # Errors
    /// [`TrainError::NotFinite`]: a text's bits are no number; [`TrainError::Machine`].
    pub fn finish(mut self) -> Result<Finished, TrainError> {
        let answers = passage_bits(&mut *self.trainer, &self.course.shape, self.course.passages)?;
        let checkpoints = self.schedule.checkpoints().len() as f64;
        let means = self.bits.iter().map(|sum| sum / checkpoints);
        let units = |bits: f64| (bits * BITS_ONE as f64).round();
        let bits: Vec<f64> = means.map(units).collect();
        let answers: Vec<f64> = answers.into_iter().map(units).collect();
        if bits.iter().chain(&answers).any(|bits| !bits.is_finite()) {
            return Err(TrainError::NotFinite { step: self.step });
        }
        let (steps, points) = (self.schedule.steps, self.curve.len() as u64);
        let in_point = |point: u64| {
            let first = |point: u64| (point * steps).div_ceil(points);
            (first(point + 1) - first(point)).max(1)
        };
        let curve = self.curve.iter().zip(0..);
        Ok(Finished {
            bits: bits.iter().map(|bits| *bits as u64).collect(),
            curve: curve
                .map(|(sum, point)| sum / in_point(point) as f64 / std::f64::consts::LN_2)
                .collect(),
            answers: answers.iter().map(|bits| *bits as u64).collect(),
        })
    }
}
