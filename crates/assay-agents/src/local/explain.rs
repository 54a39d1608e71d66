//! `assay refine --explain`: finds one record in the archives and shows its way through the recipe.
//!
//! Archives are read until the record is found; nothing is written.

use assay_hub::{OpenOptions, Source};
use assay_refine::engine::{Engine, Explanation, Scratch};
use assay_refine::warc::{ArchiveReader, ArchiveRecord, RecordContent, RecordKind};

use super::error::LocalError;
use super::refine::{archive_error, read_error};

/// Explains the first record whose address, record id or number is `needle`; content records go before requests and
/// metadata of the same address.
pub fn explain(
    sources: &[Source],
    open: &OpenOptions,
    engine: &Engine,
    needle: &str,
) -> Result<Explanation, LocalError> {
    for source in sources {
        let input = assay_hub::open(source, open)?;
        let mut reader = ArchiveReader::new(input, engine.read_limits()).map_err(archive_error(source))?;
        while let Some(record) = reader.next_record().map_err(read_error(source))? {
            if is_named(&record, needle) {
                return Ok(engine.explain(&mut Scratch::new(), &record));
            }
        }
    }
    Err(LocalError::NoRecord {
        needle: needle.to_owned(),
    })
}

fn is_named(record: &ArchiveRecord, needle: &str) -> bool {
    if needle.parse() == Ok(record.idx) {
        return true;
    }
    let RecordContent::Record(warc) = &record.content else {
        return false;
    };
    let bare = |id: &str| {
        id.trim_start_matches('<')
            .trim_end_matches('>')
            .trim_start_matches("urn:uuid:")
            .to_owned()
    };
    if warc.id().is_some_and(|id| bare(id) == bare(needle)) {
        return true;
    }
    let has_content = matches!(
        warc.kind,
        RecordKind::Response | RecordKind::Resource | RecordKind::Conversion
    );
    has_content && warc.target_uri() == Some(needle)
}
