//! The outcome of a round: reports that count as votes, one step of the mechanism, and what tables keep of it.
//!
//! A report counts if its validator has a permit at the round's cutoff and its last word on the chain then is the digest over
//! all its reports (message 0x81), which are one log. Who cannot be read for the moment is waited for by the rule of agents
//! ([`assay_mechanism::reports`]). What follows is [`NetworkState::settle`], the same step agents take, so that server and
//! agents have the same credibility, caps and units. A round is settled at its effective block, or before the first assignment
//! behind its cutoff if that comes earlier; agents do it as soon as the pulse that opens the reports is there. Docs: docs/mechanism.md, "Evidence" and "Verdict".

use super::FollowError;
use crate::app::{App, BatchError};
use crate::store::{self, MinerRecord, RoundRow, Settle, Sources, UnitRecord, VerdictRow};
use assay_chain::Neuron;
use assay_mechanism::assign::{Assigned, volume};
use assay_mechanism::contest::CELLS_MAX;
use assay_mechanism::network::{Found, NetworkState, Settled, Volumes, Vote};
use assay_mechanism::reports::{Line, Next, REPORTS_MAX, RollCall, Unread, check_log};
use assay_types::api::{LeaseKey, LeaseState, ReportKind, ReportView};
use assay_types::{
    AuditReport, BlockNumber, Digest, EvaluationReport, Hotkey, Message, Round, UnitId, batch_digest,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

/// Settles every round that is due before `block` is taken in and not settled; `newest` is the chain's newest final block.
pub(super) async fn settle_due(
    app: &App,
    block: BlockNumber,
    newest: BlockNumber,
) -> Result<(), FollowError> {
    let clock = app.rounds();
    let assigns = super::plan::round_assigned_by(&clock, block).is_some();
    for row in store::unsettled_rounds(app.database().readers()).await? {
        let behind_cutoff = clock.report_cutoff(row.round) < block;
        if clock.effective_block(row.round) > block && !(assigns && behind_cutoff) {
            break;
        }
        let settle = outcome(app, &row, newest).await?;
        app.writer().write(settle).await?;
    }
    Ok(())
}

/// A validator's reports on a round as they count.
struct Ballot {
    neuron: Neuron,
    findings: Vec<Found>,
    cells: Vec<EvaluationReport>,
    reports: Vec<(Hotkey, Digest)>,
}

async fn outcome(app: &App, row: &RoundRow, newest: BlockNumber) -> Result<Settle, FollowError> {
    let readers = app.database().readers();
    let before = store::network_state(readers).await?;
    let mut state = before.clone();
    if state.oldest_out() != Some(row.round.0) {
        // Another server on the same database may have settled it after the round was read.
        let now = store::round(readers, row.round).await?;
        if now.is_some_and(|(now, _)| now.settled) {
            return Err(store::StoreError::Stale.into());
        }
        return Err(FollowError::OutOfStep(row.round));
    }
    let given = state.out.get(&row.round.0).cloned().unwrap_or_default();
    let values = &app.params().values;
    let contest = state.contest.as_ref();
    let stage = contest.and_then(|contest| contest.stage_of(row.round, values));
    let measured_in = stage.map(|stage| stage.first);
    let ballots = ballots(app, (row.round, measured_in), newest).await?;
    let votes: Vec<Vote<'_>> = ballots
        .iter()
        .map(|ballot| Vote {
            validator: ballot.neuron.hotkey,
            stake: ballot.neuron.stake.0,
            coldkey: ballot.neuron.coldkey,
            findings: &ballot.findings,
            cells: &ballot.cells,
        })
        .collect();
    let volumes = volumes(app, &given).await?;
    let settled = state.settle(&votes, &volumes, values);
    let passed: BTreeSet<(UnitId, Hotkey)> = settled
        .iter()
        .flat_map(|one| one.passed.iter().map(|unit| (*unit, one.hotkey)))
        .collect();
    let verdicts = settled.iter().map(|one| VerdictRow {
        reports: ballots
            .iter()
            .flat_map(|ballot| &ballot.reports)
            .filter(|(miner, _)| *miner == one.hotkey)
            .map(|(_, digest)| *digest)
            .collect(),
        ..verdict_row(row.round, one, &state)
    });
    Ok(Settle {
        round: row.round,
        verdicts: verdicts.collect(),
        units: given
            .iter()
            .map(|one| unit_record(one, (&before, &state), &passed))
            .collect(),
        leases: leases(row.round, &given, &passed),
        now_ms: app.clock().now_ms(),
        before,
        state,
    })
}

/// What is kept of a miner's round.
fn verdict_row(round: Round, settled: &Settled, state: &NetworkState) -> VerdictRow {
    let known = state.miners.get(&settled.hotkey);
    VerdictRow {
        round,
        record: MinerRecord {
            hotkey: settled.hotkey,
            registered: known.map_or(BlockNumber(0), |known| known.registered),
            credibility: settled.after.credibility,
            cap: settled.after.cap,
            passed: settled.after.passed,
        },
        verdict: settled.verdict,
        assigned: settled.assigned,
        units: u32::try_from(settled.passed.len()).unwrap_or(u32::MAX),
        records: settled.records,
        produced: settled.produced,
        average: settled.after.average,
        delivered: settled.delivered,
        faults: u32::try_from(settled.faults.len()).unwrap_or(u32::MAX),
        reports: Vec::new(),
    }
}

/// What became of an assigned unit: passed, waiting for another try, or dead after the last.
fn unit_record(
    one: &Assigned,
    (before, state): (&NetworkState, &NetworkState),
    passed: &BTreeSet<(UnitId, Hotkey)>,
) -> UnitRecord {
    let holders = || std::iter::once(one.holder).chain(one.replica);
    let has_passed = holders().any(|holder| passed.contains(&(one.unit, holder)));
    let waits = state.waiting.get(&one.unit);
    let (name, attempts, failed) = match waits {
        _ if has_passed => ("passed", 0, BTreeSet::new()),
        Some(failures) => ("waiting", failures.attempts, failures.failed.clone()),
        None => {
            // The last attempt is not in the state any more: those before it, and this one.
            let earlier = before.waiting.get(&one.unit).cloned().unwrap_or_default();
            let failed = earlier.failed.into_iter().chain(holders()).collect();
            ("dead", earlier.attempts.saturating_add(1), failed)
        }
    };
    UnitRecord {
        unit: one.unit,
        state: name.to_owned(),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        failed,
    }
}

/// How submitted leases end.
fn leases(
    round: Round,
    given: &[Assigned],
    passed: &BTreeSet<(UnitId, Hotkey)>,
) -> Vec<(LeaseKey, LeaseState)> {
    let mut leases = Vec::new();
    for one in given {
        for holder in std::iter::once(one.holder).chain(one.replica) {
            let key = LeaseKey {
                round,
                unit: one.unit,
                holder,
            };
            let state = if passed.contains(&(one.unit, holder)) {
                LeaseState::Verified
            } else {
                LeaseState::Faulted
            };
            leases.push((key, state));
        }
    }
    leases
}

/// Volume of each assigned unit.
async fn volumes(app: &App, given: &[Assigned]) -> Result<Volumes, FollowError> {
    let readers = app.database().readers();
    let known = crate::board::sources(app).await?;
    let sources = Sources::read(readers, Some(&known)).await?;
    let mut volumes = Vec::with_capacity(given.len());
    for one in given {
        if let Some((_, unit)) = store::unit(readers, &one.unit).await? {
            volumes.push((one.unit, volume(unit.bytes.0, sources.mean(&unit.source))));
        }
    }
    Ok(volumes.into_iter().collect())
}

/// The validators whose reports count, by hotkey. Cells of the duel that is on are filed under the round that its stage began
/// with, `measured_in`.
async fn ballots(
    app: &App,
    (round, measured_in): (Round, Option<Round>),
    newest: BlockNumber,
) -> Result<Vec<Ballot>, FollowError> {
    let readers = app.database().readers();
    let clock = app.rounds();
    let cutoff = clock.report_cutoff(round);
    let Some(metagraph) = store::metagraph_at(readers, cutoff).await? else {
        return Ok(Vec::new());
    };
    let mut lines = by_validator(store::reports_of_round(readers, round, ReportKind::Audit).await?);
    let mut cells = match measured_in {
        Some(first) => by_validator(store::reports_of_round(readers, first, ReportKind::Evaluation).await?),
        None => BTreeMap::new(),
    };
    let mut call = RollCall::new(&clock, round, newest);
    let (mut ballots, mut last) = (Vec::new(), None);
    for (validator, bytes) in store::standing_at(readers, cutoff).await? {
        let Ok(Message::Reports { round: about, digest }) = Message::parse(&bytes) else {
            continue;
        };
        let neuron = metagraph.neuron(&validator).filter(|neuron| neuron.permit);
        let Some(neuron) = neuron.filter(|_| about == round) else {
            continue;
        };
        let stake = neuron.stake.0;
        let handed_in = lines.remove(&validator).unwrap_or_default();
        let cells = cells.remove(&validator).unwrap_or_default();
        let error = match read(app, (round, validator, digest), (handed_in, cells)).await {
            Ok(reports) => {
                call.read(stake);
                ballots.push(ballot(neuron.clone(), reports));
                continue;
            }
            Err(error) => error,
        };
        let why = if error.retry_is_safe {
            Unread::ForNow
        } else {
            Unread::ForGood
        };
        let mut patience = app.patience.lock().unwrap_or_else(PoisonError::into_inner);
        let next = call.unread((validator, stake), why, &mut patience);
        drop(patience);
        let unread = FollowError::Unread {
            round,
            validator,
            source: error,
        };
        if next == Next::AskAgain {
            return Err(unread);
        }
        tracing::warn!(%validator, %round, error = %unread, "a validator's reports do not count");
        if why == Unread::ForNow {
            last = Some(unread);
        }
    }
    match last {
        Some(unread) if !call.suffices() => Err(unread),
        _ => Ok(ballots),
    }
}

/// Lines of reports by who made them.
fn by_validator(reports: Vec<ReportView>) -> BTreeMap<Hotkey, Vec<String>> {
    let mut lines = BTreeMap::<Hotkey, Vec<String>>::new();
    for report in reports {
        lines.entry(report.validator).or_default().push(report.line);
    }
    lines
}

/// The reports behind a digest on the chain with their digests, and the cells beside them: from where the validator published
/// them, as agents read them. A server without a store has only what was handed in, and that only if it is not sealed.
async fn read(
    app: &App,
    (round, validator, digest): (Round, Hotkey, Digest),
    (handed_in, mut cells): (Vec<String>, Vec<String>),
) -> Result<Read, BatchError> {
    let is_whole = |lines: &[String]| batch_digest(lines.iter().map(String::as_bytes)) == digest;
    // Cells lie behind the reports on the stage's last round, in the order of their lines.
    cells.sort_unstable();
    let with_cells: Vec<String> = handed_in.iter().cloned().chain(cells).collect();
    let lines = match app.batches() {
        // Whoever hands reports in and does not publish them must not count here alone.
        Some(batches) => batches.lines(round, validator, digest).await?,
        None if is_whole(&handed_in) => handed_in,
        None if is_whole(&with_cells) => with_cells,
        None => return Err(for_good(NotWhole::HandedIn)),
    };
    let mut read = Read::default();
    for line in &lines {
        match Line::parse(line.as_bytes()).map_err(for_good)? {
            Line::Audit(report) if read.cells.is_empty() => {
                read.reports.push((Digest::of(line.as_bytes()), report));
            }
            Line::Audit(_) => return Err(for_good(NotWhole::Order)),
            Line::Cell(cell) => read.cells.push(cell),
        }
    }
    // As agents read it: cells in the order of their lines, and no more of either than a batch may hold.
    let of_cells = lines.get(read.reports.len()..).unwrap_or_default();
    let is_bounded = read.reports.len() <= REPORTS_MAX && read.cells.len() <= CELLS_MAX;
    if !is_bounded || !of_cells.is_sorted() {
        return Err(for_good(NotWhole::Order));
    }
    check_log(read.reports.iter().map(|(_, report)| report)).map_err(for_good)?;
    Ok(read)
}

/// What a validator's batch holds.
#[derive(Default)]
struct Read {
    reports: Vec<(Digest, AuditReport)>,
    cells: Vec<EvaluationReport>,
}

/// Reports that are not those of the digest on the chain.
#[derive(Debug, thiserror::Error)]
enum NotWhole {
    #[error("not all of them were handed in, and this server reads no store; start it with --subnet")]
    HandedIn,
    #[error("its lines are too many, or not in their order")]
    Order,
}

fn for_good(error: impl std::error::Error + Send + Sync + 'static) -> BatchError {
    BatchError {
        retry_is_safe: false,
        source: Box::new(error),
    }
}

/// The ballot of a validator's reports.
fn ballot(neuron: Neuron, read: Read) -> Ballot {
    Ballot {
        neuron,
        cells: read.cells,
        reports: read
            .reports
            .iter()
            .map(|(digest, report)| (report.miner, *digest))
            .collect(),
        findings: read
            .reports
            .into_iter()
            .map(|(_, report)| Found::from(report))
            .collect(),
    }
}
