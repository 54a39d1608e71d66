//! Foreign Parquet tables with a `text` column: other people's datasets, read a few rows at a time.
//!
//! In: any Parquet bytes. Out: text with `id` and `url` where such string columns exist. Nothing is assumed of row groups or other
//! columns; only the three columns are decoded.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::ChunkReader;

use super::table::{GROUP_BYTES_MAX, TableError, check_footer, columns, guarded};

const TABLE: &str = "texts";

/// Largest footer read: files of hundreds of row groups and columns have a few megabytes.
const FOOTER_BYTES_MAX: u64 = 64 << 20;

/// Rows decoded at once: a foreign file may refer to one large value from every row.
const BATCH_ROWS: usize = 64;

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextRow {
    /// The row's text; none if it is null.
    pub text: Option<String>,
    /// Its id; empty if there is none.
    pub id: String,
    /// Its address; empty if there is none.
    pub url: String,
}

/// Rows of a file, a few in memory.
#[derive(Debug)]
pub struct TextsReader {
    batches: ParquetRecordBatchReader,
}

impl TextsReader {
    /// Opens a file that has a string column `text`.
    ///
    /// # Errors
    /// [`TableError`]: no Parquet file, no such column, a footer or row group over the limits.
    pub fn new<R: ChunkReader + 'static>(input: R) -> Result<Self, TableError> {
        guarded(TABLE, || {
            check_footer(TABLE, &input, FOOTER_BYTES_MAX)?;
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(input, options)
                .map_err(TableError::parquet(TABLE))?;
            let fields = builder.schema().fields().iter().enumerate();
            let wanted: Vec<(usize, &str)> = fields
                .filter(|(_, field)| *field.data_type() == DataType::Utf8)
                .map(|(place, field)| (place, field.name().as_str()))
                .filter(|(_, name)| ["text", "id", "url"].contains(name))
                .collect();
            if !wanted.iter().any(|(_, name)| *name == "text") {
                return Err(TableError::Schema {
                    table: TABLE,
                    expected: "text: Utf8".to_owned(),
                    found: columns(builder.schema()),
                });
            }
            for group in builder.metadata().row_groups() {
                let found = group.total_byte_size().max(0) as u64;
                if found > GROUP_BYTES_MAX {
                    return Err(TableError::Limit {
                        table: TABLE,
                        limit: "bytes a row group",
                        found,
                    });
                }
            }
            let places = wanted.iter().map(|(place, _)| *place);
            let mask = ProjectionMask::roots(builder.parquet_schema(), places);
            let batches = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
            Ok(Self {
                batches: batches.map_err(TableError::parquet(TABLE))?,
            })
        })
    }
}

impl Iterator for TextsReader {
    type Item = Result<Vec<TextRow>, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batches = &mut self.batches;
        let next = guarded(TABLE, || {
            let next = batches.next().transpose().map_err(TableError::arrow(TABLE))?;
            Ok(next.map(|batch| rows_of(&batch)))
        });
        next.transpose()
    }
}

fn rows_of(batch: &RecordBatch) -> Vec<TextRow> {
    let column = |name| {
        batch
            .column_by_name(name)
            .and_then(|column| column.as_string_opt::<i32>())
    };
    let (texts, ids, urls) = (column("text"), column("id"), column("url"));
    (0..batch.num_rows())
        .map(|row| {
            let value = |column: Option<&arrow_array::StringArray>| {
                let column = column?;
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            TextRow {
                text: value(texts),
                id: value(ids).unwrap_or_default(),
                url: value(urls).unwrap_or_default(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::Compression;
    use parquet::file::properties::WriterProperties;
    use std::sync::Arc;

    fn file(columns: Vec<(&str, ArrayRef)>) -> bytes::Bytes {
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, true)),
        );
        let batch = batch.unwrap();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(2))
            .build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes.into()
    }

    fn strings(values: [Option<&str>; 3]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn text_id_and_url_are_read_and_other_columns_passed_over() {
        let other: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let bytes = file(vec![
            ("n", other.clone()),
            ("url", strings([Some("u"), None, None])),
            ("text", strings([Some("one"), None, Some("three")])),
        ]);
        let rows: Vec<TextRow> = TextsReader::new(bytes)
            .unwrap()
            .flat_map(Result::unwrap)
            .collect();
        let texts: Vec<Option<&str>> = rows.iter().map(|row| row.text.as_deref()).collect();
        assert_eq!(texts, [Some("one"), None, Some("three")]);
        assert_eq!((rows[0].url.as_str(), rows[2].id.as_str()), ("u", ""));
        let error = TextsReader::new(file(vec![("text", other)])).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("expected `text: Utf8`, found `text: Int64`"),
            "{error}"
        );
    }

    #[test]
    fn damaged_files_are_errors() {
        let bytes = file(vec![("text", strings([Some("one"), Some("two"), Some("three")]))]);
        for end in 0..bytes.len() {
            let read = TextsReader::new(bytes.slice(..end)).map(Iterator::collect::<Result<Vec<_>, _>>);
            assert!(matches!(read, Err(_) | Ok(Err(_))), "cut at {end}");
        }
        for at in 0..bytes.len() {
            let mut other = bytes.to_vec();
            other[at] ^= 0xFF;
            // Whatever it says, it ends.
            if let Ok(rows) = TextsReader::new(bytes::Bytes::from(other)) {
                assert!(rows.take(100).count() <= 100);
            }
        }
    }
}
