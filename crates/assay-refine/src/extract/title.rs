//! Whether a block repeats the page's title.

/// A text of more bytes is no title.
const TEXT_BYTES_MAX: usize = 400;

/// A title of so few bytes may stand in any text.
const TITLE_BYTES_MIN: usize = 10;

/// The page's title in lower case; empty if it has none.
#[derive(Debug, Default)]
pub(crate) struct Title(String);

impl Title {
    pub(crate) fn new(title: Option<&str>) -> Self {
        Self(title.unwrap_or_default().to_lowercase())
    }

    /// Whether a block's text is part of the title or holds it, in any case.
    pub(crate) fn is_shared_by(&self, text: &str) -> bool {
        let title = &self.0;
        if title.is_empty() || text.len() >= TEXT_BYTES_MAX {
            return false;
        }
        // Of ASCII, which most texts are, the lengths say at once which of both it can be.
        if text.len() < title.len() && text.is_ascii() && title.is_ascii() {
            return text.is_empty() || part_in_any_case(title.as_bytes(), text.as_bytes());
        }
        let lower = text.to_lowercase();
        title.contains(&lower) || (title.len() > TITLE_BYTES_MIN && lower.contains(title))
    }
}

/// Whether lower-case ASCII holds other ASCII in any case.
fn part_in_any_case(lower: &[u8], part: &[u8]) -> bool {
    lower
        .windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_and_a_whole_share_the_title_in_any_case() {
        let title = Title::new(Some("The River has RISEN – Daily"));
        for (text, is_shared) in [
            ("THE RIVER", true),
            ("risen – daily", true),
            ("", true),
            ("the lake", false),
            ("Today: the river has risen – daily news", true),
            ("the river has risen", true),
        ] {
            assert_eq!(title.is_shared_by(text), is_shared, "{text}");
        }
        assert!(!title.is_shared_by(&"The River has risen – daily ".repeat(20)));
        assert!(!Title::new(None).is_shared_by("text"));
    }

    /// The short way for ASCII says what the long way says.
    #[test]
    fn ascii_is_judged_as_other_text() {
        let words = [
            "",
            "news",
            "NEWS",
            "the news",
            "news of the day",
            "the news of today and more",
            "News Of",
        ];
        for title in words {
            for text in words {
                let (lower, kept) = (text.to_lowercase(), title.to_lowercase());
                let long = !kept.is_empty()
                    && (kept.contains(&lower) || (kept.len() > TITLE_BYTES_MIN && lower.contains(&kept)));
                assert_eq!(
                    Title::new(Some(title)).is_shared_by(text),
                    long,
                    "`{text}` in `{title}`"
                );
            }
        }
    }
}
