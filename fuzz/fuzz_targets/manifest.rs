//! Any bytes as a manifest, report or fraud proof in canonical JSON: one spelling each, and checks that end.

#![no_main]

use assay_types::{AuditReport, EvaluationReport, FraudProof, Manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(manifest) = Manifest::parse(data) {
        assert_eq!(manifest.to_canonical_bytes().unwrap(), data);
    }
    if let Ok(report) = AuditReport::parse(data) {
        assert_eq!(report.to_canonical_bytes().unwrap(), data);
    }
    if let Ok(report) = EvaluationReport::parse(data) {
        assert_eq!(report.to_canonical_bytes().unwrap(), data);
    }
    if let Ok(proof) = FraudProof::parse(data) {
        assert_eq!(proof.to_canonical_bytes().unwrap(), data);
        let _ = proof.check_structure();
    }
});
