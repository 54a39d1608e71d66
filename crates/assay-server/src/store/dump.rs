//! The whole state as lines, and back: one line a row, in the order of the tables.

use super::row::signed;
use super::{StoreError, Write};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Column as _, Row as _};
use std::collections::BTreeMap;
use thiserror::Error;

/// Tables in the order in which they are written and read, each with its columns; numbers first, then texts.
pub const TABLES: &[(&str, &[&str], &[&str])] = &[
    (
        "corpora",
        &["first", "units", "bytes", "added_ms"],
        &["name", "root", "index_root"],
    ),
    (
        "units",
        &["position", "bytes"],
        &["unit_id", "source", "path", "leaf"],
    ),
    ("queue", &["attempts", "round"], &["unit_id", "state", "failed"]),
    ("heads", &["block", "time_ms", "taken_ms"], &["hash", "parent"]),
    ("metagraphs", &["block"], &["reason", "document"]),
    ("weights", &["block", "mechanism"], &["document"]),
    ("commitments", &["block", "place"], &["hotkey", "kind", "bytes"]),
    ("pulses", &["round", "block"], &[]),
    (
        "rounds",
        &["round", "block", "next_cursor", "units", "replicas", "settled"],
        &["beacon", "index_root", "digest", "document"],
    ),
    (
        "leases",
        &["round", "progress", "taken_ms", "heard_ms", "deadline"],
        &["unit_id", "holder", "state", "unit_root", "reason"],
    ),
    (
        "submissions",
        &["round", "block"],
        &["hotkey", "root", "payload", "refusal", "units", "records"],
    ),
    (
        "reports",
        &["sequence", "round", "received_ms"],
        &["digest", "kind", "validator", "subject", "line"],
    ),
    (
        "proofs",
        &["sequence", "round", "received_ms"],
        &["digest", "state", "hotkey", "prover", "kind", "line", "finding"],
    ),
    (
        "samples",
        &["sequence", "round", "received_ms"],
        &["digest", "validator", "miner", "root", "line"],
    ),
    (
        "sample_rows",
        &["idx", "round", "kept"],
        &["unit_id", "validator", "miner", "document"],
    ),
    (
        "miners",
        &["registered", "credibility", "cap", "passed"],
        &["hotkey"],
    ),
    (
        "verdicts",
        &[
            "round",
            "delivered",
            "faults",
            "credibility",
            "cap",
            "assigned",
            "units",
            "records",
            "produced",
            "average",
        ],
        &["hotkey", "verdict", "reports"],
    ),
    ("network", &["id"], &["document"]),
    ("recipes", &["block"], &["recipe_id", "hotkey", "coldkey", "toml"]),
    ("datasets", &["added_ms"], &["name", "release", "document"]),
    (
        "audit",
        &["sequence", "time_ms"],
        &["kind", "document", "previous", "digest"],
    ),
    ("nonces", &["nonce"], &["hotkey"]),
    (
        "declared",
        &["round", "units", "records", "kept", "tokens", "bytes"],
        &["hotkey", "recipe_id"],
    ),
    (
        "removals",
        &["number", "received_ms"],
        &["state", "target", "contact", "reason"],
    ),
];

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DumpLine {
    /// Its table.
    pub table: String,
    /// Its BIGINT columns.
    pub numbers: BTreeMap<String, i64>,
    /// Its TEXT columns.
    pub texts: BTreeMap<String, String>,
}

/// Why a line is no row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a row of table `{0}` has other columns than this version's; export with the same version")]
pub struct DumpProblem(pub String);

impl DumpLine {
    /// Whether table and columns are this version's.
    ///
    /// # Errors
    /// [`DumpProblem`] naming the table.
    pub fn check(&self) -> Result<(), DumpProblem> {
        let same = |wanted: &[&str], found: Vec<&String>| {
            let mut wanted = wanted.to_vec();
            wanted.sort_unstable();
            wanted == found
        };
        let fits = TABLES.iter().any(|(name, numbers, texts)| {
            *name == self.table
                && same(numbers, self.numbers.keys().collect())
                && same(texts, self.texts.keys().collect())
        });
        if fits {
            Ok(())
        } else {
            Err(DumpProblem(self.table.clone()))
        }
    }
}

/// All rows of a table, by all columns.
pub async fn dump_table(connection: &mut AnyConnection, table: &str) -> Result<Vec<DumpLine>, StoreError> {
    let Some((name, numbers, texts)) = TABLES.iter().find(|(name, _, _)| *name == table) else {
        return Ok(Vec::new());
    };
    let columns: Vec<&str> = numbers.iter().chain(*texts).copied().collect();
    let list = columns.join(", ");
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {list} FROM {name} ORDER BY {list}"
    )))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| line(row, name, numbers)).collect()
}

fn line(row: &AnyRow, table: &str, numbers: &[&str]) -> Result<DumpLine, StoreError> {
    let mut line = DumpLine {
        table: table.to_owned(),
        numbers: BTreeMap::new(),
        texts: BTreeMap::new(),
    };
    for column in row.columns() {
        let name = column.name().to_owned();
        if numbers.contains(&column.name()) {
            line.numbers.insert(name, row.try_get(column.ordinal())?);
        } else {
            line.texts.insert(name, row.try_get(column.ordinal())?);
        }
    }
    Ok(line)
}

/// Rows to put into an empty database; checked lines only.
#[derive(Debug)]
pub struct Import {
    /// The rows.
    pub lines: Vec<DumpLine>,
}

impl Write for Import {
    type Out = u64;

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            for line in &self.lines {
                let Some((name, numbers, texts)) = TABLES.iter().find(|(name, _, _)| *name == line.table)
                else {
                    return Err(StoreError::Value("table"));
                };
                let columns: Vec<&str> = numbers.iter().chain(*texts).copied().collect();
                let places: Vec<String> = (1..=columns.len()).map(|at| format!("${at}")).collect();
                let statement = format!(
                    "INSERT INTO {name} ({}) VALUES ({})",
                    columns.join(", "),
                    places.join(", ")
                );
                let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
                for column in *numbers {
                    query = query.bind(line.numbers.get(*column).copied().unwrap_or_default());
                }
                for column in *texts {
                    query = query.bind(line.texts.get(*column).cloned().unwrap_or_default());
                }
                query.execute(&mut *connection).await?;
            }
            Ok(u64::try_from(signed(self.lines.len() as u64)).unwrap_or(0))
        })
    }
}
