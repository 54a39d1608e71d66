//! The flag word of a code point: every character class the text rules ask for, in one look-up.
//!
//! Data: `flags.bin`, written by `scripts/spacy_tables.py`. Read by all of [`crate::text`].

/// Layout as in `scripts/spacy_tables.py`: class count, class words, block numbers, blocks.
const DATA: &[u8] = include_bytes!("flags.bin");
/// Code points a block.
const BLOCK: usize = 256;
/// Blocks of the code space 0…10FFFF.
const BLOCKS: usize = 0x11_0000 / BLOCK;
const CLASS_COUNT: usize = word(0) as usize;
const INDEX_AT: usize = 4 + 4 * CLASS_COUNT;
const BLOCKS_AT: usize = INDEX_AT + BLOCKS;
static CLASSES: [u32; 256] = classes();
static ASCII: [u32; 128] = ascii();

macro_rules! flag_bits {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        $($(#[$doc])* pub const $name: u32 = 1 << $bit;)*
    };
}

flag_bits! {
    /// `str.isspace`, also `\s` (Unicode 14.0).
    SPACE = 0;
    /// `\w` of Python's `re`.
    WORD = 1;
    /// `str.isalpha`.
    ALPHABETIC = 2;
    /// `str.isnumeric`.
    NUMERIC = 3;
    /// `str.isdecimal`, also `\d` of Python's `re`.
    DECIMAL = 4;
    /// `\p{Nd}` of the module `regex` 2026.11.15, which knows a newer Unicode.
    DIGIT_NEW = 5;
    /// spaCy's ALPHA.
    ALPHA = 6;
    /// spaCy's ALPHA_LOWER (uncased scripts included).
    LOWER = 7;
    /// spaCy's ALPHA_UPPER (uncased scripts included).
    UPPER = 8;
    /// spaCy's CONCAT_ICONS.
    ICON = 9;
    /// spaCy's CONCAT_QUOTES.
    QUOTE = 10;
    /// Alone a spaCy prefix (`+` before a digit and the currencies of several code points apart).
    PREFIX = 11;
    /// Alone a spaCy suffix.
    SUFFIX = 12;
    /// A dot after it is a spaCy suffix.
    BEFORE_DOT = 13;
    /// spaCy's `Sentencizer.default_punct_chars`.
    SENTENCE_END = 14;
    /// datatrove's TERMINAL_PUNCTUATION.
    TERMINAL = 15;
    /// datatrove's PUNCTUATION.
    PUNCTUATION = 16;
    /// General category P* (Unicode 14.0).
    CATEGORY_P = 17;
    /// General category Mn (Unicode 14.0).
    MARK = 18;
    /// Cased and not case-ignorable, as CPython's final-sigma rule asks.
    CASED = 19;
    /// Case-ignorable, as CPython's final-sigma rule asks.
    CASE_IGNORABLE = 20;
    /// Not assigned in Unicode 14.0.
    UNASSIGNED = 21;
    /// `c.lower() != c`.
    LOWERS = 22;
    /// Decomposes canonically or has a combining class (Unicode 14.0).
    NFD = 23;
    /// `\p{L}` of the GPT-2 pattern.
    GPT2_LETTER = 24;
    /// `\p{N}` of the GPT-2 pattern.
    GPT2_NUMBER = 25;
    /// `\s` of the GPT-2 pattern.
    GPT2_SPACE = 26;
    /// spaCy's CURRENCY of one code point.
    CURRENCY = 27;
}

/// The flag word of `c`: the bits are the constants of this module.
#[inline]
pub fn flags(c: char) -> u32 {
    let cp = c as usize;
    if cp < 128 {
        return ASCII.get(cp).copied().unwrap_or(0);
    }
    let block = DATA.get(INDEX_AT + cp / BLOCK).copied().unwrap_or(0) as usize;
    let class = DATA
        .get(BLOCKS_AT + block * BLOCK + cp % BLOCK)
        .copied()
        .unwrap_or(0);
    CLASSES.get(class as usize).copied().unwrap_or(0)
}

/// Whether `c` has one of the flags `mask`.
#[inline]
pub fn has(c: char, mask: u32) -> bool {
    flags(c) & mask != 0
}

/// The flag word of an ASCII byte; 0 for another byte.
#[inline]
pub fn ascii_flags(byte: u8) -> u32 {
    ASCII.get(byte as usize).copied().unwrap_or(0)
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: a wrong table does not build"
)]
const fn word(at: usize) -> u32 {
    u32::from_le_bytes([DATA[at], DATA[at + 1], DATA[at + 2], DATA[at + 3]])
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: a wrong table does not build"
)]
const fn classes() -> [u32; 256] {
    let mut out = [0; 256];
    let mut i = 0;
    while i < CLASS_COUNT {
        out[i] = word(4 + 4 * i);
        i += 1;
    }
    out
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: a wrong table does not build"
)]
const fn ascii() -> [u32; 128] {
    let mut out = [0; 128];
    let first = DATA[INDEX_AT] as usize;
    let mut cp = 0;
    while cp < 128 {
        out[cp] = word(4 + 4 * DATA[BLOCKS_AT + first * BLOCK + cp] as usize);
        cp += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_sizes_are_those_of_the_reference() {
        let count = |mask| ('\0'..=char::MAX).filter(|&c| has(c, mask)).count();
        assert_eq!(
            [count(ALPHA), count(LOWER), count(UPPER), count(ICON)],
            [105_724, 105_177, 104_939, 5_984]
        );
        assert_eq!(
            [count(QUOTE), count(SENTENCE_END), count(TERMINAL)],
            [31, 128, 159]
        );
        assert_eq!([count(PUNCTUATION), count(PUNCTUATION | TERMINAL)], [129, 281]);
        assert_eq!([count(DECIMAL), count(DIGIT_NEW), count(SPACE)], [660, 770, 29]);
    }

    #[test]
    fn the_ascii_table_agrees_with_the_blocks() {
        assert!(has('a', ALPHA) && has('a', LOWER) && !has('a', UPPER));
        assert!(has('\u{1c}', SPACE) && has('\u{85}', SPACE) && !has('\u{200b}', SPACE));
        assert_eq!(
            ascii_flags(b'.') & (SENTENCE_END | TERMINAL),
            SENTENCE_END | TERMINAL
        );
        assert_eq!(ascii_flags(200), 0);
    }
}
