//! Renders pages once more that were answered with what was rendered before: one after the other, so that a core is left for
//! answers.

use super::asked::Again;
use super::page;
use crate::app::App;
use axum::body::Body;
use axum::http::{Request, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt as _;

/// Renders what is queued until shutdown.
pub(crate) async fn render_again(app: Arc<App>, mut shutdown: watch::Receiver<bool>) {
    let routes = page::router().with_state(Arc::clone(&app));
    let limit = Duration::from_millis(app.limits().request_ms_max);
    loop {
        let key = tokio::select! {
            key = app.cache.next_queued() => key,
            _ = shutdown.changed() => return,
        };
        if let Some(request) = request(&key) {
            // A task of its own: a bug in a page costs that page only, and who asks for it is told.
            let rendering = tokio::spawn(tokio::time::timeout(limit, routes.clone().oneshot(request)));
            let _ = rendering.await;
        }
        app.cache.rendered_again(&key);
    }
}

/// The request whose answer is kept under a key.
fn request(key: &str) -> Option<Request<Body>> {
    let (address, theme) = key.rsplit_once(' ')?;
    Request::get(address)
        .header(header::COOKIE, format!("theme={theme}"))
        .extension(Again)
        .body(Body::empty())
        .ok()
}
