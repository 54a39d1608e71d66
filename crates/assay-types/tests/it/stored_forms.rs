//! Snapshots of every form that is stored or sent: a change here is a change of the format.

use crate::example;
use assay_types::{
    BANDS_COLUMNS, BANDS_VERSION, DOCS_COLUMNS, DOCS_VERSION, LEDGER_COLUMNS, LEDGER_ROW_BYTES,
    LEDGER_VERSION,
};
use serde_json::Value;
use std::fmt::Write as _;

/// Canonical bytes, one key a line, for the eye.
fn pretty(canonical: &[u8]) -> String {
    serde_json::to_string_pretty(&serde_json::from_slice::<Value>(canonical).unwrap()).unwrap()
}

#[test]
fn ledger_row() {
    let mut out = format!("version {LEDGER_VERSION}, {LEDGER_ROW_BYTES} bytes\n");
    for (name, kind, offset) in LEDGER_COLUMNS {
        writeln!(out, "{offset:>2} {name} {kind}").unwrap();
    }
    for row in example::rows() {
        writeln!(out, "{}", assay_types::hex::encode(&row.encode())).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn docs_and_bands_columns() {
    let mut out = format!("docs version {DOCS_VERSION}\n");
    for (name, kind) in DOCS_COLUMNS {
        writeln!(out, "{name} {kind}").unwrap();
    }
    writeln!(out, "bands version {BANDS_VERSION}\n{}", BANDS_COLUMNS.join(" ")).unwrap();
    insta::assert_snapshot!(out);
}

#[test]
fn manifest_json() {
    insta::assert_snapshot!(pretty(&example::manifest().to_canonical_bytes().unwrap()));
}

#[test]
fn fraud_proof_json() {
    insta::assert_snapshot!(pretty(
        &example::changed_text_proof().to_canonical_bytes().unwrap()
    ));
}

#[test]
fn fault_names() {
    let names: Vec<String> = assay_types::FaultKind::ALL
        .iter()
        .map(|kind| format!("{kind}: {}", kind.explanation()))
        .collect();
    insta::assert_snapshot!(names.join("\n"));
}

#[test]
fn refine_report_json() {
    let report = assay_types::RefineReport {
        records: 5,
        kept: 1,
        dropped: [("gopher_quality.gopher_short_doc".to_owned(), 1)].into(),
        ..assay_types::RefineReport::default()
    };
    let as_of = assay_types::AsOf {
        time: "2026-01-01T00:00:00Z".into(),
        block: None,
    };
    let envelope = assay_types::Envelope::ok(assay_types::report::REFINE_SCHEMA, as_of, report);
    insta::assert_snapshot!(serde_json::to_string_pretty(&envelope).unwrap());
}

#[test]
fn audit_report_json() {
    insta::assert_snapshot!(pretty(&crate::reports::audit().to_canonical_bytes().unwrap()));
}

#[test]
fn evaluation_report_json() {
    insta::assert_snapshot!(pretty(
        &crate::reports::evaluation().to_canonical_bytes().unwrap()
    ));
}

#[test]
fn parameter_set_toml() {
    let set = assay_types::ParamSet::default();
    insta::assert_snapshot!(format!("{}\ndigest {}", set.to_canonical(), set.digest()));
}

#[test]
fn verdict_names() {
    let names = assay_types::Verdict::ALL.map(assay_types::Verdict::name);
    for (verdict, name) in assay_types::Verdict::ALL.into_iter().zip(names) {
        assert_eq!(serde_json::to_value(verdict).unwrap(), name);
    }
    insta::assert_snapshot!(names.join(" "), @"idle pass one_fault fraud no_show unpaid skipped");
}

#[test]
fn work_unit_json() {
    let unit = assay_types::WorkUnit::new("cc", "EXAMPLE/00000", assay_types::Bytes(1_000)).unwrap();
    insta::assert_snapshot!(serde_json::to_string(&unit).unwrap(), @r#"{"unit_id":"e99f5853d11aa41fcfce6a9a3c0f07ac","source":"cc","path":"EXAMPLE/00000","bytes":1000}"#);
}
