//! Generated tables: one flag word per code point, spaCy's exceptions and patterns.
//!
//! `scripts/spacy_tables.py` writes them from spaCy 3.8.18, datatrove 0.10.1, tokenizers 0.23.3, regex 2026.11.15 and
//! Python 3.11 (Unicode 14.0); its header says how. `NOTICE.md` holds the licence of spaCy's part.

mod flags;

pub use flags::*;

/// Pieces of every exception (key = their concatenation), tab-separated, one a line: spaCy's `Tokenizer.rules`.
pub(crate) const EXCEPTIONS: &str = include_str!("exceptions.tsv");
/// Tokens, found without exceptions, of every key that spaCy's second pass looks for.
pub(crate) const PATTERNS: &str = include_str!("patterns.tsv");
/// Units and currencies of several code points: kind, tab, text.
pub(crate) const UNITS: &str = include_str!("units.tsv");

#[cfg(test)]
pub(crate) use checks::{check_digest, sha256_hex};

#[cfg(test)]
mod checks {
    //! Digests of properties of the whole code space, for the tests.

    use std::fmt::Write as _;

    /// The digest stored under `name`.
    pub(crate) fn check_digest(name: &str) -> String {
        let line = include_str!("checks.tsv")
            .lines()
            .find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().to_owned()
    }

    /// SHA-256 as lower-case hex digits.
    pub(crate) fn sha256_hex(text: &str) -> String {
        use sha2::Digest as _;
        sha2::Sha256::digest(text.as_bytes())
            .iter()
            .fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            })
    }
}
