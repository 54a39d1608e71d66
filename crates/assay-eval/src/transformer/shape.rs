//! Shapes of models and where each tensor lies in the one flat vector of parameters.
//!
//! Order of tensors: embedding, per layer attention gain, q, k, v, o, perceptron gain, a, c, g, then the final gain. Matrices
//! are `[outputs, inputs]`, row by row. q, k and v lie side by side, so do a and c: each group is one product.

use std::ops::Range;

/// Size of a decoder-only transformer and of its batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Width of the residual stream.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Heads of a layer.
    pub heads: usize,
    /// Width of the perceptron.
    pub hidden: usize,
    /// Tokens of a sequence.
    pub context: usize,
    /// Sequences of a step.
    pub batch: usize,
    /// Token ids.
    pub vocabulary: usize,
}

/// What a tensor is for: decides its start value and whether it decays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Gain of a normalisation: starts at 1, never decays.
    Gain,
    /// A matrix from the stream.
    Inner,
    /// A matrix back into the stream: starts smaller by √(2·layers).
    Outer,
}

/// One tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its name in saved models.
    pub name: String,
    /// Outputs and inputs; a gain has one row.
    pub rows: usize,
    /// Inputs.
    pub columns: usize,
    /// What it is for.
    pub role: Role,
    /// First value in the flat vector.
    pub start: usize,
}

impl Tensor {
    /// Its place in the flat vector.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.rows * self.columns
    }
}

/// Places of a layer's tensors.
#[derive(Debug, Clone)]
pub(crate) struct LayerPlaces {
    pub(crate) attention_gain: Range<usize>,
    /// q, k and v.
    pub(crate) qkv: Range<usize>,
    pub(crate) o: Range<usize>,
    pub(crate) hidden_gain: Range<usize>,
    /// a and c.
    pub(crate) ac: Range<usize>,
    pub(crate) g: Range<usize>,
}

/// All places.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) embedding: Range<usize>,
    pub(crate) layers: Vec<LayerPlaces>,
    pub(crate) final_gain: Range<usize>,
}

impl Shape {
    /// Width of a head.
    pub fn head_width(&self) -> usize {
        self.width / self.heads
    }

    /// Tokens of a step.
    pub fn step_tokens(&self) -> usize {
        self.batch * self.context
    }

    /// Whether the parts fit: heads of equal even width, nothing empty.
    pub fn is_whole(&self) -> bool {
        let sizes = [self.layers, self.heads, self.hidden, self.context, self.batch];
        sizes.iter().all(|size| *size > 0)
            && self.vocabulary > 1
            && self.width.is_multiple_of(2 * self.heads)
            && self.width > 0
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.tensors().last().map_or(0, |tensor| tensor.range().end)
    }

    /// All tensors in order.
    pub fn tensors(&self) -> Vec<Tensor> {
        let (d, m) = (self.width, self.hidden);
        let mut tensors: Vec<Tensor> = Vec::new();
        let mut start = 0;
        let mut add = |name: String, rows: usize, columns: usize, role: Role| {
            tensors.push(Tensor {
                name,
                rows,
                columns,
                role,
                start,
            });
            start += rows * columns;
        };
        add("embedding".to_owned(), self.vocabulary, d, Role::Inner);
        for layer in 0..self.layers {
            let mut of_layer = |name: &str, rows, columns, role| {
                add(format!("layers.{layer}.{name}"), rows, columns, role);
            };
            of_layer("attention.gain", 1, d, Role::Gain);
            of_layer("attention.q", d, d, Role::Inner);
            of_layer("attention.k", d, d, Role::Inner);
            of_layer("attention.v", d, d, Role::Inner);
            of_layer("attention.o", d, d, Role::Outer);
            of_layer("perceptron.gain", 1, d, Role::Gain);
            of_layer("perceptron.a", m, d, Role::Inner);
            of_layer("perceptron.c", m, d, Role::Inner);
            of_layer("perceptron.g", d, m, Role::Outer);
        }
        add("gain".to_owned(), 1, d, Role::Gain);
        tensors
    }

    /// Where the parts lie.
    pub(crate) fn places(&self) -> Places {
        let (d, m) = (self.width, self.hidden);
        let mut end = 0;
        let mut next = |length: usize| {
            let start = end;
            end += length;
            start..end
        };
        let embedding = next(self.vocabulary * d);
        let layers = (0..self.layers).map(|_| LayerPlaces {
            attention_gain: next(d),
            qkv: next(3 * d * d),
            o: next(d * d),
            hidden_gain: next(d),
            ac: next(2 * m * d),
            g: next(d * m),
        });
        Places {
            embedding,
            layers: layers.collect(),
            final_gain: next(d),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::transformer::profile::{AUDIT_V1, CPU_V1, GPU_V1};

    #[test]
    fn parameters_are_those_of_the_profiles() {
        // docs/evaluation.md
        assert_eq!(CPU_V1.shape.parameters(), 237_888);
        assert_eq!(GPU_V1.shape.parameters(), 33_460_992);
        assert_eq!(AUDIT_V1.shape.parameters(), 151_868_928);
    }

    #[test]
    fn places_are_those_of_the_tensors() {
        let shape = CPU_V1.shape;
        let (tensors, places) = (shape.tensors(), shape.places());
        let of = |name: &str| tensors.iter().find(|tensor| tensor.name == name).unwrap().range();
        assert_eq!(places.embedding, of("embedding"));
        assert_eq!(places.layers[1].qkv.start, of("layers.1.attention.q").start);
        assert_eq!(places.layers[1].qkv.end, of("layers.1.attention.v").end);
        assert_eq!(places.layers[1].ac.end, of("layers.1.perceptron.c").end);
        assert_eq!(places.layers[1].g, of("layers.1.perceptron.g"));
        assert_eq!(places.final_gain, of("gain"));
        assert_eq!(places.final_gain.end, shape.parameters());
    }
}
