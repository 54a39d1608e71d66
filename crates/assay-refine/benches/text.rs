//! Throughput of the text steps in bytes of UTF-8 text: words, normalisation, signature, GPT-2 count.
//!
//! Texts: the real pages of the parity fixture under `ASSAY_DATA` (`page-…` rows of `filters.jsonl.gz`), else made-up
//! prose, so that the benchmark runs anywhere. `cargo bench -p assay-refine --bench text`.

use std::hint::black_box;
use std::io::Read as _;

use assay_refine::minhash::{MinHasher, band_keys};
use assay_refine::text::gpt2::Gpt2;
use assay_refine::text::sentences::count_sentences;
use assay_refine::text::simplify::simplify;
use assay_refine::text::words::Tokenizer;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Texts of real pages, or made-up ones without test data.
#[expect(
    clippy::disallowed_methods,
    reason = "benchmarks find their data by the environment"
)]
fn texts() -> Vec<String> {
    let path = std::env::var_os("ASSAY_DATA")
        .map(|data| std::path::PathBuf::from(data).join("parity/filters.jsonl.gz"))
        .and_then(|path| fs_err::File::open(path).ok());
    let Some(file) = path else { return made_up() };
    let mut lines = String::new();
    if flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut lines)
        .is_err()
    {
        return made_up();
    }
    let rows = lines
        .split('\n')
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let pages = rows.filter(|row| {
        row["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("page-precision"))
    });
    pages
        .filter_map(|row| row["text"].as_str().map(str::to_owned))
        .collect()
}

fn made_up() -> Vec<String> {
    let stems = [
        "river",
        "don't",
        "U.S.",
        "the",
        "of",
        "walked",
        "(green)",
        "3.5km",
        "Émile",
        "well-known",
        "and",
        "said:",
    ];
    let words = |n: usize| (0..900).map(move |i: usize| stems[(i * i % 7 * 5 + i + n * 31) % stems.len()]);
    (0..200).map(|n| words(n).collect::<Vec<_>>().join(" ")).collect()
}

fn words(c: &mut Criterion) {
    let texts = texts();
    let mut group = c.benchmark_group("text");
    group.throughput(bytes(&texts)).sample_size(10);
    let mut tokenizer = Tokenizer::new();
    let mut tokens = Vec::new();
    group.bench_function("words", |b| {
        b.iter(|| {
            for text in &texts {
                tokenizer.tokenize(black_box(text), &mut tokens);
            }
        });
    });
    group.bench_function("words_cold", |b| {
        b.iter(|| {
            let mut cold = Tokenizer::new();
            for text in &texts {
                cold.tokenize(black_box(text), &mut tokens);
            }
        });
    });
    group.bench_function("words_and_sentences", |b| {
        b.iter(|| {
            let of = |text: &String| {
                tokenizer.tokenize(text, &mut tokens);
                count_sentences(text, &tokens)
            };
            black_box(texts.iter().map(of).sum::<u32>())
        });
    });
    group.bench_function("tokenizer_new", |b| b.iter(|| black_box(Tokenizer::new())));
    group.finish();
}

fn gpt2(c: &mut Criterion) {
    let texts = texts();
    let mut group = c.benchmark_group("text");
    group.throughput(bytes(&texts)).sample_size(10);
    let mut gpt2 = Gpt2::new();
    group.bench_function("gpt2", |b| {
        b.iter(|| black_box(texts.iter().map(|text| gpt2.count(text)).sum::<u32>()));
    });
    group.bench_function("gpt2_new", |b| b.iter(|| black_box(Gpt2::new())));
    group.finish();
}

fn minhash(c: &mut Criterion) {
    let texts = texts();
    let mut group = c.benchmark_group("text");
    group.throughput(bytes(&texts)).sample_size(10);
    let (mut tokenizer, mut hasher) = (Tokenizer::new(), MinHasher::new());
    let (mut normal, mut tokens) = (String::new(), Vec::new());
    group.bench_function("simplify", |b| {
        b.iter(|| {
            for text in &texts {
                simplify(black_box(text), &mut normal);
            }
        });
    });
    let of = |text: &String| {
        simplify(text, &mut normal);
        tokenizer.tokenize(&normal, &mut tokens);
        (normal.clone(), tokens.clone())
    };
    let normals: Vec<(String, Vec<_>)> = texts.iter().map(of).collect();
    group.bench_function("signature_and_bands", |b| {
        b.iter(|| {
            for (normal, tokens) in &normals {
                black_box(hasher.signature(normal, tokens).as_ref().map(band_keys));
            }
        });
    });
    group.finish();
}

fn bytes(texts: &[String]) -> Throughput {
    Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum())
}

criterion_group!(benches, words, gpt2, minhash);
criterion_main!(benches);
