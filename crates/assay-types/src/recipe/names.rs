//! The nearest known name to a misspelt one.
//!
//! Unknown keys and words of a recipe come in; error messages leave with a suggestion.

/// Longest foreign name that is compared or quoted, in characters: bounds the work and the message.
pub(crate) const NAME_CHARS_MAX: usize = 64;

/// `name` cut to what a message may quote.
pub(crate) fn quoted(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

/// The known name with the smallest edit distance, if at most a third of its characters (at least 2) differ.
pub(crate) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    if name.chars().count() > NAME_CHARS_MAX {
        return None;
    }
    let (distance, best) = known.iter().map(|&known| (distance(name, known), known)).min()?;
    (distance <= (best.chars().count() / 3).max(2)).then_some(best)
}

/// Insertions, deletions and replacements of characters that turn `a` into `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, in_a) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, in_b) in row.iter_mut().skip(1).zip(b.chars()) {
            let replaced = diagonal + usize::from(in_a != in_b);
            diagonal = *cell;
            left = replaced.min(left + 1).min(*cell + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, expected) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn only_near_names_are_suggested() {
        let known = ["words_min", "words_max", "stop_words"];
        assert_eq!(nearest("word_min", &known), Some("words_min"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest(&"w".repeat(65), &known), None);
    }
}
