//! Small drawings in rows and titles: hallmark, interval, credibility, rounds, key picture. Coloured by class only.

use assay_types::api::Estimate;
use assay_types::{Hotkey, Verdict};
use maud::{Markup, PreEscaped, html};
use std::fmt::Write as _;

/// The octagon with the letter.
pub(crate) fn logo() -> Markup {
    PreEscaped(
        "<svg width=\"28\" height=\"28\" viewBox=\"0 0 28 28\" aria-hidden=\"true\"><path class=\"f-ink\" d=\"M8.2 1h11.6L27 8.2v11.6L19.8 27H8.2L1 19.8V8.2z\"/>\
         <path class=\"f-gold\" d=\"M14 6.2 21 20.5h-3.7l-1.4-3.1h-3.9l-1.4 3.1H7z\"/><path class=\"f-ink\" d=\"M11.4 14.2h5.2v1.5h-5.2z\"/></svg>"
            .to_owned(),
    )
}

/// The sign of a search.
pub(crate) fn lens() -> Markup {
    PreEscaped(
        "<svg width=\"14\" height=\"14\" viewBox=\"0 0 14 14\" aria-hidden=\"true\"><circle class=\"nofill s-slate\" cx=\"6\" cy=\"6\" r=\"4.5\" stroke-width=\"1.6\"/>\
         <path class=\"s-slate\" stroke-width=\"1.6\" d=\"m9.5 9.5 3.5 3.5\"/></svg>"
            .to_owned(),
    )
}

/// Fineness in an octagon; a dashed one with "none" if it was not measured.
pub(crate) fn hallmark(fineness: Option<f64>, width: u32) -> Markup {
    let height = width * 34 / 74;
    let shape = "M10 1h54l9 9v14l-9 9H10l-9-9V10z";
    html! {
        @if let Some(value) = fineness {
            @let shown = format!("{:.0}", value.clamp(-9_999.0, 9_999.0));
            svg width=(width) height=(height) viewBox="0 0 74 34" role="img" aria-label=(format!("Fineness {shown} per mille")) {
                path class="f-soft s-gold" stroke-width="1.5" d=(shape) {}
                text class="hm" x="37.5" y="24" text-anchor="middle" font-size="20" letter-spacing="1" { (shown) }
            }
        } @else {
            svg width=(width) height=(height) viewBox="0 0 74 34" role="img" aria-label="Fineness not measured" {
                path class="nofill s-line" stroke-width="1.5" stroke-dasharray="4 3" d=(shape) {}
                text class="mono" x="37" y="21.5" text-anchor="middle" font-size="13" { "none" }
            }
        }
    }
}

/// An estimate with its interval on the scale from `low` to `high`; the anchor dashed.
pub(crate) fn interval(found: &Estimate, anchor: Option<f64>, (low, high): (f64, f64)) -> Markup {
    let span = (high - low).max(1e-9);
    let at = |value: f64| (3.0 + 90.0 * ((value - low) / span).clamp(0.0, 1.0)).round();
    html! {
        svg width="96" height="22" viewBox="0 0 96 22" role="img"
            aria-label=(format!("95% interval {:.0} to {:.0}", found.low, found.high)) {
            path class="axis" d="M0 11h96" {}
            @if let Some(anchor) = anchor { path class="s-slate" stroke-dasharray="2 2" d=(format!("M{} 3v16", at(anchor))) {} }
            path class="s-gold" stroke-width="10" stroke-opacity=".36" d=(format!("M{} 11H{}", at(found.low), at(found.high) + 0.5)) {}
            circle class="f-gold" cx=(at(found.value)) cy="11" r="2.8" {}
        }
    }
}

/// Credibility, 0 to 1, with three decimals.
pub(crate) fn meter(value: f64) -> Markup {
    let value = value.clamp(0.0, 1.0);
    let tone = if value >= 0.9 {
        "f-verd"
    } else if value >= 0.5 {
        "f-slate"
    } else {
        "f-rust"
    };
    html! {
        span.meter {
            svg width="56" height="8" viewBox="0 0 56 8" aria-hidden="true" {
                rect class="f-sunk" width="56" height="8" rx="2" {}
                rect class=(tone) width=(format!("{:.1}", 56.0 * value)) height="8" rx="2" {}
            }
            (format!("{value:.3}"))
        }
    }
}

/// Verdicts as a strip, newest last, ten places.
pub(crate) fn rounds(newest_first: &[Verdict]) -> Markup {
    let mut drawn = String::new();
    let shown = newest_first.len().min(10);
    for place in 0..10 - shown {
        push_bar(&mut drawn, place, None);
    }
    for (place, verdict) in (10 - shown..).zip(newest_first.iter().take(10).rev()) {
        push_bar(&mut drawn, place, Some(*verdict));
    }
    let passed = newest_first
        .iter()
        .take(10)
        .filter(|verdict| **verdict == Verdict::Pass)
        .count();
    let label = if shown == 0 {
        "No round judged yet".to_owned()
    } else {
        format!("Last {shown} rounds: {passed} clean, {} other", shown - passed)
    };
    html! {
        svg width="78" height="22" viewBox="0 0 78 22" role="img" aria-label=(label) { (PreEscaped(drawn)) }
    }
}

/// A bar of the strip; the five looks differ in height and outline, not only in colour.
fn push_bar(out: &mut String, place: usize, verdict: Option<Verdict>) {
    let x = place * 8;
    // Writing to a String cannot fail.
    let _ = match verdict {
        Some(Verdict::Pass) => write!(
            out,
            "<rect class=\"f-verd\" x=\"{x}\" y=\"3\" width=\"6\" height=\"16\" rx=\"1.5\"/>"
        ),
        Some(Verdict::OneFault) => write!(
            out,
            "<rect class=\"f-rust\" x=\"{x}\" y=\"11\" width=\"6\" height=\"8\" rx=\"1.5\"/>"
        ),
        Some(Verdict::Fraud) => write!(
            out,
            "<rect class=\"f-rust\" x=\"{x}\" y=\"3\" width=\"6\" height=\"16\" rx=\"1.5\"/>"
        ),
        Some(Verdict::Unpaid) => write!(
            out,
            "<rect class=\"nofill s-slate\" stroke-width=\"1.3\" x=\"{}\" y=\"3.6\" width=\"4.7\" height=\"14.8\" rx=\"1.5\"/>",
            x as f64 + 0.6
        ),
        Some(Verdict::Skipped) => write!(
            out,
            "<rect class=\"f-cass\" x=\"{x}\" y=\"3\" width=\"6\" height=\"16\" rx=\"1.5\"/>"
        ),
        Some(Verdict::NoShow | Verdict::Idle) => write!(
            out,
            "<rect class=\"f-slate\" x=\"{x}\" y=\"16.5\" width=\"6\" height=\"2.5\" rx=\"1\"/>"
        ),
        None => write!(
            out,
            "<rect class=\"f-line\" x=\"{x}\" y=\"17.5\" width=\"6\" height=\"1.5\" rx=\".7\"/>"
        ),
    };
}

/// What the bars mean.
pub(crate) fn rounds_key() -> Markup {
    let looks = [
        (Verdict::Pass, "clean"),
        (Verdict::OneFault, "one fault, unpaid"),
        (Verdict::Fraud, "two or more faults"),
        (Verdict::NoShow, "no show"),
        (Verdict::Unpaid, "no evidence: not readable"),
        (Verdict::Skipped, "not judged"),
    ];
    html! {
        p.key {
            @for (verdict, words) in looks {
                @let mut drawn = String::new();
                @let () = push_bar(&mut drawn, 0, Some(verdict));
                span { svg width="8" height="20" viewBox="0 0 8 22" aria-hidden="true" { (PreEscaped(drawn)) } (words) }
            }
        }
    }
}

/// A change of place.
pub(crate) fn change(places: Option<i32>) -> Markup {
    html! {
        @match places {
            None => span.muted { "–" },
            Some(0) => span.muted { "0" },
            Some(up @ 1..) => span.up { span aria-hidden="true" { "▲ " } span.vh { "up " } (up) },
            Some(down) => span.down { span aria-hidden="true" { "▼ " } span.vh { "down " } (down.unsigned_abs()) },
        }
    }
}

/// Five by five cells, mirrored, from the key's bytes; decoration.
pub(crate) fn ident(hotkey: &Hotkey, size: u32) -> Markup {
    let mut drawn = String::from("<path class=\"f-sunk\" d=\"M0 0h30v30H0z\"/>");
    let bytes = hotkey.0;
    let pairs = [
        ("f-ink", "a-gold"),
        ("f-ink", "f-verd"),
        ("f-slate", "a-gold"),
        ("f-slate", "f-verd"),
        ("a-gold", "f-ink"),
    ];
    let pair = usize::from(bytes.first().copied().unwrap_or(0)) % pairs.len();
    let (first, second) = pairs.get(pair).copied().unwrap_or(("f-ink", "a-gold"));
    let mut paths = [String::new(), String::new()];
    for (at, byte) in bytes.iter().skip(1).take(15).enumerate() {
        let (column, row) = (at % 3, at / 3);
        let Some(path) = paths.get_mut(usize::from(byte % 4)) else {
            continue;
        };
        for column in [column, 4 - column].iter().take(if column == 2 { 1 } else { 2 }) {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{} {}h6v6h-6z", column * 6, row * 6);
        }
    }
    for (class, path) in [first, second].iter().zip(&paths) {
        let _ = write!(drawn, "<path class=\"{class}\" d=\"{path}\"/>");
    }
    html! { svg width=(size) height=(size) viewBox="0 0 30 30" aria-hidden="true" { (PreEscaped(drawn)) } }
}
