//! What a fraud proof must show by itself, before anything is fetched or re-executed.
//!
//! `FraudProof::check_structure` calls this on foreign proofs; it hashes a few hundred nodes at most.

use crate::docs::DOCS_COLUMNS;
use crate::fraud::{FraudError, FraudKind, FraudProof, ProofRow, SourceRange};
use crate::hex;
use crate::ids::UnitId;
use crate::ledger::LedgerRow;
use crate::payload::{POINTER_BYTES, Pointer};
use crate::reason::{Decision, Reason};
use crate::roots::{files_digest, submission_root_over};

/// Authenticity first, then the fault.
pub(crate) fn check(proof: &FraudProof) -> Result<(), FraudError> {
    check_payload(proof)?;
    check_paths(proof)?;
    match proof.kind {
        FraudKind::RowWrong => row_wrong(proof),
        FraudKind::RowMissing => row_missing(proof),
        FraudKind::Gap => gap(proof),
        FraudKind::DupWrong => dup_wrong(proof),
        FraudKind::ColumnWrong => column_wrong(proof),
    }
}

/// The payload, where there is one, commits to this submission.
fn check_payload(proof: &FraudProof) -> Result<(), FraudError> {
    if proof.payload.is_empty() {
        return Ok(());
    }
    let pointer = Pointer::parse(&hex::decode::<POINTER_BYTES>(&proof.payload)?)?;
    for (field, agrees) in [
        ("round", pointer.round == proof.round),
        ("n_units", pointer.n_units == proof.unit.n_units),
        (
            "submission_root",
            pointer.submission_root == proof.submission_root,
        ),
    ] {
        if !agrees {
            return Err(FraudError::PayloadDisagrees(field));
        }
    }
    Ok(())
}

/// Rows under the ledger root, the unit under the submission root.
fn check_paths(proof: &FraudProof) -> Result<(), FraudError> {
    let unit = &proof.unit;
    if UnitId::of(&unit.source, &unit.warc_path) != unit.unit_id {
        return Err(FraudError::UnitId { found: unit.unit_id });
    }
    let root = unit.root();
    let submission = unit
        .path
        .root_from(&root, u64::from(unit.index), u64::from(unit.n_units))
        .map(|units| submission_root_over(&proof.submitter(), unit.n_units, &units));
    if submission != Some(proof.submission_root) {
        return Err(FraudError::UnitPath(root));
    }
    for row in proof.rows.iter().take(3) {
        let leaf = row.row.leaf(&unit.unit_id);
        let (index, n) = (u64::from(row.index), u64::from(unit.n_records));
        if !row.path.verify(&leaf, index, n, &unit.ledger_root) {
            return Err(FraudError::RowPath { index: row.index });
        }
    }
    Ok(())
}

fn needs(proof: &FraudProof, needs: &'static str) -> FraudError {
    FraudError::Parts {
        kind: proof.kind.name(),
        needs,
    }
}

/// `Ok` if something is wrong, else the reason why nothing is.
fn shows(proof: &FraudProof, is_fault: bool, why: &'static str) -> Result<(), FraudError> {
    if is_fault {
        Ok(())
    } else {
        Err(FraudError::ShowsNothing {
            kind: proof.kind.name(),
            why,
        })
    }
}

fn same_range(row: &LedgerRow, source: &SourceRange) -> bool {
    row.offset == source.offset && row.length == source.length
}

fn row_wrong(proof: &FraudProof) -> Result<(), FraudError> {
    let ([row], [source], Some(executed)) = (&*proof.rows, &*proof.sources, proof.executed) else {
        return Err(needs(proof, "one row, its source range and the re-execution"));
    };
    let row = &row.row;
    shows(
        proof,
        same_range(row, source),
        "the source range is not the row's",
    )?;
    // Rows of records that are no content hold no digest.
    let expects_digest = executed.reason != Reason::NotContent;
    let digest_differs = expects_digest && row.record_digest != source.digest;
    // Re-execution of one record cannot see an earlier one: a duplicate is kept there, with its tokens, and only the text
    // can contradict its row. Whether the witness is right is what `dup_wrong` shows, with two records.
    let is_duplicate = row.reason == Reason::Duplicate && executed.reason == Reason::Kept;
    let differs = if is_duplicate {
        executed.text_hash != row.text_hash
    } else {
        !executed.agrees_with(row)
    };
    shows(
        proof,
        digest_differs || differs,
        "the row is what re-execution gives",
    )
}

fn row_missing(proof: &FraudProof) -> Result<(), FraudError> {
    let ([row], [source]) = (&*proof.rows, &*proof.sources) else {
        return Err(needs(proof, "one row and the range of the hidden record"));
    };
    let is_inside = row.row.offset < source.offset && source.offset < row.row.end();
    shows(
        proof,
        is_inside && source.length > 0,
        "no record starts inside the row's range",
    )
}

fn gap(proof: &FraudProof) -> Result<(), FraudError> {
    let misnumbered = |row: &ProofRow| row.row.idx != row.index;
    match &*proof.rows {
        [only] => {
            let starts_late = only.index == 0 && only.row.offset != 0;
            shows(
                proof,
                starts_late || misnumbered(only),
                "a single row in its place is no gap",
            )
        }
        [first, second] => {
            let adjacent = first.index.checked_add(1) == Some(second.index);
            shows(proof, adjacent, "the rows are not neighbours")?;
            let is_gap = second.row.offset != first.row.end() || misnumbered(first) || misnumbered(second);
            shows(proof, is_gap, "the second row starts where the first ends")
        }
        _ => Err(needs(proof, "one or two rows")),
    }
}

fn dup_wrong(proof: &FraudProof) -> Result<(), FraudError> {
    let ([row, witness], [row_source, witness_source]) = (&*proof.rows, &*proof.sources) else {
        return Err(needs(proof, "two rows and their source ranges"));
    };
    let (row, witness) = (&row.row, &witness.row);
    let ranges = same_range(row, row_source) && same_range(witness, witness_source);
    shows(proof, ranges, "the source ranges are not the rows'")?;
    shows(proof, witness.idx < row.idx, "the witness is not earlier")?;
    let names_an_earlier_one = row.dup_of.is_some_and(|dup_of| dup_of < witness.idx);
    shows(
        proof,
        !names_an_earlier_one,
        "the row names an earlier witness than this one",
    )
}

fn column_wrong(proof: &FraudProof) -> Result<(), FraudError> {
    let ([row], [source], Some(claim)) = (&*proof.rows, &*proof.sources, &proof.column) else {
        return Err(needs(proof, "one row, its source range and the column"));
    };
    if files_digest(&claim.bands, &claim.docs) != proof.unit.files_digest {
        return Err(FraudError::Files);
    }
    let file = usize::try_from(claim.file)
        .ok()
        .and_then(|file| claim.docs.get(file));
    shows(
        proof,
        file.is_some_and(|file| claim.row < file.rows),
        "there is no such row of documents",
    )?;
    let is_column = DOCS_COLUMNS.iter().any(|(name, _)| *name == claim.column);
    shows(proof, is_column, "there is no such column")?;
    shows(
        proof,
        row.row.decision == Decision::Keep,
        "the row is not kept, so it has no document",
    )?;
    shows(
        proof,
        same_range(&row.row, source),
        "the source range is not the row's",
    )?;
    shows(proof, claim.expected != claim.found, "the values are equal")
}
