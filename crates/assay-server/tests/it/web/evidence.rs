//! What miners declare and validators say in the filled store, and what was released.

use super::fill::{HOSTILE, MINERS, VALIDATORS, head, other_recipe, root, start, verdict};
use crate::world::{NETUID, hotkey, params};
use assay_mechanism::contest::{Contest, Decision, Rules};
use assay_mechanism::network::NetworkState;
use assay_server::App;
use assay_server::store::{
    AddDataset, AddRecipeText, AddReport, CompleteSubmission, MinerRecord, Settle, StoreError, VerdictRow,
    Write, network_state,
};
use assay_types::api::{Assignment, DatasetView, DeclaredWork, ReportKind, ReportView};
use assay_types::{
    AUDIT_REPORT_VERSION, Arm, AuditReport, BlockNumber, Coldkey, Digest, Digest16,
    EVALUATION_REPORT_VERSION, EvaluationReport, Fault, FaultKind, Hotkey, Probe, Q32, RecipeId, Round,
    Stage, Tokens, UnitId, Verdict, recipe,
};
use futures_util::future::BoxFuture;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Records of each unit.
pub(super) const RECORDS: u32 = 36_400;

pub(super) async fn manifests(app: &App, plan: &Assignment, round: u32) {
    for (at, name) in MINERS.iter().enumerate() {
        let miner = hotkey(name);
        let mut units: Vec<UnitId> = plan.of(&miner).map(|entry| entry.unit).collect();
        units.sort_unstable();
        let recipe_id = if at % 2 == 0 {
            other_recipe().id()
        } else {
            recipe::fineweb_en_v1().id()
        };
        let count = units.len() as u64;
        let write = CompleteSubmission {
            round: Round(round),
            hotkey: miner,
            root: root(&miner, round),
            records: vec![RECORDS; units.len()],
            units,
            declared: vec![DeclaredWork {
                recipe_id,
                units: count as u32,
                records: count * u64::from(RECORDS),
                kept: count * 3_200,
                tokens: count * 2_210_000,
                archive_bytes: count * 940_000_000,
            }],
            now_ms: head(start(round) + 17).time_ms,
        };
        // A miner that did not show up has nothing to complete.
        let _ = app.writer().write(write).await.unwrap();
    }
}

pub(super) async fn audits(app: &App, plan: &Assignment, round: u32) {
    for validator in VALIDATORS {
        for (at, name) in MINERS.iter().enumerate() {
            let (miner, (said, count)) = (hotkey(name), verdict(at, round));
            let Some(unit) = plan.of(&miner).map(|entry| entry.unit).min() else {
                continue;
            };
            let report = AuditReport {
                version: AUDIT_REPORT_VERSION,
                netuid: NETUID,
                round: Round(round),
                validator: hotkey(validator),
                miner,
                submission_root: if said == Verdict::NoShow {
                    Digest::ZERO
                } else {
                    root(&miner, round)
                },
                params: params().digest(),
                previous: Digest::ZERO,
                checkpoint: Digest::ZERO,
                delivered: Vec::new(),
                probes: (0..32)
                    .map(|idx| Probe {
                        unit,
                        idx,
                        result: Digest16([idx as u8; 16]),
                    })
                    .collect(),
                faults: (0..count)
                    .map(|idx| Fault {
                        kind: FaultKind::ALL[idx as usize % 4],
                        unit,
                        idx: Some(idx),
                        offset: Some(u64::from(idx) * 1_000),
                        expected: HOSTILE.chars().take(40).collect(),
                        found: "other".to_owned(),
                    })
                    .collect(),
                unreachable: said == Verdict::Unpaid,
                verdict: said,
                signature: String::new(),
            };
            let line = String::from_utf8(report.to_canonical_bytes().unwrap()).unwrap();
            add_report(
                app,
                (ReportKind::Audit, Round(round)),
                (hotkey(validator), Some(miner)),
                line,
                miner.to_string(),
            )
            .await;
        }
    }
}

async fn add_report(
    app: &App,
    (kind, round): (ReportKind, Round),
    (validator, miner): (Hotkey, Option<Hotkey>),
    line: String,
    subject: String,
) {
    let report = ReportView {
        digest: Digest::of(line.as_bytes()),
        kind,
        round,
        validator,
        miner,
        line,
        received_ms: head(start(round.0) + 20).time_ms,
    };
    app.writer()
        .write(AddReport { report, subject })
        .await
        .unwrap()
        .unwrap();
}

pub(super) async fn settle(app: &App, plan: &Assignment, round: u32) {
    let one = Q32::ONE.0 as f64;
    let verdicts = MINERS
        .iter()
        .enumerate()
        .filter(|(_, name)| plan.of(&hotkey(name)).count() > 0)
        .map(|(at, name)| {
            let (said, faults) = verdict(at, round);
            let credibility = match at {
                5 => 0.6 - 0.03 * f64::from(round),
                4 => 0.8 + 0.008 * f64::from(round),
                3 => 0.9 + 0.004 * f64::from(round),
                _ => 0.99 + 0.0005 * f64::from(round),
            };
            let delivered = if said == Verdict::NoShow {
                0.0
            } else {
                1.0 - 0.02 * at as f64
            };
            VerdictRow {
                round: Round(round),
                record: MinerRecord {
                    hotkey: hotkey(name),
                    registered: BlockNumber(10 + at as u32),
                    credibility: Q32((credibility.min(1.0) * one) as u64),
                    cap: 64,
                    passed: round,
                },
                verdict: said,
                assigned: 4,
                units: if said == Verdict::Pass { 4 } else { 0 },
                records: if said == Verdict::Pass { 4_000 } else { 0 },
                produced: if said == Verdict::Pass {
                    Q32::ONE
                } else {
                    Q32::ZERO
                },
                average: Q32((credibility.min(1.0) * one) as u64),
                delivered: Q32((delivered * one) as u64),
                faults,
                reports: vec![Digest([at as u8; 32])],
            }
        })
        .collect();
    let state = network_state(app.database().readers()).await.unwrap();
    let write = Settle {
        round: Round(round),
        verdicts,
        units: Vec::new(),
        leases: Vec::new(),
        before: state.clone(),
        state,
        now_ms: head(start(round) + 20).time_ms,
    };
    assert!(app.writer().write(write).await.unwrap());
}

pub(super) async fn add_recipes(app: &App) {
    let recipe = other_recipe();
    let announced = RecipeId(Digest([0xab; 32]));
    for (recipe_id, toml) in [(recipe.id(), recipe.to_canonical()), (announced, String::new())] {
        let write = AddRecipeText {
            recipe_id,
            author: Some((hotkey("cupel"), Coldkey([3; 32]), BlockNumber(55))),
            toml,
            now_ms: 2,
        };
        app.writer().write(write).await.unwrap();
    }
}

/// A network that has decided the duel.
struct Decided;

impl Write for Decided {
    type Out = ();

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<(), StoreError>> {
        let rules = Rules {
            profile: "cpu-v1".to_owned(),
            packs: BTreeMap::new(),
            fixed: BTreeSet::new(),
        };
        let anchor = recipe::fineweb_en_v1().id();
        // A contest decides by itself only; what it has decided is known from its document.
        let mut contest = serde_json::to_value(Contest::new(anchor, rules)).unwrap();
        let decision = Decision {
            round: Round(2),
            stage: Stage::Screen,
            champion: anchor,
            challenger: other_recipe().id(),
            outcome: "won".to_owned(),
            lead_milli: 129_400,
            error_milli: 17_250,
        };
        contest["decisions"] = serde_json::to_value([decision]).unwrap();
        let state = NetworkState {
            contest: Some(serde_json::from_value(contest).unwrap()),
            ..NetworkState::default()
        };
        Box::pin(async move {
            sqlx::query("UPDATE network SET document = $1 WHERE id = 0")
                .bind(serde_json::to_string(&state).unwrap())
                .execute(connection)
                .await?;
            Ok(())
        })
    }
}

/// Six seeds of a duel on round 2, every arm, two domains, and what was decided.
pub(super) async fn duel(app: &App) {
    app.writer().write(Decided).await.unwrap();
    let arms = [
        (Arm::Ore, RecipeId::default(), 27_000),
        (Arm::Pure, RecipeId::default(), 22_000),
        (Arm::Anchor, recipe::fineweb_en_v1().id(), 24_300),
        (Arm::Champion, recipe::fineweb_en_v1().id(), 24_250),
        (Arm::Challenger, other_recipe().id(), 23_600),
        // Nobody has registered it: in no duel, however good it is said to be.
        (Arm::Challenger, RecipeId(Digest([0x77; 32])), 1_000),
    ];
    for seed in 0..6_u32 {
        for (arm, recipe_id, bits) in arms {
            for (domain, more) in [("questions", 0), ("prose", 900)] {
                let report = EvaluationReport {
                    version: EVALUATION_REPORT_VERSION,
                    netuid: NETUID,
                    round: Round(2),
                    stage: Stage::Screen,
                    validator: hotkey("house"),
                    params: params().digest(),
                    profile: "cpu-v1".to_owned(),
                    arm,
                    recipe_id,
                    seed,
                    domain: domain.to_owned(),
                    value: bits + more + (seed * 17 + bits / 7) % 130,
                    tokens: Tokens(1_000_000),
                    signature: String::new(),
                };
                let line = String::from_utf8(report.to_canonical_bytes().unwrap()).unwrap();
                let subject = format!("{arm:?}/{recipe_id}/{seed}/{domain}");
                add_report(
                    app,
                    (ReportKind::Evaluation, Round(2)),
                    (hotkey("house"), None),
                    line,
                    subject,
                )
                .await;
            }
        }
    }
}

pub(super) async fn dataset(app: &App) {
    for (name, release, tokens) in [
        ("assay-en", "2026.10.1", 61_000_000_000),
        ("assay-en", "2026.11.3", 148_000_000_000),
        (HOSTILE, HOSTILE, 5),
    ] {
        let dataset = DatasetView {
            name: name.to_owned(),
            release: release.to_owned(),
            licence: if name == HOSTILE { HOSTILE } else { "ODC-By" }.to_owned(),
            location: if name == HOSTILE {
                HOSTILE
            } else {
                "assay/assay-en"
            }
            .to_owned(),
            manifest: Digest([4; 32]),
            documents: tokens / 640,
            tokens,
            units: tokens / 2_000_000,
            description: if name == HOSTILE {
                HOSTILE
            } else {
                "English pages of one crawl, refined by six miners with two recipes."
            }
            .to_owned(),
        };
        app.writer()
            .write(AddDataset {
                dataset,
                now_ms: tokens,
            })
            .await
            .unwrap();
    }
}
