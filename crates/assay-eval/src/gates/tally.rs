//! Counts of a whole dataset, document after document, and the gates they give.
//!
//! Facts come in the dataset's order. Memory: the hash of each text and 14 band keys, about 300 bytes a document.

use std::collections::{BTreeMap, HashSet};

use assay_refine::minhash::BANDS;
use assay_types::Digest16;

use crate::contamination::MarkedIndex;

use super::{
    CONTAMINATION_PPM_MAX, EXACT_DUPLICATES_PPM_MAX, Facts, Gate, LANGUAGE_PPM_MAX, MARKUP_PPM_MAX,
    NEAR_DUPLICATES_PPM_MAX, PPM, PUBLIC_TEXT_TIMES_MAX, REPETITION_PPM_MAX, UNREADABLE_PPM_MAX,
};

/// A gate's name, part, whole, threshold, and what the part is.
type Share = (&'static str, u64, u64, u64, &'static str);

/// Counts of a dataset.
#[derive(Debug, Default)]
pub struct Tally {
    /// Documents seen.
    pub documents: u64,
    /// Bytes of their texts.
    pub bytes: u64,
    /// Tokens of their texts.
    pub tokens: u64,
    /// Lines of the input that hold no text.
    pub unreadable: u64,
    texts: HashSet<Digest16>,
    bands: Vec<HashSet<u64>>,
    duplicate_tokens: u64,
    near_duplicates: u64,
    repetitive: u64,
    markup: u64,
    public_hits: u64,
    public_text_hits: u64,
    /// Documents that share a 13-gram with each of the benchmarks that models answer.
    pub benchmark_hits: [u64; MarkedIndex::MARKS_MAX],
    /// Documents that share a 13-gram with the held-out text; they are not trained on.
    pub held_out_hits: u64,
    languages: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Counts a document.
    pub fn push(&mut self, facts: &Facts) {
        let tokens = facts.tokens.len() as u64;
        self.documents += 1;
        self.bytes += facts.bytes;
        self.tokens += tokens;
        if !self.texts.insert(facts.text_hash) {
            self.duplicate_tokens += tokens;
        }
        self.bands.resize_with(BANDS, HashSet::new);
        let mut shares_a_band = false;
        for (seen, key) in self.bands.iter_mut().zip(facts.bands.iter().flatten()) {
            shares_a_band |= !seen.insert(*key);
        }
        self.near_duplicates += u64::from(shares_a_band);
        self.repetitive += u64::from(facts.is_repetitive);
        self.markup += u64::from(facts.is_markup);
        self.public_hits += u64::from(facts.hits_public);
        for (place, hits) in self.benchmark_hits.iter_mut().enumerate() {
            *hits += u64::from(facts.benchmarks >> place & 1);
        }
        self.public_text_hits += u64::from(facts.hits_public_text);
        self.held_out_hits += u64::from(facts.hits_held_out);
        *self.languages.entry(facts.language).or_default() += 1;
    }

    /// The gates by name, but those of the arm as a whole; `language` is the declared one, `has_public` says whether an index
    /// of public benchmarks was there.
    pub fn gates(&self, language: &str, has_public: bool) -> BTreeMap<&'static str, Gate> {
        let gate = |(name, part, whole, threshold, what)| (name, Gate::share(part, whole, threshold, what));
        let mut gates: BTreeMap<&'static str, Gate> = self.shares(language).into_iter().map(gate).collect();
        if !has_public {
            let why = "no index of benchmarks was given (`assay evaluate index`)";
            gates.insert("contamination", Gate::unchecked(why));
        }
        gates
    }

    /// The gate on evaluation text that was public before, against the share of hits of another dataset.
    pub fn public_text(&self, anchor: &Tally) -> Gate {
        let (hits, documents) = (self.public_text_hits, self.documents.max(1));
        let of_anchor =
            u128::from(anchor.public_text_hits) * u128::from(PPM) / u128::from(anchor.documents.max(1));
        let limit = u64::try_from(of_anchor * PUBLIC_TEXT_TIMES_MAX).unwrap_or(PPM);
        Gate::share(
            hits,
            documents,
            limit.clamp(CONTAMINATION_PPM_MAX, PPM),
            "documents share 13 words with public evaluation text",
        )
    }

    fn shares(&self, language: &str) -> [Share; 8] {
        let documents = self.documents;
        let declared = self.languages.get(language).copied().unwrap_or(0);
        let lines = documents + self.unreadable;
        [
            (
                "exact_duplicates",
                self.duplicate_tokens,
                self.tokens,
                EXACT_DUPLICATES_PPM_MAX,
                "tokens are in documents that occurred before",
            ),
            (
                "near_duplicates",
                self.near_duplicates,
                documents,
                NEAR_DUPLICATES_PPM_MAX,
                "documents nearly repeat an earlier one",
            ),
            (
                "repetition",
                self.repetitive,
                documents,
                REPETITION_PPM_MAX,
                "documents repeat their own words",
            ),
            (
                "language",
                documents - declared,
                documents,
                LANGUAGE_PPM_MAX,
                "documents are not in the declared language, or in none that can be told",
            ),
            (
                "markup",
                self.markup,
                documents,
                MARKUP_PPM_MAX,
                "documents are full of tags",
            ),
            (
                "contamination",
                self.public_hits,
                documents,
                CONTAMINATION_PPM_MAX,
                "documents share 13 words with a benchmark",
            ),
            (
                "held_out",
                self.held_out_hits,
                documents,
                CONTAMINATION_PPM_MAX,
                "documents share 13 words with the evaluation text (they were not trained on)",
            ),
            (
                "readable",
                self.unreadable,
                lines,
                UNREADABLE_PPM_MAX,
                "lines hold no text",
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contamination::{GramIndex, MarkedIndex};
    use crate::gates::Examiner;

    fn failed(texts: &[&str]) -> Vec<&'static str> {
        let mut examiner = Examiner::default();
        let mut tally = Tally::default();
        for text in texts {
            let none = MarkedIndex::default();
            tally.push(&examiner.facts(text, [&GramIndex::default(); 3], &none));
        }
        let gates = tally.gates("en", false);
        assert_eq!(gates["contamination"].passed, None);
        let failed = gates.iter().filter(|(_, gate)| gate.passed == Some(false));
        failed.map(|(name, _)| *name).collect()
    }

    const A: &str = "The river rose in spring, so an old mill near our bridge had to close for three weeks, and nobody minded. Later the council paid two masons, who set new stones under both arches before winter came.";
    const B: &str = "Flour was cheap that year, and children swam in the long summer where wooden carts used to wait for the miller. His daughter kept a diary of every boat, its cargo and its captain, until she married.";
    const C: &str = "Der Fluss stieg im Frühling, und die alte Mühle an der Brücke musste für drei Wochen geschlossen werden. Später bezahlte der Rat zwei Maurer, die vor dem Winter neue Steine unter beide Bögen setzten.";

    #[test]
    fn public_text_is_hit_at_most_three_times_as_often_as_by_the_anchor() {
        let of = |hits, documents| Tally {
            documents,
            public_text_hits: hits,
            ..Tally::default()
        };
        let gate = |hits, anchor| of(hits, 1_000).public_text(&of(anchor, 2_000));
        assert_eq!(
            (gate(3, 2).passed, gate(3, 2).threshold_ppm),
            (Some(true), Some(3_000))
        );
        assert_eq!(gate(4, 2).passed, Some(false));
        // Of an anchor without a hit, one document in ten thousand may still be one.
        assert_eq!((gate(0, 0).passed, gate(1, 0).passed), (Some(true), Some(false)));
        assert_eq!(of(1, 10_000).public_text(&of(0, 10)).passed, Some(true));
        assert_eq!(gate(1_000, 2_000).passed, Some(true), "every document of both");
    }

    #[test]
    fn gates_name_what_is_wrong() {
        assert!(failed(&[A, B]).is_empty());
        assert_eq!(failed(&[A, B, A]), ["exact_duplicates", "near_duplicates"]);
        assert_eq!(failed(&[A, B, C]), ["language"]);
        // What no language can be told of is not of the declared one.
        let numbers: Vec<String> = (1..60).map(|n| (n * 7_919 + 10_000).to_string()).collect();
        assert_eq!(failed(&[A, B, &numbers.join(" ")]), ["language"]);
        // The same words with other punctuation have the same signature, but not the same text.
        assert_eq!(failed(&[A, B, &A.replace(',', ";")]), ["near_duplicates"]);
    }
}
