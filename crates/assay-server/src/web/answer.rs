//! The answer with a page: rendered once for each state of the store and theme, or an error page in the same frame.

use super::age::{self, Age};
use super::asked::{Asked, Theme};
use super::frame::{self, Page};
use super::part;
use super::ticker::Ticker;
use crate::app::App;
use crate::cache::Stands;
use crate::failure::Failure;
use assay_types::api::ProblemKind;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

/// Media type of a page.
const HTML: &str = "text/html; charset=utf-8";

/// Why a page is not answered with success.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It cannot be made.
    Failed(Failure),
    /// A page with another status, never kept.
    Other(StatusCode, Box<Page>),
    /// It is somewhere else.
    Moved(String),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Nothing has this name; `what` says it in words.
pub(crate) fn missing(what: &str) -> Stop {
    Stop::Failed(Failure::new(ProblemKind::NotFound, what))
}

/// Answers with what `render` makes.
pub(crate) async fn answer<F>(app: &App, asked: &Asked, render: F) -> Response
where
    F: Future<Output = Result<Page, Stop>>,
{
    if let Some(moved) = theme_change(asked) {
        return moved;
    }
    let key = format!("{} {}", asked.with(&[]), asked.theme.name());
    let stands = asked.stands(app.clock().now_ms());
    let rendered = app
        .cache
        .answer_as((&key, HTML), (&asked.headers, stands), async {
            let page = age::scope(Age::now(app), Box::pin(render)).await?;
            let ticker = Ticker::read(app).await?;
            Ok::<_, Stop>(
                frame::render(asked, app.public_url(), &ticker, &page)
                    .into_string()
                    .into_bytes(),
            )
        })
        .await;
    let mut response = match rendered {
        Ok(response) => response,
        Err(stop) => stopped(app, asked, stop).await,
    };
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("accept-encoding, cookie"));
    response
}

/// The answer where there is no page with success, never kept: what a form is answered with too.
pub(crate) async fn stopped(app: &App, asked: &Asked, stop: Stop) -> Response {
    match stop {
        Stop::Moved(to) => redirect(StatusCode::SEE_OTHER, &to),
        Stop::Other(status, page) => uncached(app, asked, status, &page).await,
        // A page around it would be one more to make.
        Stop::Failed(failure) if failure.problem.code == ProblemKind::Busy.code() => failure.into_response(),
        Stop::Failed(failure) => failed(app, asked, &failure).await,
    }
}

/// Answers with a file of another kind, from the same cache.
pub(crate) async fn file<F, B>(app: &App, asked: &Asked, kind: &'static str, render: F) -> Response
where
    F: Future<Output = Result<B, Stop>>,
    B: Into<Vec<u8>>,
{
    // A file may name whole addresses.
    let key = format!("{kind} {}{}", site(app, asked), asked.with(&[]));
    let rendered = app
        .cache
        .answer_as((&key, kind), (&asked.headers, Stands::State), async {
            Ok::<_, Stop>(render.await?.into())
        })
        .await;
    match rendered {
        Ok(response) => response,
        Err(Stop::Failed(failure)) => failure.into_response(),
        Err(Stop::Moved(to)) => redirect(StatusCode::SEE_OTHER, &to),
        Err(Stop::Other(status, page)) => uncached(app, asked, status, &page).await,
    }
}

/// The address of this site: the configured one, else the one it was asked under.
pub(crate) fn site(app: &App, asked: &Asked) -> String {
    match app.public_url() {
        "" => asked.base(),
        public => public.to_owned(),
    }
}

/// A redirection within the site.
pub(crate) fn redirect(status: StatusCode, to: &str) -> Response {
    let mut response = status.into_response();
    if let Ok(value) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// `?theme=` sets the cookie and leads back to the page.
fn theme_change(asked: &Asked) -> Option<Response> {
    let wanted = asked.get("theme");
    if wanted.is_empty() {
        return None;
    }
    let theme = Theme::asked(wanted, asked.theme);
    let mut response = redirect(StatusCode::SEE_OTHER, &asked.with(&[("theme", "")]));
    let cookie = format!(
        "theme={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
        theme.name()
    );
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}

async fn uncached(app: &App, asked: &Asked, status: StatusCode, page: &Page) -> Response {
    // A ticker that cannot be read is left out: the page says what is wrong.
    let ticker = Ticker::read(app).await.unwrap_or_default();
    let body = frame::render(asked, app.public_url(), &ticker, page).into_string();
    let headers = [(header::CONTENT_TYPE, HTML), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

async fn failed(app: &App, asked: &Asked, failure: &Failure) -> Response {
    let problem = &failure.problem;
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = Page::new(
        &format!("{}: {}", problem.status, problem.title),
        error_body(failure),
    )
    .plain();
    let mut response = uncached(app, asked, status, &page).await;
    if let Some(seconds) = problem.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn error_body(failure: &Failure) -> Markup {
    let problem = &failure.problem;
    let trace = crate::guard::trace_id();
    let (headline, next) = headline(problem.status);
    html! {
        section {
            h1 { (headline) }
            p.lede { (problem.detail) "." }
        }
        section.panel {
            (part::panel_head("What now", html! { "status " (problem.status) }))
            p { (next) }
            dl.facts.gap {
                dt { "Code" } dd { (problem.code) }
                @if !trace.is_empty() { dt { "Request" } dd { (trace) } }
                @if let Some(seconds) = problem.retry_after { dt { "Try again" } dd { "in " (seconds) " s" } }
            }
            p.row.gap {
                a.btn.pri href="/" { "Overview" }
                a.btn href="/search" { "Search" }
                a.btn href="/status" { "Status" }
            }
        }
    }
}

/// Words for a status.
const fn headline(status: u16) -> (&'static str, &'static str) {
    match status {
        404 => (
            "Nothing here",
            "The address may be mistyped, or the thing was never announced on this network. Search finds keys, UIDs, recipes, units and roots by their beginning.",
        ),
        422 => (
            "That cannot be read",
            "Correct the address or the form; the line above says what is wrong.",
        ),
        429 => (
            "Too many requests",
            "The line above says how long to wait. The API's headers say how many are left of a minute.",
        ),
        503 => (
            "Not ready yet",
            "The server is starting, or has not caught up with the chain. Miners and validators go on without it.",
        ),
        400..=499 => ("That does not work", "The line above says why."),
        _ => (
            "This page failed",
            "The failure is logged under the request's number. Other pages may work.",
        ),
    }
}
