//! Speed of stage 1: one core tokenises, counts and scores, in bytes of training text a second.
//!
//! The text is made here from a fixed seed with the shape of English (Zipf-distributed words), so that the figure does not
//! need files; `cargo test -p assay-eval` measures nothing.

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

fn stage_one(criterion: &mut Criterion) {
    let held = Tokenizer::default().encode_all(&documents(355, 2));
    let held_out = HeldOut::new(Order::V1, held.iter().map(Vec::as_slice));
    let mut texts = documents(3_600, 1);
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
    let mut group = criterion.benchmark_group("ngram");
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
