//! A small port on which a process says how it is: `/metrics` for Prometheus, `/health` for whoever restarts it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::serve::ServeError;

/// Answers for a process; called once a request.
pub type Say = Arc<dyn Fn() -> String + Send + Sync>;

/// Whether all is well, and why.
pub type Judge = Arc<dyn Fn() -> (bool, String) + Send + Sync>;

/// Listens at `address`; gives the address and the work of answering, which ends with the caller.
///
/// # Errors
/// [`ServeError::Listen`] if the address is taken or not this machine's.
pub async fn probe(
    address: SocketAddr,
    metrics: Say,
    health: Judge,
) -> Result<(SocketAddr, impl Future<Output = ()> + Send), ServeError> {
    let failed = |source| ServeError::Listen {
        address: address.to_string(),
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let health = move || {
        let health = Arc::clone(&health);
        async move {
            let (is_well, why) = health();
            let status = if is_well {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
            (status, why)
        }
    };
    let metrics = move || {
        let metrics = Arc::clone(&metrics);
        async move { metrics() }
    };
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health));
    let answering = async move {
        if let Err(error) = axum::serve(listener, routes).await {
            tracing::warn!(%error, "the metrics port is closed");
        }
    };
    Ok((bound, answering))
}
