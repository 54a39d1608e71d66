//! Failures of requests: a problem document each, with the headers that belong to it.

use crate::limit::Standing;
use crate::store::StoreError;
use assay_types::api::{Problem, ProblemKind};
use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Media type of a problem document.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// A request that cannot be answered.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The document.
    pub problem: Box<Problem>,
    /// The rate limit it is about, if it is about one.
    pub(crate) standing: Option<Standing>,
}

impl Failure {
    /// Of a kind, with what went wrong here and the cure.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            problem: Box::new(kind.problem(detail)),
            standing: None,
        }
    }

    /// Worth trying again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.problem.retry_after = Some(seconds);
        self
    }
}

impl From<ProblemKind> for Failure {
    fn from(kind: ProblemKind) -> Self {
        Self::new(kind, cure(kind))
    }
}

/// What helps against a kind of problem whose cause needs no more words.
const fn cure(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Unsigned => "sign the request with btauth/1; docs/api.md shows how",
        ProblemKind::ReplayedRequest => "use a new nonce for each request, also when trying again",
        ProblemKind::NotRegistered => {
            "register the hotkey on the subnet; a fresh registration counts from the next block"
        }
        ProblemKind::NotPermitted => "only hotkeys with a validator permit may do this",
        ProblemKind::NotRevealed => {
            "wait until the chain has opened the commitment and the server has taken in that block"
        }
        ProblemKind::SubmissionMismatch => {
            "send the manifest whose root and number of units the pointer on the chain names"
        }
        ProblemKind::ReportConflict => "a report is final: the first one on a subject stands",
        ProblemKind::NotAssigned => "ask for a unit of the round's assignment",
        ProblemKind::NotYours => "ask for a unit that the assignment gives to this hotkey",
        ProblemKind::UnknownRound => "`/v1/rounds/current` names the newest round",
        ProblemKind::Busy => "try again in a moment",
        ProblemKind::StorageFull => "reads still work; try again when the operator has made room",
        _ => "see docs/api.md",
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::from(ProblemKind::StorageFull).retry_after(60),
            StoreError::Busy | StoreError::Stale => Self::from(ProblemKind::Busy).retry_after(1),
            StoreError::Closed => {
                Self::new(ProblemKind::ShuttingDown, "try again in a moment").retry_after(5)
            }
            error => {
                tracing::error!(error = &error as &dyn std::error::Error, "the database failed");
                Self::new(ProblemKind::StorageFailed, "try again in a moment").retry_after(2)
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(mut self) -> Response {
        self.problem.trace_id = crate::guard::trace_id();
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.problem.retry_after;
        let is_unauthorized = status == StatusCode::UNAUTHORIZED;
        let mut response = (status, Json(*self.problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if is_unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("btauth"));
        }
        if let Some(standing) = self.standing {
            standing.write(headers);
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Names the request, in answers.
pub(crate) const TRACE_HEADER: HeaderName = HeaderName::from_static("x-request-id");
