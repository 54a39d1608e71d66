//! The text fixture: pieces of files, split by work into training mix and held-out text.

use std::collections::BTreeMap;

use assay_eval::held_out::{Domain, HeldOutDocument, HeldOutSet};
use assay_eval::ngram::Order;
use assay_eval::profile::{NGRAM_V1, Profile};
use assay_eval::sample::Sample;
use assay_eval::stage1::{ArmBits, measure};
use assay_eval::tokenizer::Tokenizer;
use rayon::prelude::*;
use sha2::Digest as _;

use crate::data::{Document, documents};

/// Sources and their share of the training mix in percent of bytes.
const MIX: [(&str, usize); 6] = [
    ("novels", 35),
    ("movie_reviews", 25),
    ("wikitext2_valid", 10),
    ("rfcs", 10),
    ("state_union", 10),
    ("peps", 10),
];

/// Bytes a piece reaches before it ends.
const PIECE_BYTES: usize = 2_000;

/// Tokens of one draw.
pub(crate) const DRAW_TOKENS: u64 = 262_144;

/// One fold, the draw itself.
pub(crate) const DRAW: Profile = Profile {
    name: "draw",
    folds: 1,
    budget_tokens_max: DRAW_TOKENS,
    ..NGRAM_V1
};

/// The fixture.
pub(crate) struct Fixture {
    /// Disjoint draws of training pieces, each with at least [`DRAW_TOKENS`] after the window's cap.
    pub(crate) draws: Vec<Vec<Document>>,
    /// Held-out documents of every source.
    pub(crate) domains: Vec<Domain>,
    pub(crate) held_out: HeldOutSet,
}

/// Whether a work is held out.
fn is_held_out(work: &str) -> bool {
    let digest = sha2::Sha256::digest([b"assay-split/1\n", work.as_bytes()].concat());
    u32::from_be_bytes(*digest.first_chunk().unwrap()).is_multiple_of(5)
}

fn pieces(document: &Document) -> Vec<Document> {
    let mut found = Vec::new();
    let mut text = String::new();
    let mut close = |text: &mut String| {
        let id = format!("{}/{}", document.id, found.len());
        found.push(Document {
            id,
            text: std::mem::take(text),
        });
    };
    for line in document.text.split_inclusive('\n') {
        text.push_str(line);
        if text.len() >= PIECE_BYTES {
            close(&mut text);
        }
    }
    if text.len() > PIECE_BYTES / 2 {
        close(&mut text);
    }
    found
}

fn work_of(source: &str, id: &str) -> String {
    match source {
        "movie_reviews" | "wikitext2_valid" => id.to_owned(),
        _ => id.split('#').next().unwrap().to_owned(),
    }
}

fn domain(source: &str, held: &BTreeMap<String, Vec<Document>>) -> Domain {
    let documents = held.iter().flat_map(|(work, pieces)| {
        pieces
            .iter()
            .filter(|piece| piece.text.len() >= 1_500)
            .take(8)
            .map(|piece| HeldOutDocument {
                id: piece.id.clone(),
                cluster: work.clone(),
                text: piece.text.clone(),
            })
    });
    Domain {
        name: source.to_owned(),
        documents: documents.take(60).collect(),
    }
}

/// The fixture with `draws` draws; `None` without test data.
pub(crate) fn fixture(draws: usize) -> Option<Fixture> {
    let mut found = vec![Vec::new(); draws];
    let mut domains = Vec::new();
    for (source, percent) in MIX {
        let mut held: BTreeMap<String, Vec<Document>> = BTreeMap::new();
        let mut train = Vec::new();
        for document in documents(&format!("{source}.jsonl"))? {
            let work = work_of(source, &document.id);
            if is_held_out(&work) {
                held.entry(work).or_default().extend(pieces(&document));
            } else {
                train.extend(pieces(&document));
            }
        }
        // 800 pieces a draw: about 1.6 MB, of which windows of 512 tokens take more than the draw.
        let each = 8 * percent;
        for (draw, pieces) in found.iter_mut().zip(train.chunks(each)) {
            draw.extend(pieces.iter().cloned());
        }
        domains.push(domain(source, &held));
    }
    Some(Fixture {
        draws: found,
        held_out: HeldOutSet::choose(domains.clone(), b"fixture", Order::V1).unwrap(),
        domains,
    })
}

/// The sample of some documents.
pub(crate) fn sample(profile: Profile, documents: &[Document]) -> Sample {
    let mut tokenizer = Tokenizer::default();
    let mut sample = Sample::new(profile, b"fixture");
    let mut ids = Vec::new();
    for document in documents {
        ids.clear();
        tokenizer.encode(&document.text, &mut ids);
        sample.push(document.id.as_bytes(), &ids);
    }
    sample
}

/// Bits of one draw after a change of its documents.
pub(crate) fn bits_of_draw(documents: &[Document], held_out: &HeldOutSet) -> ArmBits {
    let sample = sample(DRAW, documents);
    let budget = DRAW.budget(sample.smallest_fold().0).unwrap();
    assert_eq!(budget, DRAW_TOKENS, "the draw is large enough");
    measure(&sample, budget, held_out)
}

/// Bits of every draw after a change, in the order of draws.
pub(crate) fn bits_of_draws(
    fixture: &Fixture,
    change: impl Fn(&[Document]) -> Vec<Document> + Sync,
) -> Vec<ArmBits> {
    fixture
        .draws
        .par_iter()
        .map(|draw| bits_of_draw(&change(draw), &fixture.held_out))
        .collect()
}
