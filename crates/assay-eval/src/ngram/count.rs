//! Counts of the model: occurrences of N-grams and Kneser–Ney continuation counts of every shorter order.
//!
//! Token ids of training windows come in; one sorted table an order leaves. A gram's ids are packed 11 bits each, the
//! newest id most significant, so dropping the oldest is one shift and the history is the low bits. Memory: 8 bytes a token
//! twice while sorting, 16 bytes a distinct gram.

use super::sort::{ID_BITS, Keyed, sort_by_digits};
use crate::tokenizer::{START, TokenId};

/// Shortest n-grams a model may have.
pub const ORDER_MIN: u32 = 2;

/// Longest n-grams a model may have: 5 ids of 11 bits fit a key.
pub const ORDER_MAX: u32 = 5;

/// Length of a model's n-grams; `ngram-v1` has 4 (docs/evaluation.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order(u32);

impl Order {
    /// The order of `ngram-v1`.
    pub const V1: Self = Self(4);

    /// An order of [`ORDER_MIN`] to [`ORDER_MAX`].
    pub fn new(order: u32) -> Option<Self> {
        (ORDER_MIN..=ORDER_MAX).contains(&order).then_some(Self(order))
    }

    /// Ids of an n-gram.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// A distinct gram and its count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Gram {
    /// The packed ids.
    pub(super) key: u64,
    /// Occurrences, or distinct ids seen before it for orders below N.
    pub(super) count: u32,
}

impl Keyed for Gram {
    fn key(&self) -> u64 {
        self.key
    }
}

/// Low bits that hold the history of a gram of `k` ids.
pub(super) fn history_mask(k: u32) -> u64 {
    (1 << (ID_BITS * k.saturating_sub(1))) - 1
}

/// Digits in the order that sorts grams of `k` ids by history, then by their last id.
pub(super) fn by_history(k: u32) -> Vec<u32> {
    let last = k.saturating_sub(1);
    std::iter::once(last).chain(0..last).collect()
}

/// Calls `each` with the packed n-gram that ends at every position of a window, which `order − 1` start ids precede.
pub(super) fn for_each_gram(order: Order, window: &[TokenId], mut each: impl FnMut(u64)) {
    let newest = ID_BITS * (order.get() - 1);
    let mut key = 0;
    for _ in 0..order.get() {
        key = (key >> ID_BITS) | (u64::from(START) << newest);
    }
    for &id in window {
        key = (key >> ID_BITS) | (u64::from(id) << newest);
        each(key);
    }
}

/// The tables of orders 1 to N, each sorted by history, then last id.
pub(super) fn count_all<'a>(order: Order, windows: impl Iterator<Item = &'a [TokenId]>) -> Vec<Vec<Gram>> {
    let mut keys = Vec::new();
    for window in windows {
        for_each_gram(order, window, |key| keys.push(key));
    }
    sort_by_digits(&mut keys, &by_history(order.get()));
    let mut table = runs(keys.iter().copied());
    drop(keys);
    let mut tables = Vec::new();
    for k in (2..=order.get()).rev() {
        let shorter = continuations(&table, k);
        tables.push(std::mem::replace(&mut table, shorter));
    }
    tables.push(table);
    tables.reverse();
    tables
}

/// The grams of `k − 1` ids, each with the number of distinct ids that precede it in `table`, the grams of `k` ids.
fn continuations(table: &[Gram], k: u32) -> Vec<Gram> {
    let mut keys: Vec<u64> = table.iter().map(|gram| gram.key).collect();
    // Sorted by history, then last id; one stable pass by the last id makes that integer order.
    sort_by_digits(&mut keys, &[k - 1]);
    let mut shorter = runs(keys.iter().map(|key| key >> ID_BITS));
    let history: Vec<u32> = (0..k.saturating_sub(2)).collect();
    sort_by_digits(&mut shorter, &history);
    shorter
}

/// Equal neighbours as one gram with their number.
fn runs(keys: impl Iterator<Item = u64>) -> Vec<Gram> {
    let mut grams: Vec<Gram> = Vec::new();
    for key in keys {
        match grams.last_mut() {
            Some(last) if last.key == key => last.count += 1,
            _ => grams.push(Gram { key, count: 1 }),
        }
    }
    grams
}
