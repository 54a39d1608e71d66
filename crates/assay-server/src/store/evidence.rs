//! Reports and fraud proofs: accepted once, kept as the bytes that were signed.

use super::audit::append;
use super::row::{PageRows, PageSize, number, parsed, signed, text};
use super::{Parts, StoreError, Write};
use assay_types::api::{EventKind, ProblemKind, ProofState, ProofView, Receipt, ReportKind, ReportView};
use assay_types::{Digest, EvaluationReport, Hotkey, Round};
use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};
use std::collections::BTreeMap;

/// A report whose form and signature hold.
#[derive(Debug, Clone)]
pub struct AddReport {
    /// What is stored.
    pub report: ReportView,
    /// What it is about: the miner, or the cell of a duel; a validator speaks once on each.
    pub subject: String,
}

impl Write for AddReport {
    /// The receipt; a conflict if another report of the validator on the subject is here.
    type Out = Result<Receipt, ProblemKind>;

    fn touches(&self) -> Parts {
        match self.report.kind {
            ReportKind::Audit => Parts::EVIDENCE,
            ReportKind::Evaluation => Parts::DUELS,
        }
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<Self::Out, StoreError>> {
        Box::pin(async move {
            let report = &self.report;
            let known = sqlx::query(
                "SELECT digest, sequence FROM reports WHERE kind = $1 AND round = $2 AND validator = $3 AND subject = $4",
            )
            .bind(report.kind.name().to_owned())
            .bind(i64::from(report.round.0))
            .bind(report.validator.to_string())
            .bind(self.subject.clone())
            .fetch_optional(&mut *connection)
            .await?;
            if let Some(row) = known {
                let digest: Digest = parsed(&row, "digest")?;
                let sequence = number(&row, "sequence")?;
                return Ok(receipt(digest == report.digest, digest, sequence));
            }
            let event = serde_json::json!({"digest": report.digest, "kind": report.kind, "round": report.round,
                "validator": report.validator, "miner": report.miner});
            let kind = match report.kind {
                ReportKind::Audit => EventKind::Report,
                ReportKind::Evaluation => EventKind::Duel,
            };
            let sequence = append(connection, kind, &event, report.received_ms).await?;
            sqlx::query(
                "INSERT INTO reports (digest, sequence, kind, round, validator, subject, line, received_ms) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(report.digest.to_string())
            .bind(signed(sequence))
            .bind(report.kind.name().to_owned())
            .bind(i64::from(report.round.0))
            .bind(report.validator.to_string())
            .bind(self.subject.clone())
            .bind(report.line.clone())
            .bind(signed(report.received_ms))
            .execute(connection)
            .await?;
            Ok(Ok(Receipt {
                digest: report.digest,
                sequence,
                known: false,
            }))
        })
    }
}

/// The receipt of what was here already, or the conflict with it.
pub(super) fn receipt(is_same: bool, digest: Digest, sequence: u64) -> Result<Receipt, ProblemKind> {
    if is_same {
        Ok(Receipt {
            digest,
            sequence,
            known: true,
        })
    } else {
        Err(ProblemKind::ReportConflict)
    }
}

/// A fraud proof whose structure and signature hold; it waits for re-execution.
#[derive(Debug, Clone)]
pub struct AddProof {
    /// What is stored.
    pub proof: ProofView,
    /// Most proofs that may wait.
    pub queued_max: u64,
    /// Most of one prover that may wait.
    pub prover_queued_max: u64,
}

impl Write for AddProof {
    /// The receipt, or that too many wait.
    type Out = Result<Receipt, ProblemKind>;

    fn touches(&self) -> Parts {
        Parts::EVIDENCE
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<Self::Out, StoreError>> {
        Box::pin(async move {
            let proof = &self.proof;
            let known = sqlx::query("SELECT sequence FROM proofs WHERE digest = $1")
                .bind(proof.digest.to_string())
                .fetch_optional(&mut *connection)
                .await?;
            if let Some(row) = known {
                return Ok(receipt(true, proof.digest, number(&row, "sequence")?));
            }
            let queued = sqlx::query(
                "SELECT COUNT(*) AS count, COUNT(CASE WHEN prover = $1 THEN 1 END) AS own FROM proofs WHERE state = 'queued'",
            )
            .bind(proof.prover.to_string())
            .fetch_one(&mut *connection)
            .await?;
            let (all, own): (u64, u64) = (number(&queued, "count")?, number(&queued, "own")?);
            if all >= self.queued_max || own >= self.prover_queued_max {
                return Ok(Err(ProblemKind::Busy));
            }
            let event = serde_json::json!({"digest": proof.digest, "state": proof.state, "round": proof.round,
                "hotkey": proof.hotkey, "kind": proof.kind});
            let sequence = append(connection, EventKind::Proof, &event, proof.received_ms).await?;
            sqlx::query(
                "INSERT INTO proofs (digest, sequence, state, round, hotkey, prover, kind, line, finding, received_ms) \
                 VALUES ($1, $2, 'queued', $3, $4, $5, $6, $7, '', $8)",
            )
            .bind(proof.digest.to_string())
            .bind(signed(sequence))
            .bind(i64::from(proof.round.0))
            .bind(proof.hotkey.to_string())
            .bind(proof.prover.to_string())
            .bind(proof.kind.clone())
            .bind(proof.line.clone())
            .bind(signed(proof.received_ms))
            .execute(connection)
            .await?;
            Ok(Ok(Receipt {
                digest: proof.digest,
                sequence,
                known: false,
            }))
        })
    }
}

/// What re-execution said of a proof.
#[derive(Debug, Clone)]
pub struct JudgeProof {
    /// Which.
    pub digest: Digest,
    /// Where it stands now.
    pub state: ProofState,
    /// In a sentence.
    pub finding: String,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for JudgeProof {
    type Out = bool;

    fn touches(&self) -> Parts {
        Parts::EVIDENCE
    }

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "UPDATE proofs SET state = $2, finding = $3 WHERE digest = $1 AND state = 'queued'",
            )
            .bind(self.digest.to_string())
            .bind(self.state.name().to_owned())
            .bind(self.finding.clone())
            .execute(&mut *connection)
            .await?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            let event =
                serde_json::json!({"digest": self.digest, "state": self.state, "finding": self.finding});
            append(connection, EventKind::Proof, &event, self.now_ms).await?;
            Ok(true)
        })
    }
}

/// Reports of a round after a number in the audit log, in order, with these numbers.
pub async fn reports(
    pool: &AnyPool,
    round: Round,
    after: u64,
    size: PageSize,
) -> Result<PageRows<(u64, ReportView)>, StoreError> {
    let lengths = sqlx::query(
        "SELECT CAST(OCTET_LENGTH(line) AS BIGINT) AS bytes FROM reports WHERE round = $1 AND sequence > $2 \
         ORDER BY sequence LIMIT $3",
    )
    .bind(i64::from(round.0))
    .bind(signed(after))
    .bind(size.looked_at())
    .fetch_all(pool)
    .await?;
    let (limit, more) = size.fit(&read_lengths(&lengths)?);
    let rows =
        sqlx::query("SELECT * FROM reports WHERE round = $1 AND sequence > $2 ORDER BY sequence LIMIT $3")
            .bind(i64::from(round.0))
            .bind(signed(after))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await?;
    let read = |row: &AnyRow| Ok((number(row, "sequence")?, read_report(row)?));
    let rows = rows.iter().map(read).collect::<Result<_, StoreError>>()?;
    Ok(PageRows { rows, more })
}

/// Column `bytes` of each row.
fn read_lengths(rows: &[AnyRow]) -> Result<Vec<u64>, StoreError> {
    rows.iter().map(|row| number(row, "bytes")).collect()
}

/// How many reports there are on a round.
pub async fn report_count(pool: &AnyPool, round: Round) -> Result<u32, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS count FROM reports WHERE round = $1")
        .bind(i64::from(round.0))
        .fetch_one(pool)
        .await?;
    number(&row, "count")
}

/// How many audits each validator reported of each round from one to another, both included.
pub async fn audit_counts(
    pool: &AnyPool,
    (from, to): (Round, Round),
) -> Result<Vec<(Round, Hotkey, u32)>, StoreError> {
    let rows = sqlx::query(
        // By the index over kind and round alone: the lines of reports are not touched.
        "SELECT round, validator, COUNT(*) AS count FROM reports WHERE kind = 'audit' AND round >= $1 AND round <= $2 \
         GROUP BY round, validator ORDER BY round, validator",
    )
    .bind(i64::from(from.0))
    .bind(i64::from(to.0))
    .fetch_all(pool)
    .await?;
    let read = |row: &AnyRow| {
        let validator = parsed(row, "validator")?;
        Ok((Round(number(row, "round")?), validator, number(row, "count")?))
    };
    rows.iter().map(read).collect()
}

/// How many cells of duels each validator reported on rounds from one on.
pub async fn cell_counts(pool: &AnyPool, from: Round) -> Result<BTreeMap<Hotkey, u32>, StoreError> {
    let rows = sqlx::query(
        "SELECT validator, COUNT(*) AS count FROM reports WHERE kind = 'evaluation' AND round >= $1 GROUP BY validator",
    )
    .bind(i64::from(from.0))
    .fetch_all(pool)
    .await?;
    let read = |row: &AnyRow| Ok((parsed(row, "validator")?, number(row, "count")?));
    rows.iter().map(read).collect()
}

/// How many listed proofs each prover has.
pub async fn listed_proof_counts(pool: &AnyPool) -> Result<BTreeMap<Hotkey, u32>, StoreError> {
    let rows = sqlx::query("SELECT prover, COUNT(*) AS count FROM proofs WHERE state = $1 GROUP BY prover")
        .bind(ProofState::Listed.name().to_owned())
        .fetch_all(pool)
        .await?;
    rows.iter()
        .map(|row| Ok((parsed(row, "prover")?, number(row, "count")?)))
        .collect()
}

/// The number of the newest report; 0 if there is none.
pub async fn newest_report(pool: &AnyPool) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT sequence FROM reports ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(pool)
        .await?;
    row.as_ref().map_or(Ok(0), |row| number(row, "sequence"))
}

/// Cells of duels with numbers behind one and up to another, on rounds from one on. Lines are parsed as they come and not kept.
pub async fn cells(
    pool: &AnyPool,
    (after, to): (u64, u64),
    first: Round,
) -> Result<Vec<EvaluationReport>, StoreError> {
    // All of them by the index over kind and round, a few new ones by their numbers: a term keeps these from the other index.
    let kind = if after == 0 { "kind" } else { "(kind || '')" };
    let statement = format!(
        "SELECT line FROM reports WHERE {kind} = 'evaluation' AND round >= $1 AND sequence > $2 AND sequence <= $3"
    );
    let mut rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(i64::from(first.0))
        .bind(signed(after))
        .bind(signed(to))
        .fetch(pool);
    let mut cells = Vec::new();
    while let Some(row) = rows.try_next().await? {
        cells.extend(EvaluationReport::parse(text(&row, "line")?.as_bytes()));
    }
    Ok(cells)
}

/// All reports of one kind on a round, in order.
pub async fn reports_of_round(
    pool: &AnyPool,
    round: Round,
    kind: ReportKind,
) -> Result<Vec<ReportView>, StoreError> {
    let rows = sqlx::query("SELECT * FROM reports WHERE round = $1 AND kind = $2 ORDER BY sequence")
        .bind(i64::from(round.0))
        .bind(kind.name().to_owned())
        .fetch_all(pool)
        .await?;
    rows.iter().map(read_report).collect()
}

/// Audit reports by a validator on rounds up to one, newest first.
pub async fn reports_by(
    pool: &AnyPool,
    validator: &Hotkey,
    to: Round,
    limit: u32,
) -> Result<Vec<ReportView>, StoreError> {
    // By the index over validator, kind and sequence, which has them in order: a term keeps it from the one over rounds.
    let rows = sqlx::query(
        "SELECT * FROM reports WHERE kind = 'audit' AND validator = $1 AND round + 0 <= $2 ORDER BY sequence DESC LIMIT $3",
    )
    .bind(validator.to_string())
    .bind(i64::from(to.0))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(read_report).collect()
}

/// Audit reports of a round on a miner, newest first.
pub async fn reports_on(pool: &AnyPool, round: Round, miner: &Hotkey) -> Result<Vec<ReportView>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM reports WHERE kind = 'audit' AND round = $1 AND subject = $2 ORDER BY sequence DESC",
    )
    .bind(i64::from(round.0))
    .bind(miner.to_string())
    .fetch_all(pool)
    .await?;
    rows.iter().map(read_report).collect()
}

/// A report by its digest.
pub async fn report(pool: &AnyPool, digest: &Digest) -> Result<Option<ReportView>, StoreError> {
    let row = sqlx::query("SELECT * FROM reports WHERE digest = $1")
        .bind(digest.to_string())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read_report).transpose()
}

fn kind_of(row: &AnyRow) -> Result<ReportKind, StoreError> {
    let name = text(row, "kind")?;
    [ReportKind::Audit, ReportKind::Evaluation]
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or(StoreError::Value("kind"))
}

fn read_report(row: &AnyRow) -> Result<ReportView, StoreError> {
    let kind = kind_of(row)?;
    Ok(ReportView {
        digest: parsed(row, "digest")?,
        kind,
        round: Round(number(row, "round")?),
        validator: parsed(row, "validator")?,
        miner: match kind {
            ReportKind::Audit => Some(parsed::<Hotkey>(row, "subject")?),
            ReportKind::Evaluation => None,
        },
        line: text(row, "line")?,
        received_ms: number(row, "received_ms")?,
    })
}

/// Which proofs.
#[derive(Debug, Clone, Copy)]
pub struct ProofCursor {
    /// Only of this state.
    pub state: ProofState,
    /// After this number in the audit log.
    pub after: u64,
    /// At most so many.
    pub size: PageSize,
}

/// Proofs in order, with their numbers in the audit log.
pub async fn proofs(pool: &AnyPool, cursor: ProofCursor) -> Result<PageRows<(u64, ProofView)>, StoreError> {
    let lengths = sqlx::query(
        "SELECT CAST(OCTET_LENGTH(line) AS BIGINT) AS bytes FROM proofs WHERE state = $1 AND sequence > $2 \
         ORDER BY sequence LIMIT $3",
    )
    .bind(cursor.state.name().to_owned())
    .bind(signed(cursor.after))
    .bind(cursor.size.looked_at())
    .fetch_all(pool)
    .await?;
    let (limit, more) = cursor.size.fit(&read_lengths(&lengths)?);
    let rows =
        sqlx::query("SELECT * FROM proofs WHERE state = $1 AND sequence > $2 ORDER BY sequence LIMIT $3")
            .bind(cursor.state.name().to_owned())
            .bind(signed(cursor.after))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await?;
    let read = |row: &AnyRow| Ok((number(row, "sequence")?, read_proof(row)?));
    let rows = rows.iter().map(read).collect::<Result<_, StoreError>>()?;
    Ok(PageRows { rows, more })
}

/// Proofs that wait, oldest first.
pub async fn queued_proofs(pool: &AnyPool, limit: u32) -> Result<Vec<ProofView>, StoreError> {
    let cursor = ProofCursor {
        state: ProofState::Queued,
        after: 0,
        size: PageSize {
            rows: limit,
            bytes: u64::MAX,
        },
    };
    Ok(proofs(pool, cursor)
        .await?
        .rows
        .into_iter()
        .map(|(_, proof)| proof)
        .collect())
}

fn read_proof(row: &AnyRow) -> Result<ProofView, StoreError> {
    Ok(ProofView {
        digest: parsed(row, "digest")?,
        state: ProofState::parse(&text(row, "state")?).ok_or(StoreError::Value("state"))?,
        round: Round(number(row, "round")?),
        hotkey: parsed(row, "hotkey")?,
        prover: parsed(row, "prover")?,
        kind: text(row, "kind")?,
        line: text(row, "line")?,
        finding: text(row, "finding")?,
        received_ms: number(row, "received_ms")?,
    })
}
