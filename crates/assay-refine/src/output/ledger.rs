//! `ledger.parquet`: one row per archive record, kept or dropped, in file order.
//!
//! Rows are [`LedgerRow`]s of assay-types; columns are the fields of its 58 bytes, in that order.

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{UInt8Type, UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, RecordBatch, UInt8Array, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use assay_types::{Decision, Digest16, LEDGER_ROW_GROUP_ROWS as ROWS_PER_GROUP, LedgerRow, Reason};
use parquet::file::reader::ChunkReader;

use super::table::{TableError, TableLimits, TableWriter, batches, guarded};

const TABLE: &str = "ledger";

/// `dup_of` of a row that repeats nothing.
const NO_DUPLICATE: u32 = u32::MAX;

fn schema() -> Schema {
    let field = |name: &str, kind| Field::new(name, kind, false);
    Schema::new(vec![
        field("idx", DataType::UInt32),
        field("offset", DataType::UInt64),
        field("length", DataType::UInt32),
        field("record_digest", DataType::FixedSizeBinary(16)),
        field("decision", DataType::UInt8),
        field("reason", DataType::UInt8),
        field("dup_of", DataType::UInt32),
        field("text_hash", DataType::FixedSizeBinary(16)),
        field("n_tokens", DataType::UInt32),
    ])
}

/// Writes ledger rows; holds one row group (10,000 rows, 0.6 MB) in memory.
#[derive(Debug)]
pub struct LedgerWriter<W: Write + Send> {
    table: TableWriter<W>,
    rows: Vec<LedgerRow>,
}

impl<W: Write + Send> LedgerWriter<W> {
    /// Starts a file on `output`.
    pub fn new(output: W) -> Result<Self, TableError> {
        Ok(Self {
            table: TableWriter::new(TABLE, schema(), ROWS_PER_GROUP, output)?,
            rows: Vec::new(),
        })
    }

    /// Adds one row; rows come in ledger order.
    pub fn push(&mut self, row: LedgerRow) -> Result<(), TableError> {
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
        let rows = &self.rows;
        let mut digests = FixedSizeBinaryBuilder::with_capacity(rows.len(), 16);
        let mut hashes = FixedSizeBinaryBuilder::with_capacity(rows.len(), 16);
        for row in rows {
            digests
                .append_value(row.record_digest.as_bytes())
                .map_err(TableError::arrow(TABLE))?;
            hashes
                .append_value(row.text_hash.as_bytes())
                .map_err(TableError::arrow(TABLE))?;
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|row| row.idx).collect::<UInt32Array>()),
            Arc::new(rows.iter().map(|row| row.offset).collect::<UInt64Array>()),
            Arc::new(rows.iter().map(|row| row.length).collect::<UInt32Array>()),
            Arc::new(digests.finish()),
            Arc::new(
                rows.iter()
                    .map(|row| row.decision.to_u8())
                    .collect::<UInt8Array>(),
            ),
            Arc::new(rows.iter().map(|row| row.reason.to_u8()).collect::<UInt8Array>()),
            Arc::new(
                rows.iter()
                    .map(|row| row.dup_of.unwrap_or(NO_DUPLICATE))
                    .collect::<UInt32Array>(),
            ),
            Arc::new(hashes.finish()),
            Arc::new(rows.iter().map(|row| row.n_tokens).collect::<UInt32Array>()),
        ];
        self.table.write_group(columns)?;
        self.rows.clear();
        Ok(())
    }
}

/// Reads a whole ledger (58 bytes a row in memory) after checking schema and limits; more than `rows_max` rows are refused
/// before they are decoded.
pub fn read_ledger<R: ChunkReader + 'static>(input: R, rows_max: u64) -> Result<Vec<LedgerRow>, TableError> {
    guarded(TABLE, || {
        let mut rows = Vec::new();
        let limits = TableLimits {
            rows_max,
            ..TableLimits::of_groups(ROWS_PER_GROUP)
        };
        for batch in batches(TABLE, &schema(), &limits, input)? {
            append(&batch.map_err(TableError::arrow(TABLE))?, &mut rows)?;
        }
        Ok(rows)
    })
}

fn append(batch: &RecordBatch, rows: &mut Vec<LedgerRow>) -> Result<(), TableError> {
    let wrong = |row: usize, what: &'static str| TableError::Value {
        table: TABLE,
        row,
        what,
    };
    let column = |index: usize| batch.column(index);
    let idx = column(0).as_primitive::<UInt32Type>();
    let offset = column(1).as_primitive::<UInt64Type>();
    let length = column(2).as_primitive::<UInt32Type>();
    let digest = column(3).as_fixed_size_binary();
    let decision = column(4).as_primitive::<UInt8Type>();
    let reason = column(5).as_primitive::<UInt8Type>();
    let dup_of = column(6).as_primitive::<UInt32Type>();
    let text_hash = column(7).as_fixed_size_binary();
    let n_tokens = column(8).as_primitive::<UInt32Type>();
    if batch.columns().iter().any(|column| column.null_count() > 0) {
        return Err(wrong(rows.len(), "null value"));
    }
    for at in 0..batch.num_rows() {
        let row = rows.len();
        let dup = dup_of.value(at);
        rows.push(LedgerRow {
            idx: idx.value(at),
            offset: offset.value(at),
            length: length.value(at),
            record_digest: digest16(digest.value(at))
                .ok_or_else(|| wrong(row, "record digest of another length"))?,
            decision: Decision::from_u8(decision.value(at))
                .map_err(|_| wrong(row, "unknown decision code"))?,
            reason: Reason::from_u8(reason.value(at)).map_err(|_| wrong(row, "unknown reason code"))?,
            dup_of: (dup != NO_DUPLICATE).then_some(dup),
            text_hash: digest16(text_hash.value(at))
                .ok_or_else(|| wrong(row, "text hash of another length"))?,
            n_tokens: n_tokens.value(at),
        });
    }
    Ok(())
}

fn digest16(bytes: &[u8]) -> Option<Digest16> {
    Some(Digest16(bytes.try_into().ok()?))
}
