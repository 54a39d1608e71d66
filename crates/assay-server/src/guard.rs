//! What every request passes: address and rate, body and time limits, request id, log line, headers of the answer.

use crate::api::ClientAddress;
use crate::app::App;
use crate::failure::{Failure, TRACE_HEADER};
use assay_types::api::{BODY_BYTES_MAX, ProblemKind};
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument as _;

tokio::task_local! {
    /// Names the request in log lines and problem documents.
    static TRACE: String;
}

/// The request's id; "" outside one.
pub(crate) fn trace_id() -> String {
    TRACE.try_with(Clone::clone).unwrap_or_default()
}

/// Headers of every answer.
const HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// Wraps every route.
pub(crate) async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let trace = new_trace();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let address = client_address(&app, &request);
    request.extensions_mut().insert(ClientAddress(address));
    let span = tracing::info_span!("request", id = %trace, %method, path);
    let scoped = TRACE.scope(
        trace.clone(),
        answer(&app, address, request, next).instrument(span.clone()),
    );
    let mut response = scoped.await;
    let seconds = begun.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    app.metrics.request(method.as_str(), &route, status, seconds);
    span.in_scope(|| tracing::info!(status, duration_ms = seconds * 1_000.0, "answered"));
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&trace) {
        headers.insert(TRACE_HEADER, value);
    }
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if method == Method::GET || method == Method::HEAD {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

async fn answer(app: &App, address: IpAddr, request: Request, next: Next) -> Response {
    let standing = match app.rates.address(address, app.clock().now_ms()) {
        Ok(standing) => standing,
        Err(failure) => return failure.into_response(),
    };
    let limit = Duration::from_millis(app.limits().request_ms_max);
    let timed = tokio::time::timeout(limit, async {
        match with_body(request).await {
            Ok(request) => next.run(request).await,
            Err(failure) => failure.into_response(),
        }
    });
    let mut response = timed.await.unwrap_or_else(|_| {
        Failure::new(
            ProblemKind::Timeout,
            format!("at most {} ms a request", limit.as_millis()),
        )
        .into_response()
    });
    standing.write(response.headers_mut());
    response
}

/// The request with its whole body in memory.
async fn with_body(request: Request) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    let too_large = || Failure::new(ProblemKind::TooLarge, format!("at most {BODY_BYTES_MAX} bytes"));
    let declared = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > BODY_BYTES_MAX as u64) {
        return Err(too_large());
    }
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| too_large())?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// The client's address: the peer's, or what a trusted proxy says.
fn client_address(app: &App, request: &Request) -> IpAddr {
    let peer = request
        .extensions()
        .get::<ClientAddress>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    let Some(name) = app.client_address_header() else {
        return peer;
    };
    let value = request.headers().get(name).and_then(|value| value.to_str().ok());
    // The last entry is the one that the trusted proxy itself has seen.
    value
        .and_then(|value| value.rsplit(',').next()?.trim().parse().ok())
        .unwrap_or(peer)
}

/// Twelve random bytes; a counter would tell how busy the server is.
fn new_trace() -> String {
    let mut bytes = [0; 12];
    // Without randomness the id is zeros, which names the request badly and harms nothing.
    let _ = getrandom::fill(&mut bytes);
    assay_types::hex::encode(&bytes)
}
