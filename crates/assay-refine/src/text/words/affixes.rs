//! Lengths of spaCy's prefixes and suffixes, and the infixes inside a word.
//!
//! Source: `lang/punctuation.py`, `lang/en/punctuation.py`, `lang/char_classes.py` of spaCy 3.8.18, where they are
//! regular expressions. Asked by `chunk`; every function looks at a bounded number of characters but for runs of dots.

use super::rules::Rules;
use crate::text::tables::{
    ALPHA, BEFORE_DOT, CURRENCY, ICON, LOWER, PREFIX, QUOTE, SUFFIX, UPPER, flags, has,
};

/// Byte length of the prefix of `text`; 0 without one.
pub(super) fn prefix_len(rules: &Rules, text: &str) -> usize {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return 0 };
    let digit_next = || text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    match first {
        '.' => run_of_dots(text.bytes()),
        '+' if digit_next() => 0,
        'U' | 'C' | 'A' => rules.currency_prefix(text),
        _ if has(first, PREFIX) => first.len_utf8(),
        _ => 0,
    }
}

/// Number of dots at the start, if at least two; else 0.
fn run_of_dots(bytes: impl Iterator<Item = u8>) -> usize {
    let dots = bytes.take_while(|&byte| byte == b'.').count();
    if dots >= 2 { dots } else { 0 }
}

/// Byte length of the longest suffix of `text`; 0 without one.
pub(super) fn suffix_len(rules: &Rules, text: &str) -> usize {
    let mut chars = text.chars().rev();
    let Some(last) = chars.next() else { return 0 };
    let before = chars.next();
    let after_digit = before.is_some_and(|c| c.is_ascii_digit());
    let word = flags(last);
    let single = match last {
        '.' => return dot_suffix_len(text),
        's' | 'S' if matches!(before, Some('\'' | '’')) => before.map_or(0, char::len_utf8) + 1,
        '…' if before == Some('…') => 2 * '…'.len_utf8(),
        '+' if after_digit => 1,
        _ if word & SUFFIX != 0 || (after_digit && word & CURRENCY != 0) => last.len_utf8(),
        _ => 0,
    };
    single.max(rules.unit_after_digit(text))
}

/// The suffix of a text that ends in a dot.
fn dot_suffix_len(text: &str) -> usize {
    let run = run_of_dots(text.bytes().rev());
    if run > 0 {
        return run;
    }
    let mut chars = text.chars().rev().skip(1);
    let (Some(before), second) = (chars.next(), chars.next()) else {
        return 0;
    };
    let degree = second == Some('°') && matches!(before, 'F' | 'f' | 'C' | 'c' | 'K' | 'k');
    let capitals = has(before, UPPER) && second.is_some_and(|c| has(c, UPPER));
    usize::from(has(before, BEFORE_DOT) || degree || capitals)
}

/// Calls `found` with the byte range of every infix of `text`, left to right, not overlapping.
pub(super) fn infixes(text: &str, mut found: impl FnMut(usize, usize)) {
    let mut previous = None;
    let mut skip_to = 0;
    for (at, c) in text.char_indices() {
        if at >= skip_to {
            let len = infix_len(previous, c, text.get(at..).unwrap_or(""));
            if len > 0 {
                found(at, at + len);
                skip_to = at + len;
            }
        }
        previous = Some(c);
    }
}

/// Byte length of the infix that begins `rest`, whose first character is `c`; 0 without one.
#[inline]
fn infix_len(previous: Option<char>, c: char, rest: &str) -> usize {
    if c.is_ascii_alphanumeric() {
        return 0;
    }
    let digit = previous.is_some_and(|p| p.is_ascii_digit());
    let next = || rest.get(c.len_utf8()..).and_then(|tail| tail.chars().next());
    let next_is = |mask| next().is_some_and(|n| has(n, mask));
    let previous_is = |mask| previous.is_some_and(|p| has(p, mask));
    let fits = match c {
        '.' => {
            let run = run_of_dots(rest.bytes());
            if run > 0 {
                return run;
            }
            previous_is(LOWER | QUOTE) && next_is(UPPER | QUOTE)
        }
        '+' | '*' | '^' => digit && next().is_some_and(|n| n.is_ascii_digit() || n == '-'),
        '-' => {
            if digit && next().is_some_and(|n| n.is_ascii_digit() || n == '-') {
                return 1;
            }
            return if digit || previous_is(ALPHA) {
                hyphen_len(rest)
            } else {
                0
            };
        }
        '–' | '—' | '~' => {
            return if digit || previous_is(ALPHA) {
                hyphen_len(rest)
            } else {
                0
            };
        }
        ',' => previous_is(ALPHA) && next_is(ALPHA),
        ':' | '<' | '>' | '=' | '/' => (digit || previous_is(ALPHA)) && next_is(ALPHA),
        _ => c == '…' || has(c, ICON),
    };
    if fits { c.len_utf8() } else { 0 }
}

/// Byte length of the hyphens that begin `rest` if a letter follows them; the first fitting of spaCy's HYPHENS.
fn hyphen_len(rest: &str) -> usize {
    let letter_after = |hyphen: &str| {
        let tail = rest.strip_prefix(hyphen);
        tail.and_then(|tail| tail.chars().next())
            .is_some_and(|n| has(n, ALPHA))
    };
    let hyphens = ["-", "–", "—", "--", "---", "——", "~"];
    hyphens
        .into_iter()
        .find(|&hyphen| letter_after(hyphen))
        .map_or(0, str::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_suffixes() {
        let rules = Rules::new();
        let prefix = |text| prefix_len(&rules, text);
        assert_eq!(
            [
                prefix("+a"),
                prefix("+1"),
                prefix("...a"),
                prefix(".a"),
                prefix("US$1"),
                prefix("“a")
            ],
            [1, 0, 3, 0, 3, 3]
        );
        let suffix = |text| suffix_len(&rules, text);
        assert_eq!(
            [
                suffix("it's"),
                suffix("’S"),
                suffix("a.."),
                suffix("A."),
                suffix("AB."),
                suffix("a.")
            ],
            [2, 4, 2, 0, 1, 1]
        );
        assert_eq!(
            [
                suffix("3+"),
                suffix("x+"),
                suffix("3$"),
                suffix("3US$"),
                suffix("3km/h"),
                suffix("°F.")
            ],
            [1, 0, 1, 3, 4, 1]
        );
    }

    #[test]
    fn infixes_in_order() {
        let of = |text: &str| {
            let mut out = Vec::new();
            infixes(text, |start, end| out.push(text[start..end].to_owned()));
            out
        };
        assert_eq!(of("a.B...c1+2x-y--z,w/v"), [".", "...", "+", "-", "--", ",", "/"]);
        assert_eq!(of("a.b 1,000 1:2 U.S"), Vec::<String>::new());
    }
}
