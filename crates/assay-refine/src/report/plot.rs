//! Small pictures without any library: bar charts and histograms as SVG fragments, with one style for light and dark.
//!
//! Colours are the design tokens of the website, so that a report looks like the page it may be embedded in.

use std::fmt::Write as _;

use super::format::count;

/// Style of every picture: ink and surfaces change with the reader's colour scheme; gold marks what is kept.
pub(super) const STYLE: &str = "\
svg{color-scheme:light dark;font:13px system-ui,sans-serif}\
.bg{fill:#fcfcfa}.title{font-size:17px;font-weight:650;fill:#14191a}.name{fill:#14191a}.number{fill:#4b5655;font-variant-numeric:tabular-nums}\
.bar{fill:#5a6b78}.gold{fill:#c08705}.lost{fill:#e9ebe6}.axis{stroke:#c3c9c0}\
@media(prefers-color-scheme:dark){.bg{fill:#13181b}.title,.name{fill:#e9ecea}.number{fill:#a3aeac}.bar{fill:#8ea3b3}.gold{fill:#f0b64a}.lost{fill:#242c30}.axis{stroke:#344047}}";

/// Text for XML and HTML: the five special characters replaced, control characters shown as U+FFFD.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Characters of a bar's label, the longest reason of a drop among them; more are shown on hovering.
const LABEL_CHARS: usize = 44;

/// Horizontal bars, one a row: label, value. `title` goes above.
pub(super) fn bars(title: &str, rows: &[(String, u64)]) -> String {
    let height = 48 + rows.len() * 24;
    let max = rows.iter().map(|row| row.1).max().unwrap_or(0).max(1);
    let mut out = open(title, height);
    for (at, (label, value)) in rows.iter().enumerate() {
        let y = 44 + at * 24;
        let width = (u128::from(*value) * 230 / u128::from(max)).max(u128::from(*value > 0));
        let _ = write!(
            out,
            "<text class=\"name\" x=\"20\" y=\"{}\">{}<title>{}</title></text><rect class=\"bar\" x=\"340\" y=\"{y}\" width=\"{width}\" height=\"17\" rx=\"2\"/>\
             <text class=\"number\" x=\"580\" y=\"{}\">{}</text>",
            y + 13,
            escape(&shorten(label, LABEL_CHARS)),
            escape(label),
            y + 13,
            count(*value),
        );
    }
    out.push_str("</svg>");
    out
}

/// Vertical bars with a label under every second one: a histogram.
pub(super) fn columns(title: &str, rows: &[(String, u64)]) -> String {
    let max = rows.iter().map(|row| row.1).max().unwrap_or(0).max(1);
    let step = (620 / rows.len().max(1)).clamp(6, 60);
    let mut out = open(title, 240);
    for (at, (label, value)) in rows.iter().enumerate() {
        let x = 20 + at * step;
        let height = (u128::from(*value) * 150 / u128::from(max)).max(u128::from(*value > 0)) as u64;
        let _ = write!(
            out,
            "<rect class=\"bar\" x=\"{x}\" y=\"{}\" width=\"{}\" height=\"{height}\"><title>{}: {}</title></rect>",
            200 - height,
            step - 2,
            escape(label),
            count(*value),
        );
        if at % 2 == 0 {
            let _ = write!(
                out,
                "<text class=\"number\" font-size=\"11\" x=\"{x}\" y=\"218\">{}</text>",
                escape(label)
            );
        }
    }
    out.push_str("<line class=\"axis\" x1=\"20\" x2=\"640\" y1=\"200\" y2=\"200\"/></svg>");
    out
}

fn open(title: &str, height: usize) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 660 {height}\" role=\"img\" aria-label=\"{0}\">\
         <rect class=\"bg\" width=\"660\" height=\"{height}\"/><text class=\"title\" x=\"20\" y=\"28\">{0}</text>",
        escape(title)
    )
}

/// The first `max` characters, with an ellipsis if there were more.
fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_leave_its_element() {
        let svg = bars(
            "a<b",
            &[("</text><script>".to_owned(), 3), ("\u{1}".to_owned(), 0)],
        );
        assert!(!svg.contains("<script>"));
        assert!(svg.contains("a&lt;b") && svg.contains('\u{fffd}'));
    }

    #[test]
    fn an_empty_chart_is_still_a_picture() {
        assert!(columns("nothing", &[]).ends_with("</svg>"));
    }
}
