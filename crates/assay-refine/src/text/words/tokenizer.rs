//! A text cut into tokens: chunks between white space, each by the fast path, the memo or the full rules.
//!
//! Source: `_tokenize_affixes` in `tokenizer.pyx` of spaCy 3.8.18. Texts come from the extractor, tokens go to the filters.

use super::chunk::{Cut, cut_chunk};
use super::rules::Rules;
use super::second::join_tokens;
use crate::text::memo::{CHUNK_BYTES_MAX, Memo};
use crate::text::tables::{BEFORE_DOT, SPACE, SUFFIX, ascii_flags};

/// One token: a byte range of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
    /// White space only: no word, but it counts for sentences.
    pub is_space: bool,
}

impl Token {
    /// The token's text; empty if `text` is not the tokenised one.
    #[inline]
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// Finds tokens; keeps a bounded memo (1.5 MiB), which never changes a result.
#[derive(Debug)]
pub struct Tokenizer {
    rules: Rules,
    memo: Memo,
    cut: Cut,
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self::new()
    }
}

impl Tokenizer {
    /// A tokenizer with an empty memo.
    pub fn new() -> Self {
        Self {
            rules: Rules::new(),
            memo: Memo::new(),
            cut: Cut::default(),
        }
    }

    /// Replaces `out` by the tokens of `text`, in order; words are those that are not white space.
    ///
    /// Of a text of 4 GiB or more only the first 4 GiB are read: offsets are 32 bits (recipes allow 2,000,000 code points).
    pub fn tokenize(&mut self, text: &str, out: &mut Vec<Token>) {
        out.clear();
        let text = text
            .get(..text.floor_char_boundary(u32::MAX as usize))
            .unwrap_or(text);
        let bytes = text.as_bytes();
        let mut joins = false;
        let mut at = 0;
        while at < bytes.len() {
            let (end, kind) = chunk_end(bytes, at);
            if end > at {
                let chunk = text.get(at..end).unwrap_or("");
                joins |= self.push_chunk(chunk, kind, at as u32, out);
            }
            at = end + space_run(bytes, end, out);
        }
        if joins {
            join_tokens(&self.rules, text, out);
        }
    }

    /// Appends the tokens of `chunk`, which begins at `base`; whether the text needs the second pass.
    #[inline]
    fn push_chunk(&mut self, chunk: &str, kind: Kind, base: u32, out: &mut Vec<Token>) -> bool {
        let end = base + chunk.len() as u32;
        match kind {
            Kind::Letters if !self.rules.is_exception(chunk) => {
                out.push(Token {
                    start: base,
                    end,
                    is_space: false,
                });
                return false;
            }
            Kind::LettersAndMark => {
                let stem = chunk.get(..chunk.len() - 1).unwrap_or("");
                if !self.rules.is_exception(chunk) && !self.rules.is_exception(stem) {
                    out.push(Token {
                        start: base,
                        end: end - 1,
                        is_space: false,
                    });
                    out.push(Token {
                        start: end - 1,
                        end,
                        is_space: false,
                    });
                    return false;
                }
            }
            _ => {}
        }
        let mut start = base;
        let mut push = |piece_end: u32| {
            out.push(Token {
                start,
                end: base + piece_end,
                is_space: false,
            });
            start = base + piece_end;
        };
        if chunk.len() <= CHUNK_BYTES_MAX
            && let Some(found) = self.memo.get(chunk)
        {
            found
                .ends
                .iter()
                .for_each(|&piece_end| push(u32::from(piece_end)));
            return found.joins;
        }
        cut_chunk(&self.rules, chunk, &mut self.cut);
        self.cut.ends.iter().for_each(|&piece_end| push(piece_end));
        self.memo.put(chunk, &self.cut.ends, self.cut.joins);
        self.cut.joins
    }
}

/// What a chunk is made of, as far as the fast path asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// ASCII letters: no affix, infix or URL.
    Letters,
    /// ASCII letters and one mark that is a suffix whatever stands before the letters.
    LettersAndMark,
    Other,
}

/// Byte after the chunk that begins at `at` (`at` itself if white space is there), and its kind.
#[inline]
fn chunk_end(bytes: &[u8], at: usize) -> (usize, Kind) {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let letters = rest
        .iter()
        .position(|byte| !byte.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let mut end = at + letters;
    let Some(&mark) = bytes.get(end) else {
        return (end, Kind::Letters);
    };
    if space_len(bytes, end) > 0 {
        return (end, Kind::Letters);
    }
    let next_is_end = mark.is_ascii() && (end + 1 == bytes.len() || space_len(bytes, end + 1) > 0);
    if letters > 0 && next_is_end {
        let last = bytes.get(end - 1).copied().unwrap_or(0);
        let dot_fits = mark == b'.' && ascii_flags(last) & BEFORE_DOT != 0;
        let is_suffix = dot_fits || ascii_flags(mark) & SUFFIX != 0;
        return (
            end + 1,
            if is_suffix {
                Kind::LettersAndMark
            } else {
                Kind::Other
            },
        );
    }
    while end < bytes.len() && space_len(bytes, end) == 0 {
        end += 1;
    }
    (end, Kind::Other)
}

/// Pushes the token of the white space at `at`, if it leaves one, and returns the run's length in bytes.
#[inline]
fn space_run(bytes: &[u8], at: usize, out: &mut Vec<Token>) -> usize {
    let mut end = at;
    loop {
        let len = space_len(bytes, end);
        if len == 0 {
            break;
        }
        end += len;
    }
    // A U+0020 right after text belongs to that text.
    let start = if at > 0 && bytes.get(at) == Some(&b' ') {
        at + 1
    } else {
        at
    };
    if start < end {
        out.push(Token {
            start: start as u32,
            end: end as u32,
            is_space: true,
        });
    }
    end - at
}

/// Bytes of the white space that begins at `at`; 0 if none does.
///
/// Python's white space beyond ASCII: C2 85, C2 A0, E1 9A 80, E2 80 80–8A, A8, A9, AF, E2 81 9F, E3 80 80.
#[inline]
fn space_len(bytes: &[u8], at: usize) -> usize {
    let Some(&byte) = bytes.get(at) else { return 0 };
    if byte.is_ascii() {
        return usize::from(ascii_flags(byte) & SPACE != 0);
    }
    if !matches!(byte, 0xc2 | 0xe1..=0xe3) {
        return 0;
    }
    let next = |i: usize| bytes.get(at + i).copied().unwrap_or(0);
    match (byte, next(1), next(2)) {
        (0xc2, 0x85 | 0xa0, _) => 2,
        (0xe1, 0x9a, 0x80)
        | (0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf)
        | (0xe2, 0x81, 0x9f)
        | (0xe3, 0x80, 0x80) => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::python::is_space;

    fn check(text: &str, expected: &[&str]) {
        let mut tokens = Vec::new();
        Tokenizer::new().tokenize(text, &mut tokens);
        let words: Vec<_> = tokens.iter().map(|token| token.text(text)).collect();
        assert_eq!(words, expected, "{text:?}");
    }

    #[test]
    fn words_of_the_reference() {
        check(
            "cannot id dont 10km",
            &["can", "not", "i", "d", "do", "nt", "10", "km"],
        );
        check("foo:) : )", &["foo", ":)", ":", ")"]);
        check("a,b 1,000 foo.bar", &["a", ",", "b", "1,000", "foo.bar"]);
        check(
            "Mr. X. word. dont. dont!",
            &["Mr.", "X.", "word", ".", "do", "nt", ".", "do", "nt", "!"],
        );
        check("", &[]);
    }

    #[test]
    fn white_space_tokens() {
        check("a b  c \n d\ne", &["a", "b", " ", "c", "\n ", "d", "\n", "e"]);
        check(" a", &[" ", "a"]);
        check("a ", &["a"]);
        check("\u{a0}é\u{a0}", &["\u{a0}", "é", "\u{a0}"]);
    }

    #[test]
    fn every_white_space_is_found_in_bytes() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert_eq!(
                space_len(text.as_bytes(), 0),
                if is_space(c) { c.len_utf8() } else { 0 },
                "{c:?}"
            );
        }
    }
}
