//! datatrove's text normalisation before MinHash: lower case, numbers to `0`, no punctuation, no diacritics.
//!
//! Source: `simplify_text` in `utils/text.py` of datatrove 0.10.1 with its default `TextNormConfig`. Texts come from the
//! filters, the result goes to [`super::words`] and [`crate::minhash`]. Speed: 315 MB/s (web
//! text, one core of an AMD EPYC, `benches/text.rs`; datatrove 4 MB/s).

use unicode_normalization::UnicodeNormalization as _;

use super::python::{lower_char_at, rstrip};
use super::tables::{DIGIT_NEW, LOWERS, MARK, NFD, PUNCTUATION, SPACE, flags, has};

/// Replaces `out` by the normalised `text`.
pub fn simplify(text: &str, out: &mut String) {
    out.clear();
    out.reserve(text.len());
    let mut writer = Writer {
        out,
        run: String::new(),
        begun: false,
        space: false,
    };
    let mut at = 0;
    while let Some(&byte) = text.as_bytes().get(at) {
        at += if byte.is_ascii_alphabetic() {
            writer.ascii_letters(text.get(at..).unwrap_or(""))
        } else if byte.is_ascii() && !byte.is_ascii_digit() {
            // Every other ASCII character is white space or punctuation.
            writer.space = true;
            1
        } else {
            let used = writer.character(text, at);
            if used == 0 {
                break;
            }
            used
        };
    }
    writer.flush_run();
    let kept = rstrip(out).len();
    out.truncate(kept);
    let leading = out.len() - super::python::lstrip(out).len();
    out.drain(..leading);
}

/// The normalised text as it grows.
struct Writer<'a> {
    out: &'a mut String,
    /// Characters that wait for decomposition: all of them decompose or have a combining class.
    run: String,
    /// Something but white space was seen, even if it was a mark that left nothing.
    begun: bool,
    /// White space was seen since the last character.
    space: bool,
}

impl Writer<'_> {
    /// Writes the space due before a character.
    #[inline]
    fn begin(&mut self) {
        if self.space {
            self.space = false;
            if self.begun {
                self.flush_run();
                self.out.push(' ');
            }
        }
        self.begun = true;
    }

    /// Writes the ASCII letters that begin `rest`; their number.
    #[inline]
    fn ascii_letters(&mut self, rest: &str) -> usize {
        let len = rest
            .bytes()
            .position(|byte| !byte.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        self.begin();
        self.flush_run();
        let start = self.out.len();
        self.out.push_str(rest.get(..len).unwrap_or(""));
        if let Some(added) = self.out.get_mut(start..) {
            added.make_ascii_lowercase();
        }
        len
    }

    /// Writes the character at byte `at` of `text`, or the number that begins there; the bytes used.
    fn character(&mut self, text: &str, at: usize) -> usize {
        let rest = text.get(at..).unwrap_or("");
        let Some(c) = rest.chars().next() else { return 0 };
        let word = flags(c);
        if word & (SPACE | PUNCTUATION) != 0 && word & DIGIT_NEW == 0 {
            self.space = true;
        } else if word & DIGIT_NEW != 0 {
            self.write('0');
            return number_len(rest);
        } else if word & LOWERS != 0 {
            lower_char_at(c, text, at, |lowered| self.write(lowered));
        } else {
            self.write(c);
        }
        c.len_utf8()
    }

    /// Writes one character of the lower-cased text that is neither white space nor punctuation.
    fn write(&mut self, c: char) {
        self.begin();
        let word = flags(c);
        if word & NFD != 0 {
            self.run.push(c);
            return;
        }
        self.flush_run();
        if word & MARK == 0 {
            self.out.push(c);
        }
    }

    /// Decomposes what waits. Its neighbours are starters that do not decompose, so it can be normalised alone.
    #[inline]
    fn flush_run(&mut self) {
        if !self.run.is_empty() {
            self.out.extend(self.run.nfd().filter(|&c| !has(c, MARK)));
            self.run.clear();
        }
    }
}

/// Byte length of `\p{Nd}+([.,،٫⎖⎗⎘]\p{Nd}+)?` at the start of `rest`, which begins with a digit.
fn number_len(rest: &str) -> usize {
    let is_digit = |c: char| has(c, DIGIT_NEW);
    let after = rest.trim_start_matches(is_digit);
    let fraction = after.strip_prefix(['.', ',', '،', '٫', '⎖', '⎗', '⎘']);
    match fraction.map(|tail| (tail, tail.trim_start_matches(is_digit))) {
        Some((tail, end)) if end.len() < tail.len() => rest.len() - end.len(),
        _ => rest.len() - after.len(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> String {
        let mut out = String::new();
        simplify(text, &mut out);
        out
    }

    #[test]
    fn vector_of_the_reference() {
        assert_eq!(
            of("The Quick brown fox — jumps over 1,234.5 lazy dogs; don't you think, café?"),
            "the quick brown fox — jumps over 0 0 lazy dogs don t you think cafe".replace("— ", "")
        );
    }

    #[test]
    fn order_of_the_steps_shows() {
        assert_eq!(of("1.2.3"), "0 0");
        assert_eq!(of("a \u{301} b"), "a  b");
        assert_eq!(of("\u{301} a \u{301}"), "a");
        assert_eq!(of("\u{ff11}x\u{ff11},\u{663}"), "0x0");
        assert_eq!(of("ΟΔΟΣ İ 각"), "οδος i \u{1100}\u{1161}\u{11a8}");
        assert_eq!(of(" ,. "), "");
    }

    #[test]
    fn decomposition_of_every_code_point_is_that_of_unicode_14() {
        let mut all = String::new();
        for c in '\0'..=char::MAX {
            if has(c, NFD) {
                all.extend(std::iter::once(c).nfd());
            } else {
                all.push(c);
            }
            all.push('\n');
        }
        assert_eq!(
            crate::text::tables::check_digest("nfd"),
            crate::text::tables::sha256_hex(&all)
        );
    }

    proptest! {
        #[test]
        fn ascii_text_is_normal_after_one_pass(text in "[ -~\\n\\t]{0,80}") {
            let once = of(&text);
            prop_assert_eq!(of(&once), once);
        }

        #[test]
        fn any_text_comes_out_trimmed_and_without_ascii_punctuation(text in any::<String>()) {
            // Two characters are no punctuation for datatrove and become some by NFD: `;` and a grave accent.
            let out = of(&text.replace(['\u{37e}', '\u{1fef}'], ""));
            prop_assert_eq!(super::super::python::strip(&out), out.as_str());
            prop_assert!(!out.bytes().any(|byte| byte.is_ascii_punctuation() || byte.is_ascii_uppercase()));
        }
    }
}
