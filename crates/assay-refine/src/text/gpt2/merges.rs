//! Byte pair encoding over GPT-2's merges, counting tokens only.
//!
//! Data: `gpt2_merges.bin`, written by `scripts/gpt2_tables.py` from the ranks in tiktoken-rs 0.12.1. The lowest rank is
//! merged first, at a tie the leftmost. Asked by `counter` for pieces that the memo does not know.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Bytes of tokens 0…255, then the two parts of every further token (u16, u16).
const DATA: &[u8] = include_bytes!("../tables/gpt2_merges.bin");
/// Tokens of one byte.
const BYTES: usize = 256;
/// Slots of the pair table; a power of two, 2.6 times the 50,000 pairs; 1 MiB.
const SLOTS: usize = 1 << 17;
/// Pieces up to this many bytes are merged by scanning (quadratic in this bound), longer ones with a heap.
const SCAN_BYTES_MAX: usize = 48;
/// No token: an unused slot, or no pair.
const NONE: u16 = u16::MAX;

/// The pair table.
#[derive(Debug)]
pub(super) struct Merges {
    byte_token: [u16; 256],
    /// left ‖ right ‖ merged, 16 bits each; open addressing by left and right.
    slots: Vec<u64>,
}

impl Merges {
    pub(super) fn new() -> Self {
        let mut byte_token = [0; 256];
        for (token, &byte) in DATA.iter().take(BYTES).enumerate() {
            if let Some(slot) = byte_token.get_mut(byte as usize) {
                *slot = token as u16;
            }
        }
        let mut merges = Self {
            byte_token,
            slots: vec![u64::MAX; SLOTS],
        };
        let (pairs, _) = DATA.get(BYTES..).unwrap_or(&[]).as_chunks::<4>();
        for (i, &[l0, l1, r0, r1]) in pairs.iter().enumerate() {
            let (left, right) = (u16::from_le_bytes([l0, l1]), u16::from_le_bytes([r0, r1]));
            merges.add(left, right, (BYTES + i) as u16);
        }
        merges
    }

    fn add(&mut self, left: u16, right: u16, merged: u16) {
        let key = u64::from(left) << 16 | u64::from(right);
        let mut at = first_slot(key);
        while self.slots.get(at).is_some_and(|&slot| slot != u64::MAX) {
            at = (at + 1) % SLOTS;
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = key << 16 | u64::from(merged);
        }
    }

    /// The token that `left` and `right` merge to; its number is the merge's rank.
    #[inline]
    fn merged(&self, left: u16, right: u16) -> u16 {
        let key = u64::from(left) << 16 | u64::from(right);
        let mut at = first_slot(key);
        loop {
            match self.slots.get(at) {
                Some(&slot) if slot >> 16 == key => return slot as u16,
                Some(&u64::MAX) | None => return NONE,
                Some(_) => at = (at + 1) % SLOTS,
            }
        }
    }

    /// Number of tokens of `piece`. Time n log n in its bytes.
    pub(super) fn count(&self, piece: &[u8]) -> u32 {
        let token_of = |&byte: &u8| self.byte_token.get(byte as usize).copied().unwrap_or(0);
        if piece.len() <= SCAN_BYTES_MAX {
            self.count_by_scanning(piece.iter().map(token_of))
        } else {
            self.count_by_heap(piece.iter().map(token_of).collect())
        }
    }

    fn count_by_scanning(&self, piece: impl ExactSizeIterator<Item = u16>) -> u32 {
        let mut tokens = [NONE; SCAN_BYTES_MAX];
        let mut len = piece.len().min(SCAN_BYTES_MAX);
        tokens
            .iter_mut()
            .zip(piece)
            .for_each(|(slot, token)| *slot = token);
        // ranks[i]: what tokens i and i + 1 merge to.
        let mut ranks = [NONE; SCAN_BYTES_MAX];
        for (rank, pair) in ranks.iter_mut().zip(tokens.get(..len).unwrap_or(&[]).windows(2)) {
            *rank = self.pair(pair);
        }
        loop {
            let pairs = ranks.get(..len.saturating_sub(1)).unwrap_or(&[]);
            let Some((at, &rank)) = pairs.iter().enumerate().min_by_key(|&(_, &rank)| rank) else {
                break;
            };
            if rank == NONE {
                break;
            }
            tokens.copy_within(at + 1..len, at);
            ranks.copy_within(at + 1..len, at);
            len -= 1;
            if let Some(token) = tokens.get_mut(at) {
                *token = rank;
            }
            for i in at.saturating_sub(1)..=at {
                let pair = if i + 1 < len { tokens.get(i..i + 2) } else { None };
                let new = pair.map_or(NONE, |pair| self.pair(pair));
                if let Some(slot) = ranks.get_mut(i) {
                    *slot = new;
                }
            }
        }
        len as u32
    }

    fn pair(&self, pair: &[u16]) -> u16 {
        match pair {
            [left, right] => self.merged(*left, *right),
            _ => NONE,
        }
    }

    fn count_by_heap(&self, tokens: Vec<u16>) -> u32 {
        let mut chain = Chain::new(tokens);
        let mut heap = BinaryHeap::new();
        for left in 0..chain.tokens.len() {
            self.push(&mut heap, &chain, left);
        }
        let mut count = chain.tokens.len() as u32;
        while let Some(Reverse((rank, left))) = heap.pop() {
            // A pair that changed since it was pushed merges to another token or to none.
            if self.rank_at(&chain, left) != rank {
                continue;
            }
            chain.merge(left, rank);
            count -= 1;
            self.push(&mut heap, &chain, left);
            if let Some(before) = chain.before(left) {
                self.push(&mut heap, &chain, before);
            }
        }
        count
    }

    fn rank_at(&self, chain: &Chain, left: usize) -> u16 {
        let Some(right) = chain.after(left) else {
            return NONE;
        };
        match (chain.tokens.get(left), chain.tokens.get(right)) {
            (Some(&l), Some(&r)) if l != NONE && r != NONE => self.merged(l, r),
            _ => NONE,
        }
    }

    fn push(&self, heap: &mut BinaryHeap<Reverse<(u16, usize)>>, chain: &Chain, left: usize) {
        let rank = self.rank_at(chain, left);
        if rank != NONE {
            heap.push(Reverse((rank, left)));
        }
    }
}

/// Tokens as a doubly linked list over their first places; merged-away places hold [`NONE`].
struct Chain {
    tokens: Vec<u16>,
    next: Vec<usize>,
    previous: Vec<usize>,
}

impl Chain {
    fn new(tokens: Vec<u16>) -> Self {
        let places = 0..tokens.len();
        let next = places.clone().map(|i| i + 1).collect();
        Self {
            next,
            previous: places.map(|i| i.wrapping_sub(1)).collect(),
            tokens,
        }
    }

    fn after(&self, at: usize) -> Option<usize> {
        self.next
            .get(at)
            .copied()
            .filter(|&next| next < self.tokens.len())
    }

    fn before(&self, at: usize) -> Option<usize> {
        self.previous
            .get(at)
            .copied()
            .filter(|&previous| previous < self.tokens.len())
    }

    /// Joins the token at `left` with its right neighbour.
    fn merge(&mut self, left: usize, merged: u16) {
        let Some(right) = self.after(left) else { return };
        let beyond = self.next.get(right).copied().unwrap_or(usize::MAX);
        for (list, at, value) in [(&mut self.next, left, beyond), (&mut self.previous, beyond, left)] {
            if let Some(slot) = list.get_mut(at) {
                *slot = value;
            }
        }
        for (at, value) in [(left, merged), (right, NONE)] {
            if let Some(slot) = self.tokens.get_mut(at) {
                *slot = value;
            }
        }
    }
}

#[inline]
fn first_slot(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 47) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn scanning_and_heap_agree(piece in prop::collection::vec(prop::sample::select(b" aehinorst=\xc3\xa9".to_vec()), 0..48)) {
            let merges = Merges::new();
            let tokens: Vec<u16> = piece.iter().map(|&b| merges.byte_token[b as usize]).collect();
            prop_assert_eq!(merges.count(&piece), merges.count_by_heap(tokens));
        }
    }

    #[test]
    fn a_long_piece_takes_no_quadratic_time() {
        let merges = Merges::new();
        assert!(merges.count(&vec![b'='; 1 << 20]) < 1 << 15);
        assert_eq!(merges.count(b""), 0);
    }
}
