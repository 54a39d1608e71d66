//! An arm: the documents of one dataset, examined for the gates and sampled for the model as they are read.
//!
//! Batches of documents come in, in the dataset's order; documents that share a 13-gram with the held-out text are counted and
//! left out of the sample. Examining runs in parallel, counting in order, so threads change nothing.

use std::collections::BTreeMap;

use assay_types::{Tokens, blake3_16};
use rayon::prelude::*;

use crate::contamination::GramIndex;
use crate::gates::{Examiner, Facts, Gate, Tally};
use crate::profile::Profile;
use crate::sample::Sample;

/// Most documents of a dataset: their hashes and bands take about a gigabyte.
pub const DOCUMENTS_MAX: u64 = 4_000_000;

/// One training document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingDocument {
    /// Its id; empty if it has none, then its text's hash stands in.
    pub id: String,
    /// Its text.
    pub text: String,
}

/// What documents are held against.
#[derive(Debug, Clone)]
pub struct Against {
    /// 13-grams of the held-out text.
    pub held_out: GramIndex,
    /// 13-grams of public benchmarks, if an index was given.
    pub public: Option<GramIndex>,
    /// ISO code of the declared language.
    pub language: String,
}

/// One dataset on its way through stages 0 and 1.
#[derive(Debug)]
pub struct Arm {
    /// Its name in reports.
    pub name: String,
    samples: Vec<Sample>,
    tally: Tally,
    examiners: Vec<Examiner>,
}

impl Arm {
    /// An empty arm that samples for each of the profiles.
    pub fn new(name: impl Into<String>, profiles: &[Profile], seed: &[u8]) -> Self {
        let examiners = (0..rayon::current_num_threads().max(1)).map(|_| Examiner::default());
        Self {
            name: name.into(),
            samples: profiles
                .iter()
                .map(|profile| Sample::new(*profile, seed))
                .collect(),
            tally: Tally::default(),
            examiners: examiners.collect(),
        }
    }

    /// Takes documents; empty texts are passed over.
    pub fn push(&mut self, documents: &[TrainingDocument], against: &Against) {
        let none = GramIndex::default();
        let public = against.public.as_ref().unwrap_or(&none);
        let each = documents.len().div_ceil(self.examiners.len()).max(1);
        let facts: Vec<Vec<Facts>> = self
            .examiners
            .par_iter_mut()
            .zip(documents.par_chunks(each))
            .map(|(examiner, documents)| {
                let facts =
                    |document: &TrainingDocument| examiner.facts(&document.text, &against.held_out, public);
                documents.iter().map(facts).collect()
            })
            .collect();
        for (document, facts) in documents.iter().zip(facts.iter().flatten()) {
            if document.text.is_empty() {
                continue;
            }
            self.tally.push(facts);
            if facts.hits_held_out {
                continue;
            }
            let hash = blake3_16(document.text.as_bytes());
            let id = if document.id.is_empty() {
                hash.as_bytes()
            } else {
                document.id.as_bytes()
            };
            for sample in &mut self.samples {
                sample.push(id, &facts.tokens);
            }
        }
    }

    /// Counts lines of the input that hold no text.
    pub fn add_unreadable(&mut self, lines: u64) {
        self.tally.unreadable += lines;
    }

    /// Whether more documents are taken.
    pub fn is_full(&self) -> bool {
        self.tally.documents >= DOCUMENTS_MAX
    }

    /// What was counted.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The sample for the profile at `place`.
    pub fn sample(&self, place: usize) -> Option<&Sample> {
        self.samples.get(place)
    }

    /// Tokens of the smallest fold for the profile at `place`.
    pub fn smallest_fold(&self, place: usize) -> Tokens {
        self.sample(place).map_or(Tokens(0), Sample::smallest_fold)
    }

    /// The gates by name.
    pub fn gates(&self, against: &Against) -> BTreeMap<&'static str, Gate> {
        self.tally.gates(&against.language, against.public.is_some())
    }
}
