//! `bands.parquet`: the 14 MinHash band keys of every record that passed the record steps.
//!
//! Rows are [`BandRow`]s of assay-types, in ledger order; 112 bytes of keys each.

use std::io::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use assay_types::{BANDS, BandKeys, BandRow, LEDGER_ROW_GROUP_ROWS as ROWS_PER_GROUP};
use parquet::file::reader::ChunkReader;

use super::table::{TableError, TableLimits, TableWriter, batches, guarded};

const TABLE: &str = "bands";

fn schema() -> Schema {
    let mut fields = vec![Field::new("idx", DataType::UInt32, false)];
    for band in 0..BANDS {
        fields.push(Field::new(format!("band_{band:02}"), DataType::UInt64, false));
    }
    Schema::new(fields)
}

/// Writes band rows; holds one row group (10,000 rows, 1.2 MB) in memory.
#[derive(Debug)]
pub struct BandsWriter<W: Write + Send> {
    table: TableWriter<W>,
    rows: Vec<BandRow>,
}

impl<W: Write + Send> BandsWriter<W> {
    /// Starts a file on `output`.
    pub fn new(output: W) -> Result<Self, TableError> {
        Ok(Self {
            table: TableWriter::new(TABLE, schema(), ROWS_PER_GROUP, output)?,
            rows: Vec::new(),
        })
    }

    /// Adds one row; rows come in ledger order.
    pub fn push(&mut self, row: BandRow) -> Result<(), TableError> {
        self.rows.push(row);
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
        let mut columns: Vec<ArrayRef> = vec![Arc::new(
            self.rows.iter().map(|row| row.idx).collect::<UInt32Array>(),
        )];
        for band in 0..BANDS {
            let keys = self
                .rows
                .iter()
                .map(|row| row.bands.0.get(band).copied().unwrap_or_default());
            columns.push(Arc::new(keys.collect::<UInt64Array>()));
        }
        self.table.write_group(columns)?;
        self.rows.clear();
        Ok(())
    }
}

/// Reads a whole band file (116 bytes a row in memory) after checking schema and limits; more than `rows_max` rows are refused
/// before they are decoded.
pub fn read_bands<R: ChunkReader + 'static>(input: R, rows_max: u64) -> Result<Vec<BandRow>, TableError> {
    guarded(TABLE, || {
        let mut rows = Vec::new();
        let limits = TableLimits {
            rows_max,
            ..TableLimits::of_groups(ROWS_PER_GROUP)
        };
        for batch in batches(TABLE, &schema(), &limits, input)? {
            let batch = batch.map_err(TableError::arrow(TABLE))?;
            if batch.columns().iter().any(|column| column.null_count() > 0) {
                return Err(TableError::Value {
                    table: TABLE,
                    row: rows.len(),
                    what: "null value",
                });
            }
            let idx = batch.column(0).as_primitive::<UInt32Type>();
            for at in 0..batch.num_rows() {
                let mut bands = [0; BANDS];
                for (band, key) in bands.iter_mut().enumerate() {
                    *key = batch.column(band + 1).as_primitive::<UInt64Type>().value(at);
                }
                rows.push(BandRow {
                    idx: idx.value(at),
                    bands: BandKeys(bands),
                });
            }
        }
        Ok(rows)
    })
}
