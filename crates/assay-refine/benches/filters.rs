//! Throughput of every filter and of PII scrubbing on the longer texts of the parity fixture, in bytes of text a second.
//!
//! Texts come from `ASSAY_DATA`; without it there is nothing to measure. Words are counted once, outside the filters.
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark finds its data by the environment"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark stops on missing data")]
use std::hint::black_box;
use std::io::Read;

use assay_refine::filter::url::UrlFilter;
use assay_refine::filter::{FilterScratch, c4, fineweb_quality, gopher_quality, gopher_repetition};
use assay_refine::pii::scrub;
use assay_refine::text::words::{Token, Tokenizer};
use assay_refine::url_lists::UrlLists;
use assay_types::recipe::{C4Params, FinewebQualityParams, GopherQualityParams, UrlFilterParams};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Texts of real pages of at least this many bytes are measured: a mean of about 9 kB.
const TEXT_BYTES_MIN: usize = 4_000;

/// A text with its URL and tokens.
struct Page {
    text: String,
    url: String,
    tokens: Vec<Token>,
}

fn pages() -> Vec<Page> {
    let Some(folder) = std::env::var_os("ASSAY_DATA") else {
        return Vec::new();
    };
    let path = std::path::PathBuf::from(folder).join("parity/filters.jsonl.gz");
    let mut lines = String::new();
    flate2::read::MultiGzDecoder::new(fs_err::File::open(path).unwrap())
        .read_to_string(&mut lines)
        .unwrap();
    let mut tokenizer = Tokenizer::new();
    let mut pages = Vec::new();
    for line in lines.split('\n').filter(|line| line.contains("\"page-")) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |key: &str| row.get(key).and_then(|value| value.as_str()).unwrap().to_owned();
        let (text, url) = (field("text"), field("url"));
        if text.len() >= TEXT_BYTES_MIN {
            let mut tokens = Vec::new();
            tokenizer.tokenize(&text, &mut tokens);
            pages.push(Page { text, url, tokens });
        }
    }
    pages
}

fn filters(criterion: &mut Criterion) {
    let pages = pages();
    let bytes: usize = pages.iter().map(|page| page.text.len()).sum();
    let mut group = criterion.benchmark_group("filters");
    group.throughput(Throughput::Bytes(bytes as u64)).sample_size(10);
    let mut scratch = FilterScratch::default();
    let mut tokenizer = Tokenizer::new();
    let mut measure = |name: &str, step: &mut dyn FnMut(&Page)| {
        group.bench_function(name, |bencher| bencher.iter(|| pages.iter().for_each(&mut *step)));
    };
    let url_filter = UrlFilter::new(UrlLists::default(), &UrlFilterParams::default()).unwrap();
    measure("url_filter", &mut |page| {
        black_box(url_filter.check(&page.url));
    });
    measure("gopher_repetition", &mut |page| {
        black_box(gopher_repetition::features(
            &page.text,
            &page.tokens,
            &mut scratch,
        ));
    });
    let params = GopherQualityParams::default();
    measure("gopher_quality", &mut |page| {
        black_box(gopher_quality::features(&page.text, &page.tokens, &params));
    });
    measure("c4", &mut |page| {
        black_box(c4::rewrite(
            &page.text,
            &C4Params::default(),
            &mut tokenizer,
            &mut scratch,
        ));
    });
    let params = FinewebQualityParams::default();
    measure("fineweb_quality", &mut |page| {
        black_box(fineweb_quality::features(
            &page.text,
            &page.tokens,
            &params,
            &mut scratch,
        ));
    });
    measure("pii", &mut |page| {
        black_box(scrub(&page.text));
    });
}

criterion_group!(benches, filters);
criterion_main!(benches);
