//! A token filter between html5ever's tokenizer and tree builder that keeps the tree builder's loops short.
//!
//! The tree builder walks its stack of open elements at most tags and rebuilds all open formatting elements at
//! every paragraph: with 10^6 open elements it is quadratic. So start tags beyond the depth limit and beyond
//! [`FORMATTING_MAX`] open formatting elements are left out, together with as many end tags of that name. A page
//! within the limits is not changed at all; comments and parse errors never reach the tree.

use std::cell::{Cell, RefCell};

use html5ever::LocalName;
use html5ever::interface::TreeSink;
use html5ever::tokenizer::{TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::TreeBuilder;

use super::sink::{Handle, Sink};
use super::tag::Tag;

/// Formatting elements (`b`, `font`, …) open at once; the standard itself keeps at most three equal ones.
const FORMATTING_MAX: u16 = 64;
/// Left-out start tags whose end tags are awaited by name; older ones are forgotten.
const LEFT_OUT_MAX: usize = 4_096;

#[derive(Debug, Default)]
struct State {
    /// Names of the start tags left out, oldest first.
    left_out: Vec<LocalName>,
    /// Formatting elements open by the tags seen.
    formatting: u16,
}

/// The tree builder behind the filter.
pub(crate) struct Filter {
    pub(crate) builder: TreeBuilder<Handle, Sink>,
    state: RefCell<State>,
    depth_max: u16,
    /// Tokens seen: a piece of input without one lies inside a single tag or comment.
    tokens: Cell<u64>,
}

impl Filter {
    pub(crate) fn new(builder: TreeBuilder<Handle, Sink>, depth_max: u16) -> Filter {
        Filter {
            builder,
            state: RefCell::default(),
            depth_max,
            tokens: Cell::new(0),
        }
    }

    pub(crate) fn tokens(&self) -> u64 {
        self.tokens.get()
    }

    /// Whether the start tag stays away from the tree builder.
    fn leave_out(&self, name: &LocalName) -> bool {
        let tag = Tag::from_name(name);
        if tag.is_void_or_raw() {
            return false;
        }
        let mut state = self.state.borrow_mut();
        let too_many = tag.is_formatting() && state.formatting >= FORMATTING_MAX;
        if too_many || self.builder.sink.depth() >= self.depth_max {
            if state.left_out.len() < LEFT_OUT_MAX {
                state.left_out.push(name.clone());
            }
            return true;
        }
        if tag.is_formatting() {
            state.formatting += 1;
        }
        false
    }

    /// Whether the end tag belongs to a start tag left out.
    fn swallow(&self, name: &LocalName) -> bool {
        let mut state = self.state.borrow_mut();
        if state.left_out.last() == Some(name) {
            state.left_out.pop();
            return true;
        }
        if Tag::from_name(name).is_formatting() {
            state.formatting = state.formatting.saturating_sub(1);
        }
        let sink = &self.builder.sink;
        sink.set_depth(sink.depth().saturating_sub(1));
        false
    }
}

impl TokenSink for Filter {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        self.tokens.set(self.tokens.get() + 1);
        match &token {
            Token::CommentToken(_) | Token::ParseError(_) => return TokenSinkResult::Continue,
            Token::TagToken(tag) => {
                let attributes = tag.attrs.len() as u64;
                self.builder.sink.burn(attributes.saturating_mul(attributes) / 4);
                let stop = match tag.kind {
                    TagKind::StartTag => !tag.self_closing && self.leave_out(&tag.name),
                    TagKind::EndTag => self.swallow(&tag.name),
                };
                if stop {
                    return TokenSinkResult::Continue;
                }
            }
            _ => {}
        }
        self.builder.process_token(token, line)
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}

impl Filter {
    /// The document built so far.
    pub(crate) fn into_document(self) -> super::Document {
        self.builder.sink.finish()
    }
}
