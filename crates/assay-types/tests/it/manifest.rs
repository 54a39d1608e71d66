//! Manifests: what is read is what was written, and every lie in it has its error.

use crate::{example, mutate};
use assay_types::{Bytes, Digest, Manifest, ManifestError, ManifestUnit, Tokens};
use proptest::prelude::*;

#[test]
fn a_local_manifest_is_sorted_valid_and_read_as_written() {
    let manifest = example::manifest();
    assert!(manifest.units[0].unit_id < manifest.units[1].unit_id);
    assert_eq!(manifest.submission_root, manifest.expected_root());
    let bytes = manifest.to_canonical_bytes().unwrap();
    assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
}

/// Applies a lie to the first unit, makes the roots right again, and expects an error that says `message`.
#[track_caller]
fn refused(message: &str, lie: impl FnOnce(&mut ManifestUnit)) {
    let mut manifest = example::manifest();
    lie(&mut manifest.units[0]);
    manifest.units[0].unit_root = manifest.units[0].expected_root();
    manifest.submission_root = manifest.expected_root();
    let error = manifest.validate().unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn paths_counts_and_texts_are_checked() {
    refused("path `../../etc/passwd` of unit", |unit| {
        unit.docs[0].path = "../../etc/passwd".into();
    });
    refused("is not `units/", |unit| {
        unit.ledger.path = "/ledger.parquet".into();
    });
    refused("is not `units/", |unit| {
        unit.bands.path = unit.bands.path.replace("bands", "x/../bands");
    });
    refused("docs-00000.parquet", |unit| {
        unit.docs[0].path = unit.docs[0].path.replace("00000", "00001");
    });
    refused("docs-00000.parquet", |unit| unit.docs[0].path.push('x'));
    refused("6 kept of 5 records", |unit| unit.n_kept = 6);
    refused("1 rows in docs for 0 kept", |unit| unit.n_kept = 0);
    refused("tokens without a kept record", |unit| {
        unit.n_kept = 0;
        unit.docs.clear();
    });
    refused("bytes without a record", |unit| {
        (unit.n_records, unit.n_kept, unit.n_tokens) = (0, 0, Tokens(0));
        unit.docs.clear();
    });
    refused("unit_id is", |unit| unit.warc_path = "c.warc.gz".into());
    refused("warc_path is longer", |unit| unit.warc_path = "a\nb".into());
    refused("source is longer", |unit| unit.source.clear());
}

#[test]
fn order_and_roots_are_checked() {
    let mut swapped = example::manifest();
    swapped.units.swap(0, 1);
    assert!(matches!(swapped.validate(), Err(ManifestError::Order(_))));

    let mut twice = example::manifest();
    twice.units[1] = twice.units[0].clone();
    assert!(matches!(twice.validate(), Err(ManifestError::Order(_))));

    let mut wrong_unit = example::manifest();
    wrong_unit.units[0].unit_root = Digest([1; 32]);
    assert!(matches!(
        wrong_unit.validate(),
        Err(ManifestError::Root {
            field: "unit_root",
            ..
        })
    ));

    let mut wrong_root = example::manifest();
    wrong_root.submission_root = Digest([1; 32]);
    assert!(matches!(
        wrong_root.validate(),
        Err(ManifestError::Root {
            field: "submission_root",
            ..
        })
    ));

    let mut other = example::manifest();
    other.protocol = "assay/2".into();
    assert!(matches!(other.validate(), Err(ManifestError::Protocol(_))));
}

#[test]
fn unknown_keys_huge_integers_and_other_spellings_are_refused() {
    let text = String::from_utf8(example::manifest().to_canonical_bytes().unwrap()).unwrap();
    for (from, to) in [
        ("\"created_block\"", "\"author\":1,\"created_block\""),
        ("\"created_block\":0", "\"created_block\":0.0"),
        ("\"warc_len\":5000", "\"warc_len\":9007199254740992"),
        ("\"warc_len\":5000", "\"warc_len\":5e3"),
        ("\"name\":\"assay\"", "\"git\":\"\",\"name\":\"assay\""),
        ("\"name\":\"assay\"", "\"name\":\"\\u0061ssay\""),
        (",\"netuid\":0", ""),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(
            matches!(Manifest::parse(changed.as_bytes()), Err(ManifestError::Json(_))),
            "{to}"
        );
    }
    let mut huge = example::manifest();
    huge.units[0].warc_len = Bytes(1 << 53);
    assert!(huge.to_canonical_bytes().is_err());
}

proptest! {
    #[test]
    fn a_damaged_manifest_is_refused_or_the_same(edits in mutate::edits()) {
        let bytes = example::manifest().to_canonical_bytes().unwrap();
        let damaged = mutate::apply(&bytes, &edits);
        if let Ok(manifest) = Manifest::parse(&damaged) {
            prop_assert_eq!(manifest.to_canonical_bytes().unwrap(), damaged);
        }
    }
}
