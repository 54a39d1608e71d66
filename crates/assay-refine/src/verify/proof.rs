//! Findings as fraud proofs: the row, its way to the root, and what re-execution gives.
//!
//! Takes a manifest, one unit's tables and its findings; the proofs check themselves (`FraudProof::check_structure`)
//! before they are given out, so that a finding that cannot be proved this way is left to the report alone.

use assay_types::{
    ColumnClaim, Digest, FRAUD_PROOF_VERSION, FaultKind, FraudKind, FraudProof, Hotkey, LedgerRow, Manifest,
    ManifestUnit, MerkleTree, ProofRow, ProofUnit, SourceRange,
};

use super::recheck::Finding;
use super::tables::UnitTables;

/// Most proofs made for one unit: two distinct ones already prove fraud.
pub const PROOFS_MAX: usize = 16;

/// Proofs of the first provable findings of a unit, at most [`PROOFS_MAX`].
pub fn proofs(manifest: &Manifest, tables: &UnitTables, findings: &[Finding]) -> Vec<FraudProof> {
    let Some(unit) = proof_unit(manifest, &tables.entry) else {
        return Vec::new();
    };
    let leaves: Vec<Digest> = tables
        .ledger
        .iter()
        .map(|row| row.leaf(&tables.entry.unit_id))
        .collect();
    let maker = Maker {
        manifest,
        tables,
        unit,
        leaves,
    };
    findings
        .iter()
        .filter_map(|finding| maker.proof(finding))
        .take(PROOFS_MAX)
        .collect()
}

fn proof_unit(manifest: &Manifest, entry: &ManifestUnit) -> Option<ProofUnit> {
    let index = manifest
        .units
        .iter()
        .position(|unit| unit.unit_id == entry.unit_id)?;
    let roots: Vec<Digest> = manifest.units.iter().map(ManifestUnit::expected_root).collect();
    let parts = entry.root_parts();
    Some(ProofUnit {
        unit_id: entry.unit_id,
        source: entry.source.clone(),
        warc_path: entry.warc_path.clone(),
        recipe_id: parts.recipe_id,
        n_records: parts.n_records,
        n_kept: parts.n_kept,
        ledger_root: parts.ledger_root,
        files_digest: parts.files_digest,
        index: u32::try_from(index).ok()?,
        n_units: u32::try_from(roots.len()).ok()?,
        path: MerkleTree::proof(&roots, index as u64)?,
    })
}

struct Maker<'a> {
    manifest: &'a Manifest,
    tables: &'a UnitTables,
    unit: ProofUnit,
    leaves: Vec<Digest>,
}

impl Maker<'_> {
    fn proof(&self, finding: &Finding) -> Option<FraudProof> {
        let at = finding.row?;
        let row = self.tables.row(at)?;
        let expected = finding.expected.as_ref();
        let (kind, rows, sources) = match finding.fault.kind {
            FaultKind::RowHidden => {
                let hidden = range(expected?);
                (FraudKind::RowMissing, vec![self.row(at)?], vec![hidden])
            }
            FaultKind::DupWrong => {
                let witness = expected?.dup_of.or(row.dup_of)?;
                let first = self.tables.row(witness)?;
                (
                    FraudKind::DupWrong,
                    vec![self.row(at)?, self.row(witness)?],
                    vec![range(row), range(first)],
                )
            }
            _ if finding.column.is_some() => (FraudKind::ColumnWrong, vec![self.row(at)?], vec![range(row)]),
            FaultKind::OffsetMoved | FaultKind::RowAdded => {
                let before = at.checked_sub(1);
                let rows = before
                    .and_then(|before| self.row(before))
                    .into_iter()
                    .chain([self.row(at)?])
                    .collect();
                (FraudKind::Gap, rows, Vec::new())
            }
            _ => (FraudKind::RowWrong, vec![self.row(at)?], vec![range(expected?)]),
        };
        let is_column = kind == FraudKind::ColumnWrong;
        let proof = FraudProof {
            version: FRAUD_PROOF_VERSION,
            kind,
            netuid: self.manifest.netuid,
            round: self.manifest.round,
            hotkey: self.manifest.hotkey,
            payload: String::new(),
            submission_root: self.manifest.submission_root,
            unit: self.unit.clone(),
            rows,
            sources,
            executed: finding.executed().filter(|_| matches!(kind, FraudKind::RowWrong)),
            column: if is_column {
                Some(self.column(at, finding)?)
            } else {
                None
            },
            prover: Hotkey::default(),
            signature: String::new(),
        };
        proof.check_structure().is_ok().then_some(proof)
    }

    fn row(&self, at: u32) -> Option<ProofRow> {
        let path = MerkleTree::proof(&self.leaves, u64::from(at))?;
        Some(ProofRow {
            index: at,
            row: *self.tables.row(at)?,
            path,
        })
    }

    /// Which file and row of the documents holds the kept row at `at`.
    fn column(&self, at: u32, finding: &Finding) -> Option<ColumnClaim> {
        let earlier = self.tables.ledger.get(..at as usize)?;
        let mut row = earlier
            .iter()
            .filter(|row| row.decision == assay_types::Decision::Keep)
            .count() as u64;
        let mut file = 0;
        for docs in &self.tables.entry.docs {
            if row < u64::from(docs.rows) {
                break;
            }
            row -= u64::from(docs.rows);
            file += 1;
        }
        Some(ColumnClaim {
            bands: self.tables.entry.bands.clone(),
            docs: self.tables.entry.docs.clone(),
            file,
            row: u32::try_from(row).ok()?,
            column: finding.column?.to_owned(),
            expected: ColumnClaim::value(&finding.fault.expected),
            found: ColumnClaim::value(&finding.fault.found),
        })
    }
}

fn range(row: &LedgerRow) -> SourceRange {
    SourceRange {
        offset: row.offset,
        length: row.length,
        digest: row.record_digest,
    }
}
