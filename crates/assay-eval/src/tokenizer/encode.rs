//! Encodes text: in each piece the pair of lowest rank is merged, leftmost first, until none is left.
//!
//! Short pieces are remembered in a table of fixed size, so memory does not grow with the text. The same text gives the same
//! ids whatever was encoded before.

use super::merges::Merges;
use super::{TokenId, byte_id, pieces};

/// Longest piece that is remembered, in bytes: with its length it fills 16 bytes.
const REMEMBERED_BYTES: usize = 15;

/// Most ids that are remembered of a piece.
const REMEMBERED_IDS: usize = 7;

/// Slots of the memory, a power of two: 1 MiB, most words of a text.
const SLOTS: usize = 1 << 15;

/// A piece and its ids; an empty slot has the key 0, which no piece has.
#[derive(Debug, Clone, Copy, Default)]
struct Remembered {
    key: u128,
    ids: [TokenId; REMEMBERED_IDS],
    length: u16,
}

/// Encodes texts; holds buffers and the memory of pieces.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    merges: Merges,
    remembered: Vec<Remembered>,
    ids: Vec<TokenId>,
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self::new(Merges::v1())
    }
}

impl Tokenizer {
    /// A tokenizer of the given merges.
    pub fn new(merges: Merges) -> Self {
        Self {
            merges,
            remembered: vec![Remembered::default(); SLOTS],
            ids: Vec::new(),
        }
    }

    /// Appends the ids of `text`, without a start id.
    pub fn encode(&mut self, text: &str, to: &mut Vec<TokenId>) {
        for piece in pieces(text.as_bytes()) {
            if let Some(key) = key_of(piece) {
                self.encode_short(piece, key, to);
            } else {
                merge_piece(&self.merges, piece, &mut self.ids);
                to.extend_from_slice(&self.ids);
            }
        }
    }

    /// The ids of each text, without start ids.
    pub fn encode_all(&mut self, texts: &[String]) -> Vec<Vec<TokenId>> {
        let mut encode = |text: &String| {
            let mut ids = Vec::new();
            self.encode(text, &mut ids);
            ids
        };
        texts.iter().map(&mut encode).collect()
    }

    fn encode_short(&mut self, piece: &[u8], key: u128, to: &mut Vec<TokenId>) {
        let Some(slot) = self.remembered.get_mut(slot_of(key)) else {
            return;
        };
        if slot.key != key {
            merge_piece(&self.merges, piece, &mut self.ids);
            let Some(ids) = slot.ids.get_mut(..self.ids.len()) else {
                to.extend_from_slice(&self.ids);
                return;
            };
            ids.copy_from_slice(&self.ids);
            slot.key = key;
            slot.length = self.ids.len() as u16;
        }
        to.extend_from_slice(slot.ids.get(..usize::from(slot.length)).unwrap_or_default());
    }
}

/// A short piece's bytes and length as one number.
fn key_of(piece: &[u8]) -> Option<u128> {
    let mut bytes = [0; 16];
    let (length, rest) = bytes.split_last_mut()?;
    rest.get_mut(..piece.len())?.copy_from_slice(piece);
    debug_assert!(
        piece.len() <= REMEMBERED_BYTES,
        "fifteen bytes are left beside the length"
    );
    *length = piece.len() as u8;
    Some(u128::from_le_bytes(bytes))
}

/// A slot by a multiplicative hash; colliding pieces only push each other out.
fn slot_of(key: u128) -> usize {
    let folded = (key as u64) ^ ((key >> 64) as u64).rotate_left(29);
    (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 49) as usize
}

/// The ids of one piece.
fn merge_piece(merges: &Merges, piece: &[u8], ids: &mut Vec<TokenId>) {
    ids.clear();
    ids.extend(piece.iter().map(|byte| byte_id(*byte)));
    loop {
        let pairs = ids.windows(2).enumerate().filter_map(|(at, pair)| match pair {
            [left, right] => merges.merged(*left, *right).map(|id| (id, at)),
            _ => None,
        });
        // The lowest id is the lowest rank; of equal ones the leftmost.
        let Some((id, at)) = pairs.min() else {
            return;
        };
        if let Some(left) = ids.get_mut(at) {
            *left = id;
        }
        ids.remove(at + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(text: &str) -> Vec<TokenId> {
        let mut ids = Vec::new();
        Tokenizer::default().encode(text, &mut ids);
        ids
    }

    #[test]
    fn the_worked_example() {
        assert_eq!(
            ids("The cat sat on 12 mats.\n\n  Yes, it did!"),
            [
                501, 277, 267, 1297, 330, 675, 51, 1131, 116, 47, 300, 33, 1337, 284, 45, 327, 715, 34
            ]
        );
        assert!(ids("").is_empty());
    }

    #[test]
    fn a_long_piece_of_noise_is_bounded_work() {
        assert!(ids(&"é".repeat(100_000)).len() <= 200_000);
    }

    /// The bytes of ids, by undoing the merges.
    fn bytes_of(merges: &Merges, id: TokenId, to: &mut Vec<u8>) {
        match id.checked_sub(super::super::FIRST_MERGE) {
            Some(rank) => {
                let (left, right) = merges.pairs()[usize::from(rank)];
                bytes_of(merges, left, to);
                bytes_of(merges, right, to);
            }
            None => to.push((id - 1) as u8),
        }
    }

    proptest! {
        #[test]
        fn ids_spell_the_text(text in "(?s).{0,80}", again in "[a-c ]{0,60}") {
            let merges = Merges::v1();
            let mut tokenizer = Tokenizer::default();
            for text in [&text, &again, &text] {
                let mut found = Vec::new();
                tokenizer.encode(text, &mut found);
                prop_assert_eq!(&found, &ids(text));
                let mut bytes = Vec::new();
                for id in &found {
                    bytes_of(&merges, *id, &mut bytes);
                }
                prop_assert_eq!(bytes, text.as_bytes());
            }
        }
    }
}
