//! Profiles of samples: how many folds, how many tokens, how long n-grams are; results of two profiles do not compare.

use crate::ngram::Order;

/// How documents fall into folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// Each into one, by a hash: folds are disjoint.
    One,
    /// Each into all, in an order of the fold's own: large datasets give folds with little in common, small ones the same
    /// documents in another order.
    All,
}

/// What a measurement trains on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name in reports.
    pub name: &'static str,
    /// Folds of every arm.
    pub folds: u32,
    /// Which fold a document falls into.
    pub membership: Membership,
    /// Most tokens of one document that are trained on: without a cap a few huge pages decide (docs/evaluation.md).
    pub window_tokens: u32,
    /// Fewest tokens a fold must hold.
    pub budget_tokens_min: u64,
    /// Most tokens of a fold that are used.
    pub budget_tokens_max: u64,
    /// Budgets are multiples of this many tokens.
    pub budget_step_tokens: u64,
    /// Length of the n-grams.
    pub order: Order,
}

/// Budgets are multiples of this many tokens where nothing else is said (docs/evaluation.md).
pub const BUDGET_STEP_TOKENS: u64 = 65_536;

/// `ngram-v1`: five folds of 131,072 to 2,097,152 tokens (docs/evaluation.md).
pub const NGRAM_V1: Profile = Profile {
    name: "ngram-v1",
    folds: 5,
    membership: Membership::One,
    window_tokens: 512,
    budget_tokens_min: 2 * BUDGET_STEP_TOKENS,
    budget_tokens_max: 32 * BUDGET_STEP_TOKENS,
    budget_step_tokens: BUDGET_STEP_TOKENS,
    order: Order::V1,
};

/// `ngram-small`: three folds of 65,536 tokens and more, for datasets too small for [`NGRAM_V1`]; wide intervals, no fineness.
pub const NGRAM_SMALL: Profile = Profile {
    name: "ngram-small",
    folds: 3,
    budget_tokens_min: BUDGET_STEP_TOKENS,
    ..NGRAM_V1
};

/// What `ngram-duel-v1` trains on: a fold a seed, each with its own order of documents, of a million tokens and more. What a
/// network's duels need has the same bits on every machine and takes seconds (docs/evaluation.md, "Duels on the network").
pub const NGRAM_DUEL: Profile = Profile {
    name: "ngram-duel-v1",
    folds: 8,
    membership: Membership::All,
    budget_tokens_min: 16 * BUDGET_STEP_TOKENS,
    ..NGRAM_V1
};

/// What `ngram-duel-small` trains on: for a network on one machine, with archives of a dozen pages. Says whether everything
/// runs, and which of two very different recipes is better.
pub const NGRAM_DUEL_SMALL: Profile = Profile {
    name: "ngram-duel-small",
    window_tokens: 512,
    budget_tokens_min: BUDGET_STEP_TOKENS / 8,
    budget_tokens_max: 4 * BUDGET_STEP_TOKENS,
    budget_step_tokens: BUDGET_STEP_TOKENS / 16,
    ..NGRAM_DUEL
};

/// What `cpu-v1` trains on: up to twelve seeds of a million tokens (screen and confirmation of a duel), each with its own order
/// of documents.
///
/// Below a quarter of a million tokens a run says nothing: such runs ranked repeated spam above clean text
/// (docs/evaluation.md).
pub const TRAINING: Profile = Profile {
    name: "cpu-v1",
    folds: 12,
    membership: Membership::All,
    budget_tokens_min: 4 * BUDGET_STEP_TOKENS,
    budget_tokens_max: 16 * BUDGET_STEP_TOKENS,
    ..NGRAM_V1
};

/// What `smoke` trains on: one step of tokens, the same for every dataset that holds it. Says whether everything runs.
pub const SMOKE: Profile = Profile {
    name: "smoke",
    budget_tokens_min: BUDGET_STEP_TOKENS,
    budget_tokens_max: BUDGET_STEP_TOKENS,
    ..TRAINING
};

impl Profile {
    /// The budget of a fold when the smallest fold of any arm holds `tokens`; none if that is too few.
    pub fn budget(&self, tokens: u64) -> Option<u64> {
        let most = tokens.min(self.budget_tokens_max);
        let budget = most - most % self.budget_step_tokens.max(1);
        (budget > 0 && budget >= self.budget_tokens_min).then_some(budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_whole_steps_between_the_bounds() {
        assert_eq!(NGRAM_V1.budget(131_071), None);
        assert_eq!(NGRAM_V1.budget(131_072), Some(131_072));
        assert_eq!(NGRAM_V1.budget(200_000), Some(196_608));
        assert_eq!(NGRAM_V1.budget(u64::MAX), Some(2_097_152));
        assert_eq!(NGRAM_SMALL.budget(131_071), Some(65_536));
        assert_eq!(NGRAM_DUEL_SMALL.budget(8_191), None);
        assert_eq!(NGRAM_DUEL_SMALL.budget(21_000), Some(20_480));
    }
}
