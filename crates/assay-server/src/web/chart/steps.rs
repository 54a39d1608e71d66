//! Fineness over rounds: the best so far as steps with its interval, every other attempt as a ring.

use super::drawing::{Anchor, Drawing};
use maud::Markup;

/// A measured recipe.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    /// First round of its duel.
    pub(crate) round: f64,
    /// Fineness.
    pub(crate) value: f64,
    /// Lower end.
    pub(crate) low: f64,
    /// Upper end.
    pub(crate) high: f64,
    /// Name.
    pub(crate) name: String,
}

/// Where rounds and fineness lie on the drawing.
#[derive(Debug, Clone, Copy)]
struct Scale {
    narrow: bool,
    left: f64,
    right: f64,
    top: f64,
    base: f64,
    rounds: (f64, f64),
    values: (f64, f64),
}

impl Scale {
    fn new(points: &[&Measured], anchor: Option<f64>, (last, width): (f64, f64)) -> Self {
        let narrow = width < 500.0;
        let ends = points
            .iter()
            .flat_map(|point| [point.low, point.high])
            .chain(anchor);
        let (mut low, mut high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if !low.is_finite() || !high.is_finite() {
            (low, high) = (0.0, 1_000.0);
        }
        let pad = ((high - low) * 0.15).max(10.0);
        Self {
            narrow,
            left: 46.0,
            right: if narrow { width - 8.0 } else { width - 98.0 },
            top: 20.0,
            base: if narrow { 226.0 } else { 328.0 },
            rounds: (points.first().map_or(0.0, |point| point.round), last),
            values: (low - pad, high + pad),
        }
    }

    fn x(&self, round: f64) -> f64 {
        let (first, last) = self.rounds;
        self.left + (round - first) / (last - first).max(1.0) * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        let (low, high) = self.values;
        self.base - (value - low) / (high - low) * (self.base - self.top)
    }

    /// Where words on a value stand: beside the drawing, or above the line where there is no room.
    fn words(&self, value: f64, above: f64) -> ((f64, f64), Anchor) {
        if self.narrow {
            ((self.right, self.y(value) - above), Anchor::End)
        } else {
            ((self.right + 8.0, self.y(value) + 4.0), Anchor::Start)
        }
    }
}

/// Draws attempts in the order of their rounds; the anchor dashed.
pub(crate) fn steps(
    points: &[Measured],
    anchor: Option<f64>,
    (last, width): (f64, f64),
    label: &str,
) -> Markup {
    // What was not measured has no place.
    let anchor = anchor.filter(|anchor| anchor.is_finite());
    let last = if last.is_finite() { last } else { 0.0 };
    let is_drawn = |point: &&Measured| {
        [point.round, point.value, point.low, point.high]
            .iter()
            .all(|number| number.is_finite())
    };
    let points: Vec<&Measured> = points.iter().filter(is_drawn).collect();
    let scale = Scale::new(&points, anchor, (last, width));
    let mut drawing = Drawing::new(width, scale.base + 44.0);
    axes(&mut drawing, &scale);
    if let Some(anchor) = anchor {
        let y = scale.y(anchor);
        drawing.line(
            "s-slate",
            (scale.left, y),
            (scale.right, y),
            "stroke-dasharray=\"4 3\" stroke-width=\"1.5\"",
        );
        let (at, side) = scale.words(anchor, 6.0);
        drawing.text("v", at, (side, 12.0), &format!("{anchor:.0} anchor"));
    }
    let mut best: Option<&Measured> = None;
    let mut path = Vec::new();
    for point in points {
        let at = (scale.x(point.round), scale.y(point.value));
        if best.is_none_or(|best| point.low > best.low) {
            if let Some(best) = best {
                path.push((at.0, scale.y(best.value)));
            }
            path.push(at);
            best = Some(point);
        } else {
            drawing.circle("f-panel s-slate", at, 3.2, "stroke-width=\"1.5\"");
        }
    }
    if let Some(best) = best {
        champion(&mut drawing, &scale, best, path);
    }
    drawing.finish(label)
}

fn axes(drawing: &mut Drawing, scale: &Scale) {
    let (low, high) = scale.values;
    for mark in 0..=4 {
        let value = low + (high - low) * f64::from(mark) / 4.0;
        let y = scale.y(value);
        drawing.line("axis", (scale.left, y), (scale.right, y), "");
        drawing.text(
            "mono",
            (scale.left - 8.0, y + 4.0),
            (Anchor::End, 11.0),
            &format!("{value:.0}"),
        );
    }
    let (first, last) = scale.rounds;
    let y = scale.base + 36.0;
    drawing.text(
        "mono",
        (scale.left, y),
        (Anchor::Start, 11.0),
        &format!("round {first:.0}"),
    );
    drawing.text(
        "mono",
        (scale.right, y),
        (Anchor::End, 11.0),
        &format!("round {last:.0}"),
    );
}

/// The steps up to the best, with its interval and name.
fn champion(drawing: &mut Drawing, scale: &Scale, best: &Measured, mut path: Vec<(f64, f64)>) {
    let (x, y) = (scale.x(best.round), scale.y(best.value));
    let (top, bottom) = (scale.y(best.high), scale.y(best.low));
    drawing.veil(
        "a-gold",
        (x, top),
        ((scale.right - x).max(2.0), bottom - top),
        0.2,
    );
    path.push((scale.right, y));
    drawing.polyline("s-gold", &path, "stroke-width=\"2.4\" stroke-linejoin=\"round\"");
    drawing.circle("f-gold s-panel", (x, y), 5.0, "stroke-width=\"1.5\"");
    let ((at, height), side) = scale.words(best.value, 12.0);
    let words = format!("{:.0} ± {:.1}", best.value, (best.high - best.low) / 2.0);
    drawing.text("tg", (at, height), (side, 15.0), &words);
    if !scale.narrow {
        drawing.text("", (at, height + 16.0), (Anchor::Start, 12.0), &best.name);
    }
}
