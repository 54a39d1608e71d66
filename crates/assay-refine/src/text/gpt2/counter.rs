//! Counts GPT-2 tokens of a text, with a bounded memo of pieces.
//!
//! `<|endoftext|>` is one token wherever it stands, as in datatrove's TokensCounter. Speed: `benches/text.rs`.

use super::merges::Merges;
use super::pieces::piece_len;
use crate::text::memo::{CHUNK_BYTES_MAX, Memo};

/// The special token that a text may contain literally.
const END_OF_TEXT: &str = "<|endoftext|>";

/// Counts GPT-2 tokens; keeps a bounded memo (1.5 MiB), which never changes a result.
#[derive(Debug)]
pub struct Gpt2 {
    merges: Merges,
    memo: Memo,
}

impl Default for Gpt2 {
    fn default() -> Self {
        Self::new()
    }
}

impl Gpt2 {
    /// A counter with an empty memo.
    pub fn new() -> Self {
        Self {
            merges: Merges::new(),
            memo: Memo::new(),
        }
    }

    /// Number of GPT-2 tokens of `text`, no end token added.
    pub fn count(&mut self, text: &str) -> u32 {
        let mut count = 0;
        for (i, part) in text.split(END_OF_TEXT).enumerate() {
            count += u32::from(i > 0) + self.count_ordinary(part);
        }
        count
    }

    fn count_ordinary(&mut self, text: &str) -> u32 {
        let mut count = 0;
        let mut rest = text;
        while let Some((piece, tail)) = rest
            .split_at_checked(piece_len(rest))
            .filter(|(piece, _)| !piece.is_empty())
        {
            count += self.count_piece(piece);
            rest = tail;
        }
        count
    }

    #[inline]
    fn count_piece(&mut self, piece: &str) -> u32 {
        if piece.len() > CHUNK_BYTES_MAX {
            return self.merges.count(piece.as_bytes());
        }
        if let Some(found) = self.memo.get(piece) {
            return found.ends.first().copied().map_or(0, u32::from);
        }
        let count = self.merges.count(piece.as_bytes());
        self.memo.put(piece, &[count], false);
        count
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_literal_end_of_text_is_one_token() {
        let mut gpt2 = Gpt2::new();
        assert_eq!(gpt2.count("Hello<|endoftext|> world"), 3);
        assert_eq!(
            (
                gpt2.count(""),
                gpt2.count("<|endoftext|>"),
                gpt2.count("a<|endoftext|")
            ),
            (0, 1, 7)
        );
    }

    #[test]
    fn counts_are_the_crates_on_many_strings() {
        let peer = tiktoken_rs::r50k_base_singleton();
        let mut gpt2 = Gpt2::new();
        for text in [
            "It's 12,345 o'clock…  \n\n déjà vu",
            "  x",
            "x  ",
            "中文字符",
            "\u{a0}\u{a0}é",
            "don't'll",
        ] {
            assert_eq!(
                gpt2.count(text) as usize,
                peer.count_with_special_tokens(text),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn counts_are_the_crates(text in "(\\PC|[ \\n\\t'a-zA-Z0-9.,]{1,6}| ?[a-z]{1,9}){0,60}") {
            let peer = tiktoken_rs::r50k_base_singleton();
            prop_assert_eq!(Gpt2::new().count(&text) as usize, peer.count_with_special_tokens(&text));
        }
    }
}
