//! One record's way through the recipe: read, filter the address, extract, run the text steps, hash.
//!
//! [`Engine::refine`] is the product's keystone: a pure function of the record's bytes and the recipe.

use assay_types::{Digest16, Reason, blake3_16, step_reason};

use super::build::Engine;
use super::outcome::{Document, Drop, Outcome, Refined};
use super::page::{self, Page, ReadFacts};
use super::steps::{Passed, Scratch};
use crate::extract::{self, ExtractDrop};
use crate::filter::Verdict;
use crate::output::FeatureRow;
use crate::warc::{ArchiveRecord, WarcRecord};

/// How much to compute beside the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Only what the dataset needs.
    Decision,
    /// Also every filter's features: all steps run, the decision stays that of the first that drops.
    Features,
}

/// What is collected on a record's way.
#[derive(Debug, Default)]
pub(super) struct Way {
    pub(super) trail: Vec<u64>,
    pub(super) features: Option<FeatureRow>,
    pub(super) facts: Facts,
}

/// What decisions rested on and no column holds; for people.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) read: ReadFacts,
    /// The language found, "" if none.
    pub(super) language: Option<&'static str>,
}

impl Way {
    pub(super) fn new(detail: Detail) -> Self {
        Self {
            trail: Vec::new(),
            features: (detail == Detail::Features).then(FeatureRow::default),
            facts: Facts::default(),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: u64) {
        if let Some(features) = &mut self.features {
            features.set(name, value);
        }
    }
}

impl Engine {
    /// Decides on one record.
    pub fn refine(&self, scratch: &mut Scratch, record: &ArchiveRecord, detail: Detail) -> Refined {
        self.refine_with_facts(scratch, record, detail).0
    }

    /// The same, with what the decision rested on.
    pub(super) fn refine_with_facts(
        &self,
        scratch: &mut Scratch,
        record: &ArchiveRecord,
        detail: Detail,
    ) -> (Refined, Facts) {
        let mut way = Way::new(detail);
        way.trail.push(record.length);
        let result = self.outcome(scratch, record, &mut way);
        let is_content = !matches!(&result, Err(drop) if drop.reason == Reason::NotContent);
        let outcome = match result {
            Ok(document) => Outcome::Passed(Box::new(document)),
            Err(drop) => Outcome::Dropped(drop),
        };
        // A record that never reached a step has no features worth a row.
        let reached_steps = way.trail.len() > 3;
        let features = way.features.filter(|_| reached_steps).map(|mut features| {
            if let Outcome::Dropped(drop) = &outcome {
                features.dropped_by = Some(drop.key());
            }
            features
        });
        let refined = Refined {
            idx: record.idx,
            offset: record.offset,
            // Rows are bounded far below 4 GiB by the reader (`row_bytes_max`).
            length: u32::try_from(record.length).unwrap_or(u32::MAX),
            record_digest: if is_content {
                Digest16(record.digest)
            } else {
                Digest16::ZERO
            },
            outcome,
            trail: way.trail,
            features,
        };
        (refined, way.facts)
    }

    fn outcome(
        &self,
        scratch: &mut Scratch,
        record: &ArchiveRecord,
        way: &mut Way,
    ) -> Result<Document, Drop> {
        let warc = page::content_record(&record.content)?;
        way.trail.push(warc.block.len() as u64);
        let url = warc.target_uri().unwrap_or_default();
        let body = page::body(warc, &self.recipe.read, &self.read_limits, &mut way.facts.read)?;
        way.set("read_truncated", u64::from(warc.truncated.is_some()));
        // The address is looked at before the characters are decoded: it costs nothing and saves the rest.
        self.run_early_steps(url, body.len(), way)?;
        let page = page::decode(&body, url, &self.recipe.read, &mut way.facts.read)?;
        let text = self.text(page, way)?;
        let passed = self.run_text_steps(scratch, text, way)?;
        Ok(document(warc, url, passed))
    }

    /// Runs the steps that look only at the address.
    fn run_early_steps(&self, url: &str, html_bytes: u64, way: &mut Way) -> Result<(), Drop> {
        way.trail.push(html_bytes);
        for (k, filter) in (0u8..).zip(self.url_filters.iter().take(self.early_steps())) {
            let outcome = filter.check(url);
            way.set("url_filter_soft_words", u64::from(outcome.features.soft_words));
            if let Verdict::Dropped(why) = outcome.verdict {
                return Err(Drop {
                    reason: step_reason(k),
                    step: "url_filter",
                    why,
                });
            }
            way.trail.push(html_bytes);
        }
        Ok(())
    }

    /// Finds a page's main text.
    fn text(&self, page: Page<'_>, way: &mut Way) -> Result<String, Drop> {
        way.set("read_characters", u64::from(page.decoded.chars));
        way.set("read_replacements", u64::from(page.decoded.replacements));
        let text = if page.is_html {
            extract::extract(&page.decoded.text, &self.extract)
                .map_err(extract_drop)?
                .text
        } else {
            page.decoded.text.into_owned()
        };
        if text.is_empty() {
            return Err(extract_drop(ExtractDrop::Empty));
        }
        if text.chars().count() > self.extract.text_max {
            return Err(extract_drop(ExtractDrop::OverBudget("text")));
        }
        way.trail.push(text.len() as u64);
        way.set("extract_characters", text.chars().count() as u64);
        Ok(text)
    }
}

fn extract_drop(drop: ExtractDrop) -> Drop {
    let (reason, why) = match drop {
        ExtractDrop::OverBudget(budget) => (Reason::OverBudget, budget),
        ExtractDrop::Empty => (Reason::Empty, "empty"),
    };
    Drop {
        reason,
        step: "extract",
        why,
    }
}

fn document(warc: &WarcRecord, url: &str, passed: Passed) -> Document {
    Document {
        text_hash: blake3_16(passed.text.as_bytes()),
        text: passed.text,
        id: warc.id().unwrap_or_default().to_owned(),
        url: url.to_owned(),
        date: warc.date().unwrap_or_default().to_owned(),
        language: passed.language,
        language_score: passed.language_score,
        token_count: passed.token_count,
        bands: passed.bands,
    }
}
