//! What becomes of one record: a document or a counted reason, before deduplication looks at its neighbours.
//!
//! Made by [`super::Engine`], consumed in ledger order by [`crate::unit::UnitWriter`] and by re-execution.

use assay_types::{BandKeys, Digest16, Reason, RecordDigest};

use crate::output::FeatureRow;

/// Where and why a record was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drop {
    /// The ledger's reason code.
    pub reason: Reason,
    /// Stage or step that dropped it: `read`, `extract`, or the step's kind (`gopher_quality`).
    pub step: &'static str,
    /// What in that step: `http_status`, `gopher_short_doc`, …
    pub why: &'static str,
}

impl Drop {
    /// `<step>.<reason>`, the key of drop counts in reports.
    pub fn key(&self) -> String {
        format!("{}.{}", self.step, self.why)
    }
}

/// A record that passed every record step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Final text, after the PII stage.
    pub text: String,
    /// BLAKE3 (16 bytes) of `text`.
    pub text_hash: Digest16,
    /// `WARC-Record-ID`, as written in the archive (`<urn:uuid:…>`).
    pub id: String,
    /// `WARC-Target-URI`.
    pub url: String,
    /// `WARC-Date`.
    pub date: String,
    /// ISO 639-1 code, empty without a language step.
    pub language: &'static str,
    /// Language score in 1/65,536.
    pub language_score: u32,
    /// GPT-2 tokens of the text before the PII stage.
    pub token_count: u32,
    /// Band keys of the text before the PII stage; `None` without a `minhash` step or under 5 words.
    pub bands: Option<BandKeys>,
}

/// The decision on one record alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Not in the dataset.
    Dropped(Drop),
    /// In the dataset unless an earlier record of the unit shares a band.
    Passed(Box<Document>),
}

/// One record with its place in the archive and its outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Refined {
    /// Record number in the archive, from 0.
    pub idx: u32,
    /// First byte in the archive (of the gzip member, or of the inflated stream where the ledger says so).
    pub offset: u64,
    /// Bytes in the archive.
    pub length: u32,
    /// BLAKE3 (16 bytes) of those bytes; zero for records that are not content.
    pub record_digest: RecordDigest,
    /// The decision.
    pub outcome: Outcome,
    /// Bytes left after each stage the record survived, in the order of [`super::Engine::stages`].
    pub trail: Vec<u64>,
    /// Feature columns, when asked for.
    pub features: Option<FeatureRow>,
}

impl Refined {
    /// Bytes this value holds, for bounds on queues.
    pub fn weight(&self) -> usize {
        let text = match &self.outcome {
            Outcome::Passed(document) => document.text.len() + document.url.len() + document.id.len(),
            Outcome::Dropped(_) => 0,
        };
        text + 512
    }
}
