//! Rounds: the assignment document once and for ever, and the leases that follow from it.

use super::audit::append;
use super::network::follow_network_state;
use super::row::{Value, insert_rows, number, parsed, signed, text};
use super::{Parts, StoreError, Write};
use assay_mechanism::network::NetworkState;
use assay_types::api::{Assignment, EventKind, LeaseState};
use assay_types::{BlockNumber, Digest, Hotkey, Round, UnitId};
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};

/// A round as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRow {
    /// The round.
    pub round: Round,
    /// Block of its beacon.
    pub block: BlockNumber,
    /// `A_t`.
    pub beacon: Digest,
    /// Root of the corpus index then.
    pub index_root: Digest,
    /// First unit never given, after the round.
    pub next_cursor: u64,
    /// Units assigned.
    pub units: u32,
    /// Of these with a second holder.
    pub replicas: u32,
    /// BLAKE3 of the document.
    pub digest: Digest,
    /// Whether verdicts were taken in.
    pub settled: bool,
}

/// A new round; storing it twice changes nothing.
#[derive(Debug)]
pub struct AddRound {
    /// What is assigned.
    pub assignment: Assignment,
    /// The document's bytes.
    pub document: String,
    /// The subnet that it was planned for.
    pub before: NetworkState,
    /// The subnet with the round given out.
    pub state: NetworkState,
    /// Last block of its leases.
    pub deadline: BlockNumber,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for AddRound {
    /// Whether the round is new.
    type Out = bool;

    fn touches(&self) -> Parts {
        Parts::ROUNDS
    }

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let header = &self.assignment.header;
            let replicas = self
                .assignment
                .entries
                .iter()
                .filter(|entry| entry.replica.is_some())
                .count();
            let digest = Digest::of(self.document.as_bytes());
            let done = sqlx::query(
                "INSERT INTO rounds (round, block, beacon, index_root, next_cursor, units, replicas, digest, document, \
                 settled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0) ON CONFLICT DO NOTHING",
            )
            .bind(i64::from(header.round.0))
            .bind(i64::from(header.block.0))
            .bind(header.beacon.to_string())
            .bind(header.index_root.to_string())
            .bind(signed(header.next_cursor))
            .bind(signed(self.assignment.entries.len() as u64))
            .bind(signed(replicas as u64))
            .bind(digest.to_string())
            .bind(self.document.clone())
            .execute(&mut *connection)
            .await?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            self.insert_leases(connection).await?;
            follow_network_state(connection, &self.before, &self.state).await?;
            for unit in self.before.dead.difference(&self.state.dead) {
                sqlx::query(
                    "UPDATE queue SET state = 'waiting', attempts = 0, failed = '[]' WHERE unit_id = $1 AND state = 'dead'",
                )
                .bind(unit.to_string())
                .execute(&mut *connection)
                .await?;
            }
            for again in &header.requeued {
                sqlx::query("UPDATE queue SET state = 'assigned', round = $2 WHERE unit_id = $1 AND state = 'waiting' \
                    AND EXISTS (SELECT 1 FROM leases WHERE round = $2 AND unit_id = $1)")
                    .bind(again.unit.to_string())
                    .bind(i64::from(header.round.0))
                    .execute(&mut *connection)
                    .await?;
            }
            let event = serde_json::json!({"round": header.round, "beacon": header.beacon, "digest": digest,
                "units": self.assignment.entries.len(), "requeued": self.before.dead.difference(&self.state.dead).count()});
            append(connection, EventKind::Round, &event, self.now_ms).await?;
            Ok(true)
        })
    }
}

impl AddRound {
    async fn insert_leases(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let (round, nothing) = (
            i64::from(self.assignment.header.round.0),
            Value::Text(String::new()),
        );
        let zero = Value::Number(0);
        let lease = |unit: UnitId, holder: Hotkey| {
            vec![
                Value::Number(round),
                Value::Text(unit.to_string()),
                Value::Text(holder.to_string()),
                Value::Text(LeaseState::Pending.name().to_owned()),
                zero.clone(),
                zero.clone(),
                zero.clone(),
                Value::Number(i64::from(self.deadline.0)),
                nothing.clone(),
                nothing.clone(),
            ]
        };
        let rows: Vec<Vec<Value>> = self
            .assignment
            .entries
            .iter()
            .flat_map(|entry| {
                let holders = std::iter::once(entry.holder).chain(entry.replica);
                holders
                    .map(|holder| lease(entry.unit, holder))
                    .collect::<Vec<_>>()
            })
            .collect();
        let columns = [
            "round",
            "unit_id",
            "holder",
            "state",
            "progress",
            "taken_ms",
            "heard_ms",
            "deadline",
            "unit_root",
            "reason",
        ];
        insert_rows(connection, ("leases", &columns), &rows).await
    }
}

const COLUMNS: &str =
    "SELECT round, block, beacon, index_root, next_cursor, units, replicas, digest, settled FROM rounds";

/// A round and its document.
pub async fn round(pool: &AnyPool, round: Round) -> Result<Option<(RoundRow, String)>, StoreError> {
    let row = sqlx::query("SELECT * FROM rounds WHERE round = $1")
        .bind(i64::from(round.0))
        .fetch_optional(pool)
        .await?;
    row.as_ref()
        .map(|row| Ok((read(row)?, text(row, "document")?)))
        .transpose()
}

/// A round without its document, which may be long.
pub async fn round_row(pool: &AnyPool, round: Round) -> Result<Option<RoundRow>, StoreError> {
    let statement = format!("{COLUMNS} WHERE round = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(i64::from(round.0))
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The newest round.
pub async fn newest_round(pool: &AnyPool) -> Result<Option<RoundRow>, StoreError> {
    let row = sqlx::query(
        "SELECT round, block, beacon, index_root, next_cursor, units, replicas, digest, settled \
        FROM rounds ORDER BY round DESC LIMIT 1",
    )
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(read).transpose()
}

/// Rounds below a number, newest first.
pub async fn rounds(pool: &AnyPool, below: u64, limit: u32) -> Result<Vec<RoundRow>, StoreError> {
    let statement = format!("{COLUMNS} WHERE round < $1 ORDER BY round DESC LIMIT $2");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(signed(below))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// Rounds whose verdicts are outstanding, oldest first.
pub async fn unsettled_rounds(pool: &AnyPool) -> Result<Vec<RoundRow>, StoreError> {
    let statement = format!("{COLUMNS} WHERE settled = 0 ORDER BY round");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<RoundRow, StoreError> {
    Ok(RoundRow {
        round: Round(number(row, "round")?),
        block: BlockNumber(number(row, "block")?),
        beacon: parsed(row, "beacon")?,
        index_root: parsed(row, "index_root")?,
        next_cursor: number(row, "next_cursor")?,
        units: number(row, "units")?,
        replicas: number(row, "replicas")?,
        digest: parsed(row, "digest")?,
        settled: number::<u8>(row, "settled")? == 1,
    })
}
