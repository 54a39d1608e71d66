//! html5ever as the oracle of the parser: the same pages through both, compared by skeleton and visible text.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::Write as _;

use assay_refine::html::{Document, Tag};
use html5ever::interface::{ElementFlags, ExpandedName, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{Attribute, ParseOpts, QualName, local_name, ns};

/// What both trees can say.
pub(super) trait Tree {
    fn tag(&self, id: usize) -> Tag;
    fn text(&self, id: usize) -> String;
    fn children(&self, id: usize) -> Vec<usize>;
}

impl Tree for Document<'_> {
    fn tag(&self, id: usize) -> Tag {
        Document::tag(self, id as u32)
    }

    fn text(&self, id: usize) -> String {
        Document::text(self, id as u32).to_owned()
    }

    fn children(&self, id: usize) -> Vec<usize> {
        std::iter::successors(self.first_child(id as u32), |child| self.next_sibling(*child))
            .map(|child| child as usize)
            .collect()
    }
}

#[derive(Debug, Default)]
struct Node {
    tag: Option<Tag>,
    text: String,
    /// An `annotation-xml` that holds HTML.
    holds_html: bool,
    parent: Option<usize>,
    children: Vec<usize>,
}

/// A page as html5ever sees it.
#[derive(Debug, Default)]
pub(super) struct Reference {
    nodes: RefCell<Vec<Node>>,
}

#[derive(Clone, Debug)]
pub(super) struct Handle {
    id: usize,
    name: QualName,
}

impl Tree for Reference {
    fn tag(&self, id: usize) -> Tag {
        self.nodes.borrow()[id].tag.unwrap_or(Tag::Text)
    }

    fn text(&self, id: usize) -> String {
        self.nodes.borrow()[id].text.clone()
    }

    fn children(&self, id: usize) -> Vec<usize> {
        self.nodes.borrow()[id].children.clone()
    }
}

impl Reference {
    pub(super) fn parse(html: &str) -> Reference {
        let sink = Reference::default();
        sink.add(Some(Tag::Root), "");
        let tree_builder = TreeBuilderOpts {
            scripting_enabled: false,
            ..TreeBuilderOpts::default()
        };
        let options = ParseOpts {
            tree_builder,
            ..ParseOpts::default()
        };
        html5ever::parse_document(sink, options).one(html)
    }

    fn add(&self, tag: Option<Tag>, text: &str) -> usize {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node {
            tag,
            text: text.to_owned(),
            ..Node::default()
        });
        nodes.len() - 1
    }

    fn detach(&self, id: usize) {
        let mut nodes = self.nodes.borrow_mut();
        if let Some(parent) = nodes[id].parent.take() {
            nodes[parent].children.retain(|child| *child != id);
        }
    }

    fn place(&self, parent: usize, at: usize, child: NodeOrText<Handle>) {
        let id = match child {
            NodeOrText::AppendNode(node) => node.id,
            NodeOrText::AppendText(text) => self.add(None, &text),
        };
        self.detach(id);
        let mut nodes = self.nodes.borrow_mut();
        nodes[id].parent = Some(parent);
        let at = at.min(nodes[parent].children.len());
        nodes[parent].children.insert(at, id);
    }
}

impl TreeSink for Reference {
    type Handle = Handle;
    type Output = Reference;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Reference {
        self
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle {
            id: 0,
            name: QualName::new(None, ns!(), local_name!("")),
        }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.expanded()
    }

    fn create_element(&self, name: QualName, _attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let id = self.add(Some(Tag::from_name(&name.local)), "");
        self.nodes.borrow_mut()[id].holds_html = flags.mathml_annotation_xml_integration_point;
        Handle { id, name }
    }

    fn is_mathml_annotation_xml_integration_point(&self, handle: &Handle) -> bool {
        self.nodes.borrow()[handle.id].holds_html
    }

    fn create_comment(&self, _text: StrTendril) -> Handle {
        Handle {
            id: self.add(Some(Tag::Other), ""),
            ..self.get_document()
        }
    }

    fn create_pi(&self, _target: StrTendril, data: StrTendril) -> Handle {
        self.create_comment(data)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.place(parent.id, usize::MAX, child);
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        let is_attached = self.nodes.borrow()[element.id].parent.is_some();
        if is_attached {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}

    fn get_template_contents(&self, target: &Handle) -> Handle {
        target.clone()
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.id == y.id
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, new: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(node) = &new {
            self.detach(node.id);
        }
        let (parent, at) = {
            let nodes = self.nodes.borrow();
            let parent = nodes[sibling.id].parent.expect("a sibling has a parent");
            let at = nodes[parent].children.iter().position(|id| *id == sibling.id);
            (parent, at.expect("a child of its parent"))
        };
        self.place(parent, at, new);
    }

    fn add_attrs_if_missing(&self, _target: &Handle, _attributes: Vec<Attribute>) {}

    fn remove_from_parent(&self, target: &Handle) {
        self.detach(target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        for child in self.children(node.id) {
            self.detach(child);
            let mut nodes = self.nodes.borrow_mut();
            nodes[child].parent = Some(new_parent.id);
            nodes[new_parent.id].children.push(child);
        }
    }
}

/// The visible text: words of all text that is shown, a line break where a block begins or ends.
pub(super) fn visible(tree: &impl Tree) -> String {
    flatten(tree, false)
}

/// The same with the tags of all elements around it.
pub(super) fn skeleton(tree: &impl Tree) -> String {
    flatten(tree, true)
}

fn flatten(tree: &impl Tree, tags: bool) -> String {
    let mut out = String::new();
    let mut work = vec![(0, false)];
    while let Some((id, is_left)) = work.pop() {
        let tag = tree.tag(id);
        if tag == Tag::Text {
            let text = tree.text(id);
            let words: Vec<&str> = text.split_whitespace().collect();
            let starts = text.starts_with(char::is_whitespace);
            if starts && !out.ends_with([' ', '\n']) {
                out.push(' ');
            }
            out.push_str(&words.join(" "));
            if !words.is_empty() && text.ends_with(char::is_whitespace) {
                out.push(' ');
            }
            continue;
        }
        if tag.is_block() && !out.ends_with('\n') {
            out.truncate(out.trim_end().len());
            out.push('\n');
        }
        if tags && tag != Tag::Other {
            let _ = write!(out, "{}{tag:?}>", if is_left { "</" } else { "<" });
        }
        if is_left {
            continue;
        }
        if tag.is_never_text() {
            work.push((id, true));
            continue;
        }
        work.push((id, true));
        work.extend(tree.children(id).into_iter().rev().map(|child| (child, false)));
    }
    out.retain(|c| c != '\0');
    out
}
