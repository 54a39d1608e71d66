//! Whether sealed weights were really opened: the chain drops what it cannot open without a word.

use std::collections::VecDeque;

use assay_types::{BlockNumber, Round, Uid, Weight};

/// Rows remembered: one a tempo, and they are due after a few.
const ROWS_MAX: usize = 16;

/// A row that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Committed {
    round: Round,
    due: BlockNumber,
    row: Vec<(Uid, Weight)>,
}

/// Rows committed and not yet looked for.
#[derive(Debug, Default)]
pub(super) struct Reveals(VecDeque<Committed>);

impl Reveals {
    /// Remembers a row that should be opened by block `due`.
    pub(super) fn committed(&mut self, round: Round, due: BlockNumber, row: Vec<(Uid, Weight)>) {
        if self.0.len() == ROWS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Committed { round, due, row });
    }

    /// Whether some row should have been opened by `block`.
    pub(super) fn is_due(&self, block: BlockNumber) -> bool {
        self.0.front().is_some_and(|one| one.due <= block)
    }

    /// Takes the oldest row and compares it, and all younger ones, with what the chain has: the round of a row that was not
    /// opened.
    pub(super) fn look(&mut self, stored: &[(Uid, Weight)]) -> Option<Round> {
        let oldest = self.0.pop_front()?;
        let is_there = std::iter::once(&oldest)
            .chain(&self.0)
            .any(|one| one.row == stored);
        (!is_there).then_some(oldest.round)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(weight: u16) -> Vec<(Uid, Weight)> {
        vec![(Uid(1), Weight(weight))]
    }

    #[test]
    fn a_row_that_was_not_opened_is_named_and_a_newer_one_will_do() {
        let mut reveals = Reveals::default();
        reveals.committed(Round(1), BlockNumber(100), row(1));
        reveals.committed(Round(2), BlockNumber(200), row(2));
        reveals.committed(Round(3), BlockNumber(300), row(3));
        assert!(!reveals.is_due(BlockNumber(99)));
        assert!(reveals.is_due(BlockNumber(100)));
        assert_eq!(reveals.look(&row(2)), None, "a newer row stands");
        assert_eq!(
            reveals.look(&row(9)),
            Some(Round(2)),
            "somebody else's row, or an old one"
        );
        assert_eq!(reveals.look(&[]), Some(Round(3)));
        assert_eq!(reveals.look(&[]), None, "nothing is left to look for");
        for block in 0..100 {
            reveals.committed(Round(block), BlockNumber(block), row(1));
        }
        assert_eq!(reveals.0.len(), ROWS_MAX);
    }
}
