//! Words as spaCy's `blank("en")` tokenizer finds them: byte ranges of a text, white-space tokens included.
//!
//! Texts come from the extractor; the tokens serve all filters, sentences and MinHash.

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

/// Finds tokens; keeps a bounded memo, which never changes a result.
#[derive(Debug, Default)]
pub struct Tokenizer {}

impl Tokenizer {
    /// A tokenizer with an empty memo.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces `out` by the tokens of `text`, in order.
    pub fn tokenize(&mut self, text: &str, out: &mut Vec<Token>) {
        out.clear();
        let mut at = 0;
        for piece in text.split(super::python::is_space) {
            let end = at + piece.len();
            if !piece.is_empty() {
                out.push(Token {
                    start: at as u32,
                    end: end as u32,
                    is_space: false,
                });
            }
            at = end
                + text
                    .get(end..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(0, char::len_utf8);
        }
    }
}
