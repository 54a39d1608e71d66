//! Components of pages, one function each, named as in the design: panels, figures, states, small drawings.

#![expect(
    clippy::needless_pass_by_value,
    reason = "components take content as `html!` gives it"
)]

mod glyph;
mod state;
mod who;

pub(crate) use super::age::line as age_line;
pub(crate) use glyph::{change, hallmark, ident, interval, lens, logo, meter, rounds, rounds_key};
pub(crate) use state::{banner, empty, pill, state_pill, unknown};
pub(crate) use who::{burned, miner, neuron_title, validator};

use maud::{Markup, html};

/// Head of a panel: what it is, and unit, period or age.
pub(crate) fn panel_head(title: &str, source: Markup) -> Markup {
    html! { header { h2 { (title) } span.src { (source) } } }
}

/// As [`panel_head`], for what follows from the chain and from evidence: its age stands behind the source.
pub(crate) fn data_head(title: &str, source: Markup) -> Markup {
    panel_head(title, html! { (source) " · " (super::age::shown()) })
}

/// A key figure: label, value, note; `tone` is "", "g" for fineness or "v" for verified.
pub(crate) fn kpi(tone: &str, label: &str, value: Markup, note: Markup) -> Markup {
    let class = if tone.is_empty() {
        "kpi".to_owned()
    } else {
        format!("kpi {tone}")
    };
    html! { div class=(class) { dt { (label) } dd { (value) } dd.sub { (note) } } }
}

/// Says that a list is cut; nothing if all of it is shown.
pub(crate) fn cut(shown: usize, all: usize, what: &str) -> Markup {
    html! { @if all > shown { p.note { "The first " (shown) " of " (all) " " (what) " are shown." } } }
}

/// A terminal block; `label` names it for those who do not see it.
pub(crate) fn terminal(label: &str, lines: &[(&str, &str)]) -> Markup {
    html! {
        pre.gap tabindex="0" aria-label=(label) {
            @for (at, (sign, text)) in lines.iter().enumerate() {
                @if at > 0 { "\n" }
                @if *sign == "#" { span.p { "# " (text) } } @else { span.p { (sign) } " " (text) }
            }
        }
    }
}

/// The way to a page.
pub(crate) fn crumbs(steps: &[(&str, &str)], here: &str) -> Markup {
    html! {
        p.crumb {
            @for (path, name) in steps { a href=(path) { (name) } " / " }
            span aria-current="page" { (here) }
        }
    }
}

/// A table that scrolls sideways by itself.
pub(crate) fn scroll(label: &str, table: Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (table) } }
}

/// Wide and narrow form of a chart.
pub(crate) fn both(draw: impl Fn(f64) -> Markup) -> Markup {
    html! { div.wide { (draw(760.0)) } div.narrow { (draw(350.0)) } }
}
