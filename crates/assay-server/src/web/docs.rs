//! The documentation: the files of `docs/`, embedded, in the order of their summary.

use super::markdown::{self, Rendered};
use assay_types::api::ChangeEntry;
use std::sync::LazyLock;

/// Results of a search in the documentation.
const FOUND_MAX: usize = 12;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        /// Name and text of each file.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../../docs/", $name, ".md"))),)+];
    };
}

files![
    "introduction",
    "start",
    "mining",
    "validating",
    "operating",
    "using-data",
    "glossary",
    "faq",
    "website",
    "localnet",
    "wallets",
    "chain",
    "embedded-chain",
    "storage",
    "verify",
    "mechanism",
    "yuma",
    "evaluation",
    "filters",
    "extraction",
    "reading",
    "format",
    "parity",
    "performance",
    "cli",
    "configuration",
    "api",
    "recipes/fineweb-en-v1",
];

/// The table of contents, in mdBook's form.
const SUMMARY: &str = include_str!("../../../../docs/SUMMARY.md");
/// Changes by version.
const CHANGELOG: &str = include_str!("../../../../CHANGELOG.md");

/// A document.
#[derive(Debug)]
pub(crate) struct Doc {
    /// Its name in addresses.
    pub(crate) name: &'static str,
    /// What is shown.
    pub(crate) rendered: Rendered,
    /// Its text in lower case.
    searched: String,
}

static DOCS: LazyLock<Vec<Doc>> = LazyLock::new(|| {
    let known: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    FILES
        .iter()
        .map(|(name, text)| Doc {
            name,
            rendered: markdown::render(text, &known),
            searched: text.to_lowercase(),
        })
        .collect()
});

/// All documents.
pub(crate) fn all() -> &'static [Doc] {
    &DOCS
}

/// The document of a name.
pub(crate) fn find(name: &str) -> Option<&'static Doc> {
    DOCS.iter().find(|doc| doc.name == name)
}

/// A line of the table of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A part's title.
    Part(&'static str),
    /// A document: title and name.
    Doc(&'static str, &'static str),
}

/// The table of contents.
pub(crate) fn contents() -> Vec<Entry> {
    let entry = |line: &'static str| {
        let line = line.trim();
        if let Some(part) = line.strip_prefix("# ") {
            return (part != "Summary").then_some(Entry::Part(part));
        }
        let (title, rest) = line.strip_prefix("- [")?.split_once("](")?;
        Some(Entry::Doc(title, rest.strip_suffix(".md)")?))
    };
    SUMMARY.lines().filter_map(entry).collect()
}

/// Documents that hold all words of a text: name and title, title matches first.
pub(crate) fn search(text: &str) -> Vec<(String, String)> {
    let words: Vec<String> = text
        .to_lowercase()
        .split_whitespace()
        .map(ToOwned::to_owned)
        .collect();
    if words.is_empty() || words.iter().all(|word| word.len() < 3) {
        return Vec::new();
    }
    let mut found: Vec<(bool, &Doc)> = DOCS
        .iter()
        .filter(|doc| words.iter().all(|word| doc.searched.contains(word)))
        .map(|doc| {
            let title = doc.rendered.title.to_lowercase();
            (!words.iter().all(|word| title.contains(word)), doc)
        })
        .collect();
    found.sort_by_key(|(is_body, _)| *is_body);
    found
        .into_iter()
        .take(FOUND_MAX)
        .map(|(_, doc)| (section_of(doc, &words), doc.rendered.title.clone()))
        .collect()
}

/// The name of a document, with the anchor of the first section whose heading holds a word.
fn section_of(doc: &Doc, words: &[String]) -> String {
    let holds = |heading: &str| words.iter().any(|word| heading.to_lowercase().contains(word));
    let section = doc.rendered.sections.iter().find(|(heading, _)| holds(heading));
    section.map_or_else(
        || doc.name.to_owned(),
        |(_, anchor)| format!("{}#{anchor}", doc.name),
    )
}

/// Changes by version, newest first.
pub(crate) fn changes() -> Vec<ChangeEntry> {
    CHANGELOG
        .split("\n## ")
        .skip(1)
        .map(|part| {
            let (version, text) = part.split_once('\n').unwrap_or((part, ""));
            ChangeEntry {
                version: version.trim().to_owned(),
                text: text.trim().to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_in_the_summary_and_here() {
        let listed: Vec<&str> = contents()
            .into_iter()
            .filter_map(|entry| match entry {
                Entry::Doc(_, name) => Some(name),
                Entry::Part(_) => None,
            })
            .collect();
        for (name, _) in FILES {
            assert!(listed.contains(name), "`{name}` is not in docs/SUMMARY.md");
        }
        for name in &listed {
            assert!(find(name).is_some(), "`{name}` is not embedded");
        }
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().file_name().to_string_lossy().into_owned();
            if let Some(name) = file.strip_suffix(".md").filter(|name| *name != "SUMMARY") {
                assert!(listed.contains(&name), "docs/{file} is not in docs/SUMMARY.md");
            }
        }
    }

    #[test]
    fn links_between_documents_resolve() {
        for doc in all() {
            for part in doc.rendered.html.split("href=\"/docs/").skip(1) {
                let target = part.split('"').next().unwrap();
                let (name, anchor) = target.split_once('#').unwrap_or((target, ""));
                let found = find(name).unwrap_or_else(|| panic!("{} links to {name}", doc.name));
                let has = anchor.is_empty() || found.rendered.html.contains(&format!("id=\"{anchor}\""));
                assert!(has, "{} links to {target}", doc.name);
            }
        }
    }

    #[test]
    fn words_are_found() {
        assert!(
            search("credibility")
                .iter()
                .any(|(name, _)| name.starts_with("mechanism"))
        );
        assert!(search("zzqx").is_empty());
        assert_eq!(changes().first().unwrap().version, "Unreleased");
    }
}
