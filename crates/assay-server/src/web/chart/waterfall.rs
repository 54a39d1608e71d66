//! A waterfall: from what was assigned to what was paid, each cause as a step.

use super::drawing::{Anchor, Drawing};
use maud::Markup;

/// A step.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// Its cause, one or two lines.
    pub(crate) name: (String, String),
    /// What it changes; for a total what stands then.
    pub(crate) value: f64,
    /// Whether it is a total.
    pub(crate) is_total: bool,
    /// Class of its colour.
    pub(crate) class: &'static str,
    /// The value as it is printed.
    pub(crate) shown: String,
}

/// Draws the steps from zero.
pub(crate) fn waterfall(steps: &[Step], width: f64, label: &str) -> Markup {
    let narrow = width < 500.0;
    let height = if narrow { 260.0 } else { 322.0 };
    let base = height - 40.0;
    let mut drawing = Drawing::new(width, height);
    let mut level: f64 = 0.0;
    let mut highest: f64 = 0.0;
    for step in steps {
        level = if step.is_total {
            step.value
        } else {
            level + step.value
        };
        highest = highest.max(level);
    }
    let scale = (base - 40.0) / highest.max(1e-9);
    let column = width / steps.len().max(1) as f64;
    let size = if narrow { 10.0 } else { 12.0 };
    drawing.line("s-line", (0.0, base), (width, base), "");
    level = 0.0;
    for (at, step) in steps.iter().enumerate() {
        let before = level;
        level = if step.is_total {
            step.value
        } else {
            level + step.value
        };
        let (top, bottom) = if step.is_total {
            (level, 0.0)
        } else {
            (before.max(level), before.min(level))
        };
        let left = column * at as f64 + column * 0.16;
        let (y, tall) = (base - top * scale, ((top - bottom) * scale).max(2.0));
        drawing.rect(step.class, (left, y.min(base - 2.0)), (column * 0.68, tall), 3.0);
        let middle = column * (at as f64 + 0.5);
        drawing.text(
            "v mono",
            (middle, (y - 7.0).min(base - 9.0)),
            (Anchor::Middle, size),
            &step.shown,
        );
        drawing.text("", (middle, base + 17.0), (Anchor::Middle, size), &step.name.0);
        drawing.text("", (middle, base + 31.0), (Anchor::Middle, size), &step.name.1);
        if at + 1 < steps.len() {
            let y = base - level * scale;
            drawing.line("s-line", (left + column * 0.68, y), (left + column, y), "");
        }
    }
    drawing.finish(label)
}
