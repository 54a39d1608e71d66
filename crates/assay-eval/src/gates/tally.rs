//! Counts of a whole dataset, document after document, and the gates they give.
//!
//! Facts come in the dataset's order. Memory: 16 bytes a text and 14 band keys of 8 bytes a document.

use std::collections::{BTreeMap, HashSet};

use assay_refine::minhash::BANDS;
use assay_types::Digest16;

use super::{
    CONTAMINATION_PPM_MAX, EXACT_DUPLICATES_PPM_MAX, Facts, Gate, LANGUAGE_PPM_MAX, MARKUP_PPM_MAX,
    NEAR_DUPLICATES_PPM_MAX, REPETITION_PPM_MAX, UNREADABLE_PPM_MAX,
};

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
        self.held_out_hits += u64::from(facts.hits_held_out);
        *self.languages.entry(facts.language).or_default() += 1;
    }

    /// The gates by name, but those of the arm as a whole; `language` is the declared one, `has_public` says whether an index
    /// of public benchmarks was there.
    pub fn gates(&self, language: &str, has_public: bool) -> BTreeMap<&'static str, Gate> {
        let documents = self.documents;
        let known: u64 = self
            .languages
            .iter()
            .filter(|(code, _)| !code.is_empty())
            .map(|(_, count)| count)
            .sum();
        let declared = self.languages.get(language).copied().unwrap_or(0);
        let share = |part, threshold, what| Gate::share(part, documents, threshold, what);
        let public = if has_public {
            share(
                self.public_hits,
                CONTAMINATION_PPM_MAX,
                "documents share 13 words with a benchmark",
            )
        } else {
            Gate::unchecked("no index of benchmarks was given (`assay evaluate index`)")
        };
        BTreeMap::from([
            (
                "exact_duplicates",
                Gate::share(
                    self.duplicate_tokens,
                    self.tokens,
                    EXACT_DUPLICATES_PPM_MAX,
                    "tokens are in documents that occurred before",
                ),
            ),
            (
                "near_duplicates",
                share(
                    self.near_duplicates,
                    NEAR_DUPLICATES_PPM_MAX,
                    "documents nearly repeat an earlier one",
                ),
            ),
            (
                "repetition",
                share(
                    self.repetitive,
                    REPETITION_PPM_MAX,
                    "documents repeat their own words",
                ),
            ),
            (
                "language",
                Gate::share(
                    known - declared,
                    known,
                    LANGUAGE_PPM_MAX,
                    &format!("documents are in another language than `{language}`"),
                ),
            ),
            (
                "markup",
                share(self.markup, MARKUP_PPM_MAX, "documents are full of tags"),
            ),
            ("contamination", public),
            (
                "held_out",
                share(
                    self.held_out_hits,
                    CONTAMINATION_PPM_MAX,
                    "documents share 13 words with the evaluation text (they were not trained on)",
                ),
            ),
            (
                "readable",
                Gate::share(
                    self.unreadable,
                    documents + self.unreadable,
                    UNREADABLE_PPM_MAX,
                    "lines hold no text",
                ),
            ),
        ])
    }
}
