//! Fraud proofs: each kind holds where there is a fault, and nowhere else.

use crate::{example, mutate};
use assay_types::{
    ColumnClaim, Decision, Digest, Executed, FraudError, FraudKind, FraudProof, Reason, SourceRange,
    blake3_16,
};
use proptest::prelude::*;

#[track_caller]
fn shows_nothing(proof: &FraudProof, why: &str) {
    let error = proof.check_structure().unwrap_err();
    assert!(matches!(error, FraudError::ShowsNothing { .. }), "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn a_changed_row_is_proved() {
    let proof = example::changed_text_proof();
    proof.check_structure().unwrap();
    let bytes = proof.to_canonical_bytes().unwrap();
    assert_eq!(FraudProof::parse(&bytes).unwrap(), proof);

    let mut honest = proof.clone();
    honest.executed.as_mut().unwrap().text_hash = honest.rows[0].row.text_hash;
    shows_nothing(&honest, "what re-execution gives");
    let mut elsewhere = proof.clone();
    elsewhere.sources[0].offset += 1;
    shows_nothing(&elsewhere, "not the row's");
    let mut bare = proof;
    bare.executed = None;
    assert!(matches!(bare.check_structure(), Err(FraudError::Parts { .. })));
}

/// Found by review: one record alone cannot see its witness, so re-execution keeps it; that is no fault of its row.
#[test]
fn an_honest_duplicate_cannot_be_framed() {
    let rows = example::rows();
    let mut proof = example::proof(FraudKind::RowWrong, &rows, &[3]);
    proof.executed = Some(Executed {
        decision: Decision::Keep,
        reason: Reason::Kept,
        text_hash: rows[3].text_hash,
        n_tokens: 2,
    });
    shows_nothing(&proof, "what re-execution gives");
    proof.executed.as_mut().unwrap().text_hash = blake3_16(b"another text");
    proof.check_structure().unwrap();
}

#[test]
fn a_wrong_record_digest_is_proved_by_the_archive_alone() {
    let mut proof = example::changed_text_proof();
    proof.executed.as_mut().unwrap().text_hash = proof.rows[0].row.text_hash;
    proof.sources[0].digest = example::record_digest(77);
    proof.check_structure().unwrap();
}

#[test]
fn a_hidden_record_starts_inside_a_row() {
    // Row 3 is left out, its bytes are given to row 2.
    let mut rows = example::rows();
    rows.remove(3);
    rows[2].length = 2_000;
    rows[3].idx = 3;
    let mut proof = example::proof(FraudKind::RowMissing, &rows, &[2]);
    shows_nothing(&proof, "starts inside");
    proof.sources[0] = SourceRange {
        offset: 3_000,
        length: 1_000,
        digest: example::record_digest(3),
    };
    proof.check_structure().unwrap();
    proof.unit.n_records = 5;
    assert!(matches!(proof.check_structure(), Err(FraudError::UnitPath(_))));
}

#[test]
fn the_end_of_a_row_is_not_inside() {
    let mut proof = example::proof(FraudKind::RowMissing, &example::rows(), &[2]);
    proof.sources = vec![SourceRange {
        offset: 2_500,
        length: 500,
        digest: example::record_digest(9),
    }];
    proof.check_structure().unwrap();
    proof.sources[0].offset = 3_000;
    shows_nothing(&proof, "starts inside");
}

#[test]
fn a_gap_is_two_neighbours_that_do_not_meet() {
    let mut rows = example::rows();
    let honest = example::proof(FraudKind::Gap, &rows, &[2, 3]);
    shows_nothing(&honest, "starts where the first ends");
    rows[3].offset += 1;
    example::proof(FraudKind::Gap, &rows, &[2, 3])
        .check_structure()
        .unwrap();
    shows_nothing(&example::proof(FraudKind::Gap, &rows, &[1, 3]), "not neighbours");
    rows[0].offset = 7;
    example::proof(FraudKind::Gap, &rows, &[0])
        .check_structure()
        .unwrap();
    rows[4].idx = 9;
    example::proof(FraudKind::Gap, &rows, &[4])
        .check_structure()
        .unwrap();
}

#[test]
fn a_wrong_duplicate_needs_an_earlier_witness() {
    let rows = example::rows();
    example::proof(FraudKind::DupWrong, &rows, &[3, 1])
        .check_structure()
        .unwrap();
    example::proof(FraudKind::DupWrong, &rows, &[2, 1])
        .check_structure()
        .unwrap();
    shows_nothing(
        &example::proof(FraudKind::DupWrong, &rows, &[1, 3]),
        "not earlier",
    );
    shows_nothing(
        &example::proof(FraudKind::DupWrong, &rows, &[3, 2]),
        "earlier witness than this",
    );
}

#[test]
fn a_column_is_bound_by_the_files_digest() {
    let manifest = example::manifest();
    let mut proof = example::proof(FraudKind::ColumnWrong, &example::rows(), &[1]);
    let unit = manifest.unit(&proof.unit.unit_id).unwrap();
    proof.column = Some(ColumnClaim {
        bands: unit.bands.clone(),
        docs: unit.docs.clone(),
        file: 0,
        row: 0,
        column: "url".into(),
        expected: "https://example.org/".into(),
        found: "https://example.com/".into(),
    });
    proof.check_structure().unwrap();

    let with = |change: fn(&mut ColumnClaim)| {
        let mut changed = proof.clone();
        change(changed.column.as_mut().unwrap());
        changed
    };
    shows_nothing(&with(|claim| claim.column = "score".into()), "no such column");
    shows_nothing(&with(|claim| claim.row = 1), "no such row");
    shows_nothing(&with(|claim| claim.file = 1), "no such row");
    shows_nothing(&with(|claim| claim.found = claim.expected.clone()), "equal");
    let other_file = with(|claim| claim.docs[0].bytes.0 += 1);
    assert!(matches!(other_file.check_structure(), Err(FraudError::Files)));
    assert!(ColumnClaim::value(&"x".repeat(2_000)).starts_with("blake3:"));
}

#[test]
fn rows_units_and_payloads_of_others_are_refused() {
    let proof = example::changed_text_proof();
    let mut other_row = proof.clone();
    other_row.rows[0].row.reason = Reason::Empty;
    assert!(matches!(
        other_row.check_structure(),
        Err(FraudError::RowPath { index: 1 })
    ));
    let mut other_root = proof.clone();
    other_root.submission_root = Digest::ZERO;
    assert!(matches!(
        other_root.check_structure(),
        Err(FraudError::UnitPath(_))
    ));
    let mut other_archive = proof.clone();
    other_archive.unit.warc_path = "b.warc.gz".into();
    assert!(matches!(
        other_archive.check_structure(),
        Err(FraudError::UnitId { .. })
    ));
    let mut odd_payload = proof.clone();
    odd_payload.payload = "00".into();
    assert!(matches!(
        odd_payload.check_structure(),
        Err(FraudError::PayloadHex(_))
    ));
    let mut newer = proof;
    newer.version = 2;
    let bytes = newer.to_canonical_bytes().unwrap();
    assert!(matches!(FraudProof::parse(&bytes), Err(FraudError::Version(2))));
}

#[test]
fn a_payload_must_commit_to_the_same_submission() {
    let mut proof = example::changed_text_proof();
    let mut pointer = assay_types::Pointer {
        round: proof.round,
        n_units: 2,
        want_next: 1,
        submission_root: proof.submission_root,
        revision: assay_types::Revision::ZERO,
        repo: assay_types::RepoName::parse("a/b").unwrap(),
    };
    proof.payload = assay_types::hex::encode(&pointer.encode());
    proof.check_structure().unwrap();
    pointer.n_units = 3;
    proof.payload = assay_types::hex::encode(&pointer.encode());
    assert!(matches!(
        proof.check_structure(),
        Err(FraudError::PayloadDisagrees("n_units"))
    ));
}

proptest! {
    #[test]
    fn a_damaged_proof_is_refused_or_read_as_written(edits in mutate::edits()) {
        let bytes = example::changed_text_proof().to_canonical_bytes().unwrap();
        let damaged = mutate::apply(&bytes, &edits);
        if let Ok(proof) = FraudProof::parse(&damaged) {
            prop_assert_eq!(proof.to_canonical_bytes().unwrap(), damaged);
            // Whatever it says, checking it ends.
            let _ = proof.check_structure();
        }
    }
}
