//! `parse`: a decoded page in, a [`Document`] or the budget it broke out.
//!
//! The page is fed in pieces of [`PIECE_BYTES`]; after each one the counters are compared with the limits, so
//! that work over budget is bounded by one piece. Scripting counts as disabled: `noscript` is markup.

use html5ever::buffer_queue::BufferQueue;
use html5ever::interface::QuirksMode;
use html5ever::interface::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};

use super::Document;
use super::filter::Filter;
use super::sink::Sink;

/// Bytes fed between two looks at the counters.
const PIECE_BYTES: usize = 16 * 1024;

/// Bounds of one parse; the defaults are those of recipe `fineweb-en-v1` (reference §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseLimits {
    /// Elements and text nodes.
    pub nodes_max: u32,
    /// Elements below this depth are attached at it.
    pub depth_max: u16,
    /// Attributes of an element that are looked at.
    pub attributes_max: usize,
    /// Bytes kept of an attribute's value.
    pub attribute_bytes_max: usize,
    /// Units of work: bytes scanned, names compared, nodes linked.
    pub fuel_max: u64,
}

impl Default for ParseLimits {
    fn default() -> ParseLimits {
        ParseLimits {
            nodes_max: 1_000_000,
            depth_max: 512,
            attributes_max: 64,
            attribute_bytes_max: 4_096,
            fuel_max: 400_000_000,
        }
    }
}

/// The budget a page broke; such a page has no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverBudget {
    /// More than `nodes_max` nodes.
    #[error("more nodes than `{0}`")]
    Nodes(u32),
    /// More work than `fuel_max`.
    #[error("more work than `{0}`")]
    Fuel(u64),
}

/// Parses a decoded page.
///
/// # Errors
/// [`OverBudget`] when the page has too many nodes or costs too much work; malformed markup is never an error.
pub fn parse(html: &str, limits: &ParseLimits) -> Result<Document, OverBudget> {
    let options = TreeBuilderOpts {
        exact_errors: false,
        scripting_enabled: false,
        iframe_srcdoc: false,
        drop_doctype: true,
        quirks_mode: QuirksMode::NoQuirks,
    };
    let builder = TreeBuilder::new(Sink::new(html.len(), *limits), options);
    let tokenizer = Tokenizer::new(Filter::new(builder, limits.depth_max), TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut rest = html;
    let mut unclosed = Unclosed::default();
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES));
        rest = tail;
        input.push_back(StrTendril::from_slice(piece));
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        let sink = &tokenizer.sink.builder.sink;
        sink.burn(piece.len() as u64 + unclosed.cost(piece, tokenizer.sink.tokens()));
        if sink.nodes() > limits.nodes_max {
            return Err(OverBudget::Nodes(limits.nodes_max));
        }
        if sink.fuel() > limits.fuel_max {
            return Err(OverBudget::Fuel(limits.fuel_max));
        }
    }
    tokenizer.end();
    Ok(tokenizer.sink.into_document())
}

/// What a tag that spans pieces costs: html5ever compares each attribute's name with all before it, and no token
/// shows it until the tag ends.
#[derive(Debug, Default)]
struct Unclosed {
    tokens: u64,
    /// Words outside quotes since the last token.
    words: u64,
    quote: Option<u8>,
}

impl Unclosed {
    /// The fuel for a piece after which `tokens` tokens have been seen.
    fn cost(&mut self, piece: &str, tokens: u64) -> u64 {
        if tokens != self.tokens {
            *self = Unclosed {
                tokens,
                ..Unclosed::default()
            };
            return 0;
        }
        let before = self.words;
        for byte in piece.bytes() {
            match (self.quote, byte) {
                (Some(quote), _) if quote == byte => self.quote = None,
                (None, b'"' | b'\'') => self.quote = Some(byte),
                (None, b' ' | b'\n' | b'\t' | b'/' | b'\r') => self.words += 1,
                _ => {}
            }
        }
        (self.words - before).saturating_mul(self.words) / 4
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tag;
    use super::*;

    fn count(html: &str, tag: Tag) -> usize {
        let document = parse(html, &ParseLimits::default()).unwrap();
        (0..document.len() as u32)
            .filter(|id| document.tag(*id) == tag)
            .count()
    }

    #[test]
    fn implied_ends_and_foster_parents() {
        assert_eq!(count("<p>a<p>b<table><div>x</div><tr><td>c", Tag::P), 2);
        assert_eq!(count("<table><div>x</div><tr><td>c", Tag::Td), 1);
        assert_eq!(count("<noscript><p>x</p></noscript>", Tag::P), 1);
    }

    #[test]
    fn too_many_nodes_is_a_reason() {
        let limits = ParseLimits {
            nodes_max: 100,
            ..ParseLimits::default()
        };
        assert_eq!(
            parse(&"<p>x".repeat(200), &limits).unwrap_err(),
            OverBudget::Nodes(100)
        );
    }

    #[test]
    fn a_tag_of_a_million_attributes_is_a_reason() {
        let names = (0..400_000)
            .map(|index| format!(" a{index}"))
            .collect::<Vec<_>>()
            .concat();
        let limits = ParseLimits::default();
        assert_eq!(
            parse(&format!("<p{names}>x"), &limits).unwrap_err(),
            OverBudget::Fuel(limits.fuel_max)
        );
        assert!(parse(&format!("<p style=\"{names}\">x"), &limits).is_ok());
    }

    #[test]
    fn deep_nesting_is_cheap_and_flat() {
        let html = format!("{}text", "<div>".repeat(100_000));
        let document = parse(&html, &ParseLimits::default()).unwrap();
        assert!(document.len() < 1_000, "{}", document.len());
    }
}
