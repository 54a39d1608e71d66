//! What a graphics processor must be able to do: hold words, run kernels by name, multiply matrices.
//!
//! Everything above it is the same for every machine and tested without a device; below it is one module of calls into the
//! driver (feature `cuda`).

use std::fmt::Debug;

use thiserror::Error;

/// Why a machine cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MachineError {
    /// A library that is needed is not there.
    #[error("no `{library}` on this machine: {cure}")]
    Library {
        /// Its name.
        library: &'static str,
        /// What brings it.
        cure: &'static str,
    },
    /// This build has no support for it.
    #[error("this build cannot use a graphics processor: build with `--features cuda`")]
    NotBuilt,
    /// No room for what a model needs.
    #[error("the graphics processor has no room for {needed} bytes more: {why}")]
    Memory {
        /// Bytes asked for.
        needed: u64,
        /// What the driver said.
        why: String,
    },
    /// A call failed.
    #[error("the graphics processor failed in `{call}`: {why}")]
    Call {
        /// What was called.
        call: &'static str,
        /// What the driver said.
        why: String,
    },
    /// An operand would lie outside of its memory.
    #[error("`{call}` would reach beyond its memory")]
    Bounds {
        /// What was called.
        call: &'static str,
    },
}

/// How products multiply; sums are f32 either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Products {
    /// f32, without TF32: what the small profiles use, so that results are those of a processor but for rounding.
    Exact,
    /// Operands rounded to bf16: the tensor cores, many times faster (docs/evaluation.md).
    Bf16,
}

/// Words of four bytes in a machine's memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Address of the first, in bytes.
    pub address: u64,
    /// Their number.
    pub words: usize,
}

impl Place {
    /// So many words from a word on, if they lie in it.
    pub fn part(self, from: usize, words: usize) -> Option<Self> {
        let end = from.checked_add(words)?;
        (end <= self.words).then(|| Self {
            address: self.address + 4 * from as u64,
            words,
        })
    }
}

/// What a kernel is told, in the order of its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arg {
    /// A pointer.
    Place(Place),
    /// A number of values (`u64`).
    Count(u64),
    /// A size (`u32`).
    Size(u32),
    /// A number (`float`).
    Number(f32),
}

/// A kernel on so many blocks of so many threads.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// Its name.
    pub kernel: &'static str,
    /// Blocks.
    pub blocks: u32,
    /// Threads of a block: a power of two.
    pub threads: u32,
    /// Its parameters.
    pub args: &'a [Arg],
}

/// An operand of [`Gemm`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operand {
    /// Where it lies.
    pub place: Place,
    /// Values from a column to the next.
    pub step: usize,
    /// Values from a matrix of the batch to the next.
    pub stride: usize,
    /// Whether it is transposed.
    pub is_transposed: bool,
}

/// `C = op(A)·op(B) + β·C` for a batch, columns first, as BLAS has it: op(A) `[m, k]`, op(B) `[k, n]`.
#[derive(Debug, Clone, Copy)]
pub struct Gemm {
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// Columns of op(A).
    pub k: usize,
    /// A.
    pub a: Operand,
    /// B.
    pub b: Operand,
    /// C; never transposed.
    pub c: Operand,
    /// 0 or 1.
    pub beta: f32,
    /// Matrices of the batch.
    pub batch: usize,
}

impl Gemm {
    /// Whether all operands lie in their places.
    pub fn fits(&self) -> bool {
        let within = |operand: &Operand, rows: usize, columns: usize| {
            let (rows, columns) = if operand.is_transposed {
                (columns, rows)
            } else {
                (rows, columns)
            };
            let last =
                |count: usize, step: usize| count.checked_sub(1).and_then(|last| last.checked_mul(step));
            let end = last(self.batch, operand.stride)
                .zip(last(columns, operand.step))
                .and_then(|(batch, column)| batch.checked_add(column)?.checked_add(rows));
            rows <= operand.step && end.is_some_and(|end| end <= operand.place.words)
        };
        within(&self.a, self.m, self.k) && within(&self.b, self.k, self.n) && within(&self.c, self.m, self.n)
    }
}

/// A graphics processor, or what behaves like one. Calls take effect in their order.
pub trait Machine: Debug {
    /// Threads of a block: a power of two, at most 1,024.
    fn threads(&self) -> u32;

    /// Room for so many words, all 0; the address is a multiple of 16.
    ///
    /// # Errors
    /// [`MachineError::Memory`].
    fn reserve(&mut self, words: usize) -> Result<Place, MachineError>;

    /// Gives back what was reserved.
    ///
    /// # Errors
    /// [`MachineError::Call`].
    fn release(&mut self, place: Place) -> Result<(), MachineError>;

    /// Writes words.
    ///
    /// # Errors
    /// [`MachineError`].
    fn write(&mut self, place: Place, words: &[u32]) -> Result<(), MachineError>;

    /// Reads all words of a place.
    ///
    /// # Errors
    /// [`MachineError`].
    fn read(&mut self, place: Place) -> Result<Vec<u32>, MachineError>;

    /// Runs a kernel of `gpu/kernels.cu`.
    ///
    /// # Errors
    /// [`MachineError`].
    fn launch(&mut self, launch: Launch<'_>) -> Result<(), MachineError>;

    /// Multiplies matrices that [`Gemm::fits`].
    ///
    /// # Errors
    /// [`MachineError`].
    fn gemm(&mut self, gemm: &Gemm) -> Result<(), MachineError>;
}
