//! The statistics of a dataset as one HTML page: no script, no request, light and dark.
//!
//! Takes [`DatasetStats`]; the page holds the funnel picture and plots of [`super::plot`].

use std::fmt::Write as _;

use super::format::{bytes, count};
use super::funnel::funnel_svg;
use super::plot::{STYLE, bars, columns, escape};
use super::stats::DatasetStats;

/// Sites and reasons shown.
const ROWS: usize = 20;

/// The whole page; `title` names the dataset.
pub fn stats_html(title: &str, stats: &DatasetStats) -> String {
    let facts = [
        ("documents", count(stats.documents)),
        ("tokens (GPT-2)", count(stats.tokens)),
        ("text", bytes(stats.text_bytes)),
        ("units", count(stats.units)),
        ("records read", count(stats.counts.records)),
        ("mean characters", count(stats.characters.mean())),
    ];
    let facts = facts.iter().fold(String::new(), |mut all, (name, value)| {
        let _ = write!(all, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        all
    });
    let languages: Vec<(String, u64)> = stats
        .languages
        .iter()
        .map(|(name, count)| (name.clone(), *count))
        .collect();
    let plots = [
        columns(
            "Characters a document (bins from, powers of two)",
            &stats.characters.rows(),
        ),
        columns(
            "Tokens a document (bins from, powers of two)",
            &stats.token_counts.rows(),
        ),
        bars("Sites with most documents", &stats.top_sites(ROWS)),
        bars("Why records were dropped", &stats.top_drops(ROWS)),
        bars("Languages", &languages),
    ];
    let plots = plots.iter().fold(String::new(), |mut all, plot| {
        let _ = write!(all, "<figure>{plot}</figure>");
        all
    });
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{0} · Assay dataset</title>\
         <style>{PAGE_STYLE}{STYLE}</style></head><body><main><h1>{0}</h1><dl>{facts}</dl>\
         <figure class=\"wide\">{1}</figure><div class=\"grid\">{plots}</div></main></body></html>\n",
        escape(title),
        funnel_svg(&stats.counts),
    )
}

/// Layout of the page: one column on a telephone, two on a desk.
const PAGE_STYLE: &str = "\
:root{color-scheme:light dark}body{margin:0;background:#f3f4f1;color:#14191a;font:15px/1.5 system-ui,sans-serif}\
main{max-width:1120px;margin:0 auto;padding:24px}h1{font-size:28px;letter-spacing:-.02em;margin:8px 0 16px;overflow-wrap:anywhere}\
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:0 0 20px}\
dl div,figure{background:#fcfcfa;border:1px solid #d9ddd6;border-radius:10px}dl div{padding:12px 14px}\
dt{color:#4b5655;font-size:13px}dd{margin:0;font-size:20px;font-weight:650;font-variant-numeric:tabular-nums}\
figure{margin:0;overflow:hidden}figure svg{display:block;width:100%;height:auto}.wide{margin-bottom:16px;overflow-x:auto}.wide svg{min-width:600px}\
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:16px;align-items:start}\
@media(prefers-color-scheme:dark){body{background:#0c0f11;color:#e9ecea}dl div,figure{background:#13181b;border-color:#242c30}dt{color:#a3aeac}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_is_self_contained_and_escapes_names() {
        let mut stats = DatasetStats::default();
        stats.sites.insert("<img src=x>".to_owned(), 1);
        let page = stats_html("a & b", &stats);
        assert!(page.contains("a &amp; b") && page.contains("&lt;img src=x&gt;"));
        assert!(!page.contains("<script") && !page.contains("src=\"http") && !page.contains("<img"));
    }
}
