//! The corpus index in the database: every unit has a place that never changes.

use super::audit::append;
use super::row::{Value, insert_rows, number, parsed, signed, text};
use super::{StoreError, Write};
use assay_types::api::{CorpusView, EventKind};
use assay_types::{Bytes, Digest, MerkleBuilder, UnitId, WorkUnit, corpus_index_root};
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};
use std::collections::BTreeMap;

/// Rows read at a time when every leaf is needed.
const LEAF_ROWS: i64 = 10_000;

/// Adds a list of archives behind all others.
#[derive(Debug)]
pub struct AddCorpus {
    /// Its name.
    pub name: String,
    /// Its units, in their order.
    pub units: Vec<WorkUnit>,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for AddCorpus {
    /// The corpus, and whether it is new; one of the same name and root is taken once.
    type Out = (CorpusView, bool);

    fn apply<'a>(
        &'a self,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<Self::Out, StoreError>> {
        Box::pin(async move {
            let known = sqlx::query("SELECT * FROM corpora WHERE name = $1")
                .bind(self.name.clone())
                .fetch_optional(&mut *connection)
                .await?;
            if let Some(row) = known {
                return Ok((read_corpus(&row)?, false));
            }
            let first = count(connection).await?;
            self.insert_units(connection, first).await?;
            let view = CorpusView {
                name: self.name.clone(),
                root: corpus_index_root(&self.units),
                index_root: root_of(connection).await?,
                first,
                units: self.units.len() as u64,
                bytes: Bytes(
                    self.units
                        .iter()
                        .map(|unit| unit.bytes.0)
                        .fold(0, u64::saturating_add),
                ),
            };
            sqlx::query(
                "INSERT INTO corpora (name, root, index_root, first, units, bytes, added_ms) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(view.name.clone())
            .bind(view.root.to_string())
            .bind(view.index_root.to_string())
            .bind(signed(view.first))
            .bind(signed(view.units))
            .bind(signed(view.bytes.0))
            .bind(signed(self.now_ms))
            .execute(&mut *connection)
            .await?;
            let event = serde_json::json!({"corpus": view.name, "root": view.root, "units": view.units,
                "index_root": view.index_root});
            append(connection, EventKind::Health, &event, self.now_ms).await?;
            Ok((view, true))
        })
    }
}

impl AddCorpus {
    async fn insert_units(&self, connection: &mut AnyConnection, first: u64) -> Result<(), StoreError> {
        let rows: Vec<Vec<Value>> = (first..)
            .zip(&self.units)
            .map(|(position, unit)| {
                vec![
                    Value::Number(signed(position)),
                    Value::Text(unit.unit_id.to_string()),
                    Value::Text(unit.source.clone()),
                    Value::Text(unit.path.clone()),
                    Value::Number(signed(unit.bytes.0)),
                    Value::Text(unit.leaf().to_string()),
                ]
            })
            .collect();
        let columns = ["position", "unit_id", "source", "path", "bytes", "leaf"];
        insert_rows(connection, ("units", &columns), &rows).await
    }
}

async fn count(connection: &mut AnyConnection) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS count FROM units")
        .fetch_one(connection)
        .await?;
    number(&row, "count")
}

/// Root over all units.
async fn root_of(connection: &mut AnyConnection) -> Result<Digest, StoreError> {
    let mut builder = MerkleBuilder::default();
    let mut from = 0;
    loop {
        let rows = sqlx::query("SELECT leaf FROM units WHERE position >= $1 ORDER BY position LIMIT $2")
            .bind(from)
            .bind(LEAF_ROWS)
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            builder.push(parsed(row, "leaf")?);
        }
        if (rows.len() as i64) < LEAF_ROWS {
            return Ok(builder.root());
        }
        from += LEAF_ROWS;
    }
}

/// Corpora in the order of their units.
pub async fn corpora(pool: &AnyPool) -> Result<Vec<CorpusView>, StoreError> {
    let rows = sqlx::query("SELECT * FROM corpora ORDER BY first")
        .fetch_all(pool)
        .await?;
    rows.iter().map(read_corpus).collect()
}

/// Root of the whole index; zero if there is no corpus.
pub async fn index_root(pool: &AnyPool) -> Result<Digest, StoreError> {
    Ok(corpora(pool)
        .await?
        .last()
        .map_or(Digest::ZERO, |corpus| corpus.index_root))
}

/// How many units there are.
pub async fn unit_count(pool: &AnyPool) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS count FROM units")
        .fetch_one(pool)
        .await?;
    number(&row, "count")
}

/// Mean length of the archives of each source, bytes, rounded down.
pub async fn source_means(pool: &AnyPool) -> Result<BTreeMap<String, u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT source, COUNT(*) AS count, CAST(SUM(bytes) AS BIGINT) AS bytes FROM units GROUP BY source",
    )
    .fetch_all(pool)
    .await?;
    let read = |row: &AnyRow| {
        let (bytes, count): (u64, u64) = (number(row, "bytes")?, number(row, "count")?);
        Ok((text(row, "source")?, bytes / count.max(1)))
    };
    rows.iter().map(read).collect()
}

/// Ids of units from a place on.
pub async fn units_from(pool: &AnyPool, position: u64, limit: u64) -> Result<Vec<UnitId>, StoreError> {
    let rows = sqlx::query("SELECT unit_id FROM units WHERE position >= $1 ORDER BY position LIMIT $2")
        .bind(signed(position))
        .bind(signed(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| parsed(row, "unit_id")).collect()
}

/// Leaves of all units, in order.
pub async fn unit_leaves(pool: &AnyPool) -> Result<Vec<Digest>, StoreError> {
    let rows = sqlx::query("SELECT leaf FROM units ORDER BY position")
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| parsed(row, "leaf")).collect()
}

/// Units from a place on, with that place.
pub async fn corpus_units(
    pool: &AnyPool,
    position: u64,
    limit: u32,
) -> Result<Vec<(u64, WorkUnit)>, StoreError> {
    let rows = sqlx::query("SELECT * FROM units WHERE position >= $1 ORDER BY position LIMIT $2")
        .bind(signed(position))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read_unit).collect()
}

/// A unit with its place.
pub async fn unit(pool: &AnyPool, id: &UnitId) -> Result<Option<(u64, WorkUnit)>, StoreError> {
    let row = sqlx::query("SELECT * FROM units WHERE unit_id = $1")
        .bind(id.to_string())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read_unit).transpose()
}

/// Units whose path holds a text, by place.
pub async fn units_by_path(
    pool: &AnyPool,
    part: &str,
    limit: u32,
) -> Result<Vec<(UnitId, String)>, StoreError> {
    let escaped = part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let rows = sqlx::query(
        "SELECT unit_id, path FROM units WHERE path LIKE $1 ESCAPE '\\' ORDER BY position LIMIT $2",
    )
    .bind(format!("%{escaped}%"))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| Ok((parsed(row, "unit_id")?, text(row, "path")?)))
        .collect()
}

fn read_unit(row: &AnyRow) -> Result<(u64, WorkUnit), StoreError> {
    let unit = WorkUnit {
        unit_id: parsed(row, "unit_id")?,
        source: text(row, "source")?,
        path: text(row, "path")?,
        bytes: Bytes(number(row, "bytes")?),
    };
    Ok((number(row, "position")?, unit))
}

fn read_corpus(row: &AnyRow) -> Result<CorpusView, StoreError> {
    Ok(CorpusView {
        name: text(row, "name")?,
        root: parsed(row, "root")?,
        index_root: parsed(row, "index_root")?,
        first: number(row, "first")?,
        units: number(row, "units")?,
        bytes: Bytes(number(row, "bytes")?),
    })
}
