//! What manifests declare of their units, by round, miner and recipe; summed for boards.

use super::StoreError;
use super::row::{Value, insert_rows, number, parsed, signed};
use assay_types::api::DeclaredWork;
use assay_types::{Digest, Hotkey, RecipeId, Round};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};

/// One entry of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredRow {
    /// The round; in sums the newest.
    pub round: Round,
    /// The miner.
    pub hotkey: Hotkey,
    /// What it says.
    pub work: DeclaredWork,
}

/// Which rounds count in a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// All that were handed in.
    Any,
    /// Those whose verdict is a pass.
    Passed,
}

/// Stores the entries of a manifest; what is here stays.
pub(super) async fn insert_declared(
    connection: &mut AnyConnection,
    (round, hotkey): (Round, Hotkey),
    works: &[DeclaredWork],
) -> Result<(), StoreError> {
    let columns = [
        "round",
        "hotkey",
        "recipe_id",
        "units",
        "records",
        "kept",
        "tokens",
        "bytes",
    ];
    let rows: Vec<Vec<Value>> = works
        .iter()
        .map(|work| {
            vec![
                Value::Number(i64::from(round.0)),
                Value::Text(hotkey.to_string()),
                Value::Text(work.recipe_id.to_string()),
                Value::Number(i64::from(work.units)),
                Value::Number(signed(work.records)),
                Value::Number(signed(work.kept)),
                Value::Number(signed(work.tokens)),
                Value::Number(signed(work.archive_bytes)),
            ]
        })
        .collect();
    sqlx::query("DELETE FROM declared WHERE round = $1 AND hotkey = $2")
        .bind(i64::from(round.0))
        .bind(hotkey.to_string())
        .execute(&mut *connection)
        .await?;
    insert_rows(connection, ("declared", &columns), &rows).await
}

/// Sums by miner and recipe over rounds from `from` to `to`, both included.
pub async fn declared_sums(
    pool: &AnyPool,
    (from, to): (Round, Round),
    verified: Verified,
) -> Result<Vec<DeclaredRow>, StoreError> {
    let passed = match verified {
        Verified::Any => "",
        Verified::Passed => {
            "JOIN verdicts v ON v.round = d.round AND v.hotkey = d.hotkey AND v.verdict = 'pass'"
        }
    };
    let statement = format!(
        "SELECT MAX(d.round) AS round, d.hotkey AS hotkey, d.recipe_id AS recipe_id, \
         CAST(SUM(d.units) AS BIGINT) AS units, CAST(SUM(d.records) AS BIGINT) AS records, \
         CAST(SUM(d.kept) AS BIGINT) AS kept, CAST(SUM(d.tokens) AS BIGINT) AS tokens, \
         CAST(SUM(d.bytes) AS BIGINT) AS bytes FROM declared d {passed} \
         WHERE d.round >= $1 AND d.round <= $2 GROUP BY d.hotkey, d.recipe_id ORDER BY d.hotkey, d.recipe_id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(i64::from(from.0))
        .bind(i64::from(to.0))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// The newest manifest's entries of every miner, up to a round.
pub async fn declared_newest(pool: &AnyPool, to: Round) -> Result<Vec<DeclaredRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT d.* FROM declared d JOIN (SELECT hotkey, MAX(round) AS round FROM declared WHERE round <= $1 GROUP BY hotkey) n \
         ON n.hotkey = d.hotkey AND n.round = d.round ORDER BY d.hotkey, d.recipe_id",
    )
    .bind(i64::from(to.0))
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

/// A miner's entries, newest round first.
pub async fn declared_of(
    pool: &AnyPool,
    hotkey: &Hotkey,
    limit: u32,
) -> Result<Vec<DeclaredRow>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM declared WHERE hotkey = $1 ORDER BY round DESC, recipe_id LIMIT $2")
            .bind(hotkey.to_string())
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<DeclaredRow, StoreError> {
    Ok(DeclaredRow {
        round: Round(number(row, "round")?),
        hotkey: parsed(row, "hotkey")?,
        work: DeclaredWork {
            recipe_id: RecipeId(parsed::<Digest>(row, "recipe_id")?),
            units: number(row, "units")?,
            records: number(row, "records")?,
            kept: number(row, "kept")?,
            tokens: number(row, "tokens")?,
            archive_bytes: number(row, "bytes")?,
        },
    })
}
