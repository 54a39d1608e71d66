//! Memory, kernels and products of a machine, with every bound checked before a call.
//!
//! Rows come first here and columns first in BLAS, so a product's operands change sides: `C = A·B` row by row is
//! `Cᵀ = Bᵀ·Aᵀ` column by column, and no matrix is moved.

use super::machine::{Arg, Gemm, Launch, Machine, MachineError, Operand, Place};
use crate::transformer::attention::angles;
use crate::transformer::engine::{Engine as _, Part};
use crate::transformer::matmul::Old;
use crate::transformer::shape::Shape;

/// Memory on the machine; it grows when more is needed.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// What is used.
    pub(super) place: Place,
    /// What is held.
    pub(super) held: Place,
}

impl Buffer {
    /// What is used.
    pub(crate) fn place(&self) -> Place {
        self.place
    }
}

/// A machine, and what operations keep on it.
#[derive(Debug)]
pub(crate) struct Device<M> {
    machine: M,
    pub(super) shape: Shape,
    pub(super) chunk_rows: usize,
    /// The first thing that failed: nothing is done from then on.
    failure: Option<MachineError>,
    pub(super) query_angles: Buffer,
    pub(super) key_angles: Buffer,
    /// Inputs, targets, rows in the order of their inputs, where each input begins in it.
    pub(super) ids: [Buffer; 4],
    /// Inputs that differ.
    pub(super) distinct: usize,
    pub(super) logits: Buffer,
    pub(super) scores: Buffer,
    pub(super) parts: Buffer,
}

/// A matrix, row by row: a batch of them lies at equal distances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    place: Place,
    /// Values from a row to the next.
    step: usize,
    /// Values from a matrix to the next.
    stride: usize,
    is_transposed: bool,
}

impl Rows {
    pub(super) fn new(place: Place, step: usize) -> Self {
        Self {
            place,
            step,
            stride: 0,
            is_transposed: false,
        }
    }

    pub(super) fn each(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    pub(super) fn transposed(self) -> Self {
        Self {
            is_transposed: !self.is_transposed,
            ..self
        }
    }

    fn operand(self) -> Operand {
        Operand {
            place: self.place,
            step: self.step,
            stride: self.stride,
            is_transposed: self.is_transposed,
        }
    }
}

impl<M: Machine> Device<M> {
    /// A device for models of a shape.
    ///
    /// # Errors
    /// [`MachineError`].
    pub(crate) fn new(shape: &Shape, machine: M, chunk_rows: usize) -> Result<Self, MachineError> {
        let mut device = Self {
            machine,
            shape: *shape,
            chunk_rows: chunk_rows.max(1),
            failure: None,
            query_angles: Buffer::default(),
            key_angles: Buffer::default(),
            ids: Default::default(),
            distinct: 0,
            logits: Buffer::default(),
            scores: Buffer::default(),
            parts: Buffer::default(),
        };
        let [queries, keys] = angles::<f32>(shape);
        device.query_angles = device.upload(&queries);
        device.key_angles = device.upload(&keys);
        device.check()?;
        Ok(device)
    }

    /// Threads of a block.
    pub(crate) fn threads(&self) -> usize {
        self.machine.threads() as usize
    }

    /// The first failure of any operation.
    ///
    /// # Errors
    /// It.
    pub(crate) fn check(&self) -> Result<(), MachineError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// Numbers on the machine.
    pub(crate) fn upload(&mut self, values: &[f32]) -> Buffer {
        let mut buffer = Buffer::default();
        self.resize(&mut buffer, values.len());
        self.write(&buffer, values);
        buffer
    }

    /// Replaces a buffer's numbers.
    pub(crate) fn write(&mut self, buffer: &Buffer, values: &[f32]) {
        let words: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
        self.run(|machine| machine.write(buffer.place, &words));
    }

    /// A buffer's words.
    ///
    /// # Errors
    /// [`MachineError`]: of this or an earlier operation.
    pub(crate) fn read(&mut self, buffer: &Buffer) -> Result<Vec<u32>, MachineError> {
        let mut words = Vec::new();
        self.run(|machine| {
            words = machine.read(buffer.place)?;
            Ok(())
        });
        self.check().map(|()| words)
    }

    /// A buffer's numbers.
    ///
    /// # Errors
    /// [`MachineError`].
    pub(crate) fn read_numbers(&mut self, buffer: &Buffer) -> Result<Vec<f32>, MachineError> {
        Ok(self.read(buffer)?.into_iter().map(f32::from_bits).collect())
    }

    /// Does something unless something failed before.
    pub(super) fn run(&mut self, work: impl FnOnce(&mut M) -> Result<(), MachineError>) {
        if self.failure.is_none() {
            self.failure = work(&mut self.machine).err();
        }
    }

    /// A part of a place; one that does not lie in it is a failure, and empty.
    pub(super) fn part(&mut self, place: Place, from: usize, words: usize) -> Place {
        let part = place.part(from, words);
        if part.is_none() {
            self.run(|_| Err(MachineError::Bounds { call: "part" }));
        }
        part.unwrap_or_default()
    }

    /// Where a tensor lies.
    pub(crate) fn tensor(&mut self, (of, range): Part<'_, Buffer>) -> Place {
        self.part(of.place, range.start, range.len())
    }

    /// A kernel with a block for each of `blocks`; every place must hold at least the values given with it.
    pub(crate) fn blocks(
        &mut self,
        kernel: &'static str,
        blocks: usize,
        places: &[(Place, usize)],
        rest: &[Arg],
    ) {
        let threads = self.machine.threads();
        let is_within = places.iter().all(|(place, values)| *values <= place.words);
        let Some(blocks) = u32::try_from(blocks).ok().filter(|_| is_within) else {
            return self.run(|_| Err(MachineError::Bounds { call: kernel }));
        };
        let places = places.iter().map(|(place, _)| Arg::Place(*place));
        let args: Vec<Arg> = places.chain(rest.iter().copied()).collect();
        let launch = Launch {
            kernel,
            blocks,
            threads,
            args: &args,
        };
        if blocks > 0 {
            self.run(|machine| machine.launch(launch));
        }
    }

    /// A kernel with a thread for each of `count` values, whose number is its first argument behind the places.
    pub(crate) fn each(
        &mut self,
        kernel: &'static str,
        count: usize,
        places: &[(Place, usize)],
        rest: &[Arg],
    ) {
        let threads = self.threads();
        let mut all = vec![Arg::Count(count as u64)];
        all.extend_from_slice(rest);
        self.blocks(kernel, count.div_ceil(threads), places, &all);
    }

    /// `to (+)= a · b` for a batch of matrices; `to` is `[rows, columns]`, a is `[rows, depth]`.
    pub(super) fn product(
        &mut self,
        [rows, columns, depth, batch]: [usize; 4],
        (to, old): (Rows, Old),
        a: Rows,
        b: Rows,
    ) {
        let gemm = Gemm {
            m: columns,
            n: rows,
            k: depth,
            a: b.operand(),
            b: a.operand(),
            c: to.operand(),
            beta: if old == Old::Kept { 1.0 } else { 0.0 },
            batch,
        };
        if gemm.fits() {
            self.run(|machine| machine.gemm(&gemm));
        } else {
            self.run(|_| Err(MachineError::Bounds { call: "gemm" }));
        }
    }

    /// Room for an operation's own use, taken out of the device while it is used.
    pub(super) fn room(&mut self, which: fn(&mut Self) -> &mut Buffer, values: usize) -> Place {
        let mut buffer = std::mem::take(which(self));
        self.resize(&mut buffer, values);
        let place = buffer.place;
        *which(self) = buffer;
        place
    }

    pub(super) fn upload_ids(&mut self, at: usize, ids: &[u32]) {
        let mut buffer = std::mem::take(&mut self.ids[at]);
        self.resize(&mut buffer, ids.len());
        self.run(|machine| machine.write(buffer.place, ids));
        self.ids[at] = buffer;
    }
}
