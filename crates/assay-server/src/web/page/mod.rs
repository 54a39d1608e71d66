//! Pages, one file each, and their routes.

mod board;
mod card;
mod compare;
mod dataset;
mod docs;
mod duel;
mod miner;
mod miner_fix;
mod miner_points;
mod news;
mod opt_out;
mod overview;
mod overview_start;
mod plain;
mod recipe;
mod record;
mod reference;
mod round;
mod search;
mod status;
mod submission;
mod validator;

use super::answer::{Stop, answer, file, missing, site};
use super::asked::Asked;
use super::frame::Page;
use super::{number, part};
use crate::app::App;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

/// Routes of all pages.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(overview::page))
        .route("/leaderboard", get(board::miners))
        .route("/leaderboard/{name}", get(board::page))
        .route("/miners/{hotkey}", get(miner::page))
        .route("/rounds", get(round::list))
        .route("/rounds/{round}", get(round::page))
        .route("/validators/{hotkey}", get(validator::page))
        .route("/recipes/{id}", get(recipe::page))
        .route("/duels", get(duel::list))
        .route("/duels/{id}", get(duel::page))
        .route("/submissions/{root}", get(submission::page))
        .route("/records/{unit}/{idx}", get(record::page))
        .route("/datasets", get(dataset::list))
        .route("/datasets/{name}", get(dataset::page))
        .route("/datasets/{name}/{release}", get(dataset::release))
        .route("/compare", get(compare::page))
        .route("/search", get(search::page))
        .route("/status", get(status::page))
        .route("/opt-out", get(opt_out::page).post(opt_out::file))
        .route("/docs", get(docs::index))
        .route("/docs/{*name}", get(docs::page))
        .route("/start", get(docs::start))
        .route("/changelog", get(docs::changelog))
        .route("/rules", get(docs::rules))
        .route("/community", get(docs::community))
        .route("/news", get(news::list))
        .route("/news/{name}", get(news::page))
        .route("/news.atom", get(news::feed))
        .route("/api", get(reference::page))
        .route(card::OVERVIEW, get(card::overview))
        .route("/cards/miners/{name}", get(card::miner))
        .route("/cards/recipes/{name}", get(card::recipe))
        .route("/cards/datasets/{name}", get(card::dataset))
        .route("/badges/{name}", get(plain::badge))
        .route("/feed.atom", get(plain::feed))
        .route("/robots.txt", get(plain::robots))
        .route("/sitemap.xml", get(plain::sitemap))
        .route("/llms.txt", get(plain::llms))
        .route("/.well-known/security.txt", get(plain::security))
}

/// A hotkey in either of its forms, without a suffix.
fn hotkey(text: &str) -> Result<assay_types::Hotkey, Stop> {
    let text = text.strip_suffix(".json").unwrap_or(text);
    let known = assay_types::Hotkey::from_ss58(text)
        .ok()
        .or_else(|| text.parse().ok());
    known.ok_or_else(|| missing("this is no hotkey: SS58 or 64 hexadecimal digits"))
}
