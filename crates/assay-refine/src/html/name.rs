//! Names of elements and attributes as 64-bit keys, and their look-up in a table made at compile time.
//!
//! The scanner folds a name while it reads it; everything later compares keys. Two names may share a key (FNV-1a, 64 bits):
//! then they are one name to this parser, which costs such a page an odd tree and nothing else.

/// The key of the empty name.
pub(super) const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// The key of a name that goes on with `byte`; capitals of ASCII are folded (HTML standard, 13.2.5.8).
pub(super) const fn step(key: u64, byte: u8) -> u64 {
    (key ^ byte.to_ascii_lowercase() as u64).wrapping_mul(0x0000_0100_0000_01b3)
}

/// The key of a whole name.
#[expect(clippy::indexing_slicing, reason = "the loop ends at the length")]
pub(super) const fn fold(name: &[u8]) -> u64 {
    let (mut key, mut at) = (SEED, 0);
    while at < name.len() {
        key = step(key, name[at]);
        at += 1;
    }
    key
}

/// Slots of a [`Table`]: four times the names of the longest list, so that a look-up takes one or two steps.
const SLOTS: usize = 1024;

/// Keys with their values, by open addressing.
#[derive(Debug)]
pub(super) struct Table<T> {
    slots: [(u64, T); SLOTS],
}

const fn slot(key: u64) -> usize {
    (key ^ (key >> 32)) as usize % SLOTS
}

impl<T: Copy> Table<T> {
    /// A table of names; at most half of the slots may be used, which a wrong list shows at compile time.
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated at compile time, slots are taken modulo their number"
    )]
    pub(super) const fn new(names: &[(&str, T)], none: T) -> Table<T> {
        assert!(names.len() * 2 <= SLOTS, "too many names for the table");
        let mut slots = [(0, none); SLOTS];
        let mut index = 0;
        while index < names.len() {
            let key = fold(names[index].0.as_bytes());
            let mut at = slot(key);
            while slots[at].0 != 0 {
                assert!(slots[at].0 != key, "two names share a key");
                at = (at + 1) % SLOTS;
            }
            slots[at] = (key, names[index].1);
            index += 1;
        }
        Table { slots }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: u64) -> Option<T> {
        let mut at = slot(key);
        for _ in 0..SLOTS {
            let (found, value) = self.slots.get(at)?;
            if *found == key {
                return Some(*value);
            }
            if *found == 0 {
                return None;
            }
            at = (at + 1) % SLOTS;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        static TABLE: Table<u8> = Table::new(&[("div", 1), ("p", 2)], 0);
        assert_eq!(TABLE.get(fold(b"DiV")), Some(1));
        assert_eq!(TABLE.get(fold(b"p")), Some(2));
        assert_eq!(TABLE.get(fold(b"span")), None);
    }
}
