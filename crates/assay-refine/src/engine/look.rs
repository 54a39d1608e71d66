//! One record's page as people read it, beside what the recipe made of it.

use super::build::Engine;
use super::page;
use crate::extract::{JudgedBlock, judged_blocks};
use crate::warc::ArchiveRecord;

impl Engine {
    /// The blocks of a record's page, main text and the rest; none if the record is no page, or breaks a budget.
    pub fn look(&self, record: &ArchiveRecord) -> Vec<JudgedBlock> {
        let Ok(warc) = page::content_record(&record.content) else {
            return Vec::new();
        };
        let url = warc.target_uri().unwrap_or_default();
        let mut facts = page::ReadFacts::default();
        let Ok(body) = page::body(warc, &self.recipe.read, &self.read_limits, &mut facts) else {
            return Vec::new();
        };
        match page::decode(&body, url, &self.recipe.read, &mut facts) {
            Ok(page) if page.is_html => judged_blocks(&page.decoded.text, &self.extract).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}
