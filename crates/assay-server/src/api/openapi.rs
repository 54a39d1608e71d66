//! The OpenAPI document, from handlers and types.

use super::{board, corpus, evidence, health, history, lease, lookup, release, round, submission};
use assay_types::api::HEADER_SIGNATURE;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Assay Task API", description = "Assignments, leases, evidence and history of an Assay subnet, all of it recomputable from the chain. docs/api.md is the manual.", license(name = "MIT OR Apache-2.0")),
    paths(
        health::health, health::ready, health::whoami,
        round::list, round::current, round::one, round::assignment, round::assignments,
        lease::list, lease::take, lease::heartbeat, lease::complete, lease::release, lease::fail,
        corpus::corpora, corpus::units, corpus::unit, corpus::dead_letters,
        submission::list, submission::one, submission::complete,
        evidence::reports, evidence::one_report, evidence::report, evidence::sample, evidence::samples, evidence::proofs, evidence::proof,
        board::miners, board::recipes, board::validators, board::datasets, board::miner, board::miner_rounds, board::validator,
        release::recipes, release::recipe, release::put_recipe, release::duels, release::duel,
        release::datasets, release::dataset,
        history::audit, history::params, history::stream,
        lookup::search, lookup::record, lookup::changelog,
    ),
    modifiers(&Btauth, &Failures),
    tags(
        (name = "health", description = "Whether the server works"),
        (name = "rounds", description = "Rounds and assignments"),
        (name = "leases", description = "Who works on which unit since when"),
        (name = "corpus", description = "What is work"),
        (name = "submissions", description = "What miners committed to"),
        (name = "evidence", description = "Reports and fraud proofs"),
        (name = "boards", description = "Miners and validators"),
        (name = "releases", description = "Recipes, duels, datasets"),
        (name = "history", description = "Audit log, events, parameters"),
    )
)]
struct Document;

/// Names btauth/1 as the security scheme.
struct Btauth;

impl Modify for Btauth {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let about =
            "btauth/1: headers X-Bittensor-Version, -Hotkey, -Receiver, -Nonce, -Signature (docs/api.md)";
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            HEADER_SIGNATURE,
            about,
        )));
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("btauth", scheme);
    }
}

/// Says of every operation that it may fail, by the request's fault and by the server's.
struct Failures;

impl Modify for Failures {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let items = openapi.paths.paths.values_mut();
        let operations: Vec<&mut Operation> = items
            .flat_map(|item| [&mut item.get, &mut item.post])
            .filter_map(Option::as_mut)
            .collect();
        let problem = operations
            .iter()
            .find_map(|operation| operation.responses.responses.get(BY_THE_REQUEST))
            .cloned();
        let Some(problem) = problem else { return };
        for operation in operations {
            let responses = &mut operation.responses.responses;
            for kind in [BY_THE_REQUEST, BY_THE_SERVER] {
                responses
                    .entry(kind.to_owned())
                    .or_insert_with(|| problem.clone());
            }
        }
    }
}

/// Statuses of failures.
const BY_THE_REQUEST: &str = "4XX";
const BY_THE_SERVER: &str = "5XX";

/// The document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// The document as JSON.
pub fn openapi_json() -> String {
    openapi().to_pretty_json().unwrap_or_default()
}

/// Serves it.
pub(crate) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], openapi_json())
}
