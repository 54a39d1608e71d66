//! Whether the server lives, whether it is ready, and who asks.

use super::extract::SignedRequest;
use crate::app::App;
use crate::failure::Failure;
use crate::store::NonceOnly;
use assay_types::api::{Answer, Health, Problem, ProblemKind, Source};
use assay_types::{BlockNumber, Hotkey, Uid};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Age of the newest block from which the server is not ready, milliseconds: ten blocks of 12 s.
const BLOCK_AGE_MS_MAX: u64 = 120_000;

/// What is known of the server's health.
pub(crate) fn health_of(app: &App) -> Health {
    let view = app.view();
    let mut problems = Vec::new();
    let block_age_ms = view
        .head
        .map_or(u64::MAX, |row| app.clock().now_ms().saturating_sub(row.taken_ms));
    if view.head.is_none() {
        problems.push("no block of the chain has been taken in".to_owned());
    } else if block_age_ms > BLOCK_AGE_MS_MAX {
        problems.push(format!(
            "the newest block was taken in {} s ago",
            block_age_ms / 1_000
        ));
    }
    if !view.trouble.is_empty() {
        problems.push(view.trouble.clone());
    }
    if app.writer().is_full() {
        problems.push("the disk of the database is full: no writes are taken".to_owned());
    }
    Health {
        status: if problems.is_empty() { "ok" } else { "degraded" }.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        server: app.server_address().to_owned(),
        netuid: app.identity().netuid.0,
        genesis: app.identity().genesis,
        block: view.block(),
        block_age_ms: if view.head.is_some() { block_age_ms } else { 0 },
        intake: !app.writer().is_full(),
        problems,
    }
}

/// Whether the server lives, and what is degraded
#[utoipa::path(get, path = "/v1/health", tag = "health", responses((status = 200, body = Answer<Health>)))]
pub(crate) async fn health(State(app): State<Arc<App>>) -> Json<Answer<Health>> {
    Json(app.answer(Source::Observed, health_of(&app)))
}

/// Whether the server has caught up with the chain and takes writes
#[utoipa::path(get, path = "/v1/ready", tag = "health",
    responses((status = 200, body = Answer<Health>), (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Answer<Health>>, Failure> {
    let health = health_of(&app);
    if health.problems.is_empty() {
        return Ok(Json(app.answer(Source::Observed, health)));
    }
    Err(Failure::new(ProblemKind::NotReady, health.problems.join("; ")).retry_after(5))
}

/// Who asks, as the server sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WhoAmI {
    /// The hotkey that signed.
    hotkey: Hotkey,
    /// Its place in the subnet.
    uid: Uid,
    /// Whether it may report.
    permit: bool,
    /// Block of its registration.
    registered: BlockNumber,
}

/// Try a signature
///
/// Changes nothing but the replay store.
#[utoipa::path(post, path = "/v1/whoami", tag = "health", security(("btauth" = [])),
    responses((status = 200, body = Answer<WhoAmI>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn whoami(request: SignedRequest) -> Result<Response, Failure> {
    request.no_body()?;
    request.write(NonceOnly).await?;
    let view = request.app.view();
    let neuron = view
        .neuron(&request.hotkey())
        .ok_or_else(|| Failure::from(ProblemKind::NotRegistered))?;
    request.answer(WhoAmI {
        hotkey: neuron.hotkey,
        uid: neuron.uid,
        permit: neuron.permit,
        registered: neuron.registered,
    })
}
