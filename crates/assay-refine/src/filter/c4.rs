//! Removes lines that are no prose, drops the text if placeholder, code or too little is left.
//!
//! In: the text. Out: the rewritten text for the steps that follow, counts of lines by cause, a verdict.
//!
//! Rule, for each line of Python's `splitlines()`, stripped:
//! 1. a word (split at white space) is longer than `word_chars_max` → the line goes;
//! 2. citations `[12]`, `[]`, `[edit]`, `[citation needed]` are cut out (digits of every script);
//! 3. fewer than `line_words_min` words, counted before the cut → the line goes;
//! 4. it holds "lorem ipsum" in any case → the document is dropped, `lorem_ipsum`;
//! 5. it holds "javascript" → the line goes;
//! 6. it holds `{` → the document is dropped, `curly_bracket`; a bracket in a line that went before does no harm;
//! 7. it holds "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies" or "use cookies" →
//!    the line goes; else it stays and its sentences are counted.
//!
//! Fewer than `sentences_min` sentences → `too_few_sentences`. The text becomes the lines that stay, joined by line
//! feeds, stripped.
//!
//! | threshold | default | source |
//! |---|---|---|
//! | `line_words_min` | 3 | C4 (Raffel et al. 2020) §2.2; datatrove `pipeline/filters/c4_filters.py` @a649de79 |
//! | `word_chars_max` | 1,000 | same |
//! | `sentences_min` | 5 | same |
//!
//! The rule on terminal punctuation is off, as in FineWeb (`filter_no_terminal_punct=False`).
//!
//! * keeps: `"The miller waited.[1] Home\nIt rained. It rained more. Then it stopped. The wheel turned."`
//! * drops: `"The miller waited for rain."` => `too_few_sentences`
//! * drops: `"Lorem Ipsum dolor sit amet."` => `lorem_ipsum`
//! * drops: `"if (a) { b }"` => `curly_bracket`
use std::borrow::Cow;

use assay_types::recipe::C4Params;
use serde::Serialize;

use super::Verdict;
use super::scratch::FilterScratch;
use crate::text::charsets::is_sentence_end;
use crate::text::python;
use crate::text::sentences::count_sentences;
use crate::text::words::Tokenizer;

/// datatrove's `POLICY_SUBSTRINGS`, each with the place of its rarest letter.
const POLICY: [(&str, usize); 6] = [
    ("terms of use", 7),
    ("privacy policy", 3),
    ("cookie policy", 3),
    ("uses cookies", 8),
    ("use of cookies", 10),
    ("use cookies", 7),
];
const LOREM_IPSUM: (&str, usize) = ("lorem ipsum", 7);
const JAVASCRIPT: (&str, usize) = ("javascript", 2);

/// Lines by what became of them, up to the line that dropped the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct C4Features {
    /// Lines read.
    pub lines: u64,
    /// Lines removed for a word that is too long.
    pub too_long_word: u64,
    /// Lines removed for too few words.
    pub too_few_words: u64,
    /// Lines removed for "javascript".
    pub javascript: u64,
    /// Lines removed for a policy phrase.
    pub policy: u64,
    /// Lines that stay.
    pub kept_lines: u64,
    /// Sentences in these.
    pub sentences: u64,
    /// What a single line said about the document.
    #[serde(skip)]
    pub line_verdict: Verdict,
}

/// The rewritten text and the counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct C4Outcome<'a> {
    /// The lines that stay; borrowed if that is the whole text, unchanged. Meaningless if the document is dropped.
    pub text: Cow<'a, str>,
    /// Lines by cause.
    pub features: C4Features,
}

/// What becomes of a line.
enum Line<'a> {
    TooLongWord,
    TooFewWords,
    Javascript,
    Policy,
    Dropped(&'static str),
    Kept(Cow<'a, str>),
}

/// Rewrites the text and counts; linear in the text.
pub fn rewrite<'a>(
    text: &'a str,
    params: &C4Params,
    tokenizer: &mut Tokenizer,
    scratch: &mut FilterScratch,
) -> C4Outcome<'a> {
    let mut out = String::new();
    let mut counts = C4Features {
        lines: 0,
        too_long_word: 0,
        too_few_words: 0,
        javascript: 0,
        policy: 0,
        kept_lines: 0,
        sentences: 0,
        line_verdict: Verdict::Kept,
    };
    for line in python::splitlines(text) {
        counts.lines += 1;
        match judge(python::strip(line), params) {
            Line::TooLongWord => counts.too_long_word += 1,
            Line::TooFewWords => counts.too_few_words += 1,
            Line::Javascript => counts.javascript += 1,
            Line::Policy => counts.policy += 1,
            Line::Dropped(reason) => {
                counts.line_verdict = Verdict::Dropped(reason);
                break;
            }
            Line::Kept(line) => {
                if counts.kept_lines > 0 {
                    out.push('\n');
                }
                counts.kept_lines += 1;
                counts.sentences += u64::from(sentences(&line, tokenizer, scratch));
                out.push_str(&line);
            }
        }
    }
    let stripped = python::strip(&out);
    let text = if stripped == text {
        Cow::Borrowed(text)
    } else if stripped.len() == out.len() {
        Cow::Owned(out)
    } else {
        Cow::Owned(stripped.to_owned())
    };
    C4Outcome {
        text,
        features: counts,
    }
}

/// What the line rules or the number of sentences say.
pub fn verdict(counts: &C4Features, params: &C4Params) -> Verdict {
    if counts.line_verdict.is_kept() && counts.sentences < u64::from(params.sentences_min) {
        return Verdict::Dropped("too_few_sentences");
    }
    counts.line_verdict
}

/// Rules 1 to 7 on a stripped line.
fn judge<'a>(line: &'a str, params: &C4Params) -> Line<'a> {
    let mut words = 0u64;
    for word in python::split_whitespace(line) {
        words += 1;
        let chars_max = params.word_chars_max as usize;
        if word.len() > chars_max && python::len(word) > chars_max {
            return Line::TooLongWord;
        }
    }
    if words < u64::from(params.line_words_min) {
        return Line::TooFewWords;
    }
    let line = without_citations(line);
    let phrases = phrases(&line);
    if phrases.lorem_ipsum {
        Line::Dropped("lorem_ipsum")
    } else if phrases.javascript {
        Line::Javascript
    } else if memchr::memchr(b'{', line.as_bytes()).is_some() {
        Line::Dropped("curly_bracket")
    } else if phrases.policy {
        Line::Policy
    } else {
        Line::Kept(line)
    }
}

/// Python's `re.sub(r"\[\d*]|\[edit]|\[citation needed]", "", line)`.
fn without_citations(line: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut done, mut from) = (0, 0);
    while let Some(at) = memchr::memchr(b'[', line.as_bytes().get(from..).unwrap_or_default()) {
        let start = from + at;
        let inside = line.get(start + 1..).unwrap_or_default();
        let digits = inside.trim_start_matches(python::is_decimal);
        let rest = [
            digits.strip_prefix(']'),
            inside.strip_prefix("edit]"),
            inside.strip_prefix("citation needed]"),
        ];
        from = start + 1;
        if let Some(rest) = rest.into_iter().flatten().next() {
            out.push_str(line.get(done..start).unwrap_or_default());
            done = line.len() - rest.len();
            from = done;
        }
    }
    if done == 0 {
        return Cow::Borrowed(line);
    }
    out.push_str(line.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// Which phrases a line holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Phrases {
    lorem_ipsum: bool,
    javascript: bool,
    policy: bool,
}

/// Looks for all phrases, as in Python's `line.lower()`.
fn phrases(line: &str) -> Phrases {
    // Of all characters outside ASCII only the Kelvin sign becomes an ASCII letter alone. (U+0130 becomes i and a
    // combining dot, and no phrase ends in i.)
    if line.contains('\u{212a}') {
        return phrases(&line.replace('\u{212a}', "k"));
    }
    Phrases {
        lorem_ipsum: holds(line, LOREM_IPSUM),
        javascript: holds(line, JAVASCRIPT),
        policy: POLICY.into_iter().any(|phrase| holds(line, phrase)),
    }
}

/// Whether a line holds a phrase in any case: found by its rarest letter, then compared.
fn holds(line: &str, (phrase, rarest): (&str, usize)) -> bool {
    let (line, phrase) = (line.as_bytes(), phrase.as_bytes());
    let letter = phrase.get(rarest).copied().unwrap_or_default();
    memchr::memchr2_iter(letter, letter.to_ascii_uppercase(), line).any(|at| {
        let start = at.checked_sub(rarest);
        start
            .and_then(|start| line.get(start..start + phrase.len()))
            .is_some_and(|here| here.eq_ignore_ascii_case(phrase))
    })
}

/// Sentences of a line. Only a token after a sentence end begins another one, so most lines need no tokens.
fn sentences(line: &str, tokenizer: &mut Tokenizer, scratch: &mut FilterScratch) -> u32 {
    let mut after_end = line.trim_start_matches(|c| !is_sentence_end(c)).chars();
    after_end.next();
    if after_end.as_str().is_empty() {
        return 1;
    }
    tokenizer.tokenize(line, &mut scratch.tokens);
    count_sentences(line, &scratch.tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> C4Outcome<'_> {
        rewrite(
            text,
            &C4Params::default(),
            &mut Tokenizer::new(),
            &mut FilterScratch::default(),
        )
    }

    #[test]
    fn header_examples() {
        let params = C4Params::default();
        crate::filter::manual::check_examples(include_str!("c4.rs"), |text| {
            verdict(&of(text).features, &params)
        });
    }

    #[test]
    fn citations_are_cut_in_one_pass() {
        assert_eq!(
            without_citations("a[1] b[][٣] [edit][Edit][citation needed][[2]]"),
            "a b [Edit][]"
        );
        assert!(matches!(without_citations("a [b] [1"), Cow::Borrowed(_)));
    }

    #[test]
    fn phrases_ignore_case_and_know_the_kelvin_sign() {
        assert!(phrases("we USE COO\u{212a}IES").policy);
        assert!(!phrases("use cook\u{130}es").policy && !phrases("use  cookies").policy);
        assert!(phrases("terms of use cookies, JavaScripts").javascript);
    }

    #[test]
    fn every_phrase_is_found_by_its_letter() {
        for (phrase, rarest) in POLICY.into_iter().chain([LOREM_IPSUM, JAVASCRIPT]) {
            assert!("kvfp".contains(phrase.as_bytes()[rarest] as char), "{phrase}");
            assert!(
                holds(&format!("Ok {} p", phrase.to_uppercase()), (phrase, rarest)),
                "{phrase}"
            );
            assert!(
                !holds(&phrase[1..], (phrase, rarest))
                    && !holds(&phrase[..phrase.len() - 1], (phrase, rarest))
            );
        }
    }

    #[test]
    fn lines_by_cause() {
        let long = "x".repeat(1_001);
        let text = format!("one two\n{long} a b\nuse cookies and more\nno javascript here\n a b c [1]\r\n");
        let outcome = of(&text);
        let counts = outcome.features;
        assert_eq!(
            [
                counts.lines,
                counts.too_few_words,
                counts.too_long_word,
                counts.policy,
                counts.javascript
            ],
            [5, 1, 1, 1, 1]
        );
        assert_eq!(outcome.text, "a b c");
        assert_eq!(of("a {\n{ two words b c").features.lines, 2);
    }

    #[test]
    fn an_unchanged_text_is_borrowed() {
        assert!(matches!(
            of("one two three.\nfour five six").text,
            Cow::Borrowed(_)
        ));
        assert!(matches!(of("one two three\n").text, Cow::Owned(_)));
    }

    #[test]
    fn near_citations_are_linear() {
        let text = "[1".repeat(500_000);
        assert_eq!(without_citations(&text).len(), text.len());
        assert_eq!(without_citations(&"[".repeat(1_000_000)).len(), 1_000_000);
    }

    proptest! {
        #[test]
        fn lines_add_up(text in "([a-c .\\[\\]1{]{0,12}[\n\r\u{85}]){0,12}") {
            let outcome = of(&text);
            let counts = outcome.features;
            let told = counts.too_long_word + counts.too_few_words + counts.javascript + counts.policy + counts.kept_lines;
            prop_assert_eq!(counts.lines, told + u64::from(!counts.line_verdict.is_kept()));
            prop_assert!(outcome.text.len() <= text.len());
        }
    }
}
