//! The funnel of a run: how many records and bytes are left after each stage, as a table and as an SVG picture.
//!
//! Takes [`Counts`]; gives text.

use std::fmt::Write as _;

use super::format::{bytes, count, share};
use super::plot::{STYLE, escape};
use crate::unit::{Counts, KEPT_STAGE, StageCount};

/// What a stage does, in words for people who never saw the pipeline.
fn meaning(stage: &str) -> &'static str {
    match stage {
        "records" => "read from the archive",
        "content" => "responses, resources, conversions",
        "html" => "pages with readable text",
        "url_filter" => "address not on a list",
        "extract" => "main text found",
        "language" => "English",
        "gopher_repetition" => "not repetitive",
        "gopher_quality" => "reads like prose",
        "c4" => "clean lines and sentences",
        "fineweb_quality" => "whole lines, no lists",
        "minhash" => "signature made",
        "kept" => "not a near-duplicate",
        _ => "",
    }
}

/// Tokens left after a stage: counted once a text has passed every step, so that only the last stage has them.
fn tokens_of(counts: &Counts, stage: &StageCount) -> Option<u64> {
    (stage.stage == KEPT_STAGE).then_some(counts.tokens)
}

/// The funnel as an aligned table: stage, records, share of all records, share of the stage before, bytes, tokens.
pub fn funnel_table(counts: &Counts) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<18} {:>11} {:>8} {:>9} {:>9} {:>13}  means",
        "stage", "records", "of all", "of stage", "bytes", "tokens"
    );
    let all = counts.records;
    let mut before = all;
    for stage in &counts.stages {
        let _ = writeln!(
            out,
            "{:<18} {:>11} {:>8} {:>9} {:>9} {:>13}  {}",
            stage.stage,
            count(stage.records),
            share(stage.records, all),
            share(stage.records, before),
            bytes(stage.bytes),
            tokens_of(counts, stage).map_or_else(|| "–".to_owned(), count),
            meaning(&stage.stage),
        );
        before = stage.records;
    }
    let _ = writeln!(
        out,
        "\n{} documents, {} tokens, {} of text from {} of archive",
        count(counts.kept),
        count(counts.tokens),
        bytes(counts.text_bytes),
        bytes(counts.archive_bytes),
    );
    out
}

/// Why records were dropped, most frequent first (ties by name), at most `rows` lines.
pub fn drops_table(counts: &Counts, rows: usize) -> String {
    let mut drops: Vec<(&String, u64)> = counts.dropped.iter().map(|(key, count)| (key, *count)).collect();
    drops.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut out = String::new();
    for (key, dropped) in drops.iter().take(rows) {
        let _ = writeln!(
            out,
            "{:>11} {:>8}  {key}",
            count(*dropped),
            share(*dropped, counts.records)
        );
    }
    if drops.len() > rows {
        let rest: u64 = drops.iter().skip(rows).map(|(_, count)| count).sum();
        let _ = writeln!(
            out,
            "{:>11} {:>8}  ({} more reasons)",
            count(rest),
            share(rest, counts.records),
            drops.len() - rows
        );
    }
    out
}

/// Height of one stage's row, in pixels.
const ROW: usize = 34;
/// Width of the longest bar, in pixels.
const BAR: u64 = 420;
/// Left edge of the bars, in pixels.
const LEFT: usize = 190;

/// The funnel as a stand-alone SVG (light and dark by the reader's preference).
pub fn funnel_svg(counts: &Counts) -> String {
    let height = 64 + counts.stages.len() * ROW;
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1040 {height}\" role=\"img\" aria-label=\"Refining funnel\">\
         <style>{STYLE}</style><rect class=\"bg\" width=\"1040\" height=\"{height}\"/>\
         <text class=\"title\" x=\"20\" y=\"32\">{} records in, {} documents out</text>",
        count(counts.records),
        count(counts.kept),
    );
    let mut before = counts.records;
    for (row, stage) in counts.stages.iter().enumerate() {
        let y = 50 + row * ROW;
        let lost = before.saturating_sub(stage.records);
        let width = width_of(stage.records, counts.records);
        let lost_width = width_of(before, counts.records).saturating_sub(width);
        let class = if row + 1 == counts.stages.len() {
            "gold"
        } else {
            "bar"
        };
        let middle = y + 20;
        let _ = write!(
            out,
            "<text class=\"name\" x=\"20\" y=\"{middle}\">{}</text>\
             <rect class=\"{class}\" x=\"{LEFT}\" y=\"{}\" width=\"{width}\" height=\"22\" rx=\"3\"/>\
             <rect class=\"lost\" x=\"{}\" y=\"{}\" width=\"{lost_width}\" height=\"22\" rx=\"3\"/>\
             <text class=\"number\" x=\"640\" y=\"{middle}\">{} · {} · {}{}{}</text>",
            escape(&stage.stage),
            y + 4,
            LEFT as u64 + width,
            y + 4,
            count(stage.records),
            share(stage.records, counts.records),
            bytes(stage.bytes),
            tokens_of(counts, stage)
                .map_or_else(String::new, |tokens| format!(" · {} tokens", count(tokens))),
            if lost > 0 {
                format!(" · −{}", count(lost))
            } else {
                String::new()
            },
        );
        before = stage.records;
    }
    out.push_str("</svg>\n");
    out
}

fn width_of(part: u64, whole: u64) -> u64 {
    if part == 0 || whole == 0 {
        0
    } else {
        (u128::from(part) * u128::from(BAR) / u128::from(whole)).max(1) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::StageCount;

    fn counts() -> Counts {
        let stage = |name: &str, records, bytes| StageCount {
            stage: name.to_owned(),
            records,
            bytes,
        };
        Counts {
            records: 1000,
            kept: 40,
            tokens: 31_000,
            text_bytes: 140_000,
            archive_bytes: 20_000_000,
            stages: vec![
                stage("records", 1000, 20_000_000),
                stage("extract", 450, 900_000),
                stage("kept", 40, 140_000),
            ],
            dropped: [
                ("read.request".to_owned(), 500),
                ("extract.empty".to_owned(), 50),
                ("c4.x".to_owned(), 410),
            ]
            .into(),
        }
    }

    #[test]
    fn table_shows_counts_and_shares() {
        insta::assert_snapshot!(funnel_table(&counts()), @r"
        stage                  records   of all  of stage     bytes        tokens  means
        records                  1,000  100.0 %   100.0 %   20.0 MB             –  read from the archive
        extract                    450   45.0 %    45.0 %    900 kB             –  main text found
        kept                        40    4.0 %     8.9 %    140 kB        31,000  not a near-duplicate

        40 documents, 31,000 tokens, 140 kB of text from 20.0 MB of archive
        ");
    }

    #[test]
    fn drops_are_sorted_and_cut() {
        insta::assert_snapshot!(drops_table(&counts(), 2), @r"
        500   50.0 %  read.request
        410   41.0 %  c4.x
         50    5.0 %  (1 more reasons)
        ");
    }

    #[test]
    fn svg_has_a_bar_a_stage_and_no_zero_width_for_some() {
        let svg = funnel_svg(&counts());
        assert_eq!(svg.matches("class=\"name\"").count(), 3);
        assert!(
            svg.contains("<rect class=\"gold\" x=\"190\" y=\"122\" width=\"16\""),
            "{svg}"
        );
        assert!(svg.contains(">450 · 45.0 % · 900 kB · −550</text>"), "{svg}");
        assert!(
            svg.contains(">40 · 4.0 % · 140 kB · 31,000 tokens · −410</text>"),
            "{svg}"
        );
    }
}
