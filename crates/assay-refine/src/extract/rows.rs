//! Where features go: one block's in a row, or those of several blocks side by side, as `model.rs` reads them.

/// Blocks judged together: one register of AVX2 of 16-bit numbers.
pub(crate) const LANES: usize = 16;

/// Takes the features of a block, one after the other.
pub(crate) trait Features {
    /// Takes the next one.
    fn push(&mut self, value: i32);

    /// Takes the next ones.
    fn extend(&mut self, values: impl IntoIterator<Item = i32>) {
        for value in values {
            self.push(value);
        }
    }
}

impl Features for Vec<i32> {
    fn push(&mut self, value: i32) {
        Vec::push(self, value);
    }
}

/// Features of up to [`LANES`] blocks: per feature the values of all blocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    columns: Vec<[i32; LANES]>,
}

impl Rows {
    /// Values by feature; lanes that nothing was written to hold 0 or what an earlier block left.
    pub(crate) fn columns(&self) -> &[[i32; LANES]] {
        &self.columns
    }

    /// Writes features of the block in a lane, from feature `at` on.
    pub(crate) fn lane(&mut self, lane: usize, at: usize) -> Lane<'_> {
        Lane {
            columns: &mut self.columns,
            place: lane % LANES,
            at,
        }
    }
}

/// One block among those of [`Rows`].
#[derive(Debug)]
pub(crate) struct Lane<'a> {
    columns: &'a mut Vec<[i32; LANES]>,
    place: usize,
    at: usize,
}

impl Features for Lane<'_> {
    #[inline]
    fn push(&mut self, value: i32) {
        if self.at >= self.columns.len() {
            self.columns.resize(self.at + 1, [0; LANES]);
        }
        let slot = self
            .columns
            .get_mut(self.at)
            .and_then(|column| column.get_mut(self.place));
        if let Some(slot) = slot {
            *slot = value;
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_lie_side_by_side() {
        let mut rows = Rows::default();
        for (lane, values) in [(0, [1, 2]), (LANES - 1, [3, 4])] {
            rows.lane(lane, 0).extend(values);
        }
        rows.lane(1, 1).extend([5, 6]);
        let mut expected = [[0; LANES]; 3];
        (expected[0][0], expected[1][0]) = (1, 2);
        (expected[0][LANES - 1], expected[1][LANES - 1]) = (3, 4);
        (expected[1][1], expected[2][1]) = (5, 6);
        assert_eq!(rows.columns(), expected);
    }
}
