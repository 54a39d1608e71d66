//! One walk over the tree in document order, without recursion, that fills a [`Page`].
//!
//! White space is collapsed as text output wants it; elements that are never text are not entered.

use super::mark::{self, Marker};
use super::measure::measure;
use super::metadata;
use super::page::{Block, Container, NO_CONTAINER, Page};
use crate::html::{AttributeKey, Document, NodeId, Tag};

/// Which elements the walk enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All but those hidden by attribute or inline style, and `noscript`.
    Visible,
    /// All; hidden ones are marked.
    All,
}

/// An open element.
#[derive(Clone, Copy, Debug)]
struct Frame {
    marks: u64,
    container: u32,
    block: bool,
}

/// Text collected since the last block boundary.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about the open text, not a state machine"
)]
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    start: usize,
    link_characters: u32,
    links: u16,
    inlines: u16,
    images: u16,
    /// Marks common to all its text; `None` before the first.
    marks: Option<u64>,
    container: u32,
    preformatted: bool,
    row: bool,
    /// A `br` came and nothing since.
    broken: bool,
    /// A space is due before the next character.
    space: bool,
}

/// The walk's state.
struct Walk<'a> {
    document: &'a Document<'a>,
    scope: Scope,
    page: Page,
    marker: Marker,
    frames: Vec<Frame>,
    open: Open,
    /// The next block is the first of a list item.
    item: bool,
    /// Elements with a block-level descendant other than a table cell.
    rich: Vec<bool>,
    /// Depth of open rows whose cells hold only inline content.
    rows: u16,
    preformatted: u16,
    /// Nodes since the last block that Markdown writes with it; only if it is wanted.
    members: Option<Vec<NodeId>>,
}

/// The index of no block.
pub(crate) const NO_BLOCK: u32 = u32::MAX;

/// Walks a document.
pub(crate) fn walk(document: &Document, scope: Scope) -> Page {
    run(document, scope, None)
}

/// Walks a document and fills [`Page::owners`].
pub(crate) fn walk_with_owners(document: &Document, scope: Scope) -> Page {
    run(document, scope, Some(vec![]))
}

fn run(document: &Document, scope: Scope, members: Option<Vec<NodeId>>) -> Page {
    let owners = members.as_ref().map_or(0, |_| document.len());
    let mut walk = Walk {
        document,
        scope,
        page: Page {
            owners: vec![NO_BLOCK; owners],
            ..Page::default()
        },
        members,
        marker: Marker::new(),
        frames: vec![Frame {
            marks: 0,
            container: NO_CONTAINER,
            block: true,
        }],
        open: Open {
            container: NO_CONTAINER,
            ..Open::default()
        },
        item: false,
        rich: document.holders(|tag| tag.is_block() && !matches!(tag, Tag::Td | Tag::Th | Tag::P)),
        rows: 0,
        preformatted: 0,
    };
    let mut id = Document::ROOT;
    'all: loop {
        if walk.enter(id) {
            if let Some(child) = document.first_child(id) {
                id = child;
                continue;
            }
            walk.leave(id);
        }
        loop {
            if id == Document::ROOT {
                break 'all;
            }
            if let Some(next) = document.next_sibling(id) {
                id = next;
                break;
            }
            let Some(parent) = document.parent(id) else {
                break 'all;
            };
            id = parent;
            walk.leave(id);
        }
    }
    walk.flush();
    walk.page
}

impl Walk<'_> {
    fn frame(&self) -> Frame {
        self.frames.last().copied().unwrap_or(Frame {
            marks: 0,
            container: NO_CONTAINER,
            block: true,
        })
    }

    /// Whether the node's children are to be visited.
    fn enter(&mut self, id: NodeId) -> bool {
        let tag = self.document.tag(id);
        if let Some(members) = &mut self.members
            && matches!(tag, Tag::Text | Tag::Math | Tag::Img | Tag::Script)
        {
            members.push(id);
        }
        match tag {
            Tag::Text => {
                self.text(self.document.text(id));
                return false;
            }
            Tag::Br => {
                self.line_break();
                return false;
            }
            Tag::Img => {
                self.open.images = self.open.images.saturating_add(1);
                return false;
            }
            Tag::Head => {
                self.page.read_head(self.document, id);
                return false;
            }
            Tag::Script => {
                self.page.read_script(self.document, id);
                return false;
            }
            Tag::Title | Tag::Meta | Tag::Link => {
                self.page.read_metadata(self.document, id);
                return false;
            }
            Tag::Hr => {
                self.flush();
                return false;
            }
            Tag::Html => {
                self.page.language = self
                    .document
                    .attribute(id, AttributeKey::Lang)
                    .and_then(metadata::language);
            }
            _ if tag.is_never_text() => return false,
            _ => {}
        }
        let own = self.marker.mark(self.document, id);
        self.page.read_microdata(self.document, id);
        let hidden = mark::HIDDEN_STYLE | mark::HIDDEN_ATTRIBUTE | mark::NOSCRIPT;
        if self.scope == Scope::Visible && own & hidden != 0 {
            return false;
        }
        self.push(id, tag, own);
        true
    }

    fn push(&mut self, id: NodeId, tag: Tag, own: u64) {
        let frame = self.frame();
        let cell = matches!(tag, Tag::Td | Tag::Th) && self.rows > 0;
        let inner = tag == Tag::P && self.rows > 0;
        let block = tag.is_block() && !cell && !inner;
        let mut container = frame.container;
        if block {
            self.flush();
            container = self.page.containers.len() as u32;
            let level = self
                .page
                .container(frame.container)
                .map_or(0, |parent| parent.level.saturating_add(1));
            self.page.containers.push(Container {
                parent: frame.container,
                tag,
                level,
                own,
                signature: signature(
                    tag,
                    self.document.attribute(id, AttributeKey::Class).unwrap_or(""),
                ),
                first: self.page.blocks.len() as u32,
                end: 0,
            });
            match tag {
                Tag::Li => self.item = true,
                Tag::Pre | Tag::Xmp | Tag::Plaintext | Tag::Listing => self.preformatted += 1,
                Tag::Tr if !self.rich.get(id as usize).copied().unwrap_or(true) => self.rows += 1,
                _ => {}
            }
            self.open.container = container;
        } else if cell {
            self.cell();
        } else {
            if inner {
                self.open.space = true;
            }
            self.open.inlines = self.open.inlines.saturating_add(1);
            if tag == Tag::A {
                self.page.read_licence(self.document, id);
                self.open.links = self.open.links.saturating_add(1);
                self.open.space |= self.follows_link(id);
            }
        }
        self.frames.push(Frame {
            marks: frame.marks | own,
            container,
            block,
        });
    }

    /// Two links side by side are drawn apart; their texts are not one word.
    fn follows_link(&self, id: NodeId) -> bool {
        self.document.tag(self.document.node(id).previous) == Tag::A
    }

    fn leave(&mut self, id: NodeId) {
        let Some(frame) = self.frames.pop() else { return };
        if !frame.block {
            return;
        }
        self.flush();
        let end = self.page.blocks.len() as u32;
        if let Some(container) = self.page.containers.get_mut(frame.container as usize) {
            container.end = end;
        }
        match self.document.tag(id) {
            Tag::Li => self.item = false,
            Tag::Pre | Tag::Xmp | Tag::Plaintext | Tag::Listing => {
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            Tag::Tr if !self.rich.get(id as usize).copied().unwrap_or(true) => {
                self.rows = self.rows.saturating_sub(1);
            }
            _ => {}
        }
        self.open.container = self.frame().container;
    }

    /// Starts a cell: a bar between it and the text before it in the row.
    fn cell(&mut self) {
        if self.page.text.len() > self.open.start {
            self.page.text.push_str(" |");
            self.open.space = true;
        }
        self.open.row = true;
    }

    /// One `br` is a line break, two end the block.
    fn line_break(&mut self) {
        if self.page.text.len() == self.open.start {
            return;
        }
        if self.open.broken && self.rows == 0 && self.preformatted == 0 {
            let container = self.open.container;
            self.flush();
            self.open.container = container;
        } else {
            self.open.broken = true;
        }
    }

    fn text(&mut self, text: &str) {
        let frame = self.frame();
        let before = self.page.text.len();
        if self.preformatted > 0 {
            self.open.preformatted = true;
            self.page.text.extend(
                text.chars()
                    .filter(|c| !c.is_control() || matches!(c, '\n' | '\t')),
            );
        } else {
            self.collapse(text);
        }
        let added = self.page.text.len() - before;
        if added == 0 {
            return;
        }
        self.open.marks = Some(self.open.marks.map_or(frame.marks, |marks| marks & frame.marks));
        if frame.marks & mark::LINK != 0 {
            let characters = self
                .page
                .text
                .get(before..)
                .unwrap_or("")
                .chars()
                .filter(|c| *c != ' ')
                .count();
            self.open.link_characters = self.open.link_characters.saturating_add(characters as u32);
        }
    }

    /// Appends text with runs of white space as one space and without invisible format characters.
    fn collapse(&mut self, text: &str) {
        for (index, run) in text.split(char::is_whitespace).enumerate() {
            self.open.space |= index > 0;
            if run.is_empty() {
                continue;
            }
            if self.open.broken {
                self.page.text.push(if self.rows > 0 { ' ' } else { '\n' });
            } else if self.open.space && self.page.text.len() > self.open.start {
                self.page.text.push(' ');
            }
            self.open.broken = false;
            self.open.space = false;
            if run.is_ascii() && !run.bytes().any(|byte| byte.is_ascii_control()) {
                self.page.text.push_str(run);
            } else {
                self.page.text.extend(run.chars().filter(|c| !is_invisible(*c)));
            }
        }
    }

    /// Ends the open block, if it has text.
    fn flush(&mut self) {
        self.flush_text();
        // Without text since the last block, formulas and images belong to that one.
        let owner = (self.page.blocks.len() as u32).checked_sub(1).unwrap_or(NO_BLOCK);
        for id in self.members.iter_mut().flat_map(|members| members.drain(..)) {
            if let Some(slot) = self.page.owners.get_mut(id as usize) {
                *slot = owner;
            }
        }
    }

    fn flush_text(&mut self) {
        let open = self.open;
        self.open = Open {
            start: self.page.text.len(),
            container: open.container,
            images: open.images,
            ..Open::default()
        };
        let text = self.page.text.get(open.start..).unwrap_or("");
        let text = if open.row {
            text.trim_matches([' ', '|'])
        } else {
            text.trim()
        };
        if text.is_empty() {
            self.page.text.truncate(open.start);
            self.open.start = open.start;
            return;
        }
        let start = text.as_ptr().addr() - self.page.text.as_ptr().addr();
        let end = start + text.len();
        let block = Block {
            container: open.container,
            start: start as u32,
            end: end as u32,
            measure: measure(text),
            link_characters: open.link_characters,
            links: open.links,
            inlines: open.inlines,
            images: open.images,
            marks: open.marks.unwrap_or(0),
            item: std::mem::take(&mut self.item),
            preformatted: open.preformatted,
            row: open.row,
        };
        self.page.blocks.push(block);
        self.open.images = 0;
    }
}

pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// FNV-1a over the tag and the class attribute.
fn signature(tag: Tag, class: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    class.bytes().fold(step(2_166_136_261, tag as u8), step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::{ParseLimits, parse};

    fn check(html: &str, expected: &[&str]) {
        let document = parse(html, &ParseLimits::default()).unwrap();
        let page = walk(&document, Scope::Visible);
        let texts: Vec<_> = page.blocks.iter().map(|block| page.block_text(block)).collect();
        assert_eq!(texts, expected, "{html}");
    }

    #[test]
    fn blocks_follow_the_boundaries() {
        check(
            "<p>a  b<b>c</b></p>d<div>e<p>f</div>g",
            &["a bc", "d", "e", "f", "g"],
        );
        check("a<br>b<br><br>c", &["a\nb", "c"]);
        check("<a>x</a><a>y</a>", &["x y"]);
    }

    #[test]
    fn rows_are_lines_unless_they_hold_blocks() {
        check("<table><tr><th>a<td>b<tr><td><td>c</table>", &["a | b", "c"]);
        check("<table><tr><td><div>a</div><td>b</table>", &["a", "b"]);
    }

    #[test]
    fn hidden_and_raw_text_is_left_out() {
        check(
            "<p hidden>a<p style='display:none'>b<script>c</script><noscript>d</noscript><p>e",
            &["e"],
        );
    }

    #[test]
    fn preformatted_text_keeps_its_lines() {
        check("<pre>a\n  b</pre>", &["a\n  b"]);
    }
}
