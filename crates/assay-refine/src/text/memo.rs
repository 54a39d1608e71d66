//! A bounded memo from a chunk to the ends of its tokens, or from a GPT-2 piece to its token count.
//!
//! The cut of a chunk is a pure function of the chunk, so the memo never changes a result; when full it is emptied.
//! Memory: 2^15 slots of 16 bytes and an arena of 1 MiB, 1.5 MiB in all. Asked by `words` and `gpt2`.

use super::hash::hash;

/// Slots; a power of two.
const SLOTS: usize = 1 << 15;
/// Entries at most: half of the slots, so that a probe is short.
const ENTRIES_MAX: usize = SLOTS / 2;
/// Bytes of all keys and token ends at most.
const ARENA_BYTES_MAX: usize = 1 << 20;
/// Longest chunk that is remembered, in bytes; token ends fit a byte.
pub(in crate::text) const CHUNK_BYTES_MAX: usize = 64;

/// Where an entry lies in the arena: key bytes, then one byte for each token end.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u64,
    at: u32,
    key_len: u8,
    tokens: u8,
    joins: bool,
}

/// What is remembered of a chunk.
#[derive(Debug, Clone, Copy)]
pub(in crate::text) struct Remembered<'a> {
    /// Byte after the last of each token.
    pub(in crate::text) ends: &'a [u8],
    /// The text needs the second pass.
    pub(in crate::text) joins: bool,
}

/// The memo.
#[derive(Debug)]
pub(in crate::text) struct Memo {
    slots: Vec<Slot>,
    arena: Vec<u8>,
    entries: usize,
}

impl Memo {
    pub(in crate::text) fn new() -> Self {
        Self {
            slots: vec![Slot::default(); SLOTS],
            arena: Vec::new(),
            entries: 0,
        }
    }

    /// The remembered cut of `chunk`.
    #[inline]
    pub(in crate::text) fn get(&self, chunk: &str) -> Option<Remembered<'_>> {
        let key = chunk.as_bytes();
        let wanted = hash(key);
        let mut at = wanted as usize % SLOTS;
        loop {
            let slot = self.slots.get(at)?;
            if slot.key_len == 0 {
                return None;
            }
            if slot.hash == wanted {
                let entry = self.arena.get(slot.at as usize..)?;
                let (stored, rest) = entry.split_at_checked(slot.key_len as usize)?;
                if stored == key {
                    return Some(Remembered {
                        ends: rest.get(..slot.tokens as usize)?,
                        joins: slot.joins,
                    });
                }
            }
            at = (at + 1) % SLOTS;
        }
    }

    /// Remembers the cut of a chunk of at most [`CHUNK_BYTES_MAX`] bytes that is not remembered yet.
    pub(in crate::text) fn put(&mut self, chunk: &str, ends: &[u32], joins: bool) {
        let key = chunk.as_bytes();
        if key.is_empty() || key.len() > CHUNK_BYTES_MAX {
            return;
        }
        if self.entries >= ENTRIES_MAX || self.arena.len() + 2 * CHUNK_BYTES_MAX > ARENA_BYTES_MAX {
            self.slots.fill(Slot::default());
            self.arena.clear();
            self.entries = 0;
        }
        let wanted = hash(key);
        let mut at = wanted as usize % SLOTS;
        while self.slots.get(at).is_some_and(|slot| slot.key_len > 0) {
            at = (at + 1) % SLOTS;
        }
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        *slot = Slot {
            hash: wanted,
            at: self.arena.len() as u32,
            key_len: key.len() as u8,
            tokens: ends.len() as u8,
            joins,
        };
        self.arena.extend_from_slice(key);
        self.arena.extend(ends.iter().map(|&end| end as u8));
        self.entries += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_memo_starts_anew() {
        let mut memo = Memo::new();
        for i in 0..3 * ENTRIES_MAX {
            let chunk = format!("chunk-{i}");
            assert!(memo.get(&chunk).is_none());
            memo.put(&chunk, &[5, 6, chunk.len() as u32], i % 2 == 0);
            let found = memo.get(&chunk).unwrap();
            assert_eq!(
                (found.ends, found.joins),
                (&[5, 6, chunk.len() as u8][..], i % 2 == 0)
            );
            assert!(memo.entries <= ENTRIES_MAX && memo.arena.len() <= ARENA_BYTES_MAX);
        }
    }

    #[test]
    fn long_chunks_are_not_remembered() {
        let mut memo = Memo::new();
        let chunk = "x".repeat(CHUNK_BYTES_MAX + 1);
        memo.put(&chunk, &[65], false);
        assert!(memo.get(&chunk).is_none());
    }
}
