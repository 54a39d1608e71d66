//! Rounds and their assignments, with everything needed to recompute them.

use super::extract::{PageQuery, PathOf, QueryOf, encode};
use crate::app::App;
use crate::auth::{Question, sign_answer};
use crate::failure::Failure;
use crate::store::{self, RoundRow};
use assay_mechanism::clock::Phase;
use assay_types::api::{
    Answer, Assignment, AssignmentEntry, PhaseName, Problem, ProblemKind, RoundView, Source,
};
use assay_types::{BlockNumber, Round};
use axum::Json;
use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// Media type of the assignment document.
const JSON_LINES: &str = "application/x-ndjson";

/// The view of a stored round.
pub(crate) async fn view(app: &App, row: &RoundRow) -> Result<RoundView, Failure> {
    let readers = app.database().readers();
    let clock = app.rounds();
    let values = &app.params().values;
    let at = |offset: u64| {
        BlockNumber(
            clock
                .start(row.round)
                .0
                .saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)),
        )
    };
    let phase = match clock.phase(row.round, app.view().block()) {
        None => PhaseName::Ahead,
        Some(Phase::Work) => PhaseName::Work,
        Some(Phase::Publish) => PhaseName::Publish,
        Some(Phase::Audit) => PhaseName::Audit,
        Some(Phase::Settle) => PhaseName::Settle,
        Some(Phase::Effective) => PhaseName::Effective,
    };
    let leases = store::leases_of_round(readers, row.round).await?;
    Ok(RoundView {
        round: row.round,
        phase,
        start_block: clock.start(row.round),
        assignment_block: row.block,
        deadline_block: at(values.commit_offset),
        report_cutoff_block: clock.report_cutoff(row.round),
        effective_block: clock.effective_block(row.round),
        beacon: row.beacon,
        index_root: row.index_root,
        assignment_digest: row.digest,
        units: row.units,
        replicas: row.replicas,
        leases: leases
            .iter()
            .map(|(state, count)| (state.name().to_owned(), *count))
            .collect(),
        submissions: store::submission_count(readers, row.round).await?,
        reports: store::report_count(readers, row.round).await?,
        settled: row.settled,
    })
}

/// A round that is known, with its document.
pub(crate) async fn known(app: &App, round: Round) -> Result<(RoundRow, String), Failure> {
    let found = store::round(app.database().readers(), round).await?;
    found.ok_or_else(|| ProblemKind::UnknownRound.into())
}

/// The newest assigned round
#[utoipa::path(get, path = "/v1/rounds/current", tag = "rounds",
    responses((status = 200, body = Answer<RoundView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn current(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    app.cache
        .answer("/v1/rounds/current", &headers, async {
            let row = store::newest_round(app.database().readers()).await?;
            let row = row.ok_or_else(|| Failure::from(ProblemKind::UnknownRound))?;
            encode(&app.answer(Source::Observed, view(&app, &row).await?))
        })
        .await
}

/// Rounds, newest first
#[utoipa::path(get, path = "/v1/rounds", tag = "rounds", params(PageQuery),
    responses((status = 200, body = Answer<Vec<RoundView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Answer<Vec<RoundView>>>, Failure> {
    let (limit, below) = (page.limit()?, page.position()?);
    let below = if below == 0 {
        u64::from(u32::MAX) + 1
    } else {
        below
    };
    let rows = store::rounds(app.database().readers(), below, limit).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        views.push(view(&app, row).await?);
    }
    let is_full = rows.len() as u64 == u64::from(limit);
    let next = rows
        .last()
        .filter(|row| is_full && row.round.0 > 0)
        .map(|row| row.round.to_string());
    Ok(Json(app.page(Source::Observed, views, next)))
}

/// One round
#[utoipa::path(get, path = "/v1/rounds/{round}", tag = "rounds", params(("round" = Round, Path)),
    responses((status = 200, body = Answer<RoundView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    PathOf(round): PathOf<Round>,
) -> Result<Json<Answer<RoundView>>, Failure> {
    let (row, _) = known(&app, round).await?;
    Ok(Json(app.answer(Source::Observed, view(&app, &row).await?)))
}

/// The assignment document of a round
///
/// Canonical JSON lines: inputs, then one line a unit; signed. `assay chain assignments` writes the same bytes.
#[utoipa::path(get, path = "/v1/rounds/{round}/assignment", tag = "rounds", params(("round" = Round, Path)),
    responses((status = 200, body = String, content_type = "application/x-ndjson"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn assignment(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    PathOf(round): PathOf<Round>,
) -> Result<Response, Failure> {
    let (_, document) = known(&app, round).await?;
    let question = Question {
        method: "GET",
        target: uri.path_and_query().map_or("/", |target| target.as_str()),
        nonce: "-",
    };
    let mut headers = HeaderMap::new();
    sign_answer(&app, question, 200, document.as_bytes(), &mut headers)?;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON_LINES));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    Ok((headers, Body::from(document)).into_response())
}

/// Units and holders of a round, by pages
#[utoipa::path(get, path = "/v1/rounds/{round}/assignments", tag = "rounds",
    params(("round" = Round, Path), PageQuery),
    responses((status = 200, body = Answer<Vec<AssignmentEntry>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn assignments(
    State(app): State<Arc<App>>,
    PathOf(round): PathOf<Round>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Answer<Vec<AssignmentEntry>>>, Failure> {
    let (limit, from) = (page.limit()? as usize, page.position()?);
    let (_, document) = known(&app, round).await?;
    let assignment = Assignment::parse(document.as_bytes())
        .map_err(|_| Failure::new(ProblemKind::Internal, "the stored assignment is not readable"))?;
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let entries: Vec<AssignmentEntry> = assignment
        .entries
        .iter()
        .skip(from)
        .take(limit)
        .copied()
        .collect();
    let end = from.saturating_add(entries.len());
    let next = (end < assignment.entries.len()).then(|| end.to_string());
    Ok(Json(app.page(Source::Derived, entries, next)))
}
