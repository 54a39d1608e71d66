//! Rows of fixed-point numbers over the uids of a subnet, with the runtime's order of sums.
//!
//! Sparse chain rows come in; weights, clipped weights and bonds leave as [`Matrix`]. An empty row stands for zeros,
//! which is why 64 validators among 256 uids cost a quarter of the square (runtime: `*_sparse` functions of
//! opentensor/subtensor 14bc6f9 `epoch/math.rs`, whose results a dense row reproduces: absent cells are zero there).

use super::fixed::{Fixed, normalize, sum};

/// One row per uid; each row holds one cell per uid, or none if all are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matrix {
    rows: Vec<Vec<Fixed>>,
}

impl Matrix {
    /// `n` rows made by `row`, which returns `n` cells or none.
    pub(crate) fn new(n: usize, row: impl FnMut(usize) -> Vec<Fixed>) -> Self {
        Self {
            rows: (0..n).map(row).collect(),
        }
    }

    /// The rows in uid order.
    pub(crate) fn rows(&self) -> &[Vec<Fixed>] {
        &self.rows
    }

    /// Divides each row by its sum; a row of sum zero stays.
    pub(crate) fn normalize_rows(&mut self) {
        self.rows.iter_mut().for_each(|row| normalize(row));
    }

    /// Divides each column by its sum; a column of sum zero stays.
    pub(crate) fn normalize_columns(&mut self) {
        let sums = self.fold_columns(Fixed::add);
        self.divide_columns(&sums);
    }

    /// Divides each column by its largest cell; a column of zeros stays.
    pub(crate) fn upscale_columns(&mut self) {
        let largest = self.fold_columns(Ord::max);
        self.divide_columns(&largest);
    }

    fn fold_columns(&self, fold: impl Fn(Fixed, Fixed) -> Fixed) -> Vec<Fixed> {
        let mut folded = vec![Fixed::ZERO; self.rows.len()];
        for row in &self.rows {
            for (to, &cell) in folded.iter_mut().zip(row) {
                *to = fold(*to, cell);
            }
        }
        folded
    }

    fn divide_columns(&mut self, by: &[Fixed]) {
        for row in &mut self.rows {
            for (cell, &by) in row.iter_mut().zip(by) {
                // Most cells are zero; skipping them saves the slow 128-bit division.
                if *cell != Fixed::ZERO && by != Fixed::ZERO {
                    *cell = cell.div(by);
                }
            }
        }
    }

    /// Each row times its own factor.
    pub(crate) fn scale_rows(&self, factors: &[Fixed]) -> Self {
        let rows = self.rows.iter().zip(factors);
        Self {
            rows: rows
                .map(|(row, &factor)| row.iter().map(|&cell| cell.mul(factor)).collect())
                .collect(),
        }
    }

    /// Each cell held at its column's limit.
    pub(crate) fn clip_columns(&self, limits: &[Fixed]) -> Self {
        Self {
            rows: self
                .rows
                .iter()
                .map(|row| {
                    row.iter()
                        .zip(limits)
                        .map(|(&cell, &limit)| cell.min(limit))
                        .collect()
                })
                .collect(),
        }
    }

    /// `Σ_i vector_i·cell_ij` for every column j, summed in uid order.
    pub(crate) fn column_products(&self, vector: &[Fixed]) -> Vec<Fixed> {
        let mut products = vec![Fixed::ZERO; self.rows.len()];
        for (row, &factor) in self.rows.iter().zip(vector) {
            for (to, &cell) in products.iter_mut().zip(row) {
                *to = to.add(factor.mul(cell));
            }
        }
        products
    }

    /// `Σ_j vector_j·cell_ij` for every row i, summed in uid order.
    pub(crate) fn row_products(&self, vector: &[Fixed]) -> Vec<Fixed> {
        let product = |row: &Vec<Fixed>| {
            row.iter()
                .zip(vector)
                .fold(Fixed::ZERO, |sum, (&cell, &factor)| sum.add(factor.mul(cell)))
        };
        self.rows.iter().map(product).collect()
    }

    /// The sum of each row.
    pub(crate) fn row_sums(&self) -> Vec<Fixed> {
        self.rows.iter().map(|row| sum(row)).collect()
    }

    /// `f(i, j, a_ij, b_ij)` for each cell; rows empty in both stay empty (`f` must map zeros to zero there).
    pub(crate) fn combine(
        &self,
        other: &Self,
        mut f: impl FnMut(usize, usize, Fixed, Fixed) -> Fixed,
    ) -> Self {
        let n = self.rows.len();
        let pairs = self.rows.iter().zip(&other.rows).enumerate();
        let rows = pairs.map(|(i, (a, b))| {
            if a.is_empty() && b.is_empty() {
                return Vec::new();
            }
            let cells = padded(a, n).zip(padded(b, n)).enumerate();
            cells.map(|(j, (a, b))| f(i, j, a, b)).collect()
        });
        Self { rows: rows.collect() }
    }
}

/// The cells of a row, zeros where it is short.
fn padded(row: &[Fixed], n: usize) -> impl Iterator<Item = Fixed> + '_ {
    row.iter().copied().chain(std::iter::repeat(Fixed::ZERO)).take(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(rows: &[&[u16]]) -> Matrix {
        Matrix::new(rows.len(), |i| {
            rows[i].iter().map(|&cell| Fixed::whole(cell)).collect()
        })
    }

    #[test]
    fn sums_run_over_rows_that_have_cells() {
        let matrix = whole(&[&[1, 2, 3], &[], &[4, 0, 1]]);
        let ones = [Fixed::ONE; 3];
        assert_eq!(matrix.row_sums(), [6, 0, 5].map(Fixed::whole));
        assert_eq!(matrix.column_products(&ones), [5, 2, 4].map(Fixed::whole));
        assert_eq!(matrix.row_products(&ones), [6, 0, 5].map(Fixed::whole));
    }

    #[test]
    fn columns_are_divided_by_sum_or_largest() {
        let mut matrix = whole(&[&[1, 0], &[3, 0]]);
        matrix.normalize_columns();
        assert_eq!(matrix.rows()[1], [Fixed::from_bits(3 << 30), Fixed::ZERO]);
        matrix.upscale_columns();
        assert_eq!(matrix.rows()[1], [Fixed::ONE, Fixed::ZERO]);
    }

    #[test]
    fn combining_pads_the_shorter_row() {
        let (a, b) = (whole(&[&[1, 2], &[]]), whole(&[&[], &[]]));
        let sum = a.combine(&b, |_, _, a, b| a.add(b));
        assert_eq!(sum, a);
    }
}
