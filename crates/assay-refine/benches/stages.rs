//! Time of each stage of the chain on one thread, as a table: what a record costs, and where.
//!
//! Reads `warc/built-train.warc.gz` below `ASSAY_DATA`, or the archive `ASSAY_BENCH_WARC` names; says so and ends without
//! one. Each record takes the real way with the recipe `fineweb-en-v1-nolang`: a stage sees what the stages before kept. The
//! last line is `Engine::refine` itself on the same records, so that the sum can be held against it. Run with
//! `cargo bench -p assay-refine --bench stages`; the figures stand in `docs/performance.md`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark finds its data by the environment, reads the clock and prints a table"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark stops on missing data")]

use std::io::{self, Write};
use std::time::{Duration, Instant};

use assay_refine::charset;
use assay_refine::engine::{Detail, Engine, Refined, Scratch};
use assay_refine::extract::{ExtractOptions, Profile, extract};
use assay_refine::filter::{FilterScratch, c4, fineweb_quality, gopher_quality, gopher_repetition};
use assay_refine::html::{ParseLimits, parse};
use assay_refine::http;
use assay_refine::language::{LanguageOptions, detect};
use assay_refine::minhash::{MinHasher, band_keys};
use assay_refine::pii::scrub;
use assay_refine::text::gpt2::Gpt2;
use assay_refine::text::simplify::simplify;
use assay_refine::text::words::{Token, Tokenizer};
use assay_refine::unit::{Format, UnitFiles, UnitIdentity, UnitWriter};
use assay_refine::url_lists::UrlLists;
use assay_refine::warc::{ArchiveReader, ArchiveRecord, ReadLimits, RecordContent, RecordKind};
use assay_types::Addressing;
use assay_types::recipe::{
    C4Params, FinewebQualityParams, GopherQualityParams, GopherRepetitionParams, fineweb_en_v1_nolang,
};

/// Names of the measured stages, in their order.
const STAGES: [&str; 13] = [
    "read: inflate, split, hash",
    "HTTP and characters",
    "HTML parse",
    "main text",
    "language (not in the sum)",
    "words",
    "gopher_repetition",
    "gopher_quality",
    "c4",
    "fineweb_quality, its words",
    "minhash, its words",
    "GPT-2 tokens",
    "PII",
];

/// Stage left out of the sum: the measured recipe has no language step.
const LANGUAGE: usize = 4;

/// Time and number of calls of each stage.
#[derive(Default)]
struct Clock {
    stages: [(Duration, u64); STAGES.len()],
}

impl Clock {
    fn time<T>(&mut self, stage: usize, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        if let Some((time, calls)) = self.stages.get_mut(stage) {
            *time += start.elapsed();
            *calls += 1;
        }
        result
    }
}

/// Buffers of one thread.
#[derive(Default)]
struct Buffers {
    tokenizer: Tokenizer,
    tokens: Vec<Token>,
    filters: FilterScratch,
    simplified: String,
    min_hasher: MinHasher,
    gpt2: Gpt2,
}

/// A page's way through the text stages, timed; ends where the recipe drops it.
fn text_stages(clock: &mut Clock, with: &mut Buffers, text: &str) {
    clock.time(LANGUAGE, || detect(text, &LanguageOptions::default()));
    with.tokens.clear();
    clock.time(5, || with.tokenizer.tokenize(text, &mut with.tokens));
    let found = clock.time(6, || {
        gopher_repetition::features(text, &with.tokens, &mut with.filters)
    });
    if !gopher_repetition::verdict(&found, &GopherRepetitionParams::default()).is_kept() {
        return;
    }
    let params = GopherQualityParams::default();
    let found = clock.time(7, || gopher_quality::features(text, &with.tokens, &params));
    if !gopher_quality::verdict(&found, &params).is_kept() {
        return;
    }
    let params = C4Params::default();
    let rewritten = clock.time(8, || {
        c4::rewrite(text, &params, &mut with.tokenizer, &mut with.filters)
    });
    if !c4::verdict(&rewritten.features, &params).is_kept() {
        return;
    }
    let text = rewritten.text.as_ref();
    let params = FinewebQualityParams::default();
    let found = clock.time(9, || {
        with.tokens.clear();
        with.tokenizer.tokenize(text, &mut with.tokens);
        fineweb_quality::features(text, &with.tokens, &params, &mut with.filters)
    });
    if !fineweb_quality::verdict(&found, &params).is_kept() {
        return;
    }
    clock.time(10, || {
        simplify(text, &mut with.simplified);
        with.tokens.clear();
        with.tokenizer.tokenize(&with.simplified, &mut with.tokens);
        with.min_hasher
            .signature(&with.simplified, &with.tokens)
            .as_ref()
            .map(band_keys)
    });
    clock.time(11, || with.gpt2.count(text));
    clock.time(12, || scrub(text).text.len());
}

/// A record's way, timed.
fn record_stages(clock: &mut Clock, with: &mut Buffers, record: &ArchiveRecord) {
    let RecordContent::Record(warc) = &record.content else {
        return;
    };
    if warc.kind != RecordKind::Response {
        return;
    }
    let limits = ReadLimits::default();
    let body = clock.time(1, || {
        let response = http::parse_response(&warc.block, &limits).ok()?;
        let content_type = response.content_type().map(str::to_owned);
        let body = http::decoded_body(&response, &limits).ok()?;
        Some(
            charset::decode(&body, content_type.as_deref(), None)
                .text
                .into_owned(),
        )
    });
    let Some(html) = body else { return };
    let parsed = Instant::now();
    clock.time(2, || parse(&html, &ParseLimits::default()).is_ok());
    let parse_time = parsed.elapsed();
    let options = ExtractOptions {
        profile: Profile::Precision,
        ..ExtractOptions::default()
    };
    // `extract` parses again: the parse alone is taken off.
    let page = clock.time(3, || extract(&html, &options));
    if let Some((time, _)) = clock.stages.get_mut(3) {
        *time = time.saturating_sub(parse_time);
    }
    if let Ok(page) = page {
        text_stages(clock, with, &page.text);
    }
}

/// Files that forget what is written: the cost of encoding, compressing and hashing without a disk.
struct Nowhere;

impl UnitFiles for Nowhere {
    type File = io::Sink;

    fn create(&mut self, _: &str) -> io::Result<Self::File> {
        Ok(io::sink())
    }

    fn close(&mut self, mut file: Self::File) -> io::Result<()> {
        file.flush()
    }
}

/// Time of the engine alone and of writing what it gave.
fn whole(engine: &Engine, records: &[ArchiveRecord]) -> (Duration, Duration) {
    let mut scratch = Scratch::new();
    let start = Instant::now();
    let refined: Vec<Refined> = records
        .iter()
        .map(|record| engine.refine(&mut scratch, record, Detail::Decision))
        .collect();
    let engine_time = start.elapsed();
    let identity = UnitIdentity {
        source: "file".into(),
        path: "bench".into(),
        dump: String::new(),
        recipe_id: engine.recipe_id(),
    };
    let start = Instant::now();
    let mut writer = UnitWriter::new(Nowhere, identity, Format::Parquet, false, &engine.stages()).unwrap();
    for refined in refined {
        writer.push(refined).unwrap();
    }
    writer.finish(Addressing::Member).unwrap();
    (engine_time, start.elapsed())
}

fn main() {
    let named = std::env::var_os("ASSAY_BENCH_WARC").map(std::path::PathBuf::from);
    let data = std::env::var_os("ASSAY_DATA")
        .map(|folder| std::path::Path::new(&folder).join("warc/built-train.warc.gz"));
    let Some(path) = named.or(data) else {
        println!("skipped: neither ASSAY_BENCH_WARC nor ASSAY_DATA is set");
        return;
    };
    let archive = fs_err::read(path).unwrap();
    let engine = Engine::new(fineweb_en_v1_nolang(), &UrlLists::default()).unwrap();
    let (mut clock, mut with) = (Clock::default(), Buffers::default());
    let mut reader = ArchiveReader::new(archive.as_slice(), engine.read_limits()).unwrap();
    let mut records = Vec::new();
    while let Some(record) = clock.time(0, || reader.next_record()).unwrap() {
        records.push(record);
    }
    for record in &records {
        record_stages(&mut clock, &mut with, record);
    }
    let (engine_time, write_time) = whole(&engine, &records);
    print_table(&clock, engine_time, write_time);
}

fn print_table(clock: &Clock, engine_time: Duration, write_time: Duration) {
    let pages = clock.stages.get(1).map_or(0, |(_, calls)| *calls).max(1);
    let sum: Duration = clock
        .stages
        .iter()
        .enumerate()
        .filter(|(stage, _)| *stage != LANGUAGE)
        .map(|(_, (time, _))| *time)
        .sum::<Duration>()
        + write_time;
    let row = |name: &str, calls: u64, time: Duration| {
        let share = 100.0 * time.as_secs_f64() / sum.as_secs_f64();
        let per_page = 1e3 * time.as_secs_f64() / pages as f64;
        println!("| {name} | {calls} | {per_page:.3} | {share:.1} % |");
    };
    println!("| stage | calls | ms a page | share |\n|---|---|---|---|");
    for (name, (time, calls)) in STAGES.iter().zip(clock.stages) {
        row(name, calls, time);
    }
    row("Parquet, ledger, bands, roots", 1, write_time);
    row("sum", pages, sum);
    row("`Engine::refine` alone", pages, engine_time);
}
