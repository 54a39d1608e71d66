//! Search: straight to what is named exactly, else a list.

use super::{Asked, Page, Stop, answer, number, part};
use crate::app::App;
use crate::board::{SEARCH_BYTES_MAX, search};
use axum::extract::State;
use axum::response::Response;
use maud::html;
use std::sync::Arc;

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, render(&app, &asked)).await
}

async fn render(app: &App, asked: &Asked) -> Result<Page, Stop> {
    let text = asked.get("q").trim();
    let hits = if text.is_empty() {
        Vec::new()
    } else {
        search(app, text).await?
    };
    let mut exact = hits.iter().filter(|hit| hit.exact);
    if let (Some(only), None) = (exact.next(), exact.next()) {
        return Err(Stop::Moved(only.path.clone()));
    }
    let shown = number::clean(text);
    let body = html! {
        section {
            h1 { "Search" }
            form.find.page.gap role="search" action="/search" aria-label="Search this site" {
                (part::lens())
                input name="q" type="search" value=(number::clean_to(text, SEARCH_BYTES_MAX)) aria-label="Search for" placeholder="Hotkey, UID, recipe, unit, root, archive path, words of the docs" maxlength=(SEARCH_BYTES_MAX) autocomplete="off";
            }
        }
        section.panel {
            @if text.is_empty() {
                (part::panel_head("What can be found", html! { "exact names lead straight there" }))
                dl.facts {
                    dt { "Miner or validator" } dd { "hotkey (SS58 or hexadecimal), UID" }
                    dt { "Recipe" } dd { "name, id or its beginning" }
                    dt { "Work" } dd { "unit id, archive path, submission root, round" }
                    dt { "Data" } dd { "dataset name" }
                    dt { "Words" } dd { "headings and text of the documentation" }
                }
            } @else if hits.is_empty() {
                (part::data_head("Results", html! { "0" }))
                (part::empty("Nothing found", &format!("Nothing here begins with or holds “{shown}”. Keys, archive paths and file names match by their beginning."), Some(("/leaderboard/miners", "All miners"))))
            } @else {
                (part::data_head("Results", html! { (hits.len()) }))
                ul.hits {
                    @for hit in &hits {
                        li {
                            span { (part::pill("nil", &hit.kind)) }
                            span { b { a href=(hit.path) { (number::clean_to(&hit.title, 120)) } } small { (number::clean(&hit.detail)) } }
                        }
                    }
                }
            }
        }
    };
    Ok(Page::new("Search", body).plain())
}
