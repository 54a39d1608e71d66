//! The simulated archive: how many records a unit has, how long they are, and which place a row has.
//!
//! Validators' byte offsets fall on records in proportion to their length. All units share one layout; strategies
//! spoil rows in places that a unit-dependent permutation spreads over it.

use assay_types::{Draws, UnitId};

/// Content rows of a unit, a power of two so that an odd step permutes them. A Common Crawl archive has about
/// 30,000 to 40,000 responses.
pub(super) const CONTENT_ROWS: u64 = 1 << 15;

/// Kept rows of an honestly refined unit: 10 %.
pub(super) const KEPT_ROWS: u64 = CONTENT_ROWS / 10;

/// Records whose lengths repeat through the archive.
const PATTERN: usize = 1 << 12;

/// Lengths of records, as offsets.
#[derive(Debug)]
pub(super) struct Layout {
    /// End of each record of the pattern.
    ends: Vec<u64>,
}

impl Layout {
    /// Lengths with a heavy tail: 2 kB to 512 kB, each doubling half as likely.
    pub(super) fn new() -> Self {
        let mut draws = Draws::new(b"assay/simulate/layout");
        let mut end = 0;
        let ends = (0..PATTERN)
            .map(|_| {
                let doublings = draws.next_u64().trailing_ones().min(8);
                let base = 2_048_u64 << doublings;
                end += base + draws.draw(base);
                end
            })
            .collect();
        Self { ends }
    }

    /// Bytes of the archive.
    pub(super) fn bytes(&self) -> u64 {
        self.pattern_bytes() * (CONTENT_ROWS / PATTERN as u64)
    }

    fn pattern_bytes(&self) -> u64 {
        self.ends.last().copied().unwrap_or(1)
    }

    /// The content row whose record holds byte `offset`.
    pub(super) fn row_at(&self, offset: u64) -> u64 {
        let (repeat, within) = (offset / self.pattern_bytes(), offset % self.pattern_bytes());
        let row = self.ends.partition_point(|&end| end <= within) as u64;
        repeat * PATTERN as u64 + row
    }
}

/// The place of content row `row` in the order in which a strategy spoils the rows of `unit`.
pub(super) fn spoil_order(unit: &UnitId, row: u64) -> u64 {
    let id = u128::from_le_bytes(*unit.as_bytes());
    let (step, shift) = (id as u64 | 1, (id >> 64) as u64);
    row.wrapping_mul(step).wrapping_add(shift) % CONTENT_ROWS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_byte_lies_in_a_row_and_rows_are_permuted() {
        let layout = Layout::new();
        assert_eq!(layout.row_at(0), 0);
        assert_eq!(layout.row_at(layout.bytes() - 1), CONTENT_ROWS - 1);
        let unit = UnitId::of("cc", "x");
        let places: BTreeSet<u64> = (0..CONTENT_ROWS).map(|row| spoil_order(&unit, row)).collect();
        assert_eq!(places.len() as u64, CONTENT_ROWS);
    }
}
