//! Verdicts as they are read: of a miner, of a round, the newest of everybody.

use super::row::{json, number, parsed, text};
use super::{MinerRecord, StoreError, VerdictRow};
use assay_types::{BlockNumber, Hotkey, Q32, Round, Verdict};
use sqlx::AnyPool;
use sqlx::any::AnyRow;

/// Verdicts on a miner, newest first.
pub async fn verdicts(pool: &AnyPool, hotkey: &Hotkey, limit: u32) -> Result<Vec<VerdictRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM verdicts WHERE hotkey = $1 ORDER BY round DESC LIMIT $2")
        .bind(hotkey.to_string())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// The newest round that has a verdict.
pub async fn newest_judged_round(pool: &AnyPool) -> Result<Option<Round>, StoreError> {
    // One column, so that the index answers: newest row and its hotkey would sort all of them.
    let row = sqlx::query("SELECT round FROM verdicts ORDER BY round DESC LIMIT 1")
        .fetch_optional(pool)
        .await?;
    row.as_ref()
        .map(|row| number(row, "round").map(Round))
        .transpose()
}

/// The newest verdicts on every miner up to a round, so many of each, newest first.
pub async fn newest_verdicts(pool: &AnyPool, to: Round, each: u32) -> Result<Vec<VerdictRow>, StoreError> {
    // By the index over hotkey and round: a few rows of each miner, however many rounds there were.
    let rows = sqlx::query(
        "SELECT v.* FROM (SELECT DISTINCT hotkey FROM miners) m JOIN verdicts v ON v.hotkey = m.hotkey AND v.round <= $1 \
         AND v.round >= COALESCE((SELECT w.round FROM verdicts w WHERE w.hotkey = m.hotkey AND w.round <= $1 \
         ORDER BY w.round DESC LIMIT 1 OFFSET $2), 0) ORDER BY v.round DESC, v.hotkey",
    )
    .bind(i64::from(to.0))
    .bind(i64::from(each.saturating_sub(1)))
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

/// Verdicts of a round, by hotkey.
pub async fn verdicts_of_round(pool: &AnyPool, round: Round) -> Result<Vec<VerdictRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM verdicts WHERE round = $1 ORDER BY hotkey")
        .bind(i64::from(round.0))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// A round's verdict on a miner.
pub async fn verdict_of(
    pool: &AnyPool,
    round: Round,
    hotkey: &Hotkey,
) -> Result<Option<VerdictRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM verdicts WHERE round = $1 AND hotkey = $2")
        .bind(i64::from(round.0))
        .bind(hotkey.to_string())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<VerdictRow, StoreError> {
    let name = text(row, "verdict")?;
    let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.name() == name);
    Ok(VerdictRow {
        round: Round(number(row, "round")?),
        record: MinerRecord {
            hotkey: parsed(row, "hotkey")?,
            registered: BlockNumber(0),
            credibility: Q32(number(row, "credibility")?),
            cap: number(row, "cap")?,
            passed: 0,
        },
        verdict: verdict.ok_or(StoreError::Value("verdict"))?,
        assigned: number(row, "assigned")?,
        units: number(row, "units")?,
        records: number(row, "records")?,
        produced: Q32(number(row, "produced")?),
        average: Q32(number(row, "average")?),
        delivered: Q32(number(row, "delivered")?),
        faults: number(row, "faults")?,
        reports: json(row, "reports")?,
    })
}
