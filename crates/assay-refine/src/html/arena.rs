//! The tree of a page: nodes in one vector, linked by `u32` ids; text and kept attribute values are slices of the page, or of
//! a side buffer where references were decoded.
//!
//! The tree builder fills it, extraction reads it. Every accessor is total: an id that does not exist answers like an
//! empty text node, so that no caller can fail.

use std::borrow::Cow;

use super::attribute::AttributeKey;
use super::tag::Tag;

/// The index of a node in its [`Document`].
pub type NodeId = u32;

/// The id of no node.
pub(crate) const NONE: NodeId = u32::MAX;

/// A piece of text: bytes of the page, or of the side buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) side: bool,
}

/// One node: 32 bytes. `start..end` is the text of a text node and the attributes of an element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) tag: Tag,
    /// Whether the text stands in the side buffer.
    pub(crate) side: bool,
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
    side: false,
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
pub(crate) struct Attribute {
    pub(crate) key: AttributeKey,
    pub(crate) value: Piece,
}

/// The nodes of a page without the page itself.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    pub(crate) attributes: Vec<Attribute>,
    /// Text and values that are not as they stand in the page.
    pub(crate) side: String,
    depth_max: u16,
}

/// A parsed page.
#[derive(Debug)]
pub struct Document<'a> {
    source: Cow<'a, str>,
    tree: Tree,
}

impl<'a> Document<'a> {
    /// The id of the document node.
    pub const ROOT: NodeId = 0;

    pub(crate) fn new(source: Cow<'a, str>, tree: Tree) -> Document<'a> {
        Document { source, tree }
    }

    /// Nodes made, detached ones included.
    #[expect(clippy::len_without_is_empty, reason = "a document always has its root")]
    pub fn len(&self) -> usize {
        self.tree.nodes.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        self.tree.node(id)
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
            self.piece(Piece {
                start: node.start,
                end: node.end,
                side: node.side,
            })
        } else {
            ""
        }
    }

    fn piece(&self, piece: Piece) -> &str {
        let of_page = || self.source.get(piece.start as usize..piece.end as usize);
        self.tree.side_text(piece).or_else(of_page).unwrap_or("")
    }

    /// For each node, whether an element that `wanted` accepts stands inside it.
    pub(crate) fn holders(&self, wanted: impl Fn(Tag) -> bool) -> Vec<bool> {
        let mut holders = vec![false; self.len()];
        for id in (0..self.len() as NodeId).filter(|id| wanted(self.tag(*id))) {
            // Who holds it is marked up to the first that was marked before: linear in all.
            let parents = std::iter::successors(self.parent(id), |id| self.parent(*id));
            for parent in parents {
                match holders.get_mut(parent as usize) {
                    Some(slot) if !*slot => *slot = true,
                    _ => break,
                }
            }
        }
        holders
    }

    /// The value of a kept attribute of an element.
    pub fn attribute(&self, id: NodeId, key: AttributeKey) -> Option<&str> {
        let found = self
            .tree
            .attributes_of(id)
            .iter()
            .find(|attribute| attribute.key == key)?;
        Some(self.piece(found.value))
    }

    /// All kept attributes of an element.
    pub fn attributes(&self, id: NodeId) -> impl Iterator<Item = (AttributeKey, &str)> {
        let attributes = self.tree.attributes_of(id).iter();
        attributes.map(|attribute| (attribute.key, self.piece(attribute.value)))
    }
}

impl Tree {
    /// A tree of a root alone, with room for what a page of so many bytes usually holds.
    pub(crate) fn new(bytes: usize, depth_max: u16) -> Tree {
        let mut nodes = Vec::with_capacity(bytes / 40 + 16);
        nodes.push(Node {
            tag: Tag::Root,
            ..NOTHING
        });
        Tree {
            nodes,
            attributes: Vec::with_capacity(bytes / 80 + 16),
            side: String::new(),
            depth_max,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id as usize).unwrap_or(&NOTHING)
    }

    fn attributes_of(&self, id: NodeId) -> &[Attribute] {
        let node = self.node(id);
        if node.tag == Tag::Text {
            return &[];
        }
        self.attributes
            .get(node.start as usize..node.end as usize)
            .unwrap_or_default()
    }

    /// The text of a piece of the side buffer; `None` for one of the page.
    pub(crate) fn side_text(&self, piece: Piece) -> Option<&str> {
        let text = || self.side.get(piece.start as usize..piece.end as usize);
        piece.side.then(|| text().unwrap_or(""))
    }

    /// Adds a detached element whose kept attributes are `start..end`; a clone names those of its model.
    pub(crate) fn push_element(&mut self, tag: Tag, start: u32, end: u32) -> NodeId {
        self.push(Node {
            tag,
            start,
            end,
            ..NOTHING
        })
    }

    /// The range of an element's attributes.
    pub(crate) fn attribute_range(&self, id: NodeId) -> (u32, u32) {
        let node = self.node(id);
        if node.tag == Tag::Text {
            (0, 0)
        } else {
            (node.start, node.end)
        }
    }

    /// Adds those attributes `from..to` that an element does not have yet, by copying its list to the end.
    pub(crate) fn add_attributes(&mut self, id: NodeId, from: u32, to: u32) {
        let node = *self.node(id);
        if node.tag == Tag::Text || node.tag == Tag::Root {
            return;
        }
        let range = |from: u32, to: u32| {
            self.attributes
                .get(from as usize..to as usize)
                .unwrap_or_default()
        };
        let own = range(node.start, node.end);
        let is_new = |found: &Attribute| own.iter().all(|attribute| attribute.key != found.key);
        // Every copy adds a key, so that there are at most as many copies as keys.
        if !range(from, to).iter().any(is_new) {
            return;
        }
        let start = self.attributes.len();
        for index in (node.start..node.end).chain(from..to) {
            let Some(found) = self.attributes.get(index as usize).copied() else {
                continue;
            };
            let seen = self.attributes.get(start..).unwrap_or_default();
            if !seen.iter().any(|attribute| attribute.key == found.key) {
                self.attributes.push(found);
            }
        }
        let end = self.attributes.len() as u32;
        self.edit(id, |node| (node.start, node.end) = (start as u32, end));
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

    /// Attaches `child` as the last child; `NONE` on either side does nothing.
    pub(crate) fn append(&mut self, parent: NodeId, child: NodeId) {
        let depth = self.node(parent).depth.saturating_add(1);
        let host = self.host(parent);
        if host == NONE || child == NONE || host == child {
            return;
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
    }

    /// Moves all children of a node to the end of another's; gives their number.
    pub(crate) fn reparent(&mut self, from: NodeId, to: NodeId) -> u64 {
        let mut moved = 0;
        if from == to || self.host(to) == from {
            return moved;
        }
        while let Some(child) = some(self.node(from).first) {
            self.detach(child);
            self.append(to, child);
            moved += 1;
        }
        moved
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

    /// Adds a detached text node.
    pub(crate) fn push_text(&mut self, text: Piece) -> NodeId {
        self.push(Node {
            side: text.side,
            start: text.start,
            end: text.end,
            ..NOTHING
        })
    }
}

fn some(id: NodeId) -> Option<NodeId> {
    (id != NONE).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tree: &Tree, parent: NodeId) -> Vec<Tag> {
        std::iter::successors(some(tree.node(parent).first), |id| some(tree.node(*id).next))
            .map(|id| tree.node(id).tag)
            .collect()
    }

    #[test]
    fn children_move_and_keep_order() {
        let mut tree = Tree::new(0, 512);
        let ids = [Tag::P, Tag::Div, Tag::A].map(|tag| tree.push_element(tag, 0, 0));
        for id in ids {
            tree.append(0, id);
        }
        assert_eq!(names(&tree, 0), [Tag::P, Tag::Div, Tag::A]);
        tree.insert_before(ids[0], ids[2]);
        assert_eq!(names(&tree, 0), [Tag::A, Tag::P, Tag::Div]);
        tree.detach(ids[0]);
        assert_eq!(names(&tree, 0), [Tag::A, Tag::Div]);
        tree.append(ids[1], ids[0]);
        assert_eq!(names(&tree, ids[1]), [Tag::P]);
        assert_eq!(tree.reparent(0, ids[0]), 2);
    }

    #[test]
    fn depth_is_flattened_at_the_limit() {
        let mut tree = Tree::new(0, 3);
        let mut parent = 0;
        for _ in 0..10 {
            let id = tree.push_element(Tag::Div, 0, 0);
            tree.append(parent, id);
            parent = id;
        }
        let real = std::iter::successors(Some(parent), |id| some(tree.node(*id).parent)).count();
        assert_eq!(real, 4);
    }

    #[test]
    fn an_unknown_id_is_an_empty_text() {
        let document = Document::new(Cow::Borrowed("ab"), Tree::new(0, 9));
        assert_eq!((document.text(99), document.tag(99)), ("", Tag::Text));
        assert_eq!(document.attributes(99).count(), 0);
    }
}
