//! Replaces e-mail addresses and public IPv4 addresses in a text, as datatrove's `PIIFormatter()` does.
//!
//! In: the text of a kept record, after token count and bands. Out: the published text. The cycle of replacements
//! starts anew with every document (datatrove's runs on from document to document, which no one can repeat).
//!
//! Two passes, e-mails first, addresses in the result. Source of both patterns and of the replacements: datatrove
//! `pipeline/formatters/pii.py` @a649de79. The patterns are written out by hand: every `@` and every digit is looked
//! at a bounded number of times, so time is linear whatever the text.
//! Sketch: one memchr pass and one pass over bytes; nothing is copied unless something is replaced.
use std::borrow::Cow;
use std::net::Ipv4Addr;

use serde::Serialize;

use crate::text::python::is_word_char;

/// datatrove's `email_replacement`.
const EMAILS: [&str; 2] = ["email@example.com", "firstname.lastname@example.org"];
/// datatrove's `ip_replacement`: addresses that did not answer when the list was made.
const ADDRESSES: [&str; 6] = [
    "22.214.171.124",
    "126.96.36.199",
    "188.8.131.52",
    "184.108.40.206",
    "220.127.116.11",
    "18.104.22.168",
];

/// Ranges that Python 3.11.7 does not call global (`ipaddress.py`: `_private_networks` and 100.64/10): base, bits.
const NOT_GLOBAL: [([u8; 4], u32); 14] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 29),
    ([192, 0, 0, 170], 31),
    ([192, 0, 2, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([240, 0, 0, 0], 4),
];

/// A text without personal addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scrubbed<'a> {
    /// The text; borrowed if nothing was replaced.
    pub text: Cow<'a, str>,
    /// E-mail addresses replaced by another string.
    pub emails_changed: u32,
    /// IPv4 addresses replaced by another string.
    pub ips_changed: u32,
}

/// Replaces e-mail addresses, then public IPv4 addresses.
pub fn scrub(text: &str) -> Scrubbed<'_> {
    let (text, emails_changed) = replace(text, &EMAILS, Email::default());
    let (text, ips_changed) = match text {
        Cow::Borrowed(text) => replace(text, &ADDRESSES, Address),
        Cow::Owned(text) => {
            let (inner, changed) = replace(&text, &ADDRESSES, Address);
            (Cow::Owned(inner.into_owned()), changed)
        }
    };
    Scrubbed {
        text,
        emails_changed,
        ips_changed,
    }
}

/// Finds one kind of address.
trait Finder {
    /// The first match at or after `from` that is to be replaced, as byte offsets.
    fn find(&mut self, text: &str, from: usize) -> Option<(usize, usize)>;
}

/// Replaces all matches, the replacements in turn; counts those that change something.
fn replace<'a>(text: &'a str, with: &[&'static str], mut finder: impl Finder) -> (Cow<'a, str>, u32) {
    let mut out = String::new();
    let (mut done, mut changed) = (0, 0);
    let mut cycle = with.iter().cycle();
    while let Some((start, end)) = finder.find(text, done) {
        let replacement = cycle.next().copied().unwrap_or_default();
        changed += u32::from(text.get(start..end) != Some(replacement));
        out.push_str(text.get(done..start).unwrap_or_default());
        out.push_str(replacement);
        done = end;
    }
    if done == 0 {
        return (Cow::Borrowed(text), 0);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    (Cow::Owned(out), changed)
}

/// E-mail addresses: `\b` atom (`.` atom)* `@` host.
#[derive(Default)]
struct Email {
    /// No match begins before this offset's `@`.
    scanned: usize,
}

impl Finder for Email {
    fn find(&mut self, text: &str, from: usize) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        self.scanned = self.scanned.max(from);
        loop {
            let at = self.scanned + memchr::memchr(b'@', bytes.get(self.scanned..)?)?;
            self.scanned = at + 1;
            let Some(end) = host_end(bytes, at + 1) else {
                continue;
            };
            if let Some(start) = local_start(text, from, at) {
                return Some((start, end));
            }
        }
    }
}

/// Leftmost start of a local part that ends before the `@` at `at` and does not begin before `from`.
fn local_start(text: &str, from: usize, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let byte = |index: usize| bytes.get(index).copied().unwrap_or(b' ');
    let mut low = at;
    while low > from {
        let before = byte(low - 1);
        // A dot needs an atom on both sides; the one on its left is looked at here, the one on its right was passed.
        let is_dot =
            before == b'.' && low < at && is_atom(byte(low)) && low - 1 > from && is_atom(byte(low - 2));
        if !(is_atom(before) || is_dot) {
            break;
        }
        low -= 1;
    }
    (low..at).find(|&start| is_atom(byte(start)) && is_boundary(text, start))
}

/// Atom characters of RFC 5322 as in the pattern.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

/// Python's `\b` before an ASCII byte at `start`.
fn is_boundary(text: &str, start: usize) -> bool {
    let before = text.get(..start).and_then(|before| before.chars().next_back());
    let here = text.get(start..).and_then(|rest| rest.chars().next());
    before.is_some_and(is_word_char) != here.is_some_and(is_word_char)
}

/// End of the host name or bracketed address that starts at `start`.
fn host_end(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes.get(start) == Some(&b'[') {
        return literal_end(bytes, start + 1);
    }
    let (mut label, mut labels, mut last_end) = (start, 0u32, start);
    loop {
        let run = run_end(bytes, label);
        // The last label may stop before hyphens; one followed by a dot may not.
        let Some(end) = label_end(bytes, label, run) else {
            return (labels >= 2).then_some(last_end);
        };
        if end != run || bytes.get(run) != Some(&b'.') {
            return (labels >= 1).then_some(end);
        }
        labels += 1;
        last_end = run;
        label = run + 1;
    }
}

/// End of the run of letters, digits and hyphens that starts at `start`.
fn run_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|&byte| !(byte.is_ascii_alphanumeric() || byte == b'-'));
    start + length.unwrap_or(rest.len())
}

/// End of the longest label in `start..run`: first and last byte alphanumeric.
fn label_end(bytes: &[u8], start: usize, run: usize) -> Option<usize> {
    let label = bytes.get(start..run)?;
    label.first().filter(|byte| byte.is_ascii_alphanumeric())?;
    let last = label.iter().rposition(u8::is_ascii_alphanumeric)?;
    Some(start + last + 1)
}

/// End of `1.2.3.4]` or `1.2.3.tag:]` at `start`, the closing bracket included.
fn literal_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut from = start;
    for _ in 0..3 {
        from += octet_lengths(bytes, from).find(|length| bytes.get(from + length) == Some(&b'.'))? + 1;
    }
    let octet = octet_lengths(bytes, from).find(|length| bytes.get(from + length) == Some(&b']'));
    if let Some(length) = octet {
        return Some(from + length + 1);
    }
    let run = run_end(bytes, from);
    let tagged = run > from && bytes.get(run - 1).is_some_and(u8::is_ascii_alphanumeric);
    (tagged && bytes.get(run..run + 2) == Some(b":]")).then_some(run + 2)
}

/// Lengths of `25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?` at `start`, in the order a backtracking matcher tries them.
fn octet_lengths(bytes: &[u8], start: usize) -> impl Iterator<Item = usize> {
    let digit = |offset: usize| bytes.get(start + offset).copied().filter(u8::is_ascii_digit);
    let longest = match (digit(0), digit(1), digit(2)) {
        (None, _, _) => 0,
        (Some(_), None, _) => 1,
        (Some(b'0' | b'1'), Some(_), Some(_))
        | (Some(b'2'), Some(b'0'..=b'4'), Some(_))
        | (Some(b'2'), Some(b'5'), Some(b'0'..=b'5')) => 3,
        _ => 2,
    };
    (1..=longest).rev()
}

/// Public IPv4 addresses, anywhere, also inside longer digit strings.
struct Address;

impl Finder for Address {
    fn find(&mut self, text: &str, from: usize) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        let mut start = from;
        loop {
            let rest = bytes.get(start..)?;
            start += rest.iter().position(u8::is_ascii_digit)?;
            match address_end(bytes, start) {
                Some(end) if text.get(start..end).is_some_and(is_public) => return Some((start, end)),
                // A match that is not replaced is still consumed.
                Some(end) => start = end,
                None => start += 1,
            }
        }
    }
}

/// End of four octets at `start`.
fn address_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut from = start;
    for _ in 0..3 {
        from += octet_lengths(bytes, from).find(|length| bytes.get(from + length) == Some(&b'.'))? + 1;
    }
    Some(from + octet_lengths(bytes, from).next()?)
}

/// Python 3.11.7's `ipaddress.ip_address(text).is_global` for an IPv4 address; leading zeros make it invalid.
fn is_public(text: &str) -> bool {
    let Ok(address) = text.parse::<Ipv4Addr>() else {
        return false;
    };
    let bits = address.to_bits();
    !NOT_GLOBAL
        .iter()
        .any(|&(base, length)| (bits ^ u32::from_be_bytes(base)) >> (32 - length) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(scrub(text).text, expected, "{text}");
    }

    #[test]
    fn replacements_cycle_and_start_anew() {
        check(
            "a@b.cc d@e.ff g@h.ii",
            "email@example.com firstname.lastname@example.org email@example.com",
        );
        check("a@b.cc", "email@example.com");
        let text = "8.8.8.8 ".repeat(7);
        assert_eq!(scrub(&text).ips_changed, 7);
        assert!(scrub(&text).text.ends_with("18.104.22.168 22.214.171.124 "));
    }

    #[test]
    fn local_parts() {
        check("x..a.b@c.de", "x..email@example.com");
        check(".a@c.de a.@c.de", ".email@example.com a.@c.de");
        check("éa@b.com", "éa@b.com");
        check("é!a@b.com", "éemail@example.com");
        check("é.a@b.com", "é.email@example.com");
        check("!a@b.com", "!email@example.com");
        check("½a@b.com", "½a@b.com");
        check("\u{301}a@b.com", "\u{301}email@example.com");
        check("a@b.com@c.org", "email@example.com@c.org");
        check(
            "a@b.com!x@c.org",
            "email@example.comfirstname.lastname@example.org",
        );
    }

    #[test]
    fn hosts() {
        check("a@b", "a@b");
        check("a@b.", "a@b.");
        check("a@b.c.", "email@example.com.");
        check("a@b.c-.d", "email@example.com-.d");
        check("a@b-.d", "a@b-.d");
        check("a@-b.d", "a@-b.d");
        check("a@b..c", "a@b..c");
        check("a@b.c..d", "email@example.com..d");
        check("a@[1.2.3.4]b", "email@example.comb");
        check("a@[1.2.3.x-y:]", "email@example.com");
        check("a@[1.2.3.x-:]", "a@[1.2.3.x-:]");
        check("a@[10.2.3]", "a@[10.2.3]");
    }

    #[test]
    fn addresses() {
        check("1234.5.6.789", "122.214.171.1249");
        check(
            "10.0.0.1 127.0.0.1 192.168.1.1 100.64.0.1",
            "10.0.0.1 127.0.0.1 192.168.1.1 100.64.0.1",
        );
        check(
            "224.0.0.1 192.0.0.8 192.0.0.170",
            "22.214.171.124 126.96.36.199 192.0.0.170",
        );
        check("8.8.8.08", "8.8.8.08");
        check("10.0.0.1.2.3.4", "10.0.0.1.2.3.4");
        check("256.1.1.1", "222.214.171.124");
        check("8.8.8.1000", "22.214.171.1240");
    }

    #[test]
    fn a_replacement_equal_to_what_stood_there_is_no_change() {
        assert_eq!(scrub("email@example.com").emails_changed, 0);
        assert_eq!(scrub("22.214.171.124").ips_changed, 0);
        assert!(matches!(scrub("no address, a @ b, 1.2.3").text, Cow::Borrowed(_)));
    }

    #[test]
    fn one_megabyte_of_near_matches_is_linear() {
        for unit in [
            "a@",
            "1.",
            "a.",
            "a@a.",
            "@",
            "255.255.255.",
            "a-@b-",
            "a@[1.2.3.x",
            "!#$",
        ] {
            let text = unit.repeat(1_000_000 / unit.len());
            assert!(scrub(&text).text.len() <= 20 * text.len());
        }
    }

    proptest! {
        #[test]
        fn a_second_pass_changes_nothing(
            words in proptest::collection::vec("[a-z]{1,5}|[a-z.]{1,5}[a-z]@[a-z]{1,5}\\.[a-z]{2}|[1-9]\\.[1-9]\\.[1-9]\\.[1-9]", 0..20)
        ) {
            let text = words.join(" ");
            let once = scrub(&text).text.into_owned();
            let twice = scrub(&once);
            prop_assert_eq!(twice.text.as_ref(), once.as_str());
        }

        #[test]
        fn any_text_is_scrubbed(text in "[a@.\\[\\]:0-9é_ -]{0,40}") {
            let scrubbed = scrub(&text);
            prop_assert!(scrubbed.emails_changed + scrubbed.ips_changed > 0 || scrubbed.text == text);
        }
    }
}
