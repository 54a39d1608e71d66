//! GPT-2's pre-tokeniser by hand: the pieces its regular expression cuts a text into.
//!
//! Source: the pattern of r50k_base in tiktoken-rs 0.12.1, in its older form
//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`. Letters, numbers and spaces are those of
//! Hugging Face tokenizers 0.23.3 (`flags.bin`). Asked by `counter`.

use crate::text::tables::{GPT2_LETTER, GPT2_NUMBER, GPT2_SPACE, ascii_flags, flags};

/// What a character is to the pattern: one of the three flags, or none.
const CLASSES: u32 = GPT2_LETTER | GPT2_NUMBER | GPT2_SPACE;

/// Byte length of the piece that begins `text`; 0 at its end.
#[inline]
pub(super) fn piece_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let Some(&first) = bytes.first() else { return 0 };
    if first == b'\'' {
        let contraction = contraction_len(bytes);
        if contraction > 0 {
            return contraction;
        }
    }
    let lead = usize::from(first == b' ');
    match class_at(text, lead) {
        Some(class) if class & GPT2_SPACE == 0 => lead + run_len(text.get(lead..).unwrap_or(""), class),
        _ => space_len(text),
    }
}

fn contraction_len(bytes: &[u8]) -> usize {
    match (bytes.get(1), bytes.get(2)) {
        (Some(b's' | b't' | b'm' | b'd'), _) => 2,
        (Some(b'r' | b'v'), Some(b'e')) | (Some(b'l'), Some(b'l')) => 3,
        _ => 0,
    }
}

#[inline]
fn class_at(text: &str, at: usize) -> Option<u32> {
    let &byte = text.as_bytes().get(at)?;
    if byte.is_ascii() {
        return Some(ascii_flags(byte) & CLASSES);
    }
    text.get(at..)?.chars().next().map(|c| flags(c) & CLASSES)
}

/// Bytes of the run of one class at the start of `text`.
#[inline]
fn run_len(text: &str, class: u32) -> usize {
    let same = |byte: &u8| byte.is_ascii() && ascii_flags(*byte) & CLASSES == class;
    let ascii = text.as_bytes().iter().take_while(|byte| same(byte)).count();
    let rest = text.get(ascii..).unwrap_or("");
    if rest.bytes().next().is_none_or(|byte| byte.is_ascii()) {
        return ascii;
    }
    ascii + rest.find(|c| flags(c) & CLASSES != class).unwrap_or(rest.len())
}

/// White space at the start: the whole run at the end of the text, else all but its last character, at least one.
fn space_len(text: &str) -> usize {
    let run = run_len(text, GPT2_SPACE);
    if run == text.len() {
        return run;
    }
    let last = text
        .get(..run)
        .and_then(|spaces| spaces.chars().next_back())
        .map_or(1, char::len_utf8);
    if run > last { run - last } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_the_pattern() {
        let of = |text: &str| {
            let (mut out, mut rest) = (Vec::new(), text.to_owned());
            while piece_len(&rest) > 0 {
                let tail = rest.split_off(piece_len(&rest));
                out.push(std::mem::replace(&mut rest, tail));
            }
            out
        };
        assert_eq!(
            of("I'll go 'no  12a  \n x'S  "),
            [
                "I", "'ll", " go", " '", "no", " ", " 12", "a", "  \n", " x", "'", "S", "  "
            ]
        );
        assert_eq!(of("\na\u{a0}é½…"), ["\n", "a", "\u{a0}", "é", "½", "…"]);
        assert_eq!(of(" \u{a0}b"), [" ", "\u{a0}", "b"]);
    }
}
