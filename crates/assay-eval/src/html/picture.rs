//! Pictures of a report: intervals with a point, bars of domains, loss curves; SVG without script.
//!
//! Numbers are drawn as they are given; a picture never leaves out an interval.

use std::fmt::Write as _;

/// Size of pictures in their own units.
const WIDTH: f64 = 720.0;
const ROW_HEIGHT: f64 = 28.0;
const CURVE_HEIGHT: f64 = 260.0;

/// Height of a bar, and room between two groups.
const BAR_HEIGHT: f64 = 18.0;
const GROUP_GAP: f64 = 10.0;

/// Room for names on the left and numbers on the right.
const LEFT: f64 = 180.0;
const RIGHT: f64 = 180.0;

/// Letters of a name that fit.
const NAME_LETTERS: usize = 24;

/// Colours that hold on light and dark ground.
const COLOURS: [&str; 6] = ["#2f7d6b", "#c0702a", "#5b6fc2", "#a8497c", "#7d7d2f", "#4a90a4"];

/// A number with its interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range<'a> {
    pub(super) name: &'a str,
    pub(super) point: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// A curve over equal steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) points: &'a [f64],
}

/// Bars that belong together.
#[derive(Debug, Clone)]
pub(super) struct Group<'a> {
    pub(super) name: &'a str,
    /// Dataset and value.
    pub(super) bars: Vec<(&'a str, f64)>,
}

/// A row for each interval on one scale.
pub(super) fn intervals(ranges: &[Range<'_>]) -> String {
    let low = ranges.iter().map(|range| range.low).fold(f64::INFINITY, f64::min);
    let high = ranges
        .iter()
        .map(|range| range.high)
        .fold(f64::NEG_INFINITY, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    let x = |value: f64| LEFT + (value - low) / span * (WIDTH - LEFT - RIGHT);
    let height = ROW_HEIGHT * ranges.len() as f64 + 8.0;
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">");
    for ((range, colour), row) in ranges.iter().zip(COLOURS.iter().cycle()).zip(0_u32..) {
        let middle = ROW_HEIGHT * (f64::from(row) + 0.5) + 4.0;
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\" stroke=\"{colour}\" stroke-width=\"5\" \
             stroke-linecap=\"round\" opacity=\".45\"/><circle cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"5\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{} [{}, {}]</text>",
            LEFT - 12.0,
            middle + 4.0,
            short(range.name),
            x(range.low),
            x(range.high),
            x(range.point),
            WIDTH - RIGHT + 10.0,
            middle + 4.0,
            number(range.point),
            number(range.low),
            number(range.high),
        );
    }
    svg.push_str("</svg>");
    svg
}

/// A group of bars from 0 for each name, one bar a dataset; all on one scale.
pub(super) fn bars(groups: &[Group<'_>], format: fn(f64) -> String) -> String {
    let values = groups.iter().flat_map(|group| &group.bars).map(|bar| bar.1);
    let most = values.fold(0.0, f64::max);
    let most = if most > 0.0 { most } else { 1.0 };
    let rows: usize = groups.iter().map(|group| group.bars.len()).sum();
    let height = BAR_HEIGHT * rows as f64 + GROUP_GAP * groups.len() as f64 + 8.0;
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">");
    let mut top = 8.0;
    for group in groups {
        let middle = top + BAR_HEIGHT * group.bars.len() as f64 / 2.0;
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 12.0,
            middle + 4.0,
            short(group.name)
        );
        for ((name, value), colour) in group.bars.iter().zip(COLOURS.iter().cycle()) {
            let width = value.max(0.0) / most * (WIDTH - LEFT - RIGHT - 60.0);
            let _ = write!(
                svg,
                "<rect x=\"{LEFT:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{} · {}</text>",
                BAR_HEIGHT - 3.0,
                LEFT + width + 8.0,
                top + BAR_HEIGHT - 5.0,
                format(*value),
                short(name)
            );
            top += BAR_HEIGHT;
        }
        top += GROUP_GAP;
    }
    svg.push_str("</svg>");
    svg
}

/// All curves on one scale, with their names at the right.
pub(super) fn curves(lines: &[Line<'_>]) -> String {
    let values = || lines.iter().flat_map(|line| line.points).copied();
    let (low, high) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    );
    let span = if high > low { high - low } else { 1.0 };
    let y = |value: f64| 16.0 + (high - value) / span * (CURVE_HEIGHT - 32.0);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {CURVE_HEIGHT}\" role=\"img\">");
    for value in [low, high] {
        if value.is_finite() {
            let _ = write!(
                svg,
                "<text x=\"4\" y=\"{:.1}\">{}</text>",
                y(value) + 4.0,
                number(value)
            );
        }
    }
    for ((line, colour), row) in lines.iter().zip(COLOURS.iter().cycle()).zip(0_u32..) {
        let last = line.points.len().saturating_sub(1).max(1) as f64;
        let x = |at: usize| 60.0 + at as f64 / last * (WIDTH - 60.0 - LEFT);
        let points = line.points.iter().enumerate();
        let points: Vec<String> = points
            .map(|(at, value)| format!("{:.1},{:.1}", x(at), y(*value)))
            .collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" style=\"fill:{colour}\">{}</text>",
            points.join(" "),
            WIDTH - LEFT + 10.0,
            24.0 + 18.0 * f64::from(row),
            short(line.name)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Four places for bits, none for points.
pub(super) fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        format!("{value:.4}")
    } else {
        format!("{value:.0}")
    }
}

/// A name that fits, escaped.
fn short(name: &str) -> String {
    if name.chars().count() <= NAME_LETTERS {
        return escape(name);
    }
    let start: String = name.chars().take(NAME_LETTERS - 1).collect();
    escape(&start) + "…"
}

/// Text as HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
