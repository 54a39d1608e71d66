//! Work by round as columns coloured by verdict, credibility as a line below.

use super::drawing::{Anchor, Drawing};
use assay_types::Verdict;
use maud::Markup;

/// A round.
#[derive(Debug, Clone)]
pub(crate) struct RoundBar {
    /// Its number.
    pub(crate) round: u32,
    /// Delivered share of what was assigned, 0 to 1.
    pub(crate) delivered: f64,
    /// What validators said.
    pub(crate) verdict: Verdict,
    /// Credibility after it, 0 to 1.
    pub(crate) credibility: f64,
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "f-verd",
        Verdict::OneFault | Verdict::Fraud => "f-rust",
        Verdict::Unpaid | Verdict::Skipped => "f-cass",
        Verdict::NoShow | Verdict::Idle => "f-line",
    }
}

/// Draws rounds, oldest first; on a narrow drawing the newest that have room.
pub(crate) fn columns(rounds: &[RoundBar], width: f64, label: &str) -> Markup {
    let narrow = width < 500.0;
    let room = if narrow { 35 } else { 70 };
    let rounds = rounds.get(rounds.len().saturating_sub(room)..).unwrap_or(rounds);
    let (base, top, low, high) = if narrow {
        (176.0, 22.0, 248.0, 202.0)
    } else {
        (244.0, 22.0, 330.0, 270.0)
    };
    let mut drawing = Drawing::new(width, low + 22.0);
    for (share, words) in [(0.0, "0"), (0.5, "50%"), (1.0, "100%")] {
        let y = base - share * (base - top);
        drawing.line("axis", (42.0, y), (width, y), "");
        drawing.text("mono", (36.0, y + 4.0), (Anchor::End, 11.0), words);
    }
    for (value, words) in [(0.0, "0"), (0.5, "0.5"), (1.0, "1.0")] {
        let y = low - value * (low - high);
        drawing.line("axis", (42.0, y), (width, y), "");
        drawing.text("mono", (36.0, y + 4.0), (Anchor::End, 11.0), words);
    }
    let step = (width - 42.0) / rounds.len().max(6) as f64;
    let mut line = Vec::new();
    for (at, round) in rounds.iter().enumerate() {
        let left = 42.0 + step * at as f64 + step * 0.08;
        let tall = round.delivered.clamp(0.0, 1.0) * (base - top);
        drawing.rect(
            class(round.verdict),
            (left, base - tall.max(2.5)),
            (step * 0.84, tall.max(2.5)),
            1.0,
        );
        let y = low - round.credibility.clamp(0.0, 1.0) * (low - high);
        line.push((42.0 + step * (at as f64 + 0.5), y));
    }
    if let [only] = line.as_slice() {
        drawing.circle("f-ink", *only, 2.5, "");
    } else {
        drawing.polyline("s-ink", &line, "stroke-width=\"1.8\"");
    }
    if let Some(first) = rounds.first() {
        drawing.text(
            "mono",
            (42.0, low + 18.0),
            (Anchor::Start, 11.0),
            &format!("round {}", first.round),
        );
    }
    if let (Some(last), true) = (rounds.last(), rounds.len() > 1) {
        let x = 42.0 + step * rounds.len() as f64;
        drawing.text(
            "mono",
            (x, low + 18.0),
            (Anchor::End, 11.0),
            &format!("{}", last.round),
        );
    }
    drawing.finish(label)
}
