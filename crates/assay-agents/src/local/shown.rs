//! Audited rows as people look at them: what re-execution gave, beside the page it came from.
//!
//! Takes rows of a unit and its archive; gives bounded [`SampleRow`]s. Texts are cut at characters, never in one.

use assay_hub::Source;
use assay_refine::engine::{Detail, Engine, Outcome, Scratch};
use assay_refine::extract::JudgedBlock;
use assay_refine::warc::{ArchiveRecord, Compression, RecordContent};
use assay_types::{
    LedgerRow, ManifestUnit, Reason, SAMPLE_BLOCKS_MAX, SAMPLE_NAME_BYTES_MAX, SAMPLE_TEXT_BYTES_MAX,
    SampleBlock, SampleRow,
};

use super::error::LocalError;
use super::verify::{InRange, VerifyJob, archive_of, compression_of, record_of};

/// Most bytes shown of a block that extraction left out.
const CUT_BLOCK_BYTES_MAX: usize = 300;

/// The rows as re-execution gives them; a row whose range holds no record of its own is left out.
pub(crate) fn shown_rows(
    job: &VerifyJob<'_>,
    unit: &ManifestUnit,
    rows: &[LedgerRow],
) -> Result<Vec<SampleRow>, LocalError> {
    let archive: &Source = archive_of(job, unit)?;
    let compression: Compression = compression_of(job, archive)?;
    let mut scratch = Scratch::new();
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        if let InRange::Record(record, 0) = record_of(job, archive, compression, row)? {
            shown.push(shown_row(job.engine, &mut scratch, &record, (unit, row)));
        }
    }
    Ok(shown)
}

fn shown_row(
    engine: &Engine,
    scratch: &mut Scratch,
    record: &ArchiveRecord,
    (unit, row): (&ManifestUnit, &LedgerRow),
) -> SampleRow {
    let refined = engine.refine(scratch, record, Detail::Decision);
    let url = match &record.content {
        RecordContent::Record(warc) => warc.target_uri().unwrap_or_default(),
        _ => "",
    };
    let (blocks, is_cut) = bounded(&engine.look(record));
    let mut shown = SampleRow {
        unit: unit.unit_id,
        idx: row.idx,
        url: plain(clip(url, SAMPLE_NAME_BYTES_MAX)),
        decision: String::new(),
        language: String::new(),
        tokens: 0,
        text: String::new(),
        text_bytes: 0,
        blocks,
        is_cut,
    };
    match refined.outcome {
        Outcome::Dropped(drop) => shown.decision = drop.key(),
        Outcome::Passed(document) => {
            document.language.clone_into(&mut shown.language);
            // Whether an earlier row is its duplicate is a matter of the unit, which the ledger says.
            if row.reason == Reason::Duplicate {
                "minhash.duplicate".clone_into(&mut shown.decision);
            } else {
                "kept".clone_into(&mut shown.decision);
                shown.tokens = document.token_count;
                shown.text = plain(clip(&document.text, SAMPLE_TEXT_BYTES_MAX));
                shown.text_bytes = document.text.len() as u64;
            }
        }
    }
    shown
}

/// The blocks within the bounds of a sample, neighbours with the same reason joined; whether anything is missing.
fn bounded(page: &[JudgedBlock]) -> (Vec<SampleBlock>, bool) {
    let mut blocks: Vec<SampleBlock> = Vec::new();
    let (mut room, mut is_cut) = (SAMPLE_TEXT_BYTES_MAX, false);
    for block in page {
        let cut = block.cut.unwrap_or_default();
        let text = block.text.trim();
        let joins = blocks.last().is_some_and(|last| last.cut == cut);
        if !joins && blocks.len() == SAMPLE_BLOCKS_MAX {
            return (blocks, true);
        }
        let held = blocks
            .last()
            .filter(|_| joins)
            .map_or(0, |last| last.text.len() + 1);
        let most = if cut.is_empty() {
            room
        } else {
            room.min(CUT_BLOCK_BYTES_MAX.saturating_sub(held))
        };
        let part = clip(text, most.saturating_sub(1));
        is_cut |= part.len() < text.len();
        if part.is_empty() {
            continue;
        }
        room = room.saturating_sub(part.len() + 1);
        match blocks.last_mut().filter(|_| joins) {
            Some(last) => {
                last.text.push('\n');
                last.text.push_str(&plain(part));
            }
            None => blocks.push(SampleBlock {
                text: plain(part),
                cut: cut.to_owned(),
            }),
        }
    }
    (blocks, is_cut)
}

/// The text with spaces for control characters other than ends of lines: they cannot be seen, and take six bytes each in JSON.
fn plain(text: &str) -> String {
    let visible = |sign: char| match sign {
        '\n' => sign,
        sign if sign.is_control() => ' ',
        sign => sign,
    };
    text.chars().map(visible).collect()
}

/// The longest beginning of at most so many bytes that ends at a character.
fn clip(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str, cut: Option<&'static str>) -> JudgedBlock {
        JudgedBlock {
            text: text.to_owned(),
            cut,
        }
    }

    #[test]
    fn a_page_is_cut_to_its_bounds_at_characters() {
        let page: Vec<JudgedBlock> = (0..200)
            .map(|at| block(&"é".repeat(400), (at % 2 == 1).then_some("not main text")))
            .collect();
        let (blocks, is_cut) = bounded(&page);
        let bytes: usize = blocks.iter().map(|block| block.text.len()).sum();
        assert!(
            is_cut && blocks.len() <= SAMPLE_BLOCKS_MAX && bytes <= SAMPLE_TEXT_BYTES_MAX,
            "{bytes}"
        );
        assert!(
            blocks
                .iter()
                .filter(|block| !block.cut.is_empty())
                .all(|block| block.text.len() <= CUT_BLOCK_BYTES_MAX)
        );
        assert_eq!(
            blocks[0].text.len(),
            800,
            "main text is whole as long as there is room"
        );
    }

    #[test]
    fn neighbours_with_one_reason_are_one_block() {
        let page = [
            block("Home", Some("not main text")),
            block("Shop", Some("not main text")),
            block("Bread rises.", None),
        ];
        let (blocks, is_cut) = bounded(&page);
        let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!((texts, is_cut), (vec!["Home\nShop", "Bread rises."], false));
    }
}
