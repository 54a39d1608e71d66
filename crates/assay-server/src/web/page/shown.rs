//! Rows that validators show, and what audited units are made of: the parts that several pages have.

use super::{number, part};
use crate::board::record_path;
use crate::web::chart::{self, Bar};
use assay_types::{Composition, LENGTH_BINS, NamedCount, SampleRow};
use maud::{Markup, html};

/// Bars of a table.
const BARS: usize = 8;
/// Characters of a bar's name.
const NAME_CHARACTERS: usize = 16;
/// Characters of a line of text in a list.
const LINE_CHARACTERS: usize = 90;
/// Characters of a piece of text.
const TEXT_CHARACTERS: usize = 8_192;

/// The page as it was, what was cut struck through with why; empty for what was no page.
pub(super) fn page_of(row: &SampleRow) -> Markup {
    html! {
        div.doc.long tabindex="0" role="region" aria-label="The page, with what was left out" {
            @for block in &row.blocks {
                @if block.cut.is_empty() { @for line in block.text.lines() { p { (number::clean_to(line, TEXT_CHARACTERS)) } } }
                @else { p { del title=(number::clean_to(&block.cut, 60)) { (number::clean_to(&joined(&block.text), TEXT_CHARACTERS)) } " " small.muted { (number::clean_to(&block.cut, 60)) } } }
            }
            @if row.blocks.is_empty() { p.muted { "No page: plain text, or beyond a limit of the parser." } }
            @if row.is_cut { p.muted { "Shortened here: the archive has all of it." } }
        }
    }
}

/// The text that is in the dataset, or why there is none.
pub(super) fn text_of(row: &SampleRow) -> Markup {
    html! {
        div.doc.long tabindex="0" role="region" aria-label="The text in the dataset" {
            @if row.decision == "kept" {
                @for line in row.text.lines() { p { (number::clean_to(line, TEXT_CHARACTERS)) } }
                @if row.text_bytes > row.text.len() as u64 { p.muted { "The first " (number::bytes(row.text.len() as u64)) " of " (number::bytes(row.text_bytes)) "." } }
            } @else {
                p { "Not in the dataset: " b { (reason(&row.decision)) } "." }
            }
        }
    }
}

/// What is known of a row in a few words.
pub(super) fn pills(row: &SampleRow, validators: usize) -> Markup {
    html! {
        p.row.small.gap {
            @if row.decision == "kept" {
                @if !row.language.is_empty() { (part::pill("nil", &number::clean_to(&row.language, 12))) }
                (part::pill("nil", &format!("{} tokens", number::grouped(u64::from(row.tokens)))))
            } @else { (part::pill("nil", &reason(&row.decision))) }
            @let left_out = row.blocks.iter().filter(|block| !block.cut.is_empty()).count();
            @if left_out > 0 { (part::pill("nil", &format!("{left_out} parts left out"))) }
            (part::pill("ok", &if validators == 1 { "rebuilt by a validator".to_owned() } else { format!("rebuilt by {validators} validators") }))
        }
    }
}

/// `gopher_quality.gopher_short_doc` in words.
fn reason(decision: &str) -> String {
    number::clean_to(&decision.replace('.', ": ").replace('_', " "), 80)
}

/// Rows as a list, each with its beginning.
pub(super) fn list(rows: &[SampleRow]) -> Markup {
    html! {
        (part::scroll("Rows", html! {
            table {
                caption.vh { "Rows that validators show" }
                thead { tr { th.n scope="col" { "Row" } th scope="col" { "Decision" } th scope="col" { "Address and text" } } }
                tbody {
                    @for row in rows {
                        tr {
                            td.n { a href=(record_path(row.unit, row.idx)) { (number::grouped(u64::from(row.idx))) } }
                            td { @if row.decision == "kept" { (part::pill("ok", "kept")) } @else { (part::pill("nil", &reason(&row.decision))) } }
                            td.w { div.two { b.mono { (number::clean_to(&row.url, 90)) } small { (number::clean_to(beginning(row), LINE_CHARACTERS)) } } }
                        }
                    }
                }
            }
        }))
    }
}

/// What a row's text, or else its page's main text, begins with.
fn beginning(row: &SampleRow) -> &str {
    let main = row.blocks.iter().find(|block| block.cut.is_empty());
    let page = main
        .or(row.blocks.first())
        .map_or("", |block| block.text.as_str());
    let text = if row.text.is_empty() { page } else { &row.text };
    text.lines().next().unwrap_or_default()
}

/// Lines of what was left out, in one.
fn joined(text: &str) -> String {
    text.lines().collect::<Vec<&str>>().join(" · ")
}

/// What audited units are made of: key figures and four charts.
pub(super) fn composition(found: &Composition) -> Markup {
    let kept = found.kept.max(1);
    html! {
        p.note {
            (number::grouped(u64::from(found.units))) " audited unit" @if found.units != 1 { "s" } ": " (number::short(found.records)) " records, " (number::short(found.kept)) " kept ("
            (number::percent(found.kept as f64 / found.records.max(1) as f64)) "), " (number::short(found.tokens)) " GPT-2 tokens."
        }
        div.grid.c2.gap {
            div { h3 { "Where the others went" } (chart::bars(&bars(&found.dropped, found.records, "f-slate"), 460.0, "Records that were dropped, by what dropped them, as a share of all records")) }
            div { h3 { "Tokens of a document" } (chart::bars(&lengths(&found.lengths, kept), 460.0, "Kept documents by length in tokens")) }
            div { h3 { "Languages" } (chart::bars(&bars(&found.languages, kept, "f-verd"), 460.0, "Kept documents by language")) }
            div { h3 { "Sites" } (chart::bars(&bars(&found.sites, kept, "f-verd"), 460.0, "Kept documents by site")) }
        }
    }
}

fn bars(entries: &[NamedCount], whole: u64, class: &'static str) -> Vec<Bar> {
    let bar = |name: String, count: u64| Bar {
        name,
        value: count as f64,
        shown: number::percent(count as f64 / whole.max(1) as f64),
        class,
    };
    let name = |entry: &NamedCount| match entry.name.as_str() {
        "" => "not looked for".to_owned(),
        name => number::clean_to(&name.replace('_', " "), NAME_CHARACTERS),
    };
    entries
        .iter()
        .take(BARS)
        .map(|entry| bar(name(entry), entry.count))
        .collect()
}

/// The bins that are used, from the first to the last.
fn lengths(bins: &[u64], whole: u64) -> Vec<Bar> {
    let first = bins.iter().position(|&count| count > 0).unwrap_or(0);
    let last = bins.iter().rposition(|&count| count > 0).map_or(0, |at| at + 1);
    let used = bins.iter().enumerate().take(last).skip(first);
    used.map(|(bin, &count)| Bar {
        name: if bin + 1 == LENGTH_BINS {
            format!("{} and more", number::short(1 << bin))
        } else {
            format!("{} to {}", number::short(1 << bin), number::short((2 << bin) - 1))
        },
        value: count as f64,
        shown: number::percent(count as f64 / whole as f64),
        class: "f-gold",
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::{SampleBlock, UnitId};

    fn row(decision: &str) -> SampleRow {
        SampleRow {
            unit: UnitId::default(),
            idx: 3,
            url: "https://example.org/<script>".to_owned(),
            decision: decision.to_owned(),
            language: "en".to_owned(),
            tokens: 1_200,
            text: "<b>Bread</b> rises.\nThen it is baked.".to_owned(),
            text_bytes: 9_000,
            blocks: vec![
                SampleBlock {
                    text: "Home\n<img>".to_owned(),
                    cut: "not main text".to_owned(),
                },
                SampleBlock {
                    text: "<b>Bread</b> rises.".to_owned(),
                    cut: String::new(),
                },
            ],
            is_cut: true,
        }
    }

    #[test]
    fn a_row_shows_text_and_what_was_cut_and_nothing_of_it_is_markup() {
        let row = row("kept");
        let page = page_of(&row).into_string();
        assert!(
            page.contains("<del title=\"not main text\">Home · &lt;img&gt;</del>")
                && page.contains("Shortened"),
            "{page}"
        );
        let text = text_of(&row).into_string();
        assert!(
            text.contains("<p>&lt;b&gt;Bread&lt;/b&gt; rises.</p>") && text.contains("8.8 KiB"),
            "{text}"
        );
        let list = list(std::slice::from_ref(&row)).into_string();
        assert!(
            !list.contains("<script>") && list.contains(&record_path(row.unit, 3)),
            "{list}"
        );
    }

    #[test]
    fn a_dropped_row_says_why() {
        let row = row("gopher_quality.gopher_short_doc");
        let text = text_of(&row).into_string();
        assert!(
            text.contains("gopher quality: gopher short doc") && !text.contains("Bread"),
            "{text}"
        );
    }

    #[test]
    fn only_used_bins_of_lengths_are_drawn() {
        let mut bins = vec![0; 20];
        bins[6] = 3;
        bins[8] = 1;
        let bars = lengths(&bins, 4);
        let names: Vec<&str> = bars.iter().map(|bar| bar.name.as_str()).collect();
        assert_eq!(names, ["64 to 127", "128 to 255", "256 to 511"]);
        assert_eq!((bars[0].shown.as_str(), bars[1].value), ("75.00%", 0.0));
        assert!(lengths(&[], 1).is_empty());
        bins = vec![0; LENGTH_BINS];
        bins[LENGTH_BINS - 1] = 1;
        assert_eq!(lengths(&bins, 1)[0].name, "524 k and more");
    }
}
