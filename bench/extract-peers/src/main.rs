//! Extraction of Assay beside other Rust crates: same pages, same measures, one run, one table on stdout.
//!
//! `ASSAY_DATA=… cargo run --release -- [--pages FOLDER] [NAME]…`; a panic of a peer counts as an empty text. With `--pages` a file
//! a system is written: the word F1 of every WCXB page, a JSON line each.

#[path = "../../../crates/assay-refine/benches/extraction/measures.rs"]
mod measures;
#[path = "../../../crates/assay-refine/benches/extraction/pages.rs"]
mod pages;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use assay_refine::extract::{ExtractOptions, Profile, extract, visible_text};

type System = (&'static str, fn(&str) -> String);

fn ours(html: &str, profile: Profile) -> String {
    let options = ExtractOptions { profile, ..ExtractOptions::default() };
    extract(html, &options).map(|page| page.text).unwrap_or_default()
}

fn dom_smoothie(html: &str, mode: dom_smoothie::CandidateSelectMode) -> String {
    let config = dom_smoothie::Config {
        candidate_select_mode: mode,
        text_mode: dom_smoothie::TextMode::Formatted,
        ..dom_smoothie::Config::default()
    };
    let page = dom_smoothie::Readability::new(html, None, Some(config));
    let article = page.and_then(|mut page| page.parse());
    article.map(|article| article.text_content.to_string()).unwrap_or_default()
}

fn trafilatura(html: &str, options: &trafilatura::Options) -> String {
    trafilatura::extract(html, options).map(|page| page.content_text).unwrap_or_default()
}

const SYSTEMS: &[System] = &[
    ("assay balanced", |html| ours(html, Profile::Balanced)),
    ("assay precision", |html| ours(html, Profile::Precision)),
    ("assay union", |html| ours(html, Profile::Union)),
    ("assay visible text", |html| {
        visible_text(html, &ExtractOptions::default()).map(|page| page.text).unwrap_or_default()
    }),
    ("rs-trafilatura 0.2.2", |html| {
        rs_trafilatura::extract(html).map(|page| page.content_text).unwrap_or_default()
    }),
    ("trafilatura crate 0.6.0", |html| {
        trafilatura(html, &trafilatura::Options::default().with_fallback(true))
    }),
    ("same, precision", |html| {
        let focus = trafilatura::ExtractionFocus::FavorPrecision;
        trafilatura(html, &trafilatura::Options::default().with_fallback(true).with_focus(focus))
    }),
    ("dom_smoothie 0.19.0", |html| dom_smoothie(html, dom_smoothie::CandidateSelectMode::Readability)),
    ("same, own mode", |html| dom_smoothie(html, dom_smoothie::CandidateSelectMode::DomSmoothie)),
];

/// A line a WCXB page with gold.
fn by_page(pages: &[pages::Page], texts: &[String]) -> String {
    let mut lines = String::new();
    for (page, text) in pages.iter().zip(texts).filter(|(page, _)| page.source == "wcxb") {
        let Some(gold) = &page.gold else { continue };
        let [f1, ..] = measures::word_score(text, gold);
        let line = serde_json::json!({ "id": page.id, "page_type": page.kind, "f1": f1 });
        lines.push_str(&format!("{line}\n"));
    }
    lines
}

fn main() -> Result<(), pages::PagesError> {
    let data = std::env::var_os("ASSAY_DATA").ok_or("set `ASSAY_DATA` to the folder of test data")?;
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut folder = None;
    if let Some(at) = wanted.iter().position(|word| word == "--pages") {
        folder = wanted.get(at + 1).map(PathBuf::from);
        wanted.drain(at..wanted.len().min(at + 2));
    }
    let pages = pages::load(&std::path::Path::new(&data).join("extraction"))?;
    println!(
        "| system | pages/s | MB/s | p50 ms | p99 ms | WCXB F1 (P/R) | wo | AEB | TF | all gold | empty | ratio | {} |",
        measures::TYPES.join(" | ")
    );
    println!("|{}", "---|".repeat(12 + measures::TYPES.len()));
    let mut first = None;
    std::panic::set_hook(Box::new(|_| {}));
    for (name, system) in SYSTEMS {
        if !wanted.is_empty() && !wanted.iter().any(|want| name.contains(want.as_str())) {
            continue;
        }
        let guarded = |html: &str| catch_unwind(AssertUnwindSafe(|| system(html))).unwrap_or_default();
        let (texts, speed) = pages::run(&pages, guarded);
        if let Some(folder) = &folder {
            fs_err::create_dir_all(folder)?;
            fs_err::write(folder.join(format!("{name}.jsonl")), by_page(&pages, &texts))?;
        }
        let score = measures::judge(&pages, &texts);
        let ratio = speed.pages / *first.get_or_insert(speed.pages);
        let types = score.by_type.map(|value| format!("{value:.3}")).join(" | ");
        println!(
            "| {name} | {:.1} | {:.1} | {:.2} | {:.1} | {:.4} ({:.3}/{:.3}) | {:.3} | {:.4} | {:.4} | {:.4}/{:.3} | {} | {ratio:.3} | {types} |",
            speed.pages, speed.megabytes, speed.p50, speed.p99, score.wcxb[0], score.wcxb[1], score.wcxb[2],
            score.forbidden, score.aeb, score.tf, score.all_gold[0], score.all_gold[1], score.empty,
        );
    }
    Ok(())
}
