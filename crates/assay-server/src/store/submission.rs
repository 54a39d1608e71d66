//! Submissions: pointers the chain revealed, completed by manifests that have their roots.

use super::audit::append;
use super::declared::{forget_declared, insert_declared};
use super::row::{PageRows, PageSize, json, number, parsed, signed, text, to_json};
use super::{Parts, StoreError, Write};
use assay_types::api::{DeclaredWork, EventKind, ProblemKind, SubmissionState, SubmissionView};
use assay_types::{BlockNumber, Digest, Hotkey, POINTER_BYTES, Pointer, Round, UnitId, hex};
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};

/// A pointer the chain has opened. The first that counts stays; an uncounted one is replaced.
#[derive(Debug, Clone)]
pub struct RevealedRow {
    /// Who.
    pub hotkey: Hotkey,
    /// What was opened.
    pub pointer: Pointer,
    /// Block of the opening.
    pub block: BlockNumber,
    /// Why it does not count; "" if it does.
    pub refusal: String,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for RevealedRow {
    /// Whether it is new.
    type Out = bool;

    fn touches(&self) -> Parts {
        Parts::SUBMISSIONS
    }

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let payload = hex::encode(&self.pointer.encode());
            // In a closed round nothing is replaced: what was declared of the pointer that is there stands.
            let is_closed = is_closed(connection, self.pointer.round).await?;
            let done = sqlx::query(
                "INSERT INTO submissions (round, hotkey, root, payload, block, refusal, units, records) \
                 VALUES ($1, $2, $3, $4, $5, $6, '[]', '[]') ON CONFLICT (round, hotkey) DO UPDATE SET root = excluded.root, \
                 payload = excluded.payload, block = excluded.block, refusal = excluded.refusal, units = '[]', records = '[]' \
                 WHERE submissions.payload <> excluded.payload AND submissions.block < excluded.block \
                 AND (excluded.refusal = '' OR submissions.refusal <> '') AND CAST($7 AS BIGINT) = 0",
            )
            .bind(i64::from(self.pointer.round.0))
            .bind(self.hotkey.to_string())
            .bind(self.pointer.submission_root.to_string())
            .bind(payload)
            .bind(i64::from(self.block.0))
            .bind(self.refusal.clone())
            .bind(i64::from(is_closed))
            .execute(&mut *connection)
            .await?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            // What was declared belonged to the pointer that is replaced.
            forget_declared(connection, (self.pointer.round, &self.hotkey)).await?;
            let event = serde_json::json!({"round": self.pointer.round, "hotkey": self.hotkey,
                "root": self.pointer.submission_root, "refusal": self.refusal});
            append(connection, EventKind::Submission, &event, self.now_ms).await?;
            Ok(true)
        })
    }
}

/// The units of a submission, from a manifest that was checked against its root.
#[derive(Debug, Clone)]
pub struct CompleteSubmission {
    /// The round.
    pub round: Round,
    /// The miner.
    pub hotkey: Hotkey,
    /// The manifest's root.
    pub root: Digest,
    /// Its units, ascending.
    pub units: Vec<UnitId>,
    /// Records of each, in the same order.
    pub records: Vec<u32>,
    /// What it says of them, one entry a recipe; empty unless the miner itself hands it in.
    pub declared: Vec<DeclaredWork>,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for CompleteSubmission {
    /// Number in the audit log, and whether it was complete already.
    type Out = Result<(u64, bool), ProblemKind>;

    fn touches(&self) -> Parts {
        Parts::SUBMISSIONS
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<Self::Out, StoreError>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT * FROM submissions WHERE round = $1 AND hotkey = $2")
                .bind(i64::from(self.round.0))
                .bind(self.hotkey.to_string())
                .fetch_optional(&mut *connection)
                .await?;
            let Some(known) = row.as_ref().map(read).transpose()? else {
                return Ok(Err(ProblemKind::NotRevealed));
            };
            let is_whole =
                known.n_units as usize == self.units.len() && self.records.len() == self.units.len();
            if known.submission_root != self.root || !is_whole {
                return Ok(Err(ProblemKind::SubmissionMismatch));
            }
            if !self.declared.is_empty() && !is_closed(connection, self.round).await? {
                insert_declared(connection, (self.round, self.hotkey), &self.declared).await?;
            }
            // A manifest of an earlier version of the table has units without their records.
            sqlx::query(
                "UPDATE submissions SET units = $3, records = $4 WHERE round = $1 AND hotkey = $2 AND records = '[]'",
            )
            .bind(i64::from(self.round.0))
            .bind(self.hotkey.to_string())
            .bind(to_json(&self.units))
            .bind(to_json(&self.records))
            .execute(&mut *connection)
            .await?;
            if !known.units.is_empty() {
                return Ok(Ok((0, true)));
            }
            let event = serde_json::json!({"round": self.round, "hotkey": self.hotkey, "root": self.root,
                "units": self.units.len()});
            let sequence = append(connection, EventKind::Submission, &event, self.now_ms).await?;
            Ok(Ok((sequence, false)))
        })
    }
}

/// Whether a round, or one behind it, is settled: its figures stand from then on. Nobody makes them greater afterwards, and sums
/// over settled rounds hold (`board/sums.rs`).
async fn is_closed(connection: &mut AnyConnection, round: Round) -> Result<bool, StoreError> {
    // Where several write at once, the round cannot be settled between this and the commit.
    let lock = if connection.backend_name() == "PostgreSQL" {
        "FOR SHARE"
    } else {
        ""
    };
    let statement = format!("SELECT settled FROM rounds WHERE round = $1 {lock}");
    let row = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(i64::from(round.0))
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = row
        && number::<u8>(&row, "settled")? == 1
    {
        return Ok(true);
    }
    let later = sqlx::query("SELECT round FROM rounds WHERE settled = 1 AND round >= $1 LIMIT 1")
        .bind(i64::from(round.0))
        .fetch_optional(connection)
        .await?;
    Ok(later.is_some())
}

/// The submission of a root.
pub async fn submission(pool: &AnyPool, root: &Digest) -> Result<Option<SubmissionView>, StoreError> {
    let row = sqlx::query("SELECT * FROM submissions WHERE root = $1 ORDER BY block LIMIT 1")
        .bind(root.to_string())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

/// A miner's submission of a round.
pub async fn submission_of(
    pool: &AnyPool,
    round: Round,
    hotkey: &Hotkey,
) -> Result<Option<SubmissionView>, StoreError> {
    let row = sqlx::query("SELECT * FROM submissions WHERE round = $1 AND hotkey = $2")
        .bind(i64::from(round.0))
        .bind(hotkey.to_string())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Submissions of a round, by hotkey, after one.
pub async fn submissions(
    pool: &AnyPool,
    round: Round,
    after: &str,
    limit: u32,
) -> Result<Vec<SubmissionView>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM submissions WHERE round = $1 AND hotkey > $2 ORDER BY hotkey LIMIT $3")
            .bind(i64::from(round.0))
            .bind(after.to_owned())
            .bind(signed(u64::from(limit)))
            .fetch_all(pool)
            .await?;
    rows.iter().map(read).collect()
}

/// Submissions of a round, by hotkey, after one, as many as a page holds.
pub async fn submission_page(
    pool: &AnyPool,
    round: Round,
    after: &str,
    size: PageSize,
) -> Result<PageRows<SubmissionView>, StoreError> {
    let lengths = sqlx::query(
        "SELECT CAST(OCTET_LENGTH(units) AS BIGINT) AS bytes FROM submissions WHERE round = $1 AND hotkey > $2 \
         ORDER BY hotkey LIMIT $3",
    )
    .bind(i64::from(round.0))
    .bind(after.to_owned())
    .bind(size.looked_at())
    .fetch_all(pool)
    .await?;
    let lengths = lengths.iter().map(|row| number(row, "bytes"));
    let (limit, more) = size.fit(&lengths.collect::<Result<Vec<_>, _>>()?);
    let rows = submissions(pool, round, after, limit).await?;
    Ok(PageRows { rows, more })
}

/// How many submissions a round has.
pub async fn submission_count(pool: &AnyPool, round: Round) -> Result<u32, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS count FROM submissions WHERE round = $1")
        .bind(i64::from(round.0))
        .fetch_one(pool)
        .await?;
    number(&row, "count")
}

/// Submissions of a miner, newest round first.
pub async fn submissions_by(
    pool: &AnyPool,
    hotkey: &Hotkey,
    limit: u32,
) -> Result<Vec<SubmissionView>, StoreError> {
    let rows = sqlx::query("SELECT * FROM submissions WHERE hotkey = $1 ORDER BY round DESC LIMIT $2")
        .bind(hotkey.to_string())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

/// Complete submissions that hold a unit, newest round first, with its records as their manifests have them; none where
/// that was not kept.
pub async fn submissions_with(
    pool: &AnyPool,
    unit: &UnitId,
    limit: u32,
) -> Result<Vec<(SubmissionView, Option<u32>)>, StoreError> {
    // The list of units is JSON of ids of fixed length: an id is in it or not.
    let rows = sqlx::query("SELECT * FROM submissions WHERE units LIKE $1 ORDER BY round DESC LIMIT $2")
        .bind(format!("%{unit}%"))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    let with_records = |row: &AnyRow| {
        let view = read(row)?;
        let records: Vec<u32> = json(row, "records")?;
        let place = view.units.iter().position(|own| own == unit);
        let own = place.and_then(|place| records.get(place)).copied();
        Ok((view, own))
    };
    rows.iter().map(with_records).collect()
}

fn read(row: &AnyRow) -> Result<SubmissionView, StoreError> {
    let payload = text(row, "payload")?;
    let bytes = hex::decode::<POINTER_BYTES>(&payload).map_err(|_| StoreError::Value("payload"))?;
    let pointer = Pointer::parse(&bytes).map_err(|_| StoreError::Value("payload"))?;
    let (refusal, units): (String, Vec<UnitId>) = (text(row, "refusal")?, json(row, "units")?);
    let state = match (refusal.as_str(), units.is_empty()) {
        ("", true) => SubmissionState::Revealed,
        ("", false) => SubmissionState::Complete,
        _ => SubmissionState::Refused,
    };
    Ok(SubmissionView {
        round: Round(number(row, "round")?),
        hotkey: parsed(row, "hotkey")?,
        state,
        submission_root: parsed(row, "root")?,
        payload,
        block: BlockNumber(number(row, "block")?),
        repo: pointer.repo.as_str().to_owned(),
        revision: pointer.revision.to_string(),
        n_units: pointer.n_units,
        want_next: pointer.want_next,
        units,
        refusal,
    })
}
