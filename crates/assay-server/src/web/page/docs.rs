//! Documentation, changelog, rules, community: texts in the frame of the site.

use super::{Asked, Page, Stop, answer, missing, news, number, part};
use crate::app::App;
use crate::web::docs::{self, Entry};
use crate::web::markdown;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, PreEscaped, html};
use std::sync::Arc;

/// Where the sources are.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The first page of the documentation.
pub(super) async fn index(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async { one("introduction") }).await
}

/// How to begin.
pub(super) async fn start(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async { one("start") }).await
}

/// A document.
pub(super) async fn page(State(app): State<Arc<App>>, Path(name): Path<String>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        one(name.strip_suffix(".md").unwrap_or(&name))
    })
    .await
}

fn one(name: &str) -> Result<Page, Stop> {
    let doc = docs::find(name).ok_or_else(|| missing("the documentation has no such page"))?;
    let body = html! {
        div.docs {
            (contents(name))
            article.prose { (PreEscaped(&doc.rendered.html)) (neighbours(name)) }
        }
    };
    Ok(Page::new(&doc.rendered.title, body)
        .section("/docs")
        .about(&format!("Assay documentation: {}.", doc.rendered.title)))
}

fn contents(current: &str) -> Markup {
    let entries = docs::contents();
    html! {
        nav.side aria-label="Documentation" {
            form.find role="search" action="/search" aria-label="Search the documentation" {
                (part::lens())
                input name="q" type="search" aria-label="Search the documentation" placeholder="Search" maxlength="256" autocomplete="off";
            }
            @for (at, entry) in entries.iter().enumerate() {
                @if let Entry::Part(title) = entry {
                    p { (title) }
                    ul {
                        @for entry in entries.iter().skip(at + 1).take_while(|entry| matches!(entry, Entry::Doc(..))) {
                            @if let Entry::Doc(title, name) = entry {
                                li { a href=(format!("/docs/{name}")) aria-current=[(*name == current).then_some("page")] { (title) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The pages before and after.
fn neighbours(current: &str) -> Markup {
    let entries: Vec<(&str, &str)> = docs::contents()
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Doc(title, name) => Some((title, name)),
            Entry::Part(_) => None,
        })
        .collect();
    let at = entries.iter().position(|(_, name)| *name == current);
    let before = at.and_then(|at| entries.get(at.checked_sub(1)?));
    let after = at.and_then(|at| entries.get(at + 1));
    html! {
        p.row.gap {
            @if let Some((title, name)) = before { a.btn href=(format!("/docs/{name}")) rel="prev" { "← " (title) } }
            @if let Some((title, name)) = after { a.btn href=(format!("/docs/{name}")) rel="next" { (title) " →" } }
        }
    }
}

/// Changes of method and program.
pub(super) async fn changelog(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        let known: Vec<&str> = docs::all().iter().map(|doc| doc.name).collect();
        let body = html! {
            section {
                div.row { h1 { "Changelog" } span.sp {} a.btn href="/v1/changelog" { "JSON" } a.btn href="/rules" { "Protocol rules" } }
                p.lede { "What changed in program and method. A change of the protocol's parameters has a version and an activation block of its own." }
            }
            @for entry in docs::changes() {
                section.panel {
                    (part::panel_head(&entry.version, html! { "version" }))
                    div.prose { (PreEscaped(markdown::render(&entry.text, &known).html)) }
                }
            }
        };
        Ok::<_, Stop>(Page::new("Changelog", body).section("/docs").about("Changes of program and method."))
    })
    .await
}

/// The parameter set in force.
pub(super) async fn rules(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        let params = app.params();
        let text = params.to_canonical();
        let body = html! {
            section {
                div.row { h1 { "Protocol rules v" (params.version) } span.sp {} a.btn href="/v1/params" { "JSON" } }
                p.lede { "Every number of the protocol stands in one versioned text. Its digest is in every report, so two validators cannot judge by different rules." }
            }
            section.panel {
                (part::panel_head("Parameter set", html! { "digest " (number::digest(&app.params_digest().to_string())) }))
                dl.facts { dt { "BLAKE3" } dd { (app.params_digest()) } }
                pre.gap tabindex="0" aria-label="Parameter set, canonical TOML" { (text) }
            }
            section.panel {
                (part::panel_head("What they mean", html! { a href="/docs/mechanism" { "mechanism" } }))
                ul.link-list {
                    li { a href="/docs/mechanism" { b { "Mechanism" } } small { "rounds, assignment, audits, credibility, weights, duels" } }
                    li { a href="/docs/evaluation" { b { "Evaluation" } } small { "how recipes and datasets are measured" } }
                    li { a href="/docs/verify" { b { "Verification" } } small { "what an audit compares, and how to repeat it" } }
                }
            }
        };
        Ok::<_, Stop>(Page::new("Protocol rules", body).section("/docs").about("The parameter set in force."))
    })
    .await
}

/// Where people meet, and how to get help.
pub(super) async fn community(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        Ok::<_, Stop>(
            Page::new("Community", community_body()).about("Channels, help, conduct and contributions."),
        )
    })
    .await
}

/// Where people meet: name, path in the repository, what it is for.
const CHANNELS: [(&str, &str, &str); 4] = [
    (
        "Questions and ideas",
        "discussions",
        "Ask before you build; answers stay findable.",
    ),
    (
        "Bugs and wishes",
        "issues",
        "Templates ask for what is needed to repeat it.",
    ),
    (
        "Security",
        "security/advisories/new",
        "Privately. We answer, fix, then publish with credit.",
    ),
    (
        "Changes",
        "pulls",
        "A capability arrives whole: code, tests, documentation, a measured number.",
    ),
];
/// How we treat each other; CODE_OF_CONDUCT.md in short.
const CONDUCT: [(&str, &str); 5] = [
    (
        "Be exact about work, kind about people.",
        "Doubt a figure with a command that shows it; never doubt a person's worth.",
    ),
    (
        "No harassment.",
        "No insults, threats, unwanted attention or publishing of private data, here or in private.",
    ),
    (
        "Say what you gain.",
        "If you mine, validate or sell something, say so where it matters.",
    ),
    (
        "Attack the mechanism, not its users.",
        "Show an exploit in the simulator or on a network of your own, and report it privately first.",
    ),
    (
        "Maintainers decide, and give reasons.",
        "They may remove words and people that break this; whoever is affected may ask another maintainer.",
    ),
];

fn community_body() -> Markup {
    html! {
        section { h1 { "Community" } p.lede { "Where to ask, how to get help, and how we treat each other." } }
        section.grid.c2 {
            div.panel {
                (part::panel_head("Channels", html! { "public" }))
                ul.link-list { @for (name, path, text) in CHANNELS { li { a href=(format!("{REPOSITORY}/{path}")) rel="noopener" { b { (name) } } small { (text) } } } }
            }
            div.panel {
                (part::panel_head("Getting help", html! { "fast" }))
                ol.steps {
                    li { span { b { "Read the error" } small { "Every failure has a code; " a href="/docs/faq" { "the FAQ" } " lists cures by code, and " code.mono { "assay doctor" } " names them for your machine." } } span {} }
                    li { span { b { "Look at your page" } small { "A miner's page says what to fix next and repeats its audit." } } span {} }
                    li { span { b { "Try it on a localnet" } small { code.mono { "assay localnet --rounds 1" } " runs the same binaries without a network." } } span {} }
                    li { span { b { "Ask with a report" } small { code.mono { "assay doctor --report" } " prints what the machine can and cannot do, without folders and secrets. Add the request's number or the last lines of the log." } } span {} }
                }
            }
        }
        section.panel {
            (part::panel_head("News", html! { "announcements" }))
            (news::newest())
        }
        section.grid.c2 {
            div.panel {
                (part::panel_head("Conduct", html! { "our own words" }))
                ul.link-list { @for (rule, text) in CONDUCT { li { b { (rule) } small { (text) } } } }
            }
            div.panel {
                (part::panel_head("Badges", html! { "SVG, no tracking" }))
                p { "A miner's place and credibility as a picture for a README; it changes with every round." }
                pre.gap tabindex="0" aria-label="Markdown of a badge" { "![Assay](https://HOST/badges/HOTKEY.svg)" }
                p.note { "Contributions: " a href="/docs/introduction" { "how it is built" } ", then the contribution guide in the repository. " a href="/opt-out" { "Opt-out and takedown" } " is for site owners." }
            }
        }
    }
}
