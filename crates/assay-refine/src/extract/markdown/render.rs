//! One walk over the tree that writes what is kept as Markdown, without recursion.

use super::MarkdownOptions;
use super::code::code_block;
use super::inline::{Line, Source, inline};
use super::table::{LARGEST_TABLES, complex, pipe_table};
use crate::extract::page::Page;
use crate::html::{AttributeKey, Document, NodeId, Tag};

/// Lists and quotes inside each other that are indented; deeper ones are written at this depth, so that indents stay short.
const FRAMES_MAX: usize = 32;

/// Something that indents what it holds.
struct Frame {
    node: NodeId,
    /// Written before the first line, then blanks; `"> "` before every line of a quote.
    marker: &'static str,
    /// The number of an item of an ordered list.
    number: Option<u32>,
    /// Whether the marker is still to be written.
    is_pending: bool,
}

impl Frame {
    fn marker(&self) -> String {
        match self.number {
            Some(number) => format!("{number}. "),
            None => self.marker.to_owned(),
        }
    }
}

/// An open list: the number of its next item if it is ordered.
struct List {
    next: Option<u32>,
}

struct Renderer<'a> {
    source: Source<'a>,
    complex: Vec<bool>,
    out: String,
    /// Cells that tables may still have.
    cells_left: usize,
    /// Bytes after which nothing more is written.
    bytes_max: usize,
    line: Line,
    frames: Vec<Frame>,
    lists: Vec<List>,
    /// Outermost lists begun, and the one the last block stood in.
    begun: u32,
    last_list: u32,
    /// Frames around the last block.
    last_frames: Vec<NodeId>,
    /// Level of the open heading.
    heading: usize,
    is_caption: bool,
    /// Where open links began in the line.
    links: Vec<usize>,
}

/// The blocks `chosen` as Markdown; it ends early once it is longer than `bytes_max`.
pub(crate) fn render(
    document: &Document,
    page: &Page,
    chosen: &[u32],
    (options, bytes_max): (MarkdownOptions, usize),
) -> String {
    let mut kept = vec![false; page.blocks.len()];
    for index in chosen {
        if let Some(slot) = kept.get_mut(*index as usize) {
            *slot = true;
        }
    }
    let mut renderer = Renderer {
        source: Source {
            document,
            page,
            kept: &kept,
            options,
        },
        complex: complex(document),
        out: String::new(),
        cells_left: LARGEST_TABLES.saturating_mul(options.table_cells_max as usize),
        bytes_max,
        line: Line::default(),
        frames: vec![],
        lists: vec![],
        begun: 0,
        last_list: 0,
        last_frames: vec![],
        heading: 0,
        is_caption: false,
        links: vec![],
    };
    renderer.run();
    renderer.out
}

impl Renderer<'_> {
    fn run(&mut self) {
        let document = self.source.document;
        let mut id = Document::ROOT;
        while self.out.len() <= self.bytes_max {
            if self.enter(id) {
                if let Some(child) = document.first_child(id) {
                    id = child;
                    continue;
                }
                self.leave(id);
            }
            loop {
                if id == Document::ROOT {
                    self.flush();
                    return;
                }
                if let Some(next) = document.next_sibling(id) {
                    id = next;
                    break;
                }
                let Some(parent) = document.parent(id) else {
                    self.flush();
                    return;
                };
                id = parent;
                self.leave(id);
            }
        }
    }

    /// Whether the node's children are to be visited; then it is left again.
    fn enter(&mut self, id: NodeId) -> bool {
        let document = self.source.document;
        let tag = document.tag(id);
        match tag {
            Tag::Root => return true,
            Tag::Br => {
                self.line.line_break();
                return false;
            }
            Tag::Pre | Tag::Xmp | Tag::Listing | Tag::Plaintext => {
                self.flush();
                let block = code_block(&self.source, id);
                self.emit(&block);
                return false;
            }
            Tag::Table if !self.complex.get(id as usize).copied().unwrap_or(true) => {
                self.flush();
                if let Some(table) = pipe_table(&self.source, id, &mut self.cells_left) {
                    self.caption_of(id);
                    self.emit(&table);
                    return false;
                }
            }
            Tag::A => {
                let previous = document.node(id).previous;
                self.line.space |= document.tag(previous) == Tag::A;
                self.line.gap();
                self.links.push(self.line.text.len());
                return true;
            }
            _ if !tag.is_block() || tag.is_never_text() => return self.line.enter(&self.source, id),
            _ => self.flush(),
        }
        self.open(id, tag);
        true
    }

    /// Opens a block-level element.
    fn open(&mut self, id: NodeId, tag: Tag) {
        match tag {
            Tag::Ul | Tag::Ol | Tag::Menu | Tag::Dir | Tag::Dl => {
                if self.lists.is_empty() {
                    self.begun += 1;
                }
                let start = self.source.document.attribute(id, AttributeKey::Start);
                let first = start.and_then(|start| start.trim().parse().ok()).unwrap_or(1);
                self.lists.push(List {
                    next: (tag == Tag::Ol).then_some(first),
                });
            }
            Tag::Li => {
                let number = self.lists.last_mut().and_then(|list| {
                    let number = list.next?;
                    list.next = Some(number.saturating_add(1));
                    Some(number)
                });
                self.frame(id, "- ", number);
            }
            Tag::Dd => self.frame(id, ": ", None),
            Tag::Blockquote => self.frame(id, "> ", None),
            Tag::Figcaption | Tag::Caption => self.is_caption = true,
            _ if tag.is_heading() => self.heading = heading_level(tag),
            _ => {}
        }
    }

    fn frame(&mut self, node: NodeId, marker: &'static str, number: Option<u32>) {
        if self.frames.len() >= FRAMES_MAX {
            return;
        }
        self.frames.push(Frame {
            node,
            marker,
            number,
            is_pending: true,
        });
    }

    fn leave(&mut self, id: NodeId) {
        let tag = self.source.document.tag(id);
        if tag == Tag::A {
            let start = self.links.pop().unwrap_or(0);
            if self.source.options.links {
                let target = self.source.document.attribute(id, AttributeKey::Href);
                self.line.link(start, target.unwrap_or(""));
            }
            return;
        }
        if !tag.is_block() || tag.is_never_text() {
            return;
        }
        self.flush();
        match tag {
            Tag::Ul | Tag::Ol | Tag::Menu | Tag::Dir | Tag::Dl => {
                self.lists.pop();
            }
            Tag::Figcaption | Tag::Caption => self.is_caption = false,
            _ if tag.is_heading() => self.heading = 0,
            _ => {}
        }
        if self.frames.last().is_some_and(|frame| frame.node == id) {
            self.frames.pop();
        }
    }

    /// Ends the open paragraph or heading.
    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.links.iter_mut().for_each(|start| *start = 0);
        let text = line.text.trim();
        if text.is_empty() {
            return;
        }
        if self.heading > 0 {
            let title = text.split_whitespace().collect::<Vec<_>>().join(" ");
            self.emit(&["#".repeat(self.heading).as_str(), " ", &title].concat());
        } else if self.is_caption {
            self.emit(&["*", text, "*"].concat());
        } else {
            self.emit(text);
        }
    }

    /// Writes the caption of a data table before it.
    fn caption_of(&mut self, table: NodeId) {
        let document = self.source.document;
        let mut children =
            std::iter::successors(document.first_child(table), |child| document.next_sibling(*child));
        if let Some(caption) = children.find(|child| document.tag(*child) == Tag::Caption) {
            let text = inline(&self.source, caption);
            if !text.is_empty() {
                self.emit(&["*", &text, "*"].concat());
            }
        }
    }

    /// Writes a block: after a blank line, but items of one list follow each other.
    fn emit(&mut self, block: &str) {
        if block.is_empty() {
            return;
        }
        let list = if self.lists.is_empty() { 0 } else { self.begun };
        let is_item = self
            .frames
            .iter()
            .any(|frame| frame.is_pending && frame.marker != "> ");
        let is_tight = is_item && list != 0 && list == self.last_list;
        if !self.out.is_empty() {
            self.out.push('\n');
            if !is_tight {
                let shared = self
                    .frames
                    .iter()
                    .zip(&self.last_frames)
                    .take_while(|(frame, last)| frame.node == **last);
                let indent: String = shared.map(|(frame, _)| indent(frame)).collect();
                self.out.push_str(indent.trim_end());
                self.out.push('\n');
            }
        }
        for (index, line) in block.split('\n').enumerate() {
            // Indents may make short lines long.
            if self.out.len() > self.bytes_max {
                return;
            }
            if index > 0 {
                self.out.push('\n');
            }
            let mut prefix = String::new();
            for frame in &mut self.frames {
                prefix.push_str(&if frame.is_pending {
                    frame.marker()
                } else {
                    indent(frame)
                });
                frame.is_pending = false;
            }
            let prefix = if line.is_empty() {
                prefix.trim_end()
            } else {
                &prefix
            };
            self.out.push_str(prefix);
            self.out.push_str(line);
        }
        self.last_list = list;
        self.last_frames = self.frames.iter().map(|frame| frame.node).collect();
    }
}

/// What a frame writes before its lines after the first.
fn indent(frame: &Frame) -> String {
    if frame.marker == "> " {
        "> ".to_owned()
    } else {
        " ".repeat(frame.marker().len())
    }
}

fn heading_level(tag: Tag) -> usize {
    match tag {
        Tag::H1 => 1,
        Tag::H2 => 2,
        Tag::H3 => 3,
        Tag::H4 => 4,
        Tag::H5 => 5,
        _ => 6,
    }
}
