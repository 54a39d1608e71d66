//! Duels of the history: a cycle of ten rounds screens four challengers and confirms one, and three validators report every cell.

use crate::history::{History, JUDGES, MINERS, NETUID, hotkey, params, write_all};
use assay_server::App;
use assay_server::store::{AddRecipeText, AddReport};
use assay_types::api::{ReportKind, ReportView};
use assay_types::{
    Arm, BlockNumber, Coldkey, Digest, EVALUATION_REPORT_VERSION, EvaluationReport, RecipeId, Round, Stage,
    Tokens, recipe,
};

/// Rounds of a cycle, challengers of a screen, seeds of both stages: as in the parameter set.
const CYCLE: u32 = 10;
const ENTRIES: u32 = 4;
const SEEDS: [(Stage, u32); 2] = [(Stage::Screen, 4), (Stage::Confirm, 8)];
/// Domains of held-out text.
const DOMAINS: [&str; 6] = [
    "web",
    "encyclopedic",
    "questions",
    "scholarly",
    "prose",
    "technical",
];

/// A recipe that wants to reign.
fn challenger(number: u32) -> RecipeId {
    RecipeId(Digest::of(format!("challenger {number}").as_bytes()))
}

/// Hands in all cells of all cycles that began, but for the last one.
pub(crate) async fn fill(app: &App, history: &History) {
    for number in 0..ENTRIES {
        let announced = AddRecipeText {
            recipe_id: challenger(number),
            author: Some((hotkey(5), Coldkey([5; 32]), BlockNumber(960))),
            toml: String::new(),
            now_ms: 2,
        };
        app.writer().write(announced).await.unwrap();
    }
    let cycles = (0..history.rounds().saturating_sub(2 * CYCLE)).step_by(CYCLE as usize);
    let reports = cycles.flat_map(|first| {
        let stages = SEEDS.into_iter().zip([first, first + CYCLE / 2]);
        stages.flat_map(|((stage, seeds), round)| {
            let entries = if stage == Stage::Screen { ENTRIES } else { 1 };
            (0..seeds).flat_map(move |seed| {
                (0..JUDGES).flat_map(move |judge| cells((stage, Round(round)), seed, judge, entries))
            })
        })
    });
    // On the heap: six levels of arms, domains and seeds are large.
    Box::pin(write_all(app, reports, |added| assert!(added.is_ok()))).await;
}

/// What a validator measured with a seed: every arm on every domain.
fn cells(
    (stage, round): (Stage, Round),
    seed: u32,
    judge: u16,
    entries: u32,
) -> impl Iterator<Item = AddReport> {
    let anchor = recipe::fineweb_en_v1().id();
    let mut arms = vec![
        (Arm::Ore, RecipeId::default(), 27_000),
        (Arm::Pure, RecipeId::default(), 22_000),
        (Arm::Anchor, anchor, 24_300),
        (Arm::Champion, anchor, 24_300),
    ];
    arms.extend((0..entries).map(|number| (Arm::Challenger, challenger(number), 24_000 + 90 * number)));
    let cells = arms
        .into_iter()
        .flat_map(|arm| DOMAINS.map(|domain| (arm, domain)));
    cells.map(move |((arm, recipe_id, bits), domain)| {
        let noise = Digest::of(format!("{round:?} {seed} {domain} {arm:?} {judge}").as_bytes()).0[0];
        let report = EvaluationReport {
            version: EVALUATION_REPORT_VERSION,
            netuid: NETUID,
            round,
            stage,
            validator: hotkey(MINERS + judge),
            params: params().digest(),
            profile: "cpu-v1".to_owned(),
            arm,
            recipe_id,
            seed,
            domain: domain.to_owned(),
            value: bits + u32::from(noise),
            tokens: Tokens(1_000_000),
            signature: String::new(),
        };
        added(&report)
    })
}

fn added(report: &EvaluationReport) -> AddReport {
    let line = String::from_utf8(report.to_canonical_bytes().unwrap()).unwrap();
    AddReport {
        subject: format!(
            "{:?}/{:?}/{}/{}/{}",
            report.stage, report.arm, report.recipe_id, report.seed, report.domain
        ),
        report: ReportView {
            digest: Digest::of(line.as_bytes()),
            kind: ReportKind::Evaluation,
            round: report.round,
            validator: report.validator,
            miner: None,
            line,
            received_ms: 1,
        },
    }
}

/// A cell of the last cycle, for each number another one.
pub(crate) fn late_cell(history: &History, at: u64) -> AddReport {
    let first = history.rounds().saturating_sub(2 * CYCLE).next_multiple_of(CYCLE);
    let mut cells = cells((Stage::Screen, Round(first)), (at / 48) as u32, 0, ENTRIES);
    cells.nth(at as usize % 48).unwrap()
}
