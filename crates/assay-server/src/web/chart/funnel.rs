//! A funnel: each stage as high as its share of the first.

use super::drawing::{Anchor, Drawing};
use maud::Markup;

/// A stage.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    /// How much is left.
    pub(crate) value: f64,
    /// The same as it is printed.
    pub(crate) shown: String,
    /// What is left.
    pub(crate) name: String,
}

/// Draws stages, the first as the whole.
pub(crate) fn funnel(stages: &[Stage], width: f64, label: &str) -> Markup {
    let narrow = width < 500.0;
    let height = if narrow { 250.0 } else { 300.0 };
    let mut drawing = Drawing::new(width, height);
    let whole = stages.first().map_or(0.0, |stage| stage.value).max(1e-9);
    let half = height / 2.0 - 34.0;
    let share = |value: f64| (value / whole).clamp(0.0, 1.0).max(0.02) * half;
    let step = (width - 12.0) / stages.len().max(1) as f64;
    let looks = [
        ("f-slate", 0.26),
        ("f-slate", 0.4),
        ("a-gold", 0.45),
        ("a-gold", 0.7),
        ("a-gold", 1.0),
    ];
    let skip = looks.len().saturating_sub(stages.len());
    for (at, stage) in stages.iter().enumerate() {
        let (left, right) = (6.0 + step * at as f64, 6.0 + step * (at + 1) as f64);
        let next = stages.get(at + 1).map_or(stage.value, |next| next.value);
        let look = if at == 0 { 0 } else { at + skip };
        let (class, opacity) = looks.get(look).copied().unwrap_or(("a-gold", 1.0));
        drawing.narrowing(class, opacity, (left, right), (share(stage.value), share(next)));
        let top = drawing.height_of_axis() - share(stage.value);
        drawing.line("s-line", (left, top), (left, height - 48.0), "");
        let size = if narrow { 13.0 } else { 15.0 };
        drawing.text("v", (left, height - 28.0), (Anchor::Start, size), &stage.shown);
        drawing.text(
            "",
            (left, height - 11.0),
            (Anchor::Start, if narrow { 11.0 } else { 12.0 }),
            &stage.name,
        );
    }
    drawing.finish(label)
}
