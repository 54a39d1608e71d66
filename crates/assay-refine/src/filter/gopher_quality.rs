//! Drops a text that does not look like prose: too short, odd words, symbols, bullets, no stop words.
//!
//! In: the text and its tokens ([`crate::text::words`]). Out: integer counts and a verdict.
//!
//! Rule, first failure drops; n = words, m = words with a character outside datatrove's `PUNCTUATION_SET`:
//! 1. m too small → `gopher_short_doc`, too large → `gopher_long_doc`;
//! 2. mean length of the m in code points too small → `gopher_below_avg_threshold`, too large →
//!    `gopher_above_avg_threshold`;
//! 3. `#` per word → `gopher_too_many_hashes`; `...` and `…` per word → `gopher_too_many_ellipsis`;
//! 4. share of lines that start with `•` or `-` → `gopher_too_many_bullets`, that end with `...` or `…` →
//!    `gopher_too_many_end_ellipsis`;
//! 5. share of the n words with a letter (Lu Ll Lt Lm Lo) too small → `gopher_below_alpha_threshold`;
//! 6. too few different stop words, compared with their case → `gopher_enough_stop_words`.
//!
//! | threshold | default | source |
//! |---|---|---|
//! | `words_min`, `words_max` (of m) | 50, 100,000 | Gopher (arXiv 2112.11446) A1.1; datatrove `pipeline/filters/gopher_quality_filter.py` @a649de79 |
//! | `word_chars_mean_min`, `word_chars_mean_max` | 3, 10 | same |
//! | `hash_ppm`, `ellipsis_ppm` (dropped if above) | 100,000 | same, `max_symbol_word_ratio` |
//! | `bullet_lines_ppm`, `ellipsis_lines_ppm` (dropped if above) | 900,000, 300,000 | same |
//! | `alpha_words_ppm` (dropped if below) | 800,000 | same, `max_non_alpha_words_ratio` |
//! | `stop_words_min` of `stop_words` | 2 of the, be, to, of, and, that, have, with | same |
//!
//! * keeps: `"The miller had to wait for the rain, and the wheel stood still. " * 5`
//! * drops: `"The miller had to wait for the rain."` => `gopher_short_doc`
//! * drops: `"Der Müller musste auf den Regen warten, das Rad stand still. " * 6` => `gopher_enough_stop_words`
use assay_types::recipe::GopherQualityParams;
use serde::Serialize;

use super::Verdict;
use super::verdict::{above, below};
use crate::text::charsets::is_symbol;
use crate::text::python;
use crate::text::words::Token;

/// Counts of a text; lengths are code points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GopherQualityFeatures {
    /// Words.
    pub words: u64,
    /// Words with a character outside `PUNCTUATION_SET`.
    pub non_symbol_words: u64,
    /// Summed length of these.
    pub non_symbol_chars: u64,
    /// `#` in the text.
    pub hashes: u64,
    /// `...` (not overlapping) and `…` in the text.
    pub ellipses: u64,
    /// Lines as Python's `splitlines` cuts them.
    pub lines: u64,
    /// Lines that start with a bullet.
    pub bullet_lines: u64,
    /// Lines that end with an ellipsis.
    pub ellipsis_lines: u64,
    /// Words with a letter.
    pub alpha_words: u64,
    /// Different stop words that occur.
    pub stop_words: u64,
}

/// Counts everything the rules ask for; linear in the text. The parameters name the stop words.
pub fn features(text: &str, tokens: &[Token], params: &GopherQualityParams) -> GopherQualityFeatures {
    let mut counts = GopherQualityFeatures {
        hashes: memchr::memchr_iter(b'#', text.as_bytes()).count() as u64,
        ellipses: (count(text, "...") + count(text, "…")) as u64,
        ..GopherQualityFeatures::default()
    };
    for line in python::splitlines(text) {
        counts.lines += 1;
        counts.bullet_lines += u64::from(python::lstrip(line).starts_with(['•', '-']));
        let end = python::rstrip(line);
        counts.ellipsis_lines += u64::from(end.ends_with("...") || end.ends_with('…'));
    }
    let mut stop_words = 0u64;
    for token in tokens.iter().filter(|token| !token.is_space) {
        let word = token.text(text);
        counts.words += 1;
        counts.alpha_words += u64::from(word.chars().any(python::is_alpha));
        if word.chars().any(|c| !is_symbol(c)) {
            counts.non_symbol_words += 1;
            counts.non_symbol_chars += python::len(word) as u64;
        }
        // A recipe has at most 64 stop words, so each has a bit.
        if let Some(place) = params
            .stop_words
            .iter()
            .take(64)
            .position(|stop_word| stop_word == word)
        {
            stop_words |= 1 << place;
        }
    }
    counts.stop_words = u64::from(stop_words.count_ones());
    counts
}

/// The first rule broken.
pub fn verdict(counts: &GopherQualityFeatures, params: &GopherQualityParams) -> Verdict {
    let GopherQualityFeatures {
        words,
        non_symbol_words,
        non_symbol_chars,
        lines,
        ..
    } = *counts;
    let mean_of = |chars: u32| u64::from(chars).saturating_mul(non_symbol_words);
    Verdict::first(&[
        (non_symbol_words < u64::from(params.words_min), "gopher_short_doc"),
        (non_symbol_words > u64::from(params.words_max), "gopher_long_doc"),
        (
            non_symbol_chars < mean_of(params.word_chars_mean_min),
            "gopher_below_avg_threshold",
        ),
        (
            non_symbol_chars > mean_of(params.word_chars_mean_max),
            "gopher_above_avg_threshold",
        ),
        (
            above(counts.hashes, params.hash_ppm, words),
            "gopher_too_many_hashes",
        ),
        (
            above(counts.ellipses, params.ellipsis_ppm, words),
            "gopher_too_many_ellipsis",
        ),
        (
            above(counts.bullet_lines, params.bullet_lines_ppm, lines),
            "gopher_too_many_bullets",
        ),
        (
            above(counts.ellipsis_lines, params.ellipsis_lines_ppm, lines),
            "gopher_too_many_end_ellipsis",
        ),
        (
            below(counts.alpha_words, params.alpha_words_ppm, words),
            "gopher_below_alpha_threshold",
        ),
        (
            counts.stop_words < u64::from(params.stop_words_min),
            "gopher_enough_stop_words",
        ),
    ])
}

/// Python's `text.count(part)`: occurrences that do not overlap.
fn count(text: &str, part: &str) -> usize {
    memchr::memmem::find_iter(text.as_bytes(), part).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words::Tokenizer;
    use proptest::prelude::*;

    fn of(text: &str) -> GopherQualityFeatures {
        let mut tokens = Vec::new();
        Tokenizer::new().tokenize(text, &mut tokens);
        features(text, &tokens, &GopherQualityParams::default())
    }

    #[test]
    fn header_examples() {
        let params = GopherQualityParams::default();
        crate::filter::manual::check_examples(include_str!("gopher_quality.rs"), |text| {
            verdict(&of(text), &params)
        });
    }

    #[test]
    fn lines_marks_and_words() {
        let counts = of(" • a\r\n-b...\u{85}  c … \n.... #the The the \u{ff11} !?");
        assert_eq!(
            (counts.lines, counts.bullet_lines, counts.ellipsis_lines),
            (4, 2, 2)
        );
        assert_eq!((counts.hashes, counts.ellipses, counts.stop_words), (1, 3, 1));
        assert_eq!(of("\u{ff11} !").non_symbol_words, 0);
        assert_eq!(of("é\u{345}").non_symbol_chars, 2);
    }

    proptest! {
        #[test]
        fn more_symbols_are_never_kept_more(words in 50u64..200, hashes in 0u64..100, more in 0u64..100) {
            let mut counts = GopherQualityFeatures {
                words, hashes, non_symbol_words: words, non_symbol_chars: words * 5, lines: 9,
                alpha_words: words, stop_words: 2, ..GopherQualityFeatures::default()
            };
            let params = GopherQualityParams::default();
            let before = verdict(&counts, &params);
            counts.hashes += more;
            prop_assert!(before.is_kept() || !verdict(&counts, &params).is_kept());
        }
    }
}
