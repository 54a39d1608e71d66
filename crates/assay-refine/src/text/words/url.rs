//! spaCy's URL pattern as a linear scan.
//!
//! Source: `URL_PATTERN` in `lang/tokenizer_exceptions.py` of spaCy 3.8.18 (after D. Perini, MIT). Every alternative of
//! the expression fits in one way only, so no backtracking is needed. Asked by `chunk` for words with a dot.

use crate::text::python::{is_decimal, is_word_char};
use crate::text::tables::{LOWER, has};

/// Code points of a label at most.
const LABEL_LEN_MAX: usize = 64;
/// Code points of the top-level name: at least, at most.
const TOP_LEN: std::ops::RangeInclusive<usize> = 2..=63;

/// Whether the whole of `text`, which holds no white space, is a URL.
pub(super) fn is_url(text: &str) -> bool {
    if !text.as_bytes().contains(&b'.') {
        return false;
    }
    if is_host_and_rest(text)
        || scheme_end(text).is_some_and(|at| is_host_and_rest(text.get(at..).unwrap_or("")))
    {
        return true;
    }
    // A user part of at least one character; the host cannot hold an `@`, so all scans together are linear.
    text.match_indices('@')
        .any(|(at, _)| at > 0 && is_host_and_rest(text.get(at + 1..).unwrap_or("")))
}

/// Byte after a leading `[\w+\-.]{2,}://`.
fn scheme_end(text: &str) -> Option<usize> {
    let colon = text.find("://")?;
    let scheme = text.get(..colon)?;
    let legal = scheme
        .chars()
        .all(|c| is_word_char(c) || matches!(c, '+' | '-' | '.'));
    (legal && scheme.chars().nth(1).is_some()).then_some(colon + 3)
}

fn is_host_and_rest(text: &str) -> bool {
    let host_end = text.find([':', '/', '?', '#', '@']).unwrap_or(text.len());
    let (host, rest) = text.split_at_checked(host_end).unwrap_or((text, ""));
    is_port_and_path(rest) && (is_name(host) || is_address(host))
}

/// Optional `:` and 2–5 digits, optional path, query or fragment.
fn is_port_and_path(rest: &str) -> bool {
    let path = match rest.strip_prefix(':') {
        None => rest,
        Some(port) => {
            let path = port.trim_start_matches(is_decimal);
            let digits = port.get(..port.len() - path.len()).unwrap_or("").chars().count();
            if !(2..=5).contains(&digits) {
                return false;
            }
            path
        }
    };
    path.is_empty() || path.starts_with(['/', '?', '#'])
}

/// One or more labels, then a top-level name of spaCy's lower-case letters.
fn is_name(host: &str) -> bool {
    let Some((labels, top)) = host.rsplit_once('.') else {
        return false;
    };
    let top_len = top.chars().count();
    TOP_LEN.contains(&top_len) && top.chars().all(|c| has(c, LOWER)) && labels.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let outer = |c: char| c.is_ascii_alphanumeric() || ('\u{a1}'..='\u{ffff}').contains(&c);
    let inner = |c: char| outer(c) || matches!(c, '_' | '-');
    label.chars().next().is_some_and(outer)
        && label.chars().next_back().is_some_and(outer)
        && label.chars().all(inner)
        && label.chars().count() <= LABEL_LEN_MAX
}

/// A public IPv4 address with the pattern's own notion of octets.
fn is_address(host: &str) -> bool {
    let mut octets = host.split('.');
    let (Some(a), Some(b), Some(c), Some(d), None) = (
        octets.next(),
        octets.next(),
        octets.next(),
        octets.next(),
        octets.next(),
    ) else {
        return false;
    };
    is_first_octet(a)
        && is_middle_octet(b)
        && is_middle_octet(c)
        && is_last_octet(d)
        && !matches!((a, b), ("10" | "127", _) | ("169", "254") | ("192", "168"))
        && !(a == "172" && is_private_172(b))
}

/// The octet as characters, if all but the ASCII-only places are decimal digits of any script.
fn octet(text: &str) -> Option<Vec<char>> {
    let chars: Vec<char> = text.chars().take(4).collect();
    (chars.len() <= 3 && chars.iter().all(|&c| is_decimal(c))).then_some(chars)
}

/// `[1-9]\d?|1\d\d|2[01]\d|22[0-3]`.
fn is_first_octet(text: &str) -> bool {
    octet(text).is_some_and(|chars| match chars.as_slice() {
        ['1'..='9'] | ['1'..='9', _] | ['1', _, _] | ['2', '0' | '1', _] => true,
        ['2', '2', last] => matches!(last, '0'..='3'),
        _ => false,
    })
}

/// `1?\d{1,2}|2[0-4]\d|25[0-5]`.
fn is_middle_octet(text: &str) -> bool {
    octet(text).is_some_and(|chars| match chars.as_slice() {
        [_] | [_, _] | ['1', _, _] | ['2', '0'..='4', _] => true,
        ['2', '5', last] => matches!(last, '0'..='5'),
        _ => false,
    })
}

/// `[1-9]\d?|1\d\d|2[0-4]\d|25[0-4]`.
fn is_last_octet(text: &str) -> bool {
    octet(text).is_some_and(|chars| match chars.as_slice() {
        ['1'..='9'] | ['1'..='9', _] | ['1', _, _] | ['2', '0'..='4', _] => true,
        ['2', '5', last] => matches!(last, '0'..='4'),
        _ => false,
    })
}

/// `1[6-9]|2\d|3[0-1]`.
fn is_private_172(text: &str) -> bool {
    octet(text)
        .is_some_and(|chars| matches!(chars.as_slice(), ['1', '6'..='9'] | ['2', _] | ['3', '0' | '1']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for text in [
            "foo.bar",
            "a.bc/d",
            "http://a.bc",
            "me@foo.org",
            "x.y.zz:80/a",
            "8.8.8.8",
            "1.02.3.4#x",
            "bücher.de",
            "a_b.cd",
            "ab://x@y.zz?q",
            "a.b@c.de",
        ] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "a.b",
            "foo.Bar",
            "10.0.0.1",
            "172.16.0.1",
            "1.2.3.0",
            "-a.bc",
            "a-.bc",
            "x.yy:1",
            "x.yy:123456",
            "@a.bc",
            "a..bc",
            "foo.bar@",
            "foo.bar!",
            "https://a.b/c?d=1",
            "x://a.b",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }
}
