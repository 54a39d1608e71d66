//! Speed of stage 1: one core tokenises, counts and scores, in bytes of training text a second.
//!
//! Two texts: one made here from a fixed seed with the shape of English (Zipf-distributed words), which needs no files, and, if
//! `ASSAY_DATA` names the test data, the real one of `lm/text`. `cargo test -p assay-eval` measures nothing.

use assay_eval::ngram::{HeldOut, Model, Order};
use assay_eval::tokenizer::Tokenizer;
use assay_types::Draws;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Words of the vocabulary.
const WORDS: u64 = 30_000;

/// Training tokens of one fold, the largest budget.
const BUDGET_TOKENS: usize = 2_097_152;

/// Documents of about 2,000 bytes.
fn documents(count: usize, seed: u64) -> Vec<String> {
    let mut draws = Draws::new(&seed.to_le_bytes());
    let mut letters = Draws::new(b"words");
    let words: Vec<String> = (0..WORDS)
        .map(|_| {
            (0..2 + letters.draw(9))
                .map(|_| {
                    char::from(
                        b"etaoinshrdlucmfwypvbgkqjxz"[(letters.draw(26) * letters.draw(26) / 26) as usize],
                    )
                })
                .collect()
        })
        .collect();
    let mut document = || {
        let mut text = String::new();
        while text.len() < 2_000 {
            // The product of uniform draws favours low ranks about as text does.
            let rank = draws.draw(WORDS) * draws.draw(WORDS) / WORDS * draws.draw(WORDS) / WORDS;
            text.push_str(&words[rank as usize]);
            text.push_str(if draws.draw(12) == 0 { ". " } else { " " });
        }
        text
    };
    (0..count).map(|_| document()).collect()
}

/// Real documents cut to pieces of about 2,000 bytes: some that are scored, and others that fill a fold; none without data.
#[expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a program that measures; the environment says where the test data is"
)]
fn real() -> Option<(Vec<String>, Vec<String>)> {
    let folder = std::path::PathBuf::from(std::env::var_os("ASSAY_DATA")?).join("lm/text");
    let read = |name: &str| fs_err::read_to_string(folder.join(name)).expect("test data");
    let pieces = |name: &str| -> Vec<String> {
        let text = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
            line["text"].as_str().expect("a text").to_owned()
        };
        let texts: String = read(name).lines().map(text).collect::<Vec<_>>().join("\n");
        let lines = texts.split_inclusive('\n');
        let mut pieces = vec![String::new()];
        for line in lines {
            if pieces.last().is_some_and(|piece| piece.len() >= 2_000) {
                pieces.push(String::new());
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push_str(line);
            }
        }
        pieces
    };
    let held = pieces("wikitext2_valid.jsonl").into_iter().take(355).collect();
    Some((held, pieces("novels.jsonl")))
}

fn stage_one(criterion: &mut Criterion) {
    measure(criterion, "ngram", &documents(355, 2), documents(3_600, 1));
    // Without test data there is no real text to measure.
    if let Some((held, texts)) = real() {
        measure(criterion, "ngram of real text", &held, texts);
    }
}

fn measure(criterion: &mut Criterion, name: &str, held: &[String], mut texts: Vec<String>) {
    let held = Tokenizer::default().encode_all(held);
    let held_out = HeldOut::new(Order::V1, held.iter().map(Vec::as_slice));
    let mut total = 0;
    texts.retain(|text| {
        total += Tokenizer::default()
            .encode_all(std::slice::from_ref(text))
            .iter()
            .map(Vec::len)
            .sum::<usize>();
        total <= BUDGET_TOKENS
    });
    let bytes = texts.iter().map(String::len).sum::<usize>() as u64;
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).throughput(Throughput::Bytes(bytes));
    group.bench_function("tokenise", |bencher| {
        bencher.iter(|| Tokenizer::default().encode_all(&texts));
    });
    group.bench_function("tokenise_count_score", |bencher| {
        bencher.iter(|| {
            let ids = Tokenizer::default().encode_all(&texts);
            Model::train(Order::V1, ids.iter().map(Vec::as_slice)).score(&held_out)
        });
    });
    group.finish();
}

criterion_group!(benches, stage_one);
criterion_main!(benches);
