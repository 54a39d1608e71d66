//! The audit log and the stream of its entries; parameters.

use super::extract::{ClientAddress, PageQuery, QueryOf};
use crate::app::App;
use crate::failure::Failure;
use crate::store;
use crate::stream::{Listen, listen};
use assay_types::api::{Answer, AuditEntry, EventKind, Problem, ProblemKind, Source};
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The audit log, oldest first
///
/// `cursor` is the number of the last entry already known. Each entry names the digest of the one before.
#[utoipa::path(get, path = "/v1/audit", tag = "history", params(PageQuery),
    responses((status = 200, body = Answer<Vec<AuditEntry>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn audit(
    State(app): State<Arc<App>>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Answer<Vec<AuditEntry>>>, Failure> {
    let (limit, after) = (page.limit()?, page.position()?);
    let entries = store::audit_entries(app.database().readers(), after, limit).await?;
    let is_full = entries.len() as u64 == u64::from(limit);
    let next = entries
        .last()
        .filter(|_| is_full)
        .map(|entry| entry.sequence.to_string());
    Ok(Json(app.page(Source::Observed, entries, next)))
}

/// The parameter set.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Params {
    /// BLAKE3 of the text.
    digest: assay_types::Digest,
    /// Canonical TOML.
    toml: String,
}

/// The parameter set in force
#[utoipa::path(get, path = "/v1/params", tag = "history",
    responses((status = 200, body = Answer<Params>)))]
pub(crate) async fn params(State(app): State<Arc<App>>) -> Json<Answer<Params>> {
    let params = Params {
        digest: app.params_digest(),
        toml: app.params().to_canonical(),
    };
    Json(app.answer(Source::Observed, params))
}

/// Which events.
#[derive(Debug, Clone, Deserialize, IntoParams)]
pub(crate) struct StreamQuery {
    /// Kinds separated by commas; all if not given.
    topics: Option<String>,
}

/// Events as they happen
///
/// Server-sent events; `id` is the number in the audit log, and `Last-Event-ID` resumes after it.
#[utoipa::path(get, path = "/v1/stream", tag = "history", params(StreamQuery),
    responses((status = 200, body = String, content_type = "text/event-stream"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    QueryOf(query): QueryOf<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let topics = query
        .topics
        .as_deref()
        .unwrap_or_default()
        .split(',')
        .filter(|topic| !topic.is_empty());
    let topics = topics
        .map(|topic| {
            EventKind::parse(topic).ok_or_else(|| {
                Failure::new(
                    ProblemKind::Invalid,
                    "`topics` names a kind of event that does not exist",
                )
            })
        })
        .collect::<Result<BTreeSet<_>, _>>()?;
    let last_id = match headers.get("last-event-id") {
        None => None,
        Some(value) => Some(
            value
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| {
                    Failure::new(ProblemKind::Invalid, "`Last-Event-ID` is the number of an event")
                })?,
        ),
    };
    let wanted = Listen {
        address,
        topics,
        last_id,
    };
    listen(app, wanted).await
}
