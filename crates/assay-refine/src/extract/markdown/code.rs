//! Code: fenced blocks with their language, and spans in backticks.

use super::inline::Source;
use crate::html::{AttributeKey, NodeId, Tag};

/// Beginnings of class names that name a language, as highlighters write them.
const PREFIXES: &[&str] = &["language-", "lang-", "highlight-source-", "brush:", "sourceCode-"];
/// Longest language name believed.
const LANGUAGE_MAX: usize = 20;
/// Elements above a block that may name its language.
const LEVELS_ABOVE: usize = 2;

/// The kept text of an element, white space as it stands, a line break for each `br`.
fn raw_text(source: &Source, root: NodeId) -> String {
    let mut out = String::new();
    for id in source.inside(root, |tag| !tag.is_never_text()) {
        match source.document.tag(id) {
            Tag::Text if source.is_kept(id) => {
                let text = source.document.text(id);
                out.extend(
                    text.chars()
                        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t')),
                );
            }
            Tag::Br => out.push('\n'),
            Tag::Div | Tag::Li | Tag::Tr if !out.is_empty() && !out.ends_with('\n') => out.push('\n'),
            _ => {}
        }
    }
    out
}

/// A fenced block; empty if nothing of it is kept.
pub(super) fn code_block(source: &Source, id: NodeId) -> String {
    let text = raw_text(source, id);
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    let first = lines.iter().position(|line| !line.is_empty());
    let last = lines.iter().rposition(|line| !line.is_empty());
    let (Some(first), Some(last)) = (first, last) else {
        return String::new();
    };
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let body = lines.get(first..=last).unwrap_or_default().join("\n");
    format!(
        "{fence}{}\n{body}\n{fence}",
        language(source, id).unwrap_or_default()
    )
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A span in backticks; empty if nothing of it is kept.
pub(super) fn code_span(source: &Source, id: NodeId) -> String {
    let text = raw_text(source, id);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return text;
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    [&fence, pad, &text, pad, &fence].concat()
}

/// The language that the block, its first element or an element around it names.
fn language(source: &Source, id: NodeId) -> Option<String> {
    let document = source.document;
    let child = document
        .first_child(id)
        .filter(|child| document.tag(*child) == Tag::Code);
    let above = std::iter::successors(Some(id), |id| document.parent(*id)).take(1 + LEVELS_ABOVE);
    child.into_iter().chain(above).find_map(|id| {
        let named = [AttributeKey::DataLanguage, AttributeKey::DataLang]
            .iter()
            .find_map(|key| document.attribute(id, *key));
        let class = document.attribute(id, AttributeKey::Class).unwrap_or("");
        let class = class.replace("brush: ", "brush:");
        let found = named.map(str::to_owned).or_else(|| {
            let mut words = class.split_ascii_whitespace();
            words.find_map(|word| {
                let prefix = PREFIXES.iter().find(|prefix| word.starts_with(**prefix))?;
                word.get(prefix.len()..).map(str::to_owned)
            })
        })?;
        let name = found.trim_end_matches(';').to_ascii_lowercase();
        let valid =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'#' | b'-' | b'_' | b'.');
        ((1..=LANGUAGE_MAX).contains(&name.len()) && name.bytes().all(valid)).then_some(name)
    })
}
