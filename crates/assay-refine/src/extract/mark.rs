//! What an element says about itself: its tag, role, microdata and the words in its class and id, as one bit set.
//!
//! The walk computes it per element and hands it down; features read the union over ancestors. Words are general
//! web vocabulary in English; no bit names a site.

use std::sync::LazyLock;

use super::words::{Words, hash_text};
use crate::html::{AttributeKey, Document, NodeId, Tag};

/// Words of class and id attributes; the index of a group is its bit. The name of the group stands before it.
const GROUPS: &[&str] = &[
    // 0: nav
    "nav navbar navigation menu submenu megamenu dropdown offcanvas topnav menus",
    // 1: header
    "header masthead topbar hdr head",
    // 2: footer
    "footer colophon copyright legal foot bottom disclaimer",
    // 3: sidebar
    "sidebar aside rail sidenav side secondary sidebars",
    // 4: crumb
    "breadcrumb breadcrumbs crumb crumbs",
    // 5: social
    "social share sharing facebook twitter linkedin pinterest whatsapp follow shares sharedaddy \
     addtoany socials instagram",
    // 6: advert
    "ad ads advert advertisement sponsor sponsored promo promotion banner promos advertising \
     sponsors adslot outbrain taboola",
    // 7: letter
    "newsletter subscribe subscription signup optin paywall mailing donate donation",
    // 8: related
    "related recommended recommendation recommendations recirc similar suggested trending popular \
     latest recent upnext more also teaser teasers readmore featured",
    // 9: comment
    "comment comments disqus respond reply replies commentlist",
    // 10: cookie
    "cookie cookies consent gdpr privacy onetrust ccpa notice alert",
    // 11: popup
    "modal popup overlay lightbox drawer dialog toast tooltip popover flyout",
    // 12: tags
    "tag tags category categories cat topics keywords taxonomy",
    // 13: byline
    "author byline bio dateline date time timestamp published posted meta authors postmeta publish \
     updated credit credits",
    // 14: pager
    "pagination pager paging next prev previous paginate pages",
    // 15: search
    "search login signin register filter filters sort form input facet facets searchform account \
     contact",
    // 16: widget
    "widget widgets gadget plugin",
    // 17: skip
    "hidden hide sr screen visuallyhidden skip noprint offscreen print skiplink invisible collapsed",
    // 18: content
    "content contents maincontent contentbody pagecontent",
    // 19: article
    "article story news articles articlebody storytext longform",
    // 20: post
    "post entry hentry blog posts blogpost postbody postcontent",
    // 21: body
    "body text prose richtext rte copy wysiwyg markdown paragraph rich txt",
    // 22: main
    "main primary center middle column",
    // 23: product
    "product products item items sku price prices variant stock pdp",
    // 24: card
    "card cards tile tiles grid list listing listings row result results feed",
    // 25: detail
    "description desc summary excerpt detail details overview spec specs specification \
     specifications features feature info information about abstract dek",
    // 26: review
    "review reviews rating ratings testimonial testimonials stars quotes",
    // 27: forum
    "message thread topic forum question answer answers messages bbwrapper discussion cooked qa \
     conversation threads",
    // 28: quote
    "signature sig quote blockquote quoted bbcodeblock pullquote cite",
    // 29: media
    "caption figcaption gallery slideshow carousel slider swiper image photo media video img images \
     slick slide thumbnail thumb player picture",
    // 30: title
    "title headline heading subtitle subhead titles subheading kicker eyebrow label",
    // 31: hero
    "hero section intro lead module component jumbotron block lede",
    // 32: panel
    "faq accordion tab tabs panel collapse toggle faqs expand expandable",
    // 33: code
    "code highlight codehilite syntax snippet example",
    // 34: toc
    "toc outline tableofcontents anchors onthispage jump",
    // 35: button
    "btn button cta buttons action actions toolbar controls tools link links",
    // 36: user
    "user avatar profile member badge username userinfo poster stats count counter votes likes vote \
     online",
    // 37: shop
    "cart checkout shipping wishlist minicart basket quantity swatch swatches upsell bundle shop \
     compare delivery payment",
    // 38: frame
    "container wrapper wrap layout page inner outer site",
    // 39: team
    "team staff event events location locations address map job jobs hours phone",
];

/// Bits of words that decide more than a feature: comments under a text, and discussions that are the text.
pub(crate) const COMMENT: u64 = 1 << 9;
pub(crate) const FORUM: u64 = 1 << 27;

/// Bits of tags, roles and microdata, above those of words.
pub(crate) const TAG_NAV: u64 = 1 << 40;
pub(crate) const TAG_HEADER: u64 = 1 << 41;
pub(crate) const TAG_FOOTER: u64 = 1 << 42;
pub(crate) const TAG_ASIDE: u64 = 1 << 43;
pub(crate) const TAG_MAIN: u64 = 1 << 44;
pub(crate) const TAG_ARTICLE: u64 = 1 << 45;
pub(crate) const TAG_FORM: u64 = 1 << 46;
pub(crate) const TAG_TABLE: u64 = 1 << 47;
pub(crate) const TAG_LIST: u64 = 1 << 48;
pub(crate) const TAG_FIGURE: u64 = 1 << 49;
pub(crate) const TAG_DL: u64 = 1 << 50;
pub(crate) const TAG_QUOTE: u64 = 1 << 51;
pub(crate) const TAG_PRE: u64 = 1 << 52;
pub(crate) const TAG_SECTION: u64 = 1 << 53;
pub(crate) const TAG_BUTTON: u64 = 1 << 54;
pub(crate) const TAG_DETAILS: u64 = 1 << 55;
pub(crate) const ITEM_BODY: u64 = 1 << 56;
pub(crate) const ITEM_OTHER: u64 = 1 << 57;
pub(crate) const HIDDEN_STYLE: u64 = 1 << 58;
pub(crate) const HIDDEN_ARIA: u64 = 1 << 59;
pub(crate) const HIDDEN_ATTRIBUTE: u64 = 1 << 60;
pub(crate) const NOSCRIPT: u64 = 1 << 61;
pub(crate) const DIALOG: u64 = 1 << 62;
pub(crate) const LINK: u64 = 1 << 63;

fn of_tag(tag: Tag) -> u64 {
    match tag {
        Tag::Nav => TAG_NAV,
        Tag::Header => TAG_HEADER,
        Tag::Footer => TAG_FOOTER,
        Tag::Aside => TAG_ASIDE,
        Tag::Main => TAG_MAIN,
        Tag::Article => TAG_ARTICLE,
        Tag::Form | Tag::Fieldset | Tag::Search => TAG_FORM,
        Tag::Table => TAG_TABLE,
        Tag::Ul | Tag::Ol | Tag::Menu => TAG_LIST,
        Tag::Figure | Tag::Figcaption | Tag::Picture => TAG_FIGURE,
        Tag::Dl => TAG_DL,
        Tag::Blockquote => TAG_QUOTE,
        Tag::Pre => TAG_PRE,
        Tag::Section => TAG_SECTION,
        Tag::Button | Tag::Label | Tag::Option => TAG_BUTTON,
        Tag::Details | Tag::Summary => TAG_DETAILS,
        Tag::Noscript => NOSCRIPT,
        Tag::Dialog => DIALOG,
        Tag::A => LINK,
        _ => 0,
    }
}

fn of_role(role: &str) -> u64 {
    match role.trim() {
        "main" => TAG_MAIN,
        "navigation" | "menu" | "menubar" | "tablist" => TAG_NAV,
        "banner" => TAG_HEADER,
        "contentinfo" => TAG_FOOTER,
        "complementary" => TAG_ASIDE,
        "article" => TAG_ARTICLE,
        "search" | "form" => TAG_FORM,
        "button" => TAG_BUTTON,
        "dialog" | "alertdialog" | "alert" => DIALOG,
        _ => 0,
    }
}

fn of_itemprop(property: &str) -> u64 {
    match property.trim() {
        "articleBody" | "text" | "mainContentOfPage" | "reviewBody" | "description" => ITEM_BODY,
        _ => ITEM_OTHER,
    }
}

/// Whether an inline style hides the element: `display: none` or `visibility: hidden`, blanks ignored.
fn style_hides(style: &str) -> bool {
    let mut packed = [0_u8; 256];
    let mut length = 0;
    for byte in style.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let Some(slot) = packed.get_mut(length) else { break };
        *slot = byte.to_ascii_lowercase();
        length += 1;
    }
    let packed = packed.get(..length).unwrap_or_default();
    [&b"display:none"[..], &b"visibility:hidden"[..]]
        .iter()
        .any(|rule| memchr::memmem::find(packed, rule).is_some())
}

/// The names of a bit set: the first word of each group, the tag or attribute of the others.
pub(crate) fn names(marks: u64) -> Vec<&'static str> {
    #[rustfmt::skip]
    const OTHERS: [&str; 24] = [
        "<nav>", "<header>", "<footer>", "<aside>", "<main>", "<article>", "<form>", "<table>", "<ul>", "<figure>", "<dl>",
        "<blockquote>", "<pre>", "<section>", "<button>", "<details>", "itemprop text", "itemprop", "style hidden",
        "aria-hidden", "hidden", "<noscript>", "dialog", "<a>",
    ];
    let words = GROUPS.iter().map(|group| group.split(' ').next().unwrap_or(""));
    words
        .chain(OTHERS)
        .enumerate()
        .filter(|(bit, _)| marks >> bit & 1 == 1)
        .map(|(_, name)| name)
        .collect()
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::new(GROUPS));

/// Looks up class and id words; remembers what it has seen, since pages repeat their class strings.
#[derive(Debug, Default)]
pub(crate) struct Marker {
    /// Bits of class and id strings by their hash.
    seen: std::collections::BTreeMap<u64, u64>,
}

/// Distinct class and id strings remembered; beyond it they are looked up each time.
const SEEN_MAX: usize = 4_096;

impl Marker {
    pub(crate) fn new() -> Marker {
        Marker::default()
    }

    /// The bits of one element without its ancestors'.
    pub(crate) fn mark(&mut self, document: &Document, id: NodeId) -> u64 {
        let mut bits = of_tag(document.tag(id));
        for (key, value) in document.attributes(id) {
            bits |= match key {
                AttributeKey::Class | AttributeKey::Id => self.words_in(value),
                AttributeKey::Role => of_role(value),
                AttributeKey::Itemprop => of_itemprop(value),
                AttributeKey::Style if style_hides(value) => HIDDEN_STYLE,
                AttributeKey::Hidden => HIDDEN_ATTRIBUTE,
                AttributeKey::AriaHidden if value.trim() == "true" => HIDDEN_ARIA,
                _ => 0,
            };
        }
        bits
    }

    fn words_in(&mut self, value: &str) -> u64 {
        let key = hash_text(value);
        if let Some(bits) = self.seen.get(&key) {
            return *bits;
        }
        let bits = split(value);
        if self.seen.len() < SEEN_MAX {
            self.seen.insert(key, bits);
        }
        bits
    }
}

/// Words end at anything but letters and before a capital after a small letter.
fn split(value: &str) -> u64 {
    let mut bits = 0;
    let mut letters = [0_u8; 24];
    let mut length = 0;
    let mut small_before = false;
    for byte in value.bytes().chain(std::iter::once(b' ')) {
        let letter = byte.is_ascii_alphabetic();
        if !letter || (small_before && byte.is_ascii_uppercase()) {
            bits |= word(letters.get(..length).unwrap_or_default());
            length = 0;
        }
        if letter && let Some(slot) = letters.get_mut(length) {
            *slot = byte.to_ascii_lowercase();
            length += 1;
        }
        small_before = byte.is_ascii_lowercase();
    }
    bits
}

/// The bit of a word; a long unknown word may be two known ones written together.
fn word(word: &[u8]) -> u64 {
    let whole = exact(word);
    if whole != 0 || word.len() < 7 {
        return whole;
    }
    let mut bits = 0;
    for cut in 4..word.len() - 2 {
        let (front, back) = word.split_at(cut);
        bits |= exact(front);
        if back.len() >= 4 {
            bits |= exact(back);
        }
    }
    bits
}

fn exact(word: &[u8]) -> u64 {
    if word.len() < 2 {
        return 0;
    }
    WORDS.group(word).map_or(0, |bit| 1 << bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: u64) {
        assert_eq!(Marker::new().words_in(value), expected, "{value}");
    }

    #[test]
    fn no_word_has_two_bits() {
        assert_eq!(super::super::words::repeated(GROUPS), None);
    }

    #[test]
    fn words_are_found_in_any_spelling() {
        check("site-footer", 1 << 38 | 1 << 2);
        check("articleBody", 1 << 19 | 1 << 21);
        check("sidebarwidget", 1 << 3 | 1 << 16);
        check("disqus-comments", COMMENT);
        check("forum thread", FORUM);
        check("shadow", 0);
        check("", 0);
    }

    #[test]
    fn every_bit_has_a_name() {
        assert_eq!(names(u64::MAX).len(), 64);
        assert_eq!(names(1 << 2 | TAG_NAV | LINK), ["footer", "<nav>", "<a>"]);
    }

    #[test]
    fn hidden_styles() {
        assert!(style_hides("color:red; Display : none"));
        assert!(!style_hides("display:block"));
    }
}
