//! Sentences as spaCy's `sentencizer` counts and cuts them.
//!
//! Tokens come from [`super::words`]; the count goes to C4, the spans to the parity output.

use super::tables::{CATEGORY_P, SENTENCE_END, has};
use super::words::Token;

/// Number of sentences; 1 for the empty text.
pub fn count_sentences(text: &str, tokens: &[Token]) -> u32 {
    let mut count = 1;
    starts(text, tokens, |_| count += 1);
    count
}

/// The sentences as byte ranges from the first to the last token of each, as `span_tokenize` of datatrove 0.10.1
/// (`utils/word_tokenizers.py`) gives them for one text.
pub fn sentence_spans(text: &str, tokens: &[Token]) -> Vec<(u32, u32)> {
    let mut spans = Vec::new();
    let Some((first, last)) = tokens.first().zip(tokens.last()) else {
        return spans;
    };
    let (mut start, mut end) = (first.start, first.start);
    starts(text, tokens, |at| {
        let before = at.checked_sub(1).and_then(|i| tokens.get(i));
        end = before.map_or(end, |token| token.end);
        spans.push((start, end));
        start = tokens.get(at).map_or(end, |token| token.start);
    });
    spans.push((start, last.end));
    spans
}

/// Calls `begin` with the index of every token but the first that starts a sentence.
fn starts(text: &str, tokens: &[Token], mut begin: impl FnMut(usize)) {
    let mut seen = false;
    for (i, token) in tokens.iter().enumerate() {
        // A token that ends a sentence is one code point: longer ones than four bytes are neither.
        let is_end = !token.is_space && token.end - token.start <= 4 && is_sentence_end(token.text(text));
        if is_end {
            seen = true;
        } else if seen && !is_punctuation(token.text(text)) {
            seen = false;
            begin(i);
        }
    }
}

fn is_sentence_end(token: &str) -> bool {
    let mut chars = token.chars();
    chars.next().is_some_and(|c| has(c, SENTENCE_END)) && chars.next().is_none()
}

/// spaCy's `Token.is_punct`: every code point in category P*.
fn is_punctuation(token: &str) -> bool {
    !token.is_empty() && token.chars().all(|c| has(c, CATEGORY_P))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_one_sentence_without_a_span() {
        assert_eq!((count_sentences("", &[]), sentence_spans("", &[])), (1, vec![]));
    }
}
