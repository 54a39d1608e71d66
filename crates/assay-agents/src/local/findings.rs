//! What is found out about findings after the comparison: values for proofs, and the recipe that was really used.
//!
//! Findings come from [`super::verify`], which reports them; here single records and documents are read once more.

use std::collections::{BTreeMap, BTreeSet};

use assay_hub::Source;
use assay_refine::engine::{Detail, Scratch};
use assay_refine::verify::{Finding, PROOFS_MAX, UnitTables, expected_row};
use assay_types::{Addressing, Fault, FaultKind};

use super::error::LocalError;
use super::verify::{InRange, VerifyJob, compression_of, record_of};

/// Most differing rows that are tried with other recipes.
const OTHERS_TRIED_MAX: usize = 32;

/// A unit whose records were compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckedUnit<'a> {
    pub(super) job: &'a VerifyJob<'a>,
    pub(super) tables: &'a UnitTables,
    pub(super) archive: &'a Source,
}

impl CheckedUnit<'_> {
    /// Gives findings what a proof of them shows.
    pub(super) fn complete(&self, findings: &mut [Finding]) -> Result<(), LocalError> {
        self.show_columns(findings)?;
        self.execute_misplaced(findings)
    }

    /// Reads the documents that differ once more: the tables keep digests of them, a proof shows values.
    fn show_columns(&self, findings: &mut [Finding]) -> Result<(), LocalError> {
        let mut wanted: BTreeMap<u64, Vec<&mut Finding>> = BTreeMap::new();
        let in_columns = findings.iter_mut().filter(|finding| finding.column.is_some());
        for finding in in_columns.take(PROOFS_MAX) {
            if let Some(number) = finding.row.and_then(|at| self.tables.document_number(at)) {
                wanted.entry(number).or_default().push(finding);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let mut number = 0;
        self.job.dataset.documents(&self.tables.entry, |row| {
            if let Some(findings) = wanted.get_mut(&number) {
                for finding in findings {
                    finding.show_column(&row);
                }
            }
            number += 1;
        })?;
        Ok(())
    }

    /// Re-executes what lies in the ranges of misplaced rows: that such a range is no record of the row's digest is what a
    /// proof shows, since the true record has another range.
    fn execute_misplaced(&self, findings: &mut [Finding]) -> Result<(), LocalError> {
        let Self { job, tables, archive } = *self;
        let is_misplaced = |finding: &Finding| {
            matches!(finding.fault.kind, FaultKind::OffsetMoved | FaultKind::RowAdded)
                && finding.column.is_none()
        };
        if tables.entry.addressing != Addressing::Member || !findings.iter().any(is_misplaced) {
            return Ok(());
        }
        let compression = compression_of(job, archive)?;
        let mut scratch = Scratch::new();
        let misplaced = findings.iter_mut().filter(|finding| is_misplaced(finding));
        for finding in misplaced.take(PROOFS_MAX) {
            let Some(row) = finding.row.and_then(|at| tables.row(at)).copied() else {
                continue;
            };
            if let InRange::Record(record, _) = record_of(job, archive, compression, &row)? {
                let refined = job.engine.refine(&mut scratch, &record, Detail::Decision);
                finding.expected = Some(expected_row(&refined, None));
            }
        }
        Ok(())
    }

    /// If another recipe gives exactly the rows that differ, that is what happened.
    pub(super) fn other_recipe(&self, findings: &[Finding]) -> Result<Option<Fault>, LocalError> {
        let Self { job, tables, archive } = *self;
        let decided = [
            FaultKind::ReasonChanged,
            FaultKind::DecisionChanged,
            FaultKind::TextChanged,
            FaultKind::CountLied,
        ];
        // Rows that the named recipe does not give; what both recipes give tells nothing of which one was used.
        let rows: BTreeSet<u32> = findings
            .iter()
            .filter(|finding| decided.contains(&finding.fault.kind) && finding.column.is_none())
            .filter_map(|finding| Some((finding.row?, finding.executed()?)))
            .filter(|(at, executed)| tables.row(*at).is_some_and(|row| !executed.agrees_with(row)))
            .map(|(at, _)| at)
            .collect();
        if rows.is_empty() || tables.entry.addressing != Addressing::Member {
            return Ok(None);
        }
        let compression = compression_of(job, archive)?;
        let mut scratch = Scratch::new();
        for other in job
            .others
            .iter()
            .filter(|other| other.recipe_id() != job.engine.recipe_id())
        {
            let mut agree = true;
            for row in rows
                .iter()
                .take(OTHERS_TRIED_MAX)
                .filter_map(|at| tables.row(*at))
            {
                let InRange::Record(record, _) = record_of(job, archive, compression, row)? else {
                    agree = false;
                    break;
                };
                let refined = other.refine(&mut scratch, &record, Detail::Decision);
                let expected = expected_row(&refined, row.dup_of);
                agree &= (expected.reason, expected.text_hash, expected.n_tokens)
                    == (row.reason, row.text_hash, row.n_tokens);
            }
            if agree {
                let found = format!("rows of recipe `{}` ({})", other.recipe().name, other.recipe_id());
                let expected = format!("rows of recipe {}", job.engine.recipe_id());
                return Ok(Some(tables.fault(FaultKind::OtherRecipe, None, expected, found)));
            }
        }
        Ok(None)
    }
}
