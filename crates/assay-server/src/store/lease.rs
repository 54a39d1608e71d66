//! Leases: each transition is one guarded statement, so two requests can never both succeed.

use super::row::{number, parsed, signed, text};
use super::{Parts, StoreError, Write};
use assay_types::api::{LeaseKey, LeaseState, LeaseView, ProblemKind};
use assay_types::{BlockNumber, Digest, Hotkey, Round};
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};

/// What a holder asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Begin: pending to leased.
    Take,
    /// Still at it: leased stays leased.
    Heartbeat {
        /// Share done, of 10,000.
        progress: u16,
    },
    /// Done: leased to submitted.
    Complete {
        /// Root of the unit.
        unit_root: Digest,
    },
    /// Not now: leased to pending.
    Release,
    /// Not at all: pending or leased to expired.
    Fail {
        /// Why.
        reason: String,
    },
}

/// A holder's wish for one lease.
#[derive(Debug, Clone)]
pub struct LeaseAsk {
    /// Which.
    pub key: LeaseKey,
    /// What.
    pub ask: Ask,
    /// The server's time, milliseconds.
    pub now_ms: u64,
    /// Newest block: a lease whose deadline lies before it has ended.
    pub head: BlockNumber,
}

/// Why a lease did not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRefusal {
    /// What is in the way.
    pub kind: ProblemKind,
    /// Where the lease stands, if there is one.
    pub state: Option<LeaseState>,
}

const TAKE: &str = "UPDATE leases SET state = 'leased', progress = 0, taken_ms = $4, heard_ms = $4 \
    WHERE round = $1 AND unit_id = $2 AND holder = $3 AND state = 'pending' AND deadline >= $5 RETURNING *";
const HEARTBEAT: &str = "UPDATE leases SET progress = $6, heard_ms = $4 \
    WHERE round = $1 AND unit_id = $2 AND holder = $3 AND state = 'leased' AND deadline >= $5 RETURNING *";
const COMPLETE: &str = "UPDATE leases SET state = 'submitted', progress = 10000, unit_root = $6, heard_ms = $4 \
    WHERE round = $1 AND unit_id = $2 AND holder = $3 AND state = 'leased' AND deadline >= $5 RETURNING *";
const RELEASE: &str = "UPDATE leases SET state = 'pending', progress = 0, heard_ms = $4 \
    WHERE round = $1 AND unit_id = $2 AND holder = $3 AND state = 'leased' AND deadline >= $5 RETURNING *";
const FAIL: &str = "UPDATE leases SET state = 'expired', reason = $6, heard_ms = $4 \
    WHERE round = $1 AND unit_id = $2 AND holder = $3 AND state IN ('pending', 'leased') AND deadline >= $5 \
    RETURNING *";

impl Write for LeaseAsk {
    type Out = Result<LeaseView, LeaseRefusal>;

    fn touches(&self) -> Parts {
        Parts::NONE
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<Self::Out, StoreError>> {
        Box::pin(async move {
            let statement = match &self.ask {
                Ask::Take => TAKE,
                Ask::Heartbeat { .. } => HEARTBEAT,
                Ask::Complete { .. } => COMPLETE,
                Ask::Release => RELEASE,
                Ask::Fail { .. } => FAIL,
            };
            let query = sqlx::query(statement)
                .bind(i64::from(self.key.round.0))
                .bind(self.key.unit.to_string())
                .bind(self.key.holder.to_string())
                .bind(signed(self.now_ms))
                .bind(i64::from(self.head.0));
            let query = match &self.ask {
                Ask::Heartbeat { progress } => query.bind(i64::from(*progress)),
                Ask::Complete { unit_root } => query.bind(unit_root.to_string()),
                Ask::Fail { reason } => query.bind(reason.clone()),
                Ask::Take | Ask::Release => query,
            };
            match query.fetch_optional(&mut *connection).await? {
                Some(row) => Ok(Ok(read(&row)?)),
                None => self.refusal(connection).await,
            }
        })
    }
}

impl LeaseAsk {
    /// Why nothing changed; a completion that was made before is answered as the first time.
    async fn refusal(
        &self,
        connection: &mut AnyConnection,
    ) -> Result<Result<LeaseView, LeaseRefusal>, StoreError> {
        let rows = sqlx::query("SELECT * FROM leases WHERE round = $1 AND unit_id = $2")
            .bind(i64::from(self.key.round.0))
            .bind(self.key.unit.to_string())
            .fetch_all(&mut *connection)
            .await?;
        let leases = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let refused = |kind, state| Ok(Err(LeaseRefusal { kind, state }));
        let Some(mine) = leases.iter().find(|lease| lease.key == self.key) else {
            if !leases.is_empty() {
                return refused(ProblemKind::NotYours, None);
            }
            let round = sqlx::query("SELECT round FROM rounds WHERE round = $1")
                .bind(i64::from(self.key.round.0))
                .fetch_optional(connection)
                .await?;
            let kind = round.map_or(ProblemKind::UnknownRound, |_| ProblemKind::NotAssigned);
            return refused(kind, None);
        };
        let is_done = matches!(&self.ask, Ask::Complete { unit_root }
            if mine.state == LeaseState::Submitted && mine.unit_root == Some(*unit_root));
        if is_done {
            return Ok(Ok(mine.clone()));
        }
        let kind = if mine.deadline_block < self.head {
            ProblemKind::LeaseExpired
        } else {
            ProblemKind::LeaseState
        };
        refused(kind, Some(mine.state))
    }
}

/// Ends the leases whose deadline has passed.
#[derive(Debug, Clone, Copy)]
pub struct Reap {
    /// Newest block.
    pub head: BlockNumber,
}

impl Write for Reap {
    type Out = u64;

    fn touches(&self) -> Parts {
        Parts::NONE
    }

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "UPDATE leases SET state = 'expired' WHERE deadline < $1 AND state IN ('pending', 'leased')",
            )
            .bind(i64::from(self.head.0))
            .execute(connection)
            .await?;
            Ok(done.rows_affected())
        })
    }
}

/// One lease.
pub async fn lease(pool: &AnyPool, key: &LeaseKey) -> Result<Option<LeaseView>, StoreError> {
    let row = sqlx::query("SELECT * FROM leases WHERE round = $1 AND unit_id = $2 AND holder = $3")
        .bind(i64::from(key.round.0))
        .bind(key.unit.to_string())
        .bind(key.holder.to_string())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The leases of a holder in a round, by unit.
pub async fn leases(pool: &AnyPool, round: Round, holder: &Hotkey) -> Result<Vec<LeaseView>, StoreError> {
    let rows = sqlx::query("SELECT * FROM leases WHERE holder = $1 AND round = $2 ORDER BY unit_id")
        .bind(holder.to_string())
        .bind(i64::from(round.0))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// How many leases of a round are in each state.
pub async fn leases_of_round(pool: &AnyPool, round: Round) -> Result<Vec<(LeaseState, u32)>, StoreError> {
    let rows = sqlx::query("SELECT state, COUNT(*) AS count FROM leases WHERE round = $1 GROUP BY state")
        .bind(i64::from(round.0))
        .fetch_all(pool)
        .await?;
    let read = |row: &AnyRow| Ok((state(row)?, number(row, "count")?));
    rows.iter().map(read).collect()
}

/// Who holds leases of a round: how many, and when they were last heard of, milliseconds.
pub async fn holders_of_round(pool: &AnyPool, round: Round) -> Result<Vec<(Hotkey, u32, u64)>, StoreError> {
    let rows = sqlx::query(
        "SELECT holder, COUNT(*) AS count, MAX(heard_ms) AS heard FROM leases WHERE round = $1 GROUP BY holder",
    )
    .bind(i64::from(round.0))
    .fetch_all(pool)
    .await?;
    let read = |row: &AnyRow| {
        Ok((
            parsed(row, "holder")?,
            number(row, "count")?,
            number(row, "heard")?,
        ))
    };
    rows.iter().map(read).collect()
}

fn state(row: &AnyRow) -> Result<LeaseState, StoreError> {
    LeaseState::parse(&text(row, "state")?).ok_or(StoreError::Value("state"))
}

fn read(row: &AnyRow) -> Result<LeaseView, StoreError> {
    let root = text(row, "unit_root")?;
    Ok(LeaseView {
        key: LeaseKey {
            round: Round(number(row, "round")?),
            unit: parsed(row, "unit_id")?,
            holder: parsed(row, "holder")?,
        },
        state: state(row)?,
        progress: number(row, "progress")?,
        taken_ms: number(row, "taken_ms")?,
        heard_ms: number(row, "heard_ms")?,
        deadline_block: BlockNumber(number(row, "deadline")?),
        unit_root: match root.as_str() {
            "" => None,
            root => Some(root.parse().map_err(|_| StoreError::Value("unit_root"))?),
        },
        reason: text(row, "reason")?,
    })
}
