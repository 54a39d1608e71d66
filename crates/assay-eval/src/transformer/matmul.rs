//! Matrix products for the shapes of small transformers: packed panels, one chain of multiply-adds an element.
//!
//! Views of slices come in, `dst (+)= a · b` leaves. Element `(m, n)` is `Σ_k a[m,k]·b[k,n]` in ascending k, cut into blocks of
//! [`DEPTH`] whose sums are added to `dst` one after the other. Neither the tile's size nor the machine's caches change that
//! order, so every CPU with fused multiply-add gives the same bits.
//!
//! Sketch: a tile of 8 × 2 vectors needs 16 multiply-adds for 8 broadcasts and 2 loads a step, so the arithmetic units are the
//! limit as long as the panel of `b` (at most `DEPTH` × 2 vectors: 32 KiB) stays in the first cache.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::level::Level;

/// Steps of the sum that are added to the result at once.
const DEPTH: usize = 128;

/// Lanes of vectors that come with 32 registers.
const LANES_WIDE: usize = 16;

/// Width of the widest tile.
const WIDTH_MAX: usize = 4 * LANES_WIDE;

/// Side of the blocks in which a matrix is transposed.
const BLOCK: usize = 8;

/// A matrix to read: element `(r, c)` lies at `r · row_step + c · column_step`.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

/// A matrix to write, row by row.
#[derive(Debug)]
pub struct MatrixMut<'a, T> {
    data: &'a mut [T],
    rows: usize,
    columns: usize,
    row_step: usize,
}

/// What happens to the values a result had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Old {
    /// They are overwritten.
    Dropped,
    /// The product is added to them.
    Kept,
}

impl<'a, T> Matrix<'a, T> {
    /// Rows of `columns` values, one every `row_step`.
    pub(crate) fn new(data: &'a [T], rows: usize, columns: usize, row_step: usize) -> Self {
        assert!(
            rows == 0 || (rows - 1) * row_step + columns <= data.len(),
            "the matrix lies in its slice"
        );
        Self {
            data,
            rows,
            columns,
            row_step,
            column_step: 1,
        }
    }

    /// Rows and columns exchanged.
    #[must_use]
    pub(crate) fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
        }
    }
}

impl<T: Copy> Matrix<'_, T> {
    /// Columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Element `(row, column)`.
    pub(crate) fn at(&self, row: usize, column: usize) -> T {
        self.data[row * self.row_step + column * self.column_step]
    }
}

impl<'a, T> MatrixMut<'a, T> {
    /// Rows of `columns` values, one every `row_step`.
    pub(crate) fn new(data: &'a mut [T], rows: usize, columns: usize, row_step: usize) -> Self {
        assert!(
            rows == 0 || (rows - 1) * row_step + columns <= data.len(),
            "the matrix lies in its slice"
        );
        Self {
            data,
            rows,
            columns,
            row_step,
        }
    }

    /// Rows and columns.
    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// The element `(row, column)`.
    pub(crate) fn at(&mut self, row: usize, column: usize) -> &mut T {
        &mut self.data[row * self.row_step + column]
    }
}

/// Packed panels, kept between products so that nothing is allocated in a step.
#[derive(Debug, Default)]
pub struct Panels {
    left: Vec<f32>,
    right: Vec<f32>,
}

/// `dst = a · b`, or `dst += a · b`.
pub(crate) fn product(
    level: Level,
    panels: &mut Panels,
    (mut dst, old): (MatrixMut<'_, f32>, Old),
    a: Matrix<'_, f32>,
    b: Matrix<'_, f32>,
) {
    assert!(
        a.rows == dst.rows && b.columns == dst.columns && a.columns == b.rows,
        "shapes of a product fit"
    );
    let mut old = old;
    for start in (0..a.columns).step_by(DEPTH) {
        let depth = DEPTH.min(a.columns - start);
        level.run(Block {
            panels: &mut *panels,
            dst: &mut dst,
            old,
            a: &a,
            b: &b,
            start,
            depth,
            is_plain: level.is_plain(),
        });
        old = Old::Kept;
    }
}

/// One block of the sum.
struct Block<'p, 'a, 'd> {
    panels: &'p mut Panels,
    dst: &'p mut MatrixMut<'d, f32>,
    old: Old,
    a: &'p Matrix<'a, f32>,
    b: &'p Matrix<'a, f32>,
    start: usize,
    depth: usize,
    is_plain: bool,
}

/// Without fused multiply-add: products and sums are rounded one by one, in the same order.
#[inline(always)]
fn plain(block: &mut Block<'_, '_, '_>) {
    let (a, b, steps) = (block.a, block.b, block.start..block.start + block.depth);
    let mut line = vec![0.0_f32; block.dst.columns];
    for row in 0..block.dst.rows {
        line.fill(0.0);
        for step in steps.clone() {
            let x = a.at(row, step);
            if b.column_step == 1 {
                let from = &b.data[step * b.row_step..][..line.len()];
                for (sum, b) in line.iter_mut().zip(from) {
                    *sum += x * *b;
                }
            } else {
                for (column, sum) in line.iter_mut().enumerate() {
                    *sum += x * b.data[step * b.row_step + column * b.column_step];
                }
            }
        }
        let to = &mut block.dst.data[row * block.dst.row_step..][..line.len()];
        for (to, sum) in to.iter_mut().zip(&line) {
            *to = if block.old == Old::Kept { *to + *sum } else { *sum };
        }
    }
}

impl WithSimd for Block<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let all = self.dst.columns;
        if self.is_plain {
            plain(&mut self);
            return;
        }
        if S::F32_LANES < LANES_WIDE {
            self.tiles::<S, 6, 2>(simd, 0..all);
            return;
        }
        // A narrow rest costs less in narrow tiles.
        let rest = all % (4 * S::F32_LANES);
        let wide = if rest > 2 * S::F32_LANES { all } else { all - rest };
        self.tiles::<S, 6, 4>(simd, 0..wide);
        self.tiles::<S, 8, 2>(simd, wide..all);
    }
}

impl Block<'_, '_, '_> {
    /// Computes some columns in tiles of `ROWS` rows and `VECTORS` vectors.
    #[inline(always)]
    fn tiles<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, columns: Range<usize>) {
        if columns.is_empty() {
            return;
        }
        let (start, depth, a) = (self.start, self.depth, self.a);
        let Panels { left, right } = &mut *self.panels;
        let width = VECTORS * S::F32_LANES;
        right.resize(DEPTH * WIDTH_MAX, 0.0);
        let right = &mut right[..depth * width];
        if a.column_step != 1 {
            pack_left::<ROWS>(left, a, start, depth);
        }
        let end = columns.end;
        for column in columns.step_by(width) {
            let columns = width.min(end - column);
            pack_right(right, self.b, (start, depth), (column, columns));
            let panel = S::as_simd_f32s(right).0.as_chunks::<VECTORS>().0;
            for row in (0..self.dst.rows).step_by(ROWS) {
                let rows = ROWS.min(self.dst.rows - row);
                let sums = if a.column_step == 1 {
                    let lines = |r: usize| &a.data[(row + r.min(rows - 1)) * a.row_step + start..][..depth];
                    tile_of_rows::<S, ROWS, VECTORS>(simd, std::array::from_fn(lines), panel)
                } else {
                    let left = left[row * depth..][..ROWS * depth].as_chunks::<ROWS>().0;
                    tile_of_panel::<S, ROWS, VECTORS>(simd, left, panel)
                };
                let to = Target {
                    data: &mut self.dst.data[row * self.dst.row_step + column..],
                    row_step: self.dst.row_step,
                    rows,
                    columns,
                    old: self.old,
                };
                to.store(simd, sums);
            }
        }
    }
}

/// Sums of a tile.
type Sums<V, const ROWS: usize, const VECTORS: usize> = [[V; VECTORS]; ROWS];

/// The sums of rows whose steps lie one after the other.
#[inline(always)]
fn tile_of_rows<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    a: [&[f32]; ROWS],
    b: &[[S::f32s; VECTORS]],
) -> Sums<S::f32s, ROWS, VECTORS> {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    let a = a.map(|line| &line[..b.len()]);
    for (step, b) in b.iter().enumerate() {
        for (sums, line) in sums.iter_mut().zip(&a) {
            let x = simd.splat_f32s(line[step]);
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = simd.mul_add_e_f32s(x, *b, *sum);
            }
        }
    }
    sums
}

/// The sums of a packed panel.
#[inline(always)]
fn tile_of_panel<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    a: &[[f32; ROWS]],
    b: &[[S::f32s; VECTORS]],
) -> Sums<S::f32s, ROWS, VECTORS> {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    for (a, b) in a.iter().zip(b) {
        for (sums, x) in sums.iter_mut().zip(a) {
            let x = simd.splat_f32s(*x);
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = simd.mul_add_e_f32s(x, *b, *sum);
            }
        }
    }
    sums
}

/// Where a tile goes.
struct Target<'d> {
    data: &'d mut [f32],
    row_step: usize,
    rows: usize,
    columns: usize,
    old: Old,
}

impl Target<'_> {
    #[inline(always)]
    fn store<S: Simd, const ROWS: usize, const VECTORS: usize>(
        self,
        simd: S,
        sums: Sums<S::f32s, ROWS, VECTORS>,
    ) {
        let width = VECTORS * S::F32_LANES;
        let is_whole = self.columns == width;
        for (row, sums) in sums.iter().enumerate() {
            if row >= self.rows {
                return;
            }
            let to = &mut self.data[row * self.row_step..][..self.columns];
            let mut edge = [0.0; WIDTH_MAX];
            if is_whole {
                for (vector, sum) in S::as_mut_simd_f32s(to).0.iter_mut().zip(sums) {
                    *vector = if self.old == Old::Kept {
                        simd.add_f32s(*vector, *sum)
                    } else {
                        *sum
                    };
                }
                continue;
            }
            for (vector, sum) in S::as_mut_simd_f32s(&mut edge).0.iter_mut().zip(sums) {
                *vector = *sum;
            }
            for (to, sum) in to.iter_mut().zip(edge) {
                *to = if self.old == Old::Kept { *to + sum } else { sum };
            }
        }
    }
}

/// Packs `depth` steps of all rows: panels of [`ROWS`] rows, the values of a step side by side.
#[inline(always)]
fn pack_left<const ROWS: usize>(to: &mut Vec<f32>, a: &Matrix<'_, f32>, start: usize, depth: usize) {
    to.resize(a.rows.next_multiple_of(ROWS) * depth, 0.0);
    for (tile, panel) in to.chunks_exact_mut(ROWS * depth).enumerate() {
        let row = tile * ROWS;
        let rows = ROWS.min(a.rows - row);
        for (step, to) in panel.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
            let from = &a.data[(start + step) * a.column_step + row..];
            if let Some(from) = from.first_chunk::<ROWS>().filter(|_| rows == ROWS) {
                *to = *from;
            } else {
                to[..rows].copy_from_slice(&from[..rows]);
            }
        }
    }
}

/// Packs `depth` steps of some columns, the values of a step side by side; missing columns stay what they were.
#[inline(always)]
fn pack_right(
    to: &mut [f32],
    b: &Matrix<'_, f32>,
    (start, depth): (usize, usize),
    (column, columns): (usize, usize),
) {
    let width = to.len() / depth;
    if b.column_step == 1 {
        for (step, to) in to.chunks_exact_mut(width).enumerate() {
            let from = &b.data[(start + step) * b.row_step + column..][..columns];
            to[..columns].copy_from_slice(from);
        }
        return;
    }
    for at in (0..columns).step_by(BLOCK) {
        let lines =
            |r: usize| &b.data[(column + (at + r).min(columns - 1)) * b.column_step + start..][..depth];
        let lines: [&[f32]; BLOCK] = std::array::from_fn(lines);
        for (step, to) in to.chunks_exact_mut(width).enumerate() {
            let to: &mut [f32] = &mut to[at..];
            let to = &mut to[..BLOCK];
            for (to, line) in to.iter_mut().zip(lines) {
                *to = line[step];
            }
        }
    }
}
