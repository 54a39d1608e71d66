//! spaCy's exceptions, units and second-pass patterns, read once from the generated tables.
//!
//! Data: [`crate::text::tables`]. Asked by `chunk` and `second`.

use std::collections::BTreeSet;

use crate::text::hash::hash;
use crate::text::tables::{EXCEPTIONS, PATTERNS, UNITS};

/// Slots of a table of strings; a power of two, at least twice the largest table (1,347 exceptions).
const SLOTS: usize = 4096;

/// Strings and their numbers, open addressing.
#[derive(Debug)]
pub(super) struct Strings {
    items: Vec<String>,
    slots: Vec<u16>,
    bytes_max: usize,
}

impl Strings {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            slots: vec![u16::MAX; SLOTS],
            bytes_max: 0,
        }
    }

    /// Number of `text`, if it was added.
    #[inline]
    pub(super) fn get(&self, text: &str) -> Option<u16> {
        if text.len() > self.bytes_max {
            return None;
        }
        let mut at = hash(text.as_bytes()) as usize;
        loop {
            let number = *self.slots.get(at % SLOTS)?;
            match self.items.get(number as usize) {
                None => return None,
                Some(item) if item == text => return Some(number),
                Some(_) => at = at.wrapping_add(1),
            }
        }
    }

    fn add(&mut self, text: &str) -> u16 {
        if let Some(number) = self.get(text) {
            return number;
        }
        let number = self.items.len() as u16;
        debug_assert!(self.items.len() < SLOTS / 2, "table of strings too full");
        let mut at = hash(text.as_bytes()) as usize;
        while self.slots.get(at % SLOTS).is_some_and(|&slot| slot != u16::MAX) {
            at = at.wrapping_add(1);
        }
        if let Some(slot) = self.slots.get_mut(at % SLOTS) {
            *slot = number;
        }
        self.items.push(text.to_owned());
        self.bytes_max = self.bytes_max.max(text.len());
        number
    }
}

/// All tables of the tokenizer.
#[derive(Debug)]
pub(super) struct Rules {
    keys: Strings,
    /// Byte length of each piece of each key.
    pieces: Vec<Vec<u8>>,
    /// Bit n of entry b: a key of n bytes (63: or more) begins with byte b.
    first_bytes: Vec<u64>,
    units: Strings,
    currencies: Vec<String>,
    pattern_tokens: Strings,
    patterns: BTreeSet<Vec<u16>>,
    /// Tokens of the longest pattern.
    pub(super) pattern_len_max: usize,
}

impl Rules {
    pub(super) fn new() -> Self {
        let mut rules = Self {
            keys: Strings::new(),
            pieces: Vec::new(),
            first_bytes: vec![0; 256],
            units: Strings::new(),
            currencies: Vec::new(),
            pattern_tokens: Strings::new(),
            patterns: BTreeSet::new(),
            pattern_len_max: 0,
        };
        for row in rows(EXCEPTIONS) {
            let key = row.concat();
            rules.keys.add(&key);
            rules
                .pieces
                .push(row.iter().map(|piece| piece.len() as u8).collect());
            let first = key.bytes().next().unwrap_or(0);
            if let Some(lengths) = rules.first_bytes.get_mut(first as usize) {
                *lengths |= 1 << key.len().min(63);
            }
        }
        for row in rows(PATTERNS) {
            let tokens: Vec<u16> = row.iter().map(|token| rules.pattern_tokens.add(token)).collect();
            rules.pattern_len_max = rules.pattern_len_max.max(tokens.len());
            rules.patterns.insert(tokens);
        }
        for row in rows(UNITS) {
            match row.as_slice() {
                [kind, text] if kind == "unit" => {
                    rules.units.add(text);
                }
                [_, text] => rules.currencies.push(text.clone()),
                _ => {}
            }
        }
        rules
    }

    /// Byte lengths of the pieces of the exception `text`.
    #[inline]
    pub(super) fn exception(&self, text: &str) -> Option<&[u8]> {
        let first = *text.as_bytes().first()?;
        let lengths = self.first_bytes.get(first as usize).copied().unwrap_or(0);
        if lengths >> text.len().min(63) & 1 == 0 {
            return None;
        }
        self.pieces.get(self.keys.get(text)? as usize).map(Vec::as_slice)
    }

    /// Whether `text` is an exception.
    #[inline]
    pub(super) fn is_exception(&self, text: &str) -> bool {
        self.exception(text).is_some()
    }

    /// Byte length of the unit or currency that ends `text` right after an ASCII digit; 0 without one.
    pub(super) fn unit_after_digit(&self, text: &str) -> usize {
        let bytes_max = self.units.bytes_max.max(3);
        let Some(tail) = text
            .bytes()
            .rev()
            .take(bytes_max + 1)
            .position(|byte| byte.is_ascii_digit())
        else {
            return 0;
        };
        let unit = text.get(text.len() - tail..).unwrap_or("");
        let found = self.units.get(unit).is_some() || self.currencies.iter().any(|c| c == unit);
        if found { tail } else { 0 }
    }

    /// Byte length of the currency of several code points that begins `text`; 0 without one.
    pub(super) fn currency_prefix(&self, text: &str) -> usize {
        self.currencies
            .iter()
            .find(|currency| text.starts_with(currency.as_str()))
            .map_or(0, String::len)
    }

    /// Number of a token that occurs in a pattern.
    pub(super) fn pattern_token(&self, text: &str) -> Option<u16> {
        self.pattern_tokens.get(text)
    }

    /// Whether these token numbers are a pattern.
    pub(super) fn is_pattern(&self, tokens: &[u16]) -> bool {
        self.patterns.contains(tokens)
    }
}

/// The rows of a generated table, its escapes undone.
fn rows(table: &str) -> impl Iterator<Item = Vec<String>> {
    table.lines().map(|line| line.split('\t').map(unescape).collect())
}

fn unescape(piece: &str) -> String {
    let mut out = String::new();
    let mut chars = piece.chars();
    while let Some(c) = chars.next() {
        out.push(match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                _ => '\\',
            },
            (c, false) => c,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_the_sizes_of_the_reference() {
        let rules = Rules::new();
        let of_pieces = |n| rules.pieces.iter().filter(|pieces| pieces.len() == n).count();
        assert_eq!((rules.keys.items.len(), rules.pieces.len()), (1347, 1347));
        assert_eq!([of_pieces(1), of_pieces(2), of_pieces(3)], [358, 667, 322]);
        assert_eq!((rules.units.items.len(), rules.pattern_len_max), (103, 11));
    }

    #[test]
    fn exceptions_are_found_by_their_text() {
        let rules = Rules::new();
        assert_eq!(rules.exception("don't"), Some(&[2, 3][..]));
        assert_eq!(rules.exception("\\n"), Some(&[2][..]));
        assert_eq!(rules.exception("\n"), Some(&[1][..]));
        assert!(!rules.is_exception("") && !rules.is_exception("word") && rules.is_exception("cannot"));
        assert_eq!(
            (rules.unit_after_digit("10km²"), rules.unit_after_digit("10xkm")),
            (4, 0)
        );
    }
}
