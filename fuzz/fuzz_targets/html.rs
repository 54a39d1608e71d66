//! Any text as a page: the parse stays within its budgets, every profile and form ends with text or a reason, twice the same.

#![no_main]

use assay_refine::extract::{ExtractDrop, ExtractOptions, MarkdownOptions, Output, Profile, explain_html, extract, visible_text};
use assay_refine::html::ParseLimits;
use libfuzzer_sys::fuzz_target;

const TEXT_MAX: usize = 20_000;

/// Small budgets, so that the fuzzer meets them.
fn options(profile: Profile) -> ExtractOptions {
    let limits = ParseLimits { nodes_max: 2_000, depth_max: 32, fuel_max: 2_000_000, ..ParseLimits::default() };
    ExtractOptions { profile, limits, text_max: TEXT_MAX, fuel_max: 2_000_000, output: Output::Plain }
}

fuzz_target!(|data: &[u8]| {
    let html = String::from_utf8_lossy(data);
    let visible = visible_text(&html, &options(Profile::Balanced));
    for profile in [Profile::Precision, Profile::Balanced, Profile::Recall, Profile::Union] {
        let found = extract(&html, &options(profile));
        assert_eq!(found, extract(&html, &options(profile)), "a page has one text");
        match found {
            Ok(page) => assert!(!page.text.is_empty() && page.text.chars().count() <= TEXT_MAX),
            Err(ExtractDrop::Empty) => {}
            // What is too much for an extractor is too much for all of them, or only its text is.
            Err(ExtractDrop::OverBudget(what)) => assert!(what == "text" || visible.is_err(), "{what}"),
        }
    }
    let form = MarkdownOptions { links: true, table_cells_max: 200, ..MarkdownOptions::default() };
    let markdown = ExtractOptions { output: Output::Markdown(form), ..options(Profile::Union) };
    assert_eq!(extract(&html, &markdown), extract(&html, &markdown), "a page has one Markdown");
    let _ = explain_html(&html, &options(Profile::Balanced));
});
