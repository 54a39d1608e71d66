//! An arm: the documents of one dataset, examined for the gates and sampled for the model as they are read.
//!
//! Batches of documents come in, in the dataset's order; documents that share a 13-gram with the held-out text are counted and
//! left out of the sample. Examining runs in parallel, counting in order, so threads change nothing.

use std::collections::BTreeMap;

use assay_types::{Tokens, blake3_16};
use rayon::prelude::*;

use crate::contamination::{GramIndex, MarkedIndex};
use crate::gates::{Examiner, Facts, Gate, SharedLines, Tally};
use crate::profile::Profile;
use crate::sample::Sample;

/// Most documents of a dataset: their hashes and bands take about a gigabyte.
pub const DOCUMENTS_MAX: u64 = 4_000_000;

/// One training document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingDocument {
    /// Its id; empty if it has none, then its text's hash stands in.
    pub id: String,
    /// Where it was published; empty if unknown.
    pub url: String,
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
    /// 13-grams of evaluation text that was public before, if it was given.
    pub public_text: Option<GramIndex>,
    /// 13-grams of the benchmarks that models answer, in their order.
    pub benchmarks: MarkedIndex,
    /// ISO code of the declared language.
    pub language: String,
}

impl Against {
    /// Held-out text and a language, without indexes of public text.
    pub fn held_out(index: GramIndex, language: &str) -> Self {
        Self {
            held_out: index,
            public: None,
            public_text: None,
            benchmarks: MarkedIndex::default(),
            language: language.to_owned(),
        }
    }
}

/// One dataset on its way through stages 0 and 1.
#[derive(Debug)]
pub struct Arm {
    /// Its name in reports.
    pub name: String,
    samples: Vec<Sample>,
    tally: Tally,
    shared_lines: SharedLines,
    examiners: Vec<Examiner>,
    provenance: Option<Gate>,
    crawl_bytes: Option<u64>,
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
            shared_lines: SharedLines::default(),
            examiners: examiners.collect(),
            provenance: None,
            crawl_bytes: None,
        }
    }

    /// Takes documents; an empty text is none and counts as unreadable.
    pub fn push(&mut self, documents: &[TrainingDocument], against: &Against) {
        let none = GramIndex::default();
        let [public, public_text] =
            [&against.public, &against.public_text].map(|index| index.as_ref().unwrap_or(&none));
        let indexes = [&against.held_out, public, public_text];
        let each = documents.len().div_ceil(self.examiners.len()).max(1);
        let facts: Vec<Vec<Facts>> = self
            .examiners
            .par_iter_mut()
            .zip(documents.par_chunks(each))
            .map(|(examiner, documents)| {
                let facts = |document: &TrainingDocument| {
                    examiner.facts(&document.text, indexes, &against.benchmarks)
                };
                documents.iter().map(facts).collect()
            })
            .collect();
        for (document, facts) in documents.iter().zip(facts.iter().flatten()) {
            if document.text.is_empty() {
                self.tally.unreadable += 1;
                continue;
            }
            self.tally.push(facts);
            self.shared_lines
                .push(&facts.text_hash, &document.url, &document.text);
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

    /// Whether it has more than [`DOCUMENTS_MAX`] documents: more than are measured.
    pub fn is_over(&self) -> bool {
        self.tally.documents > DOCUMENTS_MAX
    }

    /// What recomputing the dataset from its archives gave: the gate `provenance`.
    pub fn set_provenance(&mut self, gate: Gate) {
        self.provenance = Some(gate);
    }

    /// Bytes of the archives that the dataset was made from, compressed as a crawl stores them.
    pub fn set_crawl_bytes(&mut self, bytes: u64) {
        self.crawl_bytes = Some(bytes);
    }

    /// Tokens for each 10^9 bytes of archives, rounded down; none if the archives are not known.
    pub fn tokens_per_gb(&self) -> Option<u64> {
        let tokens = u128::from(self.tally.tokens) * 1_000_000_000;
        let yielded = tokens.checked_div(u128::from(self.crawl_bytes?))?;
        u64::try_from(yielded).ok()
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
        let mut gates = self.tally.gates(&against.language, against.public.is_some());
        gates.insert("shared_lines", self.shared_lines.gate());
        let provenance = self.provenance.clone().unwrap_or_else(|| {
            Gate::unchecked("a dataset of ours is recomputed from its archives with `--warc`")
        });
        gates.insert("provenance", provenance);
        gates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::NGRAM_SMALL;

    fn against() -> Against {
        Against::held_out(GramIndex::default(), "en")
    }

    #[test]
    fn empty_texts_are_unreadable() {
        let mut arm = Arm::new("a", &[NGRAM_SMALL], b"s");
        let document = |text: &str| TrainingDocument {
            id: String::new(),
            url: String::new(),
            text: text.to_owned(),
        };
        arm.push(&[document("The river rose in spring."), document("")], &against());
        assert_eq!((arm.tally().documents, arm.tally().unreadable), (1, 1));
        assert_eq!(arm.gates(&against())["readable"].passed, Some(false));
    }

    /// Found by review: a dataset of exactly the bound was refused as larger.
    #[test]
    fn the_bound_itself_is_measured() {
        let mut arm = Arm::new("a", &[NGRAM_SMALL], b"s");
        arm.tally.documents = DOCUMENTS_MAX;
        assert!(!arm.is_over());
        arm.tally.documents += 1;
        assert!(arm.is_over());
    }

    #[test]
    fn yield_is_tokens_of_a_billion_bytes_of_archives() {
        let mut arm = Arm::new("a", &[NGRAM_SMALL], b"s");
        assert_eq!(arm.tokens_per_gb(), None);
        arm.tally.tokens = 3_000;
        arm.set_crawl_bytes(2_000_000);
        assert_eq!(arm.tokens_per_gb(), Some(1_500_000));
        arm.set_crawl_bytes(0);
        assert_eq!(arm.tokens_per_gb(), None);
    }

    #[test]
    fn provenance_is_what_recomputing_gave() {
        let mut arm = Arm::new("a", &[NGRAM_SMALL], b"s");
        let gate = &arm.gates(&against())["provenance"];
        assert!(gate.passed.is_none() && gate.why.contains("--warc"), "{gate:?}");
        arm.set_provenance(Gate::condition(false, "2 of 16 rows differ"));
        let gate = &arm.gates(&against())["provenance"];
        assert_eq!(
            (gate.passed, gate.why.as_str()),
            (Some(false), "2 of 16 rows differ")
        );
    }
}
