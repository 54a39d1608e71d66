//! Counts of a run: how many records and bytes survived each stage, and why the others did not.
//!
//! Filled by [`super::UnitWriter`], added up over units by the driver, shown by [`crate::report`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::Refined;

/// What came through one stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageCount {
    /// Stage name, as in [`crate::engine::Engine::stages`].
    pub stage: String,
    /// Records that survived it.
    pub records: u64,
    /// Bytes those records hold after it (bytes of the rows, then page bytes, then text bytes).
    pub bytes: u64,
}

/// Counts of one or more units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records of every type.
    pub records: u64,
    /// Documents in the dataset.
    pub kept: u64,
    /// GPT-2 tokens of the kept documents, before the PII stage.
    pub tokens: u64,
    /// UTF-8 bytes of the kept documents' text.
    pub text_bytes: u64,
    /// Archive bytes read: as they are stored, also where rows count what the archive inflates to.
    pub archive_bytes: u64,
    /// Survivors of each stage, in order; the last is `kept`.
    pub stages: Vec<StageCount>,
    /// Dropped records by `<step>.<reason>`.
    pub dropped: BTreeMap<String, u64>,
}

/// The last stage of every funnel: what in-unit deduplication left.
pub const KEPT_STAGE: &str = "kept";

impl Counts {
    /// Zeroes for the given stages and the final one.
    pub fn new(stages: &[&str]) -> Self {
        let stages = stages.iter().chain([&KEPT_STAGE]);
        Self {
            stages: stages
                .map(|stage| StageCount {
                    stage: (*stage).to_owned(),
                    ..StageCount::default()
                })
                .collect(),
            ..Self::default()
        }
    }

    /// Counts one record's way; `kept` is the text length if it stays in the dataset.
    pub(super) fn observe(&mut self, refined: &Refined, kept: Option<u64>) {
        self.records += 1;
        self.archive_bytes += u64::from(refined.length);
        for (count, bytes) in self.stages.iter_mut().zip(&refined.trail) {
            count.records += 1;
            count.bytes += bytes;
        }
        if let (Some(bytes), Some(last)) = (kept, self.stages.last_mut()) {
            last.records += 1;
            last.bytes += bytes;
        }
    }

    /// Counts one dropped record.
    pub(super) fn drop(&mut self, key: String) {
        *self.dropped.entry(key).or_default() += 1;
    }

    /// Adds another unit's counts; stages of another recipe are added by position.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.kept += other.kept;
        self.tokens += other.tokens;
        self.text_bytes += other.text_bytes;
        self.archive_bytes += other.archive_bytes;
        for (mine, theirs) in self.stages.iter_mut().zip(&other.stages) {
            mine.records += theirs.records;
            mine.bytes += theirs.bytes;
        }
        for (key, count) in &other.dropped {
            *self.dropped.entry(key.clone()).or_default() += count;
        }
    }
}
