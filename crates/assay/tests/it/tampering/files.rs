//! Bands, columns, digests, files and roots that do not fit; and what a sample finds.

use std::collections::BTreeSet;

use assay_types::{BandRow, Digest, DocsRow, FaultKind, FraudKind, blake3_16};
use serde_json::Value;

use super::check::{CLEAN, check, kept, proofs, recheck, verify};
use super::forge::Forgery;
use crate::support::folder;

#[test]
fn a_clean_dataset_is_clean() {
    let folder = folder();
    let proof = folder.path().join("proofs.json");
    for flags in ["", "--sample 3 --seed 1", "--sample 1000"] {
        let document = verify(&CLEAN.dataset, &proof, flags).with_code(0).json();
        assert_eq!(document["data"]["fault_counts"], serde_json::json!({}));
        assert_eq!(document["data"]["proof_file"], Value::Null);
        assert!(!proof.exists(), "no proof file without a fault");
    }
    let mut forgery = Forgery::open(&CLEAN.dataset, &folder.path().join("sealed"));
    forgery.seal();
    verify(&forgery.folder, &proof, "").with_code(0);
    let reasons: BTreeSet<u8> = forgery.ledger.iter().map(|row| row.reason.to_u8()).collect();
    assert!(
        reasons.len() >= 5,
        "the archive has too few kinds of rows: {reasons:?}"
    );
}

#[test]
fn altered_bands_are_named() {
    let alter = |change: fn(&mut Vec<BandRow>)| {
        move |forgery: &mut Forgery| {
            change(&mut forgery.bands);
            forgery.seal();
        }
    };
    check(
        alter(|bands| bands[1].bands.0[5] ^= 1),
        &[FaultKind::BandsWrong],
        &[],
    );
    check(
        alter(|bands| bands.truncate(bands.len() - 1)),
        &[FaultKind::BandsWrong],
        &[],
    );
    check(alter(|bands| bands.swap(0, 1)), &[FaultKind::BandsWrong], &[]);
    // Made to collide with an earlier page, so that a replay of the bands gives a duplicate.
    check(
        alter(|bands| bands[4].bands.0[0] = bands[0].bands.0[0]),
        &[FaultKind::BandsWrong, FaultKind::DupWrong],
        &[],
    );
}

#[test]
fn changed_columns_and_digests_are_named() {
    let alter = |change: fn(&mut DocsRow)| {
        move |forgery: &mut Forgery| {
            change(&mut forgery.docs[2]);
            forgery.seal();
        }
    };
    let column = [FraudKind::ColumnWrong];
    check(alter(|row| row.url.push('x')), &[FaultKind::ColumnWrong], &column);
    check(
        alter(|row| row.date = "2024-05-01T00:00:00Z".to_owned()),
        &[FaultKind::ColumnWrong],
        &column,
    );
    check(
        alter(|row| row.language_score -= 1),
        &[FaultKind::ColumnWrong],
        &column,
    );
    check(
        |forgery| {
            let at = kept(forgery, 2);
            forgery.ledger[at].record_digest = blake3_16(b"other bytes");
            forgery.docs[2].record_digest = blake3_16(b"other bytes");
            forgery.seal();
        },
        &[FaultKind::DigestWrong],
        &[FraudKind::RowWrong],
    );
}

#[test]
fn files_that_do_not_fit_are_named() {
    // A bit of the magic number at the beginning, and one in the middle of the data.
    for (name, place, kinds) in [
        ("docs-00000.parquet", 0, [FaultKind::FileMismatch].as_slice()),
        (
            "ledger.parquet",
            usize::MAX,
            &[FaultKind::FileMismatch, FaultKind::Unreadable],
        ),
    ] {
        check(
            |forgery| {
                let unit = forgery.unit().unit_id;
                let path = forgery.folder.join(format!("units/{unit}/{name}"));
                let mut bytes = fs_err::read(&path).unwrap();
                if place < bytes.len() {
                    bytes[place] ^= 1;
                } else {
                    bytes.truncate(bytes.len() - 9);
                }
                fs_err::write(path, bytes).unwrap();
            },
            kinds,
            &[],
        );
    }
    check(
        |forgery| fs_err::remove_file(forgery.folder.join(&forgery.manifest.units[0].bands.path)).unwrap(),
        &[FaultKind::FileMismatch, FaultKind::Unreadable],
        &[],
    );
}

#[test]
fn roots_that_do_not_fit_are_named() {
    check(
        |forgery| {
            forgery.unit().ledger.root = Digest::of(b"another");
            forgery.seal_manifest();
        },
        &[FaultKind::RootMismatch],
        &[],
    );
    check(
        |forgery| {
            let path = forgery.folder.join("manifest.json");
            let root = forgery.manifest.submission_root.to_string();
            let text = fs_err::read_to_string(&path).unwrap();
            fs_err::write(path, text.replace(&root, &Digest::of(b"another").to_string())).unwrap();
        },
        &[FaultKind::RootMismatch],
        &[],
    );
}

/// A sample finds a changed text if its row is drawn, and only then.
#[test]
fn a_sample_finds_a_changed_text_when_its_row_is_drawn() {
    let folder = folder();
    let mut forgery = Forgery::open(&CLEAN.dataset, &folder.path().join("forged"));
    let at = kept(&forgery, 2);
    forgery.docs[2].text.push_str(" Buy now!");
    forgery.ledger[at].text_hash = blake3_16(forgery.docs[2].text.as_bytes());
    forgery.seal();
    let proof = folder.path().join("proofs.json");
    let all = 2 * forgery.kept().len();
    let document = verify(&forgery.folder, &proof, &format!("--sample {all}"))
        .with_code(4)
        .json();
    assert_eq!(document["data"]["fault_counts"]["text_changed"], 1, "{document}");
    assert_eq!(document["data"]["faults"][0]["idx"], at);
    for proof in proofs(&proof, &document) {
        recheck(&proof, &forgery);
    }
    let (mut found, mut missed) = (0, 0);
    for seed in 0..12 {
        let answer = verify(&forgery.folder, &proof, &format!("--sample 2 --seed {seed}"));
        let document = answer.json();
        assert!(document["data"]["checked"].as_u64().unwrap() <= 2, "{document}");
        let is_found = document["data"]["fault_counts"]["text_changed"] == 1;
        assert_eq!(answer.code, if is_found { 4 } else { 0 });
        *(if is_found { &mut found } else { &mut missed }) += 1;
    }
    assert!(found > 0 && missed > 0, "{found} found, {missed} missed");
}
