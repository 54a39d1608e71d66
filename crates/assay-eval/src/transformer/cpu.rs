//! The engine on the processor: vectors of numbers, products in packed panels, everything else in plain loops.

use super::attention::{Attention, Mixing};
use super::engine::{Attended, Engine, HeadGradient, Norm, Part, PartMut, Sizes, Tokens};
use super::head::{self, Head};
use super::kernel::{Normalised, gate, gate_back, normalise, normalise_back};
use super::level::Level;
use super::matmul::{Matrix, MatrixMut, Old};
use super::real::Real;
use super::shape::Shape;

/// One thread's engine.
#[derive(Debug)]
pub(crate) struct Cpu<T: Real> {
    width: usize,
    level: Level,
    attention: Attention<T>,
    panels: T::Panels,
    logits: Vec<T>,
    scores: Vec<T>,
}

impl<T: Real> Cpu<T> {
    /// An engine for models of a shape.
    pub(crate) fn new(shape: &Shape, level: Level) -> Self {
        Self {
            width: shape.width,
            level,
            attention: Attention::new(shape),
            panels: T::Panels::default(),
            logits: Vec::new(),
            scores: Vec::new(),
        }
    }
}

/// The values of a part.
fn values<T>((of, range): Part<'_, Vec<T>>) -> &[T] {
    &of[range.clone()]
}

fn values_mut<T>((of, range): PartMut<'_, Vec<T>>) -> &mut [T] {
    &mut of[range.clone()]
}

impl<T: Real> Engine for Cpu<T> {
    type Buffer = Vec<T>;

    fn resize(&mut self, buffer: &mut Vec<T>, values: usize) {
        buffer.resize(values, T::ZERO);
    }

    fn clear(&mut self, buffer: &mut Vec<T>) {
        buffer.fill(T::ZERO);
    }

    fn take(&mut self, _: Tokens<'_>) {}

    fn embed(&mut self, x: &mut Vec<T>, embedding: Part<'_, Vec<T>>, tokens: Tokens<'_>) {
        let (d, embedding) = (self.width, values(embedding));
        for (id, x) in tokens.inputs.iter().zip(x.chunks_exact_mut(d)) {
            x.copy_from_slice(&embedding[usize::from(*id) * d..][..d]);
        }
    }

    fn embed_back(&mut self, dx: &Vec<T>, embedding: PartMut<'_, Vec<T>>, tokens: Tokens<'_>) {
        let (d, embedding) = (self.width, values_mut(embedding));
        for (id, dx) in tokens.inputs.iter().zip(dx.chunks_exact(d)) {
            let row = &mut embedding[usize::from(*id) * d..][..d];
            for (to, dx) in row.iter_mut().zip(dx) {
                *to += *dx;
            }
        }
    }

    fn normalise(&mut self, norm: &mut Norm<Vec<T>>, x: &Vec<T>, gain: Part<'_, Vec<T>>) {
        norm.x.copy_from_slice(x);
        let gain = values(gain);
        self.level.loops(
            #[inline(always)]
            || normalise(x, gain, &mut norm.y, &mut norm.scales),
        );
    }

    fn normalise_back(
        &mut self,
        norm: &Norm<Vec<T>>,
        gain: Part<'_, Vec<T>>,
        dy: &Vec<T>,
        (dx, dgain): (&mut Vec<T>, PartMut<'_, Vec<T>>),
    ) {
        let norm = Normalised {
            x: &norm.x,
            scales: &norm.scales,
            gain: values(gain),
        };
        let dgain = values_mut(dgain);
        self.level.loops(
            #[inline(always)]
            || normalise_back(&norm, dy, dx, dgain),
        );
    }

    fn linear(&mut self, sizes: Sizes, (to, old): (&mut Vec<T>, Old), x: &Vec<T>, w: Part<'_, Vec<T>>) {
        let Sizes {
            rows,
            outputs,
            inputs,
        } = sizes;
        let to = (MatrixMut::new(to, rows, outputs, outputs), old);
        let x = Matrix::new(x, rows, inputs, inputs);
        let w = Matrix::new(values(w), outputs, inputs, inputs).transposed();
        T::product(self.level, &mut self.panels, to, x, w);
    }

    fn weight_gradient(&mut self, sizes: Sizes, dw: PartMut<'_, Vec<T>>, dy: &Vec<T>, x: &Vec<T>) {
        let Sizes {
            rows,
            outputs,
            inputs,
        } = sizes;
        let to = MatrixMut::new(values_mut(dw), outputs, inputs, inputs);
        let dy = Matrix::new(dy, rows, outputs, outputs).transposed();
        let x = Matrix::new(x, rows, inputs, inputs);
        T::product(self.level, &mut self.panels, (to, Old::Kept), dy, x);
    }

    fn input_gradient(&mut self, sizes: Sizes, dx: &mut Vec<T>, dy: &Vec<T>, w: Part<'_, Vec<T>>) {
        let Sizes {
            rows,
            outputs,
            inputs,
        } = sizes;
        let to = MatrixMut::new(dx, rows, inputs, inputs);
        let dy = Matrix::new(dy, rows, outputs, outputs);
        let w = Matrix::new(values(w), outputs, inputs, inputs);
        T::product(self.level, &mut self.panels, (to, Old::Dropped), dy, w);
    }

    fn attend(&mut self, attended: &mut Attended<Vec<T>>, to: &mut Vec<T>, length: usize) {
        let mut by = Mixing {
            level: self.level,
            panels: &mut self.panels,
            length,
        };
        let Attended { qkv, probabilities } = attended;
        self.attention.forward(&mut by, qkv, probabilities, to);
    }

    fn attend_back(&mut self, attended: &Attended<Vec<T>>, dy: &Vec<T>, dqkv: &mut Vec<T>, length: usize) {
        let mut by = Mixing {
            level: self.level,
            panels: &mut self.panels,
            length,
        };
        let kept = (&attended.qkv[..], &attended.probabilities[..]);
        self.attention
            .backward(&mut by, kept, dy, (dqkv, &mut self.scores));
    }

    fn gate(&mut self, ac: &Vec<T>, to: &mut Vec<T>, hidden: usize) {
        self.level.loops(
            #[inline(always)]
            || gate(ac, to, hidden),
        );
    }

    fn gate_back(&mut self, ac: &mut Vec<T>, dy: &Vec<T>, hidden: usize) {
        self.level.loops(
            #[inline(always)]
            || gate_back(ac, dy, hidden),
        );
    }

    fn head(
        &mut self,
        (rows, losses): (&Vec<T>, &mut Vec<T>),
        tokens: Tokens<'_>,
        embedding: Part<'_, Vec<T>>,
        gradient: Option<HeadGradient<'_, Vec<T>>>,
    ) {
        let mut head = Head {
            level: self.level,
            panels: &mut self.panels,
            logits: &mut self.logits,
            embedding: values(embedding),
            width: self.width,
        };
        let gradient = gradient.map(|gradient| head::Gradient {
            rows: gradient.rows,
            embedding: values_mut(gradient.embedding),
            weight: T::of(gradient.weight),
        });
        head.losses(rows, tokens.targets, losses, gradient);
    }
}
