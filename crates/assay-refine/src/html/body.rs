//! Start tags in the body (HTML standard, 13.2.6.4.7).

use super::arena::NodeId;
use super::build::{Builder, Mode, Next};
use super::scan::{Raw, TagToken};
use super::stack::{Scope, Space};
use super::tag::Tag;

impl Builder<'_> {
    pub(super) fn start_in_body(&mut self, token: &TagToken) -> Next {
        let tag = token.tag;
        match tag {
            Tag::Html => return self.merge_attributes(token, 0),
            Tag::Body => return self.second_body(token),
            Tag::Frameset => self.start_frameset(token),
            _ if tag.is_head_content() => return self.start_head_content(token),
            _ if tag.is_plain_block() => {
                self.close_p();
                self.insert_html(token);
            }
            _ if tag.is_heading() => {
                self.close_p();
                if self.current().html().is_heading() {
                    self.pop();
                }
                self.insert_html(token);
            }
            Tag::Pre | Tag::Listing => {
                self.close_p();
                self.insert_html(token);
                self.scan.skip_line_feed();
                self.frameset_ok = false;
            }
            Tag::Form => self.start_form(token),
            Tag::Li | Tag::Dd | Tag::Dt => self.start_item(token),
            Tag::A => {
                self.end_open_link(token.name);
                self.reconstruct();
                self.insert_formatting(token);
            }
            Tag::Nobr => {
                self.reconstruct();
                if self.in_scope(Scope::Default, |tag| tag == Tag::Nobr) {
                    self.adopt(token.name);
                    self.reconstruct();
                }
                self.insert_formatting(token);
            }
            _ if tag.is_formatting() => {
                self.reconstruct();
                self.insert_formatting(token);
            }
            Tag::Table => {
                if !self.quirks {
                    self.close_p();
                }
                self.insert_html(token);
                self.frameset_ok = false;
                self.mode = Mode::InTable;
            }
            _ => return self.start_rare(token),
        }
        Next::Done
    }

    /// Elements without content, with raw content, and form controls.
    fn start_rare(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Area | Tag::Br | Tag::Embed | Tag::Img | Tag::Keygen | Tag::Wbr | Tag::Input => {
                if token.tag == Tag::Input && self.in_scope(Scope::Default, |tag| tag == Tag::Select) {
                    self.pop_until(|tag| tag == Tag::Select);
                }
                self.reconstruct();
                let id = self.insert_void(token);
                self.frameset_ok &= token.tag == Tag::Input && self.is_hidden_input(id);
            }
            Tag::Image => {
                return self.start_rare(&TagToken {
                    attributes: token.attributes,
                    ..Builder::named(Tag::Img, "img")
                });
            }
            Tag::Param | Tag::Source | Tag::Track => {
                self.insert_void(token);
            }
            Tag::Hr => {
                self.close_p();
                if self.in_scope(Scope::Default, |tag| tag == Tag::Select) {
                    self.implied_ends(Tag::Other);
                }
                self.insert_void(token);
                self.frameset_ok = false;
            }
            Tag::Textarea => {
                self.frameset_ok = false;
                self.insert_raw(token, Raw::Escapable);
            }
            Tag::Xmp => {
                self.close_p();
                self.reconstruct();
                self.frameset_ok = false;
                self.insert_raw(token, Raw::Plain);
            }
            Tag::Iframe | Tag::Noembed => {
                self.frameset_ok &= token.tag == Tag::Noembed;
                self.insert_raw(token, Raw::Plain);
            }
            Tag::Plaintext => {
                self.close_p();
                self.insert_html(token);
                let text = self.scan.all_text();
                self.insert_text(text);
            }
            _ => self.start_other(token),
        }
        Next::Done
    }

    fn start_other(&mut self, token: &TagToken) {
        match token.tag {
            Tag::Caption
            | Tag::Col
            | Tag::Colgroup
            | Tag::Frame
            | Tag::Head
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => return,
            Tag::Button => {
                if self.in_scope(Scope::Default, |tag| tag == Tag::Button) {
                    self.implied_ends(Tag::Other);
                    self.pop_until(|tag| tag == Tag::Button);
                }
                self.frameset_ok = false;
            }
            Tag::Applet | Tag::Marquee | Tag::Object => {
                self.reconstruct();
                self.insert_html(token);
                self.active.push_marker();
                self.frameset_ok = false;
                return;
            }
            Tag::Select => {
                if self.in_scope(Scope::Default, |tag| tag == Tag::Select) {
                    self.pop_until(|tag| tag == Tag::Select);
                    return;
                }
                self.frameset_ok = false;
            }
            Tag::Option | Tag::Optgroup => self.end_option(token.tag),
            Tag::Rb | Tag::Rtc | Tag::Rp | Tag::Rt => {
                if self.in_scope(Scope::Default, |tag| tag == Tag::Ruby) {
                    let inner = matches!(token.tag, Tag::Rp | Tag::Rt);
                    self.implied_ends(if inner { Tag::Rtc } else { Tag::Other });
                }
                self.insert_html(token);
                return;
            }
            Tag::Math | Tag::Svg => {
                self.reconstruct();
                let space = if token.tag == Tag::Math {
                    Space::Math
                } else {
                    Space::Svg
                };
                self.insert(token, space);
                if token.self_closing {
                    self.pop();
                }
                return;
            }
            _ => {}
        }
        self.reconstruct();
        self.insert_html(token);
    }

    /// What an `option` or `optgroup` ends before it begins.
    fn end_option(&mut self, tag: Tag) {
        if self.in_scope(Scope::Default, |tag| tag == Tag::Select) {
            self.implied_ends(if tag == Tag::Option {
                Tag::Optgroup
            } else {
                Tag::Other
            });
        } else if self.current().html() == Tag::Option {
            self.pop();
        }
    }

    fn second_body(&mut self, token: &TagToken) -> Next {
        if self.stack.get(1).is_some_and(|open| open.html() == Tag::Body) && !self.has_template() {
            self.frameset_ok = false;
            return self.merge_attributes(token, 1);
        }
        Next::Done
    }

    fn start_frameset(&mut self, token: &TagToken) {
        let body = self.stack.get(1).copied();
        if let Some(body) = body.filter(|open| self.frameset_ok && open.html() == Tag::Body) {
            self.tree.detach(body.id);
            self.truncate(1);
            self.insert_html(token);
            self.mode = Mode::InFrameset;
        }
    }

    fn start_form(&mut self, token: &TagToken) {
        let inside = self.has_template();
        if self.form.is_some() && !inside {
            return;
        }
        self.close_p();
        let id = self.insert_html(token);
        if !inside {
            self.form = Some(id);
        }
    }

    /// `li`, `dd` and `dt` end the item before them.
    fn start_item(&mut self, token: &TagToken) {
        self.frameset_ok = false;
        let is_list = token.tag == Tag::Li;
        let mut ended = None;
        for open in self.stack.iter().rev() {
            self.fuel += 1;
            let tag = open.html();
            let is_special = open.is_special();
            if (is_list && tag == Tag::Li) || (!is_list && matches!(tag, Tag::Dd | Tag::Dt)) {
                ended = Some(tag);
                break;
            }
            if is_special && !matches!(tag, Tag::Address | Tag::Div | Tag::P) {
                break;
            }
        }
        if let Some(tag) = ended {
            self.implied_ends(tag);
            self.pop_until(|found| found == tag);
        }
        self.close_p();
        self.insert_html(token);
    }

    pub(super) fn is_hidden_input(&self, id: NodeId) -> bool {
        let (start, end) = self.tree.attribute_range(id);
        self.is_type_hidden((start, end))
    }
}
