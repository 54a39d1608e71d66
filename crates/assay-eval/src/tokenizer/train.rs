//! Trains merges: the heaviest adjacent pair of all pieces is merged, ties by the smaller ids, until the vocabulary is full.
//!
//! Used once to make the artifact, and by the test that makes it again. Memory: the distinct pieces.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::merges::{MERGES, Merges};
use super::{FIRST_MERGE, TokenId, byte_id, pieces};

/// Lightest pair that is merged.
const WEIGHT_MIN: u64 = 2;

type Pair = (TokenId, TokenId);

/// Counts pieces, then finds the merges.
#[derive(Debug, Default)]
pub struct MergeTrainer {
    counts: HashMap<Vec<u8>, u64>,
}

impl MergeTrainer {
    /// Counts the pieces of a text.
    pub fn push(&mut self, text: &str) {
        for piece in pieces(text.as_bytes()) {
            if let Some(count) = self.counts.get_mut(piece) {
                *count += 1;
            } else {
                self.counts.insert(piece.to_vec(), 1);
            }
        }
    }

    /// The merges of everything counted; the order of texts does not matter.
    pub fn finish(self) -> Merges {
        let mut corpus = Corpus::default();
        for (piece, count) in self.counts {
            corpus.push(piece.iter().map(|byte| byte_id(*byte)).collect(), count);
        }
        let mut bytes = Vec::new();
        for id in (FIRST_MERGE..).take(MERGES) {
            let Some((left, right)) = corpus.heaviest() else {
                break;
            };
            corpus.merge((left, right), id);
            bytes.extend_from_slice(&left.to_le_bytes());
            bytes.extend_from_slice(&right.to_le_bytes());
        }
        // Every pair joined ids that existed, so this cannot fail; an empty list would show it.
        Merges::parse(&bytes).unwrap_or_else(|_| Merges::v1())
    }
}

/// Pieces as ids, with the weight of every adjacent pair and the pieces it occurs in.
#[derive(Debug, Default)]
struct Corpus {
    pieces: Vec<(Vec<TokenId>, u64)>,
    weights: BTreeMap<Pair, u64>,
    places: BTreeMap<Pair, BTreeSet<usize>>,
}

impl Corpus {
    fn push(&mut self, ids: Vec<TokenId>, count: u64) {
        let number = self.pieces.len();
        for pair in pairs(&ids) {
            *self.weights.entry(pair).or_default() += count;
            self.places.entry(pair).or_default().insert(number);
        }
        self.pieces.push((ids, count));
    }

    /// The heaviest pair, of equal ones the smallest.
    fn heaviest(&self) -> Option<Pair> {
        let mut best = None;
        let mut weight_best = WEIGHT_MIN - 1;
        for (pair, weight) in &self.weights {
            if *weight > weight_best {
                weight_best = *weight;
                best = Some(*pair);
            }
        }
        best
    }

    /// Replaces a pair by `id` in every piece that has it.
    fn merge(&mut self, pair: Pair, id: TokenId) {
        for number in self.places.remove(&pair).unwrap_or_default() {
            let Some((ids, count)) = self.pieces.get_mut(number) else {
                continue;
            };
            for old in pairs(ids) {
                if let Some(weight) = self.weights.get_mut(&old) {
                    *weight -= *count;
                }
            }
            replace(ids, pair, id);
            for new in pairs(ids) {
                *self.weights.entry(new).or_default() += *count;
                self.places.entry(new).or_default().insert(number);
            }
        }
        self.weights.retain(|_, weight| *weight > 0);
    }
}

fn pairs(ids: &[TokenId]) -> impl Iterator<Item = Pair> {
    ids.iter().copied().zip(ids.iter().copied().skip(1))
}

/// Replaces from left to right; overlapping pairs give way to the left one.
fn replace(ids: &mut Vec<TokenId>, (left, right): Pair, id: TokenId) {
    let mut kept: Vec<TokenId> = Vec::with_capacity(ids.len());
    let mut old = ids.iter().copied().peekable();
    while let Some(next) = old.next() {
        let is_pair = next == left && old.next_if_eq(&right).is_some();
        kept.push(if is_pair { id } else { next });
    }
    *ids = kept;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_count_and_ties_take_the_smaller_ids() {
        let mut trainer = MergeTrainer::default();
        // "aaa" weighs (a, a) twice, "bc bc" weighs (b, c) twice: the tie goes to the smaller left id.
        trainer.push("aaa");
        trainer.push("bc");
        trainer.push("bc");
        let merges = trainer.finish();
        let (a, b, c) = (byte_id(b'a'), byte_id(b'b'), byte_id(b'c'));
        assert_eq!(merges.pairs(), [(a, a), (b, c)]);
    }
}
