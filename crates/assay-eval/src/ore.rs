//! Ore: all visible text of a page, the zero of fineness. No extractor, no filter, no deduplication.
//!
//! A parsed page comes in; its text nodes leave in document order, but those of scripts, styles and other elements that are
//! never shown; blocks end lines, runs of white space are one blank (docs/evaluation.md).

use assay_refine::html::{Document, NodeId};

/// The visible text of a page.
pub fn visible_text(page: &Document) -> String {
    let mut text = String::new();
    let mut next = page.first_child(Document::ROOT);
    while let Some(node) = next {
        let is_shown = !page.tag(node).is_never_text();
        if is_shown {
            push_words(&mut text, page.text(node));
        }
        next = page
            .first_child(node)
            .filter(|_| is_shown)
            .or_else(|| after(page, node, &mut text));
    }
    text.truncate(text.trim_end().len());
    text
}

/// The node after `node` and everything below it; blocks that end here end the line.
fn after(page: &Document, node: NodeId, text: &mut String) -> Option<NodeId> {
    let mut node = node;
    loop {
        if page.tag(node).is_block() && !text.is_empty() && !text.ends_with('\n') {
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        if let Some(sibling) = page.next_sibling(node) {
            return Some(sibling);
        }
        node = page.parent(node)?;
    }
}

/// Appends text with every run of white space as one blank.
fn push_words(text: &mut String, piece: &str) {
    for character in piece.chars() {
        if !character.is_whitespace() {
            text.push(character);
        } else if !text.is_empty() && !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_refine::html::{ParseLimits, parse};

    #[test]
    fn everything_shown_is_there_and_nothing_else() {
        let page = "<html><head><title>T</title><style>p{}</style><script>x()</script></head><body><nav>Home \
                    <a>About</a></nav><p>One\n  <b>two</b>.</p><p>Three</p></body></html>";
        let text = visible_text(&parse(page, &ParseLimits::default()).unwrap());
        let shown: Vec<&str> = text.lines().filter(|line| *line != "T").collect();
        assert_eq!(shown, ["Home About", "One two.", "Three"]);
        assert_eq!(visible_text(&parse("", &ParseLimits::default()).unwrap()), "");
    }
}
