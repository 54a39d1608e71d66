//! The audit log in the database: entries are only ever appended, each bound to the one before.

use super::row::{number, parsed, signed, text};
use super::{StoreError, Write};
use assay_types::Digest;
use assay_types::api::{AuditEntry, EventKind};
use assay_types::canonical_json;
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};

/// Appends within a transaction; gives the entry's number.
pub(super) async fn append(
    connection: &mut AnyConnection,
    kind: EventKind,
    document: &serde_json::Value,
    now_ms: u64,
) -> Result<u64, StoreError> {
    let last = sqlx::query("SELECT sequence, digest FROM audit ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    let (sequence, previous) = match last {
        Some(row) => (number::<u64>(&row, "sequence")? + 1, parsed(&row, "digest")?),
        None => (1, Digest::ZERO),
    };
    let document = canonical_json::to_bytes(document).map_err(|_| StoreError::Value("document"))?;
    let mut entry = AuditEntry {
        sequence,
        time_ms: now_ms,
        kind,
        document: String::from_utf8(document).map_err(|_| StoreError::Value("document"))?,
        previous,
        digest: Digest::ZERO,
    };
    entry.digest = entry.expected_digest();
    sqlx::query(
        "INSERT INTO audit (sequence, time_ms, kind, document, previous, digest) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(signed(entry.sequence))
    .bind(signed(entry.time_ms))
    .bind(entry.kind.name().to_owned())
    .bind(entry.document)
    .bind(entry.previous.to_string())
    .bind(entry.digest.to_string())
    .execute(connection)
    .await?;
    Ok(sequence)
}

/// An entry about the server itself.
#[derive(Debug, Clone)]
pub struct Append {
    /// Kind.
    pub kind: EventKind,
    /// What happened.
    pub document: serde_json::Value,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for Append {
    type Out = u64;

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(append(connection, self.kind, &self.document, self.now_ms))
    }
}

/// Entries after a number, in order.
pub async fn audit_entries(pool: &AnyPool, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
    let rows = sqlx::query("SELECT * FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT $2")
        .bind(signed(after))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// The newest entries of some kinds, newest first.
pub async fn newest_entries(
    pool: &AnyPool,
    kinds: &[EventKind],
    limit: u32,
) -> Result<Vec<AuditEntry>, StoreError> {
    let names: Vec<String> = kinds.iter().map(|kind| format!("'{}'", kind.name())).collect();
    let statement = format!(
        "SELECT * FROM audit WHERE kind IN ({}) ORDER BY sequence DESC LIMIT $1",
        names.join(", ")
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// Number of the newest entry; 0 if there is none.
pub async fn last_sequence(pool: &AnyPool) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT sequence FROM audit ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(pool)
        .await?;
    row.as_ref().map_or(Ok(0), |row| number(row, "sequence"))
}

fn read(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        sequence: number(row, "sequence")?,
        time_ms: number(row, "time_ms")?,
        kind: EventKind::parse(&text(row, "kind")?).ok_or(StoreError::Value("kind"))?,
        document: text(row, "document")?,
        previous: parsed(row, "previous")?,
        digest: parsed(row, "digest")?,
    })
}
