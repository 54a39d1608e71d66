//! Character references: `&amp;`, `&#38;`, `&#x26;` to characters (HTML standard, 13.2.5.72 to 13.2.5.80).
//!
//! Names come from `entities.tsv` (see `NOTICE.md`), the longest that fits wins; work is linear, since a name has at most
//! [`NAME_MAX`] bytes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Bytes of the longest name, its semicolon included.
const NAME_MAX: usize = 32;
/// Bytes of the longest name that needs no semicolon.
const BARE_MAX: usize = 6;

static NAMES: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    let lines = include_str!("entities.tsv").lines();
    lines
        .filter_map(|line| {
            let (name, codes) = line.split_once('\t')?;
            let characters = codes
                .split(' ')
                .filter_map(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
            Some((name, characters.collect()))
        })
        .collect()
});

/// Code points that numeric references to C1 controls stand for, from 0x80 (HTML standard, 13.2.5.80: the table is
/// windows-1252).
const CONTROLS: [u16; 32] = [
    0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152,
    0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161,
    0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
];

/// Where a reference stands: in an attribute a bare name before `=` or a letter is no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Text,
    Attribute,
}

/// Appends `text` to `out` with references decoded and each NUL as `nul`.
pub(super) fn decode(text: &str, place: Place, nul: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'&', 0, rest.as_bytes()) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let used = if tail.starts_with('&') {
            reference(tail, place, out)
        } else {
            out.push_str(nul);
            1
        };
        rest = tail.get(used..).unwrap_or("");
    }
    out.push_str(rest);
}

/// Decodes the reference at the start of `text`, or copies the ampersand; gives the bytes used.
fn reference(text: &str, place: Place, out: &mut String) -> usize {
    let body = text.get(1..).unwrap_or("");
    if let Some(digits) = body.strip_prefix('#') {
        return numeric(digits, out).map_or_else(
            || {
                out.push('&');
                1
            },
            |used| used + 2,
        );
    }
    let length = body
        .bytes()
        .take(NAME_MAX)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    let closed = body.as_bytes().get(length) == Some(&b';');
    if closed && let Some(value) = body.get(..=length).and_then(|name| NAMES.get(name)) {
        out.push_str(value);
        return length + 2;
    }
    for end in (2..=length.min(BARE_MAX)).rev() {
        let Some(value) = body.get(..end).and_then(|name| NAMES.get(name)) else {
            continue;
        };
        let after = body.as_bytes().get(end).copied().unwrap_or(b' ');
        if place == Place::Attribute && (after == b'=' || after.is_ascii_alphanumeric()) {
            break;
        }
        out.push_str(value);
        return end + 1;
    }
    out.push('&');
    1
}

/// Decodes the digits after `&#`; gives the bytes used, or `None` when there is no digit.
fn numeric(digits: &str, out: &mut String) -> Option<usize> {
    let (radix, skip) = if digits.starts_with(['x', 'X']) {
        (16, 1)
    } else {
        (10, 0)
    };
    let body = digits.get(skip..)?;
    let (mut code, mut length) = (0_u32, 0);
    while let Some(digit) = body
        .as_bytes()
        .get(length)
        .and_then(|byte| char::from(*byte).to_digit(radix))
    {
        code = code.saturating_mul(radix).saturating_add(digit);
        length += 1;
    }
    if length == 0 {
        return None;
    }
    let code = match code {
        0x80..=0x9f => CONTROLS
            .get(code as usize - 0x80)
            .map_or(0xfffd, |found| u32::from(*found)),
        _ => code,
    };
    let character = char::from_u32(code).filter(|character| *character != '\0');
    out.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(skip + length + usize::from(body.as_bytes().get(length) == Some(&b';')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = String::new();
        decode(text, Place::Text, "", &mut out);
        assert_eq!(out, expected, "{text}");
    }

    #[test]
    fn names_and_numbers() {
        check("a &amp; b&lt;c", "a & b<c");
        check("&copy2026 &notit; &notin;", "©2026 ¬it; ∉");
        check("&bogus; & &; &#; &#x; &a", "&bogus; & &; &#; &#x; &a");
        check("&#38;&#x26;&#X26&#150;", "&&&–");
        check(
            "&#0;&#xD800;&#x110000;&#99999999999;",
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
        );
        check("&CounterClockwiseContourIntegral;&NotEqualTilde;", "∳≂\u{338}");
        check("x\0y", "xy");
    }

    #[test]
    fn a_bare_name_in_an_attribute_needs_an_end() {
        let mut out = String::new();
        decode("?a=1&copy=2&lt&amp;&regx", Place::Attribute, "\u{fffd}", &mut out);
        assert_eq!(out, "?a=1&copy=2<&&regx");
    }

    #[test]
    fn the_table_is_whole() {
        assert_eq!(NAMES.len(), 2231);
        assert!(NAMES.keys().all(|name| name.len() <= NAME_MAX));
        let bare = NAMES.keys().filter(|name| !name.ends_with(';'));
        assert_eq!(bare.map(|name| name.len()).max(), Some(BARE_MAX));
    }
}
