//! Horizontal bars with their values printed, from zero.

use super::drawing::{Anchor, Drawing};
use maud::Markup;

/// A bar.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    /// What it is.
    pub(crate) name: String,
    /// How long.
    pub(crate) value: f64,
    /// The same as it is printed.
    pub(crate) shown: String,
    /// Class of its colour.
    pub(crate) class: &'static str,
}

/// Draws bars, the longest as long as there is room.
pub(crate) fn bars(rows: &[Bar], width: f64, label: &str) -> Markup {
    let height = (rows.len() as f64 * 28.0).max(28.0);
    let mut drawing = Drawing::new(width, height);
    let longest = rows.iter().map(|row| row.value).fold(0.0, f64::max).max(1e-9);
    let (left, room) = (118.0, width - 118.0 - 62.0);
    for (at, row) in rows.iter().enumerate() {
        let y = at as f64 * 28.0 + 7.0;
        drawing.text("", (0.0, y + 11.0), (Anchor::Start, 12.5), &row.name);
        drawing.rect("f-sunk", (left, y), (room, 14.0), 3.0);
        let length = (row.value / longest).clamp(0.0, 1.0) * room;
        if row.value > 0.0 {
            drawing.rect(row.class, (left, y), (length.max(1.5), 14.0), 3.0);
        }
        drawing.text("v mono", (width, y + 11.5), (Anchor::End, 12.0), &row.shown);
    }
    drawing.finish(label)
}
