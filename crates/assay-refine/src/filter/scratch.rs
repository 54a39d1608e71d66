//! Buffers that the filters use again for every text, and the table they count pieces of text in.
//!
//! In: keys of lines, words and n-grams. Out: whether, and as what, a key was seen before. Nothing that a filter returns
//! depends on what a buffer held before.

/// Buffers of one worker thread; `Default` is empty ones.
#[derive(Debug, Default)]
pub struct FilterScratch {
    /// Words of the text, without anything between them.
    pub(super) joined: String,
    /// Start of each word in `joined` (bytes), and one end.
    pub(super) offsets: Vec<u32>,
    /// Code points before each word, and in all.
    pub(super) chars: Vec<u32>,
    /// Id of each word: the position of the first equal one.
    pub(super) ids: Vec<u32>,
    /// Count and first position of each n-gram.
    pub(super) counts: Vec<(u32, u32)>,
    /// Positions worth looking at, with an n-gram's id where one is needed.
    pub(super) candidates: Vec<(u32, u32)>,
    /// Which positions are worth it.
    pub(super) marks: Vec<bool>,
    /// Seen keys.
    pub(super) seen: SeenTable,
    /// Tokens of a line.
    pub(super) tokens: Vec<crate::text::words::Token>,
}

/// Open addressing from 64-bit keys to positions; keys that collide are told apart by the caller.
#[derive(Debug, Default)]
pub(crate) struct SeenTable {
    /// Key and value + 1; 0 marks a free slot.
    slots: Vec<(u64, u32)>,
    /// Odd, so that a multiplication permutes keys.
    multiplier: u64,
    shift: u32,
}

impl SeenTable {
    /// Forgets everything and makes room for `entries` keys.
    ///
    /// The multiplier comes from the text's digest: nobody can write a text whose keys fall into one place.
    pub(super) fn reset(&mut self, entries: usize, seed: u64) {
        let bits = (entries.max(8) * 2).next_power_of_two().trailing_zeros();
        self.slots.clear();
        self.slots.resize(1 << bits, (0, 0));
        self.multiplier = seed | 1;
        self.shift = 64 - bits;
    }

    /// The value stored for an equal key, or `None` after storing `value`.
    ///
    /// `same` says whether the entry with the given value is really equal, not only its key.
    #[inline]
    pub(super) fn find_or_insert(&mut self, key: u64, value: u32, same: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let home = (key.wrapping_mul(self.multiplier) >> self.shift) as usize;
        // `reset` made at least twice as many slots as keys will come, so a free one is met.
        for step in 0..self.slots.len() {
            let slot = self.slots.get_mut((home + step) & mask)?;
            if slot.1 == 0 {
                *slot = (key, value + 1);
                return None;
            }
            if slot.0 == key && same(slot.1 - 1) {
                return Some(slot.1 - 1);
            }
        }
        None
    }
}

/// Repeats among pieces of a text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeats {
    /// Pieces in all.
    pub(crate) pieces: u64,
    /// Pieces equal to an earlier one.
    pub(crate) repeated: u64,
    /// Code points of these.
    pub(crate) repeated_chars: u64,
}

impl SeenTable {
    /// Counts pieces equal to an earlier one; source: datatrove `find_duplicates`,
    /// `pipeline/filters/gopher_repetition_filter.py` @a649de79.
    pub(super) fn repeats(&mut self, pieces: &[&str], seed: u64) -> Repeats {
        self.reset(pieces.len(), seed);
        let mut repeats = Repeats {
            pieces: pieces.len() as u64,
            ..Repeats::default()
        };
        for (index, piece) in pieces.iter().enumerate() {
            let same = |other: u32| pieces.get(other as usize) == Some(piece);
            if self
                .find_or_insert(hash_bytes(piece.as_bytes(), seed), index as u32, same)
                .is_some()
            {
                repeats.repeated += 1;
                repeats.repeated_chars += crate::text::python::len(piece) as u64;
            }
        }
        repeats
    }
}

/// A seed for hashing that depends on the whole text: first eight bytes of its BLAKE3 digest, little-endian.
pub(super) fn seed_of(text: &str) -> u64 {
    let digest = blake3::hash(text.as_bytes());
    digest
        .as_bytes()
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// A 64-bit hash: eight bytes at a time, both halves of a product with the seed folded together.
///
/// Only a guess at equality, every hit is confirmed on the bytes; the seed keeps texts from being written to collide.
#[inline]
pub(super) fn hash_bytes(bytes: &[u8], seed: u64) -> u64 {
    let fold = |state: u64, chunk: u64| {
        let product = u128::from(state ^ chunk) * u128::from(seed | 1);
        (product as u64) ^ (product >> 64) as u64
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    let state = chunks.iter().fold(bytes.len() as u64, |state, chunk| {
        fold(state, u64::from_le_bytes(*chunk))
    });
    let last = rest.iter().fold(0, |last, &byte| last << 8 | u64::from(byte));
    fold(fold(state, last), seed.rotate_left(32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_of_different_pieces_are_told_apart() {
        let mut table = SeenTable::default();
        table.reset(3, 5);
        assert_eq!(table.find_or_insert(7, 0, |_| true), None);
        assert_eq!(table.find_or_insert(7, 1, |other| other == 1), None);
        assert_eq!(table.find_or_insert(7, 2, |other| other == 1), Some(1));
        table.reset(3, 9);
        assert_eq!(table.find_or_insert(7, 0, |_| true), None);
    }

    #[test]
    fn repeats_count_all_but_the_first() {
        let repeats = SeenTable::default().repeats(&["é", "", "é", "b", "", "é"], 1);
        assert_eq!(
            repeats,
            Repeats {
                pieces: 6,
                repeated: 3,
                repeated_chars: 2
            }
        );
    }
}
