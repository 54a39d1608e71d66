//! What a page says about itself besides its text: title, language, kinds, texts quoted in structured data.
//!
//! All of it feeds features or names; nothing of it is ever output as text of the page.

use super::mark;
use super::page::{Page, kind};
use crate::html::{AttributeKey, Document, NodeId, Tag};

/// What a page says about itself; every text has collapsed white space and at most `FACT_BYTES_MAX` bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Author as the page names it.
    pub author: Option<String>,
    /// When it was published, as the page writes it.
    pub date: Option<String>,
    /// Name of the site.
    pub site_name: Option<String>,
    /// Target of a link that the page calls its licence.
    pub licence: Option<String>,
    /// `article`, `forum`, `product`, `listing`, `service` or `documentation`, if the page declares it or its blocks show it.
    pub page_type: Option<&'static str>,
}

/// Bytes of a fact; longer ones are no names or dates.
const FACT_BYTES_MAX: usize = 300;
/// Share of words in code, in thousandths, from which a page that declares nothing counts as documentation.
const CODE_PERMILLE: u64 = 100;

/// Fills an empty slot with a tidy text.
fn fill(slot: &mut Option<String>, value: &str) {
    let flat = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if slot.is_none() && (1..=FACT_BYTES_MAX).contains(&flat.len()) {
        *slot = Some(flat);
    }
}

impl Page {
    /// The facts found, with the page's type.
    pub(crate) fn metadata(&mut self) -> Metadata {
        let declared = [
            (kind::FORUM, "forum"),
            (kind::PRODUCT | kind::OG_PRODUCT, "product"),
            (kind::ARTICLE, "article"),
            (kind::LISTING, "listing"),
            (kind::FAQ | kind::ORGANISATION, "service"),
            (kind::OG_ARTICLE, "article"),
        ];
        let words = |marked: u64| -> u64 {
            let blocks = self
                .blocks
                .iter()
                .filter(|block| marked == 0 || block.marks & marked != 0);
            blocks.map(|block| u64::from(block.measure.words)).sum()
        };
        let is_code = words(mark::TAG_PRE) * 1_000 > words(0) * CODE_PERMILLE;
        let found = declared.iter().find(|(bits, _)| self.kinds & bits != 0);
        Metadata {
            page_type: found
                .map(|(_, name)| *name)
                .or(is_code.then_some("documentation")),
            ..std::mem::take(&mut self.facts)
        }
    }

    /// Reads author, date, site and licence from a `meta` or `link` element.
    fn read_facts(&mut self, document: &Document, id: NodeId) {
        let value = |key| document.attribute(id, key);
        if document.tag(id) == Tag::Link {
            self.read_licence(document, id);
            return;
        }
        let name = value(AttributeKey::Property)
            .or(value(AttributeKey::Name))
            .or(value(AttributeKey::Itemprop));
        let content = value(AttributeKey::Content).unwrap_or("");
        match name.unwrap_or("").to_ascii_lowercase().as_str() {
            "author" | "article:author" | "dc.creator" | "parsely-author" if !content.starts_with("http") => {
                fill(&mut self.facts.author, content);
            }
            "article:published_time"
            | "datepublished"
            | "date"
            | "dc.date"
            | "dc.date.issued"
            | "pubdate"
            | "parsely-pub-date" => fill(&mut self.facts.date, content),
            "og:site_name" | "application-name" => fill(&mut self.facts.site_name, content),
            _ => {}
        }
    }

    /// Reads the target of `rel=license`.
    pub(crate) fn read_licence(&mut self, document: &Document, id: NodeId) {
        let rel = document.attribute(id, AttributeKey::Rel).unwrap_or("");
        if rel
            .split_ascii_whitespace()
            .any(|word| word.eq_ignore_ascii_case("license"))
        {
            let target = document.attribute(id, AttributeKey::Href);
            fill(&mut self.facts.licence, target.unwrap_or(""));
        }
    }

    /// Reads the children of `head`.
    pub(crate) fn read_head(&mut self, document: &Document, id: NodeId) {
        for child in std::iter::successors(document.first_child(id), |id| document.next_sibling(*id)) {
            match document.tag(child) {
                Tag::Title | Tag::Meta | Tag::Link => self.read_metadata(document, child),
                Tag::Script => self.read_script(document, child),
                _ => {}
            }
        }
    }

    pub(crate) fn read_metadata(&mut self, document: &Document, id: NodeId) {
        if document.tag(id) == Tag::Title {
            if self.title.is_none() {
                let text = document.first_child(id).map_or("", |child| document.text(child));
                let title = text.split_whitespace().collect::<Vec<_>>().join(" ");
                self.title = (!title.is_empty()).then_some(title);
            }
            return;
        }
        self.read_facts(document, id);
        if document.attribute(id, AttributeKey::Property) == Some("og:type") {
            self.kinds |= match document.attribute(id, AttributeKey::Content).unwrap_or("") {
                "article" => kind::OG_ARTICLE,
                "product" | "og:product" | "product.item" => kind::OG_PRODUCT,
                _ => 0,
            };
        }
    }

    /// Reads the type names in JSON-LD.
    pub(crate) fn read_script(&mut self, document: &Document, id: NodeId) {
        if document.attribute(id, AttributeKey::Type) != Some("application/ld+json") {
            return;
        }
        let Some(text) = document.first_child(id).map(|child| document.text(child)) else {
            return;
        };
        for at in memchr::memmem::find_iter(text.as_bytes(), b"\"@type\"") {
            let rest = text
                .get(at + 7..)
                .unwrap_or("")
                .trim_start_matches([' ', ':', '[', '\n', '\r', '\t']);
            let name = rest
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
                .unwrap_or("");
            self.add_kind(name);
        }
        for (key, slot) in [
            ("\"author\"", &mut self.facts.author),
            ("\"datePublished\"", &mut self.facts.date),
        ] {
            // A string with escapes is left alone: a name or date rarely has any.
            if let Some(value) = json_text(text, key).filter(|value| !value.contains('\\')) {
                fill(slot, value);
            }
        }
        for (key, slot) in QUOTED_KEYS {
            for at in memchr::memmem::find_iter(text.as_bytes(), key.as_bytes()) {
                let rest = text.get(at + key.len()..).unwrap_or("").trim_start();
                let Some(rest) = rest
                    .strip_prefix(':')
                    .and_then(|rest| rest.trim_start().strip_prefix('"'))
                else {
                    continue;
                };
                let value = rest.get(..string_end(rest)).unwrap_or("");
                if let Some(quoted) = self.quoted.get_mut(*slot) {
                    quoted.add(value);
                }
            }
        }
    }

    pub(crate) fn read_microdata(&mut self, document: &Document, id: NodeId) {
        if let Some(value) = document.attribute(id, AttributeKey::Itemtype) {
            self.add_kind(value.trim().rsplit('/').next().unwrap_or(""));
        }
    }

    fn add_kind(&mut self, name: &str) {
        let found = kind::TYPES.iter().find(|(known, _)| *known == name);
        self.kinds |= found.map_or(0, |(_, bit)| *bit);
    }
}

/// Keys of JSON-LD whose strings are compared with blocks.
const QUOTED_KEYS: &[(&str, usize)] = &[
    ("\"articleBody\"", 0),
    ("\"text\"", 1),
    ("\"description\"", 1),
    ("\"reviewBody\"", 1),
];

/// The string value of the first `key` in JSON, also that of the `"name"` in an object or list that follows it.
fn json_text<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let at = memchr::memmem::find(text.as_bytes(), key.as_bytes())?;
    let rest = text
        .get(at + key.len()..)?
        .trim_start()
        .strip_prefix(':')?
        .trim_start();
    if let Some(rest) = rest.strip_prefix('"') {
        return rest.get(..string_end(rest));
    }
    let object = rest.trim_start_matches('[').trim_start().strip_prefix('{')?;
    let object = object.get(..object.find('}')?)?;
    let name = object.split_once("\"name\"")?.1.trim_start().strip_prefix(':')?;
    let name = name.trim_start().strip_prefix('"')?;
    name.get(..string_end(name))
}

/// Where a JSON string ends: at the first quote without an odd number of backslashes before it.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// A language tag's primary part, if it looks like one.
pub(crate) fn language(value: &str) -> Option<String> {
    let primary = value.trim().split(['-', '_']).next().unwrap_or("");
    let valid = (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
    valid.then(|| primary.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_their_quote() {
        assert_eq!(string_end(r#"a\"b"c"#), 4);
        assert_eq!(string_end(r#"a\\"b"#), 3);
        assert_eq!(string_end("open"), 4);
    }

    #[test]
    fn facts_come_from_the_head_and_structured_data() {
        let html = r#"<head><meta property="og:site_name" content=" The  Gazette "><meta name=author content="Ann Lee">
            <link rel=license href="https://example.org/by"><script type="application/ld+json">{"@type": "NewsArticle",
            "datePublished": "2020-01-02", "author": [{"@type": "Person", "name": "Bob"}]}</script></head><p>Text."#;
        let limits = crate::html::ParseLimits::default();
        let document = crate::html::parse(html, &limits).unwrap();
        let found = crate::extract::walk::walk(&document, crate::extract::walk::Scope::All).metadata();
        assert_eq!(found.site_name.as_deref(), Some("The Gazette"));
        assert_eq!(found.author.as_deref(), Some("Ann Lee"));
        assert_eq!(found.date.as_deref(), Some("2020-01-02"));
        assert_eq!(found.licence.as_deref(), Some("https://example.org/by"));
        assert_eq!(found.page_type, Some("article"));
        assert_eq!(
            json_text(r#""author": [{"name": "Bob"}]"#, "\"author\""),
            Some("Bob")
        );
    }

    #[test]
    fn language_tags_are_reduced() {
        assert_eq!(language("en-GB").as_deref(), Some("en"));
        assert_eq!(language("x"), None);
        assert_eq!(language("{{lang}}"), None);
    }
}
