//! Miners and validators: boards from the newest metagraph, with what rounds and reports did to each.

use super::extract::{PageQuery, PathOf, QueryOf, encode};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{self, MinerRecord, VerdictRow};
use assay_chain::{Metagraph, Neuron};
use assay_types::api::{
    Answer, MinerRow, MinerView, Problem, ProblemKind, ProofState, ReportKind, RoundResult, Source,
    ValidatorRow,
};
use assay_types::{BlockNumber, Hotkey, Q32, Verdict};
use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Verdicts shown on a board.
const VERDICTS_SHOWN: usize = 10;
/// Verdicts read for a board: ten of 256 miners.
const VERDICTS_READ: u32 = 2_560;
/// Rounds shown on a miner's page.
const ROUNDS_SHOWN: u32 = 140;
/// Rounds whose reports count on the validators' board.
const REPORT_ROUNDS: u32 = 140;

/// Everything a board is made of.
struct Board {
    metagraph: Arc<Metagraph>,
    records: BTreeMap<(Hotkey, BlockNumber), MinerRecord>,
    verdicts: BTreeMap<Hotkey, Vec<Verdict>>,
    units: BTreeMap<Hotkey, u32>,
    heard: BTreeMap<Hotkey, u64>,
}

impl Board {
    async fn read(app: &App) -> Result<Self, Failure> {
        let readers = app.database().readers();
        let metagraph = app
            .view()
            .metagraph
            .clone()
            .ok_or_else(|| Failure::from(ProblemKind::NotReady))?;
        let records = store::miner_records(readers).await?;
        let mut verdicts = BTreeMap::<Hotkey, Vec<Verdict>>::new();
        for row in store::verdicts(readers, None, VERDICTS_READ).await? {
            let of = verdicts.entry(row.record.hotkey).or_default();
            if of.len() < VERDICTS_SHOWN {
                of.push(row.verdict);
            }
        }
        let (mut units, mut heard) = (BTreeMap::new(), BTreeMap::new());
        if let Some(round) = store::newest_round(readers).await? {
            for (hotkey, count, newest) in store::holders_of_round(readers, round.round).await? {
                units.insert(hotkey, count);
                heard.insert(hotkey, newest);
            }
        }
        Ok(Self {
            metagraph,
            records: records
                .into_iter()
                .map(|record| ((record.hotkey, record.registered), record))
                .collect(),
            verdicts,
            units,
            heard,
        })
    }

    fn row(&self, app: &App, neuron: &Neuron) -> MinerRow {
        let values = &app.params().values;
        let newcomer = MinerRecord {
            hotkey: neuron.hotkey,
            registered: neuron.registered,
            credibility: Q32(values.cred_0),
            cap: u32::try_from(values.cap_first).unwrap_or(u32::MAX),
            passed: 0,
        };
        let record = self
            .records
            .get(&(neuron.hotkey, neuron.registered))
            .unwrap_or(&newcomer);
        MinerRow {
            rank: 0,
            hotkey: neuron.hotkey,
            coldkey: neuron.coldkey,
            uid: neuron.uid,
            registered: neuron.registered,
            incentive: neuron.incentive,
            emission: neuron.emission,
            credibility_q32: record.credibility.0,
            cap: record.cap,
            passed: record.passed,
            units: self.units.get(&neuron.hotkey).copied().unwrap_or(0),
            verdicts: self.verdicts.get(&neuron.hotkey).cloned().unwrap_or_default(),
            immunity_left: neuron.immunity_left,
            heard_ms: self.heard.get(&neuron.hotkey).copied().unwrap_or(0),
        }
    }

    /// All rows, ranked.
    fn rows(&self, app: &App) -> Vec<MinerRow> {
        let mut rows: Vec<MinerRow> = self
            .metagraph
            .neurons
            .iter()
            .map(|neuron| self.row(app, neuron))
            .collect();
        rows.sort_by_key(|row| (std::cmp::Reverse((row.incentive, row.emission)), row.uid));
        for (rank, row) in (1..).zip(&mut rows) {
            row.rank = rank;
        }
        rows
    }
}

/// A page of rows and the cursor of the next.
fn cut<T: Clone>(rows: &[T], page: &PageQuery) -> Result<(Vec<T>, Option<String>), Failure> {
    let (limit, from) = (
        page.limit()? as usize,
        usize::try_from(page.position()?).unwrap_or(usize::MAX),
    );
    let shown: Vec<T> = rows.iter().skip(from).take(limit).cloned().collect();
    let end = from.saturating_add(shown.len());
    Ok((shown, (end < rows.len()).then(|| end.to_string())))
}

/// Miners by incentive
#[utoipa::path(get, path = "/v1/leaderboard/miners", tag = "boards", params(PageQuery),
    responses((status = 200, body = Answer<Vec<MinerRow>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn miners(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&uri.to_string(), &headers, async {
            let rows = Board::read(&app).await?.rows(&app);
            let (shown, next) = cut(&rows, &page)?;
            encode(&app.page(Source::Derived, shown, next))
        })
        .await
}

/// One miner with its rounds
#[utoipa::path(get, path = "/v1/miners/{hotkey}", tag = "boards", params(("hotkey" = Hotkey, Path)),
    responses((status = 200, body = Answer<MinerView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn miner(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    PathOf(hotkey): PathOf<Hotkey>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&format!("/v1/miners/{hotkey}"), &headers, async {
            let rows = Board::read(&app).await?.rows(&app);
            let row = rows.into_iter().find(|row| row.hotkey == hotkey);
            let row =
                row.ok_or_else(|| Failure::new(ProblemKind::NotFound, "no neuron has this hotkey now"))?;
            let verdicts = store::verdicts(app.database().readers(), Some(&hotkey), ROUNDS_SHOWN).await?;
            let view = MinerView {
                row,
                rounds: verdicts.iter().map(result).collect(),
            };
            encode(&app.answer(Source::Derived, view))
        })
        .await
}

/// Rounds of a miner, newest first
#[utoipa::path(get, path = "/v1/miners/{hotkey}/rounds", tag = "boards", params(("hotkey" = Hotkey, Path)),
    responses((status = 200, body = Answer<Vec<RoundResult>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn miner_rounds(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    PathOf(hotkey): PathOf<Hotkey>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&format!("/v1/miners/{hotkey}/rounds"), &headers, async {
            let verdicts = store::verdicts(app.database().readers(), Some(&hotkey), ROUNDS_SHOWN).await?;
            let results: Vec<RoundResult> = verdicts.iter().map(result).collect();
            encode(&app.answer(Source::Derived, results))
        })
        .await
}

fn result(row: &VerdictRow) -> RoundResult {
    RoundResult {
        round: row.round,
        verdict: row.verdict,
        delivered_q32: row.delivered.0,
        assigned: row.assigned,
        units: row.units,
        records: row.records,
        produced_q32: row.produced.0,
        average_q32: row.average.0,
        faults: row.faults,
        reports: row.reports.clone(),
        credibility_q32: row.record.credibility.0,
        cap: row.record.cap,
    }
}

/// Validators: neurons with a permit.
async fn validator_rows(app: &App) -> Result<Vec<ValidatorRow>, Failure> {
    let readers = app.database().readers();
    let metagraph = app
        .view()
        .metagraph
        .clone()
        .ok_or_else(|| Failure::from(ProblemKind::NotReady))?;
    let (mut audits, mut cells) = (BTreeMap::<Hotkey, u32>::new(), BTreeMap::<Hotkey, u32>::new());
    for round in store::rounds(readers, u64::from(u32::MAX) + 1, REPORT_ROUNDS).await? {
        for (_, report) in store::reports(readers, round.round, 0, u32::MAX).await? {
            let counted = match report.kind {
                ReportKind::Audit => &mut audits,
                ReportKind::Evaluation => &mut cells,
            };
            *counted.entry(report.validator).or_default() += 1;
        }
    }
    let mut proofs = BTreeMap::<Hotkey, u32>::new();
    let listed = store::ProofCursor {
        state: ProofState::Listed,
        after: 0,
        limit: u32::MAX,
    };
    for (_, proof) in store::proofs(readers, listed).await? {
        *proofs.entry(proof.prover).or_default() += 1;
    }
    let count = |of: &BTreeMap<Hotkey, u32>, hotkey: &Hotkey| of.get(hotkey).copied().unwrap_or(0);
    let permitted: BTreeSet<_> = metagraph
        .neurons
        .iter()
        .filter(|neuron| neuron.permit)
        .map(|neuron| neuron.uid)
        .collect();
    let mut rows: Vec<ValidatorRow> = metagraph
        .neurons
        .iter()
        .filter(|neuron| permitted.contains(&neuron.uid))
        .map(|neuron| ValidatorRow {
            rank: 0,
            hotkey: neuron.hotkey,
            coldkey: neuron.coldkey,
            uid: neuron.uid,
            stake: neuron.stake,
            vtrust: neuron.vtrust,
            dividends: neuron.dividends,
            weights_age_blocks: metagraph.block.0.saturating_sub(neuron.last_update.0),
            reports: count(&audits, &neuron.hotkey),
            cells: count(&cells, &neuron.hotkey),
            proofs: count(&proofs, &neuron.hotkey),
        })
        .collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.stake), row.uid));
    for (rank, row) in (1..).zip(&mut rows) {
        row.rank = rank;
    }
    Ok(rows)
}

/// Validators by stake
#[utoipa::path(get, path = "/v1/leaderboard/validators", tag = "boards", params(PageQuery),
    responses((status = 200, body = Answer<Vec<ValidatorRow>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn validators(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&uri.to_string(), &headers, async {
            let (shown, next) = cut(&validator_rows(&app).await?, &page)?;
            encode(&app.page(Source::Observed, shown, next))
        })
        .await
}

/// One validator
#[utoipa::path(get, path = "/v1/validators/{hotkey}", tag = "boards", params(("hotkey" = Hotkey, Path)),
    responses((status = 200, body = Answer<ValidatorRow>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn validator(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    PathOf(hotkey): PathOf<Hotkey>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&format!("/v1/validators/{hotkey}"), &headers, async {
            let row = validator_rows(&app)
                .await?
                .into_iter()
                .find(|row| row.hotkey == hotkey);
            let row = row.ok_or_else(|| {
                Failure::new(
                    ProblemKind::NotFound,
                    "no validator with a permit has this hotkey",
                )
            })?;
            encode(&app.answer(Source::Observed, row))
        })
        .await
}
