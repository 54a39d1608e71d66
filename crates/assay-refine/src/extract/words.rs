//! Word lists as hash tables: a look-up hashes the word once and compares numbers, never texts.
//!
//! Two words may share a hash (FNV-1a, 64 bits): an unknown word then counts as a known one, on every machine alike.

/// Slots per word, at least: most look-ups end at the first.
const SLOTS_PER_WORD: usize = 4;

/// A 64-bit hash of bytes, FNV-1a.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A 64-bit hash of a long text, eight bytes at a time.
pub(crate) fn hash_text(text: &str) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let (chunks, tail) = text.as_bytes().as_chunks::<8>();
    let mut sum = K ^ text.len() as u64;
    for chunk in chunks {
        sum = (sum.rotate_left(5) ^ u64::from_le_bytes(*chunk)).wrapping_mul(K);
    }
    let last = tail.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    sum = (sum.rotate_left(5) ^ last).wrapping_mul(K);
    sum ^ sum >> 29
}

/// Words with the number of their group.
#[derive(Debug)]
pub(crate) struct Words {
    slots: Vec<(u64, u8)>,
}

impl Words {
    /// The table of groups of words; the index of a group is its number.
    pub(crate) fn new(groups: &[&str]) -> Words {
        let words = || {
            let numbered = (0_u8..).zip(groups);
            numbered.flat_map(|(number, group)| group.split_whitespace().map(move |word| (word, number)))
        };
        let size = (words().count() * SLOTS_PER_WORD).next_power_of_two();
        let mut table = Words {
            slots: vec![(0, 0); size],
        };
        for (word, number) in words() {
            let key = hash(word.as_bytes());
            let at = table.slot(key);
            if let Some(slot) = table.slots.get_mut(at) {
                debug_assert!(slot.0 == 0, "`{word}` stands in two groups");
                *slot = (key, number);
            }
        }
        table
    }

    /// The slot of a key, or the free one where it would go.
    fn slot(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (key ^ key >> 32) as usize & mask;
        while self
            .slots
            .get(at)
            .is_some_and(|slot| slot.0 != key && slot.0 != 0)
        {
            at = (at + 1) & mask;
        }
        at
    }

    /// The group of a word.
    pub(crate) fn group(&self, word: &[u8]) -> Option<u8> {
        let key = hash(word);
        let slot = self.slots.get(self.slot(key))?;
        (slot.0 == key).then_some(slot.1)
    }
}

/// A word that stands in two groups, or twice in one.
#[cfg(test)]
pub(crate) fn repeated<'a>(groups: &[&'a str]) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    let mut words = groups.iter().flat_map(|group| group.split_whitespace());
    words.find(|word| !seen.insert(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_group() {
        let words = Words::new(&["a bc", "def"]);
        assert_eq!(words.group(b"bc"), Some(0));
        assert_eq!(words.group(b"def"), Some(1));
        assert_eq!(words.group(b"b"), None);
        assert_eq!(repeated(&["a b", "c b"]), Some("b"));
        assert_ne!(hash_text("12345678"), hash_text("123456789"));
    }
}
