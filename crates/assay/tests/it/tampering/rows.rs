//! Texts changed; rows hidden, added, moved.

use assay_types::{Decision, FaultKind, FraudKind, LedgerRow, Reason, blake3_16};

use super::check::{CLEAN, check, dropped, kept, verify};
use super::forge::Forgery;
use crate::support::folder;

/// Adds an advertisement to a kept text; gives its row and its document.
fn advertise(forgery: &mut Forgery) -> (usize, usize) {
    let at = kept(forgery, 2);
    let document = forgery.document_number(at);
    forgery.docs[document].text.push_str(" Buy now!");
    (at, document)
}

#[test]
fn a_changed_text_is_named() {
    check(
        |forgery| {
            let (at, document) = advertise(forgery);
            forgery.ledger[at].text_hash = blake3_16(forgery.docs[document].text.as_bytes());
            forgery.seal();
        },
        &[FaultKind::TextChanged],
        &[FraudKind::RowWrong],
    );
    // The ledger has the true text's hash; only the document lies.
    check(
        |forgery| {
            advertise(forgery);
            forgery.seal();
        },
        &[FaultKind::TextChanged],
        &[FraudKind::ColumnWrong],
    );
}

#[test]
fn a_hidden_row_is_named() {
    // The row before covers the hidden record's bytes.
    check(
        |forgery| {
            let at = dropped(forgery);
            let hidden = forgery.ledger.remove(at);
            forgery.ledger[at - 1].length += hidden.length;
            forgery.renumber();
            forgery.seal();
        },
        &[FaultKind::RowHidden],
        &[FraudKind::RowMissing],
    );
    // Nothing covers them.
    check(
        |forgery| {
            let at = dropped(forgery);
            forgery.ledger.remove(at);
            forgery.renumber();
            forgery.seal();
        },
        &[FaultKind::RowHidden, FaultKind::OffsetMoved],
        &[FraudKind::Gap],
    );
    // The archive is said to end before its last records.
    check(
        |forgery| {
            forgery.ledger.truncate(forgery.ledger.len() - 2);
            forgery.renumber();
            let end = forgery.ledger.last().unwrap().end();
            forgery.unit().warc_len.0 = end;
            forgery.seal();
        },
        &[FaultKind::RowHidden, FaultKind::SourceMismatch],
        &[],
    );
    // A kept row without its document.
    check(
        |forgery| {
            forgery.docs.pop();
            forgery.seal();
        },
        &[FaultKind::RowHidden, FaultKind::RootMismatch],
        &[],
    );
}

/// One hidden row shifts the numbers of all rows behind it, which is no fault of theirs.
#[test]
fn a_row_hidden_at_the_beginning_is_one_fault() {
    check(
        |forgery| {
            let hidden = forgery.ledger.remove(1);
            forgery.ledger[0].length += hidden.length;
            forgery.renumber();
            forgery.seal();
        },
        &[FaultKind::RowHidden],
        &[FraudKind::RowMissing],
    );
    // The ledger begins behind the archive's first record.
    check(
        |forgery| {
            forgery.ledger.remove(0);
            forgery.renumber();
            forgery.seal();
        },
        &[FaultKind::RowHidden, FaultKind::OffsetMoved],
        &[FraudKind::Gap],
    );
}

/// A record is split in two, the second half being invented.
#[test]
fn an_invented_row_is_named() {
    check(
        |forgery| {
            let at = kept(forgery, 1);
            let document = forgery.document_number(at);
            forgery.ledger[at].length -= 100;
            let second = LedgerRow {
                idx: u32::MAX,
                offset: forgery.ledger[at].end(),
                length: 100,
                record_digest: blake3_16(b"invented"),
                decision: Decision::Keep,
                reason: Reason::Kept,
                dup_of: None,
                text_hash: blake3_16(b"Made up text."),
                n_tokens: 3,
            };
            let mut added = forgery.docs[document].clone();
            (added.text, added.token_count) = ("Made up text.".to_owned(), 3);
            (added.warc_offset, added.warc_length, added.record_digest) =
                (second.offset, second.length, second.record_digest);
            forgery.docs[document].warc_length -= 100;
            forgery.ledger.insert(at + 1, second);
            forgery.docs.insert(document + 1, added);
            forgery.renumber();
            forgery.seal();
        },
        &[FaultKind::RowAdded, FaultKind::OffsetMoved],
        &[FraudKind::RowWrong],
    );
}

#[test]
fn an_added_row_is_named() {
    // A row behind the archive's end.
    check(
        |forgery| {
            let last = *forgery.ledger.last().unwrap();
            let mut added = last;
            (added.idx, added.offset) = (last.idx + 1, last.end());
            forgery.unit().warc_len.0 = added.end();
            forgery.ledger.push(added);
            forgery.seal();
        },
        // The last row is a duplicate, and its copy has no band keys.
        &[
            FaultKind::RowAdded,
            FaultKind::SourceMismatch,
            FaultKind::BandsWrong,
        ],
        &[],
    );
    // A document without a row.
    check(
        |forgery| {
            let copy = forgery.docs[0].clone();
            forgery.docs.push(copy);
            forgery.seal();
        },
        &[FaultKind::RowAdded, FaultKind::RootMismatch],
        &[],
    );
}

#[test]
fn a_moved_offset_is_named() {
    // The border between two records is moved; no byte is without a row.
    check(
        |forgery| {
            let at = kept(forgery, 3);
            let document = forgery.document_number(at);
            forgery.ledger[at - 1].length -= 10;
            forgery.ledger[at].offset -= 10;
            forgery.ledger[at].length += 10;
            forgery.docs[document].warc_offset -= 10;
            forgery.docs[document].warc_length += 10;
            forgery.seal();
        },
        &[FaultKind::OffsetMoved],
        &[FraudKind::RowWrong],
    );
    check(
        |forgery| {
            let at = kept(forgery, 3);
            let document = forgery.document_number(at);
            forgery.ledger[at].offset += 1;
            forgery.docs[document].warc_offset += 1;
            forgery.seal();
        },
        &[FaultKind::OffsetMoved],
        &[FraudKind::Gap],
    );
    // The document alone points elsewhere.
    check(
        |forgery| {
            forgery.docs[0].warc_offset += 1;
            forgery.seal();
        },
        &[FaultKind::OffsetMoved],
        &[FraudKind::ColumnWrong],
    );
}

/// A row that claims more bytes than are read at once is a fault like any other, not an error of the verifier.
#[test]
fn an_endless_row_is_named() {
    let stretch = |forgery: &mut Forgery| {
        let at = kept(forgery, 3);
        forgery.ledger[at].length = u32::MAX;
        forgery.seal();
    };
    check(stretch, &[FaultKind::OffsetMoved], &[FraudKind::Gap]);
    let folder = folder();
    let mut forgery = Forgery::open(&CLEAN.dataset, &folder.path().join("forged"));
    stretch(&mut forgery);
    let proof = folder.path().join("proofs.json");
    let document = verify(&forgery.folder, &proof, "--sample 1000")
        .with_code(4)
        .json();
    assert_eq!(
        document["data"]["fault_counts"],
        serde_json::json!({"offset_moved": 3}),
        "{document}"
    );
}
