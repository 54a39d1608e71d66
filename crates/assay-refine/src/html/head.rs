//! Insertion modes before the body, of templates, framesets, and of text in any mode (HTML standard, 13.2.6.4.2 to 13.2.6.4.6).

use super::arena::Piece;
use super::build::{Builder, Mode, Next};
use super::scan::{Raw, TagToken};
use super::stack::Open;
use super::tag::Tag;

impl Builder<'_> {
    /// Text by the rules of the mode.
    pub(super) fn text(&mut self, text: Piece, is_foreign: bool) {
        let content = self.piece(text);
        let blank = content.bytes().all(|byte| byte.is_ascii_whitespace());
        if is_foreign && !self.current().is_integration_point() {
            self.frameset_ok &= blank;
            self.insert_text(text);
            return;
        }
        match self.mode {
            Mode::BeforeHtml | Mode::BeforeHead | Mode::InHead | Mode::InHeadNoscript | Mode::AfterHead => {
                if !blank {
                    while !matches!(self.mode, Mode::InBody | Mode::InTemplate) {
                        self.leave_head_mode();
                    }
                    self.text_in_body(text, blank);
                }
            }
            Mode::InTable | Mode::InTableBody | Mode::InRow => self.text_in_table(text, blank),
            Mode::InColumnGroup => {
                if blank {
                    self.insert_text(text);
                } else if self.leave_column_group() {
                    self.text_in_table(text, blank);
                }
            }
            Mode::AfterBody => {
                if !blank {
                    self.mode = Mode::InBody;
                }
                self.text_in_body(text, blank);
            }
            Mode::InFrameset | Mode::AfterFrameset => {}
            Mode::InBody | Mode::InCaption | Mode::InCell | Mode::InTemplate => {
                self.text_in_body(text, blank);
            }
        }
    }

    fn text_in_body(&mut self, text: Piece, blank: bool) {
        self.reconstruct();
        self.frameset_ok &= blank;
        self.insert_text(text);
    }

    fn text_in_table(&mut self, text: Piece, blank: bool) {
        if blank && self.current().html().is_table_part() {
            self.insert_text(text);
            return;
        }
        self.foster = true;
        self.text_in_body(text, blank);
        self.foster = false;
    }

    /// Goes on to the next mode as "anything else" says.
    pub(super) fn leave_head_mode(&mut self) {
        match self.mode {
            Mode::BeforeHtml => {
                self.insert_phantom(Tag::Html, "html");
                self.mode = Mode::BeforeHead;
            }
            Mode::BeforeHead => {
                self.insert_phantom(Tag::Head, "head");
                self.head = Some(self.current());
                self.mode = Mode::InHead;
            }
            Mode::InHead => {
                self.pop();
                self.mode = Mode::AfterHead;
            }
            Mode::InHeadNoscript => {
                self.pop();
                self.mode = Mode::InHead;
            }
            _ => {
                self.insert_phantom(Tag::Body, "body");
                self.mode = Mode::InBody;
            }
        }
    }

    fn again(&mut self) -> Next {
        self.leave_head_mode();
        Next::Again
    }

    pub(super) fn start_in_head_modes(&mut self, token: &TagToken) -> Next {
        match (self.mode, token.tag) {
            (Mode::BeforeHtml, Tag::Html) => {
                self.insert_html(token);
                self.mode = Mode::BeforeHead;
                Next::Done
            }
            (Mode::BeforeHtml, _) => self.again(),
            (_, Tag::Html) => self.merge_attributes(token, 0),
            (Mode::BeforeHead, Tag::Head) => {
                self.insert_html(token);
                self.head = Some(self.current());
                self.mode = Mode::InHead;
                Next::Done
            }
            (Mode::BeforeHead, _) => self.again(),
            (_, Tag::Head) | (Mode::InHeadNoscript, Tag::Noscript) => Next::Done,
            (Mode::InHead, Tag::Noscript) => {
                self.insert_html(token);
                self.mode = Mode::InHeadNoscript;
                Next::Done
            }
            (Mode::InHead, tag) if tag.is_head_content() => self.start_head_content(token),
            (
                Mode::InHeadNoscript,
                Tag::Basefont | Tag::Bgsound | Tag::Link | Tag::Meta | Tag::Noframes | Tag::Style,
            ) => self.start_head_content(token),
            (Mode::AfterHead, Tag::Body) => {
                self.insert_html(token);
                self.frameset_ok = false;
                self.mode = Mode::InBody;
                Next::Done
            }
            (Mode::AfterHead, Tag::Frameset) => {
                self.insert_html(token);
                self.mode = Mode::InFrameset;
                Next::Done
            }
            (Mode::AfterHead, tag) if tag.is_head_content() => {
                let head = self.head.unwrap_or(Open::NOTHING);
                self.push(head);
                let next = self.start_head_content(token);
                self.remove(head.id);
                next
            }
            _ => self.again(),
        }
    }

    /// Elements that belong to the head wherever they stand.
    pub(super) fn start_head_content(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Title => self.insert_raw(token, Raw::Escapable),
            Tag::Script => self.insert_raw(token, Raw::Script),
            Tag::Style | Tag::Noframes => self.insert_raw(token, Raw::Plain),
            Tag::Template => {
                self.insert_html(token);
                self.active.push_marker();
                self.frameset_ok = false;
                self.mode = Mode::InTemplate;
                self.template_modes.push(Mode::InTemplate);
            }
            _ => {
                self.insert_void(token);
            }
        }
        Next::Done
    }

    pub(super) fn merge_attributes(&mut self, token: &TagToken, level: usize) -> Next {
        if !self.has_template()
            && let Some(open) = self.stack.get(level).copied()
        {
            self.tree
                .add_attributes(open.id, token.attributes.0, token.attributes.1);
        }
        Next::Done
    }

    pub(super) fn end_in_head_modes(&mut self, token: &TagToken) -> Next {
        match (self.mode, token.tag) {
            (Mode::InHead, Tag::Head) | (Mode::InHeadNoscript, Tag::Noscript) => {
                self.leave_head_mode();
                Next::Done
            }
            (Mode::InHead | Mode::AfterHead, Tag::Template) => {
                self.end_template();
                Next::Done
            }
            (Mode::InHeadNoscript, Tag::Br)
            | (
                Mode::BeforeHtml | Mode::BeforeHead | Mode::InHead | Mode::AfterHead,
                Tag::Body | Tag::Html | Tag::Br,
            )
            | (Mode::BeforeHtml | Mode::BeforeHead, Tag::Head) => self.again(),
            _ => Next::Done,
        }
    }

    pub(super) fn end_template(&mut self) {
        if !self.has_template() {
            return;
        }
        while self.current().html().is_implied_end() || self.current().html().is_table_inner() {
            self.pop();
        }
        self.pop_until(|tag| tag == Tag::Template);
        self.active.clear_to_marker();
        self.template_modes.pop();
        self.reset_mode();
    }

    pub(super) fn start_in_template(&mut self, token: &TagToken) -> Next {
        let mode = match token.tag {
            tag if tag.is_head_content() => return self.start_head_content(token),
            Tag::Caption | Tag::Colgroup | Tag::Tbody | Tag::Tfoot | Tag::Thead => Mode::InTable,
            Tag::Col => Mode::InColumnGroup,
            Tag::Tr => Mode::InTableBody,
            Tag::Td | Tag::Th => Mode::InRow,
            _ => Mode::InBody,
        };
        self.template_modes.pop();
        self.template_modes.push(mode);
        self.mode = mode;
        Next::Again
    }

    pub(super) fn start_in_frameset(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Html => return self.merge_attributes(token, 0),
            Tag::Noframes => return self.start_head_content(token),
            Tag::Frameset if self.mode == Mode::InFrameset => {
                self.insert_html(token);
            }
            Tag::Frame if self.mode == Mode::InFrameset => {
                self.insert_void(token);
            }
            _ => {}
        }
        Next::Done
    }

    pub(super) fn end_in_frameset(&mut self, token: &TagToken) -> Next {
        if self.mode == Mode::InFrameset && token.tag == Tag::Frameset && self.stack.len() > 1 {
            self.pop();
            if self.current().html() != Tag::Frameset {
                self.mode = Mode::AfterFrameset;
            }
        }
        Next::Done
    }
}
