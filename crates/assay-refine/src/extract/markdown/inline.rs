//! Inline content: text with collapsed white space, code in backticks, formulas, links.

use super::MarkdownOptions;
use super::code::code_span;
use super::math::{Formula, formula};
use crate::extract::page::Page;
use crate::extract::walk::is_invisible;
use crate::html::{AttributeKey, Document, NodeId, Tag};

/// What Markdown is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) document: &'a Document<'a>,
    pub(super) page: &'a Page,
    /// Whether each block is kept.
    pub(super) kept: &'a [bool],
    pub(super) options: MarkdownOptions,
}

impl Source<'_> {
    /// Whether a node is written.
    pub(super) fn is_kept(&self, id: NodeId) -> bool {
        let owner = self.page.owners.get(id as usize).copied();
        owner.is_some_and(|block| self.kept.get(block as usize).copied().unwrap_or(false))
    }

    /// The node after `id` inside `root` in document order; `deeper` says whether its children come first.
    pub(super) fn after(&self, root: NodeId, mut id: NodeId, deeper: bool) -> Option<NodeId> {
        if deeper && let Some(child) = self.document.first_child(id) {
            return Some(child);
        }
        while id != root {
            if let Some(next) = self.document.next_sibling(id) {
                return Some(next);
            }
            id = self.document.parent(id)?;
        }
        None
    }

    /// The nodes inside `root`, itself apart, without what `enters` refuses to enter.
    pub(super) fn inside<'b>(
        &'b self,
        root: NodeId,
        enters: impl Fn(Tag) -> bool + 'b,
    ) -> impl Iterator<Item = NodeId> + 'b {
        std::iter::successors(self.after(root, root, true), move |id| {
            self.after(root, *id, enters(self.document.tag(*id)))
        })
    }
}

/// A line under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub(super) text: String,
    /// A space is due before the next character.
    pub(super) space: bool,
    /// The last formula written, which an image may repeat.
    last_formula: String,
}

impl Line {
    /// Appends text with collapsed white space.
    pub(super) fn push(&mut self, text: &str) {
        for (index, run) in text.split(char::is_whitespace).enumerate() {
            self.space |= index > 0;
            if run.is_empty() {
                continue;
            }
            self.gap();
            self.text.extend(run.chars().filter(|c| !is_invisible(*c)));
        }
    }

    /// Writes the space that is due.
    pub(super) fn gap(&mut self) {
        if self.space && !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
        self.space = false;
    }

    /// Appends a piece as it stands.
    fn push_raw(&mut self, piece: &str) {
        self.gap();
        self.text.push_str(piece);
    }

    pub(super) fn line_break(&mut self) {
        if !self.text.is_empty() {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.push('\n');
        }
        self.space = false;
    }

    /// Writes an inline node; gives whether its children are to be visited.
    pub(super) fn enter(&mut self, source: &Source, id: NodeId) -> bool {
        let document = source.document;
        match document.tag(id) {
            Tag::Text => {
                if source.is_kept(id) {
                    self.push(document.text(id));
                }
                return false;
            }
            Tag::Code | Tag::Kbd | Tag::Samp | Tag::Tt => {
                let span = code_span(source, id);
                if !span.is_empty() {
                    self.push_raw(&span);
                }
                return false;
            }
            _ => {}
        }
        if let Some(found) = formula(source, id) {
            self.push_formula(source, id, &found);
            return false;
        }
        !document.tag(id).is_never_text()
    }

    fn push_formula(&mut self, source: &Source, id: NodeId, found: &Formula) {
        let is_repeated = source.document.tag(id) == Tag::Img && self.last_formula == found.latex;
        if found.latex.is_empty() || is_repeated {
            return;
        }
        let fence = if found.is_display { "$$" } else { "$" };
        self.push_raw(&[fence, &found.latex, fence].concat());
        self.last_formula.clone_from(&found.latex);
    }

    /// Makes the text from `start` on a link.
    pub(super) fn link(&mut self, start: usize, target: &str) {
        let inner = self.text.get(start..).unwrap_or("").to_owned();
        let label = inner.trim();
        let target = destination(target);
        if label.is_empty() || target.is_empty() || label.contains('\n') {
            return;
        }
        let lead = inner.len() - inner.trim_start().len();
        self.text.truncate(start + lead);
        self.text.push_str(&["[", label, "](", &target, ")"].concat());
    }
}

/// A link target that cannot end the link early; empty for places in the page and for code.
fn destination(target: &str) -> String {
    let mut out = String::with_capacity(target.len());
    for c in target.trim_matches(|c: char| c == ' ' || c.is_control()).chars() {
        match c {
            ' ' => out.push_str("%20"),
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '\\' => out.push_str("%5C"),
            '|' => out.push_str("%7C"),
            // Browsers take tabs and line breaks out of addresses (URL standard, 4.4).
            c if c.is_control() || c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    // Looked at as a browser would read it, not as it was written.
    let scheme = out.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_code = ["javascript", "vbscript", "data"]
        .iter()
        .any(|code| scheme.eq_ignore_ascii_case(code));
    if is_code || out.starts_with('#') {
        out.clear();
    }
    out
}

/// The kept content of an element as one line.
pub(super) fn inline(source: &Source, root: NodeId) -> String {
    let mut line = Line::default();
    let mut links: Vec<(NodeId, usize)> = vec![];
    let mut next = source.after(root, root, true);
    while let Some(id) = next {
        let tag = source.document.tag(id);
        if tag == Tag::Br || tag.is_block() {
            line.space = true;
        }
        let deeper = line.enter(source, id);
        if deeper && tag == Tag::A && source.options.links {
            line.gap();
            links.push((id, line.text.len()));
        }
        next = source.after(root, id, deeper);
        // What was left between this node and the next one ends here.
        while let Some((link, start)) = links.last().copied() {
            if next.is_some_and(|next| is_inside(source, next, link)) {
                break;
            }
            links.pop();
            let target = source.document.attribute(link, AttributeKey::Href).unwrap_or("");
            line.link(start, target);
        }
    }
    line.text.trim().to_owned()
}

/// Whether `id` stands inside `root`, looking a few levels up: links hold little.
fn is_inside(source: &Source, id: NodeId, root: NodeId) -> bool {
    const LEVELS: usize = 16;
    std::iter::successors(Some(id), |id| source.document.parent(*id))
        .take(LEVELS)
        .any(|id| id == root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_target_is_an_address_and_ends_where_it_ends() {
        for (target, expected) in [
            ("/a b(c)|d", "/a%20b%28c%29%7Cd"),
            (" https://example.org/?q=1\n", "https://example.org/?q=1"),
            ("mailto:a@example.org", "mailto:a@example.org"),
            ("#part", ""),
            ("javascript:alert(1)", ""),
            ("java\tscript:alert(1)", ""),
            ("\u{1}JavaScript:alert(1)", ""),
            ("java\nscript\r:alert(1)", ""),
            ("data:text/html,x", ""),
            ("", ""),
        ] {
            assert_eq!(destination(target), expected, "{target:?}");
        }
    }
}
