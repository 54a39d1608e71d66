//! What every request passes: address and rate, body and time limits, request id, log line, headers of the answer.

use crate::api::ClientAddress;
use crate::app::App;
use crate::failure::{Failure, TRACE_HEADER};
use crate::limit::{HotkeyStanding, RATE_LIMIT_HEADER};
use assay_types::api::{BODY_BYTES_MAX, ProblemKind};
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
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

/// What a handler answers; a bug in it costs its own request only.
async fn caught(answer: impl Future<Output = Response>) -> Response {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        tracing::error!("a handler panicked");
        Failure::new(ProblemKind::Internal, "this is a bug: report it with `trace_id`").into_response()
    })
}

async fn answer(app: &App, address: IpAddr, mut request: Request, next: Next) -> Response {
    let standing = match app.rates.address(address, app.clock().now_ms()) {
        Ok(standing) => standing,
        Err(failure) => return failure.into_response(),
    };
    let hotkey = HotkeyStanding::default();
    request.extensions_mut().insert(hotkey.clone());
    let limit = Duration::from_millis(app.limits().request_ms_max);
    let timed = tokio::time::timeout(limit, async {
        match with_body(request).await {
            Ok(request) => caught(next.run(request)).await,
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
    // The tighter of the two limits; a refusal has written its own already.
    let tighter = hotkey.told().filter(|own| own.remaining < standing.remaining);
    let headers = response.headers_mut();
    if !headers.contains_key(RATE_LIMIT_HEADER) {
        tighter.unwrap_or(standing).write(headers);
    }
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
    told_address(request.headers(), name).unwrap_or(peer)
}

/// The address that the trusted proxy itself has seen: the last entry of the last line of that name. Whatever stands before it,
/// on the same line or on lines of their own, the client may have written.
fn told_address(headers: &HeaderMap, name: &str) -> Option<IpAddr> {
    let last = headers.get_all(name).iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

/// Twelve random bytes; a counter would tell how busy the server is.
fn new_trace() -> String {
    let mut bytes = [0; 12];
    // Without randomness the id is zeros, which names the request badly and harms nothing.
    let _ = getrandom::fill(&mut bytes);
    assay_types::hex::encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_of_its_own_kind() {
        let fine = caught(async { "fine".into_response() }).await;
        assert_eq!(fine.status(), 200);
        let failed = caught(async { panic!("None of the caller's business") }).await;
        assert_eq!(failed.status(), 500);
        let body = to_bytes(failed.into_body(), 1 << 16).await.unwrap();
        let problem: assay_types::api::Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.code, "server/internal");
        assert!(!problem.detail.contains("None"), "the cause is for the log only");
    }

    #[test]
    fn only_what_the_proxy_wrote_names_the_client() {
        let name = "x-forwarded-for";
        let told = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(name, HeaderValue::from_static(line));
            }
            told_address(&headers, name).map(|address| address.to_string())
        };
        assert_eq!(told(&["192.0.2.7"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(told(&["10.0.0.1, 192.0.2.7"]).as_deref(), Some("192.0.2.7"));
        // The client sent a line of its own and the proxy added another.
        assert_eq!(told(&["10.0.0.1", "192.0.2.7"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(
            told(&["10.0.0.1, 10.0.0.2", "10.0.0.3, 2001:db8::7"]).as_deref(),
            Some("2001:db8::7")
        );
        for nonsense in [&[][..], &[""], &["192.0.2.7", "unknown"]] {
            assert_eq!(told(nonsense), None, "{nonsense:?}");
        }
    }
}
