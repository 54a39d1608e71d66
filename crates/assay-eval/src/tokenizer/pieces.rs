//! Cuts text into pieces: runs of one class of bytes, with a blank before a word kept on the word.
//!
//! Classes: letters (A–Z, a–z and all bytes from 0x80), digits, white space, the rest. Merges never cross a piece.

/// Longest piece in bytes; longer runs are cut.
pub const PIECE_BYTES_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Space,
    Other,
}

/// The class of every byte.
static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut rest = classes.as_mut_slice();
    let mut byte = 0_u32;
    while let Some((first, later)) = rest.split_first_mut() {
        *first = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' | 0x80..=0xFF => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            0x09..=0x0D | 0x20 => Class::Space,
            _ => Class::Other,
        };
        byte += 1;
        rest = later;
    }
    classes
};

fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Other)
}

/// Length of the run of one class at the start of `bytes`.
fn run(bytes: &[u8]) -> usize {
    let Some(first) = bytes.first().map(|byte| class(*byte)) else {
        return 0;
    };
    bytes
        .iter()
        .position(|byte| class(*byte) != first)
        .unwrap_or(bytes.len())
}

/// Length of the pre-token at the start of `bytes`.
fn pre_token(bytes: &[u8]) -> usize {
    let length = run(bytes);
    let rest = bytes.get(length..).unwrap_or_default();
    let is_held_back = bytes.first().is_some_and(|byte| class(*byte) == Class::Space)
        && !rest.is_empty()
        && bytes.get(length.saturating_sub(1)) == Some(&b' ');
    match (is_held_back, length) {
        (true, 1) => 1 + run(rest),
        (true, _) => length - 1,
        (false, _) => length,
    }
}

/// The pieces of a text, in order; joined they are the text.
pub fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    // What is left of a pre-token that is longer than a piece.
    let mut token: &[u8] = &[];
    std::iter::from_fn(move || {
        if token.is_empty() {
            (token, rest) = rest.split_at(pre_token(rest));
        }
        let (piece, later) = token.split_at(token.len().min(PIECE_BYTES_MAX));
        token = later;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Vec<String> {
        pieces(text.as_bytes())
            .map(|piece| String::from_utf8_lossy(piece).into_owned())
            .collect()
    }

    #[test]
    fn a_blank_goes_with_the_next_run() {
        assert_eq!(of("a cat, 12!"), ["a", " cat", ",", " 12", "!"]);
        assert_eq!(
            of("a  b\n c\n\nd  "),
            ["a", " ", " b", "\n", " c", "\n\n", "d", "  "]
        );
        assert_eq!(of("x\ty \n"), ["x", "\t", "y", " \n"]);
        assert_eq!(of(""), [""; 0]);
    }

    #[test]
    fn long_runs_are_cut() {
        let lengths: Vec<usize> = of(&"a".repeat(130)).iter().map(String::len).collect();
        assert_eq!(lengths, [64, 64, 2]);
    }

    proptest! {
        #[test]
        fn pieces_join_to_the_text(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let pieces: Vec<&[u8]> = pieces(&bytes).collect();
            prop_assert_eq!(pieces.concat(), bytes.clone());
            prop_assert!(pieces.iter().all(|piece| (1..=PIECE_BYTES_MAX).contains(&piece.len())));
        }
    }
}
