//! A page as one HTML report for people who tune the extraction: every block with its score, its verdict and what it says of
//! itself.
//!
//! Takes what [`super::extract`] takes; the report holds no script, makes no request, and shows the page's text only as text.

use std::fmt::Write as _;

use super::mark;
use super::page::{Block, Page};
use super::run::{ExtractDrop, ExtractOptions, document};
use super::select::{Choice, Verdict, choose};
use super::walk::{Scope, walk};
use crate::html::Tag;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}\
    .b{display:grid;grid-template-columns:9rem 1fr;gap:0 1rem;border-left:.4rem solid;padding:.2rem .6rem;margin:.15rem 0}\
    .kept{border-color:#2a8a3e;background:#2a8a3e22}.low{border-color:#b3402f;background:#b3402f18}\
    .furniture{border-color:#b8860b;background:#b8860b1c}.comment{border-color:#3a6ea5;background:#3a6ea51c}.noscript{border-color:#777;background:#7772}\
    .s{font-variant-numeric:tabular-nums}.m{grid-column:1/3;color:#666;font-size:.8rem}.t{white-space:pre-wrap;overflow-wrap:anywhere}\
    @media(prefers-color-scheme:dark){body{background:#111;color:#ddd}.m{color:#999}}";

/// The report on a decoded page.
///
/// # Errors
/// [`ExtractDrop`] when a budget is broken or the page has no block at all.
pub fn explain_html(html: &str, options: &ExtractOptions) -> Result<String, ExtractDrop> {
    let page = walk(&document(html, options)?, Scope::All);
    if page.blocks.is_empty() {
        return Err(ExtractDrop::Empty);
    }
    let choice = choose(&page, options.profile);
    let title = escape(page.title.as_deref().unwrap_or("page without a title"));
    let count = |verdict| {
        choice
            .blocks
            .iter()
            .filter(|(_, found)| *found == verdict)
            .count()
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>\
         <p>Profile {:?}: a block is kept if its score exceeds {}. {} blocks kept, {} too low, {} furniture, {} comments, {} noscript.</p>\n",
        options.profile,
        score(choice.bar),
        count(Verdict::Kept),
        count(Verdict::Low),
        count(Verdict::Furniture),
        count(Verdict::Comment),
        count(Verdict::Noscript),
    );
    for (index, block) in page.blocks.iter().enumerate() {
        write_block(&mut out, &page, &choice, index, block);
    }
    out.push_str("</body></html>\n");
    Ok(out)
}

fn write_block(out: &mut String, page: &Page, choice: &Choice, index: usize, block: &Block) {
    let (answer, verdict) = choice.blocks.get(index).copied().unwrap_or((0, Verdict::Low));
    let (class, reason) = match verdict {
        Verdict::Kept => ("kept", "kept: above the bar"),
        Verdict::Low => ("low", "cut: not above the bar"),
        Verdict::Furniture => ("furniture", "cut: links or a label, which precision leaves out"),
        Verdict::Comment => ("comment", "kept apart: a comment under the text"),
        Verdict::Noscript => ("noscript", "cut: repeats in noscript what is there"),
    };
    let measure = &block.measure;
    let links = u64::from(block.link_characters) * 100 / u64::from(measure.characters.max(1));
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<div class=\"b {class}\"><span class=\"s\">{}</span><span class=\"t\">{}</span><span class=\"m\">{reason} · block {index} · \
         {} · {} words, {} sentence ends, {links} % links · {}</span></div>",
        score(answer),
        escape(page.block_text(block)),
        path(page, block),
        measure.words,
        measure.stops,
        escape(&mark::names(block.marks).join(", ")),
    );
}

/// Containers around a block that are shown.
const LEVELS: usize = 4;

/// The tags of the containers around a block, outermost first.
fn path(page: &Page, block: &Block) -> String {
    let first = page.container(block.container);
    let around = std::iter::successors(first, |container| page.container(container.parent));
    let names: Vec<String> = around
        .take(LEVELS)
        .map(|container| match container.tag {
            Tag::Other | Tag::Root => "…".to_owned(),
            tag => format!("{tag:?}").to_ascii_lowercase(),
        })
        .collect();
    names.into_iter().rev().collect::<Vec<_>>().join(" › ")
}

/// A probability in 1/65,536 as a decimal of three digits.
fn score(answer: u32) -> String {
    let thousandths = (u64::from(answer) * 1_000 + 32_768) / 65_536;
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_score_and_reason() {
        let html = "<title>T & U</title><nav><a href=/>Home</a></nav><main><p>The river has risen again, and the town is waiting \
            for the water to fall. Nobody was hurt, said the mayor.</p></main><script>x</script>";
        let report = explain_html(html, &ExtractOptions::default()).unwrap();
        for part in [
            "T &amp; U",
            "class=\"b kept\"",
            "class=\"b low\"",
            "&lt;nav&gt;",
            "The river",
        ] {
            assert!(report.contains(part), "{part}: {report}");
        }
        assert!(!report.contains("<script"), "no script");
        assert_eq!(
            explain_html("", &ExtractOptions::default()),
            Err(ExtractDrop::Empty)
        );
        assert_eq!((score(0).as_str(), score(65_536).as_str()), ("0.000", "1.000"));
    }
}
