//! The documents of a unit in one of two formats: Parquet (the format of rounds) or compressed JSON Lines.
//!
//! Rows come from [`super::UnitWriter`]; both formats hold the same columns in the same order.

use std::io::{BufRead, BufReader, Read, Write};

use assay_types::{DocsRow, RecipeId, RecordDigest, language_score_units};
use serde::{Deserialize, Serialize};

use super::writer::UnitError;
use crate::output::{DocsWriter, TableError};

/// zstd level of JSON Lines; fixed, because the bytes of a dataset must not depend on a crate's default.
const ZSTD_LEVEL: i32 = 3;

/// How the documents are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// `docs-*.parquet`, the format of rounds.
    #[default]
    Parquet,
    /// `docs-*.jsonl.zst`, the same columns as JSON Lines.
    Jsonl,
}

impl Format {
    /// Name of the unit's documents file with this number.
    pub fn file_name(self, number: usize) -> String {
        match self {
            Self::Parquet => format!("docs-{number:05}.parquet"),
            Self::Jsonl => format!("docs-{number:05}.jsonl.zst"),
        }
    }
}

/// One open documents file.
pub(super) enum DocumentFile<W: Write + Send> {
    Parquet(Box<DocsWriter<W>>),
    Jsonl {
        name: String,
        encoder: zstd::Encoder<'static, W>,
        rows: u64,
    },
}

impl<W: Write + Send> DocumentFile<W> {
    pub(super) fn new(format: Format, name: &str, output: W) -> Result<Self, UnitError> {
        Ok(match format {
            Format::Parquet => Self::Parquet(Box::new(DocsWriter::new(output)?)),
            Format::Jsonl => Self::Jsonl {
                name: name.to_owned(),
                encoder: zstd::Encoder::new(output, ZSTD_LEVEL).map_err(UnitError::io(name))?,
                rows: 0,
            },
        })
    }

    pub(super) fn format(&self) -> Format {
        match self {
            Self::Parquet(_) => Format::Parquet,
            Self::Jsonl { .. } => Format::Jsonl,
        }
    }

    pub(super) fn push(&mut self, row: DocsRow) -> Result<(), UnitError> {
        match self {
            Self::Parquet(writer) => Ok(writer.push(row)?),
            Self::Jsonl { name, encoder, rows } => {
                *rows += 1;
                let line = serde_json::to_vec(&JsonRow::from(row))
                    .map_err(|error| UnitError::io(name)(error.into()))?;
                encoder
                    .write_all(&line)
                    .and_then(|()| encoder.write_all(b"\n"))
                    .map_err(UnitError::io(name))
            }
        }
    }

    pub(super) fn rows(&self) -> u64 {
        match self {
            Self::Parquet(writer) => writer.rows(),
            Self::Jsonl { rows, .. } => *rows,
        }
    }

    /// Whether the file is full and may be closed here. JSON Lines files are not split: readers stream them.
    pub(super) fn is_full(&self, bytes_max: u64) -> bool {
        match self {
            Self::Parquet(writer) => writer.at_group_end() && writer.bytes_written() >= bytes_max,
            Self::Jsonl { .. } => false,
        }
    }

    pub(super) fn finish(self, name: &str) -> Result<W, UnitError> {
        match self {
            Self::Parquet(writer) => Ok(writer.finish()?),
            Self::Jsonl { encoder, .. } => encoder.finish().map_err(UnitError::io(name)),
        }
    }
}

/// A document as a line of JSON: the columns of the Parquet files, in their order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonRow {
    text: String,
    id: String,
    dump: String,
    url: String,
    date: String,
    file_path: String,
    language: String,
    language_score: f64,
    token_count: i64,
    warc_offset: u64,
    warc_length: u32,
    record_digest: RecordDigest,
    recipe_id: RecipeId,
}

impl From<DocsRow> for JsonRow {
    fn from(row: DocsRow) -> Self {
        Self {
            language_score: row.language_score_f64(),
            text: row.text,
            id: row.id,
            dump: row.dump,
            url: row.url,
            date: row.date,
            file_path: row.file_path,
            language: row.language,
            token_count: row.token_count,
            warc_offset: row.warc_offset,
            warc_length: row.warc_length,
            record_digest: row.record_digest,
            recipe_id: row.recipe_id,
        }
    }
}

impl JsonRow {
    fn into_row(self) -> Option<DocsRow> {
        Some(DocsRow {
            language_score: language_score_units(self.language_score)?,
            text: self.text,
            id: self.id,
            dump: self.dump,
            url: self.url,
            date: self.date,
            file_path: self.file_path,
            language: self.language,
            token_count: self.token_count,
            warc_offset: self.warc_offset,
            warc_length: self.warc_length,
            record_digest: self.record_digest,
            recipe_id: self.recipe_id,
        })
    }
}

/// Longest line of a documents file, in bytes: a text of 2,000,000 code points, escaped.
const LINE_BYTES_MAX: u64 = 32 << 20;

/// The rows of a `docs-*.jsonl.zst` file, one line in memory at a time.
pub fn read_documents_jsonl(
    input: impl Read,
) -> Result<impl Iterator<Item = Result<DocsRow, TableError>>, TableError> {
    let corrupt = || TableError::Corrupt { table: "docs" };
    let decoder = zstd::Decoder::new(input).map_err(|_| corrupt())?;
    let mut lines = BufReader::new(decoder);
    let mut row = 0;
    Ok(std::iter::from_fn(move || {
        let mut line = Vec::new();
        match (&mut lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(_) => return Some(Err(corrupt())),
        }
        row += 1;
        let wrong = |what| TableError::Value {
            table: "docs",
            row: row - 1,
            what,
        };
        Some(
            serde_json::from_slice::<JsonRow>(&line)
                .map_err(|_| wrong("no document in JSON"))
                .and_then(|json| {
                    json.into_row()
                        .ok_or_else(|| wrong("language score is no multiple of 1/65536"))
                }),
        )
    }))
}
