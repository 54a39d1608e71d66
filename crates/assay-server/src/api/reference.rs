//! A readable page of the API, from the OpenAPI document: no script, no third party.

use super::openapi::openapi;
use axum::http::header;
use axum::response::IntoResponse;
use std::fmt::Write as _;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, PathItem};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
code{font-family:ui-monospace,monospace}h3{margin-bottom:0}p{margin-top:.25rem}.signed{color:#7a4b00}";

/// Serves it.
pub(crate) async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ];
    (headers, render())
}

/// The page's style, a file of its own: nothing inline is allowed.
pub(crate) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
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

/// The page.
pub(crate) fn render() -> String {
    let document = openapi();
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><link rel=\"stylesheet\" href=\"/api/style.css\"><h1>{title}</h1><p>{about}</p>\
         <p>The same as a document: <a href=\"/v1/openapi.json\"><code>/v1/openapi.json</code></a></p>",
        title = escape(&document.info.title),
        about = escape(document.info.description.as_deref().unwrap_or_default()),
    );
    for tag in document.tags.iter().flatten() {
        let _ = write!(
            out,
            "<h2>{}</h2><p>{}</p>",
            escape(&tag.name),
            escape(tag.description.as_deref().unwrap_or_default())
        );
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations(item) {
                if operation
                    .tags
                    .as_ref()
                    .is_some_and(|tags| tags.contains(&tag.name))
                {
                    write_operation(&mut out, (method, path), operation);
                }
            }
        }
    }
    out.push_str("</html>\n");
    out
}

fn write_operation(out: &mut String, (method, path): (&str, &str), operation: &Operation) {
    let signed = if operation.security.is_some() {
        " <span class=\"signed\">signed</span>"
    } else {
        ""
    };
    let _ = write!(
        out,
        "<h3><code>{method} {}</code>{signed}</h3><p>{}",
        escape(path),
        escape(operation.summary.as_deref().unwrap_or_default())
    );
    if let Some(more) = &operation.description {
        let _ = write!(out, ". {}", escape(more));
    }
    let parameters: Vec<String> = operation
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(format!("<code>{}</code>", escape(&parameter.name))),
            RefOr::Ref(_) => None,
        })
        .collect();
    if !parameters.is_empty() {
        let _ = write!(out, "<br>Parameters: {}", parameters.join(", "));
    }
    out.push_str("</p>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
