//! What all Parquet tables share: writer settings, bounded reading, errors.
//!
//! [`TableWriter`] is used by the docs, ledger, bands and features writers; [`batches`] by their readers.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::ChunkReader;

/// Largest Parquet footer that is read (docs/format.md, "limits").
pub const FOOTER_BYTES_MAX: u64 = 1 << 20;

/// Largest allowed ratio of uncompressed to compressed bytes of a row group (docs/format.md, "limits").
pub const COMPRESSION_RATIO_MAX: u64 = 50;

/// Most uncompressed bytes of a row group that is read: 1 GiB, 1,000 documents of a megabyte each.
pub(super) const GROUP_BYTES_MAX: u64 = 1 << 30;

/// zstd level of every column: 3 is zstd's own default, and bytes must not depend on a crate's choice of default.
const ZSTD_LEVEL: i32 = 3;

/// Why a table could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The Parquet or Arrow library refused, or the underlying writer failed.
    #[error("parquet table `{table}`: {source}")]
    Parquet {
        /// Which table: `docs`, `ledger`, `bands`, `features`.
        table: &'static str,
        /// The library's error.
        #[source]
        source: ParquetError,
    },
    /// The file is no such table: columns, types or order differ.
    #[error("parquet table `{table}` has another schema: expected `{expected}`, found `{found}`")]
    Schema {
        /// Which table.
        table: &'static str,
        /// The expected columns.
        expected: String,
        /// The columns of the file.
        found: String,
    },
    /// The file breaks a limit (footer, compression ratio, row group).
    #[error("parquet table `{table}` breaks the limit `{limit}`: {found}")]
    Limit {
        /// Which table.
        table: &'static str,
        /// Which limit.
        limit: &'static str,
        /// The value found.
        found: u64,
    },
    /// A value no writer of ours makes (an unknown reason code, say).
    #[error("parquet table `{table}`, row {row}: {what}")]
    Value {
        /// Which table.
        table: &'static str,
        /// Row number in the file, from 0.
        row: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The Parquet library panicked on the bytes: a corrupt file.
    #[error("parquet table `{table}` is corrupt")]
    Corrupt {
        /// Which table.
        table: &'static str,
    },
}

impl TableError {
    pub(super) fn parquet(table: &'static str) -> impl Fn(ParquetError) -> Self {
        move |source| Self::Parquet { table, source }
    }

    pub(super) fn arrow(table: &'static str) -> impl Fn(ArrowError) -> Self {
        move |source| Self::Parquet {
            table,
            source: ParquetError::from(source),
        }
    }

    /// The I/O error below, if the writer failed rather than the format.
    pub fn io_kind(&self) -> Option<std::io::ErrorKind> {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = source {
            if let Some(io) = error.downcast_ref::<std::io::Error>() {
                return Some(io.kind());
            }
            if let Some(ParquetError::External(inner)) = error.downcast_ref::<ParquetError>() {
                return inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
            }
            source = error.source();
        }
        None
    }
}

/// An Arrow writer with row groups of exactly `rows_per_group` rows; rows are handed over a group, or a part of one, at a
/// time.
#[derive(Debug)]
pub(super) struct TableWriter<W: Write + Send> {
    table: &'static str,
    schema: Arc<Schema>,
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> TableWriter<W> {
    pub(super) fn new(
        table: &'static str,
        schema: Schema,
        rows_per_group: usize,
        output: W,
    ) -> Result<Self, TableError> {
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(TableError::parquet(table))?;
        let properties = WriterProperties::builder()
            .set_created_by("assay-refine 1".to_owned())
            .set_compression(Compression::ZSTD(level))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_statistics_truncate_length(Some(64))
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(Some(rows_per_group))
            .build();
        let schema = Arc::new(schema);
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(output, Arc::clone(&schema), options)
            .map_err(TableError::parquet(table))?;
        Ok(Self {
            table,
            schema,
            writer,
        })
    }

    /// Writes one row group, or what is left of the one begun with [`Self::write_part`].
    pub(super) fn write_group(&mut self, columns: Vec<ArrayRef>) -> Result<(), TableError> {
        self.write_part(columns)?;
        self.writer.flush().map_err(TableError::parquet(self.table))
    }

    /// Encodes and compresses the next rows of the row group; it ends when it has all its rows.
    pub(super) fn write_part(&mut self, columns: Vec<ArrayRef>) -> Result<(), TableError> {
        let batch =
            RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(TableError::arrow(self.table))?;
        self.writer.write(&batch).map_err(TableError::parquet(self.table))
    }

    /// Bytes handed to the output so far.
    pub(super) fn bytes_written(&self) -> usize {
        self.writer.bytes_written()
    }

    /// Writes the footer and gives the output back.
    pub(super) fn finish(self) -> Result<W, TableError> {
        let table = self.table;
        self.writer.into_inner().map_err(TableError::parquet(table))
    }
}

/// What a table that is read may hold, and how much of it is decoded at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableLimits {
    /// Rows of every row group but the last.
    pub(super) group_rows: usize,
    /// Rows decoded at once.
    pub(super) batch_rows: usize,
    /// Most rows of the file.
    pub(super) rows_max: u64,
}

impl TableLimits {
    /// Any number of row groups of this size, decoded a group at a time.
    pub(super) const fn of_groups(group_rows: usize) -> Self {
        Self {
            group_rows,
            batch_rows: group_rows,
            rows_max: u64::MAX,
        }
    }
}

/// Opens a table for reading after checking footer size, schema, row groups and compression ratio.
pub(super) fn batches<R: ChunkReader + 'static>(
    table: &'static str,
    expected: &Schema,
    limits: &TableLimits,
    input: R,
) -> Result<ParquetRecordBatchReader, TableError> {
    check_footer(table, &input, FOOTER_BYTES_MAX)?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(input, options)
        .map_err(TableError::parquet(table))?;
    let found = builder.schema();
    let same = found.fields().len() == expected.fields().len()
        && found
            .fields()
            .iter()
            .zip(expected.fields())
            .all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type());
    if !same {
        return Err(TableError::Schema {
            table,
            expected: columns(expected),
            found: columns(found),
        });
    }
    check_groups(table, limits, builder.metadata().row_groups())?;
    builder
        .with_batch_size(limits.batch_rows)
        .build()
        .map_err(TableError::parquet(table))
}

/// Checks what the footer says of the row groups.
fn check_groups(
    table: &'static str,
    limits: &TableLimits,
    groups: &[RowGroupMetaData],
) -> Result<(), TableError> {
    let total: u64 = groups.iter().map(|group| group.num_rows().max(0) as u64).sum();
    if total > limits.rows_max {
        return Err(TableError::Limit {
            table,
            limit: "rows",
            found: total,
        });
    }
    for (index, group) in groups.iter().enumerate() {
        let rows = group.num_rows().max(0) as usize;
        let last = index + 1 == groups.len();
        if rows > limits.group_rows || (rows != limits.group_rows && !last) || rows == 0 {
            return Err(TableError::Limit {
                table,
                limit: "rows a row group",
                found: rows as u64,
            });
        }
        let compressed = group.compressed_size().max(1) as u64;
        let bytes = group.total_byte_size().max(0) as u64;
        if bytes > GROUP_BYTES_MAX {
            return Err(TableError::Limit {
                table,
                limit: "bytes a row group",
                found: bytes,
            });
        }
        let ratio = bytes / compressed;
        if ratio > COMPRESSION_RATIO_MAX {
            return Err(TableError::Limit {
                table,
                limit: "compression ratio",
                found: ratio,
            });
        }
    }
    Ok(())
}

pub(super) fn columns(schema: &Schema) -> String {
    let names: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| format!("{}: {}", field.name(), field.data_type()))
        .collect();
    names.join(", ")
}

/// Reads the footer length from the last 8 bytes, before the library allocates by it.
pub(super) fn check_footer<R: ChunkReader>(
    table: &'static str,
    input: &R,
    bytes_max: u64,
) -> Result<(), TableError> {
    let length = input.len();
    let tail = length.checked_sub(8).map(|start| input.get_bytes(start, 8));
    match tail {
        Some(Ok(bytes)) => {
            let mut footer = [0; 4];
            footer
                .iter_mut()
                .zip(bytes.iter())
                .for_each(|(to, from)| *to = *from);
            let found = u64::from(u32::from_le_bytes(footer));
            if found > bytes_max {
                return Err(TableError::Limit {
                    table,
                    limit: "footer bytes",
                    found,
                });
            }
            Ok(())
        }
        Some(Err(source)) => Err(TableError::Parquet { table, source }),
        None => Err(TableError::Corrupt { table }),
    }
}

/// Runs a reader of foreign Parquet bytes; a panic inside the library (it has had some on corrupt files) becomes an
/// error, because a foreign file must not end the program.
pub(super) fn guarded<T>(
    table: &'static str,
    read: impl FnOnce() -> Result<T, TableError>,
) -> Result<T, TableError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or(Err(TableError::Corrupt { table }))
}
