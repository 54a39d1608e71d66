//! Probabilities and bits: interpolated absolute discounting over the counts, in Q48 integers.
//!
//! Counts come from [`super::count`]; held-out documents are prepared once as [`HeldOut`] and scored by any number of models.
//! Scoring joins two sorted tables, grams of training and grams of the held-out text, so no lookup is random.
//!
//! `p_1(w) = ((2·c_1(w) + 1) << 48) / (2·T + V)`; for k = 2..N `p_k = p_{k−1}` if `C_k(h) = 0`, else `max(1, ((max(4·c_k(h,w)
//! − 3, 0) << 48) + 3·U_k(h)·p_{k−1}) / (4·C_k(h)))`: discount ¾, all divisions floor (docs/evaluation.md).

use super::count::{Gram, Order, by_history, count_all, for_each_gram, history_mask};
use super::log2::bits;
use super::sort::{ID_BITS, Keyed, sort_by_digits};
use crate::tokenizer::{TokenId, VOCABULARY};

/// One bit in the units of a score: Q24.
pub const BITS_ONE: u64 = 1 << 24;

/// Fraction bits of a probability.
const Q48: u32 = 48;

/// Counts below this keep `p_k`'s numerator within 64 bits: 4·2^13·2^48 + 3·2^11·2^48 < 2^64.
const SMALL_COUNT: u64 = 1 << 13;

/// A model trained on windows of tokens.
#[derive(Debug)]
pub struct Model {
    order: Order,
    tables: Vec<Vec<Gram>>,
}

/// A position of the held-out text by its gram.
#[derive(Debug, Clone, Copy, Default)]
struct Query {
    key: u64,
    position: u32,
}

impl Keyed for Query {
    fn key(&self) -> u64 {
        self.key
    }
}

/// Held-out documents ready to be scored: their grams of every order, sorted as the model's tables are.
#[derive(Debug)]
pub struct HeldOut {
    order: Order,
    queries: Vec<Vec<Query>>,
    /// Positions of each document.
    lengths: Vec<usize>,
    positions: usize,
}

impl HeldOut {
    /// Prepares documents, each scored with a fresh history. At most 2^32 tokens in all: later ones are not scored.
    pub fn new<'a>(order: Order, documents: impl Iterator<Item = &'a [TokenId]>) -> Self {
        let mut grams = Vec::new();
        let mut lengths = Vec::new();
        for document in documents {
            lengths.push(document.len());
            for_each_gram(order, document, |key| grams.push(key));
        }
        let queries = (1..=order.get())
            .map(|k| {
                let cut = ID_BITS * (order.get() - k);
                let mut queries: Vec<Query> = (0_u32..)
                    .zip(&grams)
                    .map(|(position, key)| Query {
                        key: key >> cut,
                        position,
                    })
                    .collect();
                sort_by_digits(&mut queries, &by_history(k));
                queries
            })
            .collect();
        Self {
            order,
            queries,
            lengths,
            positions: grams.len(),
        }
    }
}

impl Model {
    /// Counts the windows, in any order.
    pub fn train<'a>(order: Order, windows: impl Iterator<Item = &'a [TokenId]>) -> Self {
        Self {
            order,
            tables: count_all(order, windows),
        }
    }

    /// Bits of each held-out document in units of 2^−24; nothing if it was prepared for another order.
    pub fn score(&self, held_out: &HeldOut) -> Vec<u64> {
        if held_out.order != self.order {
            return Vec::new();
        }
        let mut probabilities = vec![0_u64; held_out.positions];
        for ((k, table), queries) in (1..).zip(&self.tables).zip(&held_out.queries) {
            raise_order(k, table, queries, &mut probabilities);
        }
        let mut rest = probabilities.as_slice();
        let mut scores = Vec::with_capacity(held_out.lengths.len());
        for &length in &held_out.lengths {
            let (document, later) = rest.split_at(length.min(rest.len()));
            scores.push(document.iter().map(|&probability| bits(probability)).sum());
            rest = later;
        }
        scores
    }
}

/// Turns `p_{k−1}` of every position into `p_k`: walks the histories of both tables in step.
fn raise_order(k: u32, table: &[Gram], queries: &[Query], probabilities: &mut [u64]) {
    let mask = history_mask(k);
    let mut grams = table.chunk_by(|a, b| a.key & mask == b.key & mask).peekable();
    for group in queries.chunk_by(|a, b| a.key & mask == b.key & mask) {
        let Some(history) = group.first().map(|query| query.key & mask) else {
            continue;
        };
        let is_before = |grams: &&[Gram]| grams.first().is_some_and(|gram| gram.key & mask < history);
        while grams.next_if(is_before).is_some() {}
        let seen: &[Gram] = match grams.peek() {
            Some(grams) if grams.first().is_some_and(|gram| gram.key & mask == history) => grams,
            _ => &[],
        };
        if seen.is_empty() && k > 1 {
            continue;
        }
        let total: u64 = seen.iter().map(|gram| u64::from(gram.count)).sum();
        let mut seen_words = seen.iter().peekable();
        for query in group {
            while seen_words.next_if(|gram| gram.key < query.key).is_some() {}
            let count = match seen_words.peek() {
                Some(gram) if gram.key == query.key => u64::from(gram.count),
                _ => 0,
            };
            if let Some(probability) = probabilities.get_mut(query.position as usize) {
                *probability = if k == 1 {
                    unigram(count, total)
                } else {
                    interpolated(count, seen.len() as u64, total, *probability)
                };
            }
        }
    }
}

/// `p_1` of a word continued `count` of `total` times.
fn unigram(count: u64, total: u64) -> u64 {
    let numerator = u128::from(2 * count + 1) << Q48;
    (numerator / u128::from(2 * total + u64::from(VOCABULARY))) as u64
}

/// `p_k` of a word seen `count` times after a history seen `total` times with `distinct` words, from `p_{k−1}`.
fn interpolated(count: u64, distinct: u64, total: u64, shorter: u64) -> u64 {
    let discounted = (4 * count).saturating_sub(3);
    let spread = 3 * distinct * shorter;
    let probability = if count < SMALL_COUNT {
        ((discounted << Q48) + spread) / (4 * total)
    } else {
        (((u128::from(discounted) << Q48) + u128::from(spread)) / u128::from(4 * total)) as u64
    };
    probability.max(1)
}
