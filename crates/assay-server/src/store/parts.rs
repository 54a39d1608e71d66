//! Parts of the store that change together, and how often each has changed: what was read of a part holds until then.

use std::sync::atomic::{AtomicU64, Ordering};

/// A set of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts(u16);

impl Parts {
    /// Nothing that is read twice.
    pub const NONE: Self = Self(0);
    /// Verdicts, and what is known of miners.
    pub const VERDICTS: Self = Self(1);
    /// Submissions and what they declare.
    pub const SUBMISSIONS: Self = Self(1 << 1);
    /// Rounds and the network's state.
    pub const ROUNDS: Self = Self(1 << 2);
    /// Recipes and datasets.
    pub const RELEASES: Self = Self(1 << 3);
    /// Reports, fraud proofs, samples.
    pub const EVIDENCE: Self = Self(1 << 4);
    /// Metagraphs, weights, commitments.
    pub const CHAIN: Self = Self(1 << 5);
    /// Cells of duels.
    pub const DUELS: Self = Self(1 << 6);
    /// Corpora and their units.
    pub const CORPORA: Self = Self(1 << 7);
    /// Everything: what a write touches that does not say.
    pub const ALL: Self = Self(u16::MAX);

    /// Parts of either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn each(self) -> impl Iterator<Item = usize> {
        (0..COUNTED).filter(move |bit| self.0 & (1 << bit) != 0)
    }
}

/// Parts that are counted.
const COUNTED: usize = 8;

/// How often each part has changed.
#[derive(Debug, Default)]
pub struct Changes([AtomicU64; COUNTED]);

impl Changes {
    /// Counts a commit that touched `parts`.
    pub(crate) fn count(&self, parts: Parts) {
        for counted in parts.each().filter_map(|bit| self.0.get(bit)) {
            counted.fetch_add(1, Ordering::Release);
        }
    }

    /// A number that grows whenever one of the parts changes.
    pub fn of(&self, parts: Parts) -> u64 {
        let counts = parts.each().filter_map(|bit| self.0.get(bit));
        counts.map(|counted| counted.load(Ordering::Acquire)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_grows_with_its_parts_alone() {
        let changes = Changes::default();
        let both = Parts::VERDICTS.and(Parts::SUBMISSIONS);
        changes.count(Parts::SUBMISSIONS);
        assert_eq!((changes.of(both), changes.of(Parts::VERDICTS)), (1, 0));
        changes.count(Parts::NONE);
        assert_eq!(changes.of(both), 1);
        changes.count(Parts::ALL);
        assert_eq!((changes.of(both), changes.of(Parts::CHAIN)), (3, 1));
    }
}
