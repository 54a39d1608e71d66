//! A drawing under construction: shapes with a class, coordinates rounded to a tenth and held within the view box.

use maud::{Markup, PreEscaped, html};
use std::fmt::Write as _;

/// A drawing.
#[derive(Debug)]
pub(super) struct Drawing {
    width: f64,
    height: f64,
    out: String,
}

/// Where a text stands from its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Behind it.
    Start,
    /// Around it.
    Middle,
    /// Before it.
    End,
}

impl Anchor {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A coordinate as it is written: finite, within 0 and `max`, to a tenth.
fn held(value: f64, max: f64) -> f64 {
    let value = if value.is_finite() { value } else { 0.0 };
    (value.clamp(0.0, max) * 10.0).round() / 10.0
}

// Writing to a String cannot fail.
impl Drawing {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            out: String::new(),
        }
    }

    fn x(&self, value: f64) -> f64 {
        held(value, self.width)
    }

    fn y(&self, value: f64) -> f64 {
        held(value, self.height)
    }

    pub(super) fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64), radius: f64) {
        let (left, top) = (self.x(x), self.y(y));
        let (right, bottom) = (self.x(x + width.max(0.0)), self.y(y + height.max(0.0)));
        let _ = write!(
            self.out,
            "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" rx=\"{radius}\"/>",
            held(right - left, self.width),
            held(bottom - top, self.height)
        );
    }

    /// A rectangle through which the ground shows.
    pub(super) fn veil(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        opacity: f64,
    ) {
        let (left, top) = (self.x(x), self.y(y));
        let (right, bottom) = (self.x(x + width.max(0.0)), self.y(y + height.max(0.0)));
        let _ = write!(
            self.out,
            "<rect class=\"{class}\" opacity=\"{opacity}\" x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\"/>",
            held(right - left, self.width),
            held(bottom - top, self.height)
        );
    }

    pub(super) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64), attributes: &str) {
        let (x1, y1, x2, y2) = (self.x(x1), self.y(y1), self.x(x2), self.y(y2));
        let _ = write!(
            self.out,
            "<path class=\"{class}\" {attributes} d=\"M{x1} {y1}L{x2} {y2}\"/>"
        );
    }

    /// A line through points, not filled.
    pub(super) fn polyline(&mut self, class: &str, points: &[(f64, f64)], attributes: &str) {
        let written: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{},{}", self.x(*x), self.y(*y)))
            .collect();
        let _ = write!(
            self.out,
            "<polyline class=\"nofill {class}\" {attributes} points=\"{}\"/>",
            written.join(" ")
        );
    }

    pub(super) fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64, attributes: &str) {
        let (x, y) = (self.x(x), self.y(y));
        let _ = write!(
            self.out,
            "<circle class=\"{class}\" {attributes} cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>"
        );
    }

    /// A closed shape from one edge to the next, bent as a funnel narrows.
    pub(super) fn narrowing(
        &mut self,
        class: &str,
        opacity: f64,
        (left, right): (f64, f64),
        (from, to): (f64, f64),
    ) {
        let middle = self.height_of_axis();
        let (x1, x2) = (self.x(left), self.x(right));
        let bend = held(f64::midpoint(left, right), self.width);
        let (top1, top2) = (self.y(middle - from), self.y(middle - to));
        let (low1, low2) = (self.y(middle + from), self.y(middle + to));
        let _ = write!(
            self.out,
            "<path class=\"{class}\" opacity=\"{opacity}\" d=\"M{x1} {top1}C{bend} {top1} {bend} {top2} {x2} {top2}V{low2}C{bend} {low2} {bend} {low1} {x1} {low1}z\"/>"
        );
    }

    /// Where the axis of a funnel lies.
    pub(super) fn height_of_axis(&self) -> f64 {
        (self.height - 60.0) / 2.0
    }

    pub(super) fn text(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        (anchor, size): (Anchor, f64),
        text: &str,
    ) {
        let (x, y) = (self.x(x), self.y(y));
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{class}\"")
        };
        let text = html! { (text) }.into_string();
        let _ = write!(
            self.out,
            "<text{class} x=\"{x}\" y=\"{y}\" text-anchor=\"{}\" font-size=\"{size}\">{text}</text>",
            anchor.name()
        );
    }

    /// The drawing with the sentence that states what it shows.
    pub(super) fn finish(self, label: &str) -> Markup {
        let view = format!("0 0 {} {}", self.width, self.height);
        html! { svg.fl viewBox=(view) role="img" aria-label=(label) { (PreEscaped(self.out)) } }
    }
}
