//! Membership in datatrove's and spaCy's character sets.
//!
//! Sources: `TERMINAL_PUNCTUATION`, `PUNCTUATION`, `PUNCTUATION_SET` of datatrove 0.10.1 `utils/text.py`;
//! `Sentencizer.default_punct_chars` of spaCy 3.8.18; general categories of Unicode 14.0. Asked by the filters.

use super::tables::{CATEGORY_P, PUNCTUATION, SENTENCE_END, TERMINAL, has};

/// Terminal punctuation of the FineWeb line rule (159 code points).
#[inline]
pub fn is_terminal(c: char) -> bool {
    has(c, TERMINAL)
}

/// A code point that alone ends a sentence for the sentencizer (128 code points).
#[inline]
pub fn is_sentence_end(c: char) -> bool {
    has(c, SENTENCE_END)
}

/// `PUNCTUATION`: what the normaliser turns into a space (129 code points).
#[inline]
pub fn is_punctuation(c: char) -> bool {
    has(c, PUNCTUATION)
}

/// `PUNCTUATION_SET`: a word of these alone is a symbol for Gopher quality (281 code points).
#[inline]
pub fn is_symbol(c: char) -> bool {
    has(c, PUNCTUATION | TERMINAL)
}

/// General category P* (Unicode 14.0).
#[inline]
pub fn is_punct_category(c: char) -> bool {
    has(c, CATEGORY_P)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oddities_of_the_sets() {
        assert!(is_punctuation('\u{ff11}') && !is_punctuation('\u{2018}') && !is_punctuation('\u{2022}'));
        assert!(is_terminal('\u{61d}') && !is_sentence_end('\u{61d}') && is_symbol('\u{61d}'));
        assert!(!is_terminal('"') && is_punct_category('"') && !is_punct_category('$'));
    }
}
