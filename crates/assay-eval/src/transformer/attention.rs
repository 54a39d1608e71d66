//! Causal attention of a batch of sequences, in blocks of rows, so that what lies above the diagonal is hardly computed.
//!
//! Rows of q, k and v come in side by side, mixed values leave; probabilities are kept for the gradient.

use super::kernel::{rotate, rotate_back, softmax_back, softmax_prefix};
use super::level::Level;
use super::matmul::{Matrix, MatrixMut, Old};
use super::real::Real;
use super::shape::Shape;

/// Rows of a block.
const BLOCK_ROWS: usize = 64;

/// Base of the rotation's wavelengths (docs/evaluation.md).
const ROTATION_BASE: f64 = 10_000.0;

/// Attention of one layer: sizes and angles.
#[derive(Debug, Clone)]
pub(crate) struct Attention<T> {
    width: usize,
    heads: usize,
    /// Per position the cosines of half a head, then the sines; for q with the scale of the products in it.
    query_angles: Vec<T>,
    key_angles: Vec<T>,
}

/// What is mixed: sequences of `length` rows.
#[derive(Debug)]
pub(crate) struct Mixing<'a, T: Real> {
    /// Vector instructions.
    pub(crate) level: Level,
    /// Memory for products.
    pub(crate) panels: &'a mut T::Panels,
    /// Rows of a sequence.
    pub(crate) length: usize,
}

/// One head of one sequence.
struct Head {
    /// Row of the sequence's start.
    row: usize,
    /// Column of the head.
    column: usize,
    /// Where its probabilities start.
    start: usize,
}

/// Per position the cosines of half a head, then the sines: for q, with the scale of the products in it, and for k.
pub(crate) fn angles<T: Real>(shape: &Shape) -> [Vec<T>; 2] {
    let half = shape.head_width() / 2;
    let scaled = |scale: f64| {
        let mut values = Vec::with_capacity(shape.context * 2 * half);
        for position in 0..shape.context {
            let angle = |pair: usize| position as f64 * ROTATION_BASE.powf(-(pair as f64) / half as f64);
            values.extend((0..half).map(|pair| T::of(angle(pair).cos() * scale)));
            values.extend((0..half).map(|pair| T::of(angle(pair).sin() * scale)));
        }
        values
    };
    [scaled(1.0 / (shape.head_width() as f64).sqrt()), scaled(1.0)]
}

impl<T: Real> Attention<T> {
    /// Angles for every position of the context.
    pub(crate) fn new(shape: &Shape) -> Self {
        let [query_angles, key_angles] = angles(shape);
        Self {
            width: shape.width,
            heads: shape.heads,
            query_angles,
            key_angles,
        }
    }

    fn head_width(&self) -> usize {
        self.width / self.heads
    }

    /// Rotates all q and k, or back.
    fn rotate_all(&self, level: Level, qkv: &mut [T], length: usize, is_back: bool) {
        let (d, width) = (self.width, self.head_width());
        level.loops(
            #[inline(always)]
            || {
                for (row, values) in qkv.chunks_exact_mut(3 * d).enumerate() {
                    let position = row % length;
                    let (q, rest) = values.split_at_mut(d);
                    for (part, angles) in [(q, &self.query_angles), (&mut rest[..d], &self.key_angles)] {
                        let angles = &angles[position * width..][..width];
                        let (cosines, sines) = angles.split_at(width / 2);
                        for head in part.chunks_exact_mut(width) {
                            if is_back {
                                rotate_back(head, cosines, sines);
                            } else {
                                rotate(head, cosines, sines);
                            }
                        }
                    }
                }
            },
        );
    }

    /// The heads of `rows` rows.
    fn heads_of(&self, rows: usize, length: usize) -> impl Iterator<Item = Head> + use<T> {
        let (heads, width) = (self.heads, self.head_width());
        (0..rows / length * heads).map(move |index| Head {
            row: index / heads * length,
            column: index % heads * width,
            start: index * length * length,
        })
    }

    /// A block of rows of q (0), k (1) or v (2) of a head.
    fn part<'a>(&self, qkv: &'a [T], head: &Head, part: usize, rows: (usize, usize)) -> Matrix<'a, T> {
        let d = self.width;
        let start = (head.row + rows.0) * 3 * d + part * d + head.column;
        Matrix::new(&qkv[start..], rows.1 - rows.0, self.head_width(), 3 * d)
    }

    fn part_mut<'a>(
        &self,
        qkv: &'a mut [T],
        head: &Head,
        part: usize,
        rows: (usize, usize),
    ) -> MatrixMut<'a, T> {
        let d = self.width;
        let start = (head.row + rows.0) * 3 * d + part * d + head.column;
        MatrixMut::new(&mut qkv[start..], rows.1 - rows.0, self.head_width(), 3 * d)
    }

    /// Rotates q and k in place, fills `probabilities` and writes the mixed values.
    pub(crate) fn forward(
        &self,
        by: &mut Mixing<'_, T>,
        qkv: &mut [T],
        probabilities: &mut [T],
        to: &mut [T],
    ) {
        let (d, length, level) = (self.width, by.length, by.level);
        self.rotate_all(level, qkv, length, false);
        for head in self.heads_of(to.len() / d, length) {
            let p = &mut probabilities[head.start..][..length * length];
            for (from, end) in blocks(length) {
                let scores = MatrixMut::new(&mut p[from * length..], end - from, end, length);
                let keys = self.part(qkv, &head, 1, (0, end)).transposed();
                let queries = self.part(qkv, &head, 0, (from, end));
                T::product(level, by.panels, (scores, Old::Dropped), queries, keys);
                level.loops(
                    #[inline(always)]
                    || {
                        for (row, p) in (from..end).zip(p[from * length..].chunks_exact_mut(length)) {
                            softmax_prefix(&mut p[..end], row + 1);
                        }
                    },
                );
                let mixed = &mut to[(head.row + from) * d + head.column..];
                let mixed = MatrixMut::new(mixed, end - from, self.head_width(), d);
                let p = Matrix::new(&p[from * length..], end - from, end, length);
                let values = self.part(qkv, &head, 2, (0, end));
                T::product(level, by.panels, (mixed, Old::Dropped), p, values);
            }
        }
    }

    /// Writes the gradient of q, k and v before their rotation; `scratch` holds a block of rows.
    pub(crate) fn backward(
        &self,
        by: &mut Mixing<'_, T>,
        (qkv, probabilities): (&[T], &[T]),
        dy: &[T],
        (dqkv, scratch): (&mut [T], &mut Vec<T>),
    ) {
        let (d, length, level) = (self.width, by.length, by.level);
        dqkv.fill(T::ZERO);
        scratch.resize(BLOCK_ROWS * length, T::ZERO);
        for head in self.heads_of(dy.len() / d, length) {
            let p = &probabilities[head.start..][..length * length];
            for (from, end) in blocks(length) {
                let rows = end - from;
                let dy = Matrix::new(
                    &dy[(head.row + from) * d + head.column..],
                    rows,
                    self.head_width(),
                    d,
                );
                let p_rows = &p[from * length..];
                let p = Matrix::new(p_rows, rows, end, length);
                let to_values = self.part_mut(dqkv, &head, 2, (0, end));
                T::product(level, by.panels, (to_values, Old::Kept), p.transposed(), dy);
                let scores = MatrixMut::new(scratch, rows, end, end);
                let values = self.part(qkv, &head, 2, (0, end)).transposed();
                T::product(level, by.panels, (scores, Old::Dropped), dy, values);
                level.loops(
                    #[inline(always)]
                    || {
                        for (p, dp) in p_rows
                            .chunks(length)
                            .zip(scratch.chunks_exact_mut(end))
                            .take(rows)
                        {
                            softmax_back(&p[..end], dp);
                        }
                    },
                );
                let scores = Matrix::new(scratch, rows, end, end);
                let to_queries = self.part_mut(dqkv, &head, 0, (from, end));
                let keys = self.part(qkv, &head, 1, (0, end));
                T::product(level, by.panels, (to_queries, Old::Dropped), scores, keys);
                let to_keys = self.part_mut(dqkv, &head, 1, (0, end));
                let queries = self.part(qkv, &head, 0, (from, end));
                T::product(
                    level,
                    by.panels,
                    (to_keys, Old::Kept),
                    scores.transposed(),
                    queries,
                );
            }
        }
        self.rotate_all(level, dqkv, length, true);
    }
}

/// First and last row of every block.
fn blocks(length: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..length)
        .step_by(BLOCK_ROWS)
        .map(move |from| (from, length.min(from + BLOCK_ROWS)))
}
