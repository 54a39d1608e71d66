//! Matrix products for the shapes of small transformers: packed panels, one chain of multiply-adds an element.
//!
//! Views of slices come in, `dst (+)= a · b` leaves. Element `(m, n)` is `Σ_k a[m,k]·b[k,n]` in ascending k, cut into blocks of
//! [`DEPTH`] whose sums are added to `dst` one after the other. Neither the tile's size nor the machine's caches change that
//! order, so every CPU with fused multiply-add gives the same bits.
//!
//! Sketch: a tile of 8 × 3 vectors needs 24 multiply-adds for 8 broadcasts and 3 loads a step, so the arithmetic units are the
//! limit. Packing and writing around the tiles took a quarter of a step, so panels are packed once a block, and sums of a tile
//! that lies in its matrix as a whole go from registers to it (figures: docs/evaluation.md).

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::level::Level;
use super::panels::Panels;

/// Steps of the sum that are added to the result at once.
const DEPTH: usize = 256;

/// Lanes of vectors that come with 32 registers.
const LANES_WIDE: usize = 16;

/// Width of the widest tile.
const WIDTH_MAX: usize = 3 * LANES_WIDE;

/// A matrix to read: element `(r, c)` lies at `r · row_step + c · column_step`.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    pub(super) data: &'a [T],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_step: usize,
    pub(super) column_step: usize,
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
            level,
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
    level: Level,
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
        if self.level.is_plain() {
            plain(&mut self);
            return;
        }
        if S::F32_LANES < LANES_WIDE {
            self.pack_left::<6>();
            self.tiles::<S, 6, 2>(simd, 0..all);
            return;
        }
        self.pack_left::<8>();
        // A narrow rest costs less in narrow tiles.
        let rest = all % (3 * S::F32_LANES);
        let wide = if rest > 2 * S::F32_LANES { all } else { all - rest };
        self.tiles::<S, 8, 3>(simd, 0..wide);
        if all - wide > S::F32_LANES {
            self.tiles::<S, 8, 2>(simd, wide..all);
        } else {
            self.tiles::<S, 8, 1>(simd, wide..all);
        }
    }
}

impl Block<'_, '_, '_> {
    /// Rows whose steps do not lie one after the other are packed, in panels of `ROWS` rows.
    #[inline(always)]
    fn pack_left<const ROWS: usize>(&mut self) {
        if self.a.column_step != 1 {
            self.panels.left.pack::<ROWS>(self.a, self.start, self.depth);
        }
    }

    /// Computes some columns in tiles of `ROWS` rows and `VECTORS` vectors.
    #[inline(always)]
    fn tiles<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, columns: Range<usize>) {
        let (start, depth, a) = (self.start, self.depth, self.a);
        let Panels { left, right } = &mut *self.panels;
        let width = VECTORS * S::F32_LANES;
        let end = columns.end;
        for column in columns.step_by(width) {
            let columns = column..end.min(column + width);
            let steps = start..start + depth;
            let panel = right.pack(self.level, (self.b, steps, columns.clone()), width);
            let panel = S::as_simd_f32s(panel).0.as_chunks::<VECTORS>().0;
            for row in (0..self.dst.rows).step_by(ROWS) {
                let rows = ROWS.min(self.dst.rows - row);
                let sums = if a.column_step == 1 {
                    let lines = |r: usize| &a.data[(row + r.min(rows - 1)) * a.row_step + start..][..depth];
                    tile_of_rows::<S, ROWS, VECTORS>(simd, std::array::from_fn(lines), panel)
                } else {
                    tile_of_panel::<S, ROWS, VECTORS>(simd, left.panel(row / ROWS, depth), panel)
                };
                let to = Target {
                    data: &mut self.dst.data[row * self.dst.row_step + column..],
                    row_step: self.dst.row_step,
                    rows,
                    columns: columns.len(),
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
        if self.rows == ROWS && self.columns == VECTORS * S::F32_LANES {
            // Loops of constant length over `sums` keep them in registers.
            let (data, row_step) = (self.data, self.row_step);
            for (row, sums) in sums.into_iter().enumerate() {
                let to = &mut data[row * row_step..][..VECTORS * S::F32_LANES];
                let to = S::as_mut_simd_f32s(to).0;
                for (to, sum) in to.iter_mut().zip(sums) {
                    *to = if self.old == Old::Kept {
                        simd.add_f32s(*to, sum)
                    } else {
                        sum
                    };
                }
            }
        } else {
            self.store_edge::<S, ROWS, VECTORS>(&sums);
        }
    }

    /// A tile that does not lie in its matrix as a whole.
    #[inline(never)]
    fn store_edge<S: Simd, const ROWS: usize, const VECTORS: usize>(
        self,
        sums: &Sums<S::f32s, ROWS, VECTORS>,
    ) {
        for (row, sums) in sums.iter().enumerate().take(self.rows) {
            let to = &mut self.data[row * self.row_step..][..self.columns];
            let mut edge = [0.0; WIDTH_MAX];
            for (vector, sum) in S::as_mut_simd_f32s(&mut edge).0.iter_mut().zip(sums) {
                *vector = *sum;
            }
            for (to, sum) in to.iter_mut().zip(edge) {
                *to = if self.old == Old::Kept { *to + sum } else { sum };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows, columns and depth: none, one less and one more of every tile, panel, run and block.
    const SIZES: [(usize, usize, usize); 13] = [
        (65, 65, 300),
        (17, 33, 513),
        (64, 32, 72),
        (6, 112, 63),
        (2, 129, 20),
        (47, 47, 65),
        (9, 49, 9),
        (8, 48, 8),
        (7, 9, 7),
        (13, 16, 257),
        (5, 15, 256),
        (1, 1, 1),
        (24, 96, 64),
    ];

    /// Values behind the columns of a row that must stay what they are.
    const BEHIND: usize = 3;

    fn values(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..count).map(|_| next()).collect()
    }

    /// Element by element, in the order the module promises.
    fn expected(
        level: Level,
        a: Matrix<'_, f32>,
        b: Matrix<'_, f32>,
        (old, was): (Old, f32),
        place: (usize, usize),
    ) -> f32 {
        let steps: Vec<usize> = (0..a.columns).collect();
        let mut to = was;
        for (number, block) in steps.chunks(DEPTH).enumerate() {
            let sum = block.iter().fold(0.0_f32, |sum, step| {
                let (x, y) = (a.at(place.0, *step), b.at(*step, place.1));
                if level.is_plain() {
                    sum + x * y
                } else {
                    x.mul_add(y, sum)
                }
            });
            to = if number == 0 && old == Old::Dropped {
                sum
            } else {
                to + sum
            };
        }
        to
    }

    #[test]
    fn every_product_is_its_chains_of_multiply_adds_on_every_level() {
        for level in Level::all() {
            // The same panels from large to small: what is left in them must not count.
            let mut panels = Panels::default();
            for (rows, columns, depth) in SIZES {
                let (a, b) = (values(rows * depth, 1), values(depth * columns, 2));
                let lefts = [
                    Matrix::new(&a, rows, depth, depth),
                    Matrix::new(&a, depth, rows, rows).transposed(),
                ];
                let rights = [
                    Matrix::new(&b, depth, columns, columns),
                    Matrix::new(&b, columns, depth, depth).transposed(),
                ];
                for (left, right) in lefts.iter().flat_map(|left| rights.map(|right| (*left, right))) {
                    for old in [Old::Dropped, Old::Kept] {
                        let before = values(rows * (columns + BEHIND), 3);
                        let mut found = before.clone();
                        let to = MatrixMut::new(&mut found, rows, columns, columns + BEHIND);
                        product(level, &mut panels, (to, old), left, right);
                        for (at, (found, was)) in found.iter().zip(&before).enumerate() {
                            let (row, column) = (at / (columns + BEHIND), at % (columns + BEHIND));
                            let expected = if column < columns {
                                expected(level, left, right, (old, *was), (row, column))
                            } else {
                                *was
                            };
                            assert_eq!(
                                found.to_bits(),
                                expected.to_bits(),
                                "{level}: {rows} × {columns} × {depth}, {old:?}, element {row}, {column}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_square_is_transposed_alike_on_every_level() {
        let square: super::super::panels::Square =
            std::array::from_fn(|row| std::array::from_fn(|column| (row * 8 + column) as f32));
        for level in Level::all() {
            for (row, line) in level.transposed(square).iter().enumerate() {
                for (column, value) in line.iter().enumerate() {
                    assert_eq!(value.to_bits(), ((column * 8 + row) as f32).to_bits(), "{level}");
                }
            }
        }
    }
}
