//! The page while the server starts: the site's own frame around one message, and the files it loads.

use super::asked::Asked;
use super::frame::{self, Page};
use super::ticker::Ticker;
use super::{asset, header, part};
use crate::starting::RETRY_SECONDS;
use axum::Router;
use axum::http::{StatusCode, header as names};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use maud::html;

/// Every address, and the files of pages.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/assets/{name}", get(asset::serve))
        .fallback(page)
        .layer(axum::middleware::map_response(header::of_page))
}

async fn page(asked: Asked) -> Response {
    let body = html! {
        section {
            h1 { "Starting" }
            p.lede { "The database is checked and brought up to date. The more history it holds, the longer that takes, above all after an update of the program." }
        }
        section.panel {
            (part::panel_head("What now", html! { "status " (StatusCode::SERVICE_UNAVAILABLE.as_u16()) }))
            p { "This page asks again by itself every " (RETRY_SECONDS) " seconds. Mining and validating go on meanwhile: both follow from the chain alone." }
        }
    };
    let page = Page::new("Starting", body).plain();
    let document = frame::render(&asked, "", &Ticker::default(), &page).into_string();
    let retry = RETRY_SECONDS.to_string();
    let headers = [
        (names::CONTENT_TYPE, "text/html; charset=utf-8"),
        (names::CACHE_CONTROL, "no-store"),
        (names::RETRY_AFTER, retry.as_str()),
        (names::REFRESH, retry.as_str()),
    ];
    (StatusCode::SERVICE_UNAVAILABLE, headers, document).into_response()
}
