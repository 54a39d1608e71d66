//! The tree of a page: nodes in one vector, linked by `u32` ids; text and kept attribute values in two buffers.
//!
//! The sink fills it, extraction reads it. Every accessor is total: an id that does not exist answers like an
//! empty text node, so that no caller can fail.

use super::attribute::AttributeKey;
use super::tag::Tag;

/// The index of a node in its [`Document`].
pub type NodeId = u32;

/// The id of no node.
pub(crate) const NONE: NodeId = u32::MAX;

/// One node: 32 bytes. `start..end` is the text of a text node and the attributes of an element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) tag: Tag,
    pub(crate) depth: u16,
    pub(crate) parent: NodeId,
    pub(crate) first: NodeId,
    pub(crate) last: NodeId,
    pub(crate) previous: NodeId,
    pub(crate) next: NodeId,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What an accessor shows for an id that does not exist.
const NOTHING: Node = Node {
    tag: Tag::Text,
    depth: 0,
    parent: NONE,
    first: NONE,
    last: NONE,
    previous: NONE,
    next: NONE,
    start: 0,
    end: 0,
};

#[derive(Clone, Copy, Debug)]
struct Attribute {
    key: AttributeKey,
    start: u32,
    end: u32,
}

/// A parsed page.
#[derive(Debug)]
pub struct Document {
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    text: String,
    values: String,
    pub(crate) depth_max: u16,
}

impl Document {
    /// The id of the document node.
    pub const ROOT: NodeId = 0;

    pub(crate) fn new(bytes: usize, depth_max: u16) -> Document {
        let mut nodes = Vec::with_capacity(bytes / 40 + 16);
        nodes.push(Node {
            tag: Tag::Root,
            ..NOTHING
        });
        Document {
            nodes,
            attributes: Vec::with_capacity(bytes / 80 + 16),
            text: String::with_capacity(bytes / 4),
            values: String::with_capacity(bytes / 8),
            depth_max,
        }
    }

    /// Nodes made so far, detached ones included.
    #[expect(clippy::len_without_is_empty, reason = "a document always has its root")]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id as usize).unwrap_or(&NOTHING)
    }

    /// The tag of a node.
    pub fn tag(&self, id: NodeId) -> Tag {
        self.node(id).tag
    }

    /// The parent, if the node is attached.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        some(self.node(id).parent)
    }

    /// The first child.
    pub fn first_child(&self, id: NodeId) -> Option<NodeId> {
        some(self.node(id).first)
    }

    /// The sibling after the node.
    pub fn next_sibling(&self, id: NodeId) -> Option<NodeId> {
        some(self.node(id).next)
    }

    /// The text of a text node as it stands in the page, references decoded; `""` for elements.
    pub fn text(&self, id: NodeId) -> &str {
        let node = self.node(id);
        if node.tag == Tag::Text {
            self.text
                .get(node.start as usize..node.end as usize)
                .unwrap_or("")
        } else {
            ""
        }
    }

    /// The value of a kept attribute of an element.
    pub fn attribute(&self, id: NodeId, key: AttributeKey) -> Option<&str> {
        let node = self.node(id);
        if node.tag == Tag::Text {
            return None;
        }
        let attributes = self.attributes.get(node.start as usize..node.end as usize)?;
        let found = attributes.iter().find(|attribute| attribute.key == key)?;
        self.values.get(found.start as usize..found.end as usize)
    }

    /// All kept attributes of an element.
    pub fn attributes(&self, id: NodeId) -> impl Iterator<Item = (AttributeKey, &str)> {
        let node = self.node(id);
        let range = if node.tag == Tag::Text {
            0..0
        } else {
            node.start as usize..node.end as usize
        };
        self.attributes
            .get(range)
            .unwrap_or_default()
            .iter()
            .map(|attribute| {
                (
                    attribute.key,
                    self.values
                        .get(attribute.start as usize..attribute.end as usize)
                        .unwrap_or(""),
                )
            })
    }

    /// Adds a detached element with its kept attributes.
    pub(crate) fn push_element<'a>(
        &mut self,
        tag: Tag,
        attributes: impl Iterator<Item = (AttributeKey, &'a str)>,
    ) -> NodeId {
        let start = self.attributes.len() as u32;
        for (key, value) in attributes {
            let from = self.values.len() as u32;
            self.values.push_str(value);
            self.attributes.push(Attribute {
                key,
                start: from,
                end: self.values.len() as u32,
            });
        }
        self.push(Node {
            tag,
            start,
            end: self.attributes.len() as u32,
            ..NOTHING
        })
    }

    /// Adds attributes an element does not have yet, by copying its list to the end.
    pub(crate) fn add_attributes<'a>(
        &mut self,
        id: NodeId,
        attributes: impl Iterator<Item = (AttributeKey, &'a str)>,
    ) {
        let node = *self.node(id);
        if node.tag == Tag::Text || node.tag == Tag::Root {
            return;
        }
        let start = self.attributes.len() as u32;
        for index in node.start..node.end {
            if let Some(kept) = self.attributes.get(index as usize).copied() {
                self.attributes.push(kept);
            }
        }
        for (key, value) in attributes {
            let seen = self.attributes.get(start as usize..).unwrap_or_default();
            if seen.iter().any(|attribute| attribute.key == key) {
                continue;
            }
            let from = self.values.len() as u32;
            self.values.push_str(value);
            self.attributes.push(Attribute {
                key,
                start: from,
                end: self.values.len() as u32,
            });
        }
        let end = self.attributes.len() as u32;
        if let Some(node) = self.nodes.get_mut(id as usize) {
            (node.start, node.end) = (start, end);
        }
    }

    fn push(&mut self, node: Node) -> NodeId {
        let id = self.nodes.len() as u32;
        self.nodes.push(node);
        id
    }

    fn edit(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(id as usize) {
            change(node);
        }
    }

    /// The node that takes children meant for `parent`: itself, or its parent at the depth limit.
    fn host(&self, parent: NodeId) -> NodeId {
        let node = self.node(parent);
        if node.depth >= self.depth_max && node.parent != NONE {
            node.parent
        } else {
            parent
        }
    }

    /// Attaches `child` as the last child; `NONE` on either side does nothing. Gives the depth of the child as
    /// the tree builder sees it.
    pub(crate) fn append(&mut self, parent: NodeId, child: NodeId) -> u16 {
        let depth = self.node(parent).depth.saturating_add(1);
        let host = self.host(parent);
        if host == NONE || child == NONE || host == child {
            return depth;
        }
        self.detach(child);
        let last = self.node(host).last;
        self.edit(child, |node| {
            (node.parent, node.previous, node.depth) = (host, last, depth);
        });
        if last == NONE {
            self.edit(host, |node| node.first = child);
        } else {
            self.edit(last, |node| node.next = child);
        }
        self.edit(host, |node| node.last = child);
        depth
    }

    /// Attaches `child` before `sibling`; does nothing when `sibling` has no parent.
    pub(crate) fn insert_before(&mut self, sibling: NodeId, child: NodeId) {
        let parent = self.node(sibling).parent;
        if parent == NONE || child == NONE || child == sibling {
            return;
        }
        self.detach(child);
        let (previous, depth) = (self.node(sibling).previous, self.node(sibling).depth);
        self.edit(child, |node| {
            (node.parent, node.previous, node.next, node.depth) = (parent, previous, sibling, depth);
        });
        self.edit(sibling, |node| node.previous = child);
        if previous == NONE {
            self.edit(parent, |node| node.first = child);
        } else {
            self.edit(previous, |node| node.next = child);
        }
    }

    /// Takes a node out of its parent's children.
    pub(crate) fn detach(&mut self, id: NodeId) {
        let Node {
            parent,
            previous,
            next,
            ..
        } = *self.node(id);
        if parent == NONE {
            return;
        }
        if previous == NONE {
            self.edit(parent, |node| node.first = next);
        } else {
            self.edit(previous, |node| node.next = next);
        }
        if next == NONE {
            self.edit(parent, |node| node.last = previous);
        } else {
            self.edit(next, |node| node.previous = previous);
        }
        self.edit(id, |node| {
            (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
        });
    }

    /// Appends text, joined to the text node before it where the two touch in the buffer. Gives whether a node
    /// was added.
    pub(crate) fn append_text(&mut self, parent: NodeId, text: &str) -> bool {
        let host = self.host(parent);
        if host == NONE {
            return false;
        }
        let start = self.text.len() as u32;
        self.text.push_str(text);
        let end = self.text.len() as u32;
        let last = self.node(host).last;
        let before = *self.node(last);
        if last != NONE && before.tag == Tag::Text && before.end == start {
            self.edit(last, |node| node.end = end);
            return false;
        }
        let id = self.push(Node {
            start,
            end,
            ..NOTHING
        });
        self.append(host, id);
        true
    }

    /// Inserts text before a sibling.
    pub(crate) fn insert_text_before(&mut self, sibling: NodeId, text: &str) {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        let id = self.push(Node {
            start,
            end: self.text.len() as u32,
            ..NOTHING
        });
        self.insert_before(sibling, id);
    }
}

fn some(id: NodeId) -> Option<NodeId> {
    (id != NONE).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(document: &Document, parent: NodeId) -> Vec<Tag> {
        std::iter::successors(document.first_child(parent), |id| document.next_sibling(*id))
            .map(|id| document.tag(id))
            .collect()
    }

    #[test]
    fn children_move_and_keep_order() {
        let mut document = Document::new(0, 512);
        let ids: Vec<_> = [Tag::P, Tag::Div, Tag::A]
            .map(|tag| document.push_element(tag, std::iter::empty()))
            .to_vec();
        for id in &ids {
            document.append(Document::ROOT, *id);
        }
        assert_eq!(names(&document, 0), [Tag::P, Tag::Div, Tag::A]);
        document.insert_before(ids[0], ids[2]);
        assert_eq!(names(&document, 0), [Tag::A, Tag::P, Tag::Div]);
        document.detach(ids[0]);
        assert_eq!(names(&document, 0), [Tag::A, Tag::Div]);
        document.append(ids[1], ids[0]);
        assert_eq!(names(&document, ids[1]), [Tag::P]);
    }

    #[test]
    fn depth_is_flattened_at_the_limit() {
        let mut document = Document::new(0, 3);
        let mut parent = Document::ROOT;
        for _ in 0..10 {
            let id = document.push_element(Tag::Div, std::iter::empty());
            document.append(parent, id);
            parent = id;
        }
        let real = std::iter::successors(Some(parent), |id| document.parent(*id)).count();
        assert_eq!(real, 4);
    }

    #[test]
    fn touching_text_is_joined() {
        let mut document = Document::new(0, 9);
        assert!(document.append_text(0, "a"));
        assert!(!document.append_text(0, "b"));
        assert_eq!(document.text(1), "ab");
        assert_eq!(document.text(99), "");
    }
}
