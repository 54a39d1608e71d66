//! Small files: badges, robots, sitemap, notes for language models, where to report security problems.

use super::{Asked, Stop, file, hotkey, missing, number, site};
use crate::app::App;
use crate::board::{Range, miner_lines};
use crate::web::{docs, news};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use std::fmt::Write as _;
use std::sync::Arc;

const TEXT: &str = "text/plain; charset=utf-8";
/// Entries of the feed.
const FEED_ENTRIES: u32 = 50;

/// A miner's badge.
pub(super) async fn badge(State(app): State<Arc<App>>, Path(name): Path<String>, asked: Asked) -> Response {
    file(&app, &asked, "image/svg+xml", async {
        let key = hotkey(
            name.strip_suffix(".svg")
                .ok_or_else(|| missing("badges end with .svg"))?,
        )?;
        let lines = miner_lines(&app, None, Range::default()).await?;
        let found = lines.iter().find(|line| line.row.hotkey == key);
        let line = found.ok_or_else(|| missing("no miner has this hotkey now"))?;
        let words = format!("#{} · C {:.3}", line.row.rank, line.credibility());
        Ok::<_, Stop>(drawn(&words, &format!("{}: {}", number::key(&key), line.state)).into_string())
    })
    .await
}

/// A badge carries its own colours: it stands on other people's pages.
fn drawn(words: &str, about: &str) -> Markup {
    let right = 14 + words.chars().count() * 7;
    let width = 52 + right;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height="20" role="img" aria-label=(format!("Assay {words}, {about}")) {
            title { "Assay " (words) ", " (about) }
            rect width=(width) height="20" rx="4" fill="#14191a" {}
            path d=(format!("M52 0h{}a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H52z", right - 4)) fill="#f6e7c3" {}
            g font-family="Verdana,Geneva,sans-serif" font-size="11" {
                text x="9" y="14" fill="#fcfcfa" { "assay" }
                text x="59" y="14" fill="#8a5a00" { (words) }
            }
        }
    }
}

/// What happened, as an Atom feed.
pub(super) async fn feed(State(app): State<Arc<App>>, asked: Asked) -> Response {
    file(&app, &asked, "application/atom+xml; charset=utf-8", async {
        let entries = crate::web::feed::newest(&app, FEED_ENTRIES).await?;
        let updated = entries.first().map_or(0, |entry| entry.time_ms);
        let base = site(&app, &asked);
        // Links within entries are paths: `xml:base` says of which site.
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:base=\"{base}/\">"
        );
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<title>Assay, subnet {}</title><id>{}:events</id><updated>{}</updated>\
             <link rel=\"self\" href=\"{base}/feed.atom\"/><link rel=\"alternate\" href=\"{base}/\"/>",
            app.identity().netuid,
            network_urn(&app),
            number::timestamp(updated)
        );
        for entry in &entries {
            let sentence = crate::web::feed::sentence(entry).into_string();
            let text = html! { (sentence) }.into_string();
            let _ = write!(
                out,
                "<entry><id>{}:event:{}</id><title>{} {}</title><updated>{}</updated><author><name>{}</name></author><content type=\"html\">{text}</content></entry>",
                network_urn(&app),
                entry.digest,
                entry.kind.name(),
                entry.sequence,
                number::timestamp(entry.time_ms),
                app.server_address(),
            );
        }
        out.push_str("</feed>\n");
        Ok::<_, Stop>(out)
    })
    .await
}

/// The name of the network that entries belong to: the same digest may stand in the logs of two.
fn network_urn(app: &App) -> String {
    let identity = app.identity();
    format!("urn:assay:{}:{}", identity.genesis, identity.netuid)
}

/// Everybody may read everything; the sitemap's address is a whole one, as the protocol wants it.
pub(super) async fn robots(State(app): State<Arc<App>>, asked: Asked) -> Response {
    let base = site(&app, &asked);
    plain(format!(
        "User-agent: *\nAllow: /\nDisallow: /search\nSitemap: {base}/sitemap.xml\n"
    ))
}

/// Pages that change with the chain, and pages that change with the program only.
const CHAIN_PAGES: &[&str] = &[
    "",
    "leaderboard/miners",
    "leaderboard/recipes",
    "leaderboard/validators",
    "leaderboard/datasets",
    "rounds/current",
    "duels",
    "datasets",
    "status",
];
const PROGRAM_PAGES: &[&str] = &[
    "start",
    "docs",
    "api",
    "rules",
    "changelog",
    "community",
    "news",
    "opt-out",
];

/// Pages that are always there; those of the chain with the time of its newest block.
pub(super) async fn sitemap(State(app): State<Arc<App>>, asked: Asked) -> Response {
    let base = site(&app, &asked);
    let changed = app.view().head.map(|row| number::timestamp(row.head.time_ms));
    let changed = changed.map_or(String::new(), |time| format!("<lastmod>{time}</lastmod>"));
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    let names = docs::all().iter().map(|doc| format!("docs/{}", doc.name));
    for page in CHAIN_PAGES {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "<url><loc>{base}/{page}</loc>{changed}</url>");
    }
    let news = news::all().iter().map(|news| format!("news/{}", news.name));
    for page in PROGRAM_PAGES
        .iter()
        .map(ToString::to_string)
        .chain(names)
        .chain(news)
    {
        let _ = writeln!(out, "<url><loc>{base}/{page}</loc></url>");
    }
    out.push_str("</urlset>\n");
    ([(header::CONTENT_TYPE, "application/xml")], out).into_response()
}

/// What a language model should know.
pub(super) async fn llms() -> Response {
    let mut out = String::from(
        "# Assay\n\n> A Bittensor subnet that refines web archives into LLM pre-training data; every row can be recomputed.\n\n## API\n\n- [OpenAPI](/v1/openapi.json): every resource, read without a key\n- [Reference](/api)\n\n## Documentation\n\n",
    );
    for doc in docs::all() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "- [{}](/docs/{})", doc.rendered.title, doc.name);
    }
    plain(out)
}

/// Where to report security problems.
pub(super) async fn security() -> Response {
    plain(format!(
        "Contact: {}/security/advisories/new\nExpires: 2027-12-31T00:00:00Z\nPreferred-Languages: en\n",
        env!("CARGO_PKG_REPOSITORY")
    ))
}

fn plain(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, TEXT),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, text).into_response()
}
