//! html5ever's tree operations turned into a [`Document`]; counts nodes and work, never fails.
//!
//! A node over budget gets the id [`NONE`], on which every arena operation does nothing: the tree builder goes
//! on undisturbed until the feeding loop in `parse.rs` sees the counter and stops.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use html5ever::interface::{ElementFlags, ExpandedName, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, Namespace, QualName, local_name, ns};

use super::arena::{Document, NONE, NodeId};
use super::attribute::AttributeKey;
use super::parse::ParseLimits;
use super::tag::Tag;

/// A node as the tree builder holds it: the name travels with the id, so that asking for it needs no borrow.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    id: NodeId,
    tag: Tag,
    namespace: Namespace,
    local: LocalName,
}

/// Receives tree operations.
#[derive(Debug)]
pub(crate) struct Sink {
    document: RefCell<Document>,
    limits: ParseLimits,
    /// Elements and text nodes made.
    nodes: Cell<u32>,
    /// Names compared and nodes linked: what the tree builder's own loops cost.
    fuel: Cell<u64>,
    /// Depth of the open element as last seen; the filter lowers it at end tags.
    depth: Cell<u16>,
}

impl Sink {
    pub(crate) fn new(bytes: usize, limits: ParseLimits) -> Sink {
        Sink {
            document: RefCell::new(Document::new(bytes, limits.depth_max)),
            limits,
            nodes: Cell::new(0),
            fuel: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    pub(crate) fn nodes(&self) -> u32 {
        self.nodes.get()
    }

    pub(crate) fn fuel(&self) -> u64 {
        self.fuel.get()
    }

    pub(crate) fn burn(&self, fuel: u64) {
        self.fuel.set(self.fuel.get().saturating_add(fuel));
    }

    pub(crate) fn depth(&self) -> u16 {
        self.depth.get()
    }

    pub(crate) fn set_depth(&self, depth: u16) {
        self.depth.set(depth);
    }

    fn append_node(&self, parent: NodeId, child: &Handle) {
        self.burn(1);
        let depth = self.document.borrow_mut().append(parent, child.id);
        self.depth.set(depth);
    }

    fn append_text(&self, parent: &Handle, text: &str) {
        if matches!(
            parent.tag,
            Tag::Style | Tag::Iframe | Tag::Noembed | Tag::Noframes
        ) {
            return;
        }
        if self.document.borrow_mut().append_text(parent.id, text) {
            self.nodes.set(self.nodes.get().saturating_add(1));
        }
    }
}

/// The kept attributes of a token: at most `attributes_max`, each cut at `attribute_bytes_max`.
fn kept<'a>(
    attributes: &'a [Attribute],
    limits: &ParseLimits,
) -> impl Iterator<Item = (AttributeKey, &'a str)> + use<'a> {
    let bytes_max = limits.attribute_bytes_max;
    attributes
        .iter()
        .take(limits.attributes_max)
        .filter_map(move |attribute| {
            let key = AttributeKey::from_name(&attribute.name.local)?;
            let value: &str = &attribute.value;
            let cut = value.floor_char_boundary(bytes_max);
            Some((key, value.get(..cut).unwrap_or("")))
        })
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Document;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Document {
        self.document.into_inner()
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle {
            id: Document::ROOT,
            tag: Tag::Root,
            namespace: ns!(),
            local: local_name!(""),
        }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        self.fuel.set(self.fuel.get().wrapping_add(1));
        ExpandedName {
            ns: &target.namespace,
            local: &target.local,
        }
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _flags: ElementFlags) -> Handle {
        let tag = Tag::from_name(&name.local);
        let nodes = self.nodes.get().saturating_add(1);
        self.nodes.set(nodes);
        let id = if nodes > self.limits.nodes_max {
            NONE
        } else {
            self.document
                .borrow_mut()
                .push_element(tag, kept(&attributes, &self.limits))
        };
        Handle {
            id,
            tag,
            namespace: name.ns,
            local: name.local,
        }
    }

    fn create_comment(&self, _text: StrTendril) -> Handle {
        Handle {
            id: NONE,
            tag: Tag::Other,
            namespace: ns!(),
            local: local_name!(""),
        }
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> Handle {
        self.create_comment(StrTendril::new())
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        match child {
            NodeOrText::AppendNode(node) => self.append_node(parent.id, &node),
            NodeOrText::AppendText(text) => self.append_text(parent, &text),
        }
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        if self.document.borrow().parent(element.id).is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}

    /// Template contents hang below the template itself: extraction never enters it.
    fn get_template_contents(&self, target: &Handle) -> Handle {
        target.clone()
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.id == y.id
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, new: NodeOrText<Handle>) {
        self.burn(1);
        match new {
            NodeOrText::AppendNode(node) => self.document.borrow_mut().insert_before(sibling.id, node.id),
            NodeOrText::AppendText(text) => {
                self.nodes.set(self.nodes.get().saturating_add(1));
                self.document.borrow_mut().insert_text_before(sibling.id, &text);
            }
        }
    }

    fn add_attrs_if_missing(&self, target: &Handle, attributes: Vec<Attribute>) {
        self.document
            .borrow_mut()
            .add_attributes(target.id, kept(&attributes, &self.limits));
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.burn(1);
        self.document.borrow_mut().detach(target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let mut document = self.document.borrow_mut();
        while let Some(child) = document.first_child(node.id) {
            self.burn(1);
            document.detach(child);
            if new_parent.id != node.id {
                document.append(new_parent.id, child);
            }
        }
    }

    fn allow_declarative_shadow_roots(&self, _parent: &Handle) -> bool {
        false
    }
}
