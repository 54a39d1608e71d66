//! Drops a text that is a list, a menu or a heap of fragments: FineWeb's own rules.
//!
//! In: the text that C4 rewrote and the number of its words. Out: integer counts and a verdict.
//!
//! Rule, first failure drops; lines are those between line feeds that are not blank, lengths are code points:
//! 1. no line → `empty`;
//! 2. share of lines whose last character is terminal punctuation (159 characters of all scripts; quotation marks are
//!    none) too small → `line_punct_ratio`;
//! 3. share of lines of at most `short_line_chars` characters too large → `short_line_ratio`;
//! 4. characters of lines equal to an earlier one / characters without line feeds too large → `char_dup_ratio`;
//! 5. line feeds per word too large → `list_ratio`.
//!
//! | threshold | default | source |
//! |---|---|---|
//! | `line_punct_ppm` (dropped if below) | 120,000 | FineWeb (arXiv 2406.17557) §3.6; datatrove `pipeline/filters/fineweb_quality_filter.py` @a649de79 |
//! | `short_line_chars`, `short_line_ppm` (dropped if above) | 30, 670,000 | same |
//! | `char_dup_ppm` (dropped if above) | 10,000 | same |
//! | `list_ppm` (dropped if above) | 300,000 | same |
//!
//! * keeps: `"The miller waited for the rain all spring.\nThen the wheel turned again, to everyone's relief."`
//! * drops: `"Home and garden, all about plants\nPress and media, all our news"` => `line_punct_ratio`
//! * drops: `"We were here.\nYou were not."` => `short_line_ratio`
//! * drops: `"The miller waited for the rain all spring.\n" * 2` => `char_dup_ratio`
use assay_types::recipe::FinewebQualityParams;
use serde::Serialize;

use super::Verdict;
use super::scratch::{FilterScratch, seed_of};
use super::verdict::{above, below};
use crate::text::charsets::is_terminal;
use crate::text::python;
use crate::text::words::Token;

/// Counts of a text; lengths are code points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FinewebQualityFeatures {
    /// Lines that are not blank.
    pub lines: u64,
    /// Lines that end in terminal punctuation.
    pub terminal_lines: u64,
    /// Lines of at most `short_line_chars` characters.
    pub short_lines: u64,
    /// Characters of lines equal to an earlier one.
    pub dup_line_chars: u64,
    /// Characters of the text but its line feeds.
    pub chars_without_newlines: u64,
    /// Line feeds of the text.
    pub newlines: u64,
    /// Words of the text.
    pub words: u64,
}

/// Counts everything the rules ask for; linear in the text.
pub fn features(
    text: &str,
    tokens: &[Token],
    params: &FinewebQualityParams,
    scratch: &mut FilterScratch,
) -> FinewebQualityFeatures {
    let lines: Vec<&str> = text
        .split('\n')
        .filter(|line| !python::strip(line).is_empty())
        .collect();
    let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64;
    let short = |line: &&&str| python::len(line) as u64 <= u64::from(params.short_line_chars);
    FinewebQualityFeatures {
        lines: lines.len() as u64,
        terminal_lines: lines.iter().filter(|line| line.ends_with(is_terminal)).count() as u64,
        short_lines: lines.iter().filter(short).count() as u64,
        dup_line_chars: scratch.seen.repeats(&lines, seed_of(text)).repeated_chars,
        chars_without_newlines: python::len(text) as u64 - newlines,
        newlines,
        words: tokens.iter().filter(|token| !token.is_space).count() as u64,
    }
}

/// The first rule broken.
pub fn verdict(counts: &FinewebQualityFeatures, params: &FinewebQualityParams) -> Verdict {
    let FinewebQualityFeatures {
        lines,
        chars_without_newlines,
        ..
    } = *counts;
    Verdict::first(&[
        (lines == 0, "empty"),
        (
            below(counts.terminal_lines, params.line_punct_ppm, lines),
            "line_punct_ratio",
        ),
        (
            above(counts.short_lines, params.short_line_ppm, lines),
            "short_line_ratio",
        ),
        (
            above(counts.dup_line_chars, params.char_dup_ppm, chars_without_newlines),
            "char_dup_ratio",
        ),
        (
            above(counts.newlines, params.list_ppm, counts.words),
            "list_ratio",
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words::Tokenizer;
    use proptest::prelude::*;

    fn of(text: &str) -> FinewebQualityFeatures {
        let mut tokens = Vec::new();
        Tokenizer::new().tokenize(text, &mut tokens);
        features(
            text,
            &tokens,
            &FinewebQualityParams::default(),
            &mut FilterScratch::default(),
        )
    }

    #[test]
    fn header_examples() {
        let params = FinewebQualityParams::default();
        crate::filter::manual::check_examples(include_str!("fineweb_quality.rs"), |text| {
            verdict(&of(text), &params)
        });
    }

    #[test]
    fn lines_end_at_line_feeds_only_and_keep_their_spaces() {
        let counts = of("a. \nb.\r\n\u{1c}\nc\u{2028}d。\n\n");
        assert_eq!((counts.lines, counts.terminal_lines, counts.newlines), (3, 1, 5));
        assert_eq!(of("é\n é\né").dup_line_chars, 1);
        assert_eq!(of("he said \"yes.\"").terminal_lines, 0);
    }

    #[test]
    fn blank_texts_are_empty() {
        for text in ["", "\n", " \u{1f}\n\u{85}"] {
            assert_eq!(
                verdict(&of(text), &FinewebQualityParams::default()),
                Verdict::Dropped("empty")
            );
        }
    }

    proptest! {
        #[test]
        fn more_repeats_are_never_kept_more(text in "([a-c ]{1,8}[.\n]{1,2}){1,20}", more in 0u64..9) {
            let params = FinewebQualityParams::default();
            let mut counts = of(&text);
            let before = verdict(&counts, &params);
            counts.dup_line_chars += more;
            prop_assert!(before.is_kept() || !verdict(&counts, &params).is_kept());
        }
    }
}
