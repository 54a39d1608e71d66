//! Reasons, decisions, counts, recipe and duplicates that are not those of the records.

use assay_types::{Decision, Digest, Digest16, FaultKind, FraudKind, Reason, RecipeId, blake3_16};

use super::check::{CLEAN, check, dropped, duplicate, kept};
use super::forge::Forgery;
use crate::support::line;

#[test]
fn a_changed_reason_is_named() {
    check(
        |forgery| {
            let at = dropped(forgery);
            let Reason::Step(step) = forgery.ledger[at].reason else {
                panic!()
            };
            forgery.ledger[at].reason = Reason::Step(step + 1);
            forgery.seal();
        },
        &[FaultKind::ReasonChanged],
        &[FraudKind::RowWrong],
    );
}

#[test]
fn a_changed_decision_is_named() {
    let kinds = [
        FaultKind::DecisionChanged,
        FaultKind::ReasonChanged,
        FaultKind::TextChanged,
        FaultKind::CountLied,
    ];
    // A kept page is said to be dropped.
    check(
        |forgery| {
            let at = kept(forgery, 1);
            let document = forgery.document_number(at);
            forgery.docs.remove(document);
            let row = &mut forgery.ledger[at];
            (row.decision, row.reason) = (Decision::Drop, Reason::Empty);
            (row.text_hash, row.n_tokens) = (Digest16::ZERO, 0);
            let idx = row.idx;
            forgery.bands.retain(|band| band.idx != idx);
            forgery.seal();
        },
        &kinds,
        &[FraudKind::RowWrong],
    );
    // A dropped page is kept, with an invented text.
    check(
        |forgery| {
            let at = dropped(forgery);
            let row = &mut forgery.ledger[at];
            (row.decision, row.reason) = (Decision::Keep, Reason::Kept);
            (row.text_hash, row.n_tokens) = (blake3_16(b"Made up."), 3);
            let row = *row;
            let mut document = forgery.docs[0].clone();
            (document.text, document.token_count) = ("Made up.".to_owned(), 3);
            (document.warc_offset, document.warc_length, document.record_digest) =
                (row.offset, row.length, row.record_digest);
            let number = forgery.document_number(at);
            forgery.docs.insert(number, document);
            forgery.seal();
        },
        &kinds,
        &[FraudKind::RowWrong],
    );
}

#[test]
fn a_lied_count_is_named() {
    // Of one row.
    check(
        |forgery| {
            let at = kept(forgery, 0);
            forgery.ledger[at].n_tokens += 1000;
            forgery.docs[0].token_count += 1000;
            forgery.seal();
        },
        &[FaultKind::CountLied],
        &[FraudKind::RowWrong],
    );
    // Of the whole unit.
    let totals = |forgery: &Forgery| {
        let tokens: u64 = forgery.ledger.iter().map(|row| u64::from(row.n_tokens)).sum();
        (forgery.docs.len() as u32, tokens)
    };
    check(
        |forgery| {
            let (kept, tokens) = totals(forgery);
            forgery.seal_with_counts(kept, tokens + 1);
        },
        &[FaultKind::CountLied],
        &[],
    );
    check(
        |forgery| {
            let (kept, tokens) = totals(forgery);
            forgery.seal_with_counts(kept + 1, tokens);
        },
        &[FaultKind::CountLied, FaultKind::RootMismatch],
        &[],
    );
}

#[test]
fn another_recipe_is_named() {
    check(
        |forgery| {
            let other = forgery.folder.with_file_name("other");
            let words = "refine {} --out {} --recipe fineweb-en-v1-nolang -q";
            line(words, &[&CLEAN.archive, &other]).with_code(0);
            let recipe = forgery.unit().recipe_id;
            *forgery = Forgery::open(&other, &forgery.folder.with_file_name("renamed"));
            forgery.unit().recipe_id = recipe;
            forgery.docs.iter_mut().for_each(|row| row.recipe_id = recipe);
            forgery.seal();
        },
        &[
            FaultKind::OtherRecipe,
            FaultKind::ReasonChanged,
            // The language it did not look for.
            FaultKind::ColumnWrong,
        ],
        &[FraudKind::RowWrong],
    );
    // A document alone names another one.
    check(
        |forgery| {
            forgery.docs[0].recipe_id = RecipeId(Digest::of(b"another"));
            forgery.seal();
        },
        &[FaultKind::OtherRecipe],
        &[FraudKind::ColumnWrong],
    );
}

#[test]
fn a_wrong_witness_is_named() {
    check(
        |forgery| {
            let at = duplicate(forgery);
            let other = kept(forgery, 0) as u32;
            assert_ne!(forgery.ledger[at].dup_of, Some(other));
            forgery.ledger[at].dup_of = Some(other);
            forgery.seal();
        },
        &[FaultKind::DupWrong],
        &[FraudKind::DupWrong],
    );
}

#[test]
fn a_kept_duplicate_is_named() {
    check(
        |forgery| {
            let at = duplicate(forgery);
            let witness = forgery.ledger[at].dup_of.unwrap() as usize;
            let tokens = forgery.ledger[witness].n_tokens;
            let mut document = forgery.docs[forgery.document_number(witness)].clone();
            document
                .text
                .push_str(" One more sentence was added to this copy by the printer.");
            let row = &mut forgery.ledger[at];
            (row.decision, row.reason, row.dup_of, row.n_tokens) =
                (Decision::Keep, Reason::Kept, None, tokens);
            assert_eq!(
                row.text_hash,
                blake3_16(document.text.as_bytes()),
                "the page's text is known"
            );
            document.token_count = i64::from(tokens);
            (document.warc_offset, document.warc_length, document.record_digest) =
                (row.offset, row.length, row.record_digest);
            let number = forgery.document_number(at);
            forgery.docs.insert(number, document);
            forgery.seal();
        },
        &[FaultKind::DupWrong],
        &[FraudKind::DupWrong],
    );
}

/// A page that repeats nothing is said to be a duplicate.
#[test]
fn an_invented_duplicate_is_named() {
    check(
        |forgery| {
            let (first, at) = (kept(forgery, 0), kept(forgery, 4));
            let document = forgery.document_number(at);
            forgery.docs.remove(document);
            let row = &mut forgery.ledger[at];
            (row.decision, row.reason, row.n_tokens) = (Decision::Drop, Reason::Duplicate, 0);
            row.dup_of = Some(first as u32);
            forgery.seal();
        },
        &[FaultKind::DupWrong],
        &[FraudKind::DupWrong],
    );
}
