//! The public API: one file a resource, its routes, and the OpenAPI document made from both.

mod board;
mod corpus;
mod evidence;
mod extract;
mod health;
mod history;
mod lease;
mod lookup;
mod openapi;
mod release;
mod round;
mod submission;

pub use openapi::{openapi, openapi_json};

pub(crate) use extract::ClientAddress;
pub(crate) use health::health_of;
pub(crate) use round::view as round_view;

use crate::app::App;
use crate::failure::Failure;
use assay_types::api::ProblemKind;
use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/health", get(health::health))
        .route("/v1/ready", get(health::ready))
        .route("/v1/whoami", post(health::whoami))
        .route("/v1/rounds", get(round::list))
        .route("/v1/rounds/current", get(round::current))
        .route("/v1/rounds/{round}", get(round::one))
        .route("/v1/rounds/{round}/assignment", get(round::assignment))
        .route("/v1/rounds/{round}/assignments", get(round::assignments))
        .route("/v1/rounds/{round}/leases/{holder}", get(lease::list))
        .route("/v1/rounds/{round}/units/{unit}/lease", post(lease::take))
        .route(
            "/v1/rounds/{round}/units/{unit}/lease/heartbeat",
            post(lease::heartbeat),
        )
        .route(
            "/v1/rounds/{round}/units/{unit}/lease/complete",
            post(lease::complete),
        )
        .route(
            "/v1/rounds/{round}/units/{unit}/lease/release",
            post(lease::release),
        )
        .route("/v1/rounds/{round}/units/{unit}/lease/fail", post(lease::fail))
        .route("/v1/corpora", get(corpus::corpora))
        .route("/v1/units", get(corpus::units))
        .route("/v1/units/{unit}", get(corpus::unit))
        .route("/v1/dead-letters", get(corpus::dead_letters))
        .route(
            "/v1/submissions",
            get(submission::list).post(submission::complete),
        )
        .route("/v1/submissions/{root}", get(submission::one))
        .route("/v1/reports", get(evidence::reports).post(evidence::report))
        .route("/v1/reports/{digest}", get(evidence::one_report))
        .route("/v1/fraud-proofs", get(evidence::proofs).post(evidence::proof))
        .route("/v1/leaderboard/miners", get(board::miners))
        .route("/v1/leaderboard/recipes", get(board::recipes))
        .route("/v1/leaderboard/validators", get(board::validators))
        .route("/v1/leaderboard/datasets", get(board::datasets))
        .route("/v1/miners/{hotkey}", get(board::miner))
        .route("/v1/miners/{hotkey}/rounds", get(board::miner_rounds))
        .route("/v1/validators/{hotkey}", get(board::validator))
        .route("/v1/recipes", get(release::recipes))
        .route("/v1/recipes/{id}", get(release::recipe).post(release::put_recipe))
        .route("/v1/duels", get(release::duels))
        .route("/v1/duels/{id}", get(release::duel))
        .route("/v1/datasets", get(release::datasets))
        .route("/v1/datasets/{name}", get(release::dataset))
        .route("/v1/audit", get(history::audit))
        .route("/v1/params", get(history::params))
        .route("/v1/search", get(lookup::search))
        .route("/v1/records/{unit}/{idx}", get(lookup::record))
        .route("/v1/changelog", get(lookup::changelog))
        .route("/v1/stream", get(history::stream))
        .route("/v1/openapi.json", get(openapi::document))
        .route(
            "/v1/{*rest}",
            axum::routing::any(async || Failure::new(ProblemKind::NotFound, "`/api` lists what there is")),
        )
        .merge(crate::web::router())
        .fallback(crate::web::not_found)
        .method_not_allowed_fallback(async || {
            Failure::new(ProblemKind::Method, "`/api` lists the methods of each resource")
        })
        .with_state(app)
}
