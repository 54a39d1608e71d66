//! What every page stands in: header, state of the network, content, footer.

use super::asked::{Asked, Theme};
use super::asset::href;
use super::card::CARD_SIZE;
use super::part;
use super::ticker::Ticker;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Sections of the site, in the order of the header.
const SECTIONS: &[(&str, &str)] = &[
    ("/", "Overview"),
    ("/leaderboard/miners", "Leaderboard"),
    ("/duels", "Duels"),
    ("/datasets", "Datasets"),
    ("/docs", "Docs"),
    ("/api", "API"),
];

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    title: String,
    about: String,
    section: &'static str,
    live: &'static str,
    card: String,
    body: Markup,
    has_banner: bool,
    is_indexed: bool,
}

impl Page {
    /// A page with a title of its own.
    pub(crate) fn new(title: &str, body: Markup) -> Self {
        Self {
            title: title.to_owned(),
            about: String::new(),
            section: "",
            live: "",
            card: String::new(),
            body,
            has_banner: true,
            is_indexed: true,
        }
    }

    /// In a section of the header, by its address.
    pub(crate) fn section(mut self, section: &'static str) -> Self {
        self.section = section;
        self
    }

    /// What a search engine shows.
    pub(crate) fn about(mut self, about: &str) -> Self {
        about.clone_into(&mut self.about);
        self
    }

    /// With a picture for links on other sites, by its address.
    pub(crate) fn card(mut self, address: String) -> Self {
        self.card = address;
        self
    }

    /// Reads itself again when events of these kinds happen.
    pub(crate) fn live(mut self, kinds: &'static str) -> Self {
        self.live = kinds;
        self
    }

    /// Without the banner on the network's state, and not for search engines.
    pub(crate) fn plain(mut self) -> Self {
        self.has_banner = false;
        self.is_indexed = false;
        self
    }
}

/// The picture that other sites show for a link. `site` is this one's address: readers want whole ones.
fn card_tags(site: &str, page: &Page) -> Markup {
    let (width, height) = CARD_SIZE;
    html! {
        @if page.card.is_empty() {
            meta name="twitter:card" content="summary";
        } @else {
            meta property="og:image" content=(format!("{site}{}", page.card));
            meta property="og:image:type" content="image/png";
            meta property="og:image:width" content=(width);
            meta property="og:image:height" content=(height);
            meta property="og:image:alt" content=(page.title);
            meta name="twitter:card" content="summary_large_image";
        }
    }
}

/// The whole document; `site` is the public address of this site, or "".
pub(crate) fn render(asked: &Asked, site: &str, ticker: &Ticker, page: &Page) -> Markup {
    let title = if page.title == "Assay" {
        "Assay: refined web text, verified".to_owned()
    } else {
        format!("{} · Assay", page.title)
    };
    let theme = (asked.theme != Theme::Auto).then_some(asked.theme.name());
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (title) }
                @if !page.about.is_empty() { meta name="description" content=(page.about); }
                @if !page.is_indexed { meta name="robots" content="noindex"; }
                meta name="color-scheme" content="light dark";
                meta name="theme-color" content="#fcfcfa" media="(prefers-color-scheme: light)";
                meta name="theme-color" content="#13181b" media="(prefers-color-scheme: dark)";
                meta property="og:title" content=(title);
                @if !page.about.is_empty() { meta property="og:description" content=(page.about); }
                meta property="og:site_name" content="Assay";
                meta property="og:type" content="website";
                (card_tags(site, page))
                // A whole address or none: search engines ignore one without a host.
                @if !site.is_empty() { link rel="canonical" href=(format!("{site}{}", asked.with(&[]))); }
                link rel="icon" href=(href("icon.svg")) type="image/svg+xml";
                link rel="alternate" type="application/atom+xml" title="Events" href="/feed.atom";
                link rel="alternate" type="application/atom+xml" title="News" href="/news.atom";
                @for font in ["fonts/geist.woff2", "fonts/bricolage-grotesque.woff2"] {
                    link rel="preload" href=(href(font)) as="font" type="font/woff2" crossorigin;
                }
                link rel="stylesheet" href=(href("assay.css"));
                script src=(href("site.js")) defer {}
                @if !page.live.is_empty() { noscript { meta http-equiv="refresh" content="60"; } }
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (header(asked, page.section))
                (ticker.render())
                @let live = (!page.live.is_empty()).then_some(page.live);
                main #main.wrap data-live=[live] tabindex="-1" {
                    @if page.has_banner { (ticker.banner()) }
                    (page.body)
                }
                (footer())
            }
        }
    }
}

fn header(asked: &Asked, section: &str) -> Markup {
    html! {
        header.top { div.wrap.bar {
            a.logo href="/" { (part::logo()) "Assay" }
            nav aria-label="Main" { ul {
                @for (path, name) in SECTIONS {
                    li { a href=(path) aria-current=[(*path == section).then_some("page")] { (name) } }
                }
            } }
            span.sp {}
            form.find role="search" action="/search" {
                (part::lens())
                input name="q" type="search" aria-label="Search hotkey, UID, recipe, dataset, WARC" placeholder="Hotkey, UID, recipe, WARC" maxlength="256" autocomplete="off";
                kbd { "/" }
            }
            a.theme href=(asked.with(&[("theme", "toggle")])) rel="nofollow" aria-label="Switch between light and dark" { (half_disc()) }
        } }
    }
}

fn half_disc() -> Markup {
    PreEscaped(
        "<svg width=\"16\" height=\"16\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><circle class=\"nofill s-ink\" cx=\"8\" cy=\"8\" r=\"6.2\" stroke-width=\"1.6\"/>\
         <path class=\"f-ink\" d=\"M8 1.8a6.2 6.2 0 0 1 0 12.4z\"/></svg>"
            .to_owned(),
    )
}

fn footer() -> Markup {
    html! {
        footer { div.wrap {
            span { "Assay " (env!("CARGO_PKG_VERSION")) }
            a href="/search" { "Search" }
            a href="/status" { "Status" }
            a href="/feed.atom" { "Feed" }
            a href="/news" { "News" }
            a href="/changelog" { "Changelog" }
            a href="/v1/openapi.json" { "OpenAPI" }
            a href="/rules" { "Protocol rules" }
            a href="/community" { "Community" }
            a href="/opt-out" { "Opt-out and takedown" }
        } }
    }
}
