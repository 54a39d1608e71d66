//! Ore: all visible text of an evaluation's or a duel's archives, read page by page.
//!
//! What a page shows is [`assay_eval::ore`]'s business; here records are found and decoded as refining does. Texts that
//! were made of pages before are read as any other input.

use assay_eval::arm::{Against, Arm, TrainingDocument};
use assay_eval::ore::visible_text;
use assay_hub::{OpenOptions, Source};
use assay_refine::charset;
use assay_refine::html::{ParseLimits, parse};
use assay_refine::http::{decoded_body, parse_response};
use assay_refine::media::{Media, media_type};
use assay_refine::warc::{ArchiveReader, ArchiveRecord, ReadLimits, RecordContent, RecordKind};
use assay_types::blake3_16;

use super::{EvaluateError, Input};
use crate::local::LocalError;

/// Pages whose text is held at once.
const PAGES: usize = 256;

/// Where ore comes from.
#[derive(Debug, Clone, Copy)]
pub enum Ore<'a> {
    /// Texts that somebody made of all pages.
    Texts(&'a Input),
    /// The archives themselves.
    Archives {
        /// The archives.
        sources: &'a [Source],
        /// How to open them.
        open: &'a OpenOptions,
    },
}

/// Adds the visible text of every HTML page of some archives.
///
/// # Errors
/// [`LocalError`]: an archive that cannot be read, archives without a page.
pub(super) fn read_archives(
    sources: &[Source],
    open: &OpenOptions,
    ore: &mut Arm,
    against: &Against,
) -> Result<(), LocalError> {
    for source in sources {
        read_archive(source, open, ore, against)?;
    }
    if ore.tally().documents > 0 {
        return Ok(());
    }
    Err(EvaluateError::NoPages {
        archives: sources
            .iter()
            .map(|source| source.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    }
    .into())
}

fn read_archive(
    source: &Source,
    open: &OpenOptions,
    ore: &mut Arm,
    against: &Against,
) -> Result<(), LocalError> {
    let limits = ReadLimits::default();
    let archive = |error| LocalError::Archive {
        input: source.name.clone(),
        source: error,
    };
    let reader = ArchiveReader::new(assay_hub::open(source, open)?, limits).map_err(archive)?;
    let mut batch = Vec::new();
    for record in reader {
        let record = record.map_err(LocalError::io(&source.name))?;
        if let Some(text) = text_of(&record, &limits) {
            batch.push(TrainingDocument {
                // Pages of equal text are told apart by their place, whatever the archive is called.
                id: format!("{}@{}", blake3_16(text.as_bytes()), record.offset),
                url: String::new(),
                text,
            });
        }
        if batch.len() >= PAGES {
            ore.push(&batch, against);
            batch.clear();
        }
        if ore.is_over() {
            let path = std::path::PathBuf::from(&source.name);
            return Err(EvaluateError::TooLarge { path }.into());
        }
    }
    ore.push(&batch, against);
    Ok(())
}

/// All visible text of a page that was found.
fn text_of(record: &ArchiveRecord, limits: &ReadLimits) -> Option<String> {
    let RecordContent::Record(content) = &record.content else {
        return None;
    };
    if content.kind != RecordKind::Response {
        return None;
    }
    let response = parse_response(&content.block, limits).ok()?;
    let body = decoded_body(&response, limits).ok()?;
    let media = media_type(None, response.content_type(), &body);
    if response.status != 200 || !matches!(media, Media::Html | Media::Xhtml) {
        return None;
    }
    let html = charset::decode(&body, response.content_type(), None).text;
    let page = parse(&html, &ParseLimits::default()).ok()?;
    Some(visible_text(&page)).filter(|text| !text.is_empty())
}
