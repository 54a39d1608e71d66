//! The tree builder: takes tokens one by one and keeps the state the standard's insertion modes share (13.2.6).
//!
//! Start tags beyond the depth limit are left out together with as many end tags of their name. Work is counted in fuel:
//! one a byte, a node and a step in the stack.

use super::active::ActiveList;
use super::arena::{NodeId, Piece, Tree};
use super::name::{SEED, fold, step};
use super::parse::{OverBudget, ParseLimits};
use super::scan::{Raw, Scanner, TagToken, Token};
use super::stack::{Open, Space};
use super::tag::Tag;

/// Left-out start tags whose end tags are awaited by name; those of further ones are taken as they come.
const LEFT_OUT_MAX: usize = 4_096;

/// The insertion modes; those of text content need none, since the scanner reads it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    BeforeHtml,
    BeforeHead,
    InHead,
    InHeadNoscript,
    AfterHead,
    InBody,
    InTable,
    InCaption,
    InColumnGroup,
    InTableBody,
    InRow,
    InCell,
    InTemplate,
    AfterBody,
    InFrameset,
    AfterFrameset,
}

/// What became of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Done,
    /// The mode has changed; the token is to be looked at again.
    Again,
}

/// A page under construction.
#[derive(Debug)]
pub(super) struct Builder<'a> {
    pub(super) scan: Scanner<'a>,
    pub(super) tree: Tree,
    pub(super) limits: ParseLimits,
    pub(super) fuel: u64,
    pub(super) mode: Mode,
    pub(super) stack: Vec<Open>,
    /// Open `p` elements: most blocks ask for one in vain.
    pub(super) open_p: u32,
    /// Open `template` elements.
    pub(super) open_templates: u32,
    pub(super) active: ActiveList,
    pub(super) template_modes: Vec<Mode>,
    pub(super) head: Option<Open>,
    pub(super) form: Option<NodeId>,
    pub(super) frameset_ok: bool,
    pub(super) foster: bool,
    pub(super) quirks: bool,
    left_out: Vec<u64>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(page: &'a str, limits: ParseLimits) -> Builder<'a> {
        Builder {
            scan: Scanner::new(page, limits),
            tree: Tree::new(page.len(), limits.depth_max),
            limits,
            fuel: page.len() as u64,
            mode: Mode::BeforeHtml,
            stack: Vec::with_capacity(64),
            open_p: 0,
            open_templates: 0,
            active: ActiveList::default(),
            template_modes: vec![],
            head: None,
            form: None,
            frameset_ok: true,
            foster: false,
            quirks: true,
            left_out: vec![],
        }
    }

    /// Reads the page to its end.
    pub(super) fn run(mut self) -> Result<Tree, OverBudget> {
        loop {
            let is_foreign = self.current().space != Space::Html;
            let token = self.scan.next(&mut self.tree, is_foreign);
            match &token {
                Token::Text(text) => self.text(*text, is_foreign),
                Token::Start(tag) => self.start_tag(tag, is_foreign),
                Token::End(tag) => self.end_tag(tag, is_foreign),
                Token::Doctype(start, end) => self.doctype(*start, *end),
                Token::Eof => {
                    self.end_of_page();
                    return Ok(self.tree);
                }
            }
            if self.tree.len() > self.limits.nodes_max as usize {
                return Err(OverBudget::Nodes(self.limits.nodes_max));
            }
            if self.fuel > self.limits.fuel_max {
                return Err(OverBudget::Fuel(self.limits.fuel_max));
            }
        }
    }

    /// A page without a line of content still has `html`, `head` and `body`.
    fn end_of_page(&mut self) {
        while matches!(
            self.mode,
            Mode::BeforeHtml | Mode::BeforeHead | Mode::InHead | Mode::InHeadNoscript | Mode::AfterHead
        ) && self.template_modes.is_empty()
        {
            self.leave_head_mode();
        }
    }

    fn doctype(&mut self, start: u32, end: u32) {
        if self.mode == Mode::BeforeHtml && self.stack.is_empty() {
            self.quirks = super::doctype::is_quirky(self.scan.slice(start, end));
        }
    }

    /// Whether the start tag stays away from the tree; `opens` says whether its element would stay open.
    fn leave_out(&mut self, token: &TagToken, opens: bool) -> bool {
        let deep = self.stack.len() >= usize::from(self.limits.depth_max);
        let crowded = match token.tag {
            Tag::A => self.active.is_full_of_links(),
            tag => tag.is_formatting() && self.active.is_full(),
        };
        if !(deep || crowded) || !opens {
            return false;
        }
        if self.left_out.len() < LEFT_OUT_MAX {
            self.left_out.push(token.name);
        }
        true
    }

    fn start_tag(&mut self, token: &TagToken, is_foreign: bool) {
        let stays_foreign = is_foreign && self.is_foreign_start(token);
        // A slash ends only foreign elements; `svg` and `math` are.
        let opens = if stays_foreign && !token.leaves_foreign() || matches!(token.tag, Tag::Svg | Tag::Math) {
            !token.self_closing
        } else {
            !token.tag.is_void_or_raw()
        };
        if self.leave_out(token, opens) {
            return;
        }
        if stays_foreign {
            self.foreign_start(token);
        } else {
            self.start_html(token);
        }
    }

    /// Looks at a start tag by the rules of the mode until it is done.
    pub(super) fn start_html(&mut self, token: &TagToken) {
        while self.start_in_mode(token) == Next::Again {
            self.fuel += 1;
        }
    }

    fn end_tag(&mut self, token: &TagToken, is_foreign: bool) {
        if self.left_out.last() == Some(&token.name) {
            self.left_out.pop();
            return;
        }
        if is_foreign && self.foreign_end(token) {
            return;
        }
        while self.end_in_mode(token) == Next::Again {
            self.fuel += 1;
        }
    }

    fn start_in_mode(&mut self, token: &TagToken) -> Next {
        match self.mode {
            Mode::BeforeHtml | Mode::BeforeHead | Mode::InHead | Mode::InHeadNoscript | Mode::AfterHead => {
                self.start_in_head_modes(token)
            }
            Mode::InBody => self.start_in_body(token),
            Mode::InTable => self.start_in_table(token),
            Mode::InCaption => self.start_in_caption(token),
            Mode::InColumnGroup => self.start_in_column_group(token),
            Mode::InTableBody => self.start_in_table_body(token),
            Mode::InRow => self.start_in_row(token),
            Mode::InCell => self.start_in_cell(token),
            Mode::InTemplate => self.start_in_template(token),
            Mode::AfterBody => {
                self.mode = Mode::InBody;
                self.start_in_body(token)
            }
            Mode::InFrameset | Mode::AfterFrameset => self.start_in_frameset(token),
        }
    }

    fn end_in_mode(&mut self, token: &TagToken) -> Next {
        match self.mode {
            Mode::BeforeHtml | Mode::BeforeHead | Mode::InHead | Mode::InHeadNoscript | Mode::AfterHead => {
                self.end_in_head_modes(token)
            }
            Mode::InBody => self.end_in_body(token),
            Mode::InTable => self.end_in_table(token),
            Mode::InCaption => self.end_in_caption(token),
            Mode::InColumnGroup => self.end_in_column_group(token),
            Mode::InTableBody => self.end_in_table_body(token),
            Mode::InRow => self.end_in_row(token),
            Mode::InCell => self.end_in_cell(token),
            Mode::InTemplate => {
                if token.tag == Tag::Template {
                    self.end_template();
                }
                Next::Done
            }
            Mode::AfterBody => {
                if token.tag == Tag::Html {
                    return Next::Done;
                }
                self.mode = Mode::InBody;
                Next::Again
            }
            Mode::InFrameset | Mode::AfterFrameset => self.end_in_frameset(token),
        }
    }

    /// Inserts a raw text element with its content, which ends it.
    pub(super) fn insert_raw(&mut self, token: &TagToken, raw: Raw) {
        self.insert_html(token);
        if matches!(token.tag, Tag::Textarea) {
            self.scan.skip_line_feed();
        }
        let text = self.scan.raw_text(&mut self.tree, token.name, raw);
        let is_kept = !matches!(token.tag, Tag::Style | Tag::Iframe | Tag::Noembed | Tag::Noframes);
        if is_kept && text.start < text.end {
            let id = self.tree.push_text(text);
            let current = self.current();
            self.tree.append(current.id, id);
        }
        self.pop();
    }

    /// The mode that fits the stack (13.2.4.1).
    pub(super) fn reset_mode(&mut self) {
        for open in self.stack.iter().rev() {
            self.fuel += 1;
            self.mode = match open.html() {
                Tag::Td | Tag::Th => Mode::InCell,
                Tag::Tr => Mode::InRow,
                Tag::Tbody | Tag::Thead | Tag::Tfoot => Mode::InTableBody,
                Tag::Caption => Mode::InCaption,
                Tag::Colgroup => Mode::InColumnGroup,
                Tag::Table => Mode::InTable,
                Tag::Template => self.template_modes.last().copied().unwrap_or(Mode::InBody),
                Tag::Head => Mode::InHead,
                Tag::Body => Mode::InBody,
                Tag::Frameset => Mode::InFrameset,
                Tag::Html if self.head.is_none() => Mode::BeforeHead,
                Tag::Html => Mode::AfterHead,
                _ => continue,
            };
            return;
        }
        self.mode = Mode::InBody;
    }

    /// The text of a piece.
    pub(super) fn piece(&self, piece: Piece) -> &str {
        self.tree
            .side_text(piece)
            .unwrap_or_else(|| self.scan.slice(piece.start, piece.end))
    }

    /// A print of a tag's attributes, to tell equal formatting elements.
    pub(super) fn print(&self, token: &TagToken) -> u64 {
        let (start, end) = token.source;
        let source = self.scan.slice(start, end);
        source.bytes().fold(SEED, step)
    }

    /// The folded name of a tag that has one.
    pub(super) fn named(tag: Tag, name: &str) -> TagToken {
        debug_assert!(
            Tag::from_key(fold(name.as_bytes())) == tag,
            "`{name}` is another tag"
        );
        TagToken::phantom(tag, name)
    }
}
