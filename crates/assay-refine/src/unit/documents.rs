//! The documents of a unit in one of two formats: Parquet (the format of rounds) or compressed JSON Lines.
//!
//! Rows come from [`super::UnitWriter`]; both formats hold the same columns in the same order.

use std::io::Write;

use assay_types::DocsRow;

use super::writer::UnitError;
use crate::output::DocsWriter;

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
    Parquet(DocsWriter<W>),
    Jsonl { name: String, encoder: zstd::Encoder<'static, W>, rows: u64 },
}

impl<W: Write + Send> DocumentFile<W> {
    pub(super) fn new(format: Format, name: &str, output: W) -> Result<Self, UnitError> {
        Ok(match format {
            Format::Parquet => Self::Parquet(DocsWriter::new(output)?),
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
                let line = serde_json::to_vec(&row).map_err(|error| UnitError::io(name)(error.into()))?;
                encoder.write_all(&line).and_then(|()| encoder.write_all(b"\n")).map_err(UnitError::io(name))
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
