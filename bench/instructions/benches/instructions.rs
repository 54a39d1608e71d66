//! Instructions of the hot paths on one page of our own, counted by Valgrind: the same figure on a busy machine as on a
//! free one.
//!
//! `cargo bench` in this folder needs Valgrind and `gungraun-runner` of the version in `Cargo.lock`; `.ci/long` installs
//! both. Each count has a limit about 5 % above what was measured (docs/performance.md), so that a
//! slower hot path fails there; after a wanted change the limit moves in the same commit. Buffers and memos are warm, as in
//! a run. Valgrind emulates a processor without AVX-512, so figures do not depend on the machine's.
#![expect(clippy::unwrap_used, reason = "a benchmark stops on a broken fixture")]
#![expect(missing_docs, reason = "the harness generates items without docs")]

use std::hint::black_box;

use assay_refine::engine::{Detail, Engine, Refined, Scratch};
use assay_refine::extract::{ExtractOptions, Profile, extract};
use assay_refine::filter::{FilterScratch, c4, gopher_repetition};
use assay_refine::html::{ParseLimits, parse};
use assay_refine::language::{LanguageOptions, detect};
use assay_refine::minhash::{MinHasher, band_keys};
use assay_refine::pii::scrub;
use assay_refine::text::gpt2::Gpt2;
use assay_refine::text::simplify::simplify;
use assay_refine::text::words::{Token, Tokenizer};
use assay_refine::url_lists::UrlLists;
use assay_refine::warc::{ArchiveReader, ArchiveRecord, Page, PageRecords, ReadLimits, WarcWriter};
use assay_types::recipe::{C4Params, fineweb_en_v1};
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig};
use gungraun::{library_benchmark, library_benchmark_group, main};

/// Our own documentation as a page: prose, tables, lists, a menu and a footer.
const PAGE: &str = include_str!("../page.html");

/// Fails above this many instructions.
fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

fn archive() -> Vec<u8> {
    let mut writer = WarcWriter::new(Vec::new());
    let page = Page {
        uri: "https://example.org/docs",
        date: "2024-01-01T00:00:00Z",
        content_type: "text/html; charset=utf-8",
        body: PAGE.as_bytes(),
    };
    writer.page(page, PageRecords::Response).unwrap();
    writer.finish().unwrap()
}

fn main_text() -> String {
    extract(PAGE, &options()).unwrap().text
}

fn options() -> ExtractOptions {
    ExtractOptions { profile: Profile::Precision, ..ExtractOptions::default() }
}

fn tokens_of(text: &str) -> (Tokenizer, Vec<Token>) {
    let (mut tokenizer, mut tokens) = (Tokenizer::new(), Vec::new());
    tokenizer.tokenize(text, &mut tokens);
    tokens.clear();
    tokenizer.tokenize(text, &mut tokens);
    (tokenizer, tokens)
}

/// A text, its tokens, and the warm buffers that made them.
struct Prepared {
    text: String,
    tokenizer: Tokenizer,
    tokens: Vec<Token>,
    filters: FilterScratch,
    min_hasher: MinHasher,
    gpt2: Gpt2,
}

fn prepared() -> Prepared {
    let text = main_text();
    let (tokenizer, tokens) = tokens_of(&text);
    let mut gpt2 = Gpt2::new();
    gpt2.count(&text);
    Prepared { text, tokenizer, tokens, filters: FilterScratch::default(), min_hasher: MinHasher::new(), gpt2 }
}

/// The same over the normalised text, as MinHash sees it.
fn normalised() -> Prepared {
    let mut all = prepared();
    let mut normal = String::new();
    simplify(&all.text, &mut normal);
    (all.tokenizer, all.tokens) = tokens_of(&normal);
    all.text = normal;
    all
}

fn engine() -> (Engine, Scratch, ArchiveRecord) {
    let engine = Engine::new(fineweb_en_v1(), &UrlLists::default()).unwrap();
    let record = ArchiveReader::new(archive().as_slice(), ReadLimits::default()).unwrap().next_record();
    let (mut scratch, record) = (Scratch::new(), record.unwrap().unwrap());
    engine.refine(&mut scratch, &record, Detail::Decision);
    (engine, scratch, record)
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::page(setup = archive)]
fn read_archive(archive: Vec<u8>) -> usize {
    ArchiveReader::new(archive.as_slice(), ReadLimits::default()).unwrap().map(black_box).count()
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::page(PAGE)]
fn html_parse(page: &str) -> bool {
    parse(black_box(page), &ParseLimits::default()).is_ok()
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::page(PAGE)]
fn extract_text(page: &str) -> usize {
    extract(black_box(page), &options()).unwrap().text.len()
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::text(setup = main_text)]
fn language(text: String) -> u32 {
    detect(black_box(&text), &LanguageOptions::default()).score
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::text(setup = prepared)]
fn words(mut with: Prepared) -> Prepared {
    with.tokens.clear();
    with.tokenizer.tokenize(black_box(&with.text), &mut with.tokens);
    with
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::text(setup = prepared)]
fn repetition(mut with: Prepared) -> Prepared {
    black_box(gopher_repetition::features(&with.text, &with.tokens, &mut with.filters));
    with
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::text(setup = prepared)]
fn c4_rewrite(mut with: Prepared) -> Prepared {
    black_box(c4::rewrite(&with.text, &C4Params::default(), &mut with.tokenizer, &mut with.filters).features.lines);
    with
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::text(setup = normalised)]
fn minhash(mut with: Prepared) -> Prepared {
    black_box(with.min_hasher.signature(&with.text, &with.tokens).as_ref().map(band_keys));
    with
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::text(setup = prepared)]
fn gpt2_tokens(mut with: Prepared) -> Prepared {
    black_box(with.gpt2.count(&with.text));
    with
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::text(setup = main_text)]
fn pii(text: String) -> usize {
    scrub(black_box(&text)).text.len()
}

#[library_benchmark(config = at_most(1_000_000_000))]
#[bench::page(setup = engine)]
fn whole_record(with: (Engine, Scratch, ArchiveRecord)) -> (Refined, Engine, Scratch) {
    let (engine, mut scratch, record) = with;
    (engine.refine(&mut scratch, black_box(&record), Detail::Decision), engine, scratch)
}

library_benchmark_group!(
    name = hot_paths,
    benchmarks = [
        read_archive,
        html_parse,
        extract_text,
        language,
        words,
        repetition,
        c4_rewrite,
        minhash,
        gpt2_tokens,
        pii,
        whole_record
    ]
);

main!(library_benchmark_groups = hot_paths);
