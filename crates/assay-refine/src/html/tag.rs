//! Element names as one byte, and the sets of names that block building and visibility ask for.
//!
//! The scanner maps every name once, when it reads the tag; everything later compares bytes.

use super::name::{Table, fold};

macro_rules! tags {
    ($($variant:ident $name:literal)*) => {
        /// An element name the extraction knows, text, or [`Tag::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Tag {
            /// A text node.
            Text,
            /// The document itself.
            Root,
            /// Any element not named below.
            Other,
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Tag {
            /// The tag of a local name in any case; unknown names are [`Tag::Other`].
            pub fn from_name(name: &str) -> Tag {
                Tag::from_key(fold(name.as_bytes()))
            }
        }

        static TAGS: Table<Tag> = Table::new(&[$(($name, Tag::$variant),)*], Tag::Other);
    };
}

tags! {
    Div "div" A "a" Span "span" Li "li" P "p" Img "img" Ul "ul" Td "td" Tr "tr" I "i" Br "br" B "b"
    Strong "strong" Script "script" Link "link" Meta "meta" Svg "svg" Path "path" Input "input" Option "option"
    Button "button" H3 "h3" H2 "h2" H4 "h4" H1 "h1" H5 "h5" H6 "h6" Em "em" Label "label" Article "article"
    Section "section" Header "header" Footer "footer" Nav "nav" Aside "aside" Main "main" Form "form"
    Figure "figure" Figcaption "figcaption" Style "style" Noscript "noscript" Template "template"
    Table "table" Tbody "tbody" Thead "thead" Tfoot "tfoot" Th "th" Caption "caption" Colgroup "colgroup" Col "col"
    Ol "ol" Dl "dl" Dt "dt" Dd "dd" Blockquote "blockquote" Pre "pre" Code "code" Kbd "kbd" Samp "samp"
    Time "time" Address "address" Details "details" Summary "summary" Dialog "dialog" Fieldset "fieldset"
    Legend "legend" Select "select" Optgroup "optgroup" Datalist "datalist" Textarea "textarea" Iframe "iframe"
    Object "object" Embed "embed" Video "video" Audio "audio" Source "source" Track "track" Canvas "canvas"
    Picture "picture" Map "map" Area "area" Math "math" Annotation "annotation" Html "html" Head "head"
    Body "body" Title "title" Base "base" Hr "hr" Wbr "wbr" Font "font" U "u" S "s" Small "small" Big "big"
    Strike "strike" Tt "tt" Nobr "nobr" Sub "sub" Sup "sup" Center "center" Menu "menu" Hgroup "hgroup"
    Noembed "noembed" Noframes "noframes" Xmp "xmp" Plaintext "plaintext" Frameset "frameset" Frame "frame"
    Search "search" Slot "slot" Dir "dir" Listing "listing" Marquee "marquee" Param "param"
    Keygen "keygen" Bgsound "bgsound" Basefont "basefont" Applet "applet" Image "image" Ruby "ruby" Rb "rb" Rt "rt"
    Rtc "rtc" Rp "rp" Var "var" Desc "desc" ForeignObject "foreignobject" AnnotationXml "annotation-xml" Mi "mi" Mo "mo"
    Mn "mn" Ms "ms" Mtext "mtext" Mglyph "mglyph" Malignmark "malignmark" Mrow "mrow" Mfrac "mfrac" Msup "msup"
    Msub "msub" Msubsup "msubsup" Msqrt "msqrt" Mroot "mroot" Munder "munder" Mover "mover" Munderover "munderover"
    Mtable "mtable" Mtr "mtr" Mtd "mtd" Mspace "mspace" Mfenced "mfenced" Semantics "semantics"
}

impl Tag {
    /// The tag of a folded name.
    pub(super) fn from_key(key: u64) -> Tag {
        TAGS.get(key).unwrap_or(Tag::Other)
    }

    /// Whether the element starts and ends a line of text (the standard's `display: block`, list item or table).
    pub fn is_block(self) -> bool {
        matches!(
            self,
            Tag::Div
                | Tag::Li
                | Tag::P
                | Tag::Ul
                | Tag::Td
                | Tag::Tr
                | Tag::H1
                | Tag::H2
                | Tag::H3
                | Tag::H4
                | Tag::H5
                | Tag::H6
                | Tag::Article
                | Tag::Section
                | Tag::Header
                | Tag::Footer
                | Tag::Nav
                | Tag::Aside
                | Tag::Main
                | Tag::Form
                | Tag::Figure
                | Tag::Figcaption
                | Tag::Table
                | Tag::Tbody
                | Tag::Thead
                | Tag::Tfoot
                | Tag::Th
                | Tag::Caption
                | Tag::Ol
                | Tag::Dl
                | Tag::Dt
                | Tag::Dd
                | Tag::Blockquote
                | Tag::Pre
                | Tag::Address
                | Tag::Details
                | Tag::Summary
                | Tag::Dialog
                | Tag::Fieldset
                | Tag::Legend
                | Tag::Html
                | Tag::Body
                | Tag::Hr
                | Tag::Center
                | Tag::Menu
                | Tag::Hgroup
                | Tag::Xmp
                | Tag::Plaintext
                | Tag::Search
                | Tag::Dir
                | Tag::Listing
                | Tag::Option
                | Tag::Select
                | Tag::Optgroup
                | Tag::Button
                | Tag::Noscript
                | Tag::Iframe
                | Tag::Video
        )
    }

    /// Whether nothing below the element is ever text of the page.
    pub fn is_never_text(self) -> bool {
        matches!(
            self,
            Tag::Script
                | Tag::Style
                | Tag::Template
                | Tag::Svg
                | Tag::Iframe
                | Tag::Object
                | Tag::Embed
                | Tag::Video
                | Tag::Audio
                | Tag::Canvas
                | Tag::Head
                | Tag::Select
                | Tag::Datalist
                | Tag::Textarea
                | Tag::Noembed
                | Tag::Noframes
                | Tag::Math
                | Tag::Title
                | Tag::Frameset
        )
    }

    /// Whether it is one of `h1` … `h6`.
    pub fn is_heading(self) -> bool {
        matches!(self, Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6)
    }

    /// Whether the tree builder keeps it in the list of active formatting elements; `a` apart, which closes
    /// its predecessor (HTML standard, 13.2.4.3).
    pub fn is_formatting(self) -> bool {
        matches!(
            self,
            Tag::B
                | Tag::Big
                | Tag::Code
                | Tag::Em
                | Tag::Font
                | Tag::I
                | Tag::Nobr
                | Tag::S
                | Tag::Small
                | Tag::Strike
                | Tag::Strong
                | Tag::Tt
                | Tag::U
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_map_to_tags() {
        for (name, tag) in [
            ("div", Tag::Div),
            ("h1", Tag::H1),
            ("x-card", Tag::Other),
            ("", Tag::Other),
        ] {
            assert_eq!(Tag::from_name(name), tag, "{name}");
        }
    }
}
