//! Connections: accepted within bounds, read with time limits, answered, and ended in order at shutdown.

use crate::api::{ClientAddress, health_of, router};
use crate::app::App;
use crate::config::{Limits, ServerConfig};
use crate::guard::guard;
use crate::metrics::Gauges;
use crate::places::Places;
use crate::stream::publish;
use crate::unstalled::Unstalled;
use crate::web::render_again;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tower::Service as _;

/// Longest head of a request: request line and headers, bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Headers of a request.
const HEADERS_MAX: usize = 64;

/// Why the server does not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// An address that cannot be listened at.
    #[error("cannot listen at `{address}`")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    tasks: JoinSet<()>,
}

impl Server {
    /// Where the API is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the metrics are.
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Waits until every connection has ended after a shutdown.
    pub async fn finished(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Starts to serve; ends when `shutdown` turns true.
///
/// # Errors
/// [`ServeError`] for an address that is taken or not this machine's.
pub async fn start(
    app: &Arc<App>,
    config: &ServerConfig,
    shutdown: &watch::Receiver<bool>,
) -> Result<Server, ServeError> {
    let api = listen(config.listen).await?;
    let address = local(&api, config.listen)?;
    let mut tasks = JoinSet::new();
    let layer = axum::middleware::from_fn_with_state(Arc::clone(app), guard);
    let routes = router(Arc::clone(app)).layer(layer);
    let bounds = || Bounds::new(app.limits(), app.client_address_header());
    tasks.spawn(accept(bounds(), api, routes, shutdown.clone()));
    let (closed, mut ended) = (Arc::clone(app), shutdown.clone());
    tasks.spawn(async move {
        // Nobody may be left to say so: then it is the end as well.
        let _ = ended.wait_for(|ended| *ended).await;
        closed.events.close();
    });
    let (published, events_shutdown) = (Arc::clone(app), shutdown.clone());
    tasks.spawn(async move {
        let mut shutdown = events_shutdown.clone();
        while publish(Arc::clone(&published), events_shutdown.clone())
            .await
            .is_err()
        {
            tracing::warn!("events cannot be read from the database; trying again");
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                _ = shutdown.changed() => return,
            }
        }
    });
    tasks.spawn(render_again(Arc::clone(app), shutdown.clone()));
    let mut metrics_address = None;
    if let Some(wanted) = config.metrics_listen {
        let listener = listen(wanted).await?;
        metrics_address = Some(local(&listener, wanted)?);
        let measured = Arc::clone(app);
        let routes = Router::new().route("/metrics", axum::routing::get(async move || render(&measured)));
        tasks.spawn(accept(bounds(), listener, routes, shutdown.clone()));
    }
    Ok(Server {
        address,
        metrics_address,
        tasks,
    })
}

fn render(app: &App) -> String {
    let health = health_of(app);
    app.metrics.render(&Gauges {
        block: health.block.0,
        block_age_ms: health.block_age_ms,
        streams: app.events.count(),
        cache_bytes: app.cache.bytes(),
        commits: *app.writer().commits().borrow(),
        intake: health.intake,
    })
}

/// Listens at an address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen {
            address: address.to_string(),
            source,
        })
}

fn local(listener: &TcpListener, wanted: SocketAddr) -> Result<SocketAddr, ServeError> {
    listener.local_addr().map_err(|source| ServeError::Listen {
        address: wanted.to_string(),
        source,
    })
}

/// Bounds of the connections at an address.
#[derive(Debug)]
pub(crate) struct Bounds {
    places: Places,
    header_time: Duration,
    write_time: Duration,
    shutdown_time: Duration,
}

impl Bounds {
    /// Those of a configuration.
    pub(crate) fn new(limits: &Limits, client_address_header: Option<&str>) -> Self {
        // Behind a proxy every peer is the proxy.
        let own_max = client_address_header.is_none();
        Self {
            places: Places::new(
                limits.connections_max,
                own_max.then_some(limits.address_connections_max),
            ),
            header_time: Duration::from_millis(limits.header_ms_max),
            write_time: Duration::from_millis(limits.write_ms_max),
            shutdown_time: Duration::from_millis(limits.shutdown_ms_max),
        }
    }
}

/// Takes connections until shutdown, then lets the open ones finish.
pub(crate) async fn accept(
    bounds: Bounds,
    listener: TcpListener,
    routes: Router,
    mut shutdown: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let Bounds {
        places,
        header_time,
        write_time,
        shutdown_time,
    } = bounds;
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = take_place(&listener, &places) => accepted,
            _ = shutdown.changed() => break,
        };
        match accepted {
            Some((stream, peer, of_all)) => {
                let Some(place) = places.of(peer.ip(), of_all) else {
                    tracing::debug!(%peer, "too many connections of one address");
                    continue;
                };
                let routes = routes.clone();
                let service = service_fn(move |mut request: hyper::Request<Incoming>| {
                    request.extensions_mut().insert(ClientAddress(peer.ip()));
                    routes.clone().call(request)
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(header_time)
                    .max_buf_size(HEAD_BYTES_MAX)
                    .max_headers(HEADERS_MAX)
                    .serve_connection(TokioIo::new(Unstalled::new(stream, write_time)), service);
                let watched = graceful.watch(connection);
                open.spawn(async move {
                    // A client that goes away is not worth a line.
                    let _ = watched.await;
                    drop(place);
                });
            }
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    if tokio::time::timeout(shutdown_time, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("connections were still open at shutdown");
    }
    open.abort_all();
}

/// A place, and a connection for it; none if the system has no more sockets.
async fn take_place(
    listener: &TcpListener,
    places: &Places,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.any().await?;
    let (stream, peer) = listener.accept().await.ok()?;
    // Answers are small and written at once.
    stream.set_nodelay(true).ok()?;
    Some((stream, peer, place))
}
