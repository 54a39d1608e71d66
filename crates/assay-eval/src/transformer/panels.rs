//! Packed panels of matrices: what a tile of a product reads, side by side, kept so that a step allocates nothing.

use std::ops::Range;

use super::level::Level;
use super::matmul::Matrix;

/// Steps of all rows that are packed at a time: as many lines of a matrix are read from one end to the other.
const STEPS: usize = 32;

/// Steps left free behind a panel: panels of a power of two would fall on the same lines of the caches.
const GAP: usize = 2;

/// Steps that are transposed of all columns before the next: four lines of a cache of each column, read one behind the other.
const RUN: usize = 64;

/// Side of the squares in which a matrix is transposed.
const SIDE: usize = 8;

/// A square of values.
pub(super) type Square = [[f32; SIDE]; SIDE];

/// Panels of both operands.
#[derive(Debug, Default)]
pub struct Panels {
    pub(super) left: Left,
    pub(super) right: Right,
}

/// All rows of the left operand, in panels of a few rows.
#[derive(Debug, Default)]
pub(super) struct Left(Vec<f32>);

/// Some columns of the right operand.
#[derive(Debug, Default)]
pub(super) struct Right(Vec<f32>);

impl Left {
    /// Packs `depth` steps of all rows of a matrix whose rows lie side by side.
    #[inline(always)]
    pub(super) fn pack<const ROWS: usize>(&mut self, a: &Matrix<'_, f32>, start: usize, depth: usize) {
        self.0.resize(a.rows.div_ceil(ROWS) * (depth + GAP) * ROWS, 0.0);
        for from_step in (0..depth).step_by(STEPS) {
            let steps = STEPS.min(depth - from_step);
            for (tile, panel) in self.0.chunks_exact_mut((depth + GAP) * ROWS).enumerate() {
                let row = tile * ROWS;
                let rows = ROWS.min(a.rows - row);
                let panel = &mut panel.as_chunks_mut::<ROWS>().0[from_step..][..steps];
                for (step, to) in (start + from_step..).zip(panel) {
                    let from = &a.data[step * a.column_step + row..];
                    if let Some(from) = from.first_chunk::<ROWS>().filter(|_| rows == ROWS) {
                        *to = *from;
                    } else {
                        to[..rows].copy_from_slice(&from[..rows]);
                    }
                }
            }
        }
    }

    /// The panel of a number; the values of a step side by side.
    #[inline(always)]
    pub(super) fn panel<const ROWS: usize>(&self, number: usize, depth: usize) -> &[[f32; ROWS]] {
        let start = number * (depth + GAP) * ROWS;
        self.0[start..][..depth * ROWS].as_chunks::<ROWS>().0
    }
}

impl Right {
    /// Some steps of some columns, the values of a step side by side in rows of `width`; missing columns are anything.
    #[inline(always)]
    pub(super) fn pack(
        &mut self,
        level: Level,
        (b, steps, columns): (&Matrix<'_, f32>, Range<usize>, Range<usize>),
        width: usize,
    ) -> &[f32] {
        let values = steps.len() * width;
        if self.0.len() < values {
            self.0.resize(values, 0.0);
        }
        let to = &mut self.0[..values];
        if b.column_step == 1 {
            for (step, to) in steps.zip(to.chunks_exact_mut(width)) {
                let from = &b.data[step * b.row_step..][columns.clone()];
                if columns.len() == width {
                    // A constant length once this is inlined.
                    to.copy_from_slice(&from[..width]);
                } else {
                    to[..columns.len()].copy_from_slice(from);
                }
            }
            return to;
        }
        for (start, to) in steps.step_by(RUN).zip(to.chunks_mut(RUN * width)) {
            for side in (0..columns.len()).step_by(SIDE) {
                let line = |r: usize| {
                    let column = (columns.start + side + r).min(columns.end - 1);
                    &b.data[column * b.column_step + start..]
                };
                transpose(level, std::array::from_fn(line), (&mut *to, width, side));
            }
        }
        to
    }
}

/// Writes values of lines side by side into rows of `width`, from a column on.
#[inline(always)]
fn transpose(level: Level, lines: [&[f32]; SIDE], (to, width, side): (&mut [f32], usize, usize)) {
    let steps = to.len() / width;
    let lines = lines.map(|line| &line[..steps]);
    for at in (0..steps).step_by(SIDE) {
        let rows = to[at * width..].chunks_exact_mut(width);
        let Some(square) = square(&lines, at) else {
            for (step, to) in (at..).zip(rows) {
                for (to, line) in to[side..][..SIDE].iter_mut().zip(lines) {
                    *to = line[step];
                }
            }
            return;
        };
        for (to, values) in rows.zip(level.transposed(square)) {
            to[side..][..SIDE].copy_from_slice(&values);
        }
    }
}

/// The next values of all lines, if they are enough.
#[inline(always)]
fn square(lines: &[&[f32]; SIDE], at: usize) -> Option<Square> {
    let mut square = [[0.0; SIDE]; SIDE];
    for (to, line) in square.iter_mut().zip(lines) {
        *to = *line[at..].first_chunk::<SIDE>()?;
    }
    Some(square)
}
