//! The docs row: one kept document with the columns of FineWeb and its place in the archive.
//!
//! The engine makes rows in ledger order; they go to `docs-*.parquet` or JSONL (mechanism §6.3).

use crate::ids::{RecipeId, RecordDigest};

/// Version of the columns below.
pub const DOCS_VERSION: u32 = 1;

/// Rows of a row group of a docs file; the last group holds the rest (mechanism §2, §6.3).
pub const DOCS_ROW_GROUP_ROWS: usize = 1_000;

/// Rows of a row group of a ledger or bands file (mechanism §2).
pub const LEDGER_ROW_GROUP_ROWS: usize = 10_000;

/// Units of `language_score` in 1.
pub const LANGUAGE_SCORE_ONE: u32 = 65_536;

/// Columns of `docs-*.parquet` with their types, in order; the first nine are FineWeb's.
pub const DOCS_COLUMNS: [(&str, &str); 13] = [
    ("text", "string"),
    ("id", "string"),
    ("dump", "string"),
    ("url", "string"),
    ("date", "string"),
    ("file_path", "string"),
    ("language", "string"),
    ("language_score", "f64"),
    ("token_count", "i64"),
    ("warc_offset", "u64"),
    ("warc_length", "u32"),
    ("record_digest", "string"),
    ("recipe_id", "string"),
];

/// One kept document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocsRow {
    /// The text after the PII stage, UTF-8.
    pub text: String,
    /// `WARC-Record-ID`, with its angle brackets.
    pub id: String,
    /// Crawl name such as `CC-MAIN-2024-42`; empty if the path names none.
    pub dump: String,
    /// `WARC-Target-URI`.
    pub url: String,
    /// `WARC-Date`.
    pub date: String,
    /// Archive path of the unit.
    pub file_path: String,
    /// Language code; empty if the recipe has no language step.
    pub language: String,
    /// Confidence of the language in units of 1/65,536; 0 if the recipe has no language step.
    pub language_score: u32,
    /// GPT-2 tokens of the text before the PII stage.
    pub token_count: i64,
    /// First byte of the record in the archive.
    pub warc_offset: u64,
    /// Bytes of the record in the archive.
    pub warc_length: u32,
    /// The ledger's digest of the record's raw bytes.
    pub record_digest: RecordDigest,
    /// The recipe that made the row.
    pub recipe_id: RecipeId,
}

impl DocsRow {
    /// The stored form of the language score: an exact multiple of 1/65,536.
    pub fn language_score_f64(&self) -> f64 {
        f64::from(self.language_score) / f64::from(LANGUAGE_SCORE_ONE)
    }
}

/// The stored form's way back: units of 1/65,536, none if `score` is no such multiple in `0..=1`.
pub fn language_score_units(score: f64) -> Option<u32> {
    let units = score * f64::from(LANGUAGE_SCORE_ONE);
    let whole = (0.0..=f64::from(LANGUAGE_SCORE_ONE)).contains(&units) && units.fract() == 0.0;
    whole.then_some(units as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_exact_both_ways() {
        let row = DocsRow {
            text: String::new(),
            id: String::new(),
            dump: String::new(),
            url: String::new(),
            date: String::new(),
            file_path: String::new(),
            language: "en".into(),
            language_score: 49_152,
            token_count: 0,
            warc_offset: 0,
            warc_length: 0,
            record_digest: RecordDigest::default(),
            recipe_id: RecipeId::default(),
        };
        assert_eq!(row.language_score_f64().to_bits(), 0.75_f64.to_bits());
        for units in [0, 1, 42_598, 65_535, 65_536] {
            assert_eq!(language_score_units(f64::from(units) / 65_536.0), Some(units));
        }
        for score in [-1.0, 0.65, 1.5, f64::NAN, f64::INFINITY] {
            assert_eq!(language_score_units(score), None);
        }
    }
}
