//! A recipe's canonical TOML, the bytes whose BLAKE3 is its id.
//!
//! Recipes come from `model.rs`; the text goes to files, ids and `diff`. UTF-8, LF, no comments or blank lines,
//! tables in the order header, `[read]`, `[extract]`, `[[step]]`, `[[artifact]]`, keys by ascending bytes, basic
//! strings, decimal integers, arrays on one line (mechanism §3).

use crate::recipe::fields::{Fields, Table, TextForm};
use crate::recipe::model::Header;
use crate::recipe::{RECIPE_FORMAT, Recipe, RecipeError};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// The keys of a table with their values as canonical TOML, by ascending bytes.
pub(crate) type Entries = BTreeMap<&'static str, String>;

/// The whole text.
pub(crate) fn emit(recipe: &Recipe) -> String {
    let mut out = String::new();
    write_table(&mut out, &header_entries(recipe));
    out.push_str("[read]\n");
    write_table(&mut out, &entries(&mut recipe.read.clone()));
    out.push_str("[extract]\n");
    write_table(&mut out, &entries(&mut recipe.extract.clone()));
    for step in &recipe.steps {
        out.push_str("[[step]]\n");
        let mut keys = entries(&mut step.clone());
        keys.insert("kind", quoted(step.kind()));
        write_table(&mut out, &keys);
    }
    for artifact in &recipe.artifacts {
        out.push_str("[[artifact]]\n");
        write_table(&mut out, &entries(&mut artifact.clone()));
    }
    out
}

/// Keys and values before the first table.
pub(crate) fn header_entries(recipe: &Recipe) -> Entries {
    entries(&mut Header {
        format: RECIPE_FORMAT,
        name: recipe.name.clone(),
        version: recipe.version.clone(),
        engine: recipe.engine.clone(),
        licence: recipe.licence.clone(),
    })
}

/// Keys and values of a table; a table that contradicts itself shows the keys before the contradiction, and its
/// text does not parse.
pub(crate) fn entries(table: &mut dyn Table) -> Entries {
    let mut collector = Collector(Entries::new());
    let outcome = table.fields(&mut collector);
    debug_assert!(
        !matches!(outcome, Err(RecipeError::UnknownKey { .. })),
        "a writer meets no unknown key"
    );
    collector.0
}

/// `Ok` if `found` is the canonical text, else the first line that differs.
pub(crate) fn check_same(canonical: &str, found: &str) -> Result<(), RecipeError> {
    if canonical == found {
        return Ok(());
    }
    let equal = canonical
        .split('\n')
        .zip(found.split('\n'))
        .take_while(|(a, b)| a == b)
        .count();
    Err(RecipeError::NotCanonical { line: equal + 1 })
}

fn write_table(out: &mut String, entries: &Entries) {
    for (key, value) in entries {
        out.push_str(key);
        out.push_str(" = ");
        out.push_str(value);
        out.push('\n');
    }
}

/// A TOML basic string with the fewest escapes.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c.is_ascii_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Collects what it is shown.
struct Collector(Entries);

impl Fields for Collector {
    fn integer(
        &mut self,
        key: &'static str,
        value: &mut u64,
        _range: RangeInclusive<u64>,
    ) -> Result<(), RecipeError> {
        self.0.insert(key, value.to_string());
        Ok(())
    }

    fn text(&mut self, key: &'static str, value: &mut String, _form: TextForm) -> Result<(), RecipeError> {
        self.0.insert(key, quoted(value));
        Ok(())
    }

    fn choice(
        &mut self,
        key: &'static str,
        value: &mut &'static str,
        _known: &[&'static str],
    ) -> Result<(), RecipeError> {
        self.0.insert(key, quoted(value));
        Ok(())
    }

    fn texts(
        &mut self,
        key: &'static str,
        value: &mut Vec<String>,
        _form: TextForm,
    ) -> Result<(), RecipeError> {
        let items: Vec<String> = value.iter().map(|text| quoted(text)).collect();
        self.0.insert(key, format!("[{}]", items.join(", ")));
        Ok(())
    }

    fn integers(
        &mut self,
        key: &'static str,
        value: &mut Vec<u64>,
        _range: RangeInclusive<u64>,
    ) -> Result<(), RecipeError> {
        let items: Vec<String> = value.iter().map(u64::to_string).collect();
        self.0.insert(key, format!("[{}]", items.join(", ")));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_toml_reads_them() {
        let text: String = (0..0x80)
            .map(char::from)
            .chain("é😀\u{85}\u{2028}".chars())
            .collect();
        let table: toml::Table = format!("a = {}", quoted(&text)).parse().unwrap();
        assert_eq!(table["a"].as_str(), Some(text.as_str()));
        assert_eq!(quoted("\u{1}\u{7f}\"\\\n"), r#""\u0001\u007F\"\\\n""#);
    }
}
