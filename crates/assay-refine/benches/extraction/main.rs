//! Quality and speed of extraction on the annotated pages: `ASSAY_DATA=… cargo bench -p assay-refine --bench extraction`.
//!
//! CPU time of one thread; the comparison with other crates is `bench/extract-peers`.

mod measures;
mod pages;

use std::io::Write;

use assay_refine::extract::{ExtractOptions, Profile, extract, visible_text};
use assay_refine::html::{ParseLimits, parse};

#[expect(
    clippy::disallowed_methods,
    reason = "a bench is told its data by the environment"
)]
fn main() -> Result<(), pages::PagesError> {
    let Some(data) = std::env::var_os("ASSAY_DATA") else {
        return Ok(());
    };
    let pages = pages::load(&std::path::Path::new(&data).join("extraction"))?;
    let options = ExtractOptions::default();
    let profile = |profile| {
        move |html: &str| {
            let page = extract(html, &ExtractOptions { profile, ..options });
            page.map(|page| page.text).unwrap_or_default()
        }
    };
    let parse_only = |html: &str| {
        let nodes = parse(html, &ParseLimits::default()).map_or(0, |document| document.len());
        nodes.to_string()
    };
    let all = |html: &str| {
        visible_text(html, &options)
            .map(|page| page.text)
            .unwrap_or_default()
    };
    let mut out = std::io::stdout().lock();
    for (name, (texts, speed)) in [
        ("parse only", pages::run(&pages, parse_only)),
        ("visible text", pages::run(&pages, all)),
        ("precision", pages::run(&pages, profile(Profile::Precision))),
        ("balanced", pages::run(&pages, profile(Profile::Balanced))),
        ("recall", pages::run(&pages, profile(Profile::Recall))),
        ("union", pages::run(&pages, profile(Profile::Union))),
    ] {
        let score = measures::judge(&pages, &texts);
        writeln!(
            out,
            "{name}: {:.1} pages/s, {:.1} MB/s, p50 {:.2} ms, p99 {:.1} ms; WCXB {:.4?}, forbidden {:.3}, AEB {:.4}, \
             TF {:.4}, all gold {:.4?}, empty {}; {:.3?}",
            speed.pages,
            speed.megabytes,
            speed.p50,
            speed.p99,
            score.wcxb,
            score.forbidden,
            score.aeb,
            score.tf,
            score.all_gold,
            score.empty,
            score.by_type,
        )?;
    }
    Ok(())
}
