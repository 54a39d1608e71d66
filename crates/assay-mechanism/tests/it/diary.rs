//! The exploit diary: what was done to a subnet that pays for data, one test each that it does not pay here.
//!
//! The numbered stories are those of macrocosm-os/data-universe, whose commit subjects since 2025-01 say "reset"
//! seventeen times. What reads Parquet, HTML or WARC is tested in `assay-refine`; here is what scores and admits.

use assay_mechanism::admit::{Expected, Refusal, admit_manifest, admit_units, find_pointer};
use assay_mechanism::assign::{Assigned, volume};
use assay_mechanism::queue::Queue;
use assay_mechanism::sample::{AuditedUnit, audit_units, draw_places, draw_units};
use assay_mechanism::score::{DeliveredUnit, MinerState, production};
use assay_mechanism::simulate::{Settings, find, simulate};
use assay_mechanism::verdict::{Evidence, FaultPlace, FaultSet, Judgement, StakeShare, judge};
use assay_mechanism::weights::{Shares, quantise};
use assay_types::{
    AuditReport, Digest, Draws, Fault, FaultKind, Hotkey, Manifest, NetUid, ParamValues, Pointer, Q32,
    RepoName, ReportError, Revision, Round, Tool, Uid, UnitId, Verdict,
};
use proptest::prelude::*;

const MINER: Hotkey = Hotkey([1; 32]);

fn unit(path: &str) -> UnitId {
    UnitId::of("cc", path)
}

fn assigned(unit: UnitId) -> Assigned {
    Assigned {
        unit,
        holder: MINER,
        replica: None,
        replicated: false,
    }
}

fn expected(assignment: &[Assigned]) -> Expected<'_> {
    Expected {
        round: Round(12),
        hotkey: MINER,
        assignment,
        active: &[],
    }
}

fn evidence(delivered: u64, faults: u32) -> Evidence {
    Evidence {
        assigned: Q32(100),
        delivered: Q32(delivered),
        faults,
        unreachable: StakeShare { part: 0, whole: 1 },
    }
}

fn judged(delivered: u64, faults: u32) -> Judgement {
    judge(&evidence(delivered, faults), &ParamValues::default())
}

#[test]
fn diary_01_empty_submissions_earn_no_credibility() {
    let values = ParamValues::default();
    assert_eq!(admit_units(&[], &expected(&[])), Err(Refusal::Empty));
    assert_eq!(find_pointer(&[]), Err(Refusal::Absent));
    let before = MinerState::newcomer(&values);
    let after = before.after(&judged(0, 0), Q32(u64::MAX), &values);
    assert!(after.credibility < before.credibility);
    assert_eq!(after.average, Q32::ZERO);
}

#[test]
fn diary_02_a_payload_that_names_anothers_repository() {
    let tool = Tool {
        name: "assay".into(),
        version: "0.1.0".into(),
        git: String::new(),
    };
    let mut manifest = Manifest::local(Vec::new(), tool, "ODC-By-1.0");
    (manifest.round, manifest.hotkey) = (Round(12), Hotkey([2; 32]));
    manifest.submission_root = manifest.expected_root();
    let pointer = Pointer {
        round: Round(12),
        n_units: 0,
        want_next: 1,
        submission_root: manifest.submission_root,
        revision: Revision::ZERO,
        repo: RepoName::parse("victim/data").unwrap(),
    };
    let refused = admit_manifest(&manifest, &pointer, &expected(&[]));
    assert_eq!(refused, Err(Refusal::Manifest("hotkey")));
    // Writing the thief's key into the copy changes the root that the chain has.
    manifest.hotkey = MINER;
    assert_ne!(manifest.expected_root(), pointer.submission_root);
}

#[test]
fn diary_03_rows_are_drawn_from_everywhere_not_from_the_head() {
    let values = ParamValues::default();
    let units = [AuditedUnit {
        kept: 10_000,
        content: 100_000,
        bytes: 1 << 30,
    }];
    let sample = draw_places(&mut Draws::new(b"beacon"), &units, &values);
    let behind = |places: &[assay_mechanism::sample::Place], half: u64| {
        places.iter().filter(|place| place.at >= half).count()
    };
    assert!(behind(&sample.kept, 5_000) > 16);
    assert!(behind(&sample.content, 50_000) > 40);
    assert!(behind(&sample.offsets, 1 << 29) > 40);
}

/// A report with these faults and this verdict, as a validator would send it.
fn report(faults: Vec<Fault>, verdict: Verdict) -> Result<AuditReport, ReportError> {
    let report = AuditReport {
        version: assay_types::AUDIT_REPORT_VERSION,
        netuid: NetUid(1),
        round: Round(12),
        validator: Hotkey([9; 32]),
        miner: MINER,
        submission_root: Digest::ZERO,
        params: Digest::ZERO,
        previous: Digest::ZERO,
        checkpoint: Digest::ZERO,
        delivered: Vec::new(),
        probes: Vec::new(),
        faults,
        unreachable: false,
        verdict,
        signature: String::new(),
    };
    AuditReport::parse(&report.to_canonical_bytes()?)
}

fn fault(kind: FaultKind, idx: u32) -> Fault {
    Fault {
        kind,
        unit: unit("a"),
        idx: Some(idx),
        offset: None,
        expected: "a".into(),
        found: "b".into(),
    }
}

#[test]
fn diary_04_fabricated_metadata_is_fraud_like_fabricated_text() {
    let faults = vec![fault(FaultKind::ColumnWrong, 1), fault(FaultKind::ColumnWrong, 2)];
    assert!(report(faults.clone(), Verdict::Pass).is_err());
    assert!(report(faults, Verdict::Fraud).is_ok());
    assert_eq!(judged(100, 2).verdict, Verdict::Fraud);
}

#[test]
fn diary_05_templated_text_and_synthetic_users_do_not_pay() {
    let settings = Settings {
        miners: 4,
        rounds: Some(80),
        ..Settings::default()
    };
    let report = simulate(find("pad").unwrap(), &settings);
    assert!(report.holds(), "{:?}", report.properties);
    assert!(report.strategies[1].revenue < 0.01);
}

#[test]
fn diary_06_a_variant_of_a_name_is_another_unit_and_not_assigned() {
    let mine = [assigned(unit("crawl/x.warc.gz"))];
    assert_eq!(admit_units(&[unit("crawl/x.warc.gz")], &expected(&mine)), Ok(()));
    for variant in ["crawl/X.warc.gz", "crawl//x.warc.gz", "crawl/x.warc.gz?a=1"] {
        let refused = admit_units(&[unit(variant)], &expected(&mine));
        assert_eq!(refused, Err(Refusal::NotAssigned(unit(variant))));
    }
}

#[test]
fn diary_07_bytes_of_the_submission_are_not_paid() {
    // Volume is the archive's, from the corpus index, and clamped; nothing a miner stores enters production.
    assert_eq!(volume(1 << 40, 1 << 30), Q32(4 * Q32::ONE.0));
    assert_eq!(volume(1, 1 << 30), Q32(Q32::ONE.0 / 4));
    assert_eq!(volume(1, 0), Q32::ONE);
    assert_eq!(ParamValues::default().compression_ratio_max, 50);
}

#[test]
fn diary_08_row_groups_have_the_one_size_of_the_format() {
    let values = ParamValues::default();
    assert_eq!(values.docs_group_rows, assay_types::DOCS_ROW_GROUP_ROWS as u64);
    assert_eq!(
        values.ledger_group_rows,
        assay_types::LEDGER_ROW_GROUP_ROWS as u64
    );
}

#[test]
fn diary_09_a_lie_about_row_counts_is_one_more_fault() {
    let mut faults = FaultSet::default();
    faults.insert(unit("a"), FaultPlace::Unit);
    assert_eq!(judged(100, faults.count()).verdict, Verdict::OneFault);
    assert!(!judged(100, faults.count()).pays);
    assert!(report(vec![fault(FaultKind::CountLied, 0)], Verdict::Pass).is_err());
}

#[test]
fn diary_10_a_column_of_another_type_rejects_and_never_skips() {
    assert!(report(vec![fault(FaultKind::Unreadable, 0)], Verdict::Pass).is_err());
    assert!(report(vec![fault(FaultKind::Unreadable, 0)], Verdict::OneFault).is_ok());
}

#[test]
fn diary_11_what_makes_the_sampler_fail_is_a_fault_of_the_miner() {
    // Units without a row, or that declare nothing kept, neither stop the draws nor shorten the byte probes.
    let values = ParamValues::default();
    let empty = AuditedUnit {
        kept: 0,
        content: 0,
        bytes: 7,
    };
    let sample = draw_places(&mut Draws::new(b"x"), &[empty, empty], &values);
    assert_eq!((sample.kept.len(), sample.content.len()), (0, 0));
    assert_eq!(sample.offsets.len() as u64, values.probes_byte);
    assert!(!judged(100, 1).pays);
}

#[test]
fn diary_12_every_unit_is_drawn_as_often_as_any_other() {
    let mut hits = [0_u32; 16];
    for seed in 0_u32..2_000 {
        for at in draw_units(&mut Draws::new(&seed.to_le_bytes()), 16, 2) {
            hits[at as usize] += 1;
        }
    }
    // Mean 250, standard deviation 15.
    assert!(hits.iter().all(|count| (170..330).contains(count)), "{hits:?}");
}

#[test]
fn diary_13_refusing_to_be_read_freezes_nothing() {
    let values = ParamValues::default();
    let refusal = judge(
        &Evidence {
            unreachable: StakeShare { part: 1, whole: 1 },
            ..evidence(100, 0)
        },
        &values,
    );
    let before = MinerState {
        credibility: Q32::ONE,
        average: Q32(1 << 36),
        cap: 16,
        passed: 9,
    };
    let after = before.after(&refusal, Q32(1 << 36), &values);
    assert_eq!(refusal.verdict, Verdict::NoShow);
    assert!(after.credibility < before.credibility && after.average < before.average);
    assert_eq!((after.cap, after.passed), (8, 0));
}

#[test]
fn diary_15_audits_do_not_grow_with_the_miner() {
    let values = ParamValues::default();
    let trusted = |delivered| audit_units(Q32(4_000_000_000), 9, delivered, &values);
    assert_eq!((trusted(16), trusted(256)), (2, 2));
    let unit = AuditedUnit {
        kept: 1_000_000,
        content: 10_000_000,
        bytes: 1 << 40,
    };
    let sample = draw_places(&mut Draws::new(b"x"), &[unit; 8], &values);
    let places = sample.kept.len() + sample.content.len() + sample.offsets.len();
    assert_eq!(places, 320);
}

proptest! {
    #[test]
    fn diary_14_every_failure_costs(credibility in 1_u64 << 20..=1 << 32, average in 1_u64 << 20..1 << 40) {
        let values = ParamValues::default();
        let before = MinerState { credibility: Q32(credibility), average: Q32(average), cap: 64, passed: 9 };
        for judgement in [judged(100, 1), judged(100, 2), judged(0, 0)] {
            let after = before.after(&judgement, Q32(u64::MAX >> 8), &values);
            prop_assert!(after.credibility < before.credibility);
            prop_assert!(after.average < before.average);
            prop_assert!(after.cap < before.cap);
        }
    }

    #[test]
    fn diary_16_a_pass_never_lowers_credibility(credibility in 0_u64..=1 << 32, delivered in 50_u64..=100) {
        let values = ParamValues::default();
        let before = MinerState { credibility: Q32(credibility), average: Q32::ZERO, cap: 4, passed: 0 };
        let after = before.after(&judged(delivered, 0), Q32::ZERO, &values);
        prop_assert!(after.credibility >= before.credibility && after.credibility <= Q32::ONE);
    }

    #[test]
    fn diary_18_two_operators_that_merge_gain_nothing(a in 1_u64..1 << 36, b in 1_u64..1 << 36, rest in 1_u64..1 << 40) {
        let weight = |shares: Vec<u64>| {
            let row = quantise(&Shares::new((1_u16..).zip(shares).map(|(uid, e)| (Uid(uid), Q32(e)))), Uid(0));
            let total: u64 = row.iter().map(|(_, weight)| u64::from(weight.0)).sum();
            move |uids: std::ops::RangeInclusive<u16>| {
                let mine = row.iter().filter(|(uid, _)| uids.contains(&uid.0));
                mine.map(|(_, weight)| f64::from(weight.0)).sum::<f64>() / total as f64
            }
        };
        let apart = weight(vec![a, b, rest])(1..=2);
        let merged = weight(vec![a + b, rest])(1..=1);
        // Each weight is rounded down to 1/65,535 of the largest.
        prop_assert!(merged <= apart + 3.0 / 65_535.0, "{} {}", merged, apart);
    }

    #[test]
    fn diary_19_declared_counts_choose_no_unit(kept in any::<u64>(), seed in any::<u64>()) {
        // Units are drawn before any declared number is read; offsets depend on the corpus index alone.
        let values = ParamValues::default();
        let shape = |kept: u64| [AuditedUnit { kept: kept % 1_000, content: 1_000, bytes: 1 << 30 }];
        let mut draws = Draws::new(&seed.to_le_bytes());
        let units = draw_units(&mut draws, 16, 2);
        prop_assert_eq!(units, draw_units(&mut Draws::new(&seed.to_le_bytes()), 16, 2));
        let sample = draw_places(&mut draws, &shape(kept), &values);
        prop_assert_eq!(sample.offsets.len() as u64, values.probes_byte);
        prop_assert_eq!(sample.content.len() as u64, values.probes_index);
    }
}

#[test]
fn diary_17_what_an_audit_reads_has_a_bound() {
    let values = ParamValues::default();
    let rows = values.rows_kept + values.probes_index + values.probes_byte;
    let most = values.probes_byte * values.window + rows * values.member_max;
    assert!(
        most <= 6 << 30,
        "{most} bytes at the very worst, on disk and one at a time"
    );
    assert!(values.window <= values.member_max);
}

#[test]
fn diary_20_a_work_list_without_end_is_read_only_as_far_as_needed() {
    let values = ParamValues::default();
    let endless = (0_u64..).map(|number| unit(&number.to_string()));
    let offers = Queue::default().offers(endless, 100, &values);
    assert_eq!(offers.len(), 100);
}

#[test]
fn production_ignores_everything_but_volume_novelty_gain_and_holders() {
    let one = DeliveredUnit {
        volume: Q32::ONE,
        novelty: Q32::ONE,
        gain: Q32::ONE,
        holders: 1,
    };
    let shared = DeliveredUnit { holders: 2, ..one };
    assert_eq!(production(Q32::ONE, &[one, shared]), Q32(3 << 31));
    let nothing_new = DeliveredUnit {
        novelty: Q32::ZERO,
        ..one
    };
    assert_eq!(production(Q32::ONE, &[nothing_new]), Q32::ZERO);
    let endless = DeliveredUnit {
        volume: Q32(u64::MAX),
        ..one
    };
    assert_eq!(production(Q32::ONE, &[endless, endless]), Q32(u64::MAX));
}
