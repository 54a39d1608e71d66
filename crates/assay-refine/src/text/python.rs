//! CPython 3.11 string semantics (Unicode 14.0) on `&str`, so that the filters count what datatrove counts.
//!
//! Texts come from the extractor and from C4's lines; the pieces go to the filters. Rust's own methods differ: they know
//! a newer Unicode, another white space (no 1C–1F) and other line ends.

use super::tables::{
    ALPHABETIC, CASE_IGNORABLE, CASED, DECIMAL, LOWERS, NUMERIC, SPACE, WORD, ascii_flags, has,
};

/// `str.isspace` of one character; also `\s`.
#[inline]
pub fn is_space(c: char) -> bool {
    has(c, SPACE)
}

/// `str.isalpha` of one character: categories Lu, Ll, Lt, Lm, Lo.
#[inline]
pub fn is_alpha(c: char) -> bool {
    has(c, ALPHABETIC)
}

/// `str.isnumeric` of one character: any numeric value (Nd, Nl, No, numeric ideographs).
#[inline]
pub fn is_numeric(c: char) -> bool {
    has(c, NUMERIC)
}

/// `str.isdecimal` of one character; also `\d`.
#[inline]
pub fn is_decimal(c: char) -> bool {
    has(c, DECIMAL)
}

/// `\w`: alphabetic, numeric or `_`.
#[inline]
pub fn is_word_char(c: char) -> bool {
    has(c, WORD)
}

/// `len(text)`: code points.
#[inline]
pub fn len(text: &str) -> usize {
    text.chars().count()
}

/// `text.strip()`.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `text.lstrip()`.
pub fn lstrip(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// `text.rstrip()`.
pub fn rstrip(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// `text.split()`: the maximal runs of non-space.
pub fn split_whitespace(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|piece| !piece.is_empty())
}

/// `text.splitlines()`: lines without their ends, no empty last line.
///
/// Ends: LF, VT, FF, CR, CR LF, 1C, 1D, 1E, 85, 2028, 2029 (CPython `Objects/unicodetype_db.h`).
pub fn splitlines(text: &str) -> Lines<'_> {
    Lines { rest: text }
}

/// Iterator of [`splitlines`].
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let Some((at, end_bytes)) = line_end(self.rest) else {
            return Some(std::mem::take(&mut self.rest));
        };
        let line = self.rest.get(..at).unwrap_or("");
        self.rest = self.rest.get(at + end_bytes..).unwrap_or("");
        Some(line)
    }
}

/// Byte offset and byte length of the first line end.
fn line_end(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let at_byte = |i: usize| bytes.get(i).copied();
    for (i, &byte) in bytes.iter().enumerate() {
        // C2 85 is U+0085; E2 80 A8 and E2 80 A9 are U+2028 and U+2029. A lead byte never occurs inside a character.
        match byte {
            b'\r' => return Some((i, if at_byte(i + 1) == Some(b'\n') { 2 } else { 1 })),
            0x0a..=0x0c | 0x1c..=0x1e => return Some((i, 1)),
            0xc2 if at_byte(i + 1) == Some(0x85) => return Some((i, 2)),
            0xe2 if at_byte(i + 1) == Some(0x80) && matches!(at_byte(i + 2), Some(0xa8 | 0xa9)) => {
                return Some((i, 3));
            }
            _ => {}
        }
    }
    None
}

/// `text.lower()`: full mapping with the final sigma rule.
pub fn lower(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    lower_into(text, &mut out);
    out
}

/// Appends `text.lower()` to `out`.
pub fn lower_into(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !byte.is_ascii()) {
        push_ascii_lower(rest.get(..at).unwrap_or(""), out);
        let tail = rest.get(at..).unwrap_or("");
        let Some(c) = tail.chars().next() else { return };
        let here = text.len() - tail.len();
        rest = tail.get(c.len_utf8()..).unwrap_or("");
        lower_char_at(c, text, here, |lowered| out.push(lowered));
    }
    push_ascii_lower(rest, out);
}

fn push_ascii_lower(text: &str, out: &mut String) {
    let start = out.len();
    out.push_str(text);
    if let Some(added) = out.get_mut(start..) {
        added.make_ascii_lowercase();
    }
}

/// Calls `push` with the lower case of `c`, which stands in `text` at byte `at`.
pub(super) fn lower_char_at(c: char, text: &str, at: usize, mut push: impl FnMut(char)) {
    if c == 'Σ' {
        push(if is_final_sigma(text, at) { 'ς' } else { 'σ' });
    } else if has(c, LOWERS) {
        // Mappings of assigned characters are stable; LOWERS keeps those Unicode 14.0 does not know from changing.
        c.to_lowercase().for_each(push);
    } else {
        push(c);
    }
}

/// CPython `handle_capital_sigma`: a cased letter before, none after, case-ignorable characters skipped.
fn is_final_sigma(text: &str, at: usize) -> bool {
    let ignorable = |c: &char| has(*c, CASE_IGNORABLE);
    let cased = |c: Option<char>| c.is_some_and(|c| has(c, CASED));
    let before = text.get(..at).unwrap_or("");
    let after = text.get(at + 'Σ'.len_utf8()..).unwrap_or("");
    cased(before.chars().rev().find(|c| !ignorable(c))) && !cased(after.chars().find(|c| !ignorable(c)))
}

/// Whether an ASCII byte is white space for Python (09–0D, 1C–20).
#[inline]
pub fn is_ascii_space(byte: u8) -> bool {
    ascii_flags(byte) & SPACE != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_python_ends_them() {
        let lines = |text| splitlines(text).collect::<Vec<_>>();
        assert_eq!(
            lines("a\r\nb\rc\n\nd\u{85}e\u{2028}f\u{2029}g\u{1c}h\u{b}"),
            ["a", "b", "c", "", "d", "e", "f", "g", "h"]
        );
        assert_eq!(lines(""), Vec::<&str>::new());
        assert_eq!(lines("\n"), [""]);
        assert_eq!(lines("a\u{1f}b\u{2027}é"), ["a\u{1f}b\u{2027}é"]);
    }

    #[test]
    fn white_space_is_pythons() {
        assert_eq!(strip("\u{1c}\u{3000} a b \u{85}"), "a b");
        assert_eq!((lstrip(" a "), rstrip(" a ")), ("a ", " a"));
        assert_eq!(
            split_whitespace("\u{1f}a\u{a0}b\u{200b} c ").collect::<Vec<_>>(),
            ["a", "b\u{200b}", "c"]
        );
        assert_eq!(len("aé\u{1f600}"), 3);
    }

    #[test]
    fn lower_case_follows_cpython() {
        assert_eq!(
            lower("ΟΔΟΣ ΣΑΣ'Σ aΣ\u{301} AΣb İ"),
            "οδος σασ'ς aς\u{301} aσb i\u{307}"
        );
        assert_eq!(lower("ÀB\u{10d50}C"), "àb\u{10d50}c");
    }

    #[test]
    fn lower_case_of_every_code_point_is_cpythons() {
        let mut all = String::new();
        for c in '\0'..=char::MAX {
            lower_into(c.encode_utf8(&mut [0; 4]), &mut all);
            all.push('\n');
        }
        assert_eq!(
            crate::text::tables::check_digest("lower"),
            crate::text::tables::sha256_hex(&all)
        );
    }

    #[test]
    fn classes_of_python() {
        assert!(
            is_alpha('ª') && !is_alpha('\u{345}') && is_numeric('½') && is_numeric('一') && !is_decimal('²')
        );
        assert!(is_word_char('_') && is_word_char('²') && !is_word_char('\u{301}') && is_ascii_space(0x1f));
    }
}
