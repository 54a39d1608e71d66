//! Runs of words counted for the repetition filter: the commonest 2- to 4-grams, repeated 5- to 10-grams.
//!
//! In: the words of a text. Out: characters (code points) of the n-grams that [`super::gopher_repetition`] compares.
//!
//! Two observations keep this fast. An n-gram that occurs twice begins with an (n−1)-gram that occurs twice. And equal
//! n-grams have equal first bytes: a position whose first [`PREFIX_BYTES`] bytes occur nowhere else neither repeats an
//! earlier n-gram nor is repeated, so it need not even be remembered.
use super::scratch::{FilterScratch, hash_bytes};
use crate::text::words::Token;

/// Bytes of an n-gram's beginning that must occur twice before it is looked at: about three words.
const PREFIX_BYTES: usize = 16;
/// Words of the shortest n-gram of rule 4.
const REPEATED_MIN: usize = 5;

/// Fills the buffers of words: joined text, offsets, lengths, ids.
pub(super) fn load_words(text: &str, tokens: &[Token], seed: u64, scratch: &mut FilterScratch) {
    let FilterScratch {
        joined,
        offsets,
        chars,
        ids,
        seen,
        ..
    } = scratch;
    joined.clear();
    offsets.clear();
    chars.clear();
    ids.clear();
    seen.reset(tokens.len(), seed);
    let mut char_count = 0u32;
    for token in tokens.iter().filter(|token| !token.is_space) {
        let word = token.text(text);
        let position = ids.len() as u32;
        offsets.push(joined.len() as u32);
        chars.push(char_count);
        joined.push_str(word);
        char_count += word
            .bytes()
            .map(|byte| u32::from(byte & 0xc0 != 0x80))
            .sum::<u32>();
        // The id of a word is the position of the first equal word; the last one ends where the text does.
        let same = |other: u32| {
            let start = offsets.get(other as usize).copied().unwrap_or_default() as usize;
            let end = offsets
                .get(other as usize + 1)
                .map_or(joined.len(), |&end| end as usize);
            joined.as_bytes().get(start..end) == Some(word.as_bytes())
        };
        ids.push(
            seen.find_or_insert(hash_bytes(word.as_bytes(), seed), position, same)
                .unwrap_or(position),
        );
    }
    offsets.push(joined.len() as u32);
    chars.push(char_count);
}

/// Length of the commonest 2-, 3-, 4-gram joined by spaces, times its count; of equally common ones the first seen.
///
/// N-grams are pairs of an (n−1)-gram's id and a word's id, so that equal ids mean equal words.
/// Source: datatrove `find_top_duplicate`, `pipeline/filters/gopher_repetition_filter.py` @a649de79.
pub(super) fn top_grams(seed: u64, scratch: &mut FilterScratch) -> [Option<u64>; 3] {
    let FilterScratch {
        chars,
        ids,
        counts,
        candidates,
        seen,
        ..
    } = scratch;
    candidates.clear();
    candidates.extend((0u32..).zip(ids.iter().copied()));
    [2usize, 3, 4].map(|n| {
        let positions = (ids.len() + 1).saturating_sub(n);
        candidates.retain(|&(position, _)| (position as usize) < positions);
        seen.reset(candidates.len(), seed);
        counts.clear();
        for (position, id) in candidates.iter_mut() {
            let last = ids.get(*position as usize + n - 1).copied().unwrap_or_default();
            let fresh = counts.len() as u32;
            let key = u64::from(*id) << 32 | u64::from(last);
            *id = seen.find_or_insert(key, fresh, |_| true).unwrap_or(fresh);
            match counts.get_mut(*id as usize) {
                Some((count, _)) => *count += 1,
                None => counts.push((1, *position)),
            }
        }
        let mut best = (1, 0);
        for &entry in counts.iter() {
            // Strictly more: of equally common n-grams the first seen stays; if none repeats, the text's first.
            best = if entry.0 > best.0 { entry } else { best };
        }
        candidates.retain(|&(_, id)| counts.get(id as usize).is_some_and(|entry| entry.0 > 1));
        let (count, first) = (best.0, best.1 as usize);
        let length = (positions > 0).then(|| chars_between(chars, first, first + n) + n as u64 - 1)?;
        Some(length * u64::from(count))
    })
}

/// Characters in 5- to 10-grams, joined by nothing, that equal an earlier one; a repeat is stepped over.
///
/// Source: datatrove `find_all_duplicate`, `pipeline/filters/gopher_repetition_filter.py` @a649de79.
pub(super) fn repeated_grams(seed: u64, scratch: &mut FilterScratch) -> [u64; 6] {
    mark_candidates(seed, scratch);
    let FilterScratch {
        joined,
        offsets,
        chars,
        candidates,
        seen,
        ..
    } = scratch;
    let words = offsets.len().saturating_sub(1);
    [5usize, 6, 7, 8, 9, 10].map(|n| {
        seen.reset(candidates.len(), seed);
        let (mut free_from, mut repeated) = (0, 0);
        for &(position, _) in candidates.iter() {
            let here = position as usize;
            if here < free_from {
                continue;
            }
            if here + n > words {
                break;
            }
            let gram = bytes_between(joined, offsets, here, n);
            let same = |other: u32| bytes_between(joined, offsets, other as usize, n) == gram;
            if seen
                .find_or_insert(hash_bytes(gram, seed), position, same)
                .is_some()
            {
                repeated += chars_between(chars, here, here + n);
                free_from = here + n;
            }
        }
        repeated
    })
}

/// Collects the positions at which an n-gram of five or more words can be a repeat or be repeated: those whose first
/// bytes occur at another word too, and those whose five words are shorter than that.
fn mark_candidates(seed: u64, scratch: &mut FilterScratch) {
    let FilterScratch {
        joined,
        offsets,
        candidates,
        marks,
        seen,
        ..
    } = scratch;
    let words = offsets.len().saturating_sub(1);
    marks.clear();
    marks.resize(words, false);
    seen.reset(words, seed);
    for position in 0..words {
        let Some(prefix) = prefix_at(joined, offsets, position) else {
            break;
        };
        let same = |other: u32| prefix_at(joined, offsets, other as usize) == Some(prefix);
        if let Some(other) = seen.find_or_insert(hash_bytes(prefix, seed), position as u32, same) {
            for mark in [other as usize, position] {
                if let Some(mark) = marks.get_mut(mark) {
                    *mark = true;
                }
            }
        }
    }
    candidates.clear();
    let short = |position: usize| bytes_between(joined, offsets, position, REPEATED_MIN).len() < PREFIX_BYTES;
    let marked = marks
        .iter()
        .enumerate()
        .filter(|&(position, &mark)| mark || short(position));
    candidates.extend(marked.map(|(position, _)| (position as u32, 0)));
}

/// The first bytes from a word on; `None` near the end.
fn prefix_at<'a>(joined: &'a str, offsets: &[u32], position: usize) -> Option<&'a [u8]> {
    let start = *offsets.get(position)? as usize;
    joined.as_bytes().get(start..start + PREFIX_BYTES)
}

/// The bytes of `n` words from a position on; fewer at the end.
fn bytes_between<'a>(joined: &'a str, offsets: &[u32], position: usize, n: usize) -> &'a [u8] {
    let start = offsets
        .get(position)
        .map_or(joined.len(), |&start| start as usize);
    let end = offsets
        .get(position + n)
        .map_or(joined.len(), |&end| end as usize);
    joined.as_bytes().get(start..end).unwrap_or_default()
}

/// Code points of the words `from..to`.
fn chars_between(chars: &[u32], from: usize, to: usize) -> u64 {
    let before = |position: usize| chars.get(position).copied().unwrap_or_default();
    u64::from(before(to).saturating_sub(before(from)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{HashMap, HashSet};

    fn counts(words: &[&str]) -> ([Option<u64>; 3], [u64; 6]) {
        let text = words.join(" ");
        let mut tokens = Vec::new();
        let mut start = 0u32;
        for word in words {
            let end = start + word.len() as u32;
            tokens.push(Token {
                start,
                end,
                is_space: false,
            });
            start = end + 1;
        }
        let mut scratch = FilterScratch::default();
        load_words(&text, &tokens, 12_345, &mut scratch);
        (
            top_grams(12_345, &mut scratch),
            repeated_grams(12_345, &mut scratch),
        )
    }

    /// The reference, word for word: n-grams as strings.
    fn counts_with_strings(words: &[&str]) -> ([Option<u64>; 3], [u64; 6]) {
        let top = [2, 3, 4].map(|n| {
            let mut grams: HashMap<String, (u64, usize)> = HashMap::new();
            for (first, gram) in words.windows(n).enumerate() {
                grams.entry(gram.join(" ")).or_insert((0, first)).0 += 1;
            }
            let best = grams
                .iter()
                .max_by_key(|(_, entry)| (entry.0, std::cmp::Reverse(entry.1)))?;
            Some(best.0.chars().count() as u64 * best.1.0)
        });
        let repeated = [5, 6, 7, 8, 9, 10].map(|n| {
            let (mut seen, mut at, mut chars) = (HashSet::new(), 0, 0);
            while at + n <= words.len() {
                let gram = words[at..at + n].concat();
                if seen.contains(&gram) {
                    chars += gram.chars().count() as u64;
                    at += n;
                } else {
                    seen.insert(gram);
                    at += 1;
                }
            }
            chars
        });
        (top, repeated)
    }

    #[test]
    fn no_words_no_grams() {
        assert_eq!(counts(&[]), ([None; 3], [0; 6]));
    }

    proptest! {
        #[test]
        fn equal_to_counting_strings(words in proptest::collection::vec("[ab]{1,2}|é|a{9}|[a-c]{7}", 0..80)) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            prop_assert_eq!(counts(&words), counts_with_strings(&words));
        }

        #[test]
        fn equal_on_long_repeats(words in proptest::collection::vec("[a-z]{1,9}", 1..20), cut in 0usize..20) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let cut = cut.min(words.len());
            let twice = [&words[..], &words[cut..], &["x"], &words[..]].concat();
            prop_assert_eq!(counts(&twice), counts_with_strings(&twice));
        }
    }
}
