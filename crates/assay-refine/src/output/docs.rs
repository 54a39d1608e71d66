//! `docs-*.parquet`: the kept documents with FineWeb's columns and where each comes from.
//!
//! Rows are [`DocsRow`]s of assay-types in ledger order; the first nine columns are those of the FineWeb dataset, so
//! loaders written for it read them.

use std::io::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use assay_types::{
    DOCS_ROW_GROUP_ROWS as ROWS_PER_GROUP, DocsRow, RecipeId, RecordDigest, language_score_units,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::file::reader::ChunkReader;

use super::table::{TableError, TableLimits, TableWriter, batches, guarded};

const TABLE: &str = "docs";

/// Text that is held as it is before it is encoded into the open row group, in bytes. Small, so that documents are
/// compressed while other workers refine and not all at the end of a unit; and a thousand large ones are held compressed.
const PART_BYTES: usize = 512 << 10;

/// Rows decoded at once: a foreign file may refer to one large value from every row.
const BATCH_ROWS: usize = 16;

fn schema() -> Schema {
    let field = |name: &str, kind| Field::new(name, kind, false);
    Schema::new(vec![
        field("text", DataType::Utf8),
        field("id", DataType::Utf8),
        field("dump", DataType::Utf8),
        field("url", DataType::Utf8),
        field("date", DataType::Utf8),
        field("file_path", DataType::Utf8),
        field("language", DataType::Utf8),
        field("language_score", DataType::Float64),
        field("token_count", DataType::Int64),
        field("warc_offset", DataType::UInt64),
        field("warc_length", DataType::UInt32),
        field("record_digest", DataType::Utf8),
        field("recipe_id", DataType::Utf8),
    ])
}

/// Writes documents; holds one row group (1,000 rows) in memory, compressed but for its last 512 KiB of text.
#[derive(Debug)]
pub struct DocsWriter<W: Write + Send> {
    table: TableWriter<W>,
    rows: Vec<DocsRow>,
    /// Bytes of text in `rows`.
    text_bytes: usize,
    count: u64,
}

impl<W: Write + Send> DocsWriter<W> {
    /// Starts a file on `output`.
    pub fn new(output: W) -> Result<Self, TableError> {
        Ok(Self {
            table: TableWriter::new(TABLE, schema(), ROWS_PER_GROUP, output)?,
            rows: Vec::new(),
            text_bytes: 0,
            count: 0,
        })
    }

    /// Adds one document; documents come in ledger order.
    pub fn push(&mut self, row: DocsRow) -> Result<(), TableError> {
        self.text_bytes += row.text.len();
        self.rows.push(row);
        self.count += 1;
        if self.at_group_end() {
            let columns = self.columns();
            self.table.write_group(columns)
        } else if self.text_bytes >= PART_BYTES {
            let columns = self.columns();
            self.table.write_part(columns)
        } else {
            Ok(())
        }
    }

    /// Documents pushed so far.
    pub fn rows(&self) -> u64 {
        self.count
    }

    /// Whether the last row group is complete, so that a next file may begin here.
    pub fn at_group_end(&self) -> bool {
        self.count.is_multiple_of(ROWS_PER_GROUP as u64)
    }

    /// Compressed bytes written so far (complete row groups).
    pub fn bytes_written(&self) -> u64 {
        self.table.bytes_written() as u64
    }

    /// Writes what is left and the footer.
    pub fn finish(mut self) -> Result<W, TableError> {
        if !self.rows.is_empty() {
            let columns = self.columns();
            self.table.write_group(columns)?;
        }
        self.table.finish()
    }

    /// The rows at hand as columns; none are left.
    fn columns(&mut self) -> Vec<ArrayRef> {
        fn strings<'r>(rows: &'r [DocsRow], get: impl Fn(&'r DocsRow) -> &'r str) -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(get)))
        }
        fn shown<T: ToString>(rows: &[DocsRow], get: impl Fn(&DocsRow) -> T) -> ArrayRef {
            Arc::new(StringArray::from_iter_values(
                rows.iter().map(|row| get(row).to_string()),
            ))
        }
        let rows = self.rows.as_slice();
        let columns: Vec<ArrayRef> = vec![
            strings(rows, |row| &row.text),
            strings(rows, |row| &row.id),
            strings(rows, |row| &row.dump),
            strings(rows, |row| &row.url),
            strings(rows, |row| &row.date),
            strings(rows, |row| &row.file_path),
            strings(rows, |row| &row.language),
            Arc::new(
                rows.iter()
                    .map(DocsRow::language_score_f64)
                    .collect::<Float64Array>(),
            ),
            Arc::new(rows.iter().map(|row| row.token_count).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.warc_offset).collect::<UInt64Array>()),
            Arc::new(rows.iter().map(|row| row.warc_length).collect::<UInt32Array>()),
            shown(rows, |row| row.record_digest),
            shown(rows, |row| row.recipe_id),
        ];
        self.rows.clear();
        self.text_bytes = 0;
        columns
    }
}

/// Documents of a file, a few rows in memory at a time.
#[derive(Debug)]
pub struct DocsReader {
    batches: ParquetRecordBatchReader,
    row: usize,
}

impl DocsReader {
    /// Opens a file after checking schema and limits.
    pub fn new<R: ChunkReader + 'static>(input: R) -> Result<Self, TableError> {
        let limits = TableLimits {
            batch_rows: BATCH_ROWS,
            ..TableLimits::of_groups(ROWS_PER_GROUP)
        };
        guarded(TABLE, || {
            Ok(Self {
                batches: batches(TABLE, &schema(), &limits, input)?,
                row: 0,
            })
        })
    }
}

impl Iterator for DocsReader {
    type Item = Result<Vec<DocsRow>, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batches = &mut self.batches;
        let next = guarded(TABLE, || {
            batches.next().transpose().map_err(TableError::arrow(TABLE))
        });
        let batch = match next {
            Ok(batch) => batch?,
            Err(error) => return Some(Err(error)),
        };
        let first = self.row;
        self.row += batch.num_rows();
        Some(guarded(TABLE, || rows_of(&batch, first)))
    }
}

/// Reads a whole file; for small files and tests.
pub fn read_docs<R: ChunkReader + 'static>(input: R) -> Result<Vec<DocsRow>, TableError> {
    let mut rows = Vec::new();
    for group in DocsReader::new(input)? {
        rows.extend(group?);
    }
    Ok(rows)
}

fn rows_of(batch: &RecordBatch, first: usize) -> Result<Vec<DocsRow>, TableError> {
    if batch.columns().iter().any(|column| column.null_count() > 0) {
        return Err(TableError::Value {
            table: TABLE,
            row: first,
            what: "null value",
        });
    }
    let text = |column: usize, at: usize| batch.column(column).as_string::<i32>().value(at).to_owned();
    let mut rows = Vec::with_capacity(batch.num_rows());
    for at in 0..batch.num_rows() {
        let wrong = |what: &'static str| TableError::Value {
            table: TABLE,
            row: first + at,
            what,
        };
        let score = batch.column(7).as_primitive::<Float64Type>().value(at);
        rows.push(DocsRow {
            text: text(0, at),
            id: text(1, at),
            dump: text(2, at),
            url: text(3, at),
            date: text(4, at),
            file_path: text(5, at),
            language: text(6, at),
            language_score: language_score_units(score)
                .ok_or_else(|| wrong("language score is no multiple of 1/65536 in 0..=1"))?,
            token_count: batch.column(8).as_primitive::<Int64Type>().value(at),
            warc_offset: batch.column(9).as_primitive::<UInt64Type>().value(at),
            warc_length: batch.column(10).as_primitive::<UInt32Type>().value(at),
            record_digest: text(11, at)
                .parse::<RecordDigest>()
                .map_err(|_| wrong("record digest is no digest"))?,
            recipe_id: text(12, at)
                .parse::<RecipeId>()
                .map_err(|_| wrong("recipe id is no digest"))?,
        });
    }
    Ok(rows)
}
