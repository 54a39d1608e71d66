//! What is answered before the server is there: while its database is checked and brought up to date, whoever asks is told so
//! instead of being refused.

use crate::config::ServerConfig;
use crate::failure::Failure;
use crate::serve::{Bounds, ServeError, accept, listen};
use crate::web::starting;
use assay_types::api::ProblemKind;
use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Seconds after which who asked may try again.
pub(crate) const RETRY_SECONDS: u32 = 5;

/// Answers at the server's address until it is there.
#[derive(Debug)]
pub struct Starting {
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Starting {
    /// Begins to answer every request with "not ready". An address whose port the system chooses is nobody's yet: there nothing is done.
    ///
    /// # Errors
    /// [`ServeError`] for an address that is taken or not this machine's.
    pub async fn begin(config: &ServerConfig) -> Result<Self, ServeError> {
        let (stop, shutdown) = watch::channel(false);
        let mut task = None;
        if config.listen.port() != 0 {
            let listener = listen(config.listen).await?;
            let bounds = Bounds::new(&config.limits, config.client_address_header.as_deref());
            let routes = Router::new()
                .route("/v1/{*rest}", any(not_ready))
                .fallback_service(starting::router());
            task = Some(tokio::spawn(accept(bounds, listener, routes, shutdown)));
        }
        Ok(Self { stop, task })
    }

    /// Gives the address free.
    pub async fn end(self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task {
            // It ends by itself, or was ended by a bug of its own.
            let _ = task.await;
        }
    }
}

async fn not_ready() -> Response {
    let why = "the database is being checked and brought up to date";
    Failure::new(ProblemKind::NotReady, why)
        .retry_after(RETRY_SECONDS)
        .into_response()
}
