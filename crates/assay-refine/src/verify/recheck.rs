//! Compares a unit's ledger with records refined anew: the whole archive in order, or single rows.
//!
//! [`Recheck::next`] takes every record of the archive; [`Recheck::row`] one sampled row. Findings hold what a fraud
//! proof needs.

use assay_types::{DocsRow, Executed, Fault, FaultKind, LedgerRow};

use super::compare::{self, ColumnDifference, Difference};
use super::tables::UnitTables;
use crate::engine::{Outcome, Refined};
use crate::minhash::UnitDedup;
use crate::unit::UnitIdentity;

/// A fault with what is needed to prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The fault.
    pub fault: Fault,
    /// Place of the row in the ledger, if it is about one.
    pub row: Option<u32>,
    /// The row the record gets, if there is a record at that place.
    pub expected: Option<LedgerRow>,
    /// The column that differs, if only a document does.
    pub column: Option<ColumnDifference>,
}

impl Finding {
    /// What re-execution gives.
    pub fn executed(&self) -> Option<Executed> {
        self.expected.as_ref().map(compare::executed)
    }

    /// Takes the value of the differing column from the document; the tables keep only its digest.
    pub fn show_column(&mut self, document: &DocsRow) {
        let Some(column) = &mut self.column else { return };
        let found = compare::column_value(document, column.name);
        // A text is too long to be read in a message.
        if column.name != "text" {
            self.fault.expected = format!("{} `{}`", column.name, column.expected.escape_debug());
            self.fault.found = format!("`{}`", found.escape_debug());
        }
        column.found = Some(found);
    }
}

/// Compares one unit.
#[derive(Debug)]
pub struct Recheck<'a> {
    tables: &'a UnitTables,
    identity: UnitIdentity,
    dedup: UnitDedup,
    /// Place in the ledger of the next row to compare.
    at: u32,
    /// For each record so far the number its row has: another one than the record's own behind a hidden or added row.
    numbers: Vec<Option<u32>>,
    /// Records compared.
    checked: u64,
    findings: Vec<Finding>,
}

impl<'a> Recheck<'a> {
    /// Starts at the first row.
    pub fn new(tables: &'a UnitTables, identity: UnitIdentity) -> Self {
        Self {
            tables,
            identity,
            dedup: UnitDedup::new(),
            at: 0,
            numbers: Vec::new(),
            checked: 0,
            findings: Vec::new(),
        }
    }

    /// Takes the archive's next record; every record comes, in order.
    pub fn next(&mut self, refined: &Refined) {
        let dup_of = match &refined.outcome {
            Outcome::Passed(document) => document
                .bands
                .and_then(|bands| self.dedup.observe(refined.idx, &bands.0)),
            Outcome::Dropped(_) => None,
        };
        // Hiding or adding a row is one fault, not one more in each row behind it.
        let dup_of = dup_of.map(|record| {
            self.numbers
                .get(record as usize)
                .copied()
                .flatten()
                .unwrap_or(record)
        });
        let expected = compare::expected_row(refined, dup_of);
        self.numbers.push(None);
        // Rows that start before this record stand for no record.
        while let Some(row) = self
            .tables
            .row(self.at)
            .copied()
            .filter(|row| row.offset < expected.offset)
        {
            let kind = if row.record_digest == expected.record_digest && !row.record_digest.is_zero() {
                FaultKind::OffsetMoved
            } else {
                FaultKind::RowAdded
            };
            self.find_row(
                kind,
                row,
                [
                    format!("no record at byte {}", row.offset),
                    format!("row {}", row.idx),
                ],
                None,
            );
            self.at += 1;
            if kind == FaultKind::OffsetMoved {
                self.number(&row);
                return;
            }
        }
        match self.tables.row(self.at).copied() {
            Some(row) if row.offset == expected.offset => {
                self.at += 1;
                self.number(&row);
                self.compare(expected, &row, refined);
            }
            Some(row) if row.record_digest == expected.record_digest && !row.record_digest.is_zero() => {
                let shown = |row: &LedgerRow| format!("{}+{}", row.offset, row.length);
                self.find_row(
                    FaultKind::OffsetMoved,
                    row,
                    [shown(&expected), shown(&row)],
                    Some(expected),
                );
                self.at += 1;
                self.number(&row);
            }
            _ => self.hidden(expected),
        }
    }

    /// The record has no row: its bytes are inside the row before, in a gap, or behind the last row.
    fn hidden(&mut self, expected: LedgerRow) {
        let row = self.at.checked_sub(1).filter(|at| self.tables.row(*at).is_some());
        let fault = self.tables.fault(
            FaultKind::RowHidden,
            Some((expected.idx, expected.offset)),
            format!("a row for the record at {}+{}", expected.offset, expected.length),
            "none".to_owned(),
        );
        self.findings.push(Finding {
            fault,
            row,
            expected: Some(expected),
            column: None,
        });
    }

    /// Notes the number of this record's row.
    fn number(&mut self, row: &LedgerRow) {
        if let Some(number) = self.numbers.last_mut() {
            *number = Some(row.idx);
        }
    }

    /// Compares one sampled row with the record at its range. Duplicates are judged by the filed band keys.
    pub fn row(&mut self, row: &LedgerRow, refined: &Refined) {
        let mut refined = refined.clone();
        refined.idx = row.idx;
        refined.offset = row.offset;
        // The tables have replayed the deduplication over the filed keys; here the keys themselves are compared.
        let passed = matches!(refined.outcome, Outcome::Passed(_));
        let expected = compare::expected_row(&refined, row.dup_of.filter(|_| passed));
        self.compare(expected, row, &refined);
    }

    /// A sampled row whose range holds no single record.
    pub fn misplaced(&mut self, row: &LedgerRow, kind: FaultKind, found: String) {
        self.checked += 1;
        self.find_row(kind, *row, ["exactly one record".to_owned(), found], None);
    }

    fn compare(&mut self, expected: LedgerRow, found: &LedgerRow, refined: &Refined) {
        self.checked += 1;
        if found.length < expected.length {
            let shown = |row: &LedgerRow| format!("{} bytes", row.length);
            self.find_row(
                FaultKind::OffsetMoved,
                *found,
                [shown(&expected), shown(found)],
                Some(expected),
            );
            return;
        }
        if found.length > expected.length {
            // A longer row hides the record behind it, which gets its own finding when it comes; or it overlaps that row.
            self.overlap(found);
        }
        let mut differences = if expected.length == found.length {
            compare::rows(&expected, found)
        } else {
            Vec::new()
        };
        if differences.is_empty()
            && let Outcome::Passed(document) = &refined.outcome
        {
            // Bands and documents are filed under the ledger's own numbers.
            let here = LedgerRow {
                idx: found.idx,
                ..expected
            };
            differences = compare::contents(self.tables, &self.identity, &here, document);
        }
        for Difference {
            kind,
            expected: wanted,
            found: has,
            column,
        } in differences
        {
            let fault = self
                .tables
                .fault(kind, Some((found.idx, found.offset)), wanted, has);
            let row = self.place_of(found);
            self.findings.push(Finding {
                fault,
                row,
                expected: Some(expected),
                column,
            });
        }
    }

    /// The row behind `row`, if it starts inside it.
    fn overlap(&mut self, row: &LedgerRow) {
        let next = self
            .place_of(row)
            .and_then(|at| self.tables.row(at.checked_add(1)?));
        if let Some(next) = next.copied().filter(|next| next.offset < row.end()) {
            let expected = format!("a row at {}, where the one before it ends", row.end());
            self.find_row(
                FaultKind::OffsetMoved,
                next,
                [expected, format!("one at {}", next.offset)],
                None,
            );
        }
    }

    fn place_of(&self, row: &LedgerRow) -> Option<u32> {
        (self.tables.row(row.idx)? == row).then_some(row.idx)
    }

    fn find_row(&mut self, kind: FaultKind, row: LedgerRow, shown: [String; 2], is: Option<LedgerRow>) {
        let [expected, found] = shown;
        let fault = self
            .tables
            .fault(kind, Some((row.idx, row.offset)), expected, found);
        let place = self.place_of(&row);
        self.findings.push(Finding {
            fault,
            row: place,
            expected: is,
            column: None,
        });
    }

    /// Ends a whole archive of `bytes` bytes: rows behind its last record stand for nothing, and none ends behind it.
    pub fn end(&mut self, bytes: u64) {
        let last = self.at.checked_sub(1).and_then(|at| self.tables.row(at)).copied();
        if let Some(row) = last.filter(|row| row.end() > bytes) {
            let shown = [bytes, row.end()].map(|end| format!("a row that ends at byte {end}"));
            self.find_row(FaultKind::OffsetMoved, row, shown, None);
        }
        while let Some(row) = self.tables.row(self.at).copied() {
            self.find_row(
                FaultKind::RowAdded,
                row,
                ["the end of the archive".to_owned(), format!("row {}", row.idx)],
                None,
            );
            self.at += 1;
        }
    }

    /// Records compared, and what was found.
    pub fn finish(self) -> (u64, Vec<Finding>) {
        (self.checked, self.findings)
    }
}
