//! The outcome of a round at its effective block: verdicts from anchored reports and listed proofs, units passed or again.
//!
//! A report counts if its validator has a permit and committed the digest over all its reports of the round in time (message
//! 0x81). A fault counts if validators with more than half of the reporting stake found it, or a listed proof shows it.
//! Docs: docs/mechanism.md, "Evidence" and "Verdict".

use super::FollowError;
use crate::app::App;
use crate::store::{self, MinerRecord, ProofCursor, Settle, UnitRecord, VerdictRow};
use assay_chain::Metagraph;
use assay_mechanism::assign::volume;
use assay_mechanism::score::MinerState;
use assay_mechanism::verdict::{Evidence, StakeShare, judge};
use assay_types::api::{
    Assignment, LeaseKey, LeaseState, ProofState, ReportKind, ReportView, SubmissionState,
};
use assay_types::{
    AuditReport, BlockNumber, Digest, FraudProof, Hotkey, Message, Q32, Round, UnitId, Verdict, batch_digest,
};
use std::collections::{BTreeMap, BTreeSet};

/// A place of a fault: unit, row, byte.
type Place = (UnitId, Option<u32>, Option<u64>);

/// Settles every round that is effective at `block` and not settled.
pub(super) async fn settle_due(app: &App, block: BlockNumber) -> Result<(), FollowError> {
    for row in store::unsettled_rounds(app.database().readers()).await? {
        if app.rounds().effective_block(row.round) > block {
            break;
        }
        let settle = outcome(app, row.round).await?;
        app.writer().write(settle).await?;
    }
    Ok(())
}

/// What validators said of one miner.
#[derive(Debug, Default)]
struct Said {
    stake: u64,
    unreachable: u64,
    places: BTreeMap<Place, u64>,
    reports: Vec<Digest>,
}

async fn outcome(app: &App, round: Round) -> Result<Settle, FollowError> {
    let readers = app.database().readers();
    let document = store::round(readers, round)
        .await?
        .map(|(_, document)| document)
        .unwrap_or_default();
    let now_ms = app.clock().now_ms();
    let empty = Settle {
        round,
        verdicts: Vec::new(),
        units: Vec::new(),
        leases: Vec::new(),
        now_ms,
    };
    let Ok(assignment) = Assignment::parse(document.as_bytes()) else {
        return Ok(empty);
    };
    let metagraph = store::metagraph_at(readers, assignment.header.block).await?;
    let said = match &metagraph {
        Some(metagraph) => said(app, round, metagraph).await?,
        None => BTreeMap::new(),
    };
    let proven = proven(app, round).await?;
    let volumes = volumes(app, &assignment).await?;
    let mut settle = empty;
    let mut passing = BTreeSet::new();
    for miner in holders(&assignment) {
        let (verdict, delivered) = verdict(app, &assignment, miner, (&said, &proven, &volumes)).await?;
        let passes = verdict.verdict == Verdict::Pass;
        for entry in assignment.of(&miner) {
            let is_good = passes && delivered.contains(&entry.unit);
            if is_good {
                passing.insert((entry.unit, miner));
            }
            let key = LeaseKey {
                round,
                unit: entry.unit,
                holder: miner,
            };
            let state = if is_good {
                LeaseState::Verified
            } else {
                LeaseState::Faulted
            };
            settle.leases.push((key, state));
        }
        settle.verdicts.push(verdict);
    }
    settle.units = units(app, &assignment, &passing).await?;
    Ok(settle)
}

/// Everyone who held a unit, ascending.
fn holders(assignment: &Assignment) -> BTreeSet<Hotkey> {
    assignment
        .entries
        .iter()
        .flat_map(|entry| std::iter::once(entry.holder).chain(entry.replica))
        .collect()
}

/// Volume of each assigned unit.
async fn volumes(app: &App, assignment: &Assignment) -> Result<BTreeMap<UnitId, Q32>, FollowError> {
    let readers = app.database().readers();
    let means = store::source_means(readers).await?;
    let mut volumes = BTreeMap::new();
    for entry in &assignment.entries {
        if let Some((_, unit)) = store::unit(readers, &entry.unit).await? {
            let mean = means.get(&unit.source).copied().unwrap_or(0);
            volumes.insert(entry.unit, volume(unit.bytes.0, mean));
        }
    }
    Ok(volumes)
}

/// What counted reports say, by miner.
async fn said(app: &App, round: Round, metagraph: &Metagraph) -> Result<BTreeMap<Hotkey, Said>, FollowError> {
    let readers = app.database().readers();
    let anchored = anchored(app, round).await?;
    let mut lines = BTreeMap::<Hotkey, Vec<ReportView>>::new();
    for report in store::reports_of_round(readers, round, ReportKind::Audit).await? {
        lines.entry(report.validator).or_default().push(report);
    }
    let mut said = BTreeMap::<Hotkey, Said>::new();
    for (validator, reports) in lines {
        let digest = batch_digest(reports.iter().map(|report| report.line.as_bytes()));
        let neuron = metagraph.neuron(&validator).filter(|neuron| neuron.permit);
        let (Some(neuron), true) = (neuron, anchored.contains(&(validator, digest))) else {
            continue;
        };
        for view in reports {
            let Ok(report) = AuditReport::parse(view.line.as_bytes()) else {
                continue;
            };
            let of = said.entry(report.miner).or_default();
            of.stake = of.stake.saturating_add(neuron.stake.0);
            of.reports.push(view.digest);
            if report.unreachable {
                of.unreachable = of.unreachable.saturating_add(neuron.stake.0);
            }
            let places: BTreeSet<Place> = report
                .faults
                .iter()
                .map(|fault| (fault.unit, fault.idx, fault.offset))
                .collect();
            for place in places {
                let stake = of.places.entry(place).or_default();
                *stake = stake.saturating_add(neuron.stake.0);
            }
        }
    }
    Ok(said)
}

/// Digests over batches of reports that validators committed in time.
async fn anchored(app: &App, round: Round) -> Result<BTreeSet<(Hotkey, Digest)>, FollowError> {
    let clock = app.rounds();
    let messages = store::messages(
        app.database().readers(),
        clock.start(round),
        clock.report_cutoff(round),
    )
    .await?;
    let digests = messages
        .iter()
        .filter_map(|(hotkey, _, bytes)| match Message::parse(bytes) {
            Ok(Message::Reports { round: of, digest }) if of == round => Some((*hotkey, digest)),
            _ => None,
        });
    Ok(digests.collect())
}

/// Places that listed proofs show, by miner.
async fn proven(app: &App, round: Round) -> Result<BTreeMap<Hotkey, BTreeSet<Place>>, FollowError> {
    let cursor = ProofCursor {
        state: ProofState::Listed,
        after: 0,
        limit: u32::MAX,
    };
    let mut proven = BTreeMap::<Hotkey, BTreeSet<Place>>::new();
    for (_, view) in store::proofs(app.database().readers(), cursor).await? {
        let Ok(proof) = FraudProof::parse(view.line.as_bytes()) else {
            continue;
        };
        if proof.round == round {
            let row = proof.rows.first().map(|row| row.row.idx);
            let offset = proof.sources.first().map(|source| source.offset);
            proven
                .entry(proof.hotkey)
                .or_default()
                .insert((proof.unit.unit_id, row, offset));
        }
    }
    Ok(proven)
}

/// What a verdict is made of: reports, proofs, volumes.
type Grounds<'a> = (
    &'a BTreeMap<Hotkey, Said>,
    &'a BTreeMap<Hotkey, BTreeSet<Place>>,
    &'a BTreeMap<UnitId, Q32>,
);

/// The verdict on a miner, and the units it delivered.
async fn verdict(
    app: &App,
    assignment: &Assignment,
    miner: Hotkey,
    (said, proven, volumes): Grounds<'_>,
) -> Result<(VerdictRow, BTreeSet<UnitId>), FollowError> {
    let readers = app.database().readers();
    let (round, values) = (assignment.header.round, &app.params().values);
    let submission = store::submission_of(readers, round, &miner).await?;
    let mine: BTreeSet<UnitId> = assignment.of(&miner).map(|entry| entry.unit).collect();
    let delivered: BTreeSet<UnitId> = submission
        .filter(|submission| submission.state == SubmissionState::Complete)
        .map(|submission| {
            submission
                .units
                .into_iter()
                .filter(|unit| mine.contains(unit))
                .collect()
        })
        .unwrap_or_default();
    let sum = |units: &BTreeSet<UnitId>| {
        units
            .iter()
            .filter_map(|unit| volumes.get(unit))
            .fold(Q32::ZERO, |sum, volume| sum.saturating_add(*volume))
    };
    let nothing = Said::default();
    let said = said.get(&miner).unwrap_or(&nothing);
    let mut places: BTreeSet<Place> = proven.get(&miner).cloned().unwrap_or_default();
    let is_majority = |stake: u64| u128::from(stake) * 2 > u128::from(said.stake);
    places.extend(
        said.places
            .iter()
            .filter(|(_, stake)| is_majority(**stake))
            .map(|(place, _)| *place),
    );
    let faults = u32::try_from(places.len()).unwrap_or(u32::MAX);
    let judgement = judge(
        &Evidence {
            assigned: sum(&mine),
            delivered: sum(&delivered),
            faults,
            unreachable: StakeShare {
                part: said.unreachable,
                whole: said.stake,
            },
        },
        values,
    );
    let (registered, before) = state_before(app, assignment, &miner).await?;
    // Production is the validators' business: the server keeps credibility and caps, which do not depend on it.
    let after = before.after(&judgement, Q32::ZERO, values);
    let row = VerdictRow {
        round,
        record: MinerRecord {
            hotkey: miner,
            registered,
            credibility: after.credibility,
            cap: after.cap,
            passed: after.passed,
        },
        verdict: judgement.verdict,
        delivered: judgement.delivered_share,
        faults,
        reports: said.reports.clone(),
    };
    Ok((row, delivered))
}

/// A miner's registration block and state before the round.
async fn state_before(
    app: &App,
    assignment: &Assignment,
    miner: &Hotkey,
) -> Result<(BlockNumber, MinerState), FollowError> {
    let mut candidates = assignment.header.candidates.iter();
    let candidate = candidates.find(|candidate| candidate.hotkey == *miner);
    let registered = candidate.map_or(BlockNumber(0), |candidate| candidate.registered);
    let records = store::miner_records(app.database().readers()).await?;
    let known = records
        .into_iter()
        .find(|record| record.hotkey == *miner && record.registered == registered);
    let state = known.map_or_else(
        || MinerState::newcomer(&app.params().values),
        |record| MinerState {
            credibility: record.credibility,
            average: Q32::ZERO,
            cap: record.cap,
            passed: record.passed,
        },
    );
    Ok((registered, state))
}

/// What becomes of the assigned units: passed, waiting for another try, or dead after the last.
async fn units(
    app: &App,
    assignment: &Assignment,
    passing: &BTreeSet<(UnitId, Hotkey)>,
) -> Result<Vec<UnitRecord>, FollowError> {
    let known: BTreeMap<UnitId, UnitRecord> = store::queue_records(app.database().readers(), "")
        .await?
        .into_iter()
        .map(|record| (record.unit, record))
        .collect();
    let attempts_max = u32::try_from(app.params().values.attempts_max).unwrap_or(u32::MAX);
    let records = assignment.entries.iter().map(|entry| {
        let holders = std::iter::once(entry.holder).chain(entry.replica);
        let before = known.get(&entry.unit);
        let (attempts, failed) = before.map_or((0, BTreeSet::new()), |record| {
            (record.attempts, record.failed.clone())
        });
        if holders
            .clone()
            .any(|holder| passing.contains(&(entry.unit, holder)))
        {
            return UnitRecord {
                unit: entry.unit,
                state: "passed".to_owned(),
                attempts,
                failed,
            };
        }
        let attempts = attempts.saturating_add(1);
        UnitRecord {
            unit: entry.unit,
            state: if attempts >= attempts_max {
                "dead"
            } else {
                "waiting"
            }
            .to_owned(),
            attempts,
            failed: failed.into_iter().chain(holders).collect(),
        }
    });
    Ok(records.collect())
}
