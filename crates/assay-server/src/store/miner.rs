//! What rounds did to miners and units: records, verdicts, the queue; written once a round, in one transaction.

use super::audit::append;
use super::network::follow_network_state;
use super::row::{json, number, parsed, signed, text, to_json};
use super::{Parts, StoreError, Write};
use assay_mechanism::network::NetworkState;
use assay_types::api::{EventKind, LeaseKey, LeaseState};
use assay_types::{BlockNumber, Digest, Hotkey, Q32, Round, UnitId, Verdict};
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};
use std::collections::BTreeSet;

/// What is remembered of a miner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinerRecord {
    /// The hotkey.
    pub hotkey: Hotkey,
    /// Block of its registration; another one starts from nothing.
    pub registered: BlockNumber,
    /// Credibility.
    pub credibility: Q32,
    /// Units it may hold.
    pub cap: u32,
    /// Consecutive passed rounds.
    pub passed: u32,
}

/// A round's verdict on a miner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictRow {
    /// The round.
    pub round: Round,
    /// The miner after it.
    pub record: MinerRecord,
    /// The verdict.
    pub verdict: Verdict,
    /// Units it held.
    pub assigned: u32,
    /// Units of these that passed.
    pub units: u32,
    /// Records of those.
    pub records: u64,
    /// What it produced, `P`; 0 if the round does not pay.
    pub produced: Q32,
    /// Its average after the round, `E`: what its weight is made of.
    pub average: Q32,
    /// Delivered share.
    pub delivered: Q32,
    /// Distinct faults.
    pub faults: u32,
    /// Reports it follows from.
    pub reports: Vec<Digest>,
}

/// A unit that was assigned and did not pass at once, or passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRecord {
    /// The unit.
    pub unit: UnitId,
    /// `waiting`, `assigned`, `passed` or `dead`.
    pub state: String,
    /// Rounds in which it failed.
    pub attempts: u32,
    /// Who failed it.
    pub failed: BTreeSet<Hotkey>,
}

/// The outcome of a round; taking it twice changes nothing.
#[derive(Debug)]
pub struct Settle {
    /// The round.
    pub round: Round,
    /// Verdicts.
    pub verdicts: Vec<VerdictRow>,
    /// Units with what became of them.
    pub units: Vec<UnitRecord>,
    /// Submitted leases and how they end.
    pub leases: Vec<(LeaseKey, LeaseState)>,
    /// The subnet that it was settled for.
    pub before: NetworkState,
    /// The subnet with the round settled.
    pub state: NetworkState,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for Settle {
    type Out = bool;

    fn touches(&self) -> Parts {
        Parts::VERDICTS.and(Parts::ROUNDS)
    }

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query("UPDATE rounds SET settled = 1 WHERE round = $1 AND settled = 0")
                .bind(i64::from(self.round.0))
                .execute(&mut *connection)
                .await?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            follow_network_state(connection, &self.before, &self.state).await?;
            for verdict in &self.verdicts {
                insert_verdict(connection, verdict).await?;
            }
            for unit in &self.units {
                put_unit(connection, self.round, unit).await?;
            }
            for (key, state) in &self.leases {
                sqlx::query(
                    "UPDATE leases SET state = $4 WHERE round = $1 AND unit_id = $2 AND holder = $3 AND state = 'submitted'",
                )
                .bind(i64::from(key.round.0))
                .bind(key.unit.to_string())
                .bind(key.holder.to_string())
                .bind(state.name().to_owned())
                .execute(&mut *connection)
                .await?;
            }
            let event =
                serde_json::json!({"round": self.round, "settled": true, "verdicts": self.verdicts.len()});
            append(connection, EventKind::Round, &event, self.now_ms).await?;
            Ok(true)
        })
    }
}

async fn insert_verdict(connection: &mut AnyConnection, row: &VerdictRow) -> Result<(), StoreError> {
    let record = &row.record;
    sqlx::query(
        "INSERT INTO miners (hotkey, registered, credibility, cap, passed) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (hotkey, registered) DO UPDATE SET credibility = excluded.credibility, cap = excluded.cap, \
         passed = excluded.passed",
    )
    .bind(record.hotkey.to_string())
    .bind(i64::from(record.registered.0))
    .bind(signed(record.credibility.0))
    .bind(i64::from(record.cap))
    .bind(i64::from(record.passed))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO verdicts (round, hotkey, verdict, delivered, faults, reports, credibility, cap, assigned, units, \
         records, produced, average) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
    )
    .bind(i64::from(row.round.0))
    .bind(record.hotkey.to_string())
    .bind(row.verdict.name().to_owned())
    .bind(signed(row.delivered.0))
    .bind(i64::from(row.faults))
    .bind(to_json(&row.reports))
    .bind(signed(record.credibility.0))
    .bind(i64::from(record.cap))
    .bind(i64::from(row.assigned))
    .bind(i64::from(row.units))
    .bind(signed(row.records))
    .bind(signed(row.produced.0))
    .bind(signed(row.average.0))
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_unit(connection: &mut AnyConnection, round: Round, unit: &UnitRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO queue (unit_id, state, attempts, failed, round) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (unit_id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, \
         failed = excluded.failed, round = excluded.round",
    )
    .bind(unit.unit.to_string())
    .bind(unit.state.clone())
    .bind(i64::from(unit.attempts))
    .bind(to_json(&unit.failed))
    .bind(i64::from(round.0))
    .execute(connection)
    .await?;
    Ok(())
}

/// Everything remembered of miners.
pub async fn miner_records(pool: &AnyPool) -> Result<Vec<MinerRecord>, StoreError> {
    let rows = sqlx::query("SELECT * FROM miners ORDER BY hotkey, registered")
        .fetch_all(pool)
        .await?;
    let read = |row: &AnyRow| {
        Ok(MinerRecord {
            hotkey: parsed(row, "hotkey")?,
            registered: BlockNumber(number(row, "registered")?),
            credibility: Q32(number(row, "credibility")?),
            cap: number(row, "cap")?,
            passed: number(row, "passed")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Units of the queue in a state, by ascending id; all states for "".
pub async fn queue_records(pool: &AnyPool, state: &str) -> Result<Vec<UnitRecord>, StoreError> {
    let rows = sqlx::query("SELECT * FROM queue WHERE ($1 = '' OR state = $1) ORDER BY unit_id")
        .bind(state.to_owned())
        .fetch_all(pool)
        .await?;
    let read = |row: &AnyRow| {
        Ok(UnitRecord {
            unit: parsed(row, "unit_id")?,
            state: text(row, "state")?,
            attempts: number(row, "attempts")?,
            failed: json(row, "failed")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Units that failed too often.
pub async fn dead_letters(pool: &AnyPool) -> Result<Vec<UnitRecord>, StoreError> {
    queue_records(pool, "dead").await
}
