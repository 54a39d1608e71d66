//! The parts of the front page that are words: first ten minutes, what it is good for, what was reached.

use super::part;
use maud::{Markup, html};

/// A milestone a line: state, name, what it is.
const MILESTONES: &str = include_str!("../asset/milestones.txt");

/// What `assay refine --sample` printed, columns of bytes and meanings left out; README.md has all of it.
const REFINED: &str = "\
stage               records   of all
html                  1,500   50.0 %
extract               1,493   49.8 %
language              1,383   46.1 %
gopher_repetition       790   26.3 %
gopher_quality          324   10.8 %
c4                      221    7.4 %
fineweb_quality         213    7.1 %
kept                    201    6.7 %

201 documents, 71,555 tokens";

/// What `assay verify` printed of it.
const VERIFIED: &str = "ok: 3,001 records of 1 unit recomputed,\nno difference";

/// Steps of the first ten minutes and a terminal.
pub(super) fn start() -> Markup {
    let steps = [
        ("cargo install --path crates/assay", "one binary, no service"),
        (
            "assay refine --sample --out demo",
            "one archive: what was kept, and why",
        ),
        (
            "assay verify demo --warc demo/sample.warc.gz",
            "every row rebuilt, bit for bit",
        ),
        ("assay evaluate demo", "gates; bits per byte with --eval TEXT"),
        ("assay localnet --rounds 1", "a paid round on a chain of your own"),
    ];
    html! {
        div.panel {
            (part::panel_head("First ten minutes", html! { "no TAO needed" }))
            ol.steps {
                @for (command, what) in steps { li { span { b.mono { (command) } small { (what) } } span {} } }
            }
            p.row.gap { a.btn href="/start" { "The whole way" } }
        }
        pre.fill tabindex="0" aria-label="Commands of the first ten minutes, with what they printed" {
            span.p { "# as it ran on Rust 1.95's documentation\n$ " } "assay refine --sample --out demo\n"
            (REFINED) "\n\n"
            span.p { "# every row from its archive bytes\n$ " } "assay verify demo \\\n    --warc demo/sample.warc.gz\n"
            (VERIFIED) "\n\n"
            span.p { "# a subnet with this site\n$ " } "assay localnet --rounds 1"
        }
    }
}

/// What it is good for, and what was reached.
pub(super) fn features() -> Markup {
    let features = [
        (
            "Rows that can be recomputed",
            "The same record and recipe give the same bytes on every machine. A wrong row is a fact with a proof, not an opinion.",
            "/docs/verify",
        ),
        (
            "Pay that explains itself",
            "Every figure of a score stands on the miner's page with the record it follows from and the command that repeats it.",
            "/docs/mechanism",
        ),
        (
            "Quality with an interval",
            "Recipes are compared by training the same small model on the same archives. Ranks follow the lower end.",
            "/docs/evaluation",
        ),
        (
            "No server to trust",
            "Assignments, verdicts and weights follow from the chain and signed reports. This site only shows them.",
            "/docs/api",
        ),
    ];
    html! {
        section.grid.c2 {
            div.panel {
                (part::panel_head("What it is good for", html! { a href="/docs" { "documentation" } }))
                ul.link-list { @for (name, text, path) in features { li { a href=(path) { b { (name) } } small { (text) } } } }
            }
            div.panel {
                (part::panel_head("Milestones", html! { a href="/changelog" { "changelog" } }))
                ul.link-list {
                    @for (state, name, text) in milestones() {
                        li { (part::pill(if state == "done" { "ok" } else { "nil" }, state)) " " b { (name) } small { (text) } }
                    }
                }
            }
        }
    }
}

fn milestones() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    MILESTONES.lines().filter_map(|line| {
        let mut parts = line.splitn(3, '|').map(str::trim);
        Some((parts.next()?, parts.next()?, parts.next()?))
    })
}
