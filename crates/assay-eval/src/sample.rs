//! The sample of an arm: every document falls in one of the disjoint folds, or in all, and gives at most one window of tokens.
//!
//! Documents come in any order; the sample depends on their ids and the seed only. Memory is bounded by the budgets: a fold
//! keeps the windows that come first in its order until they fill the largest budget (docs/evaluation.md).

use std::collections::BTreeMap;

use assay_types::{Tokens, tagged_hash, u64_le};

use crate::profile::{Membership, Profile};
use crate::tokenizer::TokenId;

/// A window's place in its fold: order hash, document id, ids. Equal documents of one id are counted.
type Place = (u64, Vec<u8>, Vec<TokenId>);

/// The sample of one arm.
#[derive(Debug, Clone)]
pub struct Sample {
    profile: Profile,
    seed: Vec<u8>,
    folds: Vec<Fold>,
}

#[derive(Debug, Clone, Default)]
struct Fold {
    windows: BTreeMap<Place, u32>,
    /// Tokens in `windows`.
    held_tokens: u64,
    /// Tokens of all windows that were ever offered.
    seen_tokens: u64,
}

impl Sample {
    /// An empty sample; `seed` is the round's beacon, or any bytes for a measurement of one's own.
    pub fn new(profile: Profile, seed: &[u8]) -> Self {
        Self {
            profile,
            seed: seed.to_vec(),
            folds: vec![Fold::default(); profile.folds.max(1) as usize],
        }
    }

    /// Offers a document by its id and all its tokens.
    pub fn push(&mut self, id: &[u8], tokens: &[TokenId]) {
        let draw = |tag| u64_le(&tagged_hash(tag, &[&self.seed, id]));
        let window = self.window(tokens, draw("assay/window/1")).to_vec();
        if window.is_empty() {
            return;
        }
        let budget = self.profile.budget_tokens_max;
        match self.profile.membership {
            Membership::One => {
                let fold = draw("assay/fold/1") % u64::from(self.profile.folds.max(1));
                let place = (draw("assay/order/1"), id.to_vec(), window);
                if let Some(fold) = self.folds.get_mut(fold as usize) {
                    fold.push(place, budget);
                }
            }
            Membership::All => {
                for (number, fold) in (0_u32..).zip(&mut self.folds) {
                    let order = tagged_hash("assay/order/1", &[&self.seed, &number.to_le_bytes(), id]);
                    fold.push((u64_le(&order), id.to_vec(), window.clone()), budget);
                }
            }
        }
    }

    /// At most a window of tokens, from `floor(h·(len − window + 1)/2^64)` on.
    fn window<'a>(&self, tokens: &'a [TokenId], h: u64) -> &'a [TokenId] {
        let most = self.profile.window_tokens as usize;
        if tokens.len() <= most {
            return tokens;
        }
        let starts = (tokens.len() - most) as u128 + 1;
        let start = (u128::from(h) * starts) >> 64;
        tokens
            .get(start as usize..start as usize + most)
            .unwrap_or(tokens)
    }

    /// The profile the sample was made for.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Tokens of the smallest fold, all windows together.
    pub fn smallest_fold(&self) -> Tokens {
        Tokens(self.folds.iter().map(|fold| fold.seen_tokens).min().unwrap_or(0))
    }

    /// The windows of a fold in order until `budget` tokens, the last one cut.
    pub fn windows(&self, fold: usize, budget: u64) -> Vec<&[TokenId]> {
        let mut left = budget as usize;
        let mut taken = Vec::new();
        let windows = self.folds.get(fold).into_iter().flat_map(|fold| &fold.windows);
        for ((_, _, tokens), count) in windows {
            for _ in 0..*count {
                let window = tokens.get(..tokens.len().min(left)).unwrap_or_default();
                if window.is_empty() {
                    return taken;
                }
                left -= window.len();
                taken.push(window);
            }
        }
        taken
    }
}

impl Fold {
    fn push(&mut self, place: Place, budget: u64) {
        let length = place.2.len() as u64;
        self.seen_tokens += length;
        // A full fold takes nothing behind its last window.
        if self.held_tokens >= budget
            && self
                .windows
                .last_key_value()
                .is_some_and(|(last, _)| place > *last)
        {
            return;
        }
        self.held_tokens += length;
        *self.windows.entry(place).or_default() += 1;
        while let Some(mut last) = self.windows.last_entry() {
            let length = last.key().2.len() as u64;
            if self.held_tokens - length < budget {
                return;
            }
            self.held_tokens -= length;
            if *last.get() > 1 {
                *last.get_mut() -= 1;
            } else {
                last.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::NGRAM_V1;
    use proptest::prelude::*;

    fn small() -> Profile {
        Profile {
            folds: 3,
            window_tokens: 8,
            budget_tokens_max: 40,
            ..NGRAM_V1
        }
    }

    fn sample(documents: &[(u8, usize)]) -> Sample {
        let mut sample = Sample::new(small(), b"seed");
        for (id, length) in documents {
            let tokens: Vec<TokenId> = (0..*length as u16).map(|i| 1 + i % 50).collect();
            sample.push(&[*id], &tokens);
        }
        sample
    }

    #[test]
    fn windows_fit_the_budget_exactly_and_hold_at_most_the_cap() {
        let all: Vec<(u8, usize)> = (0..200).map(|id| (id, 5 + usize::from(id) % 30)).collect();
        let sample = sample(&all);
        for fold in 0..3 {
            let windows = sample.windows(fold, 40);
            assert_eq!(windows.iter().map(|window| window.len()).sum::<usize>(), 40);
            assert!(windows.iter().all(|window| window.len() <= 8));
            assert!(
                sample.folds[fold].held_tokens < 40 + 8,
                "memory stays at the budget"
            );
        }
    }

    #[test]
    fn a_repeated_document_counts_again() {
        let sample = sample(&[(7, 6), (7, 6), (7, 6)]);
        let fold = (0..3).find(|fold| !sample.windows(*fold, 40).is_empty()).unwrap();
        assert_eq!(sample.windows(fold, 40).len(), 3);
        assert_eq!(sample.windows(fold, 13).len(), 3);
        assert_eq!(sample.windows(fold, 12).len(), 2);
    }

    #[test]
    fn folds_of_all_documents_order_them_differently() {
        let profile = Profile {
            membership: Membership::All,
            ..small()
        };
        let mut sample = Sample::new(profile, b"seed");
        for id in 0..4_u8 {
            sample.push(&[id], &[u16::from(id); 8]);
        }
        let folds: Vec<_> = (0..3).map(|fold| sample.windows(fold, 40)).collect();
        assert!(folds.iter().all(|windows| windows.len() == 4));
        assert_ne!(folds[0], folds[1]);
        assert_eq!(sample.smallest_fold(), Tokens(32));
    }

    proptest! {
        #[test]
        fn the_order_of_documents_changes_nothing(
            mut documents in prop::collection::vec((any::<u8>(), 0_usize..20), 0..60),
            budget in 1_u64..41,
        ) {
            let before = sample(&documents);
            documents.reverse();
            let after = sample(&documents);
            for fold in 0..3 {
                prop_assert_eq!(before.windows(fold, budget), after.windows(fold, budget));
            }
            prop_assert_eq!(before.smallest_fold(), after.smallest_fold());
        }
    }
}
