//! A list of words as datatrove's URL filter normalises them: ASCII letters and digits only, lower case, sorted.
//!
//! In: `banned_words.txt` and its like. Out: words for [`crate::filter::url`], the artifact bytes and their digest.
use std::io::Read;

use super::UrlListError;
use super::lines::for_each_entry;

/// Most words of a list; datatrove's longest has 216.
const WORDS_MAX: usize = 100_000;

/// Sorted distinct normalised words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordList {
    words: Vec<String>,
}

impl WordList {
    /// The words of a list file. The artifact of a list is a list file too: sorted words, one a line.
    ///
    /// # Errors
    /// Those of reading, and limits on lines and words.
    pub fn from_lines(source: impl Read) -> Result<Self, UrlListError> {
        let mut words = Vec::new();
        for_each_entry(source, |entry| {
            if words.len() <= WORDS_MAX {
                words.push(normalize(entry));
            }
        })?;
        if words.len() > WORDS_MAX {
            return Err(UrlListError::TooManyLines { max: WORDS_MAX });
        }
        Ok(Self::from_words(words))
    }

    /// The given words, normalised; those that start with `#` are left out, as in a file.
    pub fn from_entries<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
        let listed = entries.into_iter().filter(|entry| !entry.starts_with('#'));
        Self::from_words(listed.map(normalize).collect())
    }

    fn from_words(mut words: Vec<String>) -> Self {
        words.sort_unstable();
        words.dedup();
        Self { words }
    }

    /// Place of a word in the sorted list, compared with its case.
    pub fn position(&self, word: &str) -> Option<usize> {
        self.words
            .binary_search_by(|listed| listed.as_str().cmp(word))
            .ok()
    }

    /// All words, ascending. The empty word is one if the list had a line without letters and digits.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The artifact: the words ascending, each followed by a line feed.
    pub fn encode(&self) -> Vec<u8> {
        self.words
            .iter()
            .flat_map(|word| word.bytes().chain(Some(b'\n')))
            .collect()
    }

    /// BLAKE3-256 of the artifact.
    pub fn digest(&self) -> [u8; 32] {
        *blake3::hash(&self.encode()).as_bytes()
    }
}

/// Everything but ASCII letters and digits removed, lower case.
///
/// Source: datatrove `pipeline/filters/url_filter.py` @a649de79, `normalize`.
pub(crate) fn normalize(text: &str) -> String {
    let kept = text.bytes().filter(u8::is_ascii_alphanumeric);
    kept.map(|byte| byte.to_ascii_lowercase() as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_all_but_letters_and_digits() {
        let list =
            WordList::from_lines(&b"#note\nred-Panda\nlion\nlion \n2 x\n\xc3\xa9t\xc3\xa9"[..]).unwrap();
        assert_eq!(list.words(), ["2x", "lion", "redpanda", "t"]);
        assert_eq!(list.position("lion"), Some(1));
        assert_eq!(list.position("Lion"), None);
    }

    #[test]
    fn artifact_is_a_list_of_itself() {
        let list = WordList::from_entries(["b", "a", "", "#c"]);
        assert_eq!(list.encode(), b"\na\nb\n");
        assert_eq!(WordList::from_lines(&list.encode()[..]).unwrap(), list);
        assert_eq!(list.digest(), *blake3::hash(b"\na\nb\n").as_bytes());
    }
}
