//! Announcements: all on a page, each on its own, and their Atom feed.

use super::{Asked, Page, Stop, answer, file, missing, part, site};
use crate::app::App;
use crate::web::news::{self, News};
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, PreEscaped, html};
use std::fmt::Write as _;
use std::sync::Arc;

/// Announcements named on other pages.
const NAMED: usize = 3;

/// All of them.
pub(super) async fn list(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        let body = html! {
            section {
                div.row { h1 { "News" } span.sp {} a.btn href="/news.atom" { "Feed" } a.btn href="/changelog" { "Changelog" } }
                p.lede { "Announcements of the project. What changed in detail stands in the changelog." }
            }
            @for news in news::all() {
                section.panel {
                    header {
                        h2 { a href=(address(news)) { (news.rendered.title) } }
                        span.src { time datetime=(news.date) { (news.date) } }
                    }
                    div.prose { (PreEscaped(news.body())) }
                }
            }
        };
        Ok::<_, Stop>(Page::new("News", body).about("Announcements of the Assay subnet."))
    })
    .await
}

/// One of them.
pub(super) async fn page(State(app): State<Arc<App>>, Path(name): Path<String>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        let news = news::find(&name).ok_or_else(|| missing("no announcement has this name"))?;
        let body = html! {
            section {
                (part::crumbs(&[("/news", "News")], news.date))
                h1 { (news.rendered.title) }
            }
            section { div.prose { (PreEscaped(news.body())) } }
        };
        Ok::<_, Stop>(Page::new(&news.rendered.title, body).about(&format!("Announcement of {}.", news.date)))
    })
    .await
}

/// All of them, for readers of feeds.
pub(super) async fn feed(State(app): State<Arc<App>>, asked: Asked) -> Response {
    file(&app, &asked, "application/atom+xml; charset=utf-8", async {
        let base = site(&app, &asked);
        let updated = news::all().first().map_or("1970-01-01", |news| news.date);
        // Links within entries are paths: `xml:base` says of which site.
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:base=\"{base}/\">\
             <title>Assay, news</title><id>urn:assay:news</id><updated>{updated}T00:00:00Z</updated><author><name>Assay</name></author>\
             <link rel=\"self\" href=\"{base}/news.atom\"/><link rel=\"alternate\" href=\"{base}/news\"/>"
        );
        for news in news::all() {
            let content = news.body();
            let entry = html! {
                entry {
                    id { "urn:assay:news:" (news.name) }
                    title { (news.rendered.title) }
                    updated { (news.date) "T00:00:00Z" }
                    content type="html" { (content) }
                }
            };
            // Writing to a String cannot fail.
            let _ = write!(out, "{}", linked(&entry.into_string(), &format!("{base}{}", address(news))));
        }
        out.push_str("</feed>\n");
        Ok::<_, Stop>(out)
    })
    .await
}

/// `link` has an end in Atom and none in HTML, so the template cannot write it.
fn linked(entry: &str, address: &str) -> String {
    let link = html! { (address) }.into_string();
    entry.replacen(
        "<updated>",
        &format!("<link rel=\"alternate\" href=\"{link}\"/><updated>"),
        1,
    )
}

/// The newest, for other pages.
pub(super) fn newest() -> Markup {
    html! {
        ul.link-list {
            @for news in news::all().iter().take(NAMED) {
                li { a href=(address(news)) { b { (news.rendered.title) } } small { (news.date) } }
            }
        }
        p.row.gap { a.btn href="/news" { "All news" } a.btn href="/news.atom" { "Feed" } }
    }
}

fn address(news: &News) -> String {
    format!("/news/{}", news.name)
}
