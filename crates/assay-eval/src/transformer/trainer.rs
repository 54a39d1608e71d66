//! The trainer: one step on a batch, losses of given sequences, and everything that must be saved to go on later.
//!
//! [`CpuTrainer`] cuts a batch into [`SHARDS`] parts whose gradients are added in order, whatever the number of threads.

use std::fmt::Debug;

use rayon::prelude::*;
use thiserror::Error;

use super::adamw::{AdamW, BLOCK};
use super::cpu::Cpu;
use super::engine::Tokens;
use super::gpu::machine::MachineError;
use super::level::Level;
use super::model::Workspace;
use super::real::Real;
use super::shape::Shape;
use crate::tokenizer::TokenId;

/// Parts of a batch with a gradient each: as many threads can share a step, and no number of threads changes a bit.
pub const SHARDS: usize = 4;

/// Why training stopped.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TrainError {
    /// Heads do not fit the width, a part is empty, or a batch has fewer sequences than shards.
    #[error(
        "shape `{0:?}` cannot be trained: heads must divide the width into even parts and {SHARDS} shards the batch"
    )]
    Shape(Shape),
    /// A loss or gradient is no number.
    #[error("training diverged: the loss of step `{step}` is not finite")]
    NotFinite {
        /// Steps before it.
        step: u64,
    },
    /// A saved state is of another model.
    #[error("the saved state holds `{found}` values, the model has `{expected}`")]
    Size {
        /// Of the state.
        found: usize,
        /// Of the model.
        expected: usize,
    },
    /// A graphics processor, its driver or its memory failed.
    #[error(transparent)]
    Machine(#[from] MachineError),
}

/// Everything a run needs to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerState {
    /// Parameters.
    pub values: Vec<f32>,
    /// First moments.
    pub first: Vec<f32>,
    /// Second moments.
    pub second: Vec<f32>,
    /// Steps taken.
    pub steps: u64,
}

/// Whether start values are those of a shape that can be trained.
pub(crate) fn check(shape: &Shape, values: &[f32]) -> Result<(), TrainError> {
    if !shape.is_whole() {
        return Err(TrainError::Shape(*shape));
    }
    if values.len() != shape.parameters() {
        return Err(TrainError::Size {
            found: values.len(),
            expected: shape.parameters(),
        });
    }
    Ok(())
}

/// A step's loss, if it and the gradient's norm are numbers.
pub(crate) fn finite(step: u64, loss: f64, norm: f64) -> Result<f64, TrainError> {
    if loss.is_finite() && norm.is_finite() {
        Ok(loss)
    } else {
        Err(TrainError::NotFinite { step })
    }
}

impl TrainerState {
    /// Whether it is of a model of so many parameters.
    pub(crate) fn is_of(&self, parameters: usize) -> Result<(), TrainError> {
        for values in [&self.values, &self.first, &self.second] {
            if values.len() != parameters {
                return Err(TrainError::Size {
                    found: values.len(),
                    expected: parameters,
                });
            }
        }
        Ok(())
    }
}

/// Something that trains one model.
pub trait Trainer: Debug {
    /// One step on `[batch, context]` ids at a learning rate; gives the mean loss in natural units before it.
    ///
    /// # Errors
    /// [`TrainError::NotFinite`], [`TrainError::Machine`].
    fn step(&mut self, inputs: &[TokenId], targets: &[TokenId], rate: f64) -> Result<f64, TrainError>;

    /// Writes the loss of every id of sequences of `length` ids, in natural units.
    ///
    /// # Errors
    /// [`TrainError::Machine`].
    fn losses(
        &mut self,
        inputs: &[TokenId],
        targets: &[TokenId],
        length: usize,
        to: &mut Vec<f32>,
    ) -> Result<(), TrainError>;

    /// The state after the last step.
    ///
    /// # Errors
    /// [`TrainError::Machine`].
    fn state(&mut self) -> Result<TrainerState, TrainError>;

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`TrainError::Size`]: it is of another model; [`TrainError::Machine`].
    fn restore(&mut self, state: TrainerState) -> Result<(), TrainError>;
}

/// Trains on the processor.
#[derive(Debug)]
pub struct CpuTrainer<T: Real> {
    shape: Shape,
    level: Level,
    values: Vec<T>,
    optimiser: AdamW<T>,
    /// The sum of all shards, and one for each that is computed at the same time.
    gradients: Vec<Vec<T>>,
    /// One a thread.
    workspaces: Vec<Workspace<Cpu<T>>>,
}

/// A thread's memory, and the gradient of the shard it computes.
type OfThread<'a, T> = (&'a mut Workspace<Cpu<T>>, &'a mut Vec<T>);

impl<T: Real> CpuTrainer<T> {
    /// A model of given start values that `threads` threads work on; more than [`SHARDS`] bring nothing.
    ///
    /// # Errors
    /// [`TrainError`]: a shape that cannot be trained, or values of another size.
    pub fn new(shape: Shape, values: &[f32], level: Level, threads: usize) -> Result<Self, TrainError> {
        if !shape.batch.is_multiple_of(SHARDS) {
            return Err(TrainError::Shape(shape));
        }
        check(&shape, values)?;
        let threads = threads.clamp(1, SHARDS);
        Ok(Self {
            shape,
            level,
            values: values.iter().map(|value| T::of(f64::from(*value))).collect(),
            optimiser: AdamW::new(&shape),
            gradients: vec![vec![T::ZERO; values.len()]; SHARDS.min(threads + 1)],
            workspaces: (0..threads)
                .map(|_| Workspace::new(shape, Cpu::new(&shape, level)))
                .collect(),
        })
    }

    /// The parameters.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The gradient of the mean loss; gives the mean loss.
    ///
    /// As many shards at once as there are threads; each is added to the first in the order of their numbers.
    pub fn gradient(&mut self, inputs: &[TokenId], targets: &[TokenId]) -> f64 {
        let part = inputs.len() / SHARDS;
        let weight = 1.0 / inputs.len() as f64;
        let (values, length) = (&self.values, self.shape.context);
        let shard = |(at, (workspace, gradient)): (usize, OfThread<'_, T>)| {
            gradient.fill(T::ZERO);
            let tokens = Tokens {
                inputs: &inputs[at * part..][..part],
                targets: &targets[at * part..][..part],
                length,
            };
            let losses = workspace.gradient(values, tokens, weight, gradient);
            losses.iter().fold(0.0, |sum, loss| sum + loss.wide())
        };
        let mut loss = 0.0;
        let mut done = 0;
        while done < SHARDS {
            let count = self.workspaces.len().min(SHARDS - done);
            // The first of all is the sum.
            let free = &mut self.gradients[usize::from(done > 0)..][..count];
            let losses: Vec<f64> = if let [gradient] = free {
                let workspaces = self.workspaces.iter_mut().take(count);
                let one = workspaces.map(|workspace| shard((done, (workspace, &mut *gradient))));
                one.collect()
            } else {
                let all = self
                    .workspaces
                    .par_iter_mut()
                    .zip(free.par_iter_mut())
                    .enumerate();
                all.map(|(at, both)| shard((done + at, both))).collect()
            };
            loss = losses.iter().fold(loss, |sum, loss| sum + loss);
            let filled = usize::from(done > 0) + count;
            if let Some((total, others)) = self.gradients[..filled].split_first_mut() {
                add(self.level, total, others);
            }
            done += count;
        }
        loss / inputs.len() as f64
    }

    /// The gradient after [`CpuTrainer::gradient`].
    pub fn summed_gradient(&self) -> &[T] {
        self.gradients.first().map_or(&[], Vec::as_slice)
    }
}

/// Adds gradients to the first, one after the other.
fn add<T: Real>(level: Level, total: &mut [T], others: &[Vec<T>]) {
    total.par_chunks_mut(BLOCK).enumerate().for_each(|(at, total)| {
        level.loops(
            #[inline(always)]
            || {
                for other in others {
                    let other = &other[at * BLOCK..][..total.len()];
                    for (total, other) in total.iter_mut().zip(other) {
                        *total += *other;
                    }
                }
            },
        );
    });
}

impl<T: Real> Trainer for CpuTrainer<T> {
    fn step(&mut self, inputs: &[TokenId], targets: &[TokenId], rate: f64) -> Result<f64, TrainError> {
        let loss = self.gradient(inputs, targets);
        let step = self.optimiser.steps();
        let gradient = self.gradients.first().map_or(&[][..], Vec::as_slice);
        let norm = self.optimiser.step(self.level, &mut self.values, gradient, rate);
        finite(step, loss, norm)
    }

    fn losses(
        &mut self,
        inputs: &[TokenId],
        targets: &[TokenId],
        length: usize,
        to: &mut Vec<f32>,
    ) -> Result<(), TrainError> {
        let tokens = Tokens {
            inputs,
            targets,
            length,
        };
        to.clear();
        if let Some(workspace) = self.workspaces.first_mut() {
            to.extend(
                workspace
                    .losses(&self.values, tokens)
                    .iter()
                    .map(|loss| loss.wide() as f32),
            );
        }
        Ok(())
    }

    fn state(&mut self) -> Result<TrainerState, TrainError> {
        let narrow = |values: &[T]| values.iter().map(|value| value.wide() as f32).collect();
        let (first, second) = self.optimiser.moments();
        Ok(TrainerState {
            values: narrow(&self.values),
            first: narrow(first),
            second: narrow(second),
            steps: self.optimiser.steps(),
        })
    }

    fn restore(&mut self, state: TrainerState) -> Result<(), TrainError> {
        state.is_of(self.values.len())?;
        let wide = |values: &[f32]| values.iter().map(|value| T::of(f64::from(*value))).collect();
        self.values = wide(&state.values);
        self.optimiser
            .restore(wide(&state.first), wide(&state.second), state.steps);
        Ok(())
    }
}
