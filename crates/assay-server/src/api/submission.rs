//! Submissions: what the chain revealed, and the manifests handed in for it.

use super::extract::{PageQuery, PathOf, QueryOf, SignedRequest};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{self, CompleteSubmission};
use assay_types::api::{Answer, DeclaredWork, Problem, ProblemKind, Receipt, Source, SubmissionView};
use assay_types::{Digest, Manifest, RecipeId, Round};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::IntoParams;

/// Which submissions.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
pub(crate) struct RoundQuery {
    /// The round.
    round: Round,
}

impl RoundQuery {
    pub(crate) const fn round(self) -> Round {
        self.round
    }
}

/// Submissions of a round
#[utoipa::path(get, path = "/v1/submissions", tag = "submissions", params(RoundQuery, PageQuery),
    responses((status = 200, body = Answer<Vec<SubmissionView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    QueryOf(query): QueryOf<RoundQuery>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Answer<Vec<SubmissionView>>>, Failure> {
    let (size, after) = (page.size()?, page.key()?);
    let page = store::submission_page(app.database().readers(), query.round, after, size).await?;
    let last = page.rows.last().filter(|_| page.more);
    let next = last.map(|row| row.hotkey.to_string());
    Ok(Json(app.page(Source::Observed, page.rows, next)))
}

/// One submission
#[utoipa::path(get, path = "/v1/submissions/{root}", tag = "submissions", params(("root" = Digest, Path)),
    responses((status = 200, body = Answer<SubmissionView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    PathOf(root): PathOf<Digest>,
) -> Result<Json<Answer<SubmissionView>>, Failure> {
    let found = store::submission(app.database().readers(), &root).await?;
    let found = found
        .ok_or_else(|| Failure::new(ProblemKind::NotFound, "no submission of this root was revealed"))?;
    Ok(Json(app.answer(Source::Observed, found)))
}

/// Hand in a manifest
///
/// The canonical `manifest.json` of a revealed submission, by anybody registered; its root must be the chain's. Tokens and
/// archive bytes are not in the root: counts are shown once the miner itself hands it in, before or after others.
#[utoipa::path(post, path = "/v1/submissions", tag = "submissions", security(("btauth" = [])),
    request_body(content = Manifest, content_type = "application/json"),
    responses((status = 200, body = Answer<Receipt>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn complete(request: SignedRequest) -> Result<Response, Failure> {
    let manifest = Manifest::parse(&request.body).map_err(|error| {
        let kind = if serde_json::from_slice::<serde_json::Value>(&request.body).is_err() {
            ProblemKind::MalformedBody
        } else {
            ProblemKind::Invalid
        };
        Failure::new(kind, format!("the manifest cannot be read: {}", chain_of(&error)))
    })?;
    let identity = request.app.identity();
    if manifest.netuid != identity.netuid || manifest.genesis != identity.genesis {
        return Err(ProblemKind::SubmissionMismatch.into());
    }
    let (row, _) = super::round::known(&request.app, manifest.round).await?;
    let write = CompleteSubmission {
        round: row.round,
        hotkey: manifest.hotkey,
        root: manifest.submission_root,
        units: manifest.units.iter().map(|unit| unit.unit_id).collect(),
        records: manifest.units.iter().map(|unit| unit.n_records).collect(),
        declared: if request.hotkey() == manifest.hotkey {
            declared(&manifest)
        } else {
            Vec::new()
        },
        now_ms: request.app.clock().now_ms(),
    };
    let (sequence, known) = request.write(write).await??;
    request.answer(Receipt {
        digest: Digest::of(&request.body),
        sequence,
        known,
    })
}

/// What a manifest says of its units, summed by recipe.
fn declared(manifest: &Manifest) -> Vec<DeclaredWork> {
    let mut works = BTreeMap::<RecipeId, DeclaredWork>::new();
    for unit in &manifest.units {
        let work = works.entry(unit.recipe_id).or_insert(DeclaredWork {
            recipe_id: unit.recipe_id,
            units: 0,
            records: 0,
            kept: 0,
            tokens: 0,
            archive_bytes: 0,
        });
        work.units = work.units.saturating_add(1);
        work.records = work.records.saturating_add(u64::from(unit.n_records));
        work.kept = work.kept.saturating_add(u64::from(unit.n_kept));
        work.tokens = work.tokens.saturating_add(unit.n_tokens.0);
        work.archive_bytes = work.archive_bytes.saturating_add(unit.warc_len.0);
    }
    works.into_values().collect()
}

/// An error with its causes on one line.
pub(crate) fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
