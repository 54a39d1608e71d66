//! The stack of open elements: scopes, implied end tags, the place of insertion (HTML standard, 13.2.4.2 and 13.2.6.1).
//!
//! Bounded by the depth limit; every step down it costs fuel.

use super::arena::{Document, NONE, NodeId, Piece};
use super::build::Builder;
use super::scan::TagToken;
use super::tag::Tag;

/// The namespace of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Html,
    Svg,
    Math,
}

/// An open element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) id: NodeId,
    pub(super) tag: Tag,
    pub(super) space: Space,
    pub(super) name: u64,
}

impl Open {
    /// Below the bottom of the stack: the document itself.
    pub(super) const NOTHING: Open = Open {
        id: Document::ROOT,
        tag: Tag::Root,
        space: Space::Html,
        name: 0,
    };

    /// The tag of an HTML element; foreign ones are [`Tag::Other`].
    pub(super) fn html(&self) -> Tag {
        if self.space == Space::Html {
            self.tag
        } else {
            Tag::Other
        }
    }

    /// Whether it is of the category "special", foreign elements included (13.2.4.2).
    pub(super) fn is_special(&self) -> bool {
        match self.space {
            Space::Html => self.tag.is_special(),
            Space::Math => self.tag.is_math_text() || self.tag == Tag::AnnotationXml,
            Space::Svg => self.is_integration_point(),
        }
    }

    /// Whether HTML rules hold for text in it although it is foreign (13.2.6.5).
    pub(super) fn is_integration_point(&self) -> bool {
        match self.space {
            Space::Html => false,
            Space::Math => self.tag.is_math_text(),
            Space::Svg => matches!(self.tag, Tag::ForeignObject | Tag::Desc | Tag::Title),
        }
    }
}

/// How far a search in the stack goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Default,
    List,
    Button,
    Table,
}

impl Scope {
    fn ends_at(self, open: &Open) -> bool {
        let tag = open.html();
        match self {
            Scope::Table => matches!(tag, Tag::Html | Tag::Table | Tag::Template),
            _ if open.space != Space::Html => open.is_integration_point(),
            Scope::Default => tag.is_scope(),
            Scope::List => tag.is_scope() || matches!(tag, Tag::Ol | Tag::Ul),
            Scope::Button => tag.is_scope() || tag == Tag::Button,
        }
    }
}

impl Builder<'_> {
    pub(super) fn current(&self) -> Open {
        self.stack.last().copied().unwrap_or(Open::NOTHING)
    }

    pub(super) fn push(&mut self, open: Open) {
        self.open_p += u32::from(open.html() == Tag::P);
        self.open_templates += u32::from(open.html() == Tag::Template);
        self.stack.push(open);
    }

    pub(super) fn pop(&mut self) {
        if let Some(open) = self.stack.pop() {
            self.uncount(open);
        }
    }

    fn uncount(&mut self, open: Open) {
        self.open_p -= u32::from(open.html() == Tag::P);
        self.open_templates -= u32::from(open.html() == Tag::Template);
    }

    pub(super) fn truncate(&mut self, length: usize) {
        while self.stack.len() > length {
            self.pop();
        }
    }

    pub(super) fn position(&mut self, id: NodeId) -> Option<usize> {
        let found = self.stack.iter().rposition(|open| open.id == id);
        self.fuel += (self.stack.len() - found.unwrap_or(0)) as u64;
        found
    }

    pub(super) fn remove(&mut self, id: NodeId) {
        if let Some(at) = self.position(id) {
            self.remove_at(at);
        }
    }

    /// Takes the element at a position of the stack out of it.
    pub(super) fn remove_at(&mut self, at: usize) {
        if at < self.stack.len() {
            self.fuel += (self.stack.len() - at) as u64;
            let open = self.stack.remove(at);
            self.uncount(open);
        }
    }

    /// The position of the innermost element in scope that `wanted` accepts.
    fn find_in_scope(&mut self, scope: Scope, wanted: impl Fn(&Open) -> bool) -> Option<usize> {
        for (at, open) in self.stack.iter().enumerate().rev() {
            self.fuel += 1;
            if wanted(open) {
                return Some(at);
            }
            if scope.ends_at(open) {
                return None;
            }
        }
        None
    }

    pub(super) fn in_scope(&mut self, scope: Scope, wanted: impl Fn(Tag) -> bool) -> bool {
        self.find_in_scope(scope, |open| wanted(open.html())).is_some()
    }

    pub(super) fn node_in_scope(&mut self, id: NodeId) -> bool {
        self.find_in_scope(Scope::Default, |open| open.id == id).is_some()
    }

    pub(super) fn has_template(&self) -> bool {
        self.open_templates > 0
    }

    /// Pops elements whose end tags may be left out, but for `except`.
    pub(super) fn implied_ends(&mut self, except: Tag) {
        while self.current().html().is_implied_end() && self.current().html() != except {
            self.pop();
        }
    }

    pub(super) fn pop_until(&mut self, wanted: impl Fn(Tag) -> bool) {
        while !self.stack.is_empty() {
            let tag = self.current().html();
            self.pop();
            if wanted(tag) {
                return;
            }
        }
    }

    /// Pops down to an element that `wanted` accepts, which stays.
    pub(super) fn clear_to(&mut self, wanted: impl Fn(Tag) -> bool) {
        while !self.stack.is_empty() && !wanted(self.current().html()) {
            self.pop();
        }
    }

    pub(super) fn close_p(&mut self) {
        if self.open_p > 0 && self.in_scope(Scope::Button, |tag| tag == Tag::P) {
            self.implied_ends(Tag::P);
            self.pop_until(|tag| tag == Tag::P);
        }
    }

    /// Where a node meant for `target` goes: its parent and the sibling it stands before.
    fn place(&mut self, target: Open) -> (NodeId, NodeId) {
        let is_table = matches!(
            target.html(),
            Tag::Table | Tag::Tbody | Tag::Tfoot | Tag::Thead | Tag::Tr
        );
        if !self.foster || !is_table {
            return (target.id, NONE);
        }
        let mut above = self.stack.iter().rev().peekable();
        while let Some(open) = above.next() {
            self.fuel += 1;
            if open.html() == Tag::Template {
                return (open.id, NONE);
            }
            if open.html() == Tag::Table {
                return if self.tree.node(open.id).parent == NONE {
                    (above.peek().map_or(NONE, |open| open.id), NONE)
                } else {
                    (NONE, open.id)
                };
            }
        }
        (self.stack.first().map_or(NONE, |open| open.id), NONE)
    }

    /// Attaches a node where one meant for `target` goes.
    pub(super) fn insert_at(&mut self, target: Open, id: NodeId) {
        self.fuel += 1;
        match self.place(target) {
            (parent, NONE) => self.tree.append(parent, id),
            (_, sibling) => self.tree.insert_before(sibling, id),
        }
    }

    pub(super) fn insert_text(&mut self, text: Piece) {
        if text.start < text.end {
            let id = self.tree.push_text(text);
            self.insert_at(self.current(), id);
        }
    }

    /// Makes an element at the current place and opens it.
    pub(super) fn insert(&mut self, token: &TagToken, space: Space) -> NodeId {
        let (start, end) = token.attributes;
        let id = self.tree.push_element(token.tag, start, end);
        self.insert_at(self.current(), id);
        self.push(Open {
            id,
            tag: token.tag,
            space,
            name: token.name,
        });
        id
    }

    pub(super) fn insert_html(&mut self, token: &TagToken) -> NodeId {
        self.insert(token, Space::Html)
    }

    /// Makes an element that has no content.
    pub(super) fn insert_void(&mut self, token: &TagToken) -> NodeId {
        let id = self.insert_html(token);
        self.pop();
        id
    }

    /// Makes an element the page does not name.
    pub(super) fn insert_phantom(&mut self, tag: Tag, name: &str) -> NodeId {
        self.insert(&TagToken::phantom(tag, name), Space::Html)
    }
}
