//! One chunk without white space cut into tokens: affixes off, exceptions, URL or infixes in the middle.
//!
//! Source: `_split_affixes` and `_attach_tokens` in `tokenizer.pyx` of spaCy 3.8.18. Chunks come from `tokenizer`, which
//! keeps the result in the memo.

use super::affixes::{infixes, prefix_len, suffix_len};
use super::rules::Rules;
use super::second::joins_inside;
use super::url::is_url;

/// The tokens of a chunk.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// Byte after the last of each token, from the chunk's start; tokens are adjacent.
    pub(super) ends: Vec<u32>,
    /// Adjacent tokens together are an exception, so the text needs the second pass.
    pub(super) joins: bool,
    suffix_starts: Vec<u32>,
}

/// Replaces `cut` by the tokens of `chunk`. Linear in its length.
pub(super) fn cut_chunk(rules: &Rules, chunk: &str, cut: &mut Cut) {
    cut.ends.clear();
    cut.suffix_starts.clear();
    let (start, end) = strip_affixes(rules, chunk, cut);
    cut_middle(rules, chunk.get(start..end).unwrap_or(""), start, &mut cut.ends);
    // Suffixes were taken off from the outside: the end of one is the start of the one taken before.
    while let Some(suffix) = cut.suffix_starts.pop() {
        debug_assert!(suffix as usize >= start, "suffix inside the middle");
        cut.ends
            .push(cut.suffix_starts.last().copied().unwrap_or(chunk.len() as u32));
    }
    cut.joins = joins_inside(rules, chunk, &cut.ends);
}

/// Takes prefixes and suffixes off; the range of the middle.
fn strip_affixes(rules: &Rules, chunk: &str, cut: &mut Cut) -> (usize, usize) {
    let (mut start, mut end) = (0, chunk.len());
    while start < end {
        let text = chunk.get(start..end).unwrap_or("");
        if rules.is_exception(text) {
            break;
        }
        let prefix = prefix_len(rules, text);
        let rest = text.get(prefix..).unwrap_or("");
        if prefix > 0 && rules.is_exception(rest) {
            start += prefix;
            cut.ends.push(start as u32);
            break;
        }
        let suffix = suffix_len(rules, rest);
        if suffix > 0 && rules.is_exception(text.get(..text.len() - suffix).unwrap_or("")) {
            end -= suffix;
            cut.suffix_starts.push(end as u32);
            break;
        }
        if prefix == 0 && suffix == 0 {
            break;
        }
        if prefix > 0 {
            start += prefix;
            cut.ends.push(start as u32);
        }
        if suffix > 0 {
            end -= suffix;
            cut.suffix_starts.push(end as u32);
        }
    }
    (start, end)
}

/// Appends the ends of the tokens of `middle`, which begins at byte `start` of the chunk.
fn cut_middle(rules: &Rules, middle: &str, start: usize, ends: &mut Vec<u32>) {
    if middle.is_empty() {
        return;
    }
    if let Some(pieces) = rules.exception(middle) {
        let mut end = start as u32;
        for &piece in pieces {
            end += u32::from(piece);
            ends.push(end);
        }
        return;
    }
    if !is_url(middle) {
        let mut last_end = 0;
        infixes(middle, |from, to| {
            // spaCy ignores an infix at the very start: it stays part of the next token.
            if from == 0 {
                return;
            }
            if from > last_end {
                ends.push((start + from) as u32);
            }
            ends.push((start + to) as u32);
            last_end = to;
        });
        if last_end == middle.len() {
            return;
        }
    }
    ends.push((start + middle.len()) as u32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks() {
        let rules = Rules::new();
        let mut cut = Cut::default();
        let mut check = |chunk: &str, expected: &[&str]| {
            cut_chunk(&rules, chunk, &mut cut);
            let mut start = 0;
            let mut pieces = Vec::new();
            for &end in &cut.ends {
                pieces.push(&chunk[start..end as usize]);
                start = end as usize;
            }
            assert_eq!(pieces, expected);
        };
        check("Don't", &["Do", "n't"]);
        check("10km", &["10", "km"]);
        check("U.S.-based", &["U.S.-based"]);
        check("foo.Bar", &["foo", ".", "Bar"]);
        check("https://a.b/c?d=1", &["https://a.b", "/", "c?d=1"]);
        check("(\"don't\").", &["(", "\"", "do", "n't", "\"", ")", "."]);
        check("...", &["..."]);
        check("(a-b)!", &["(", "a", "-", "b", ")", "!"]);
    }
}
