//! What one document contributes to the gates: hashes, band keys, and yes-or-no facts.
//!
//! A text comes in; [`Facts`] and the token ids leave. Signatures, repetition and languages are those of `assay-refine`, so a
//! gate measures with the code that refines. One [`Examiner`] a thread.

use assay_refine::filter::{FilterScratch, gopher_repetition};
use assay_refine::language::{self, LanguageOptions};
use assay_refine::minhash::{BANDS, MinHasher, band_keys};
use assay_refine::text::simplify::simplify;
use assay_refine::text::words::{Token, Tokenizer as Words};
use assay_types::recipe::GopherRepetitionParams;
use assay_types::{Digest16, blake3_16};

use super::{MARKUP_BYTES_PPM_MAX, PPM};
use crate::contamination::{GramIndex, Lookup, MarkedIndex};
use crate::tokenizer::{TokenId, Tokenizer};

/// Most bytes of a document whose words are looked at: a longer one is judged by its head.
const HEAD_BYTES_MAX: usize = 1 << 20;

/// Longest tag in bytes; a `<` without a `>` within it is no tag.
const TAG_BYTES_MAX: usize = 1_024;

/// A share of characters that no text exceeds.
const ALL_PPM: u32 = 1_000_000;

/// Facts of a document.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts that are only counted"
)]
pub struct Facts {
    /// Bytes of the text.
    pub bytes: u64,
    /// Hash of the text.
    pub text_hash: Digest16,
    /// Band keys; none under five words.
    pub bands: Option<[u64; BANDS]>,
    /// Whether runs of words repeat beyond the limits.
    pub is_repetitive: bool,
    /// ISO code of the language; empty if unknown.
    pub language: &'static str,
    /// Whether more than 5 % of its bytes are tags.
    pub is_markup: bool,
    /// Whether it shares a 13-gram with the held-out text.
    pub hits_held_out: bool,
    /// Whether it shares a 13-gram with the index of public benchmarks.
    pub hits_public: bool,
    /// Whether it shares a 13-gram with evaluation text that was public before.
    pub hits_public_text: bool,
    /// Bit n: it shares a 13-gram with benchmark n that models answer.
    pub benchmarks: u32,
    /// All token ids.
    pub tokens: Vec<TokenId>,
}

/// Finds facts; holds buffers.
#[derive(Debug)]
pub struct Examiner {
    tokenizer: Tokenizer,
    words: Words,
    hasher: MinHasher,
    scratch: FilterScratch,
    lookup: Lookup,
    simplified: String,
    found: Vec<Token>,
}

impl Default for Examiner {
    fn default() -> Self {
        Self {
            tokenizer: Tokenizer::default(),
            words: Words::new(),
            hasher: MinHasher::new(),
            scratch: FilterScratch::default(),
            lookup: Lookup::default(),
            simplified: String::new(),
            found: Vec::new(),
        }
    }
}

impl Examiner {
    /// The facts of a text, looked up in the indexes of held-out text, of public benchmarks and of public evaluation text, and
    /// in that of the benchmarks that models answer.
    pub fn facts(&mut self, text: &str, indexes: [&GramIndex; 3], benchmarks: &MarkedIndex) -> Facts {
        let mut tokens = Vec::new();
        self.tokenizer.encode(text, &mut tokens);
        let head = text
            .get(..text.floor_char_boundary(HEAD_BYTES_MAX))
            .unwrap_or(text);
        let [hits_held_out, hits_public, hits_public_text] = self.lookup.hits(text, indexes);
        Facts {
            bytes: text.len() as u64,
            text_hash: blake3_16(text.as_bytes()),
            is_repetitive: self.is_repetitive(head),
            bands: self.bands(head),
            language: language::detect(head, &LanguageOptions::default()).code,
            is_markup: markup_bytes(text.as_bytes()) as u64 * PPM > MARKUP_BYTES_PPM_MAX * text.len() as u64,
            hits_held_out,
            hits_public,
            hits_public_text,
            benchmarks: self.lookup.marks(text, benchmarks),
            tokens,
        }
    }

    fn bands(&mut self, text: &str) -> Option<[u64; BANDS]> {
        simplify(text, &mut self.simplified);
        self.words.tokenize(&self.simplified, &mut self.found);
        let signature = self.hasher.signature(&self.simplified, &self.found)?;
        Some(band_keys(&signature))
    }

    /// The limits on runs of words of Gopher's repetition rules; those on lines are refinement's business.
    fn is_repetitive(&mut self, text: &str) -> bool {
        let limits = GopherRepetitionParams {
            dup_line_ppm: ALL_PPM,
            dup_line_char_ppm: ALL_PPM,
            dup_para_ppm: ALL_PPM,
            dup_para_char_ppm: ALL_PPM,
            ..GopherRepetitionParams::default()
        };
        self.words.tokenize(text, &mut self.found);
        let features = gopher_repetition::features(text, &self.found, &mut self.scratch);
        !gopher_repetition::verdict(&features, &limits).is_kept()
    }
}

/// Bytes in tags: from `<` before a letter, `/` or `!` to the next `>`.
fn markup_bytes(text: &[u8]) -> usize {
    let mut rest = text;
    let mut found = 0;
    while let Some(start) = rest.iter().position(|byte| *byte == b'<') {
        rest = rest.get(start..).unwrap_or_default();
        let opens = rest
            .get(1)
            .is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, b'/' | b'!'));
        let end = rest.iter().take(TAG_BYTES_MAX).position(|byte| *byte == b'>');
        let length = match end {
            Some(end) if opens => {
                found += end + 1;
                end + 1
            }
            _ => 1,
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROSE: &str = "The river rose in spring, so an old mill near our bridge had to close for three weeks. Nobody \
                         minded: flour was cheap that year, and children swam where carts used to wait.";

    fn facts(text: &str) -> Facts {
        let none = GramIndex::default();
        Examiner::default().facts(text, [&none; 3], &MarkedIndex::default())
    }

    #[test]
    fn prose_has_no_fault() {
        let found = facts(PROSE);
        assert!(!found.is_repetitive && !found.is_markup && !found.hits_held_out && !found.hits_public);
        assert_eq!((found.language, found.bytes), ("en", PROSE.len() as u64));
        assert!(found.bands.is_some() && !found.tokens.is_empty());
    }

    #[test]
    fn each_fault_is_found() {
        assert!(facts(&"cheap watches buy now today ".repeat(40)).is_repetitive);
        assert!(facts(&PROSE.replace(' ', "<br class='x'> ")).is_markup);
        assert!(!facts("if a < b and b > c, or 1 << 3 > 2, then nothing").is_markup);
        assert_eq!(
            facts("Der Fluss stieg im Frühling und die alte Mühle musste drei Wochen lang schließen")
                .language,
            "de"
        );
    }

    #[test]
    fn degenerate_texts_end() {
        for text in [
            "",
            " ",
            "<",
            "<<<<",
            "\u{0}",
            &"<a".repeat(50_000),
            &"é".repeat(1 << 20),
            &"a ".repeat(600_000),
        ] {
            assert_eq!(facts(text).bytes, text.len() as u64);
        }
    }
}
