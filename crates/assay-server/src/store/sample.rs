//! Audited rows that validators show: kept as they were signed, and by row for the pages of records.
//!
//! For people only, so they are forgotten after [`ROUNDS_KEPT`] rounds; the audit log keeps that they were here.

use super::audit::append;
use super::evidence::receipt;
use super::row::{number, parsed, signed, text};
use super::{Parts, StoreError, Write};
use assay_types::api::{EventKind, ProblemKind, Receipt};
use assay_types::{AuditSample, Digest, Hotkey, Round, SampleRow, UnitId};
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};

/// Rounds whose samples are kept.
const ROUNDS_KEPT: u32 = 64;
/// Samples of one submission that are kept: those of further validators would only say the same.
const OF_SUBMISSION_MAX: u64 = 8;

/// A sample whose form and signature hold.
#[derive(Debug, Clone)]
pub struct AddSample {
    /// What it says.
    pub sample: AuditSample,
    /// What its validator signed: the same text signed again is the same sample.
    pub digest: Digest,
    /// The canonical bytes.
    pub line: String,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for AddSample {
    /// The receipt; a conflict if the validator showed something else of this submission, or enough others show it.
    type Out = Result<Receipt, ProblemKind>;

    fn touches(&self) -> Parts {
        Parts::EVIDENCE
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<Self::Out, StoreError>> {
        Box::pin(async move {
            let sample = &self.sample;
            let digest = self.digest;
            let known = sqlx::query(
                "SELECT digest, sequence FROM samples WHERE round = $1 AND validator = $2 AND miner = $3",
            )
            .bind(i64::from(sample.round.0))
            .bind(sample.validator.to_string())
            .bind(sample.miner.to_string())
            .fetch_optional(&mut *connection)
            .await?;
            if let Some(row) = known {
                let here: Digest = parsed(&row, "digest")?;
                let sequence = number(&row, "sequence")?;
                return Ok(receipt(here == digest, digest, sequence));
            }
            let others = sqlx::query("SELECT COUNT(*) AS count FROM samples WHERE round = $1 AND miner = $2")
                .bind(i64::from(sample.round.0))
                .bind(sample.miner.to_string())
                .fetch_one(&mut *connection)
                .await?;
            if number::<u64>(&others, "count")? >= OF_SUBMISSION_MAX {
                return Ok(Err(ProblemKind::ReportConflict));
            }
            let event = serde_json::json!({"digest": digest, "kind": "sample", "round": sample.round,
                "validator": sample.validator, "miner": sample.miner});
            let sequence = append(connection, EventKind::Report, &event, self.now_ms).await?;
            self.insert(connection, sequence).await?;
            forget(connection, sample.round).await?;
            Ok(Ok(Receipt {
                digest,
                sequence,
                known: false,
            }))
        })
    }
}

impl AddSample {
    async fn insert(&self, connection: &mut AnyConnection, sequence: u64) -> Result<(), StoreError> {
        let sample = &self.sample;
        sqlx::query(
            "INSERT INTO samples (digest, sequence, round, validator, miner, root, line, received_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(self.digest.to_string())
        .bind(signed(sequence))
        .bind(i64::from(sample.round.0))
        .bind(sample.validator.to_string())
        .bind(sample.miner.to_string())
        .bind(sample.submission_root.to_string())
        .bind(self.line.clone())
        .bind(signed(self.now_ms))
        .execute(&mut *connection)
        .await?;
        for row in &sample.rows {
            let document = serde_json::to_string(row).map_err(|_| StoreError::Value("document"))?;
            sqlx::query(
                "INSERT INTO sample_rows (unit_id, idx, round, validator, miner, kept, document) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(row.unit.to_string())
            .bind(i64::from(row.idx))
            .bind(i64::from(sample.round.0))
            .bind(sample.validator.to_string())
            .bind(sample.miner.to_string())
            .bind(i64::from(row.decision == "kept"))
            .bind(document)
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }
}

/// Drops what is older than the rounds kept.
async fn forget(connection: &mut AnyConnection, round: Round) -> Result<(), StoreError> {
    let oldest = i64::from(round.0.saturating_sub(ROUNDS_KEPT));
    for statement in [
        "DELETE FROM sample_rows WHERE round < $1",
        "DELETE FROM samples WHERE round < $1",
    ] {
        sqlx::query(statement)
            .bind(oldest)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Samples of a submission, in the order in which they came.
pub async fn samples_of(pool: &AnyPool, root: &Digest, limit: u32) -> Result<Vec<AuditSample>, StoreError> {
    let rows = sqlx::query("SELECT line FROM samples WHERE root = $1 ORDER BY sequence LIMIT $2")
        .bind(root.to_string())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter()
        .map(|row| serde_json::from_str(&text(row, "line")?).map_err(|_| StoreError::Value("line")))
        .collect()
}

/// Submissions of rounds up to one that somebody shows, newest round first.
pub async fn newest_shown(pool: &AnyPool, to: Round, limit: u32) -> Result<Vec<(Round, Digest)>, StoreError> {
    let rows = sqlx::query(
        "SELECT round, miner, root FROM samples WHERE round <= $1 GROUP BY round, miner, root \
         ORDER BY round DESC, miner LIMIT $2",
    )
    .bind(i64::from(to.0))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| Ok((Round(number(row, "round")?), parsed(row, "root")?)))
        .collect()
}

/// A row that somebody shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRow {
    /// Of which round's submission.
    pub round: Round,
    /// Who shows it.
    pub validator: Hotkey,
    /// What it is.
    pub row: SampleRow,
}

/// What is shown of a row, newest round first.
pub async fn shown_rows(
    pool: &AnyPool,
    (unit, idx): (&UnitId, u32),
    to: Round,
    limit: u32,
) -> Result<Vec<ShownRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT round, validator, document FROM sample_rows WHERE unit_id = $1 AND idx = $2 AND round <= $3 \
         ORDER BY round DESC, validator, miner LIMIT $4",
    )
    .bind(unit.to_string())
    .bind(i64::from(idx))
    .bind(i64::from(to.0))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(shown).collect()
}

fn shown(row: &AnyRow) -> Result<ShownRow, StoreError> {
    Ok(ShownRow {
        round: Round(number(row, "round")?),
        validator: parsed(row, "validator")?,
        row: serde_json::from_str(&text(row, "document")?).map_err(|_| StoreError::Value("document"))?,
    })
}
