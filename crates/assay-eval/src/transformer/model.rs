//! The transformer: activations of some sequences, forward and back, on one flat vector of parameters, for every machine.
//!
//! Pre-norm, per layer `x += O·attention(N x)` and `x += G·(silu(A n) ⊙ (C n))` with `n = N x`; tied embedding
//! (docs/evaluation.md). [`Workspace`] keeps what the gradient needs; it is made once and reused every step.

use super::engine::{Attended, Engine, HeadGradient, Norm, Part, Sizes, Tokens};
use super::matmul::Old;
use super::shape::{LayerPlaces, Places, Shape};

/// Activations of one layer.
#[derive(Debug, Default)]
struct Layer<B> {
    attention_norm: Norm<B>,
    attended: Attended<B>,
    mixed: B,
    hidden_norm: Norm<B>,
    ac: B,
    gated: B,
}

/// Activations of some sequences and memory for their gradients.
#[derive(Debug)]
pub(crate) struct Workspace<E: Engine> {
    shape: Shape,
    places: Places,
    engine: E,
    layers: Vec<Layer<E::Buffer>>,
    last: Norm<E::Buffer>,
    /// The stream.
    x: E::Buffer,
    losses: E::Buffer,
    /// Gradients of the stream, of a normalised row, of q, k, v or a, c, and of what a layer mixes.
    dx: E::Buffer,
    dy: E::Buffer,
    dwide: E::Buffer,
    dmixed: E::Buffer,
}

impl<E: Engine> Workspace<E> {
    /// Memory for a model's activations; it grows with the first batch.
    pub(crate) fn new(shape: Shape, engine: E) -> Self {
        Self {
            shape,
            places: shape.places(),
            engine,
            layers: (0..shape.layers).map(|_| Layer::default()).collect(),
            last: Norm::default(),
            x: E::Buffer::default(),
            losses: E::Buffer::default(),
            dx: E::Buffer::default(),
            dy: E::Buffer::default(),
            dwide: E::Buffer::default(),
            dmixed: E::Buffer::default(),
        }
    }

    /// The machine.
    pub(crate) fn engine(&mut self) -> &mut E {
        &mut self.engine
    }

    /// The machine, and the losses of the last call on it.
    pub(crate) fn kept_losses(&mut self) -> (&mut E, &E::Buffer) {
        (&mut self.engine, &self.losses)
    }

    /// The loss of every token in natural units, `[sequences, length]`.
    pub(crate) fn losses(&mut self, parameters: &E::Buffer, tokens: Tokens<'_>) -> &E::Buffer {
        self.forward(parameters, tokens);
        self.output(parameters, tokens, None);
        &self.losses
    }

    /// Adds the gradient of `weight · Σ loss` to `gradient`; gives the losses.
    pub(crate) fn gradient(
        &mut self,
        parameters: &E::Buffer,
        tokens: Tokens<'_>,
        weight: f64,
        gradient: &mut E::Buffer,
    ) -> &E::Buffer {
        self.forward(parameters, tokens);
        let values = tokens.inputs.len() * self.shape.width;
        self.engine.resize(&mut self.dx, values);
        self.engine.resize(&mut self.dy, values);
        self.output(parameters, tokens, Some((weight, &mut *gradient)));
        self.engine.clear(&mut self.dx);
        let gain = &self.places.final_gain;
        self.engine.normalise_back(
            &self.last,
            (parameters, gain),
            &self.dy,
            (&mut self.dx, (gradient, gain)),
        );
        for layer in (0..self.shape.layers).rev() {
            let places = self.places.layers[layer].clone();
            self.perceptron_back(layer, &places, parameters, gradient);
            self.attention_back(layer, &places, parameters, (tokens.length, &mut *gradient));
        }
        let to = (gradient, &self.places.embedding);
        self.engine.embed_back(&self.dx, to, tokens);
        &self.losses
    }

    /// Loss of every row, and its gradient of the last normalised rows in `dy`.
    fn output(
        &mut self,
        parameters: &E::Buffer,
        tokens: Tokens<'_>,
        gradient: Option<(f64, &mut E::Buffer)>,
    ) {
        self.engine.resize(&mut self.losses, tokens.targets.len());
        let embedding = &self.places.embedding;
        let gradient = gradient.map(|(weight, gradient)| HeadGradient {
            rows: &mut self.dy,
            embedding: (gradient, embedding),
            weight,
        });
        self.engine.head(
            (&self.last.y, &mut self.losses),
            tokens,
            (parameters, embedding),
            gradient,
        );
    }

    fn forward(&mut self, parameters: &E::Buffer, tokens: Tokens<'_>) {
        let (engine, x, shape) = (&mut self.engine, &mut self.x, &self.shape);
        let rows = tokens.inputs.len();
        engine.take(tokens);
        engine.resize(x, rows * shape.width);
        engine.embed(x, (parameters, &self.places.embedding), tokens);
        for (layer, places) in self.layers.iter_mut().zip(&self.places.layers) {
            let norm = &mut layer.attention_norm;
            norm.forward(engine, (rows, x), (parameters, &places.attention_gain));
            layer.attend(engine, shape, (rows, tokens.length), (parameters, &places.qkv));
            let sizes = Sizes {
                rows,
                outputs: shape.width,
                inputs: shape.width,
            };
            engine.linear(sizes, (&mut *x, Old::Kept), &layer.mixed, (parameters, &places.o));
            let norm = &mut layer.hidden_norm;
            norm.forward(engine, (rows, x), (parameters, &places.hidden_gain));
            layer.perceive(engine, shape, rows, (parameters, &places.ac));
            let sizes = Sizes {
                rows,
                outputs: shape.width,
                inputs: shape.hidden,
            };
            engine.linear(sizes, (&mut *x, Old::Kept), &layer.gated, (parameters, &places.g));
        }
        let gain = (parameters, &self.places.final_gain);
        self.last.forward(engine, (rows, x), gain);
    }

    /// The gradient through `x += G·(silu(A n) ⊙ (C n))`.
    fn perceptron_back(
        &mut self,
        at: usize,
        places: &LayerPlaces,
        parameters: &E::Buffer,
        gradient: &mut E::Buffer,
    ) {
        let (engine, layer) = (&mut self.engine, &mut self.layers[at]);
        let (rows, width, hidden) = (layer.hidden_norm.rows, self.shape.width, self.shape.hidden);
        let sizes = Sizes {
            rows,
            outputs: width,
            inputs: hidden,
        };
        engine.weight_gradient(sizes, (&mut *gradient, &places.g), &self.dx, &layer.gated);
        engine.resize(&mut self.dmixed, rows * hidden);
        engine.input_gradient(sizes, &mut self.dmixed, &self.dx, (parameters, &places.g));
        // The gradient takes the place of a and c, which nothing needs any more.
        engine.gate_back(&mut layer.ac, &self.dmixed, hidden);
        let sizes = Sizes {
            rows,
            outputs: 2 * hidden,
            inputs: width,
        };
        let y = &layer.hidden_norm.y;
        engine.weight_gradient(sizes, (&mut *gradient, &places.ac), &layer.ac, y);
        engine.input_gradient(sizes, &mut self.dy, &layer.ac, (parameters, &places.ac));
        let gain = &places.hidden_gain;
        engine.normalise_back(
            &layer.hidden_norm,
            (parameters, gain),
            &self.dy,
            (&mut self.dx, (gradient, gain)),
        );
    }

    /// The gradient through `x += O·attention(N x)`.
    fn attention_back(
        &mut self,
        at: usize,
        places: &LayerPlaces,
        parameters: &E::Buffer,
        (length, gradient): (usize, &mut E::Buffer),
    ) {
        let (engine, layer, d) = (&mut self.engine, &self.layers[at], self.shape.width);
        let rows = layer.attention_norm.rows;
        let sizes = Sizes {
            rows,
            outputs: d,
            inputs: d,
        };
        engine.weight_gradient(sizes, (&mut *gradient, &places.o), &self.dx, &layer.mixed);
        engine.resize(&mut self.dmixed, rows * d);
        engine.input_gradient(sizes, &mut self.dmixed, &self.dx, (parameters, &places.o));
        engine.resize(&mut self.dwide, rows * 3 * d);
        engine.attend_back(&layer.attended, &self.dmixed, &mut self.dwide, length);
        let sizes = Sizes {
            outputs: 3 * d,
            ..sizes
        };
        let y = &layer.attention_norm.y;
        engine.weight_gradient(sizes, (&mut *gradient, &places.qkv), &self.dwide, y);
        engine.input_gradient(sizes, &mut self.dy, &self.dwide, (parameters, &places.qkv));
        let gain = &places.attention_gain;
        engine.normalise_back(
            &layer.attention_norm,
            (parameters, gain),
            &self.dy,
            (&mut self.dx, (gradient, gain)),
        );
    }
}

impl<B> Norm<B> {
    fn forward<E: Engine<Buffer = B>>(&mut self, engine: &mut E, (rows, x): (usize, &B), gain: Part<'_, B>) {
        let values = rows * gain.1.len();
        self.rows = rows;
        engine.resize(&mut self.x, values);
        engine.resize(&mut self.y, values);
        engine.resize(&mut self.scales, rows);
        engine.normalise(self, x, gain);
    }
}

impl<B> Layer<B> {
    fn attend<E: Engine<Buffer = B>>(
        &mut self,
        engine: &mut E,
        shape: &Shape,
        (rows, length): (usize, usize),
        qkv: Part<'_, B>,
    ) {
        let d = shape.width;
        let sizes = Sizes {
            rows,
            outputs: 3 * d,
            inputs: d,
        };
        let attended = &mut self.attended;
        engine.resize(&mut attended.qkv, rows * 3 * d);
        engine.resize(&mut self.mixed, rows * d);
        let y = &self.attention_norm.y;
        engine.linear(sizes, (&mut attended.qkv, Old::Dropped), y, qkv);
        engine.resize(&mut attended.probabilities, rows * length * shape.heads);
        engine.attend(attended, &mut self.mixed, length);
    }

    fn perceive<E: Engine<Buffer = B>>(
        &mut self,
        engine: &mut E,
        shape: &Shape,
        rows: usize,
        ac: Part<'_, B>,
    ) {
        let sizes = Sizes {
            rows,
            outputs: 2 * shape.hidden,
            inputs: shape.width,
        };
        engine.resize(&mut self.ac, rows * 2 * shape.hidden);
        engine.resize(&mut self.gated, rows * shape.hidden);
        let y = &self.hidden_norm.y;
        engine.linear(sizes, (&mut self.ac, Old::Dropped), y, ac);
        engine.gate(&self.ac, &mut self.gated, shape.hidden);
    }
}
