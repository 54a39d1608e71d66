//! The transformer: activations of some sequences, forward and back, on one flat vector of parameters.
//!
//! Pre-norm, per layer `x += O·attention(N x)` and `x += G·(silu(A n) ⊙ (C n))` with `n = N x`; tied embedding
//! (docs/evaluation.md). [`Workspace`] keeps what the gradient needs; it is made once and reused every step.

use super::attention::{Attention, Mixing};
use super::head::{Head, HeadGradient};
use super::kernel::{Normalised, gate, gate_back, normalise, normalise_back};
use super::level::Level;
use super::matmul::{Matrix, MatrixMut, Old};
use super::real::Real;
use super::shape::{LayerPlaces, Places, Shape};

/// Activations of one layer.
#[derive(Debug, Default)]
struct Layer<T> {
    attention_norm: Norm<T>,
    qkv: Vec<T>,
    probabilities: Vec<T>,
    mixed: Vec<T>,
    hidden_norm: Norm<T>,
    ac: Vec<T>,
    gated: Vec<T>,
}

/// A normalisation's input, scales and output.
#[derive(Debug, Default)]
struct Norm<T> {
    x: Vec<T>,
    scales: Vec<T>,
    y: Vec<T>,
}

/// Activations of some sequences and memory for their gradients.
#[derive(Debug)]
pub(crate) struct Workspace<T: Real> {
    shape: Shape,
    places: Places,
    level: Level,
    attention: Attention<T>,
    layers: Vec<Layer<T>>,
    last: Norm<T>,
    panels: T::Panels,
    logits: Vec<T>,
    losses: Vec<T>,
    /// Gradients of the stream, of a normalised row, of q, k, v or a, c, and of what a layer mixes.
    dx: Vec<T>,
    dy: Vec<T>,
    dwide: Vec<T>,
    dmixed: Vec<T>,
    scratch: Vec<T>,
}

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

impl<T: Real> Workspace<T> {
    /// Memory for a model's activations; it grows with the first batch.
    pub(crate) fn new(shape: Shape, level: Level) -> Self {
        Self {
            shape,
            places: shape.places(),
            level,
            attention: Attention::new(&shape),
            layers: (0..shape.layers).map(|_| Layer::default()).collect(),
            last: Norm::default(),
            panels: T::Panels::default(),
            logits: Vec::new(),
            losses: Vec::new(),
            dx: Vec::new(),
            dy: Vec::new(),
            dwide: Vec::new(),
            dmixed: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The loss of every token in natural units, `[sequences, length]`.
    pub(crate) fn losses(&mut self, parameters: &[T], tokens: Tokens<'_>) -> &[T] {
        self.forward(parameters, tokens);
        self.output(parameters, tokens, None)
    }

    /// Adds the gradient of `weight · Σ loss` to `gradient`; gives the losses.
    pub(crate) fn gradient(
        &mut self,
        parameters: &[T],
        tokens: Tokens<'_>,
        weight: T,
        gradient: &mut [T],
    ) -> &[T] {
        self.forward(parameters, tokens);
        let rows = tokens.inputs.len();
        self.dx.resize(rows * self.shape.width, T::ZERO);
        self.dy.resize(rows * self.shape.width, T::ZERO);
        self.output(parameters, tokens, Some((weight, &mut *gradient)));
        self.dx.fill(T::ZERO);
        let gain = self.places.final_gain.clone();
        let norm = Normalised {
            x: &self.last.x,
            scales: &self.last.scales,
            gain: &parameters[gain.clone()],
        };
        self.level.run(
            #[inline(always)]
            || normalise_back(&norm, &self.dy, &mut self.dx, &mut gradient[gain]),
        );
        for layer in (0..self.shape.layers).rev() {
            let places = self.places.layers[layer].clone();
            self.perceptron_back(layer, &places, parameters, gradient);
            self.attention_back(layer, &places, parameters, (tokens.length, &mut *gradient));
        }
        let d = self.shape.width;
        let embedding = &mut gradient[self.places.embedding.clone()];
        for (id, dx) in tokens.inputs.iter().zip(self.dx.chunks_exact(d)) {
            let row = &mut embedding[usize::from(*id) * d..][..d];
            for (to, dx) in row.iter_mut().zip(dx) {
                *to += *dx;
            }
        }
        &self.losses
    }

    /// Loss of every row, and its gradient of the last normalised rows in `dy`.
    fn output(&mut self, parameters: &[T], tokens: Tokens<'_>, gradient: Option<(T, &mut [T])>) -> &[T] {
        self.losses.resize(tokens.targets.len(), T::ZERO);
        let embedding = self.places.embedding.clone();
        let mut head = Head {
            level: self.level,
            panels: &mut self.panels,
            logits: &mut self.logits,
            embedding: &parameters[embedding.clone()],
            width: self.shape.width,
        };
        let gradient = gradient.map(|(weight, gradient)| HeadGradient {
            rows: &mut self.dy,
            embedding: &mut gradient[embedding],
            weight,
        });
        head.losses(&self.last.y, tokens.targets, &mut self.losses, gradient);
        &self.losses
    }

    fn forward(&mut self, parameters: &[T], tokens: Tokens<'_>) {
        let (d, level) = (self.shape.width, self.level);
        let mut x = std::mem::take(&mut self.scratch);
        x.clear();
        for id in tokens.inputs {
            let start = self.places.embedding.start + usize::from(*id) * d;
            x.extend_from_slice(&parameters[start..start + d]);
        }
        for (layer, places) in self.layers.iter_mut().zip(&self.places.layers) {
            layer
                .attention_norm
                .forward(level, &x, &parameters[places.attention_gain.clone()]);
            layer.attend(
                &self.attention,
                &mut self.panels,
                (level, tokens.length),
                &parameters[places.qkv.clone()],
            );
            let to = (&mut x[..], Old::Kept);
            linear(
                level,
                &mut self.panels,
                to,
                &layer.mixed,
                &parameters[places.o.clone()],
            );
            layer
                .hidden_norm
                .forward(level, &x, &parameters[places.hidden_gain.clone()]);
            layer.perceive(
                &mut self.panels,
                level,
                &self.shape,
                &parameters[places.ac.clone()],
            );
            let to = (&mut x[..], Old::Kept);
            linear(
                level,
                &mut self.panels,
                to,
                &layer.gated,
                &parameters[places.g.clone()],
            );
        }
        self.last
            .forward(level, &x, &parameters[self.places.final_gain.clone()]);
        self.scratch = x;
    }

    /// The gradient through `x += G·(silu(A n) ⊙ (C n))`.
    fn perceptron_back(&mut self, at: usize, places: &LayerPlaces, parameters: &[T], gradient: &mut [T]) {
        let (level, hidden) = (self.level, self.shape.hidden);
        let layer = &mut self.layers[at];
        weight_gradient(
            level,
            &mut self.panels,
            &mut gradient[places.g.clone()],
            &self.dx,
            &layer.gated,
        );
        self.dmixed.resize(layer.gated.len(), T::ZERO);
        let g = &parameters[places.g.clone()];
        input_gradient(
            level,
            &mut self.panels,
            &mut self.dmixed,
            (&self.dx, self.shape.width),
            g,
        );
        // The gradient takes the place of a and c, which nothing needs any more.
        level.run(
            #[inline(always)]
            || gate_back(&mut layer.ac, &self.dmixed, hidden),
        );
        let ac = places.ac.clone();
        weight_gradient(
            level,
            &mut self.panels,
            &mut gradient[ac.clone()],
            &layer.ac,
            &layer.hidden_norm.y,
        );
        input_gradient(
            level,
            &mut self.panels,
            &mut self.dy,
            (&layer.ac, 2 * hidden),
            &parameters[ac],
        );
        let gain = places.hidden_gain.clone();
        let norm = layer.hidden_norm.of(&parameters[gain.clone()]);
        level.run(
            #[inline(always)]
            || normalise_back(&norm, &self.dy, &mut self.dx, &mut gradient[gain]),
        );
    }

    /// The gradient through `x += O·attention(N x)`.
    fn attention_back(
        &mut self,
        at: usize,
        places: &LayerPlaces,
        parameters: &[T],
        (length, gradient): (usize, &mut [T]),
    ) {
        let (level, d) = (self.level, self.shape.width);
        let layer = &self.layers[at];
        weight_gradient(
            level,
            &mut self.panels,
            &mut gradient[places.o.clone()],
            &self.dx,
            &layer.mixed,
        );
        self.dmixed.resize(layer.mixed.len(), T::ZERO);
        let o = &parameters[places.o.clone()];
        input_gradient(level, &mut self.panels, &mut self.dmixed, (&self.dx, d), o);
        self.dwide.resize(layer.qkv.len(), T::ZERO);
        let mut by = Mixing {
            level,
            panels: &mut self.panels,
            length,
        };
        let to = (&mut self.dwide[..], &mut self.scratch);
        self.attention
            .backward(&mut by, (&layer.qkv, &layer.probabilities), &self.dmixed, to);
        let qkv = places.qkv.clone();
        let (y, to) = (&layer.attention_norm.y, &mut gradient[qkv.clone()]);
        weight_gradient(level, &mut self.panels, to, &self.dwide, y);
        input_gradient(
            level,
            &mut self.panels,
            &mut self.dy,
            (&self.dwide, 3 * d),
            &parameters[qkv],
        );
        let gain = places.attention_gain.clone();
        let norm = layer.attention_norm.of(&parameters[gain.clone()]);
        level.run(
            #[inline(always)]
            || normalise_back(&norm, &self.dy, &mut self.dx, &mut gradient[gain]),
        );
    }
}

impl<T: Real> Norm<T> {
    fn forward(&mut self, level: Level, x: &[T], gain: &[T]) {
        self.x.clear();
        self.x.extend_from_slice(x);
        self.y.resize(x.len(), T::ZERO);
        self.scales.resize(x.len() / gain.len(), T::ZERO);
        level.run(
            #[inline(always)]
            || normalise(x, gain, &mut self.y, &mut self.scales),
        );
    }

    fn of<'a>(&'a self, gain: &'a [T]) -> Normalised<'a, T> {
        Normalised {
            x: &self.x,
            scales: &self.scales,
            gain,
        }
    }
}

impl<T: Real> Layer<T> {
    fn attend(
        &mut self,
        attention: &Attention<T>,
        panels: &mut T::Panels,
        (level, length): (Level, usize),
        qkv: &[T],
    ) {
        let y = &self.attention_norm.y;
        let (rows, d) = (
            self.attention_norm.scales.len(),
            y.len() / self.attention_norm.scales.len(),
        );
        self.qkv.resize(rows * 3 * d, T::ZERO);
        self.mixed.resize(rows * d, T::ZERO);
        linear(level, panels, (&mut self.qkv, Old::Dropped), y, qkv);
        self.probabilities
            .resize(rows * length * attention.heads(), T::ZERO);
        let mut by = Mixing {
            level,
            panels,
            length,
        };
        attention.forward(&mut by, &mut self.qkv, &mut self.probabilities, &mut self.mixed);
    }

    fn perceive(&mut self, panels: &mut T::Panels, level: Level, shape: &Shape, ac: &[T]) {
        let rows = self.hidden_norm.scales.len();
        self.ac.resize(rows * 2 * shape.hidden, T::ZERO);
        self.gated.resize(rows * shape.hidden, T::ZERO);
        linear(
            level,
            panels,
            (&mut self.ac, Old::Dropped),
            &self.hidden_norm.y,
            ac,
        );
        level.run(
            #[inline(always)]
            || gate(&self.ac, &mut self.gated, shape.hidden),
        );
    }
}

/// `to (+)= x · wᵀ`, w `[outputs, inputs]`; the number of rows follows from the sizes: `to·x = rows²·w`.
fn linear<T: Real>(level: Level, panels: &mut T::Panels, (to, old): (&mut [T], Old), x: &[T], w: &[T]) {
    let rows = ((to.len() * x.len()) / w.len()).isqrt();
    let (outputs, inputs) = (to.len() / rows, x.len() / rows);
    let to = (MatrixMut::new(to, rows, outputs, outputs), old);
    let x = Matrix::new(x, rows, inputs, inputs);
    T::product(
        level,
        panels,
        to,
        x,
        Matrix::new(w, outputs, inputs, inputs).transposed(),
    );
}

/// `dw += dyᵀ · x`.
fn weight_gradient<T: Real>(level: Level, panels: &mut T::Panels, dw: &mut [T], dy: &[T], x: &[T]) {
    let rows = ((dy.len() * x.len()) / dw.len()).isqrt();
    let (outputs, inputs) = (dy.len() / rows, x.len() / rows);
    let to = MatrixMut::new(dw, outputs, inputs, inputs);
    let dy = Matrix::new(dy, rows, outputs, outputs).transposed();
    T::product(
        level,
        panels,
        (to, Old::Kept),
        dy,
        Matrix::new(x, rows, inputs, inputs),
    );
}

/// `dx = dy · w`, `dy` of so many outputs a row.
fn input_gradient<T: Real>(
    level: Level,
    panels: &mut T::Panels,
    dx: &mut [T],
    (dy, outputs): (&[T], usize),
    w: &[T],
) {
    let (rows, inputs) = (dy.len() / outputs, w.len() / outputs);
    let to = MatrixMut::new(dx, rows, inputs, inputs);
    let dy = Matrix::new(dy, rows, outputs, outputs);
    T::product(
        level,
        panels,
        (to, Old::Dropped),
        dy,
        Matrix::new(w, outputs, inputs, inputs),
    );
}
