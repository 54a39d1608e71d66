//! What a model is computed with: buffers of numbers and the operations between them, on one kind of machine.
//!
//! The model is written once, in `model`, over [`Engine`]; `cpu` computes on slices, `gpu` on a graphics processor. Operations
//! cannot fail one by one: an engine whose machine fails keeps the first failure, and its trainer asks for it after each step.

use std::fmt::Debug;
use std::ops::Range;

use super::matmul::Old;

/// Sequences of equal length: what the model sees and what comes next, `[sequences, length]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokens<'a> {
    /// Ids seen.
    pub(crate) inputs: &'a [u16],
    /// Ids that follow.
    pub(crate) targets: &'a [u16],
    /// Ids of a sequence.
    pub(crate) length: usize,
}

/// Sizes of `to = x · wᵀ`: x `[rows, inputs]`, w `[outputs, inputs]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) rows: usize,
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
}

/// A tensor within the flat vector of parameters.
pub(crate) type Part<'a, B> = (&'a B, &'a Range<usize>);

/// A tensor's gradient within the flat vector of gradients.
pub(crate) type PartMut<'a, B> = (&'a mut B, &'a Range<usize>);

/// A normalisation's input, scales and output.
#[derive(Debug, Default)]
pub(crate) struct Norm<B> {
    /// Rows of the last call.
    pub(crate) rows: usize,
    pub(crate) x: B,
    pub(crate) scales: B,
    pub(crate) y: B,
}

/// Where gradients of the output go.
#[derive(Debug)]
pub(crate) struct HeadGradient<'a, B> {
    /// Of the rows; overwritten.
    pub(crate) rows: &'a mut B,
    /// Of the embedding; added to.
    pub(crate) embedding: PartMut<'a, B>,
    /// Weight of a row's loss.
    pub(crate) weight: f64,
}

/// What attention keeps for its gradient: rotated q, k and v side by side, and probabilities `[sequences, heads, length, length]`.
#[derive(Debug, Default)]
pub(crate) struct Attended<B> {
    pub(crate) qkv: B,
    pub(crate) probabilities: B,
}

/// A machine's operations. Buffers grow to what [`Engine::resize`] asks for; parts lie in vectors of all parameters.
pub(crate) trait Engine {
    /// Numbers on the machine; empty by default.
    type Buffer: Debug + Default;

    /// Makes room for so many values; those it had are kept as far as they go or become anything.
    fn resize(&mut self, buffer: &mut Self::Buffer, values: usize);

    /// Sets all values to 0.
    fn clear(&mut self, buffer: &mut Self::Buffer);

    /// Takes the sequences that the operations until the next call are about.
    fn take(&mut self, tokens: Tokens<'_>);

    /// `x[row] = embedding[input of the row]`.
    fn embed(&mut self, x: &mut Self::Buffer, embedding: Part<'_, Self::Buffer>, tokens: Tokens<'_>);

    /// Adds rows of `dx` to the gradients of the rows' inputs, in the order of the rows.
    fn embed_back(&mut self, dx: &Self::Buffer, embedding: PartMut<'_, Self::Buffer>, tokens: Tokens<'_>);

    /// Keeps x and writes `y = x / √(mean(x²) + ε) · gain` for every row.
    fn normalise(&mut self, norm: &mut Norm<Self::Buffer>, x: &Self::Buffer, gain: Part<'_, Self::Buffer>);

    /// Adds the gradient of a normalisation to that of its input and to that of its gain.
    fn normalise_back(
        &mut self,
        norm: &Norm<Self::Buffer>,
        gain: Part<'_, Self::Buffer>,
        dy: &Self::Buffer,
        to: (&mut Self::Buffer, PartMut<'_, Self::Buffer>),
    );

    /// `to (+)= x · wᵀ`.
    fn linear(
        &mut self,
        sizes: Sizes,
        to: (&mut Self::Buffer, Old),
        x: &Self::Buffer,
        w: Part<'_, Self::Buffer>,
    );

    /// `dw += dyᵀ · x`.
    fn weight_gradient(
        &mut self,
        sizes: Sizes,
        dw: PartMut<'_, Self::Buffer>,
        dy: &Self::Buffer,
        x: &Self::Buffer,
    );

    /// `dx = dy · w`.
    fn input_gradient(
        &mut self,
        sizes: Sizes,
        dx: &mut Self::Buffer,
        dy: &Self::Buffer,
        w: Part<'_, Self::Buffer>,
    );

    /// Rotates q and k in place, fills the probabilities and writes the mixed values, for sequences of `length` rows.
    fn attend(&mut self, attended: &mut Attended<Self::Buffer>, to: &mut Self::Buffer, length: usize);

    /// Writes the gradient of q, k and v before their rotation.
    fn attend_back(
        &mut self,
        attended: &Attended<Self::Buffer>,
        dy: &Self::Buffer,
        dqkv: &mut Self::Buffer,
        length: usize,
    );

    /// `to = silu(a) ⊙ c`, a and c side by side in every row of `ac`.
    fn gate(&mut self, ac: &Self::Buffer, to: &mut Self::Buffer, hidden: usize);

    /// The gradient of [`Engine::gate`]: `ac` holds a and c and takes their gradients.
    fn gate_back(&mut self, ac: &mut Self::Buffer, dy: &Self::Buffer, hidden: usize);

    /// Of normalised rows, writes the loss of each in natural units, and gradients if they are wanted.
    fn head(
        &mut self,
        of: (&Self::Buffer, &mut Self::Buffer),
        tokens: Tokens<'_>,
        embedding: Part<'_, Self::Buffer>,
        gradient: Option<HeadGradient<'_, Self::Buffer>>,
    );
}
