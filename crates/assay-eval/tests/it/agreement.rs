//! The same bits on one thread and on several, and in any order of documents.

use assay_eval::held_out::{Domain, HeldOutDocument, HeldOutSet};
use assay_eval::ngram::Order;
use assay_eval::profile::{NGRAM_V1, Profile};
use assay_eval::stage1::{ArmBits, measure};
use assay_types::Draws;

use crate::data::Document;
use crate::fixture::sample;

/// Words in random order, by a seed.
fn text(seed: u64) -> String {
    const WORDS: [&str; 12] = [
        "mill", "river", "old", "the", "a", "of", "was", "bridge", "near", "closed", "Spring", "12",
    ];
    let mut draws = Draws::new(&seed.to_le_bytes());
    (0..120)
        .map(|_| WORDS[draws.draw(12) as usize].to_owned() + " ")
        .collect()
}

fn bits(documents: &[Document], threads: usize) -> ArmBits {
    let held = |number: u64| HeldOutDocument {
        id: number.to_string(),
        cluster: (number / 2).to_string(),
        text: text(1_000_000 + number),
    };
    let domain = |name: &str, numbers: std::ops::Range<u64>| Domain {
        name: name.to_owned(),
        documents: numbers.map(held).collect(),
    };
    let profile = Profile {
        budget_tokens_min: 1,
        ..NGRAM_V1
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| {
        let domains = vec![domain("b", 0..20), domain("a", 20..45)];
        let held_out = HeldOutSet::choose(domains, b"s", Order::V1).unwrap();
        measure(&sample(profile, documents), 65_536, &held_out)
    })
}

#[test]
fn threads_and_order_change_no_bit() {
    let mut documents: Vec<Document> = (0..400)
        .map(|number| Document {
            id: format!("d{number}"),
            text: text(number),
        })
        .collect();
    let one = bits(&documents, 1);
    assert_eq!(bits(&documents, 4), one);
    documents.reverse();
    assert_eq!(bits(&documents, 3), one);
    documents[7].text.push_str("mill");
    assert_ne!(bits(&documents, 1), one);
}
