//! Reports and fraud proofs: whole bodies signed, accepted once, sealed until nobody can copy them any more.

use super::extract::{PageQuery, PathOf, QueryOf, SignedRequest};
use super::submission::{RoundQuery, chain_of};
use crate::app::App;
use crate::board::is_public;
use crate::failure::Failure;
use crate::store::{self, AddProof, AddReport, AddSample, PageRows, ProofCursor};
use assay_chain::wallet::{SIGNATURE_BYTES, Scheme, verify};
use assay_mechanism::clock::Phase;
use assay_types::api::{
    Answer, LeaseKey, Problem, ProblemKind, ProofState, ProofView, Receipt, ReportKind, ReportView, Source,
};
use assay_types::{
    AuditReport, AuditSample, Digest, EvaluationReport, FraudProof, Hotkey, NetUid, Round, hex,
};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// What may be handed in as a report; `miner` tells which it is.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    reason = "describes the body in the API's document; bodies are read from their canonical bytes"
)]
enum ReportBody {
    /// A validator's finding on a miner's round.
    Audit(AuditReport),
    /// A cell of a duel.
    Evaluation(EvaluationReport),
}

/// Hand in a report
///
/// The canonical line of an audit or evaluation report, by its validator. Listed after the round's report cutoff.
#[utoipa::path(post, path = "/v1/reports", tag = "evidence", security(("btauth" = [])),
    request_body(content = ReportBody, content_type = "application/json"),
    responses((status = 200, body = Answer<Receipt>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn report(request: SignedRequest) -> Result<Response, Failure> {
    request.permit()?;
    let value: serde_json::Value = super::extract::read_json(&request.body)?;
    let now_ms = request.app.clock().now_ms();
    let (report, subject) = if value.get("miner").is_some() {
        audit(&request, now_ms)?
    } else {
        evaluation(&request, now_ms)?
    };
    check_phase(&request.app, &report).await?;
    let receipt = request.write(AddReport { report, subject }).await??;
    request.answer(receipt)
}

fn audit(request: &SignedRequest, now_ms: u64) -> Result<(ReportView, String), Failure> {
    let report = AuditReport::parse(&request.body).map_err(|error| invalid(&error))?;
    let digest = report.signed_digest().map_err(|error| invalid(&error))?;
    check_author(
        request,
        (report.netuid, report.validator),
        &digest,
        &report.signature,
    )?;
    check_params(request, &report.params)?;
    let view = view_of(request, ReportKind::Audit, report.round, now_ms)?;
    Ok((
        ReportView {
            miner: Some(report.miner),
            ..view
        },
        report.miner.to_string(),
    ))
}

fn evaluation(request: &SignedRequest, now_ms: u64) -> Result<(ReportView, String), Failure> {
    let report = EvaluationReport::parse(&request.body).map_err(|error| invalid(&error))?;
    let digest = report.signed_digest().map_err(|error| invalid(&error))?;
    check_author(
        request,
        (report.netuid, report.validator),
        &digest,
        &report.signature,
    )?;
    check_params(request, &report.params)?;
    let view = view_of(request, ReportKind::Evaluation, report.round, now_ms)?;
    let subject = format!(
        "{:?}/{}/{:?}/{}/{}/{}",
        report.stage, report.profile, report.arm, report.recipe_id, report.seed, report.domain
    );
    Ok((view, subject))
}

/// The report is made under the parameter set in force.
fn check_params(request: &SignedRequest, params: &Digest) -> Result<(), Failure> {
    if *params == request.app.params_digest() {
        return Ok(());
    }
    Err(Failure::new(
        ProblemKind::ReportInvalid,
        "`params` is not the digest of the parameter set in force",
    ))
}

fn invalid(error: &assay_types::ReportError) -> Failure {
    Failure::new(ProblemKind::ReportInvalid, chain_of(error))
}

fn view_of(
    request: &SignedRequest,
    kind: ReportKind,
    round: Round,
    now_ms: u64,
) -> Result<ReportView, Failure> {
    let line =
        String::from_utf8(request.body.to_vec()).map_err(|_| Failure::from(ProblemKind::MalformedBody))?;
    Ok(ReportView {
        digest: Digest::of(line.as_bytes()),
        kind,
        round,
        validator: request.hotkey(),
        miner: None,
        line,
        received_ms: now_ms,
    })
}

/// The report is of this subnet, by who sends it, and signed by him.
fn check_author(
    request: &SignedRequest,
    (netuid, validator): (NetUid, Hotkey),
    digest: &Digest,
    signature: &str,
) -> Result<(), Failure> {
    if netuid != request.app.identity().netuid {
        return Err(Failure::new(
            ProblemKind::ReportInvalid,
            "`netuid` is another subnet's",
        ));
    }
    let signed = hex::decode::<SIGNATURE_BYTES>(signature)
        .is_ok_and(|signature| verify(Scheme::Sr25519, &validator.0, digest.as_bytes(), &signature));
    if validator != request.hotkey() || !signed {
        return Err(Failure::new(
            ProblemKind::ReportSignature,
            "`validator` is who sends it, and `signature` his over the report's digest",
        ));
    }
    Ok(())
}

/// An audit is reported from the end of work until the round counts; a cell of a duel within the cycle.
async fn check_phase(app: &App, report: &ReportView) -> Result<(), Failure> {
    super::round::known(app, report.round).await?;
    let (clock, block) = (app.rounds(), app.view().block());
    let is_open = match (report.kind, clock.phase(report.round, block)) {
        (ReportKind::Audit, Some(Phase::Publish | Phase::Audit | Phase::Settle)) => true,
        (ReportKind::Evaluation, Some(_)) => {
            let cycle = u32::try_from(app.params().values.duel_cycle).unwrap_or(u32::MAX);
            block < clock.effective_block(Round(report.round.0.saturating_add(cycle)))
        }
        _ => false,
    };
    if is_open {
        return Ok(());
    }
    Err(Failure::new(
        ProblemKind::WrongPhase,
        format!(
            "reports on round {} are taken after block {} and before block {}; now {block}",
            report.round,
            u64::from(clock.start(report.round).0) + app.params().values.commit_offset,
            clock.effective_block(report.round)
        ),
    ))
}

/// Hand in rows of an audit to look at
///
/// What a validator shows of a submission it reports on: canonical JSON, at most 256 KiB, once a miner and round. For people:
/// nothing is paid by it. Shown after the round's report cutoff, for 64 rounds.
#[utoipa::path(post, path = "/v1/samples", tag = "evidence", security(("btauth" = [])),
    request_body(content = AuditSample, content_type = "application/json"),
    responses((status = 200, body = Answer<Receipt>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn sample(request: SignedRequest) -> Result<Response, Failure> {
    request.permit()?;
    let _: serde_json::Value = super::extract::read_json(&request.body)?;
    let sample = AuditSample::parse(&request.body).map_err(|error| invalid(&error))?;
    let digest = sample.signed_digest().map_err(|error| invalid(&error))?;
    let author = (sample.netuid, sample.validator);
    check_author(&request, author, &digest, &sample.signature)?;
    let now_ms = request.app.clock().now_ms();
    let view = view_of(&request, ReportKind::Audit, sample.round, now_ms)?;
    check_phase(&request.app, &view).await?;
    let readers = request.app.database().readers();
    let revealed = store::submission_of(readers, sample.round, &sample.miner).await?;
    if revealed.is_none_or(|revealed| revealed.submission_root != sample.submission_root) {
        return Err(Failure::new(
            ProblemKind::NotRevealed,
            "the chain has revealed no submission of this root by this hotkey in this round",
        ));
    }
    for row in &sample.rows {
        let key = LeaseKey {
            round: sample.round,
            unit: row.unit,
            holder: sample.miner,
        };
        check_assigned(&request.app, &key, ProblemKind::ReportInvalid).await?;
    }
    let write = AddSample {
        sample,
        digest,
        line: view.line,
        now_ms,
    };
    let receipt = request.write(write).await??;
    request.answer(receipt)
}

/// Refuses evidence about a unit that the miner did not hold. What archives are read for it follows from the corpus index then,
/// not from who sends it.
async fn check_assigned(app: &App, key: &LeaseKey, refusal: ProblemKind) -> Result<(), Failure> {
    if store::lease(app.database().readers(), key).await?.is_some() {
        return Ok(());
    }
    let why = format!("unit {} was not assigned to the miner in this round", key.unit);
    Err(Failure::new(refusal, why))
}

/// Samples of a submission answered at once.
const SAMPLES_MAX: u32 = 8;

/// What validators show of a submission
///
/// The first eight that came; empty before the round's report cutoff. Rows that somebody asked to remove are left out, and then
/// the signature, which was over them, too.
#[utoipa::path(get, path = "/v1/samples/{root}", tag = "evidence", params(("root" = Digest, Path)),
    responses((status = 200, body = Answer<Vec<AuditSample>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn samples(
    State(app): State<Arc<App>>,
    PathOf(root): PathOf<Digest>,
) -> Result<Json<Answer<Vec<AuditSample>>>, Failure> {
    let samples = store::samples_of(app.database().readers(), &root, SAMPLES_MAX).await?;
    let mut shown = Vec::new();
    let removed = crate::board::Removed::of(&app).await?;
    for sample in samples {
        if is_public(&app, sample.round) {
            shown.push(removed.without(&app, sample).await?);
        }
    }
    Ok(Json(app.answer(Source::Observed, shown)))
}

/// Reports on a round
///
/// Empty until the round's report cutoff: a body is public when no digest can be committed any more.
#[utoipa::path(get, path = "/v1/reports", tag = "evidence", params(RoundQuery, PageQuery),
    responses((status = 200, body = Answer<Vec<ReportView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn reports(
    State(app): State<Arc<App>>,
    QueryOf(query): QueryOf<RoundQuery>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Answer<Vec<ReportView>>>, Failure> {
    let (size, after) = (page.size()?, page.position()?);
    if !is_public(&app, query.round()) {
        let mut sealed = app.answer(Source::Observed, Vec::new());
        sealed.complete = false;
        return Ok(Json(sealed));
    }
    let page = store::reports(app.database().readers(), query.round(), after, size).await?;
    let next = next_of(&page);
    let reports = page.rows.into_iter().map(|(_, report)| report).collect();
    Ok(Json(app.page(Source::Observed, reports, next)))
}

/// Where the next page of numbered rows begins.
fn next_of<T>(page: &PageRows<(u64, T)>) -> Option<String> {
    let last = page.rows.last().filter(|_| page.more);
    last.map(|(sequence, _)| sequence.to_string())
}

/// One report
#[utoipa::path(get, path = "/v1/reports/{digest}", tag = "evidence", params(("digest" = Digest, Path)),
    responses((status = 200, body = Answer<ReportView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn one_report(
    State(app): State<Arc<App>>,
    PathOf(digest): PathOf<Digest>,
) -> Result<Json<Answer<ReportView>>, Failure> {
    let found = store::report(app.database().readers(), &digest).await?;
    let found = found
        .filter(|report| is_public(&app, report.round))
        .ok_or_else(|| Failure::new(ProblemKind::NotFound, "no public report has this digest"))?;
    Ok(Json(app.answer(Source::Observed, found)))
}

/// Seconds after which a proof that found no place is worth handing in again.
const PROOF_RETRY_S: u32 = 10;

/// Hand in a fraud proof
///
/// Its structure and signature are checked at once, and that its unit was the accused's; it is listed after re-execution in a limited process.
#[utoipa::path(post, path = "/v1/fraud-proofs", tag = "evidence", security(("btauth" = [])),
    request_body(content = FraudProof, content_type = "application/json"),
    responses((status = 200, body = Answer<Receipt>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn proof(request: SignedRequest) -> Result<Response, Failure> {
    let _: serde_json::Value = super::extract::read_json(&request.body)?;
    let refuse = |why: String| Failure::new(ProblemKind::ProofInvalid, why);
    let proof = FraudProof::parse(&request.body).map_err(|error| refuse(chain_of(&error)))?;
    if proof.netuid != request.app.identity().netuid {
        return Err(refuse("`netuid` is another subnet's".to_owned()));
    }
    let bytes = proof.signed_bytes().map_err(|error| refuse(chain_of(&error)))?;
    let signed = hex::decode::<SIGNATURE_BYTES>(&proof.signature)
        .is_ok_and(|signature| verify(Scheme::Sr25519, &proof.prover.0, &bytes, &signature));
    if proof.prover != request.hotkey() || !signed {
        return Err(refuse(
            "`prover` is who sends it, and `signature` his over the other fields".to_owned(),
        ));
    }
    proof
        .check_structure()
        .map_err(|error| refuse(chain_of(&error)))?;
    let revealed = store::submission_of(request.app.database().readers(), proof.round, &proof.hotkey).await?;
    if revealed.is_none_or(|revealed| revealed.submission_root != proof.submission_root) {
        return Err(refuse(
            "the chain has revealed no submission of this root by this hotkey in this round".to_owned(),
        ));
    }
    let key = LeaseKey {
        round: proof.round,
        unit: proof.unit.unit_id,
        holder: proof.hotkey,
    };
    check_assigned(&request.app, &key, ProblemKind::ProofInvalid).await?;
    let line =
        String::from_utf8(request.body.to_vec()).map_err(|_| Failure::from(ProblemKind::MalformedBody))?;
    let view = ProofView {
        digest: Digest::of(line.as_bytes()),
        state: ProofState::Queued,
        round: proof.round,
        hotkey: proof.hotkey,
        prover: proof.prover,
        kind: proof.kind.name().to_owned(),
        line,
        finding: String::new(),
        received_ms: request.app.clock().now_ms(),
    };
    let add = AddProof {
        proof: view,
        queued_max: request.app.limits().proofs_queued_max,
        prover_queued_max: request.app.limits().prover_proofs_queued_max,
    };
    let (all, own) = (add.queued_max, add.prover_queued_max);
    let receipt = request.write(add).await?.map_err(|kind| match kind {
        ProblemKind::Busy => Failure::new(
            kind,
            format!("at most {own} proofs of a prover and {all} in all wait for re-execution"),
        )
        .retry_after(PROOF_RETRY_S),
        other => other.into(),
    })?;
    request.answer(receipt)
}

/// Which fraud proofs.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
pub(crate) struct ProofQuery {
    /// Where they stand; `listed` if not given.
    state: Option<ProofState>,
}

/// Fraud proofs
#[utoipa::path(get, path = "/v1/fraud-proofs", tag = "evidence", params(ProofQuery, PageQuery),
    responses((status = 200, body = Answer<Vec<ProofView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn proofs(
    State(app): State<Arc<App>>,
    QueryOf(query): QueryOf<ProofQuery>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Answer<Vec<ProofView>>>, Failure> {
    let cursor = ProofCursor {
        state: query.state.unwrap_or(ProofState::Listed),
        after: page.position()?,
        size: page.size()?,
    };
    let page = store::proofs(app.database().readers(), cursor).await?;
    let next = next_of(&page);
    let proofs = page.rows.into_iter().map(|(_, proof)| proof).collect();
    Ok(Json(app.page(Source::Observed, proofs, next)))
}
