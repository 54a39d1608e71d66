//! The sets of elements that the tree builder asks for, as bit sets made at compile time (HTML standard, 13.2).

use super::tag::Tag;
use super::tag::Tag::{
    Address, Applet, Area, Article, Aside, B, Base, Basefont, Bgsound, Big, Blockquote, Body, Br, Button,
    Caption, Center, Code, Col, Colgroup, Dd, Details, Dialog, Dir, Div, Dl, Dt, Em, Embed, Fieldset,
    Figcaption, Figure, Footer, Form, Frame, Frameset, H1, H2, H3, H4, H5, H6, Head, Header, Hgroup, Hr,
    Html, I, Iframe, Image, Img, Input, Keygen, Li, Link, Listing, Main, Marquee, Menu, Meta, Mi, Mn, Mo, Ms,
    Mtext, Nav, Nobr, Noembed, Noframes, Noscript, Object, Ol, Optgroup, Option, P, Param, Plaintext, Pre,
    Rb, Rp, Rt, Rtc, Ruby, S, Script, Search, Section, Select, Small, Source, Span, Strike, Strong, Style,
    Sub, Summary, Sup, Table, Tbody, Td, Template, Textarea, Tfoot, Th, Thead, Title, Tr, Track, Tt, U, Ul,
    Var, Wbr, Xmp,
};

/// A set of tags.
#[derive(Clone, Copy, Debug)]
struct TagSet([u64; 4]);

impl TagSet {
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated at compile time; a tag is one byte"
    )]
    const fn of(tags: &[Tag]) -> TagSet {
        let (mut bits, mut at) = ([0; 4], 0);
        while at < tags.len() {
            bits[tags[at] as usize / 64] |= 1 << (tags[at] as usize % 64);
            at += 1;
        }
        TagSet(bits)
    }

    fn has(self, tag: Tag) -> bool {
        let word = self.0.get(tag as usize / 64).copied().unwrap_or(0);
        word >> (tag as usize % 64) & 1 == 1
    }
}

const VOID_OR_RAW: TagSet = TagSet::of(&[
    Img, Br, Link, Meta, Input, Hr, Wbr, Embed, Source, Track, Area, Col, Base, Param, Script, Style, Title,
    Textarea, Iframe, Noembed, Noframes, Xmp, Plaintext, Image, Basefont, Bgsound, Frame, Keygen,
]);
const IMPLIED_END: TagSet = TagSet::of(&[Dd, Dt, Li, Optgroup, Option, P, Rb, Rp, Rt, Rtc]);
const SCOPE: TagSet = TagSet::of(&[
    Applet, Caption, Html, Table, Td, Th, Marquee, Object, Select, Template,
]);
const HEAD_CONTENT: TagSet = TagSet::of(&[
    Base, Basefont, Bgsound, Link, Meta, Noframes, Script, Style, Template, Title,
]);
const PLAIN_BLOCK: TagSet = TagSet::of(&[
    Address, Article, Aside, Blockquote, Center, Details, Dialog, Dir, Div, Dl, Fieldset, Figcaption, Figure,
    Footer, Header, Hgroup, Main, Menu, Nav, Ol, P, Search, Section, Summary, Ul,
]);
const TABLE_PART: TagSet = TagSet::of(&[Table, Tbody, Template, Tfoot, Thead, Tr]);
const TABLE_INNER: TagSet = TagSet::of(&[Caption, Colgroup, Tbody, Td, Tfoot, Th, Thead, Tr]);
const LEAVES_FOREIGN: TagSet = TagSet::of(&[
    B, Big, Br, Code, Em, Embed, I, Img, Nobr, Ruby, S, Small, Span, Strike, Strong, Sub, Sup, Tt, U, Var,
    Blockquote, Body, Center, Dd, Div, Dl, Dt, Head, Hr, Li, Listing, Menu, Meta, Ol, P, Pre, Table, Ul, H1,
    H2, H3, H4, H5, H6,
]);
const MATH_TEXT: TagSet = TagSet::of(&[Mi, Mo, Mn, Ms, Mtext]);
const SPECIAL: TagSet = TagSet::of(&[
    Address, Article, Aside, Blockquote, Body, Center, Dd, Details, Dir, Div, Dl, Dt, Fieldset, Figcaption,
    Figure, Footer, Form, Head, Header, Hgroup, Html, Li, Listing, Main, Menu, Nav, Ol, P, Plaintext, Pre,
    Search, Section, Summary, Ul, Caption, Col, Colgroup, Table, Tbody, Td, Tfoot, Th, Thead, Tr, Applet,
    Area, Base, Basefont, Bgsound, Br, Button, Embed, Frame, Frameset, Hr, Iframe, Img, Input, Keygen, Link,
    Marquee, Meta, Noembed, Noframes, Noscript, Object, Param, Script, Select, Source, Style, Template,
    Textarea, Title, Track, Wbr, Xmp, H1, H2, H3, H4, H5, H6,
]);

impl Tag {
    /// Whether the element has no end tag or its content is read as raw text: never left out for its depth.
    pub(super) fn is_void_or_raw(self) -> bool {
        VOID_OR_RAW.has(self)
    }

    /// Whether its end tag may be left out (13.2.6.3).
    pub(super) fn is_implied_end(self) -> bool {
        IMPLIED_END.has(self)
    }

    /// Whether a search in the stack ends at it (13.2.4.2, "has an element in scope").
    pub(super) fn is_scope(self) -> bool {
        SCOPE.has(self)
    }

    /// Whether it is an element of the head wherever it stands (13.2.6.4.4), `noscript` apart.
    pub(super) fn is_head_content(self) -> bool {
        HEAD_CONTENT.has(self)
    }

    /// Whether it is a block that ends a paragraph and has no other rule (13.2.6.4.7).
    pub(super) fn is_plain_block(self) -> bool {
        PLAIN_BLOCK.has(self)
    }

    /// Whether text directly in it is moved before the table (13.2.6.1).
    pub(super) fn is_table_part(self) -> bool {
        TABLE_PART.has(self)
    }

    /// Whether it stands in a table only, `col` apart.
    pub(super) fn is_table_inner(self) -> bool {
        TABLE_INNER.has(self)
    }

    /// Whether its start tag ends foreign content (13.2.6.5), `font` apart.
    pub(super) fn leaves_foreign(self) -> bool {
        LEAVES_FOREIGN.has(self)
    }

    /// Whether it is a MathML text integration point (13.2.6.5).
    pub(super) fn is_math_text(self) -> bool {
        MATH_TEXT.has(self)
    }

    /// Whether it belongs to the category "special" (13.2.4.2).
    pub(super) fn is_special(self) -> bool {
        SPECIAL.has(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_text_is_never_left_out() {
        assert!(Tag::Script.is_void_or_raw() && Tag::Br.is_void_or_raw() && !Tag::Div.is_void_or_raw());
        assert!(Tag::B.is_formatting() && !Tag::A.is_formatting());
    }

    #[test]
    fn sets_hold_what_they_name() {
        assert!(Tag::Address.is_special() && Tag::H6.is_special() && !Tag::Span.is_special());
        assert!(Tag::Html.is_scope() && !Tag::Body.is_scope());
    }
}
