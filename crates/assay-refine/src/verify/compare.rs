//! One row against one record refined anew: which fields differ, and what each difference is called.
//!
//! Used by [`super::Recheck`] for whole archives and for samples alike.

use assay_types::{ColumnClaim, Decision, Digest16, DocsRow, Executed, FaultKind, LedgerRow, Reason};

use super::tables::{Columns, UnitTables, column_fault};
use crate::engine::{Document, Outcome, Refined};
use crate::unit::UnitIdentity;

/// The row a record gets, given the earlier record it duplicates (if any).
pub fn expected_row(refined: &Refined, dup_of: Option<u32>) -> LedgerRow {
    let mut row = LedgerRow {
        idx: refined.idx,
        offset: refined.offset,
        length: refined.length,
        record_digest: refined.record_digest,
        decision: Decision::Drop,
        reason: Reason::Kept,
        dup_of: None,
        text_hash: Digest16::ZERO,
        n_tokens: 0,
    };
    match &refined.outcome {
        Outcome::Dropped(drop) => row.reason = drop.reason,
        Outcome::Passed(document) => {
            row.text_hash = document.text_hash;
            if dup_of.is_some() {
                row.reason = Reason::Duplicate;
                row.dup_of = dup_of;
            } else {
                row.decision = Decision::Keep;
                row.n_tokens = document.token_count;
            }
        }
    }
    row
}

/// The part of a row that re-execution gives.
pub(super) fn executed(row: &LedgerRow) -> Executed {
    Executed {
        decision: row.decision,
        reason: row.reason,
        text_hash: row.text_hash,
        n_tokens: row.n_tokens,
    }
}

/// A column of a document that is not the record's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDifference {
    /// The column.
    pub name: &'static str,
    /// The value re-execution gives, as [`ColumnClaim::value`] shows it.
    pub expected: String,
    /// The value in the document, once it was read again.
    pub found: Option<String>,
}

/// A column's value as a proof shows it; "" for a column that does not exist.
pub fn column_value(row: &DocsRow, column: &str) -> String {
    let shown = match column {
        "text" => return ColumnClaim::value(&row.text),
        "id" => &row.id,
        "dump" => &row.dump,
        "url" => &row.url,
        "date" => &row.date,
        "file_path" => &row.file_path,
        "language" => &row.language,
        "language_score" => &row.language_score_f64().to_string(),
        "token_count" => &row.token_count.to_string(),
        "warc_offset" => &row.warc_offset.to_string(),
        "warc_length" => &row.warc_length.to_string(),
        "record_digest" => &row.record_digest.to_string(),
        "recipe_id" => &row.recipe_id.to_string(),
        _ => "",
    };
    ColumnClaim::value(shown)
}

/// A difference between a dataset and its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) kind: FaultKind,
    pub(super) expected: String,
    pub(super) found: String,
    /// The column, if a document differs and its row does not.
    pub(super) column: Option<ColumnDifference>,
}

/// Compares the fields of two rows for the same place.
pub(super) fn rows(expected: &LedgerRow, found: &LedgerRow) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut differ = |kind: FaultKind, expected: String, found: String| {
        if expected != found {
            differences.push(Difference {
                kind,
                expected,
                found,
                column: None,
            });
        }
    };
    differ(
        FaultKind::DigestWrong,
        format!("record {}", expected.record_digest),
        format!("record {}", found.record_digest),
    );
    let involves_duplicate = [expected.reason, found.reason].contains(&Reason::Duplicate)
        && [expected.reason, found.reason].contains(&Reason::Kept);
    if involves_duplicate || expected.dup_of != found.dup_of {
        differ(FaultKind::DupWrong, duplicate(expected), duplicate(found));
    }
    if !involves_duplicate {
        let decision = |row: &LedgerRow| format!("{:?}", row.decision).to_ascii_lowercase();
        differ(FaultKind::DecisionChanged, decision(expected), decision(found));
        let reason = |row: &LedgerRow| format!("reason {}", row.reason.to_u8());
        differ(FaultKind::ReasonChanged, reason(expected), reason(found));
    }
    differ(
        FaultKind::TextChanged,
        format!("text {}", expected.text_hash),
        format!("text {}", found.text_hash),
    );
    if !involves_duplicate {
        differ(
            FaultKind::CountLied,
            format!("{} tokens", expected.n_tokens),
            format!("{} tokens", found.n_tokens),
        );
    }
    differences
}

fn duplicate(row: &LedgerRow) -> String {
    row.dup_of.map_or_else(
        || "no duplicate".to_owned(),
        |of| format!("duplicate of row {of}"),
    )
}

/// Compares band keys and document columns of a passed record with what the dataset holds for row `idx`.
pub(super) fn contents(
    tables: &UnitTables,
    identity: &UnitIdentity,
    expected: &LedgerRow,
    document: &Document,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    if tables.bands(expected.idx) != document.bands.as_ref() {
        differences.push(Difference {
            kind: FaultKind::BandsWrong,
            expected: "the text's band keys".to_owned(),
            found: if tables.bands(expected.idx).is_some() {
                "other keys"
            } else {
                "no keys"
            }
            .to_owned(),
            column: None,
        });
    }
    if expected.decision == Decision::Keep
        && let Some(found) = tables.document(expected.idx)
    {
        let wanted = document_row(identity, expected, document);
        for name in Columns::of(&wanted).differing(found) {
            differences.push(Difference {
                kind: column_fault(name),
                expected: format!("the record's {name}"),
                found: format!("another {name}"),
                column: Some(ColumnDifference {
                    name,
                    expected: column_value(&wanted, name),
                    found: None,
                }),
            });
        }
    }
    differences
}

/// The documents row of a kept record.
pub fn document_row(identity: &UnitIdentity, row: &LedgerRow, document: &Document) -> DocsRow {
    DocsRow {
        text: document.text.clone(),
        id: document.id.clone(),
        dump: identity.dump.clone(),
        url: document.url.clone(),
        date: document.date.clone(),
        file_path: identity.path.clone(),
        language: document.language.to_owned(),
        language_score: document.language_score,
        token_count: i64::from(document.token_count),
        warc_offset: row.offset,
        warc_length: row.length,
        record_digest: row.record_digest,
        recipe_id: identity.recipe_id,
    }
}
