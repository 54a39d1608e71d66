//! Parts of a whole on one line.

use super::drawing::Drawing;
use maud::Markup;

/// A part.
#[derive(Debug, Clone)]
pub(crate) struct Band {
    /// How much.
    pub(crate) value: f64,
    /// Class of its colour.
    pub(crate) class: &'static str,
}

/// Draws the parts in order.
pub(crate) fn bands(parts: &[Band], label: &str) -> Markup {
    let (width, height) = (360.0, 16.0);
    let mut drawing = Drawing::new(width, height);
    let whole: f64 = parts.iter().map(|part| part.value.max(0.0)).sum();
    drawing.rect("f-sunk", (0.0, 0.0), (width, height), 3.0);
    let mut x = 0.0;
    for part in parts.iter().filter(|part| part.value > 0.0 && whole > 0.0) {
        let length = part.value / whole * width;
        drawing.rect(part.class, (x, 0.0), ((length - 1.5).max(0.5), height), 2.0);
        x += length;
    }
    drawing.finish(label)
}
