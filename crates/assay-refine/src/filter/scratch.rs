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
    /// Dense id of each word or n-gram, by position.
    pub(super) ids: Vec<u32>,
    /// Count and first position of each id.
    pub(super) counts: Vec<(u32, u32)>,
    /// Hash of each word, and base to the power of its length.
    pub(super) words: Vec<(u64, u64)>,
    /// Hash of the n-gram at each position.
    pub(super) grams: Vec<u64>,
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
                .find_or_insert(first_u64(&blake3::hash(piece.as_bytes())), index as u32, same)
                .is_some()
            {
                repeats.repeated += 1;
                repeats.repeated_chars += crate::text::python::len(piece) as u64;
            }
        }
        repeats
    }
}

/// A seed for hashing that depends on the whole text.
pub(super) fn seed_of(text: &str) -> u64 {
    first_u64(&blake3::hash(text.as_bytes()))
}

/// The first eight bytes of a digest, little-endian.
fn first_u64(digest: &blake3::Hash) -> u64 {
    digest
        .as_bytes()
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
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
