//! One validator: what it reported, how far it agrees with the others, when it set weights, what it set.

use super::{Asked, Page, Stop, answer, hotkey, missing, number, part};
use crate::app::App;
use crate::board::{newest_public, validator_rows, verdict_words};
use crate::store::{self, Parts};
use crate::web::answer::redirect;
use assay_chain::{Metagraph, WeightRow};
use assay_types::api::{ReportView, ValidatorRow};
use assay_types::{AuditReport, BlockNumber, Digest, Hotkey, Round};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Reports read.
const REPORTS_READ: u32 = 512;
/// Rows shown.
const ROWS_SHOWN: usize = 14;
/// Epochs of weights looked through.
const EPOCHS_READ: u32 = 8;

/// Weights of an epoch.
#[derive(Debug)]
struct Weights {
    block: BlockNumber,
    /// Target, own share, mean share; the largest first.
    beside: Vec<(u16, f64, f64)>,
    /// Who held the places then.
    then: Arc<Metagraph>,
}

/// How far a validator agrees with the verdicts of rounds.
#[derive(Debug, Default, Clone, Copy)]
struct Agreement {
    same: u32,
    all: u32,
}

/// The page; `.json` leads to the API.
pub(super) async fn page(State(app): State<Arc<App>>, Path(key): Path<String>, asked: Asked) -> Response {
    if let Some(Ok(hotkey)) = key.strip_suffix(".json").map(hotkey) {
        return redirect(StatusCode::SEE_OTHER, &format!("/v1/validators/{hotkey}"));
    }
    answer(&app, &asked, render(&app, &key)).await
}

async fn render(app: &App, key: &str) -> Result<Page, Stop> {
    let key = hotkey(key)?;
    let rows = validator_rows(app).await?;
    let all = rows.len();
    let Some(row) = rows.into_iter().find(|row| row.hotkey == key) else {
        return Err(missing(
            "no hotkey of this name has a permit and has set weights or reported",
        ));
    };
    let reported = match newest_public(app) {
        Some(round) => Reported::of(app, key, round).await?,
        None => Arc::default(),
    };
    let weights = newest_weights(app, &row).await?;
    let metagraph = app.view().metagraph.clone();
    let body = html! {
        (title(&row))
        (figures(&row, all, reported.agreement))
        section.grid.c2 data-part="evidence" {
            (reports(&reported.newest))
            (weights_panel(weights.as_ref(), metagraph.as_deref()))
        }
    };
    Ok(Page::new(&format!("{} · Validators", number::key(&key)), body)
        .section("/leaderboard/miners")
        .about("Reports, agreement and weights of one validator.")
        .live("report,weights,round"))
}

fn title(row: &ValidatorRow) -> Markup {
    let beside = html! {
        (part::pill("ok", "Validator permit"))
        a.btn href=(format!("/v1/validators/{}", row.hotkey)) { "JSON" }
    };
    part::neuron_title(
        (&row.hotkey, row.uid),
        ("/leaderboard/validators", "Validators"),
        beside,
    )
}

fn figures(row: &ValidatorRow, all: usize, agreement: Agreement) -> Markup {
    html! {
        dl.grid.c5.kpis data-part="figures" {
            (part::kpi("", "Stake", html! { (format!("{:.1}", row.stake.0 as f64 / 1e9)) }, html! { "place " (row.rank) " of " (all) }))
            (part::kpi("v", "vtrust", html! { (format!("{:.3}", f64::from(row.vtrust) / f64::from(u16::MAX))) }, html! { "how far the chain follows it" }))
            (part::kpi("", "Audits", html! { (number::grouped(u64::from(row.reports))) }, html! { (row.cells) " duel cells" }))
            (part::kpi("", "Agreement",
                html! { @if agreement.all == 0 { "–" } @else { (number::percent(f64::from(agreement.same) / f64::from(agreement.all))) } },
                html! { @if agreement.all == 0 { "nothing to compare yet" } @else { (agreement.same) " of its newest " (agreement.all) " verdicts" } }))
            (part::kpi("", "Weights", html! { (number::grouped(u64::from(row.weights_age_blocks))) }, html! { "blocks since it set or committed" }))
        }
    }
}

/// What a validator has said of late, as far as it is public.
#[derive(Debug, Default)]
struct Reported {
    /// Its newest reports, with the digests of their lines.
    newest: Vec<(Digest, AuditReport)>,
    agreement: Agreement,
}

impl Reported {
    /// Read once until somebody reports or a round is settled: hundreds of reports are parsed.
    async fn of(app: &App, validator: Hotkey, to: Round) -> Result<Arc<Self>, Stop> {
        let parts = Parts::EVIDENCE.and(Parts::VERDICTS);
        let read = async {
            let views = store::reports_by(app.database().readers(), &validator, to, REPORTS_READ).await?;
            let parsed =
                |view: &ReportView| Some((view.digest, AuditReport::parse(view.line.as_bytes()).ok()?));
            let mut newest: Vec<(Digest, AuditReport)> = views.iter().filter_map(parsed).collect();
            let agreement = agreement(app, &newest).await?;
            newest.truncate(ROWS_SHOWN);
            Ok(Self { newest, agreement })
        };
        app.memo
            .get(app.memo.as_of(parts, to), format!("reported {validator}"), read)
            .await
    }
}

/// Its verdicts against those of the rounds.
async fn agreement(app: &App, reports: &[(Digest, AuditReport)]) -> Result<Agreement, Stop> {
    let mut settled = BTreeMap::<(Round, Hotkey), assay_types::Verdict>::new();
    let rounds: BTreeSet<Round> = reports.iter().map(|(_, report)| report.round).collect();
    for round in rounds {
        for row in store::verdicts_of_round(app.database().readers(), round).await? {
            settled.insert((round, row.record.hotkey), row.verdict);
        }
    }
    let mut agreement = Agreement::default();
    for (_, report) in reports {
        if let Some(verdict) = settled.get(&(report.round, report.miner)) {
            agreement.all += 1;
            agreement.same += u32::from(*verdict == report.verdict);
        }
    }
    Ok(agreement)
}

/// Its newest weights, with the others' mean, by target. Places change hands: who held one is read as of the weights' block.
async fn newest_weights(app: &App, row: &ValidatorRow) -> Result<Option<Weights>, Stop> {
    let read = store::weights_rows(app.database().readers(), EPOCHS_READ);
    let epochs = app
        .memo
        .get(app.memo.of(Parts::CHAIN), "weights".to_owned(), read)
        .await?;
    for (block, rows) in epochs.iter() {
        let Some(then) = crate::board::metagraph_before(app, *block).await? else {
            continue;
        };
        let place = then.neuron(&row.hotkey).map(|neuron| neuron.uid);
        if let Some(own) = rows.iter().find(|set| Some(set.uid) == place) {
            return Ok(Some(Weights {
                block: *block,
                beside: beside_others(own, rows),
                then,
            }));
        }
    }
    Ok(None)
}

/// Target, own share, mean share of all who set weights; the largest first.
fn beside_others(own: &WeightRow, rows: &[WeightRow]) -> Vec<(u16, f64, f64)> {
    let shares = |row: &WeightRow| -> BTreeMap<u16, f64> {
        let all: f64 = row.weights.iter().map(|(_, weight)| f64::from(weight.0)).sum();
        let share = |weight: u16| if all > 0.0 { f64::from(weight) / all } else { 0.0 };
        row.weights
            .iter()
            .map(|(uid, weight)| (uid.0, share(weight.0)))
            .collect()
    };
    let mut mean = BTreeMap::<u16, f64>::new();
    for row in rows {
        for (uid, share) in shares(row) {
            *mean.entry(uid).or_default() += share / rows.len() as f64;
        }
    }
    let mut beside: Vec<(u16, f64, f64)> = shares(own)
        .into_iter()
        .map(|(uid, share)| (uid, share, mean.get(&uid).copied().unwrap_or(0.0)))
        .collect();
    beside.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    beside
}

fn reports(newest: &[(Digest, AuditReport)]) -> Markup {
    html! {
        div.panel {
            (part::data_head("Reports", html! { "newest " (newest.len()) " public" }))
            @if newest.is_empty() {
                (part::empty("No public report", "Bodies become public after their round's report cutoff.", Some(("/docs/verify", "What is audited"))))
            } @else {
                (part::scroll("Reports", html! {
                    table {
                        caption.vh { "Newest public reports of this validator" }
                        thead { tr {
                            th scope="col" { "Round" } th scope="col" { "Miner" } th.n scope="col" { "Rows rebuilt" }
                            th.n scope="col" { "Faults" } th scope="col" { "Says" } th scope="col" { "Report" }
                        } }
                        tbody {
                            @for (digest, report) in newest {
                                @let (kind, words) = verdict_words(Some((report.verdict, report.faults.len() as u32)), 0);
                                tr {
                                    td { a href=(format!("/rounds/{}", report.round.0)) { (report.round.0) } }
                                    td { a href=(format!("/miners/{}", report.miner.to_ss58())) { (number::key(&report.miner)) } }
                                    td.n { (report.probes.len()) }
                                    td.n { (report.faults.len()) }
                                    td { (part::state_pill(kind, &words)) }
                                    td { a.mono href=(format!("/v1/reports/{digest}")) { (number::digest(&digest.to_string())) } }
                                }
                            }
                        }
                    }
                }))
            }
        }
    }
}

/// The miner that held a place when the weights were read, and whether another one does now.
fn target(uid: u16, then: &Metagraph, now: Option<&Metagraph>) -> Markup {
    let Some(neuron) = then.neurons.iter().find(|neuron| neuron.uid.0 == uid) else {
        return html! { "UID " (uid) };
    };
    let is_there = now.is_none_or(|now| {
        let own = now.neuron(&neuron.hotkey);
        own.is_some_and(|own| own.uid == neuron.uid && own.registered == neuron.registered)
    });
    let note = if is_there { "" } else { "has left this place since" };
    part::miner(&neuron.hotkey, Some(neuron.uid), note)
}

fn weights_panel(weights: Option<&Weights>, metagraph: Option<&Metagraph>) -> Markup {
    html! {
        div.panel {
            @if let Some(Weights { block, beside, then }) = weights {
                (part::data_head("Weights against the mean", html! { "epoch at block " (number::grouped(u64::from(block.0))) }))
                (part::scroll("Weights", html! {
                    table {
                        caption.vh { "Weights of this validator beside the mean of all" }
                        thead { tr { th scope="col" { "Miner" } th.n scope="col" { "Own share" } th.n scope="col" { "Mean" } th.n scope="col" { "Difference" } } }
                        tbody {
                            @for (uid, own, mean) in beside.iter().take(ROWS_SHOWN) {
                                tr {
                                    td { (target(*uid, then, metagraph)) }
                                    td.n { (number::percent(*own)) }
                                    td.n { (number::percent(*mean)) }
                                    td.n { @if (own - mean).abs() < 0.000_05 { "0" } @else { (format!("{:+.2}%", (own - mean) * 100.0)) } }
                                }
                            }
                        }
                    }
                }))
                (part::cut(ROWS_SHOWN, beside.len(), "weights, largest first,"))
            } @else {
                (part::data_head("Weights against the mean", html! { "none kept" }))
                (part::empty("No revealed weights yet", "Weights are sealed when they are set and counted when the chain opens them; this server keeps those of each epoch.", Some(("/docs/chain", "Commit and reveal"))))
            }
        }
    }
}
