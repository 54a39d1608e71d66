//! States in words and looks: pills, banners, empty panels, missing values.

#![expect(
    clippy::needless_pass_by_value,
    reason = "components take content as `html!` gives it"
)]

use crate::board::StateKind;
use maud::{Markup, PreEscaped, html};

/// A state in words; `kind` is `ok`, `crown`, `wait`, `bad` or `nil`.
pub(crate) fn pill(kind: &str, words: &str) -> Markup {
    html! { span class=(format!("pill {kind}")) { (words) } }
}

/// A state of a board.
pub(crate) fn state_pill(kind: StateKind, words: &str) -> Markup {
    let kind = match kind {
        StateKind::Ok => "ok",
        StateKind::Wait => "wait",
        StateKind::Bad => "bad",
        StateKind::Nil => "nil",
    };
    pill(kind, words)
}

/// A value that was not read yet.
pub(crate) fn unknown() -> Markup {
    html! { span.muted { "unknown" } }
}

/// A line across the page; `kind` as for pills, `sign` is `clock` or `warn`.
pub(crate) fn banner(kind: &str, sign: &str, words: Markup) -> Markup {
    let class = match kind {
        "bad" => "s-rust",
        "wait" => "s-cass",
        _ => "s-slate",
    };
    let drawn = if sign == "warn" {
        format!(
            "<path class=\"nofill {class}\" stroke-width=\"1.6\" stroke-linejoin=\"round\" d=\"M9 2 17 16H1z\"/><path class=\"{class}\" stroke-width=\"1.6\" d=\"M9 7v4M9 12.4v1.5\"/>"
        )
    } else {
        format!(
            "<circle class=\"nofill {class}\" stroke-width=\"1.6\" cx=\"9\" cy=\"9\" r=\"7\"/><path class=\"nofill {class}\" stroke-width=\"1.6\" d=\"M9 5v4l3 2\"/>"
        )
    };
    html! {
        div class=(format!("banner {kind}")) role=(if kind == "bad" { "alert" } else { "status" }) {
            svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" { (PreEscaped(drawn)) }
            span { (words) }
        }
    }
}

/// Nothing to show: what, why and what to do.
pub(crate) fn empty(what: &str, why: &str, action: Option<(&str, &str)>) -> Markup {
    html! {
        div.empty {
            svg width="74" height="34" viewBox="0 0 74 34" aria-hidden="true" {
                path class="nofill s-line" stroke-width="1.5" stroke-dasharray="4 3" d="M10 1h54l9 9v14l-9 9H10l-9-9V10z" {}
                text class="mono" x="37" y="21" text-anchor="middle" font-size="12" { "none" }
            }
            b { (what) }
            p { (why) }
            @if let Some((path, words)) = action { a.btn href=(path) { (words) } }
        }
    }
}
