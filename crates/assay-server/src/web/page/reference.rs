//! The API on a page, made from the OpenAPI document.

use super::{Asked, Page, Stop, answer, part};
use crate::api::openapi;
use crate::app::App;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use std::sync::Arc;
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
    // What the types look like is read from the document as others read it.
    let json = serde_json::to_value(&document).unwrap_or_default();
    let tags: Vec<_> = document.tags.iter().flatten().collect();
    html! {
        section {
            div.row { h1 { (document.info.title) } span.sp {} a.btn href="/v1/openapi.json" { "OpenAPI 3.1" } a.btn href="/docs/api" { "Manual" } }
            p.lede { (document.info.description.as_deref().unwrap_or_default()) }
            p.chips.gap { @for tag in &tags { a.chip href=(format!("#{}", tag.name)) { (tag.name) } } a.chip href="#types" { "types" } }
        }
        @for tag in &tags {
            section.panel id=(tag.name) {
                (part::panel_head(&tag.name, html! { (tag.description.as_deref().unwrap_or_default()) }))
                (part::scroll(&format!("Resources: {}", tag.name), html! {
                    table {
                        caption.vh { "Resources of " (tag.name) }
                        thead { tr { th scope="col" { "Resource" } th scope="col" { "Access" } th scope="col" { "What" } th scope="col" { "Parameters" } th scope="col" { "Body" } th scope="col" { "Answer" } } }
                        tbody {
                            @for (path, item) in &document.paths.paths {
                                @for (method, operation) in operations(item) {
                                    @if operation.tags.as_ref().is_some_and(|tags| tags.contains(&tag.name)) { (line(method, path, operation, &json)) }
                                }
                            }
                        }
                    }
                }))
            }
        }
        (types(&json))
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

fn line(method: &str, path: &str, operation: &Operation, document: &Value) -> Markup {
    let key = method.to_ascii_lowercase();
    let described = document.get("paths").and_then(|paths| paths.get(path)?.get(&key));
    let get = |name: &str| described.and_then(|described| described.get(name));
    let parameters: Vec<(&str, String)> = get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|parameter| {
            Some((
                parameter.get("name")?.as_str()?,
                type_of(parameter.get("schema")?),
            ))
        })
        .collect();
    let body = get("requestBody").and_then(content_type);
    let given = get("responses").and_then(|responses| content_type(responses.get("200")?));
    html! {
        tr {
            td.mono { b { (method) } " " (path) }
            td { @if operation.security.is_some() { (part::pill("crown", "signed")) } @else { (part::pill("nil", "open")) } }
            td { (operation.summary.as_deref().unwrap_or_default()) }
            td.mono.small {
                @if parameters.is_empty() { "–" }
                @for (name, kind) in &parameters { div { (name) ": " (kind) } }
            }
            td.mono.small { (body.as_deref().unwrap_or("–")) }
            td.mono.small { (given.as_deref().unwrap_or("–")) }
        }
    }
}

/// The type of a body's or an answer's first form.
fn content_type(described: &Value) -> Option<String> {
    let forms = described.get("content")?.as_object()?;
    let (_, form) = forms.iter().next()?;
    Some(type_of(form.get("schema")?))
}

/// A schema in a word: the name of a type, or what JSON it is.
fn type_of(schema: &Value) -> String {
    let text = |name: &str| schema.get(name).and_then(Value::as_str);
    if let Some(name) = text("$ref").and_then(|reference| reference.rsplit('/').next()) {
        return name.to_owned();
    }
    if let Some(choices) = ["oneOf", "anyOf", "allOf"]
        .iter()
        .find_map(|name| schema.get(*name)?.as_array())
    {
        let choices: Vec<String> = choices.iter().map(type_of).collect();
        return choices.join(" | ");
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<String> = values.iter().map(Value::to_string).collect();
        return values.join(" | ");
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec!["any"],
    };
    let named = kinds.into_iter().map(|kind| match (kind, schema.get("items")) {
        ("array", Some(items)) => format!("[{}]", type_of(items)),
        _ => kind.to_owned(),
    });
    named.collect::<Vec<_>>().join(" | ")
}

/// Every type by name, with its fields.
fn types(document: &Value) -> Markup {
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    let about = |schema: &Value| {
        let text = schema.get("description").and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    html! {
        section.panel id="types" {
            (part::panel_head("Types", html! { "JSON of bodies and answers" }))
            (part::scroll("Types", html! {
                table {
                    caption.vh { "Types of bodies and answers, with their fields" }
                    thead { tr { th scope="col" { "Type" } th scope="col" { "Field" } th scope="col" { "JSON" } th scope="col" { "What" } } }
                    tbody {
                        @for (name, schema) in schemas.into_iter().flatten() {
                            tr { td.mono { b { (name) } } td { "" } td.mono.small { (type_of(schema)) } td { (about(schema)) } }
                            @for (field, kind) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                                tr { td { "" } td.mono { (field) } td.mono.small { (type_of(kind)) } td { (about(kind)) } }
                            }
                        }
                    }
                }
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_and_answers_have_their_types() {
        let page = body().into_string();
        for part in [
            "ReportBody",
            "AuditSample",
            "FraudProof",
            "Manifest",
            "round: Round",
            "id=\"types\"",
            "submission_root",
        ] {
            assert!(page.contains(part), "`{part}` is not on the page");
        }
        let kind = |text: &str| type_of(&serde_json::from_str(text).unwrap());
        assert_eq!(kind(r##"{"$ref": "#/components/schemas/Round"}"##), "Round");
        assert_eq!(
            kind(r#"{"type": ["array", "null"], "items": {"type": "string"}}"#),
            "[string] | null"
        );
        assert_eq!(kind(r#"{"type": "string", "enum": ["a", "b"]}"#), "\"a\" | \"b\"");
        assert_eq!(kind("{}"), "any");
    }
}
