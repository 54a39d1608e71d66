//! A row of a ledger: who delivered it, who rebuilt it, and the command with which anybody does.

use super::range::{is_public, newest_public};
use super::removed::Removed;
use crate::app::App;
use crate::failure::Failure;
use crate::store::{self, RemovalState, ShownRow, StoreError};
use assay_types::api::{ProblemKind, RecordDelivery, RecordProbe, RecordShown, RecordView, SubmissionView};
use assay_types::{AuditReport, Hotkey, Round, UnitId};

/// Samples of a row read: those of more validators say the same.
const SHOWN_MAX: u32 = 8;

/// Deliveries read.
const DELIVERIES_MAX: u32 = 32;

/// The path of a record's page.
pub(crate) fn record_path(unit: UnitId, idx: u32) -> String {
    format!("/records/{unit}/{idx}")
}

/// The record whose page an address or path names.
pub(crate) fn record_named(address: &str) -> Option<(UnitId, u32)> {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => address.strip_prefix('/')?,
    };
    let (unit, idx) = path.strip_prefix("records/")?.split_once('/')?;
    Some((unit.parse().ok()?, idx.trim_end_matches('/').parse().ok()?))
}

/// The command that repeats an audit of a dataset, by its address.
pub(crate) fn verify_command(address: &str) -> String {
    format!("assay dataset verify {address} --sample 500")
}

/// The command that repeats the audit of a submission.
pub(crate) fn audit_command(submission: &SubmissionView) -> String {
    verify_command(&format!("hf://{}@{}", submission.repo, submission.revision))
}

/// The record; a failure if the unit is not of the corpus, or if a takedown hides it.
pub(crate) async fn record(app: &App, unit: UnitId, idx: u32) -> Result<RecordView, Failure> {
    let readers = app.database().readers();
    let (_, found) = store::unit(readers, &unit)
        .await?
        .ok_or_else(|| Failure::new(ProblemKind::NotFound, "no archive of the corpus has this unit id"))?;
    if is_hidden(app, unit, idx).await? {
        return Err(Failure::new(
            ProblemKind::NotFound,
            "this record is hidden: somebody asked for its removal",
        ));
    }
    let submissions = store::submissions_with(readers, &unit, DELIVERIES_MAX).await?;
    // A miner that left rows out does not hide those of others.
    let records = submissions.iter().filter_map(|(_, records)| *records).max();
    if let Some(records) = records
        && idx >= records
    {
        return Err(Failure::new(
            ProblemKind::NotFound,
            format!("this unit has {records} records, counted from 0"),
        ));
    }
    let submissions: Vec<SubmissionView> = submissions.into_iter().map(|(view, _)| view).collect();
    let mut probes = Vec::new();
    for submission in &submissions {
        probes_of(
            app,
            (submission.round, submission.hotkey),
            (unit, idx),
            &mut probes,
        )
        .await?;
    }
    let shown = match newest_public(app) {
        Some(to) => store::shown_rows(readers, (&unit, idx), to, SHOWN_MAX).await?,
        None => Vec::new(),
    };
    let removed = Removed::of(app).await?;
    let shown = shown.into_iter().filter(|one| !removed.names(&one.row.url));
    let command = submissions.first().map(audit_command);
    Ok(RecordView {
        unit_id: unit,
        idx,
        source: found.source,
        path: found.path,
        records,
        deliveries: submissions
            .into_iter()
            .map(|submission| RecordDelivery {
                round: submission.round,
                hotkey: submission.hotkey,
                submission_root: submission.submission_root,
                repo: submission.repo,
                revision: submission.revision,
            })
            .collect(),
        probes,
        shown: most_agreed(&shown.map(shown_of).collect::<Vec<_>>()),
        command: command.unwrap_or_default(),
    })
}

/// What most validators show of a round first, of equally many what is newer.
fn most_agreed(shown: &[RecordShown]) -> Vec<RecordShown> {
    let same = |one: &RecordShown, other: &RecordShown| (one.round, &one.row) == (other.round, &other.row);
    let mut counted: Vec<(usize, RecordShown)> = shown
        .iter()
        .map(|one| (shown.iter().filter(|other| same(one, other)).count(), one.clone()))
        .collect();
    counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    counted.into_iter().map(|(_, one)| one).collect()
}

fn shown_of(shown: ShownRow) -> RecordShown {
    RecordShown {
        round: shown.round,
        validator: shown.validator,
        row: shown.row,
    }
}

/// Whether a takedown hides a record: a request that names it, or an archive that an administrator listed.
pub(super) async fn is_hidden(app: &App, unit: UnitId, idx: u32) -> Result<bool, StoreError> {
    let readers = app.database().readers();
    let either = [RemovalState::Pending, RemovalState::Listed];
    if store::is_removed(readers, &record_path(unit, idx), &either).await? {
        return Ok(true);
    }
    // A whole archive is hidden only by an administrator's decision: anybody may file a request.
    match store::unit(readers, &unit).await? {
        Some((_, found)) => store::is_removed(readers, &found.path, &[RemovalState::Listed]).await,
        None => Ok(false),
    }
}

/// What public reports on a miner's round say of a row.
async fn probes_of(
    app: &App,
    (round, miner): (Round, Hotkey),
    (unit, idx): (UnitId, u32),
    probes: &mut Vec<RecordProbe>,
) -> Result<(), Failure> {
    if !is_public(app, round) {
        return Ok(());
    }
    for view in store::reports_on(app.database().readers(), round, &miner).await? {
        let Ok(report) = AuditReport::parse(view.line.as_bytes()) else {
            continue;
        };
        let result = report
            .probes
            .iter()
            .find(|probe| probe.unit == unit && probe.idx == idx);
        let faults: Vec<String> = report
            .faults
            .iter()
            .filter(|fault| fault.unit == unit && fault.idx == Some(idx))
            .map(|fault| fault.kind.name().to_owned())
            .collect();
        if result.is_some() || !faults.is_empty() {
            probes.push(RecordProbe {
                round,
                validator: view.validator,
                miner,
                report: view.digest,
                result: result.map(|probe| probe.result),
                faults,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_named_by_its_page() {
        let unit = UnitId::of("file", "a.warc");
        let path = record_path(unit, 7);
        for named in [
            path.clone(),
            format!("{path}/"),
            format!("https://data.example{path}"),
        ] {
            assert_eq!(record_named(&named), Some((unit, 7)), "{named}");
        }
        for other in ["example.org", "/records/x/7", "https://example.org", "/", ""] {
            assert_eq!(record_named(other), None, "{other}");
        }
    }
}
