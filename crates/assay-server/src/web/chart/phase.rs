//! The phases of a round on a line, with where the chain is.

use super::drawing::{Anchor, Drawing};
use maud::Markup;

/// A round's phases by their last blocks, from its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PhaseTrack {
    /// Last block of work.
    pub(crate) work: f64,
    /// Last block of publishing.
    pub(crate) publish: f64,
    /// Last block for reports.
    pub(crate) audit: f64,
    /// Block from which it counts.
    pub(crate) effective: f64,
    /// Where the chain is, from the start.
    pub(crate) now: f64,
}

/// Width that two block numbers side by side take.
const LABEL_ROOM: f64 = 64.0;

/// Draws the line.
pub(crate) fn phase_track(track: &PhaseTrack, width: f64, label: &str) -> Markup {
    let finite = |block: f64| if block.is_finite() { block } else { 0.0 };
    let track = PhaseTrack {
        work: finite(track.work),
        publish: finite(track.publish),
        audit: finite(track.audit),
        effective: finite(track.effective),
        now: finite(track.now),
    };
    let height = 86.0;
    let mut drawing = Drawing::new(width, height);
    let end = track.effective.max(1.0);
    let scale = width / end;
    let parts = [
        (0.0, track.work, "a-gold", "Work"),
        (track.work, track.publish, "f-line", ""),
        (track.publish, track.audit, "f-verd", "Audit"),
        (track.audit, end, "f-slate", "Settle"),
    ];
    for (from, to, class, name) in parts {
        let (left, right) = (from * scale, to * scale);
        drawing.rect(class, (left, 22.0), ((right - left - 2.0).max(1.0), 14.0), 3.0);
        if !name.is_empty() {
            drawing.text("", (left, 54.0), (Anchor::Start, 12.0), name);
        }
        // The last block has the end of the line; a label beside it would run into it.
        if width - left > LABEL_ROOM {
            drawing.text("mono", (left, 70.0), (Anchor::Start, 11.0), &format!("{from:.0}"));
        }
    }
    drawing.text("mono", (width, 70.0), (Anchor::End, 11.0), &format!("{end:.0}"));
    let x = (track.now.clamp(0.0, end) * scale).clamp(1.0, width - 1.0);
    drawing.line("s-ink", (x, 15.0), (x, 40.0), "stroke-width=\"2\"");
    let anchor = match x / width {
        part if part < 0.25 => Anchor::Start,
        part if part > 0.75 => Anchor::End,
        _ => Anchor::Middle,
    };
    let words = format!("block {:.0} of {:.0}", track.now.max(0.0), end);
    drawing.text("v mono", (x, 11.0), (anchor, 11.0), &words);
    drawing.finish(label)
}
