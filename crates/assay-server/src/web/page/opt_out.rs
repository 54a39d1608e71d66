//! How a site owner is heard: what the crawl respects, and a form that files a request.

use super::{Asked, Page, answer, number, part};
use crate::api::ClientAddress;
use crate::app::App;
use crate::board::{record_named, record_path};
use crate::failure::Failure;
use crate::store::{self, AddRemoval, RemovalRow, RemovalState};
use crate::web::answer::{Stop, redirect, stopped};
use crate::web::asked;
use crate::web::header;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header as names};
use axum::response::Response;
use maud::{Markup, html};
use std::net::IpAddr;
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

/// The page; the form names what a link to it asks for, and a request that was filed is confirmed.
pub(super) async fn page(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        let typed = Typed {
            target: number::clean_to(asked.get("target"), FIELD_BYTES_MAX),
            ..Typed::default()
        };
        let filed = match asked.get("filed").parse::<u64>() {
            Ok(number) => store::removal(app.database().readers(), number).await?,
            Err(_) => None,
        };
        let banner = filed.as_ref().map(confirmation);
        Ok(document(&typed, banner))
    })
    .await
}

/// Where a request stands and what of it this site hides. It does not name the target: numbers can be guessed.
fn confirmation(filed: &RemovalRow) -> Markup {
    let is_record = record_named(&filed.target).is_some();
    let words = match (filed.state, is_record) {
        (RemovalState::Pending, true) => {
            "is filed. The record's page is hidden from now on; an administrator decides whether that stays."
        }
        (RemovalState::Pending, false) => {
            "is filed. It hides nothing before an administrator has decided on it."
        }
        (RemovalState::Listed, _) => "stands on the removal list.",
        (RemovalState::Refused, _) => "was refused: nothing is hidden by it.",
    };
    part::banner(
        "ok",
        "clock",
        html! { "Request " b { (filed.number) } " " (words) },
    )
}

/// Files a request.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
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
        Ok(()) => match add(&app, address, &typed).await {
            Ok(number) => redirect(StatusCode::SEE_OTHER, &format!("/opt-out?filed={number}")),
            Err(failure) => stopped(&app, &asked, Stop::Failed(failure)).await,
        },
        Err(why) => {
            let page = document(&typed, Some(part::banner("bad", "warn", html! { (why) })));
            let stop = Stop::Other(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page));
            stopped(&app, &asked, stop).await
        }
    };
    header::of_page(response).await
}

async fn add(app: &App, address: IpAddr, typed: &Typed) -> Result<u64, Failure> {
    let now_ms = app.clock().now_ms();
    app.rates.removal(address, now_ms)?;
    // A record is named in one way, however its page was.
    let record = record_named(&typed.target).map(|(unit, idx)| record_path(unit, idx));
    let write = AddRemoval {
        target: record.unwrap_or_else(|| typed.target.clone()),
        contact: typed.contact.clone(),
        reason: typed.reason.clone(),
        now_ms,
    };
    let number = app.writer().write(write).await??;
    // Pages of the state before would show for a moment what is hidden now.
    app.cache.forget();
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

fn document(typed: &Typed, banner: Option<Markup>) -> Page {
    let body = html! {
        section {
            h1 { "Opt-out and takedown" }
            p.lede { "You publish pages and do not want their text in these datasets, or a page holds what should not be public. This is how you are heard." }
        }
        @if let Some(banner) = banner { div.notes { (banner) } }
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
                    small #target-help { "The page of a record on this site (/records/…), the path of an archive, a host (example.org), or the beginning of an address." }
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
                li { span { b { "A record: hidden at once" } small { "If the request names the page of one record, that page is gone from the moment it is filed, unless the request is refused. No page here shows a record's text." } } span {} }
                li { span { b { "Decided" } small { "An administrator checks that you speak for the site. Until then a request on an archive, a host or an address hides nothing." } } span {} }
                li { span { b { "Listed" } small { "The request stands on the removal list. The pages of all records of a listed archive are hidden. Whoever builds a release from this server leaves out what the list names." } } span {} }
                li { span { b { "Not undone" } small { "Copies that others made before are out of our hands." } } span {} }
            }
            p.note { "Crawls that are refined here are made by others (Common Crawl and such). To stay out of future ones, disallow their robots in your robots.txt. A file that does: " code.mono { "User-agent: CCBot" } " " code.mono { "Disallow: /" } }
        }
    }
}
