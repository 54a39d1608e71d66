//! The API on a page, made from the OpenAPI document.

use super::{Asked, Page, Stop, answer, part};
use crate::api::openapi;
use crate::app::App;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, PathItem};

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        Ok::<_, Stop>(
            Page::new("API", body())
                .section("/api")
                .about("Every resource of the Task API."),
        )
    })
    .await
}

/// The operations of a path, in a fixed order.
fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("DELETE", &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)))
}

fn body() -> Markup {
    let document = openapi();
    let tags: Vec<_> = document.tags.iter().flatten().collect();
    html! {
        section {
            div.row { h1 { (document.info.title) } span.sp {} a.btn href="/v1/openapi.json" { "OpenAPI 3.1" } a.btn href="/docs/api" { "Manual" } }
            p.lede { (document.info.description.as_deref().unwrap_or_default()) }
            p.chips.gap { @for tag in &tags { a.chip href=(format!("#{}", tag.name)) { (tag.name) } } }
        }
        @for tag in &tags {
            section.panel id=(tag.name) {
                (part::panel_head(&tag.name, html! { (tag.description.as_deref().unwrap_or_default()) }))
                (part::scroll(&format!("Resources: {}", tag.name), html! {
                    table {
                        caption.vh { "Resources of " (tag.name) }
                        thead { tr { th scope="col" { "Resource" } th scope="col" { "What" } th scope="col" { "Parameters" } th scope="col" { "Access" } } }
                        tbody {
                            @for (path, item) in &document.paths.paths {
                                @for (method, operation) in operations(item) {
                                    @if operation.tags.as_ref().is_some_and(|tags| tags.contains(&tag.name)) { (line(method, path, operation)) }
                                }
                            }
                        }
                    }
                }))
            }
        }
        section.panel {
            (part::panel_head("Try it", html! { "no key to read" }))
            (part::terminal("Requests with curl", &[
                ("$", "curl -s HOST/v1/leaderboard/miners?q=cred+%3E+0.9"),
                ("$", "curl -s HOST/v1/rounds/current"),
                ("$", "curl -N HOST/v1/stream?topics=round,report"),
            ]))
        }
    }
}

fn line(method: &str, path: &str, operation: &Operation) -> Markup {
    let parameters: Vec<&str> = operation
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter.name.as_str()),
            RefOr::Ref(_) => None,
        })
        .collect();
    html! {
        tr {
            td.mono { b { (method) } " " (path) }
            td { (operation.summary.as_deref().unwrap_or_default()) }
            td.mono.small { @if parameters.is_empty() { "–" } @else { (parameters.join(", ")) } }
            td { @if operation.security.is_some() { (part::pill("crown", "signed")) } @else { (part::pill("nil", "open")) } }
        }
    }
}
