//! The output: logits of a few rows at a time, their losses, and the gradient before the next rows.
//!
//! Logits of all rows would be the largest buffer of a step. A chunk is as many rows as make packing the embedding cheap
//! beside multiplying by it.

use super::kernel::exponentials;
use super::level::Level;
use super::matmul::{Matrix, MatrixMut, Old};
use super::real::Real;

/// Rows whose logits are held at once.
const CHUNK_ROWS: usize = 256;

/// Values between rows of logits: rows of a power of two would fall on the same lines of the caches.
const ROW_GAP: usize = 16;

/// The output layer: the embedding, transposed.
#[derive(Debug)]
pub(crate) struct Head<'a, T: Real> {
    /// Vector instructions.
    pub(crate) level: Level,
    /// Memory for products.
    pub(crate) panels: &'a mut T::Panels,
    /// Memory for logits.
    pub(crate) logits: &'a mut Vec<T>,
    /// `[vocabulary, width]`.
    pub(crate) embedding: &'a [T],
    /// Width of the stream.
    pub(crate) width: usize,
}

/// Where gradients of the output go.
#[derive(Debug)]
pub(crate) struct Gradient<'a, T> {
    /// Of the rows; overwritten.
    pub(crate) rows: &'a mut [T],
    /// Of the embedding; added to.
    pub(crate) embedding: &'a mut [T],
    /// Weight of a row's loss.
    pub(crate) weight: T,
}

impl<T: Real> Head<'_, T> {
    /// Writes the loss of every row in natural units, and adds gradients.
    pub(crate) fn losses(
        &mut self,
        rows: &[T],
        targets: &[u16],
        losses: &mut [T],
        mut gradient: Option<Gradient<'_, T>>,
    ) {
        let (d, level) = (self.width, self.level);
        let vocabulary = self.embedding.len() / d;
        let step = vocabulary + ROW_GAP;
        self.logits.resize(CHUNK_ROWS * step, T::ZERO);
        let embedding = Matrix::new(self.embedding, vocabulary, d, d);
        let chunks = rows.chunks(CHUNK_ROWS * d).zip(targets.chunks(CHUNK_ROWS));
        for (at, ((x, targets), losses)) in chunks.zip(losses.chunks_mut(CHUNK_ROWS)).enumerate() {
            let count = targets.len();
            let x = Matrix::new(x, count, d, d);
            let logits = MatrixMut::new(self.logits, count, vocabulary, step);
            T::product(
                level,
                self.panels,
                (logits, Old::Dropped),
                x,
                embedding.transposed(),
            );
            let weight = gradient.as_ref().map(|gradient| gradient.weight);
            let mut lines = self.logits.chunks_exact_mut(step).zip(targets).zip(losses);
            level.loops(
                #[inline(always)]
                || {
                    for ((line, target), loss) in &mut lines {
                        *loss = cross_entropy(&mut line[..vocabulary], usize::from(*target), weight);
                    }
                },
            );
            if let Some(gradient) = &mut gradient {
                let logits = Matrix::new(self.logits, count, vocabulary, step);
                let to = &mut gradient.rows[at * CHUNK_ROWS * d..];
                let to = MatrixMut::new(to, count, d, d);
                T::product(level, self.panels, (to, Old::Dropped), logits, embedding);
                let to = MatrixMut::new(gradient.embedding, vocabulary, d, d);
                T::product(level, self.panels, (to, Old::Kept), logits.transposed(), x);
            }
        }
    }
}

/// `−ln softmax(row)[target]`; with a weight the row becomes its gradient.
#[inline(always)]
fn cross_entropy<T: Real>(row: &mut [T], target: usize, weight: Option<T>) -> T {
    let of_target = row[target];
    let (top, total) = exponentials(row);
    if let Some(weight) = weight {
        let scale = weight / total;
        for value in row.iter_mut() {
            *value *= scale;
        }
        row[target] += -weight;
    }
    // One logarithm a row: rounding it through f64 keeps it the same wherever f64's is within half a unit of f32.
    T::of(total.wide().ln()) + top - of_target
}
