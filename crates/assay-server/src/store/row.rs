//! Reading columns as the types they hold.

use super::StoreError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};
use std::str::FromStr;

/// A TEXT column as a type with a text form.
pub(super) fn parsed<T: FromStr>(row: &AnyRow, column: &'static str) -> Result<T, StoreError> {
    text(row, column)?.parse().map_err(|_| StoreError::Value(column))
}

/// A TEXT column.
pub(super) fn text(row: &AnyRow, column: &'static str) -> Result<String, StoreError> {
    row.try_get(column).map_err(|_| StoreError::Value(column))
}

/// A BIGINT column as a number that holds it.
pub(super) fn number<T: TryFrom<i64>>(row: &AnyRow, column: &'static str) -> Result<T, StoreError> {
    let value: i64 = row.try_get(column).map_err(|_| StoreError::Value(column))?;
    T::try_from(value).map_err(|_| StoreError::Value(column))
}

/// A TEXT column of JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    row: &AnyRow,
    column: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(&text(row, column)?).map_err(|_| StoreError::Value(column))
}

/// JSON of a value that has one.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// An unsigned number as the database holds it; the greatest it can hold where it is larger.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// How much of a list is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    /// Rows at most.
    pub rows: u32,
    /// Bytes at most, as they are stored; one row may be longer.
    pub bytes: u64,
}

/// What a row costs beside its documents, bytes.
const ROW_BYTES: u64 = 512;

impl PageSize {
    /// Rows whose lengths are looked at: one more than may be given, which tells whether more follow.
    pub(super) fn looked_at(self) -> i64 {
        i64::from(self.rows).saturating_add(1)
    }

    /// How many rows of these lengths fit, at least one of any, and whether more follow.
    pub(super) fn fit(self, lengths: &[u64]) -> (u32, bool) {
        let (mut rows, mut bytes) = (0_u32, 0_u64);
        for length in lengths.iter().take(self.rows as usize) {
            bytes = bytes.saturating_add(*length).saturating_add(ROW_BYTES);
            if rows > 0 && bytes > self.bytes {
                break;
            }
            rows += 1;
        }
        (rows, lengths.len() > rows as usize)
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRows<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Whether others follow.
    pub more: bool,
}

/// Values bound in one statement; SQLite takes 32,766.
const BOUND_MAX: usize = 5_000;

/// A value of an inserted row.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A BIGINT.
    Number(i64),
    /// A TEXT.
    Text(String),
}

/// Inserts rows of equal length with as few statements as the number of bound values allows.
pub(super) async fn insert_rows(
    connection: &mut AnyConnection,
    (table, columns): (&str, &[&str]),
    rows: &[Vec<Value>],
) -> Result<(), StoreError> {
    let width = columns.len().max(1);
    for rows in rows.chunks((BOUND_MAX / width).max(1)) {
        let places: Vec<String> = (0..rows.len())
            .map(|row| {
                let places: Vec<String> = (1..=width).map(|at| format!("${}", row * width + at)).collect();
                format!("({})", places.join(", "))
            })
            .collect();
        let statement = format!(
            "INSERT INTO {table} ({}) VALUES {}",
            columns.join(", "),
            places.join(", ")
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for value in rows.iter().flatten() {
            query = match value {
                Value::Number(number) => query.bind(*number),
                Value::Text(text) => query.bind(text.clone()),
            };
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_by_rows_or_by_bytes_and_never_empty() {
        let size = |rows, bytes| PageSize { rows, bytes };
        assert_eq!(size(2, 1 << 20).fit(&[]), (0, false));
        assert_eq!(size(2, 1 << 20).fit(&[1, 1]), (2, false));
        assert_eq!(size(2, 1 << 20).fit(&[1, 1, 1]), (2, true));
        assert_eq!(size(9, 2 * ROW_BYTES + 10).fit(&[5, 5, 5]), (2, true));
        assert_eq!(size(9, 2 * ROW_BYTES + 9).fit(&[5, 5, 5]), (1, true));
        assert_eq!(size(9, 0).fit(&[1 << 30]), (1, false));
    }
}
