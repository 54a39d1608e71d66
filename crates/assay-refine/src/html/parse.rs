//! `parse`: a decoded page in, a [`Document`] or the budget it broke out.
//!
//! Carriage returns become line feeds first (HTML standard, 13.2.3.5), which copies only pages that have them. Scripting
//! counts as disabled: `noscript` is markup.

use std::borrow::Cow;

use super::Document;
use super::build::Builder;

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
    /// Units of work: bytes scanned, nodes linked, steps in the stack of open elements.
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

/// Parses a decoded page; one of 4 GiB or more is over budget.
///
/// # Errors
/// [`OverBudget`] when the page has too many nodes or costs too much work; malformed markup is never an error.
pub fn parse<'a>(html: &'a str, limits: &ParseLimits) -> Result<Document<'a>, OverBudget> {
    if html.len() as u64 > limits.fuel_max.min(u64::from(u32::MAX / 4)) {
        return Err(OverBudget::Fuel(limits.fuel_max));
    }
    let page = line_feeds(html.strip_prefix('\u{feff}').unwrap_or(html));
    let tree = Builder::new(&page, *limits).run()?;
    Ok(Document::new(page, tree))
}

/// The page with one line feed for each carriage return, with or without a line feed after it.
fn line_feeds(html: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\r', html.as_bytes()) else {
        return Cow::Borrowed(html);
    };
    let mut out = String::with_capacity(html.len());
    let (start, mut rest) = html.split_at(first);
    out.push_str(start);
    while let Some(at) = memchr::memchr(b'\r', rest.as_bytes()) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        out.push('\n');
        let tail = tail.get(1..).unwrap_or("");
        rest = tail.strip_prefix('\n').unwrap_or(tail);
    }
    out.push_str(rest);
    Cow::Owned(out)
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
    fn a_tag_of_a_million_attributes_is_read_once() {
        let names = (0..400_000)
            .map(|index| format!(" a{index}"))
            .collect::<Vec<_>>()
            .concat();
        let limits = ParseLimits::default();
        assert!(parse(&format!("<p{names}>x"), &limits).is_ok());
        assert!(parse(&format!("<p style=\"{names}\">x"), &limits).is_ok());
    }

    #[test]
    fn deep_nesting_is_cheap_and_flat() {
        let html = format!("{}text", "<div>".repeat(100_000));
        let document = parse(&html, &ParseLimits::default()).unwrap();
        assert!(document.len() < 1_000, "{}", document.len());
    }

    #[test]
    fn carriage_returns_are_line_feeds() {
        assert_eq!(line_feeds("a\r\nb\rc\n"), "a\nb\nc\n");
        assert!(matches!(line_feeds("a\nb"), Cow::Borrowed(_)));
    }
}
