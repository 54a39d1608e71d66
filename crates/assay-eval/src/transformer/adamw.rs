//! AdamW with a clipped global norm: a gradient comes in, parameters and moments are updated in place.
//!
//! The norm is summed block by block, so the number of threads changes no bit. Formula
//! and order of operations: Loshchilov and Hutter, arXiv 1711.05101, as PyTorch's `torch.optim.AdamW` computes it.

use rayon::prelude::*;

use super::level::Level;
use super::real::Real;
use super::shape::{Role, Shape};

/// Decay of the first and second moment (docs/evaluation.md).
pub(crate) const BETA_FIRST: f64 = 0.9;
pub(crate) const BETA_SECOND: f64 = 0.95;

/// Added to the root of the second moment.
pub(crate) const EPSILON: f64 = 1e-8;

/// Decay of matrices.
const WEIGHT_DECAY: f64 = 0.1;

/// Largest global norm of a gradient.
const NORM_MAX: f64 = 1.0;

/// Added to the norm before it divides, as PyTorch's `clip_grad_norm_` does.
const NORM_EPSILON: f64 = 1e-6;

/// Values of a block: the unit of parallel work and of the norm's sum.
pub(super) const BLOCK: usize = 16_384;

/// Moments of every parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdamW<T> {
    first: Vec<T>,
    second: Vec<T>,
    /// Steps taken.
    steps: u64,
    /// Whether each block of parameters decays; blocks end with their tensor.
    blocks: Vec<(usize, bool)>,
}

/// One block of everything.
struct Block<'a, T> {
    values: &'a mut [T],
    first: &'a mut [T],
    second: &'a mut [T],
    gradient: &'a [T],
    decays: bool,
}

/// Factors of one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factors<T> {
    /// Of gradients.
    pub(crate) clip: T,
    /// Of values that decay.
    pub(crate) keep: T,
    /// Of first moments.
    pub(crate) rate: T,
    /// Of the second moments' roots.
    pub(crate) root: T,
}

impl<T: Real> Factors<T> {
    /// For a gradient's norm, at a learning rate, with the step that makes `steps`.
    pub(crate) fn of(norm: f64, rate: f64, steps: u64) -> Self {
        let steps = i32::try_from(steps).unwrap_or(i32::MAX);
        let correction = 1.0 - BETA_FIRST.powi(steps);
        Self {
            clip: T::of((NORM_MAX / (norm + NORM_EPSILON)).min(1.0)),
            keep: T::of(1.0 - rate * WEIGHT_DECAY),
            rate: T::of(rate / correction),
            root: T::of(1.0 / (1.0 - BETA_SECOND.powi(steps)).sqrt()),
        }
    }
}

impl<T: Real> AdamW<T> {
    /// Moments of 0.
    pub(crate) fn new(shape: &Shape) -> Self {
        let mut blocks = Vec::new();
        for tensor in shape.tensors() {
            let mut left = tensor.rows * tensor.columns;
            while left > 0 {
                blocks.push((left.min(BLOCK), tensor.role != Role::Gain));
                left -= left.min(BLOCK);
            }
        }
        let parameters = shape.parameters();
        Self {
            first: vec![T::ZERO; parameters],
            second: vec![T::ZERO; parameters],
            steps: 0,
            blocks,
        }
    }

    /// Moments as saved.
    pub(crate) fn moments(&self) -> (&[T], &[T]) {
        (&self.first, &self.second)
    }

    /// Steps taken.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// Goes on from saved moments of the same sizes.
    pub(crate) fn restore(&mut self, first: Vec<T>, second: Vec<T>, steps: u64) {
        debug_assert!(first.len() == self.first.len() && second.len() == self.second.len());
        self.first = first;
        self.second = second;
        self.steps = steps;
    }

    /// Clips the gradient and moves `values` by one step; gives the norm before clipping.
    pub(crate) fn step(&mut self, level: Level, values: &mut [T], gradient: &[T], rate: f64) -> f64 {
        let squares: Vec<f64> = gradient
            .par_chunks(BLOCK)
            .map(|block| {
                level.loops(
                    #[inline(always)]
                    || squares_of(block),
                )
            })
            .collect();
        let norm = squares.iter().fold(0.0, |sum, part| sum + part).sqrt();
        self.steps += 1;
        let factors = Factors::of(norm, rate, self.steps);
        self.cut(values, gradient).into_par_iter().for_each(|mut block| {
            level.loops(
                #[inline(always)]
                || block.step(&factors),
            );
        });
        norm
    }

    /// All blocks.
    fn cut<'a>(&'a mut self, mut values: &'a mut [T], mut gradient: &'a [T]) -> Vec<Block<'a, T>> {
        let (mut first, mut second) = (&mut self.first[..], &mut self.second[..]);
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for (length, decays) in &self.blocks {
            let (block, rest) = values.split_at_mut(*length);
            let (block_first, rest_first) = first.split_at_mut(*length);
            let (block_second, rest_second) = second.split_at_mut(*length);
            let (block_gradient, rest_gradient) = gradient.split_at(*length);
            (values, first, second, gradient) = (rest, rest_first, rest_second, rest_gradient);
            blocks.push(Block {
                values: block,
                first: block_first,
                second: block_second,
                gradient: block_gradient,
                decays: *decays,
            });
        }
        blocks
    }
}

/// `Σ x²` in eight lanes.
#[inline(always)]
fn squares_of<T: Real>(values: &[T]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    for chunk in values.chunks(8) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value.wide() * value.wide();
        }
    }
    lanes.iter().fold(0.0, |sum, lane| sum + lane)
}

impl<T: Real> Block<'_, T> {
    #[inline(always)]
    fn step(&mut self, by: &Factors<T>) {
        let (b1, b2, epsilon) = (T::of(BETA_FIRST), T::of(BETA_SECOND), T::of(EPSILON));
        let (r1, r2) = (T::of(1.0 - BETA_FIRST), T::of(1.0 - BETA_SECOND));
        let keep = if self.decays { by.keep } else { T::ONE };
        let values = self.values.iter_mut().zip(self.gradient);
        let moments = self.first.iter_mut().zip(self.second.iter_mut());
        for ((value, gradient), (first, second)) in values.zip(moments) {
            let gradient = *gradient * by.clip;
            *first = *first * b1 + gradient * r1;
            *second = *second * b2 + gradient * gradient * r2;
            *value = *value * keep - by.rate * *first / (second.sqrt() * by.root + epsilon);
        }
    }
}
