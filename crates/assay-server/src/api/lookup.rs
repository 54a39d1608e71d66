//! Search, records and changes of method.

use super::extract::{PathOf, QueryOf};
use crate::app::App;
use crate::board;
use crate::failure::Failure;
use assay_types::UnitId;
use assay_types::api::{Answer, ChangeEntry, Problem, ProblemKind, RecordView, SearchHit, Source};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// What is looked for.
#[derive(Debug, Clone, Deserialize, IntoParams)]
pub(crate) struct SearchQuery {
    /// Hotkey, UID, recipe, unit, root, round, dataset or archive path, or the beginning of one; at most 256 bytes.
    q: String,
}

/// What a text names
#[utoipa::path(get, path = "/v1/search", tag = "history", params(SearchQuery),
    responses((status = 200, body = Answer<Vec<SearchHit>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    QueryOf(query): QueryOf<SearchQuery>,
) -> Result<Json<Answer<Vec<SearchHit>>>, Failure> {
    if query.q.len() > board::SEARCH_BYTES_MAX {
        let why = format!("`q` has at most {} bytes", board::SEARCH_BYTES_MAX);
        return Err(Failure::new(ProblemKind::Invalid, why));
    }
    let hits = board::search(&app, &query.q).await?;
    Ok(Json(app.answer(Source::Observed, hits)))
}

/// One row of a ledger, with who rebuilt it
///
/// Reports count here once they are public. A record somebody asked to remove is not shown.
#[utoipa::path(get, path = "/v1/records/{unit}/{idx}", tag = "evidence", params(("unit" = UnitId, Path), ("idx" = u32, Path)),
    responses((status = 200, body = Answer<RecordView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn record(
    State(app): State<Arc<App>>,
    PathOf((unit, idx)): PathOf<(UnitId, u32)>,
) -> Result<Json<Answer<RecordView>>, Failure> {
    let view = board::record(&app, unit, idx).await?;
    Ok(Json(app.answer(Source::Observed, view)))
}

/// Changes of method, newest first
#[utoipa::path(get, path = "/v1/changelog", tag = "history", responses((status = 200, body = Answer<Vec<ChangeEntry>>)))]
pub(crate) async fn changelog(State(app): State<Arc<App>>) -> Json<Answer<Vec<ChangeEntry>>> {
    Json(app.answer(Source::Observed, crate::web::changes()))
}
