//! Audit and evaluation reports: read as written, every contradiction refused, the log is a chain.

use crate::mutate;
use assay_types::{
    Arm, AuditReport, Delivered, Digest, EvaluationReport, Fault, FaultKind, Hotkey, NetUid, Probe, Q32,
    RecipeId, Round, Stage, Tokens, UnitId, Verdict, batch_digest, blake3_16,
};
use proptest::prelude::*;

/// A report of one fault.
pub(crate) fn audit() -> AuditReport {
    let unit = UnitId::of("cc", "EXAMPLE/00000");
    AuditReport {
        version: assay_types::AUDIT_REPORT_VERSION,
        netuid: NetUid(7),
        round: Round(12),
        validator: Hotkey([9; 32]),
        miner: Hotkey([1; 32]),
        submission_root: Digest([2; 32]),
        params: assay_types::ParamSet::default().digest(),
        previous: Digest::ZERO,
        checkpoint: Digest([7; 32]),
        delivered: vec![Delivered {
            unit,
            records: 40,
            novelty: Q32::ONE,
            gain: Q32::ONE,
            recipe_id: assay_types::RecipeId(Digest([6; 32])),
        }],
        probes: vec![Probe {
            unit,
            idx: 3,
            result: blake3_16(b"row"),
        }],
        faults: vec![Fault {
            kind: FaultKind::TextChanged,
            unit,
            idx: Some(3),
            offset: Some(400),
            expected: "text_hash aa".into(),
            found: "text_hash bb".into(),
        }],
        unreachable: false,
        verdict: Verdict::OneFault,
        signature: "5a".repeat(64),
    }
}

/// A cell of the champion.
pub(crate) fn evaluation() -> EvaluationReport {
    EvaluationReport {
        version: assay_types::EVALUATION_REPORT_VERSION,
        netuid: NetUid(7),
        round: Round(20),
        stage: Stage::Screen,
        validator: Hotkey([9; 32]),
        params: Digest([3; 32]),
        profile: "cpu-v1".into(),
        arm: Arm::Champion,
        recipe_id: RecipeId(Digest([4; 32])),
        seed: 2,
        domain: "wiki".into(),
        value: 12_870,
        tokens: Tokens(1_000_000),
        signature: String::new(),
    }
}

#[track_caller]
fn audit_refused(message: &str, lie: impl FnOnce(&mut AuditReport)) {
    let mut report = audit();
    lie(&mut report);
    let error = AuditReport::parse(&report.to_canonical_bytes().unwrap()).unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn an_audit_report_is_read_as_written_and_cannot_contradict_itself() {
    let bytes = audit().to_canonical_bytes().unwrap();
    assert_eq!(AuditReport::parse(&bytes).unwrap(), audit());
    audit_refused("version `2`", |report| report.version = 2);
    audit_refused("`verdict` must follow", |report| report.verdict = Verdict::Pass);
    audit_refused("`verdict` must follow", |report| report.verdict = Verdict::Fraud);
    audit_refused("`faults` must name each", |report| {
        report.faults.push(report.faults[0].clone());
        report.verdict = Verdict::Fraud;
    });
    audit_refused("`unreachable` must be false", |report| report.unreachable = true);
    audit_refused("`signature` must be", |report| report.signature.push('0'));
    audit_refused("`delivered` must hold", |report| {
        report.delivered.push(report.delivered[0]);
    });
    audit_refused("`delivered` must have novelty", |report| {
        report.delivered[0].novelty = Q32(Q32::ONE.0 + 1);
    });
    audit_refused("`delivered` must have novelty", |report| {
        report.delivered[0].gain = Q32(u64::from(u32::MAX) << 12);
    });
    audit_refused("`faults` must be at most", |report| {
        report.faults[0].found = "x".repeat(assay_types::FAULT_TEXT_BYTES_MAX + 1);
    });
    audit_refused("`probes` must hold", |report| {
        report.probes = vec![report.probes[0]; assay_types::PROBES_MAX + 1];
    });
}

#[test]
fn the_log_is_a_chain_and_the_signature_covers_all_but_itself() {
    let first = audit();
    let second = AuditReport {
        previous: first.digest().unwrap(),
        ..audit()
    };
    assert_ne!(first.digest().unwrap(), second.digest().unwrap());
    let unsigned = AuditReport {
        signature: String::new(),
        ..audit()
    };
    assert_eq!(first.signed_digest().unwrap(), unsigned.signed_digest().unwrap());
    assert_ne!(first.signed_digest().unwrap(), second.signed_digest().unwrap());
    let lines = [first, second].map(|report| report.to_canonical_bytes().unwrap());
    let joined = [lines[0].as_slice(), b"\n", &lines[1], b"\n"].concat();
    assert_eq!(batch_digest(lines.iter().map(Vec::as_slice)), Digest::of(&joined));
}

#[track_caller]
fn evaluation_refused(message: &str, lie: impl FnOnce(&mut EvaluationReport)) {
    let mut report = evaluation();
    lie(&mut report);
    let error = EvaluationReport::parse(&report.to_canonical_bytes().unwrap()).unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn an_evaluation_report_is_read_as_written_and_checked() {
    let bytes = evaluation().to_canonical_bytes().unwrap();
    assert_eq!(EvaluationReport::parse(&bytes).unwrap(), evaluation());
    evaluation_refused("version `0`", |report| report.version = 0);
    evaluation_refused("`value` must be 1", |report| report.value = 0);
    evaluation_refused("`recipe_id` must be zero", |report| report.arm = Arm::Ore);
    evaluation_refused("`domain` must be", |report| report.domain.clear());
    evaluation_refused("`profile` must be", |report| report.profile.push(' '));
}

proptest! {
    #[test]
    fn damaged_reports_are_refused_or_read_as_written(edits in mutate::edits()) {
        let damaged = mutate::apply(&audit().to_canonical_bytes().unwrap(), &edits);
        if let Ok(report) = AuditReport::parse(&damaged) {
            prop_assert_eq!(report.to_canonical_bytes().unwrap(), damaged);
        }
        let damaged = mutate::apply(&evaluation().to_canonical_bytes().unwrap(), &edits);
        if let Ok(report) = EvaluationReport::parse(&damaged) {
            prop_assert_eq!(report.to_canonical_bytes().unwrap(), damaged);
        }
    }
}
