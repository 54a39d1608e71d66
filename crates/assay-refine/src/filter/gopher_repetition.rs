//! Drops a text that repeats its own paragraphs, lines or runs of words.
//!
//! In: the text and its tokens ([`crate::text::words`]). Out: counts in code points, elements and words, and a verdict.
//!
//! Rule, first excess drops; a repeat is an element equal to an earlier one; lengths are code points:
//! 1. paragraphs (stripped text split at two or more line feeds): repeats / paragraphs → `dup_para_frac`, characters
//!    of repeats / text → `dup_para_char_frac`;
//! 2. lines (text split at line feeds): repeats / lines → `dup_line_frac`, characters / text → `dup_line_char_frac`;
//! 3. for n = 2, 3, 4 the commonest n-gram of words (the first seen of equally common ones), joined by spaces: its
//!    length times its count / text → `top_{n}_gram`; a count of 1 counts too, so very short texts fail;
//! 4. for n = 5 … 10 from left to right: an n-gram whose words joined by nothing equal an earlier one's adds its length
//!    and is stepped over; sum / text → `duplicated_{n}_n_grams`. "ab" "c" equals "a" "bc".
//!
//! The empty text is dropped as `empty`.
//!
//! | threshold (dropped if above) | default | source |
//! |---|---|---|
//! | `dup_para_ppm`, `dup_line_ppm` | 300,000 | Gopher (arXiv 2112.11446) table A1; datatrove `pipeline/filters/gopher_repetition_filter.py` @a649de79 |
//! | `dup_para_char_ppm`, `dup_line_char_ppm` | 200,000 | same |
//! | `top_gram_ppm`, n = 2, 3, 4 | 200,000, 180,000, 160,000 | same |
//! | `duplicated_gram_ppm`, n = 5 … 10 | 150,000, 140,000, 130,000, 120,000, 110,000, 100,000 | same |
//!
//! * keeps: `"The river rose in spring, so an old mill near our bridge had to close for three weeks.\nNobody minded: flour was cheap that year, and children swam where carts used to wait."`
//! * drops: `"Read more\n" * 3` => `dup_line_frac`
//! * drops: `"good morning good morning good night"` => `top_2_gram`
use assay_types::recipe::GopherRepetitionParams;
use serde::Serialize;

use super::Verdict;
use super::grams::{load_words, repeated_grams, top_grams};
use super::scratch::{FilterScratch, seed_of};
use super::verdict::above;
use crate::text::python;
use crate::text::words::Token;

/// Reasons of rule 3.
const TOP_REASONS: [&str; 3] = ["top_2_gram", "top_3_gram", "top_4_gram"];
/// Reasons of rule 4.
const DUPLICATED_REASONS: [&str; 6] = [
    "duplicated_5_n_grams",
    "duplicated_6_n_grams",
    "duplicated_7_n_grams",
    "duplicated_8_n_grams",
    "duplicated_9_n_grams",
    "duplicated_10_n_grams",
];

/// Counts of a text; characters are code points.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GopherRepetitionFeatures {
    /// Characters of the text.
    pub chars: u64,
    /// Paragraphs of the stripped text.
    pub paragraphs: u64,
    /// Paragraphs equal to an earlier one.
    pub dup_paragraphs: u64,
    /// Characters of these.
    pub dup_paragraph_chars: u64,
    /// Lines of the text.
    pub lines: u64,
    /// Lines equal to an earlier one.
    pub dup_lines: u64,
    /// Characters of these.
    pub dup_line_chars: u64,
    /// Length of the commonest 2-, 3-, 4-gram times its count; `None` for too few words.
    pub top_2_3_4_gram_chars: [Option<u64>; 3],
    /// Characters in repeated 5- to 10-grams.
    pub dup_5_to_10_gram_chars: [u64; 6],
}

/// Counts everything the rules ask for; expected time linear in the text.
pub fn features(text: &str, tokens: &[Token], scratch: &mut FilterScratch) -> GopherRepetitionFeatures {
    let seed = seed_of(text);
    let paragraphs: Vec<&str> = split_line_feeds(python::strip(text), 2).collect();
    let paragraphs = scratch.seen.repeats(&paragraphs, seed);
    let lines: Vec<&str> = split_line_feeds(text, 1).collect();
    let lines = scratch.seen.repeats(&lines, seed);
    load_words(text, tokens, seed, scratch);
    GopherRepetitionFeatures {
        chars: python::len(text) as u64,
        paragraphs: paragraphs.pieces,
        dup_paragraphs: paragraphs.repeated,
        dup_paragraph_chars: paragraphs.repeated_chars,
        lines: lines.pieces,
        dup_lines: lines.repeated,
        dup_line_chars: lines.repeated_chars,
        top_2_3_4_gram_chars: top_grams(seed, scratch),
        dup_5_to_10_gram_chars: repeated_grams(seed, scratch),
    }
}

/// The first rule broken.
pub fn verdict(counts: &GopherRepetitionFeatures, params: &GopherRepetitionParams) -> Verdict {
    let chars = counts.chars;
    if chars == 0 {
        return Verdict::Dropped("empty");
    }
    let pieces = Verdict::first(&[
        (
            above(counts.dup_paragraphs, params.dup_para_ppm, counts.paragraphs),
            "dup_para_frac",
        ),
        (
            above(counts.dup_paragraph_chars, params.dup_para_char_ppm, chars),
            "dup_para_char_frac",
        ),
        (
            above(counts.dup_lines, params.dup_line_ppm, counts.lines),
            "dup_line_frac",
        ),
        (
            above(counts.dup_line_chars, params.dup_line_char_ppm, chars),
            "dup_line_char_frac",
        ),
    ]);
    if !pieces.is_kept() {
        return pieces;
    }
    let top = counts
        .top_2_3_4_gram_chars
        .iter()
        .zip(params.top_gram_ppm)
        .zip(TOP_REASONS);
    let top = top.filter_map(|((&count, ppm), reason)| Some((count?, ppm, reason)));
    let repeated = counts
        .dup_5_to_10_gram_chars
        .iter()
        .zip(params.duplicated_gram_ppm)
        .zip(DUPLICATED_REASONS);
    let repeated = repeated.map(|((&count, ppm), reason)| (count, ppm, reason));
    top.chain(repeated)
        .find(|&(count, ppm, _)| above(count, ppm, chars))
        .map_or(Verdict::Kept, |(_, _, reason)| Verdict::Dropped(reason))
}

/// Python's `re.split("\n{run,}", text)`.
fn split_line_feeds(text: &str, run: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut from = 0;
        while let Some(at) = memchr::memchr(b'\n', text.as_bytes().get(from..)?).map(|at| from + at) {
            let feeds = text.bytes().skip(at).take_while(|&byte| byte == b'\n').count();
            from = at + feeds;
            if feeds >= run {
                rest = text.get(from..);
                return text.get(..at);
            }
        }
        rest = None;
        Some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words::Tokenizer;
    use proptest::prelude::*;

    fn of(text: &str) -> GopherRepetitionFeatures {
        let mut tokens = Vec::new();
        Tokenizer::new().tokenize(text, &mut tokens);
        features(text, &tokens, &mut FilterScratch::default())
    }

    #[test]
    fn header_examples() {
        let params = GopherRepetitionParams::default();
        crate::filter::manual::check_examples(include_str!("gopher_repetition.rs"), |text| {
            verdict(&of(text), &params)
        });
    }

    #[test]
    fn splits_give_empty_ends() {
        let lines = |text| split_line_feeds(text, 1).collect::<Vec<_>>();
        assert_eq!(lines("\n\na\n\n\nb\n"), ["", "a", "b", ""]);
        assert_eq!(lines(""), [""]);
        assert_eq!(
            split_line_feeds("a\nb\n\nc", 2).collect::<Vec<_>>(),
            ["a\nb", "c"]
        );
        assert_eq!(
            (of("\n").lines, of("\n").dup_lines, of("\n").dup_line_chars),
            (2, 1, 0)
        );
    }

    #[test]
    fn commonest_gram_is_the_first_seen_of_equals() {
        // "aa b" and "c d" occur twice; the first seen counts although it is longer.
        assert_eq!(of("aa b c d aa b c d").top_2_3_4_gram_chars[0], Some(8));
        assert_eq!(of("c d aa b c d aa b").top_2_3_4_gram_chars[0], Some(6));
        assert_eq!(of("one two").top_2_3_4_gram_chars, [Some(7), None, None]);
    }

    #[test]
    fn grams_are_compared_by_their_characters() {
        let text = "ab c d e f a bc d e f";
        assert_eq!(of(text).dup_5_to_10_gram_chars[0], 6);
        assert_eq!(of("x é x é x é x é x é x").dup_5_to_10_gram_chars[0], 5);
    }

    #[test]
    fn empty_text_has_its_own_reason() {
        assert_eq!(
            verdict(&of(""), &GopherRepetitionParams::default()),
            Verdict::Dropped("empty")
        );
    }

    #[test]
    fn long_repetitive_texts_are_linear() {
        for unit in ["a ", "\n", "a\n\n", "\u{301}", "ab cd ef gh "] {
            assert!(of(&unit.repeat(1_000_000 / unit.len())).chars > 0);
        }
    }

    proptest! {
        #[test]
        fn more_repetition_is_never_kept_more(text in "([a-c]{1,4}[ \n]){1,40}", line in 0u64..50) {
            let params = GopherRepetitionParams::default();
            let mut counts = of(&text);
            let before = verdict(&counts, &params);
            counts.dup_lines += line;
            prop_assert!(before.is_kept() || !verdict(&counts, &params).is_kept());
        }
    }
}
