//! One description of every table's keys, walked by the parser, the emitter and `diff` alike.
//!
//! Each parameter struct names its keys, ranges and forms once in [`Table::fields`]; a [`Fields`] reads from
//! TOML into them or writes them out. So a key cannot be read under one name and written under another.

use crate::recipe::RecipeError;
use std::ops::RangeInclusive;

/// Which texts a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextForm {
    /// 1 to 64 of `[a-z0-9._+-]`, starting with a letter or digit.
    Name,
    /// A name, or "" for none.
    NameOrNone,
    /// Three decimal numbers with dots between.
    Version,
    /// 1 to 128 printable characters.
    Line,
    /// 64 lower-case hexadecimal digits.
    Digest,
    /// 1 to 128 printable ASCII characters without spaces: media types.
    Token,
}

impl TextForm {
    /// The form in words.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Name => "a name of 1 to 64 characters in [a-z0-9._+-]",
            Self::NameOrNone => "empty or a name of 1 to 64 characters in [a-z0-9._+-]",
            Self::Version => "a version such as \"1.0.0\"",
            Self::Line => "a line of 1 to 128 printable characters",
            Self::Digest => "64 lower-case hexadecimal digits",
            Self::Token => "a word of 1 to 128 printable ASCII characters",
        }
    }

    /// Whether `text` has the form.
    pub(crate) fn allows(self, text: &str) -> bool {
        let name = || {
            text.len() <= 64
                && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && text
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'+' | b'-'))
        };
        match self {
            Self::Name => name(),
            Self::NameOrNone => text.is_empty() || name(),
            Self::Version => {
                let number = |part: &str| {
                    let plain = part == "0" || !part.starts_with('0');
                    plain && (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
                };
                text.split('.').count() == 3 && text.split('.').all(number)
            }
            Self::Line => (1..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control),
            Self::Digest => text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
            Self::Token => (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()),
        }
    }
}

/// A reader or writer of keys.
pub(crate) trait Fields {
    /// An integer within `range`.
    fn integer(
        &mut self,
        key: &'static str,
        value: &mut u64,
        range: RangeInclusive<u64>,
    ) -> Result<(), RecipeError>;

    /// A text.
    fn text(&mut self, key: &'static str, value: &mut String, form: TextForm) -> Result<(), RecipeError>;

    /// One word of a closed list.
    fn choice(
        &mut self,
        key: &'static str,
        value: &mut &'static str,
        known: &[&'static str],
    ) -> Result<(), RecipeError>;

    /// 1 to 64 different texts in an order that matters.
    fn texts(
        &mut self,
        key: &'static str,
        value: &mut Vec<String>,
        form: TextForm,
    ) -> Result<(), RecipeError>;

    /// 1 to 64 different integers within `range`.
    fn integers(
        &mut self,
        key: &'static str,
        value: &mut Vec<u64>,
        range: RangeInclusive<u64>,
    ) -> Result<(), RecipeError>;

    /// An integer that is stored in 32 bits.
    fn small(
        &mut self,
        key: &'static str,
        value: &mut u32,
        range: RangeInclusive<u32>,
    ) -> Result<(), RecipeError> {
        let mut wide = u64::from(*value);
        self.integer(
            key,
            &mut wide,
            u64::from(*range.start())..=u64::from(*range.end()),
        )?;
        *value = u32::try_from(wide).unwrap_or(*range.end());
        Ok(())
    }

    /// A share in parts per million, 0 to 1.
    fn ppm(&mut self, key: &'static str, value: &mut u32) -> Result<(), RecipeError> {
        self.small(key, value, 0..=1_000_000)
    }
}

/// A table of a recipe.
pub(crate) trait Table {
    /// Shows every key to `fields`.
    fn fields(&mut self, fields: &mut dyn Fields) -> Result<(), RecipeError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_allow_and_refuse() {
        let digest = "0a".repeat(32);
        for (form, text, allowed) in [
            (TextForm::Name, "fineweb-en-v1", true),
            (TextForm::Name, "whichlang+whatlang", true),
            (TextForm::Name, "", false),
            (TextForm::Name, "-a", false),
            (TextForm::Name, "Ab", false),
            (TextForm::NameOrNone, "", true),
            (TextForm::Version, "1.0.0", true),
            (TextForm::Version, "1.0", false),
            (TextForm::Version, "1.00.0", false),
            (TextForm::Version, "1..0", false),
            (TextForm::Line, "MIT OR Apache-2.0", true),
            (TextForm::Line, "a\nb", false),
            (TextForm::Digest, digest.as_str(), true),
            (TextForm::Digest, "0a", false),
            (TextForm::Token, "text/html", true),
            (TextForm::Token, "text html", false),
        ] {
            assert_eq!(form.allows(text), allowed, "{form:?} {text}");
        }
    }
}
