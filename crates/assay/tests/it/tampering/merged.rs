//! Cheats that cost least: many records behind one row, kept rows called something else, files that nobody listed.

use assay_types::{Addressing, Decision, Digest16, FaultKind, Reason};

use super::check::{CLEAN, check, kept, verify};
use super::forge::Forgery;
use crate::support::folder;

/// Gives the bytes of the `count` rows from `at` on to one row of this reason.
fn merge(forgery: &mut Forgery, at: usize, count: usize, reason: Reason) {
    let documents: Vec<usize> = (at..at + count)
        .filter(|row| forgery.ledger[*row].decision == Decision::Keep)
        .map(|row| forgery.document_number(row))
        .collect();
    for document in documents.into_iter().rev() {
        forgery.docs.remove(document);
    }
    let end = forgery.ledger[at + count - 1].end();
    forgery.ledger.drain(at + 1..at + count);
    let row = &mut forgery.ledger[at];
    row.length = (end - row.offset) as u32;
    (row.decision, row.reason, row.dup_of) = (Decision::Drop, reason, None);
    (row.text_hash, row.n_tokens) = (Digest16::ZERO, 0);
    if reason == Reason::NotContent {
        row.record_digest = Digest16::ZERO;
    }
    let merged = row.idx;
    forgery.bands.retain(|band| band.idx != merged);
    forgery.renumber();
}

/// Found by review: a sample let rows pass that swallow their neighbours as malformed or as no content.
#[test]
fn a_sample_finds_merged_rows_by_their_size() {
    for reason in [Reason::Malformed, Reason::NotContent] {
        let folder = folder();
        let mut forgery = Forgery::open(&CLEAN.dataset, &folder.path().join("forged"));
        let (first, rows) = (kept(&forgery, 1), forgery.ledger.len());
        merge(&mut forgery, first, rows - first - 3, reason);
        forgery.seal();
        let proof = folder.path().join("proofs.json");
        let document = verify(&forgery.folder, &proof, "--sample 8").with_code(4).json();
        assert!(
            document["data"]["fault_counts"]["row_hidden"].as_u64() >= Some(1),
            "{reason:?}: {:#}",
            document["data"]["faults"]
        );
    }
}

#[test]
fn a_kept_row_called_no_content_is_found_by_a_sample_of_all_rows() {
    let folder = folder();
    let mut forgery = Forgery::open(&CLEAN.dataset, &folder.path().join("forged"));
    let at = kept(&forgery, 1);
    merge(&mut forgery, at, 1, Reason::NotContent);
    forgery.seal();
    let proof = folder.path().join("proofs.json");
    let document = verify(&forgery.folder, &proof, "--sample 1000")
        .with_code(4)
        .json();
    let counts = &document["data"]["fault_counts"];
    assert!(counts["decision_changed"].as_u64() >= Some(1), "{counts}");
}

/// Found by review: files beside the manifest's were not looked at, though a reader of `docs-*` takes them.
#[test]
fn files_that_nobody_listed_are_named() {
    let add = |path: &'static str| {
        move |forgery: &mut Forgery| {
            let unit = forgery.manifest.units[0].unit_id.to_string();
            let to = forgery.folder.join("units").join(path.replace("{}", &unit));
            fs_err::create_dir_all(to.parent().unwrap()).unwrap();
            fs_err::copy(forgery.folder.join(&forgery.manifest.units[0].docs[0].path), to).unwrap();
        }
    };
    check(add("{}/docs-00001.parquet"), &[FaultKind::FileMismatch], &[]);
    check(add("other/docs-00000.parquet"), &[FaultKind::FileMismatch], &[]);
}

#[test]
fn other_addressing_and_rows_a_file_are_named() {
    check(
        |forgery| {
            forgery.unit().addressing = Addressing::Inflated;
            forgery.seal_manifest();
        },
        &[FaultKind::SourceMismatch],
        &[],
    );
    check(
        |forgery| {
            forgery.unit().docs[0].rows += 1;
            forgery.seal_manifest();
        },
        &[FaultKind::CountLied, FaultKind::RootMismatch],
        &[],
    );
}

#[test]
fn a_duplicate_without_band_keys_is_named() {
    check(
        |forgery| {
            let duplicate = forgery.ledger.iter().find(|row| row.reason == Reason::Duplicate);
            let idx = duplicate.unwrap().idx;
            forgery.bands.retain(|band| band.idx != idx);
            forgery.seal();
        },
        &[FaultKind::BandsWrong],
        &[],
    );
}
