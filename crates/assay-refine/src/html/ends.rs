//! End tags in the body, and foreign content (HTML standard, 13.2.6.4.7 and 13.2.6.5).

use super::attribute::AttributeKey;
use super::build::{Builder, Mode, Next};
use super::scan::TagToken;
use super::stack::{Scope, Space};
use super::tag::Tag;

impl Builder<'_> {
    pub(super) fn end_in_body(&mut self, token: &TagToken) -> Next {
        let tag = token.tag;
        match tag {
            Tag::Template => self.end_template(),
            Tag::Body | Tag::Html => {
                if self.in_scope(Scope::Default, |tag| tag == Tag::Body) {
                    self.mode = Mode::AfterBody;
                }
            }
            Tag::P => {
                if self.open_p == 0 || !self.in_scope(Scope::Button, |tag| tag == Tag::P) {
                    self.insert_phantom(Tag::P, "p");
                }
                self.close_p();
            }
            Tag::Form => self.end_form(),
            Tag::Li | Tag::Dd | Tag::Dt => {
                let scope = if tag == Tag::Li {
                    Scope::List
                } else {
                    Scope::Default
                };
                if self.in_scope(scope, |found| found == tag) {
                    self.implied_ends(tag);
                    self.pop_until(|found| found == tag);
                }
            }
            _ if tag.is_heading() => {
                if self.in_scope(Scope::Default, Tag::is_heading) {
                    self.implied_ends(Tag::Other);
                    self.pop_until(Tag::is_heading);
                }
            }
            _ if tag == Tag::A || tag.is_formatting() => self.adopt(token.name),
            _ if tag.is_plain_block()
                || matches!(tag, Tag::Button | Tag::Listing | Tag::Pre | Tag::Select) =>
            {
                self.end_block(tag);
            }
            Tag::Applet | Tag::Marquee | Tag::Object => {
                if self.end_block(tag) {
                    self.active.clear_to_marker();
                }
            }
            Tag::Br => {
                return self.start_in_body(&Builder::named(Tag::Br, "br"));
            }
            _ => self.end_any(token.name),
        }
        Next::Done
    }

    fn end_block(&mut self, tag: Tag) -> bool {
        let found = self.in_scope(Scope::Default, |found| found == tag);
        if found {
            self.implied_ends(Tag::Other);
            self.pop_until(|found| found == tag);
        }
        found
    }

    fn end_form(&mut self) {
        if self.has_template() {
            self.end_block(Tag::Form);
        } else if let Some(id) = self.form.take()
            && self.node_in_scope(id)
        {
            self.implied_ends(Tag::Other);
            self.remove(id);
        }
    }

    /// The end tag of an element without rules of its own.
    pub(super) fn end_any(&mut self, name: u64) {
        let mut found = None;
        for (at, open) in self.stack.iter().enumerate().rev() {
            self.fuel += 1;
            if open.space == Space::Html && open.name == name {
                found = Some((at, open.id, open.tag));
                break;
            }
            if open.is_special() {
                return;
            }
        }
        if let Some((at, _, tag)) = found {
            self.implied_ends(tag);
            self.truncate(at);
        }
    }

    /// Whether a start tag is looked at by the rules of foreign content.
    pub(super) fn is_foreign_start(&self, token: &TagToken) -> bool {
        let current = self.current();
        if current.space == Space::Math && current.tag == Tag::AnnotationXml && token.tag == Tag::Svg {
            return false;
        }
        let excepted = matches!(token.tag, Tag::Mglyph | Tag::Malignmark) && current.space == Space::Math;
        !current.is_integration_point() || excepted
    }

    pub(super) fn foreign_start(&mut self, token: &TagToken) {
        if token.leaves_foreign() {
            while self.current().space != Space::Html && !self.current().is_integration_point() {
                self.pop();
            }
            self.start_html(token);
            return;
        }
        let space = self.current().space;
        self.insert(token, space);
        if space == Space::Math && token.tag == Tag::AnnotationXml && self.is_html_encoded(token) {
            // Text in it is HTML: it stands in the stack as what is treated the same.
            if let Some(open) = self.stack.last_mut() {
                (open.space, open.tag) = (Space::Svg, Tag::ForeignObject);
            }
        }
        if token.self_closing {
            self.pop();
        }
    }

    /// An end tag in foreign content; `false` when the rules of the mode are to look at it.
    pub(super) fn foreign_end(&mut self, token: &TagToken) -> bool {
        if matches!(token.tag, Tag::Br | Tag::P) {
            while self.current().space != Space::Html && !self.current().is_integration_point() {
                self.pop();
            }
            return false;
        }
        for at in (1..self.stack.len()).rev() {
            self.fuel += 1;
            let Some(open) = self.stack.get(at).copied() else {
                return true;
            };
            if open.space == Space::Html {
                return false;
            }
            if open.name == token.name {
                self.truncate(at);
                return true;
            }
        }
        true
    }

    fn value(&self, range: (u32, u32), key: AttributeKey) -> Option<&str> {
        let attributes = self.tree.attributes.get(range.0 as usize..range.1 as usize)?;
        let found = attributes.iter().find(|attribute| attribute.key == key)?;
        Some(self.piece(found.value))
    }

    pub(super) fn is_type_hidden(&self, attributes: (u32, u32)) -> bool {
        self.value(attributes, AttributeKey::Type)
            .is_some_and(|value| value.eq_ignore_ascii_case("hidden"))
    }

    fn is_html_encoded(&self, token: &TagToken) -> bool {
        self.value(token.attributes, AttributeKey::Encoding)
            .is_some_and(|value| {
                value.eq_ignore_ascii_case("text/html") || value.eq_ignore_ascii_case("application/xhtml+xml")
            })
    }
}
