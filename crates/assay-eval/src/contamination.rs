//! Contamination: 13-grams of words that training text shares with evaluation text or benchmarks.
//!
//! Texts come in; a sorted index of hashes leaves, is stored, read back and asked about every position of a training
//! document. A word is a maximal run of letters and digits, ASCII-lower-cased; a gram's hash is `u64(H("assay/13gram/1",
//! words joined by one blank))` (docs/evaluation.md). Memory: 8 bytes a gram.

use std::io::{self, Read, Write};

use assay_types::{Digest, tagged_hash, u64_le};
use thiserror::Error;

/// Words of a gram.
pub const GRAM_WORDS: usize = 13;

/// Fewest words of a benchmark item that is indexed as a whole.
pub const ITEM_WORDS_MIN: usize = 8;

/// Most hashes of an index that is read: 1 GiB.
pub const INDEX_GRAMS_MAX: u64 = 1 << 27;

/// First bytes of a stored index.
const MAGIC: &[u8; 24] = b"assay-13gram-index/1\n\0\0\0";

/// Why bytes are no index.
#[derive(Debug, Error)]
pub enum IndexError {
    /// The bytes could not be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Not the form of an index.
    #[error("no 13-gram index: the first bytes are not `assay-13gram-index/1`")]
    Magic,
    /// More hashes than are read.
    #[error("`{0}` hashes are more than {INDEX_GRAMS_MAX}")]
    Length(u64),
    /// The hashes are not those the index was made with.
    #[error("the index's digest does not fit its `{0}` hashes: it was cut or changed")]
    Digest(u64),
}

/// Hashes of 13-grams, and of whole items of 8 to 12 words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GramIndex {
    /// Sorted, distinct.
    hashes: Vec<u64>,
    /// Bit n: an item of n words is in the index.
    lengths: u32,
}

/// Collects an index.
#[derive(Debug, Default)]
pub struct GramIndexBuilder {
    index: GramIndex,
    words: Words,
}

/// A text's words, lower-cased and joined by blanks; reused.
#[derive(Debug, Default)]
struct Words {
    joined: Vec<u8>,
    /// Where each word begins and ends in `joined`.
    bounds: Vec<(usize, usize)>,
}

impl GramIndexBuilder {
    /// Adds every 13-gram of a text; a text of 8 to 12 words is added as a whole.
    pub fn push(&mut self, text: &str) {
        self.words.read(text);
        let count = self.words.bounds.len();
        let length = count.min(GRAM_WORDS);
        if length < ITEM_WORDS_MIN {
            return;
        }
        self.index.lengths |= 1 << length;
        self.index.hashes.extend(self.words.grams(length));
    }

    /// The index.
    pub fn finish(mut self) -> GramIndex {
        self.index.hashes.sort_unstable();
        self.index.hashes.dedup();
        self.index
    }
}

impl GramIndex {
    /// Hashes in the index.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Digest of the hashes: what pins an index.
    pub fn digest(&self) -> Digest {
        let bytes: Vec<u8> = self.hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        tagged_hash("assay/13gram-index/1", &[&self.lengths.to_le_bytes(), &bytes])
    }

    /// Writes magic, lengths u32, count u64, digest, hashes u64; little-endian.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        to.write_all(MAGIC)?;
        to.write_all(&self.lengths.to_le_bytes())?;
        to.write_all(&(self.hashes.len() as u64).to_le_bytes())?;
        to.write_all(self.digest().as_bytes())?;
        for hash in &self.hashes {
            to.write_all(&hash.to_le_bytes())?;
        }
        to.flush()
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// [`IndexError`]: other bytes, too many, or a digest that does not fit.
    pub fn read(mut from: impl Read) -> Result<Self, IndexError> {
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic).map_err(|_| IndexError::Magic)?;
        if magic != *MAGIC {
            return Err(IndexError::Magic);
        }
        let (mut lengths, mut count, mut digest) = ([0; 4], [0; 8], [0; 32]);
        from.read_exact(&mut lengths)?;
        from.read_exact(&mut count)?;
        from.read_exact(&mut digest)?;
        let count = u64::from_le_bytes(count);
        if count > INDEX_GRAMS_MAX {
            return Err(IndexError::Length(count));
        }
        let mut bytes = Vec::new();
        from.take(8 * count).read_to_end(&mut bytes)?;
        let index = Self {
            hashes: bytes
                .as_chunks()
                .0
                .iter()
                .map(|hash| u64::from_le_bytes(*hash))
                .collect(),
            lengths: u32::from_le_bytes(lengths),
        };
        let is_sorted = index.hashes.is_sorted_by(|a, b| a < b);
        if index.hashes.len() as u64 != count || !is_sorted || index.digest() != Digest(digest) {
            return Err(IndexError::Digest(count));
        }
        Ok(index)
    }

    fn contains(&self, hash: u64) -> bool {
        self.hashes.binary_search(&hash).is_ok()
    }
}

/// 13-grams of several indexes, each marked by the indexes it is in.
#[derive(Debug, Clone, Default)]
pub struct MarkedIndex {
    /// Sorted by hash; bit n: it is in index n.
    grams: Vec<(u64, u32)>,
    lengths: u32,
}

impl MarkedIndex {
    /// Most indexes.
    pub const MARKS_MAX: usize = 32;

    /// Of indexes in their order; those beyond [`Self::MARKS_MAX`] are left out. Memory: 16 bytes a gram of each.
    pub fn of<'a>(indexes: impl Iterator<Item = &'a GramIndex>) -> Self {
        let mut grams: Vec<(u64, u32)> = Vec::new();
        let mut lengths = 0;
        for (place, index) in indexes.take(Self::MARKS_MAX).enumerate() {
            lengths |= index.lengths;
            grams.extend(index.hashes.iter().map(|hash| (*hash, 1 << place)));
        }
        grams.sort_unstable();
        grams.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 |= next.1;
            }
            is_same
        });
        Self { grams, lengths }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.grams.is_empty()
    }

    fn marks(&self, hash: u64) -> u32 {
        let place = self.grams.binary_search_by_key(&hash, |(hash, _)| *hash);
        place
            .ok()
            .and_then(|place| self.grams.get(place))
            .map_or(0, |(_, marks)| *marks)
    }
}

/// Looks texts up in indexes; holds buffers.
#[derive(Debug, Default)]
pub struct Lookup {
    words: Words,
}

impl Lookup {
    /// For each index, whether any position of the text begins a gram of it.
    pub fn hits<const N: usize>(&mut self, text: &str, indexes: [&GramIndex; N]) -> [bool; N] {
        let mut hits = [false; N];
        let lengths = indexes.iter().fold(0, |all, index| all | index.lengths);
        if lengths == 0 {
            return hits;
        }
        self.words.read(text);
        for length in (ITEM_WORDS_MIN..=GRAM_WORDS).filter(|length| lengths & (1 << length) != 0) {
            for hash in self.words.grams(length) {
                for (hit, index) in hits.iter_mut().zip(indexes) {
                    *hit = *hit || index.contains(hash);
                }
            }
        }
        hits
    }

    /// Bit n: some position of the text begins a gram of index n.
    pub fn marks(&mut self, text: &str, index: &MarkedIndex) -> u32 {
        if index.is_empty() {
            return 0;
        }
        self.words.read(text);
        let lengths = (ITEM_WORDS_MIN..=GRAM_WORDS).filter(|length| index.lengths & (1 << length) != 0);
        lengths.fold(0, |marks, length| {
            let grams = self.words.grams(length);
            grams.fold(marks, |marks, hash| marks | index.marks(hash))
        })
    }
}

impl Words {
    fn read(&mut self, text: &str) {
        self.joined.clear();
        self.bounds.clear();
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
        for word in text
            .as_bytes()
            .split(|byte| !is_word(byte))
            .filter(|word| !word.is_empty())
        {
            if !self.joined.is_empty() {
                self.joined.push(b' ');
            }
            let start = self.joined.len();
            self.joined.extend(word.iter().map(u8::to_ascii_lowercase));
            self.bounds.push((start, self.joined.len()));
        }
    }

    /// Hashes of all grams of `length` words.
    fn grams(&self, length: usize) -> impl Iterator<Item = u64> {
        self.bounds.windows(length).filter_map(|gram| {
            let (start, _) = *gram.first()?;
            let (_, end) = *gram.last()?;
            Some(u64_le(&tagged_hash(
                "assay/13gram/1",
                &[self.joined.get(start..end)?],
            )))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "One two three four five six seven eight nine ten eleven twelve THIRTEEN, fourteen";

    fn index(texts: &[&str]) -> GramIndex {
        let mut builder = GramIndexBuilder::default();
        for text in texts {
            builder.push(text);
        }
        builder.finish()
    }

    #[test]
    fn thirteen_words_in_a_row_are_a_hit_whatever_stands_between_them() {
        let index = index(&[TEXT]);
        assert_eq!(index.len(), 2);
        let mut lookup = Lookup::default();
        let shared = "x y: two-three four five (six) seven eight nine ten\neleven twelve thirteen Fourteen z";
        assert_eq!(
            lookup.hits(shared, [&index, &GramIndex::default()]),
            [true, false]
        );
        let twelve = "x three four five six seven eight nine ten eleven twelve thirteen fourteen z";
        assert_eq!(lookup.hits(twelve, [&index]), [false]);
    }

    #[test]
    fn marks_say_which_index_was_hit() {
        let item = "what is the capital of france paris is";
        let indexes = [index(&[TEXT]), index(&[item]), index(&[TEXT, item])];
        let marked = MarkedIndex::of(indexes.iter());
        let mut lookup = Lookup::default();
        assert_eq!(lookup.marks(TEXT, &marked), 0b101);
        assert_eq!(
            lookup.marks("so: what is the capital of France? Paris is!", &marked),
            0b110
        );
        assert_eq!(lookup.marks("nothing of all that", &marked), 0);
        assert_eq!(lookup.marks(TEXT, &MarkedIndex::default()), 0);
        let many = vec![index(&[TEXT]); 40];
        assert_eq!(lookup.marks(TEXT, &MarkedIndex::of(many.iter())), u32::MAX);
    }

    #[test]
    fn short_items_hit_as_a_whole() {
        let index = index(&["what is the capital of france paris is", "too short"]);
        let mut lookup = Lookup::default();
        assert_eq!(
            lookup.hits("So: what is the capital of France? Paris is!", [&index]),
            [true]
        );
        assert_eq!(lookup.hits("what is the capital of France", [&index]), [false]);
    }

    #[test]
    fn an_index_reads_what_it_wrote_and_nothing_else() {
        let index = index(&[TEXT, "a benchmark item of exactly eight words here"]);
        let mut bytes = Vec::new();
        index.write(&mut bytes).unwrap();
        assert_eq!(GramIndex::read(bytes.as_slice()).unwrap(), index);
        for end in 0..bytes.len() {
            assert!(GramIndex::read(&bytes[..end]).is_err(), "cut at {end}");
        }
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(GramIndex::read(other.as_slice()).is_err(), "changed at {at}");
        }
        let mut huge = bytes.clone();
        huge[28..36].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(
            GramIndex::read(huge.as_slice()),
            Err(IndexError::Length(u64::MAX))
        ));
    }
}
