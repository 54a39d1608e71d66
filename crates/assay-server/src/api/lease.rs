//! Leases: taken, kept, completed, given back or given up by who the assignment names.

use super::extract::{PathOf, SignedRequest};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{self, Ask, LeaseAsk, LeaseRefusal};
use assay_types::api::{
    Answer, CompleteLease, FailLease, Heartbeat, LEASE_REASON_CHARS_MAX, LeaseKey, LeaseView, Problem,
    ProblemKind, Source,
};
use assay_types::{Hotkey, Round, UnitId};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// Progress of a finished unit.
const PROGRESS_WHOLE: u16 = 10_000;

async fn ask(request: &SignedRequest, (round, unit): (Round, UnitId), ask: Ask) -> Result<Response, Failure> {
    let key = LeaseKey {
        round,
        unit,
        holder: request.hotkey(),
    };
    let wish = LeaseAsk {
        key,
        ask,
        now_ms: request.app.clock().now_ms(),
        head: request.app.view().block(),
    };
    match request.write(wish).await? {
        Ok(lease) => request.answer(lease),
        Err(refusal) => Err(failure(refusal)),
    }
}

fn failure(refusal: LeaseRefusal) -> Failure {
    let state = refusal.state.map_or("none", assay_types::api::LeaseState::name);
    match refusal.kind {
        ProblemKind::LeaseState => Failure::new(refusal.kind, format!("the lease is `{state}`")),
        ProblemKind::LeaseExpired => Failure::new(
            refusal.kind,
            format!(
                "the round's deadline has passed, the lease is `{state}`; an unfinished unit comes back by assignment"
            ),
        ),
        kind => kind.into(),
    }
}

/// Take a lease
///
/// pending → leased. Only a holder that the round's assignment names, until the round's deadline.
#[utoipa::path(post, path = "/v1/rounds/{round}/units/{unit}/lease", tag = "leases", security(("btauth" = [])),
    params(("round" = Round, Path), ("unit" = UnitId, Path)),
    responses((status = 200, body = Answer<LeaseView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn take(
    PathOf(key): PathOf<(Round, UnitId)>,
    request: SignedRequest,
) -> Result<Response, Failure> {
    request.no_body()?;
    ask(&request, key, Ask::Take).await
}

/// Say that work goes on
#[utoipa::path(post, path = "/v1/rounds/{round}/units/{unit}/lease/heartbeat", tag = "leases", security(("btauth" = [])),
    params(("round" = Round, Path), ("unit" = UnitId, Path)), request_body = Heartbeat,
    responses((status = 200, body = Answer<LeaseView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn heartbeat(
    PathOf(key): PathOf<(Round, UnitId)>,
    request: SignedRequest,
) -> Result<Response, Failure> {
    let Heartbeat { progress } = request.json()?;
    if progress > PROGRESS_WHOLE {
        return Err(Failure::new(ProblemKind::Invalid, "`progress` is 0 to 10000"));
    }
    ask(&request, key, Ask::Heartbeat { progress }).await
}

/// Finish a unit
///
/// leased → submitted. The same completion twice is answered alike.
#[utoipa::path(post, path = "/v1/rounds/{round}/units/{unit}/lease/complete", tag = "leases", security(("btauth" = [])),
    params(("round" = Round, Path), ("unit" = UnitId, Path)), request_body = CompleteLease,
    responses((status = 200, body = Answer<LeaseView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn complete(
    PathOf(key): PathOf<(Round, UnitId)>,
    request: SignedRequest,
) -> Result<Response, Failure> {
    let CompleteLease { unit_root } = request.json()?;
    ask(&request, key, Ask::Complete { unit_root }).await
}

/// Give a lease back
///
/// leased → pending: it can be taken again until the deadline.
#[utoipa::path(post, path = "/v1/rounds/{round}/units/{unit}/lease/release", tag = "leases", security(("btauth" = [])),
    params(("round" = Round, Path), ("unit" = UnitId, Path)),
    responses((status = 200, body = Answer<LeaseView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn release(
    PathOf(key): PathOf<(Round, UnitId)>,
    request: SignedRequest,
) -> Result<Response, Failure> {
    request.no_body()?;
    ask(&request, key, Ask::Release).await
}

/// Give a unit up
///
/// pending or leased → expired, with the reason.
#[utoipa::path(post, path = "/v1/rounds/{round}/units/{unit}/lease/fail", tag = "leases", security(("btauth" = [])),
    params(("round" = Round, Path), ("unit" = UnitId, Path)), request_body = FailLease,
    responses((status = 200, body = Answer<LeaseView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn fail(
    PathOf(key): PathOf<(Round, UnitId)>,
    request: SignedRequest,
) -> Result<Response, Failure> {
    let FailLease { reason } = request.json()?;
    let is_sentence = (1..=LEASE_REASON_CHARS_MAX).contains(&reason.chars().count())
        && !reason.chars().any(char::is_control);
    if !is_sentence {
        return Err(Failure::new(
            ProblemKind::Invalid,
            format!("`reason` is 1 to {LEASE_REASON_CHARS_MAX} characters without control characters"),
        ));
    }
    ask(&request, key, Ask::Fail { reason }).await
}

/// Leases of a hotkey in a round
#[utoipa::path(get, path = "/v1/rounds/{round}/leases/{holder}", tag = "leases",
    params(("round" = Round, Path), ("holder" = Hotkey, Path)),
    responses((status = 200, body = Answer<Vec<LeaseView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    PathOf((round, holder)): PathOf<(Round, Hotkey)>,
) -> Result<Json<Answer<Vec<LeaseView>>>, Failure> {
    let leases = store::leases(app.database().readers(), round, &holder).await?;
    Ok(Json(app.answer(Source::Observed, leases)))
}
