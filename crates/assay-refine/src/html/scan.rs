//! From bytes to tokens: text, tags and doctypes, by the states of the standard's tokenizer that matter (13.2.5).
//!
//! Tokens are ranges of the page; comments and processing instructions never become tokens. Every search starts where the
//! last one ended, so that the whole is linear. The tree builder asks for the content of raw text elements itself.

use super::arena::{Attribute, Piece, Tree};
use super::attribute::AttributeKey;
use super::entity::{self, Place};
use super::name::{SEED, fold, step};
use super::parse::ParseLimits;
use super::tag::Tag;

/// A start or end tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct TagToken {
    /// The folded name.
    pub(super) name: u64,
    pub(super) tag: Tag,
    pub(super) self_closing: bool,
    /// Range of its kept attributes.
    pub(super) attributes: (u32, u32),
    /// Whether it has one of `color`, `face`, `size`, with which `font` leaves foreign content.
    pub(super) is_styled: bool,
    /// Bytes of all its attributes as they stand in the page.
    pub(super) source: (u32, u32),
}

impl TagToken {
    /// Whether it ends foreign content (13.2.6.5).
    pub(super) fn leaves_foreign(&self) -> bool {
        self.tag.leaves_foreign() || (self.tag == Tag::Font && self.is_styled)
    }

    /// A tag the page does not hold.
    pub(super) fn phantom(tag: Tag, name: &str) -> TagToken {
        TagToken {
            name: fold(name.as_bytes()),
            tag,
            self_closing: false,
            attributes: (0, 0),
            is_styled: false,
            source: (0, 0),
        }
    }
}

/// What the page holds next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token {
    Text(Piece),
    Start(TagToken),
    End(TagToken),
    /// The bytes between `<!doctype` and `>`.
    Doctype(u32, u32),
    Eof,
}

/// Which content a raw text element has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    /// References are decoded: `title`, `textarea`.
    Escapable,
    /// As it stands: `style`, `iframe`, ….
    Plain,
    /// As it stands, with comments that hide end tags.
    Script,
}

/// Reads a page from its start.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    page: &'a str,
    at: usize,
    limits: ParseLimits,
    /// From where a `-->` was looked for last, and where it stands.
    comment: (usize, usize),
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r' | 0xc)
}

impl<'a> Scanner<'a> {
    pub(super) fn new(page: &'a str, limits: ParseLimits) -> Scanner<'a> {
        Scanner {
            page,
            at: 0,
            limits,
            comment: (usize::MAX, 0),
        }
    }

    pub(super) fn slice(&self, start: u32, end: u32) -> &'a str {
        self.page.get(start as usize..end as usize).unwrap_or("")
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.page.as_bytes().get(at).copied()
    }

    fn rest(&self, at: usize) -> &'a [u8] {
        self.page.as_bytes().get(at..).unwrap_or_default()
    }

    /// Where `byte` stands next from `at` on, or the end.
    fn find(&self, byte: u8, at: usize) -> usize {
        memchr::memchr(byte, self.rest(at)).map_or(self.page.len(), |found| at + found)
    }

    fn find_all(&self, bytes: &[u8], at: usize) -> Option<usize> {
        memchr::memmem::find(self.rest(at), bytes).map(|found| at + found)
    }

    fn starts(&self, at: usize, word: &[u8]) -> bool {
        self.rest(at)
            .get(..word.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    }

    /// The next token. `is_foreign` says whether the current element is foreign, where `<![CDATA[` is text.
    pub(super) fn next(&mut self, tree: &mut Tree, is_foreign: bool) -> Token {
        loop {
            let start = self.at;
            let open = self.text_end(start);
            if open > start {
                self.at = open;
                return Token::Text(self.text(tree, start, open, Place::Text));
            }
            match self.byte(start + 1) {
                None => return Token::Eof,
                Some(b'!') => {
                    if let Some(token) = self.declaration(start, is_foreign) {
                        return token;
                    }
                }
                Some(b'/') => match self.byte(start + 2) {
                    Some(byte) if byte.is_ascii_alphabetic() => match self.tag(tree, start + 2) {
                        Some(tag) => return Token::End(tag),
                        None => return Token::Eof,
                    },
                    _ => self.at = self.after(start + 2),
                },
                Some(b'?') => self.at = self.after(start + 1),
                Some(_) => match self.tag(tree, start + 1) {
                    Some(tag) => return Token::Start(tag),
                    None => return Token::Eof,
                },
            }
        }
    }

    /// Where the text from `at` on ends: at a `<` that begins markup.
    fn text_end(&self, mut at: usize) -> usize {
        loop {
            at = self.find(b'<', at);
            match self.byte(at + 1) {
                Some(b'/') if self.byte(at + 2).is_none() => return self.page.len(),
                Some(byte) if byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?') => return at,
                None => return self.page.len(),
                Some(_) => at += 1,
            }
        }
    }

    /// A piece of text, decoded into the side buffer only where it must be.
    fn text(&self, tree: &mut Tree, start: usize, end: usize, place: Place) -> Piece {
        let text = self.page.get(start..end).unwrap_or("");
        if memchr::memchr2(b'&', 0, text.as_bytes()).is_none() {
            return Piece {
                start: start as u32,
                end: end as u32,
                side: false,
            };
        }
        let from = tree.side.len();
        let nul = if place == Place::Text { "" } else { "\u{fffd}" };
        entity::decode(text, place, nul, &mut tree.side);
        Piece {
            start: from as u32,
            end: tree.side.len() as u32,
            side: true,
        }
    }

    /// The position after the next `>`.
    fn after(&self, at: usize) -> usize {
        (self.find(b'>', at) + 1).min(self.page.len())
    }

    /// Comments, doctypes, CDATA at `start`; `None` when nothing comes of it.
    fn declaration(&mut self, start: usize, is_foreign: bool) -> Option<Token> {
        let at = start + 2;
        if self.starts(at, b"--") {
            self.at = self.comment_end(at + 2);
            return None;
        }
        if self.starts(at, b"doctype") {
            let end = self.find(b'>', at);
            self.at = (end + 1).min(self.page.len());
            return Some(Token::Doctype(at as u32 + 7, end as u32));
        }
        if is_foreign && self.rest(at).starts_with(b"[CDATA[") {
            let from = at + 7;
            let end = self.find_all(b"]]>", from).unwrap_or(self.page.len());
            self.at = (end + 3).min(self.page.len());
            return Some(Token::Text(Piece {
                start: from as u32,
                end: end as u32,
                side: false,
            }));
        }
        self.at = self.after(at);
        None
    }

    /// Where a comment that begins at `at` ends: after `-->` or `--!>`, or at once after `>` and `->`.
    fn comment_end(&self, at: usize) -> usize {
        if self.byte(at) == Some(b'>') {
            return at + 1;
        }
        if self.starts(at, b"->") {
            return at + 2;
        }
        let mut from = at;
        while let Some(found) = self.find_all(b"--", from) {
            match (self.byte(found + 2), self.byte(found + 3)) {
                (Some(b'>'), _) => return found + 3,
                (Some(b'!'), Some(b'>')) => return found + 4,
                _ => from = found + 1,
            }
        }
        self.page.len()
    }

    /// Reads a tag whose name begins at `at`; `None` when the page ends in it.
    fn tag(&mut self, tree: &mut Tree, mut at: usize) -> Option<TagToken> {
        let mut name = SEED;
        loop {
            let Some(byte) = self.byte(at) else {
                self.at = self.page.len();
                return None;
            };
            if is_space(byte) || byte == b'/' || byte == b'>' {
                break;
            }
            name = step(name, byte);
            at += 1;
        }
        let mut token = TagToken {
            name,
            tag: Tag::from_key(name),
            self_closing: false,
            attributes: (tree.attributes.len() as u32, 0),
            is_styled: false,
            source: (at as u32, 0),
        };
        self.at = at;
        self.attributes(tree, &mut token)?;
        token.attributes.1 = tree.attributes.len() as u32;
        Some(token)
    }

    /// Reads attributes up to the end of the tag; `None` when the page ends before.
    fn attributes(&mut self, tree: &mut Tree, token: &mut TagToken) -> Option<()> {
        let mut count = 0;
        loop {
            let mut at = self.at;
            let mut slash = false;
            while let Some(byte) = self.byte(at).filter(|byte| is_space(*byte) || *byte == b'/') {
                slash = byte == b'/';
                at += 1;
            }
            match self.byte(at) {
                None => {
                    self.at = self.page.len();
                    return None;
                }
                Some(b'>') => {
                    token.self_closing = slash;
                    token.source.1 = at as u32;
                    self.at = at + 1;
                    return Some(());
                }
                Some(_) => {}
            }
            self.at = at;
            let (name, value) = self.attribute();
            count += 1;
            if count <= self.limits.attributes_max {
                self.keep(tree, token, name, value);
            }
        }
    }

    /// One attribute: its folded name and the bytes of its value.
    fn attribute(&mut self) -> (u64, (usize, usize)) {
        let (mut at, mut name) = (self.at, SEED);
        while let Some(byte) = self.byte(at) {
            if is_space(byte) || byte == b'/' || byte == b'>' || (byte == b'=' && at > self.at) {
                break;
            }
            name = step(name, byte);
            at += 1;
        }
        let mut next = at;
        while self.byte(next).is_some_and(is_space) {
            next += 1;
        }
        if self.byte(next) != Some(b'=') {
            self.at = at;
            return (name, (at, at));
        }
        next += 1;
        while self.byte(next).is_some_and(is_space) {
            next += 1;
        }
        let (start, end, after) = if let Some(quote @ (b'"' | b'\'')) = self.byte(next) {
            let end = self.find(quote, next + 1);
            (next + 1, end, end + 1)
        } else {
            let mut end = next;
            while self.byte(end).is_some_and(|byte| !is_space(byte) && byte != b'>') {
                end += 1;
            }
            (next, end, end)
        };
        self.at = after.min(self.page.len());
        (name, (start.min(self.page.len()), end))
    }

    /// Keeps the first attribute of a wanted name, its value cut at the limit.
    fn keep(&self, tree: &mut Tree, token: &mut TagToken, name: u64, value: (usize, usize)) {
        const STYLED: [u64; 3] = [fold(b"color"), fold(b"face"), fold(b"size")];
        let Some(key) = AttributeKey::from_key(name) else {
            token.is_styled |= token.tag == Tag::Font && STYLED.contains(&name);
            return;
        };
        let own = tree
            .attributes
            .get(token.attributes.0 as usize..)
            .unwrap_or_default();
        if own.iter().any(|attribute| attribute.key == key) {
            return;
        }
        let (start, end) = value;
        let text = self.page.get(start..end).unwrap_or("");
        let cut = text.floor_char_boundary(self.limits.attribute_bytes_max);
        let value = self.text(tree, start, start + cut, Place::Attribute);
        tree.attributes.push(Attribute { key, value });
    }

    /// The content of a raw text element up to its end tag, which is read too; without one, the rest of the page.
    pub(super) fn raw_text(&mut self, tree: &mut Tree, name: u64, raw: Raw) -> Piece {
        let start = self.at;
        let end = match raw {
            Raw::Script => self.script_end(start, name),
            _ => self.end_tag(start, self.page.len(), name),
        };
        let end = end.unwrap_or(self.page.len());
        self.at = end;
        let piece = if raw == Raw::Escapable {
            self.text(tree, start, end, Place::Text)
        } else {
            Piece {
                start: start as u32,
                end: end as u32,
                side: false,
            }
        };
        if end < self.page.len() {
            let kept = tree.attributes.len();
            let _ = self.tag(tree, end + 2);
            tree.attributes.truncate(kept);
        }
        piece
    }

    /// The rest of the page, for `plaintext`.
    pub(super) fn all_text(&mut self) -> Piece {
        let start = self.at as u32;
        self.at = self.page.len();
        Piece {
            start,
            end: self.at as u32,
            side: false,
        }
    }

    /// Leaves out a line feed at this place, as after `pre`.
    pub(super) fn skip_line_feed(&mut self) {
        if self.byte(self.at) == Some(b'\n') {
            self.at += 1;
        }
    }

    /// Whether a whole tag name of key `name` stands at `at`.
    fn is_name(&self, at: usize, name: u64) -> bool {
        let mut key = SEED;
        for byte in self.rest(at) {
            if is_space(*byte) || matches!(byte, b'/' | b'>') {
                return key == name;
            }
            if !byte.is_ascii_alphabetic() {
                return false;
            }
            key = step(key, *byte);
        }
        false
    }

    /// Where the next end tag of a name stands in `at..end`.
    fn end_tag(&self, mut at: usize, end: usize, name: u64) -> Option<usize> {
        while at < end {
            at = self.find(b'<', at);
            if at >= end {
                return None;
            }
            if self.byte(at + 1) == Some(b'/') && self.is_name(at + 2, name) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    /// Where the next `-->` stands, or the end; looked for once, however many scripts ask.
    fn comment_close(&mut self, at: usize) -> usize {
        let (from, close) = self.comment;
        if (from..=close).contains(&at) {
            return close;
        }
        let close = self.find_all(b"-->", at).unwrap_or(self.page.len());
        self.comment = (at, close);
        close
    }

    /// The end of a script: inside `<!--` a nested `<script` hides one end tag (13.2.5.20 to 13.2.5.31).
    fn script_end(&mut self, start: usize, name: u64) -> Option<usize> {
        let mut at = start;
        while at < self.page.len() {
            at = self.find(b'<', at);
            if self.byte(at + 1) == Some(b'/') && self.is_name(at + 2, name) {
                return Some(at);
            }
            if !self.starts(at, b"<!--") {
                at += 1;
                continue;
            }
            let exit = self.comment_close(at + 2);
            at += 4;
            let mut nested = false;
            while at < exit {
                at = self.find(b'<', at);
                if at >= exit {
                    break;
                }
                if self.byte(at + 1) == Some(b'/') && self.is_name(at + 2, name) {
                    if !nested {
                        return Some(at);
                    }
                    nested = false;
                } else if self.is_name(at + 1, name) {
                    nested = true;
                }
                at += 1;
            }
            at = exit;
        }
        None
    }
}
