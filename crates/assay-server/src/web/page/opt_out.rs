//! How a site owner is heard: what the crawl respects, and a form that files a request.

use super::{Asked, Page, answer, number, part};
use crate::app::App;
use crate::failure::Failure;
use crate::store::AddRemoval;
use crate::web::answer::{Stop, redirect};
use crate::web::asked;
use crate::web::header;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header as names};
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// Longest field of the form, bytes, and the longest reason.
const FIELD_BYTES_MAX: usize = 300;
const REASON_BYTES_MAX: usize = 4_000;

/// What was typed.
#[derive(Debug, Default, Clone)]
struct Typed {
    target: String,
    contact: String,
    reason: String,
}

/// The page with an empty form.
pub(super) async fn page(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        let filed = asked.get("filed").parse::<u64>().ok();
        Ok(document(&Typed::default(), None, filed))
    })
    .await
}

/// Files a request.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    asked: Asked,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = String::from_utf8_lossy(&body).into_owned();
    let pairs = asked::pairs(&text);
    let get = |name: &str| {
        let found = pairs.iter().find(|(own, _)| own == name);
        found.map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let typed = Typed {
        target: get("target"),
        contact: get("contact"),
        reason: get("reason"),
    };
    let response = match check(&headers, &typed) {
        Ok(()) => match add(&app, &typed).await {
            Ok(number) => redirect(StatusCode::SEE_OTHER, &format!("/opt-out?filed={number}")),
            Err(failure) => answer(&app, &asked, async { Err(Stop::Failed(failure)) }).await,
        },
        Err(why) => {
            let page = document(&typed, Some(why), None);
            let stop = Stop::Other(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page));
            answer(&app, &asked, async { Err(stop) }).await
        }
    };
    header::of_page(response).await
}

async fn add(app: &App, typed: &Typed) -> Result<u64, Failure> {
    let write = AddRemoval {
        target: typed.target.clone(),
        contact: typed.contact.clone(),
        reason: typed.reason.clone(),
        now_ms: app.clock().now_ms(),
    };
    let number = app.writer().write(write).await??;
    // Pages of the state before would show for a moment what is hidden now.
    app.cache.advance();
    Ok(number)
}

/// From this site itself, complete, within bounds.
fn check(headers: &HeaderMap, typed: &Typed) -> Result<(), &'static str> {
    let text = |name: names::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(names::HOST).unwrap_or_default();
    let origin = text(names::ORIGIN)
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, host)| host);
    if origin.is_none_or(|origin| origin != host || host.is_empty()) {
        return Err("The form was sent from another site. Open this page and send it from here.");
    }
    if typed.target.is_empty()
        || !typed.target.contains(['.', '/'])
        || typed.target.chars().any(char::is_whitespace)
    {
        return Err("Name a host such as example.org, an address, or the page of a record.");
    }
    if !typed.contact.contains('@') && !typed.contact.contains("://") {
        return Err("Give an e-mail address or a link under which you can be reached.");
    }
    let fits = typed.target.len() <= FIELD_BYTES_MAX
        && typed.contact.len() <= FIELD_BYTES_MAX
        && typed.reason.len() <= REASON_BYTES_MAX
        && ![&typed.target, &typed.contact]
            .iter()
            .any(|text| text.chars().any(char::is_control));
    if fits {
        Ok(())
    } else {
        Err("A field is too long or holds control characters.")
    }
}

fn document(typed: &Typed, wrong: Option<&str>, filed: Option<u64>) -> Page {
    let body = html! {
        section {
            h1 { "Opt-out and takedown" }
            p.lede { "You publish pages and do not want their text in these datasets, or a page holds what should not be public. This is how you are heard." }
        }
        @if let Some(number) = filed {
            div.notes { (part::banner("ok", "clock", html! { "Request " b { (number) } " is filed. What it names is hidden here at once; an administrator decides on the removal list that later work honours." })) }
        }
        @if let Some(wrong) = wrong { div.notes { (part::banner("bad", "warn", html! { (wrong) })) } }
        section.grid.c2 { (form(typed)) (what_happens()) }
    };
    Page::new("Opt-out and takedown", body).about("How a site owner asks for pages to be taken out.")
}

fn form(typed: &Typed) -> Markup {
    html! {
        div.panel {
            (part::panel_head("File a request", html! { "no account needed" }))
            form method="post" action="/opt-out" {
                div.field {
                    label for="target" { "What should go" }
                    input #target name="target" required maxlength=(FIELD_BYTES_MAX) value=(number::clean_to(&typed.target, FIELD_BYTES_MAX)) autocomplete="off" aria-describedby="target-help";
                    small #target-help { "A host (example.org), the beginning of an address, or the path of a record on this site (/records/…)." }
                }
                div.field {
                    label for="contact" { "How we reach you" }
                    input #contact name="contact" required maxlength=(FIELD_BYTES_MAX) value=(number::clean_to(&typed.contact, FIELD_BYTES_MAX)) autocomplete="email" aria-describedby="contact-help";
                    small #contact-help { "An e-mail address or a link. It is never shown and never leaves this server." }
                }
                div.field {
                    label for="reason" { "Why, in a sentence" }
                    textarea #reason name="reason" maxlength=(REASON_BYTES_MAX) { (typed.reason) }
                }
                button.btn.pri type="submit" { "File the request" }
            }
        }
    }
}

fn what_happens() -> Markup {
    html! {
        div.panel {
            (part::panel_head("What happens", html! { "in this order" }))
            ol.steps {
                li { span { b { "Hidden here" } small { "What the request names is no longer shown on this site, from the moment it is filed." } } span {} }
                li { span { b { "Decided" } small { "An administrator checks that you speak for the site, and answers you." } } span {} }
                li { span { b { "Listed" } small { "The removal list names the host or address. Releases that are built later leave it out." } } span {} }
                li { span { b { "Not undone" } small { "Copies that others made before are out of our hands; the list tells them." } } span {} }
            }
            p.note { "Crawls that are refined here are made by others (Common Crawl and such). To stay out of future ones, disallow their robots in your robots.txt. A file that does: " code.mono { "User-agent: CCBot" } " " code.mono { "Disallow: /" } }
        }
    }
}
