//! Compares a unit's ledger with records refined anew: the whole archive in order, or single rows.
//!
//! [`Recheck::next`] takes every record of the archive; [`Recheck::row`] one sampled row. Findings hold what a fraud
//! proof needs.

use assay_types::{Executed, Fault, FaultKind, LedgerRow};

use super::compare::{self, Difference};
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
    pub column: Option<&'static str>,
}

impl Finding {
    /// What re-execution gives.
    pub fn executed(&self) -> Option<Executed> {
        self.expected.as_ref().map(compare::executed)
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
        let expected = compare::expected_row(refined, dup_of);
        // Rows that start before this record stand for no record.
        while let Some(row) = self
            .tables
            .row(self.at)
            .filter(|row| row.offset < expected.offset)
        {
            let kind = if row.record_digest == expected.record_digest && !row.record_digest.is_zero() {
                FaultKind::OffsetMoved
            } else {
                FaultKind::RowAdded
            };
            self.find_row(
                kind,
                *row,
                [
                    format!("no record at byte {}", row.offset),
                    format!("row {}", row.idx),
                ],
                None,
            );
            self.at += 1;
            if kind == FaultKind::OffsetMoved {
                return;
            }
        }
        match self.tables.row(self.at).copied() {
            Some(row) if row.offset == expected.offset => {
                self.at += 1;
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
            }
            _ => {
                // Inside the row before, or after the last one.
                let before = self
                    .at
                    .checked_sub(1)
                    .and_then(|at| Some((at, *self.tables.row(at)?)));
                let shown = format!("a row for the record at {}+{}", expected.offset, expected.length);
                let fault = self.tables.fault(
                    FaultKind::RowHidden,
                    Some((expected.idx, expected.offset)),
                    shown,
                    "none".to_owned(),
                );
                self.findings.push(Finding {
                    fault,
                    row: before.map(|(at, _)| at),
                    expected: Some(expected),
                    column: None,
                });
            }
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
        if expected.length != found.length {
            let kind = if found.length > expected.length {
                FaultKind::RowHidden
            } else {
                FaultKind::OffsetMoved
            };
            // A longer row hides the record behind this one, which gets its own finding when it comes.
            if kind == FaultKind::OffsetMoved {
                let shown = |row: &LedgerRow| format!("{} bytes", row.length);
                self.find_row(kind, *found, [shown(&expected), shown(found)], Some(expected));
                return;
            }
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

    /// Ends a whole archive: rows behind its last record stand for nothing.
    pub fn end(&mut self) {
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
