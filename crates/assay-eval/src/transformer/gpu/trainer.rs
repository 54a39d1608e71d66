//! One step on a graphics processor: gradients of a few sequences at a time, added in order, then AdamW.

use super::device::{Buffer, Device};
use super::machine::{Arg, Machine, MachineError};
use crate::tokenizer::TokenId;
use crate::transformer::adamw::{BETA_FIRST, BETA_SECOND, EPSILON, Factors};
use crate::transformer::engine::{Engine as _, Tokens};
use crate::transformer::model::Workspace;
use crate::transformer::shape::{Role, Shape};
use crate::transformer::trainer::{TrainError, Trainer, TrainerState, check, finite};

/// How much is held at once. The same on every device, so that its memory changes no bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pieces {
    /// Tokens whose activations are held: by count of the buffers 9 GB of memory for `gpu-v1` and 31 GB for `audit-v1` in all.
    pub tokens: usize,
    /// Rows whose logits are held: 823 MB with GPT-2's vocabulary.
    pub logit_rows: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self {
            tokens: 16_384,
            logit_rows: 4_096,
        }
    }
}

/// Gradients whose squares a thread sums.
const SQUARES: usize = 1_024;

/// What every step of AdamW has: decays of both moments, what they leave, and what is added to the root.
const CONSTANTS: [f64; 5] = [
    BETA_FIRST,
    1.0 - BETA_FIRST,
    BETA_SECOND,
    1.0 - BETA_SECOND,
    EPSILON,
];

/// Trains on a machine.
#[derive(Debug)]
pub struct GpuTrainer<M: Machine> {
    shape: Shape,
    piece_tokens: usize,
    workspace: Workspace<Device<M>>,
    values: Buffer,
    first: Buffer,
    second: Buffer,
    gradient: Buffer,
    squares: Buffer,
    steps: u64,
}

impl<M: Machine> GpuTrainer<M> {
    /// A model of given start values.
    ///
    /// # Errors
    /// [`TrainError`]: a shape that cannot be trained, values of another size, or a machine without room for it.
    pub fn new(shape: Shape, values: &[f32], machine: M) -> Result<Self, TrainError> {
        Self::in_pieces(shape, values, machine, Pieces::default())
    }

    /// The same in pieces of another size: other sums, so other bits.
    ///
    /// # Errors
    /// Those of [`GpuTrainer::new`].
    pub fn in_pieces(shape: Shape, values: &[f32], machine: M, pieces: Pieces) -> Result<Self, TrainError> {
        check(&shape, values)?;
        let mut device = Device::new(&shape, machine, pieces.logit_rows)?;
        // What is reserved is 0.
        let [first, second, gradient] = [(); 3].map(|()| {
            let mut zeros = Buffer::default();
            device.resize(&mut zeros, values.len());
            zeros
        });
        let values = device.upload(values);
        let mut squares = Buffer::default();
        device.resize(&mut squares, 2 * shape.parameters().div_ceil(SQUARES));
        device.check()?;
        Ok(Self {
            shape,
            piece_tokens: pieces.tokens,
            workspace: Workspace::new(shape, device),
            values,
            first,
            second,
            gradient,
            squares,
            steps: 0,
        })
    }

    /// Fills the gradient of the mean loss; gives the mean loss.
    ///
    /// # Errors
    /// [`MachineError`].
    pub fn gradient(&mut self, inputs: &[TokenId], targets: &[TokenId]) -> Result<f64, MachineError> {
        let weight = 1.0 / inputs.len() as f64;
        self.workspace.engine().clear(&mut self.gradient);
        let mut sum = 0.0;
        for tokens in pieces(inputs, targets, (self.shape.context, self.piece_tokens)) {
            self.workspace
                .gradient(&self.values, tokens, weight, &mut self.gradient);
            let losses = self.kept_losses()?;
            sum = losses.iter().fold(sum, |sum, loss| sum + f64::from(*loss));
        }
        Ok(sum / inputs.len() as f64)
    }

    /// The gradient after [`GpuTrainer::gradient`].
    ///
    /// # Errors
    /// [`MachineError`].
    pub fn gradient_values(&mut self) -> Result<Vec<f32>, MachineError> {
        self.workspace.engine().read_numbers(&self.gradient)
    }

    fn kept_losses(&mut self) -> Result<Vec<f32>, MachineError> {
        let (device, losses) = self.workspace.kept_losses();
        device.read_numbers(losses)
    }

    /// The gradient's norm, summed in pieces in their order.
    fn norm(&mut self) -> Result<f64, MachineError> {
        let device = self.workspace.engine();
        let values = self.shape.parameters();
        let sums = values.div_ceil(SQUARES);
        let places = [(self.squares.place(), 2 * sums), (self.gradient.place(), values)];
        let blocks = sums.div_ceil(device.threads());
        let rest = [Arg::Count(values as u64), Arg::Count(SQUARES as u64)];
        device.blocks("squares", blocks, &places, &rest);
        let words = device.read(&self.squares)?;
        let pairs = words.as_chunks::<2>().0.iter();
        let sum = pairs
            .map(|[low, high]| f64::from_bits(u64::from(*low) | u64::from(*high) << 32))
            .fold(0.0, |sum, part| sum + part);
        Ok(sum.sqrt())
    }

    /// Moves the parameters by one step; gives the norm before clipping.
    fn update(&mut self, rate: f64) -> Result<f64, MachineError> {
        let norm = self.norm()?;
        self.steps += 1;
        let by = Factors::<f32>::of(norm, rate, self.steps);
        let device = self.workspace.engine();
        for tensor in self.shape.tensors() {
            let range = tensor.range();
            let count = range.len();
            let of = [&self.values, &self.first, &self.second, &self.gradient];
            let places = of.map(|of| (device.tensor((of, &range)), count));
            let keep = if tensor.role == Role::Gain { 1.0 } else { by.keep };
            let rest = [by.clip, keep, by.rate, by.root]
                .into_iter()
                .chain(CONSTANTS.map(|constant| constant as f32));
            let rest: Vec<Arg> = rest.map(Arg::Number).collect();
            device.each("adamw", count, &places, &rest);
        }
        device.check()?;
        Ok(norm)
    }
}

/// Sequences, as many at once as are held.
fn pieces<'a>(
    inputs: &'a [TokenId],
    targets: &'a [TokenId],
    (length, tokens): (usize, usize),
) -> impl Iterator<Item = Tokens<'a>> {
    let ids = (tokens / length.max(1)).max(1) * length.max(1);
    inputs
        .chunks(ids)
        .zip(targets.chunks(ids))
        .map(move |(inputs, targets)| Tokens {
            inputs,
            targets,
            length,
        })
}

impl<M: Machine> Trainer for GpuTrainer<M> {
    fn step(&mut self, inputs: &[TokenId], targets: &[TokenId], rate: f64) -> Result<f64, TrainError> {
        let step = self.steps;
        let loss = self.gradient(inputs, targets)?;
        let norm = self.update(rate)?;
        finite(step, loss, norm)
    }

    fn losses(
        &mut self,
        inputs: &[TokenId],
        targets: &[TokenId],
        length: usize,
        to: &mut Vec<f32>,
    ) -> Result<(), TrainError> {
        to.clear();
        for tokens in pieces(inputs, targets, (length, self.piece_tokens)) {
            self.workspace.losses(&self.values, tokens);
            to.extend(self.kept_losses()?);
        }
        Ok(())
    }

    fn state(&mut self) -> Result<TrainerState, TrainError> {
        let device = self.workspace.engine();
        Ok(TrainerState {
            values: device.read_numbers(&self.values)?,
            first: device.read_numbers(&self.first)?,
            second: device.read_numbers(&self.second)?,
            steps: self.steps,
        })
    }

    fn restore(&mut self, state: TrainerState) -> Result<(), TrainError> {
        state.is_of(self.shape.parameters())?;
        let device = self.workspace.engine();
        device.write(&self.values, &state.values);
        device.write(&self.first, &state.first);
        device.write(&self.second, &state.second);
        device.check()?;
        self.steps = state.steps;
        Ok(())
    }
}
