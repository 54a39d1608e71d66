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

/// What a proof is made of beside the unit.
struct Parts {
    kind: FraudKind,
    rows: Vec<ProofRow>,
    sources: Vec<SourceRange>,
}

impl Maker<'_> {
    /// The first form in which the finding proves itself.
    fn proof(&self, finding: &Finding) -> Option<FraudProof> {
        let forms = match finding.fault.kind {
            FaultKind::RowHidden => [self.missing(finding), self.gap(finding), None],
            FaultKind::DupWrong => [self.duplicate(finding), None, None],
            _ if finding.column.is_some() => [self.single(FraudKind::ColumnWrong, finding), None, None],
            FaultKind::OffsetMoved | FaultKind::RowAdded => {
                [self.gap(finding), self.single(FraudKind::RowWrong, finding), None]
            }
            _ => [self.single(FraudKind::RowWrong, finding), None, None],
        };
        forms
            .into_iter()
            .flatten()
            .filter_map(|parts| self.assemble(parts, finding))
            .find(|proof| proof.check_structure().is_ok())
    }

    /// A record begins inside the row's range.
    fn missing(&self, finding: &Finding) -> Option<Parts> {
        Some(Parts {
            kind: FraudKind::RowMissing,
            rows: vec![self.row(finding.row?)?],
            sources: vec![range(finding.expected.as_ref()?)],
        })
    }

    /// The row and its neighbour leave a gap or overlap: the one before it, or behind it where a record is missing.
    fn gap(&self, finding: &Finding) -> Option<Parts> {
        let rows = match (finding.row, finding.fault.kind) {
            (Some(at), FaultKind::RowHidden) => vec![self.row(at)?, self.row(at.checked_add(1)?)?],
            (Some(at), _) => {
                let before = at.checked_sub(1).and_then(|before| self.row(before));
                before.into_iter().chain([self.row(at)?]).collect()
            }
            (None, _) => vec![self.row(0)?],
        };
        Some(Parts {
            kind: FraudKind::Gap,
            rows,
            sources: Vec::new(),
        })
    }

    fn duplicate(&self, finding: &Finding) -> Option<Parts> {
        let at = finding.row?;
        let row = self.tables.row(at)?;
        // The earlier of the two: either the true one was passed over, or the one named shares no band.
        let true_one = finding.expected.as_ref()?.dup_of;
        let witness = true_one.into_iter().chain(row.dup_of).min()?;
        let first = self.tables.row(witness)?;
        Some(Parts {
            kind: FraudKind::DupWrong,
            rows: vec![self.row(at)?, self.row(witness)?],
            sources: vec![range(row), range(first)],
        })
    }

    /// One row against re-execution of its range.
    fn single(&self, kind: FraudKind, finding: &Finding) -> Option<Parts> {
        Some(Parts {
            kind,
            rows: vec![self.row(finding.row?)?],
            sources: vec![range(finding.expected.as_ref()?)],
        })
    }

    fn assemble(&self, parts: Parts, finding: &Finding) -> Option<FraudProof> {
        let Parts { kind, rows, sources } = parts;
        let column = match kind {
            FraudKind::ColumnWrong => Some(self.column(finding)?),
            _ => None,
        };
        Some(FraudProof {
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
            executed: finding.executed().filter(|_| kind == FraudKind::RowWrong),
            column,
            prover: Hotkey::default(),
            signature: String::new(),
        })
    }

    fn row(&self, at: u32) -> Option<ProofRow> {
        let path = MerkleTree::proof(&self.leaves, u64::from(at))?;
        Some(ProofRow {
            index: at,
            row: *self.tables.row(at)?,
            path,
        })
    }

    /// Which file and row of the documents holds the kept row, and the column's values.
    fn column(&self, finding: &Finding) -> Option<ColumnClaim> {
        let column = finding.column.as_ref()?;
        let mut row = self.tables.document_number(finding.row?)?;
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
            column: column.name.to_owned(),
            expected: column.expected.clone(),
            found: column.found.clone()?,
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
