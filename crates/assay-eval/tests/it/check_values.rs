//! The check values that two independent implementations agreed on (docs/evaluation.md).

use assay_eval::ngram::{HeldOut, Model, Order};
use assay_eval::tokenizer::{MergeTrainer, TokenId, Tokenizer};
use assay_types::hex;
use sha2::Digest as _;

use crate::data::{Document, documents, folder};

fn encode(documents: &[Document]) -> Vec<Vec<TokenId>> {
    let mut tokenizer = Tokenizer::default();
    documents
        .iter()
        .map(|document| {
            let mut ids = Vec::new();
            tokenizer.encode(&document.text, &mut ids);
            ids
        })
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(&sha2::Sha256::digest(bytes))
}

#[test]
fn the_ids_of_a_whole_file() {
    let Some(documents) = documents("wikitext2_valid.jsonl") else {
        return;
    };
    let bytes: usize = documents.iter().map(|document| document.text.len()).sum();
    let ids = encode(&documents).concat();
    assert_eq!((ids.len(), bytes), (403_779, 1_121_239));
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    assert_eq!(
        sha256(&bytes),
        "ff81940bf4535a363c16ae2bae830c72527bc37089a52628a771e73cc397e75f"
    );
}

#[test]
fn the_bits_of_a_file_after_training_on_another() {
    let (Some(held), Some(novels)) = (documents("wikitext2_valid.jsonl"), documents("novels.jsonl")) else {
        return;
    };
    let (held, mut novels) = (encode(&held), encode(&novels));
    let mut left = 524_288;
    novels.retain_mut(|ids| {
        ids.truncate(left);
        left -= ids.len();
        !ids.is_empty()
    });
    assert_eq!(novels.len(), 249);
    let expected = [
        (2, 67_089_852_395_479, 1_940_921_234_478),
        (3, 64_614_261_490_530, 1_888_917_336_040),
        (4, 64_425_772_816_820, 1_882_358_202_836),
        (5, 64_463_861_359_305, 1_882_923_112_532),
    ];
    for (order, all, first) in expected {
        let order = Order::new(order).unwrap();
        let held_out = HeldOut::new(order, held.iter().map(Vec::as_slice));
        let model = Model::train(order, novels.iter().map(Vec::as_slice));
        let scores = model.score(&held_out);
        assert_eq!(
            (scores.iter().sum::<u64>(), scores[0]),
            (all, first),
            "order {}",
            order.get()
        );
        let backwards = Model::train(order, novels.iter().rev().map(Vec::as_slice));
        assert_eq!(
            backwards.score(&held_out),
            scores,
            "the order of windows changes nothing"
        );
    }
}

/// Makes the artifact again.
#[test]
#[ignore = "ten seconds and more without optimisation: .ci/long runs it"]
fn the_merges_of_all_texts() {
    let Some(folder) = folder("lm/text") else {
        return;
    };
    let mut trainer = MergeTrainer::default();
    let mut bytes = 0;
    for entry in fs_err::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        for document in documents(&name).unwrap() {
            bytes += document.text.len();
            trainer.push(&document.text);
        }
    }
    assert_eq!(bytes, 33_631_938);
    let merges = trainer.finish().to_bytes();
    assert_eq!(
        sha256(&merges),
        "6b05c52a3972c13685984fbea39b7b93ce557b9119d87cd1c33fff880c601f81"
    );
}
