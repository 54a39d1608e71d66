//! What a page says about itself besides its text: title, language, kinds, texts quoted in structured data.
//!
//! All of it feeds features or names; nothing of it is ever output as text of the page.

use super::page::{Page, kind};
use crate::html::{AttributeKey, Document, NodeId, Tag};

impl Page {
    /// Reads the children of `head`.
    pub(crate) fn read_head(&mut self, document: &Document, id: NodeId) {
        for child in std::iter::successors(document.first_child(id), |id| document.next_sibling(*id)) {
            match document.tag(child) {
                Tag::Title | Tag::Meta => self.read_metadata(document, child),
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
        } else if document.attribute(id, AttributeKey::Property) == Some("og:type") {
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
    fn language_tags_are_reduced() {
        assert_eq!(language("en-GB").as_deref(), Some("en"));
        assert_eq!(language("x"), None);
        assert_eq!(language("{{lang}}"), None);
    }
}
