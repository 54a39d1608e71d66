//! `features.parquet`: what every filter counted, one row a record that reached the steps, keyed by ledger `idx`.
//!
//! Rows come from the engine when features are asked for; with them thresholds can be tried without extracting again.
//! The file is outside the manifest.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use assay_types::LEDGER_ROW_GROUP_ROWS as ROWS_PER_GROUP;

use super::table::{TableError, TableWriter};

const TABLE: &str = "features";

/// Columns of integers after `idx` and `dropped_by`: `<step>_<count>`, the counts named as in docs/filters.md.
pub const FEATURE_COLUMNS: [&str; 55] = [
    "read_characters",
    "read_replacements",
    "read_truncated",
    "extract_characters",
    "url_filter_soft_words",
    "language_score",
    "gopher_repetition_chars",
    "gopher_repetition_paragraphs",
    "gopher_repetition_dup_paragraphs",
    "gopher_repetition_dup_paragraph_chars",
    "gopher_repetition_lines",
    "gopher_repetition_dup_lines",
    "gopher_repetition_dup_line_chars",
    "gopher_repetition_top_2_gram_chars",
    "gopher_repetition_top_3_gram_chars",
    "gopher_repetition_top_4_gram_chars",
    "gopher_repetition_dup_5_gram_chars",
    "gopher_repetition_dup_6_gram_chars",
    "gopher_repetition_dup_7_gram_chars",
    "gopher_repetition_dup_8_gram_chars",
    "gopher_repetition_dup_9_gram_chars",
    "gopher_repetition_dup_10_gram_chars",
    "gopher_quality_words",
    "gopher_quality_non_symbol_words",
    "gopher_quality_non_symbol_chars",
    "gopher_quality_hashes",
    "gopher_quality_ellipses",
    "gopher_quality_lines",
    "gopher_quality_bullet_lines",
    "gopher_quality_ellipsis_lines",
    "gopher_quality_alpha_words",
    "gopher_quality_stop_words",
    "c4_lines",
    "c4_too_long_word",
    "c4_too_few_words",
    "c4_javascript",
    "c4_policy",
    "c4_kept_lines",
    "c4_sentences",
    "c4_lorem_ipsum",
    "c4_curly_bracket",
    "fineweb_quality_lines",
    "fineweb_quality_terminal_lines",
    "fineweb_quality_short_lines",
    "fineweb_quality_dup_line_chars",
    "fineweb_quality_chars_without_newlines",
    "fineweb_quality_newlines",
    "fineweb_quality_words",
    "minhash_shingles",
    "tokens",
    "pii_emails",
    "pii_ips",
    "text_characters",
    "text_bytes",
    "text_lines",
];

/// One record's counts; a count whose step did not run is null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureRow {
    /// `<step>.<reason>` if the record was dropped by a step.
    pub dropped_by: Option<String>,
    values: Vec<(usize, i64)>,
}

impl FeatureRow {
    /// Sets the column `name`; a name that is no column is a mistake of the engine.
    pub fn set(&mut self, name: &str, value: u64) {
        let column = FEATURE_COLUMNS.iter().position(|known| *known == name);
        debug_assert!(column.is_some(), "no feature column `{name}`");
        if let Some(column) = column {
            self.values
                .push((column, i64::try_from(value).unwrap_or(i64::MAX)));
        }
    }

    /// The value of a column, if it was set.
    pub fn get(&self, name: &str) -> Option<i64> {
        let column = FEATURE_COLUMNS.iter().position(|known| *known == name)?;
        self.at(column)
    }

    fn at(&self, column: usize) -> Option<i64> {
        self.values
            .iter()
            .rev()
            .find(|(at, _)| *at == column)
            .map(|(_, value)| *value)
    }
}

/// Writes feature rows; holds one row group (10,000 rows, about 5 MB) in memory.
#[derive(Debug)]
pub struct FeaturesWriter<W: Write + Send> {
    table: TableWriter<W>,
    rows: Vec<(u32, FeatureRow)>,
}

impl<W: Write + Send> FeaturesWriter<W> {
    /// Starts a file on `output`.
    pub fn new(output: W) -> Result<Self, TableError> {
        let mut fields = vec![
            Field::new("idx", DataType::UInt32, false),
            Field::new("dropped_by", DataType::Utf8, true),
        ];
        fields.extend(
            FEATURE_COLUMNS
                .iter()
                .map(|name| Field::new(*name, DataType::Int64, true)),
        );
        Ok(Self {
            table: TableWriter::new(TABLE, Schema::new(fields), ROWS_PER_GROUP, output)?,
            rows: Vec::new(),
        })
    }

    /// Adds the row of ledger row `idx`; rows come in ledger order.
    pub fn push(&mut self, idx: u32, row: FeatureRow) -> Result<(), TableError> {
        self.rows.push((idx, row));
        if self.rows.len() == ROWS_PER_GROUP {
            self.write_group()
        } else {
            Ok(())
        }
    }

    /// Writes what is left and the footer.
    pub fn finish(mut self) -> Result<W, TableError> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        self.table.finish()
    }

    fn write_group(&mut self) -> Result<(), TableError> {
        let rows = &self.rows;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|(idx, _)| *idx).collect::<UInt32Array>()),
            Arc::new(
                rows.iter()
                    .map(|(_, row)| row.dropped_by.as_deref())
                    .collect::<StringArray>(),
            ),
        ];
        for column in 0..FEATURE_COLUMNS.len() {
            columns.push(Arc::new(
                rows.iter().map(|(_, row)| row.at(column)).collect::<Int64Array>(),
            ));
        }
        self.table.write_group(columns)?;
        self.rows.clear();
        Ok(())
    }
}
