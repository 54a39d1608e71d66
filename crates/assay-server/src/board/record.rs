//! A row of a ledger: who delivered it, who rebuilt it, and the command with which anybody does.

use crate::app::App;
use crate::failure::Failure;
use crate::store;
use assay_types::api::{ProblemKind, RecordDelivery, RecordProbe, RecordView};
use assay_types::{AuditReport, Hotkey, Round, UnitId};

/// Deliveries read.
const DELIVERIES_MAX: u32 = 32;

/// The record; a failure if the unit is not of the corpus, or if a takedown hides it.
pub(crate) async fn record(app: &App, unit: UnitId, idx: u32) -> Result<RecordView, Failure> {
    let readers = app.database().readers();
    let (_, found) = store::unit(readers, &unit)
        .await?
        .ok_or_else(|| Failure::new(ProblemKind::NotFound, "no archive of the corpus has this unit id"))?;
    for target in [format!("/records/{unit}/{idx}"), found.path.clone()] {
        if store::is_removed(readers, &target).await? {
            return Err(Failure::new(
                ProblemKind::NotFound,
                "this record is hidden: somebody asked for its removal",
            ));
        }
    }
    let submissions = store::submissions_with(readers, &unit, DELIVERIES_MAX).await?;
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
    let command = submissions.first().map(|newest| {
        format!(
            "assay dataset verify hf://{}@{} --sample 500",
            newest.repo, newest.revision
        )
    });
    Ok(RecordView {
        unit_id: unit,
        idx,
        source: found.source,
        path: found.path,
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
        command: command.unwrap_or_default(),
    })
}

/// What public reports on a miner's round say of a row.
async fn probes_of(
    app: &App,
    (round, miner): (Round, Hotkey),
    (unit, idx): (UnitId, u32),
    probes: &mut Vec<RecordProbe>,
) -> Result<(), Failure> {
    if app.view().block() <= app.rounds().report_cutoff(round) {
        return Ok(());
    }
    for view in store::reports_by(app.database().readers(), (None, Some(&miner)), 512).await? {
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
        if view.round == round && (result.is_some() || !faults.is_empty()) {
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
