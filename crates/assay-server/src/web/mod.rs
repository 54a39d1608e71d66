//! The website: pages rendered here from the store, usable without script, one file a page.
//!
//! ```text
//! asked ─► page ─► frame ─► cache (once a state of the store, path, query, theme) ─► headers ─► browser
//!                          └─► again (what was given from a state before)
//! ```
//!
//! The site decides nothing: figures come from `board`, `store` and the mechanism. Text from outside is escaped by the
//! templates and cleaned by `number::clean`. Colours come by class only, so the content policy needs no inline style.

mod again;
mod age;
mod answer;
mod asked;
mod asset;
mod card;
mod chart;
mod docs;
mod feed;
mod frame;
mod header;
mod markdown;
mod news;
mod number;
mod page;
mod part;
pub(crate) mod starting;
mod ticker;

use crate::app::App;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;

pub(crate) use again::render_again;
pub(crate) use asked::encode;
pub(crate) use docs::{changes, search as search_docs};

use answer::{answer, missing};
use asked::Asked;

/// All pages; headers of pages are set on everything here.
pub(crate) fn router() -> Router<Arc<App>> {
    page::router()
        .route("/assets/{name}", get(asset::serve))
        .layer(axum::middleware::map_response(header::of_page))
}

/// The page for an address that is none.
pub(crate) async fn not_found(State(app): State<Arc<App>>, asked: Asked) -> Response {
    let render = async { Err(missing("no page has this address")) };
    header::of_page(answer(&app, &asked, render).await).await
}
