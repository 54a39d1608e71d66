//! Requests of site owners to take pages out: filed by anybody, decided by an administrator.
//!
//! A request on the page of one record (`/records/UNIT/ROW`) hides that page from the moment it is filed until it is refused.
//! One on the path of an archive hides the pages of all its records once it is listed, not before: anybody may file it. One on
//! a host or the beginning of an address hides nothing here, because this server knows no page's address; it stands on
//! the list for whoever builds a release.

use super::audit::append;
use super::row::{number, signed, text};
use super::{StoreError, Write};
use assay_types::api::{EventKind, ProblemKind};
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};

/// Requests that may wait for a decision.
const PENDING_MAX: u64 = 10_000;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalState {
    /// Waits for an administrator.
    Pending,
    /// Stands on the list that releases are built by.
    Listed,
    /// Refused: not the owner, or not of the corpus.
    Refused,
}

impl RemovalState {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Listed => "listed",
            Self::Refused => "refused",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Listed, Self::Refused]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalRow {
    /// Its number, from 1.
    pub number: u64,
    /// When it was filed, milliseconds since 1970.
    pub received_ms: u64,
    /// Where it stands.
    pub state: RemovalState,
    /// A record's page, an archive's path, a host or the beginning of an address.
    pub target: String,
    /// How to reach who asks; never shown.
    pub contact: String,
    /// Why.
    pub reason: String,
}

/// Files a request.
#[derive(Debug, Clone)]
pub struct AddRemoval {
    /// A record's page, an archive's path, a host or the beginning of an address.
    pub target: String,
    /// How to reach who asks.
    pub contact: String,
    /// Why.
    pub reason: String,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for AddRemoval {
    /// Its number, or that too many wait.
    type Out = Result<u64, ProblemKind>;

    fn apply<'a>(
        &'a self,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<Self::Out, StoreError>> {
        Box::pin(async move {
            let waiting = sqlx::query("SELECT COUNT(*) AS count FROM removals WHERE state = 'pending'")
                .fetch_one(&mut *connection)
                .await?;
            if number::<u64>(&waiting, "count")? >= PENDING_MAX {
                return Ok(Err(ProblemKind::Busy));
            }
            let last = sqlx::query("SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) AS last FROM removals")
                .fetch_one(&mut *connection)
                .await?;
            let next = number::<u64>(&last, "last")?.saturating_add(1);
            sqlx::query(
                "INSERT INTO removals (number, received_ms, state, target, contact, reason) VALUES ($1, $2, 'pending', $3, $4, $5)",
            )
            .bind(signed(next))
            .bind(signed(self.now_ms))
            .bind(self.target.clone())
            .bind(self.contact.clone())
            .bind(self.reason.clone())
            .execute(&mut *connection)
            .await?;
            // The log is public: it says that there is a request, not whose or on what.
            let event = serde_json::json!({"removal": next, "state": RemovalState::Pending.name()});
            append(connection, EventKind::Health, &event, self.now_ms).await?;
            Ok(Ok(next))
        })
    }
}

/// Decides a request.
#[derive(Debug, Clone, Copy)]
pub struct DecideRemoval {
    /// Which.
    pub number: u64,
    /// How.
    pub state: RemovalState,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for DecideRemoval {
    /// Whether there is such a request.
    type Out = bool;

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query("UPDATE removals SET state = $2 WHERE number = $1")
                .bind(signed(self.number))
                .bind(self.state.name().to_owned())
                .execute(&mut *connection)
                .await?;
            if done.rows_affected() > 0 {
                let event = serde_json::json!({"removal": self.number, "state": self.state.name()});
                append(connection, EventKind::Health, &event, self.now_ms).await?;
            }
            Ok(done.rows_affected() > 0)
        })
    }
}

/// Requests in a state, by number.
pub async fn removals(pool: &AnyPool, state: RemovalState) -> Result<Vec<RemovalRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM removals WHERE state = $1 ORDER BY number")
        .bind(state.name().to_owned())
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// The request of a number.
pub async fn removal(pool: &AnyPool, number: u64) -> Result<Option<RemovalRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM removals WHERE number = $1")
        .bind(signed(number))
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Whether a request on exactly this target is in one of the states.
pub async fn is_removed(pool: &AnyPool, target: &str, states: &[RemovalState]) -> Result<bool, StoreError> {
    let rows = sqlx::query("SELECT DISTINCT state FROM removals WHERE target = $1")
        .bind(target.to_owned())
        .fetch_all(pool)
        .await?;
    for row in &rows {
        let state = RemovalState::parse(&text(row, "state")?).ok_or(StoreError::Value("state"))?;
        if states.contains(&state) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read(row: &AnyRow) -> Result<RemovalRow, StoreError> {
    Ok(RemovalRow {
        number: number(row, "number")?,
        received_ms: number(row, "received_ms")?,
        state: RemovalState::parse(&text(row, "state")?).ok_or(StoreError::Value("state"))?,
        target: text(row, "target")?,
        contact: text(row, "contact")?,
        reason: text(row, "reason")?,
    })
}
