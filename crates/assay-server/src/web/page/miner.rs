//! One miner: why it is paid what it is, what to fix next, every audit with its verdict and how to repeat it.

use super::miner_points::{Points, points};
use super::{Asked, Page, Stop, answer, hotkey, miner_fix, missing, number, part};
use crate::app::App;
use crate::board::{MinerLine, Range, is_public, miner_lines, verdict_words};
use crate::store::{self, VerdictRow, WorkSum};
use crate::web::answer::redirect;
use crate::web::chart::{self, RoundBar};
use assay_types::api::{DeclaredWork, ReportView, SubmissionView};
use assay_types::{AuditReport, Hotkey, Q32, Round, Verdict};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// Rounds shown.
const ROUNDS_SHOWN: u32 = 70;
/// Submissions shown.
const SUBMISSIONS_SHOWN: u32 = 12;
/// Reports shown.
const REPORTS_SHOWN: usize = 32;

/// A submission, what its miner declared of it, and what it came to.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) view: SubmissionView,
    works: Vec<DeclaredWork>,
    verdict: Option<VerdictRow>,
}

impl Delivery {
    /// The newest ones of a miner, of which verdicts are given; those on rounds before these are read.
    async fn newest(app: &App, hotkey: &Hotkey, verdicts: &[VerdictRow]) -> Result<Vec<Self>, Stop> {
        let readers = app.database().readers();
        let views = store::submissions_by(readers, hotkey, SUBMISSIONS_SHOWN).await?;
        let first = views.last().map_or(Round(0), |view| view.round);
        let declared = store::declared_since(readers, first, hotkey).await?;
        let mut newest = Vec::new();
        for view in views {
            let of_round = declared.iter().filter(|row| row.round == view.round);
            let known = verdicts.iter().find(|row| row.round == view.round).cloned();
            let is_older = verdicts.last().is_some_and(|last| view.round < last.round);
            newest.push(Self {
                works: of_round.map(|row| row.work.clone()).collect(),
                verdict: match known {
                    None if is_older => store::verdict_of(readers, view.round, hotkey).await?,
                    known => known,
                },
                view,
            });
        }
        Ok(newest)
    }
}

/// Everything the page is made of.
#[derive(Debug)]
pub(super) struct Miner {
    pub(super) line: MinerLine,
    pub(super) verdicts: Vec<VerdictRow>,
    pub(super) submissions: Vec<Delivery>,
    /// Public reports on its newest judged round.
    reports: Vec<ReportView>,
    pub(super) points: Option<Points>,
    all: usize,
}

impl Miner {
    /// Reads it; none if no neuron has the hotkey now.
    pub(super) async fn read(app: &App, hotkey: &Hotkey) -> Result<Option<Self>, Stop> {
        let readers = app.database().readers();
        let lines = miner_lines(app, None, Range::default()).await?;
        let all = lines.len();
        let Some(line) = lines.iter().find(|line| line.row.hotkey == *hotkey).cloned() else {
            return Ok(None);
        };
        let verdicts = store::verdicts(readers, hotkey, ROUNDS_SHOWN).await?;
        let reports = match verdicts.first() {
            Some(newest) if is_public(app, newest.round) => {
                store::reports_on(readers, newest.round, hotkey).await?
            }
            _ => Vec::new(),
        };
        Ok(Some(Self {
            points: points(app, hotkey, verdicts.first()).await?,
            submissions: Delivery::newest(app, hotkey, &verdicts).await?,
            reports,
            verdicts,
            line,
            all,
        }))
    }

    /// Parsed audit reports on its newest judged round.
    pub(super) fn newest_reports(&self) -> Vec<(&ReportView, AuditReport)> {
        self.reports
            .iter()
            .filter_map(|view| Some((view, AuditReport::parse(view.line.as_bytes()).ok()?)))
            .collect()
    }
}

/// The page; `.json` leads to the API.
pub(super) async fn page(State(app): State<Arc<App>>, Path(key): Path<String>, asked: Asked) -> Response {
    if let Some(Ok(hotkey)) = key.strip_suffix(".json").map(hotkey) {
        return redirect(StatusCode::SEE_OTHER, &format!("/v1/miners/{hotkey}"));
    }
    answer(&app, &asked, render(&app, &key)).await
}

async fn render(app: &App, key: &str) -> Result<Page, Stop> {
    let key = hotkey(key)?;
    let Some(miner) = Miner::read(app, &key).await? else {
        if app.view().neuron(&key).is_some() {
            return Err(Stop::Moved(format!("/validators/{}", key.to_ss58())));
        }
        return Err(missing("no neuron of this subnet has this hotkey now"));
    };
    let title = format!("{} · Miners", number::key(&key));
    Ok(Page::new(&title, body(app, &miner))
        .section("/leaderboard/miners")
        .card(super::card::of_miner(&key))
        .about("Verified work, pay, credibility and audits of one miner.")
        .live("round,report,proof,submission,weights"))
}

fn body(app: &App, miner: &Miner) -> Markup {
    html! {
        (title(&miner.line))
        (figures(miner))
        section.grid.c2 data-part="points" { (why(miner)) (miner_fix::panel(app, miner)) }
        section.grid.c21 data-part="work" { (work(miner)) div.stack { (this_round(app, miner)) (standing(app, miner)) } }
        section.grid.c2 data-part="evidence" { (reports(miner)) (submissions(miner)) }
    }
}

fn title(line: &MinerLine) -> Markup {
    let row = &line.row;
    let beside = html! {
        (part::state_pill(line.kind, &line.state))
        a.btn href=(format!("/compare?m={}", row.uid.0)) { "Compare" }
        a.btn href=(format!("/v1/miners/{}", row.hotkey)) { "JSON" }
        a.btn href=(format!("/badges/{}.svg", row.hotkey.to_ss58())) { "Badge" }
    };
    part::neuron_title((&row.hotkey, row.uid), ("/leaderboard/miners", "Miners"), beside)
}

fn figures(miner: &Miner) -> Markup {
    let (row, line) = (&miner.line.row, &miner.line);
    html! {
        dl.grid.c5.kpis data-part="figures" {
            (part::kpi("g", "Rank", html! { (row.rank) }, html! { (part::change(row.rank_change)) " in 24 h, of " (miner.all) }))
            (part::kpi("", "Pay share", html! { (number::percent(line.share)) }, html! { "of the miners' emission" }))
            (part::kpi("", "Verified units, 7 d",
                html! { @if let Some(sum) = line.verified { (number::grouped(sum.units)) } @else { "unknown" } },
                html! { @if let Some(sum) = line.verified { (number::short(sum.records)) " records" } @else { "no manifest here yet" } }))
            (part::kpi("", "Tokens, 7 d",
                html! { @if let Some(sum) = line.verified { (number::short(sum.tokens)) } @else { "unknown" } },
                html! { "as the miner declares" }))
            (part::kpi("v", "Credibility", html! { (format!("{:.3}", line.credibility())) }, html! { (row.passed) " clean rounds in a row" }))
        }
    }
}

/// The waterfall of the newest judged round.
fn why(miner: &Miner) -> Markup {
    html! {
        div.panel {
            @if let Some(points) = &miner.points {
                (part::data_head(&format!("Why {:.1} points", points.total()), html! {
                    "round " a href=(format!("/rounds/{}", points.round.0)) { (points.round.0) } " · " a href="/docs/mechanism" { "formula" }
                }))
                (part::both(|width| chart::waterfall(&points.steps(), width.min(600.0), &points.sentence())))
                p.note {
                    "One point is one unit of mean size at gain, novelty and credibility 1. Production " b { (format!("{:.2}", points.produced)) }
                    " is settled from signed reports; a pot that several holders share is in “gain and novelty”. The average after this round is "
                    b { (format!("{:.2}", points.average)) } ": the weight is made of it."
                }
            } @else {
                (part::data_head("Why this pay", html! { "no round judged yet" }))
                (part::empty("Nothing to explain yet", "The first verdict comes when the first round that assigned it units is effective.", Some(("/docs/mechanism", "How pay follows"))))
            }
        }
    }
}

fn work(miner: &Miner) -> Markup {
    let one = Q32::ONE.0 as f64;
    let rounds: Vec<RoundBar> = miner
        .verdicts
        .iter()
        .rev()
        .map(|row| RoundBar {
            round: row.round.0,
            delivered: row.delivered.0 as f64 / one,
            verdict: row.verdict,
            credibility: row.record.credibility.0 as f64 / one,
        })
        .collect();
    let passed = miner
        .verdicts
        .iter()
        .filter(|row| row.verdict == Verdict::Pass)
        .count();
    let label = format!(
        "Delivered share and credibility in the last {} rounds: {passed} passed, credibility {:.3}",
        rounds.len(),
        miner.line.credibility()
    );
    html! {
        div.panel {
            (part::data_head("Work and credibility", html! { "delivered share a round, then C" }))
            @if rounds.is_empty() {
                (part::empty("No round judged yet", "A bar appears for each round once it is effective.", None))
            } @else {
                (part::both(|width| chart::columns(&rounds, width, &label)))
                (part::rounds_key())
            }
        }
    }
}

fn this_round(app: &App, miner: &Miner) -> Markup {
    let row = &miner.line.row;
    let now = app.clock().now_ms();
    html! {
        div.panel {
            (part::data_head("This round", html! { a href="/rounds/current" { "round" } }))
            dl.facts {
                dt { "Units held" } dd { (row.units) " of " (row.cap) " allowed" }
                dt { "Last heard" }
                dd { @if row.heard_ms == 0 { "never" } @else { (number::span(now.saturating_sub(row.heard_ms))) " ago" } }
                dt { "Newest commit" }
                dd {
                    @if let Some(newest) = miner.submissions.first() { "round " (newest.view.round.0) ", block " (newest.view.block.0) } @else { "none revealed" }
                }
                dt { "Clean rounds" } dd { (row.passed) }
            }
        }
    }
}

fn standing(app: &App, miner: &Miner) -> Markup {
    let row = &miner.line.row;
    html! {
        div.panel {
            (part::data_head("Standing", html! { "chain, block " (number::grouped(u64::from(app.view().block().0))) }))
            dl.facts {
                dt { "Registered" } dd { "block " (number::grouped(u64::from(row.registered.0))) }
                dt { "Immunity" } dd { @if row.immunity_left == 0 { "over" } @else { (number::grouped(u64::from(row.immunity_left))) " blocks" } }
                dt { "Incentive" } dd { (format!("{:.4}", f64::from(row.incentive) / f64::from(u16::MAX))) }
                dt { "Emission" } dd { (format!("{:.4}", row.emission.0 as f64 / 1e9)) " alpha an epoch" }
                dt { "Owner" } dd { (row.coldkey.to_ss58()) }
            }
        }
    }
}

fn reports(miner: &Miner) -> Markup {
    let newest = miner.newest_reports();
    let round = miner.verdicts.first().map(|row| row.round.0);
    html! {
        div.panel {
            (part::data_head("Signed reports", html! {
                @if let Some(round) = round { "round " (round) ", " (newest.len()) " reports" } @else { "none yet" }
            }))
            @if newest.is_empty() {
                (part::empty("No public report", "Bodies of reports become public after the round's report cutoff.", Some(("/docs/verify", "What is audited"))))
            } @else {
                (part::scroll("Signed reports", html! {
                    table {
                        caption.vh { "Reports of validators on the newest judged round" }
                        thead { tr {
                            th scope="col" { "Validator" } th.n scope="col" { "Rows rebuilt" } th.n scope="col" { "Faults" }
                            th scope="col" { "Says" } th scope="col" { "Report" }
                        } }
                        tbody {
                            @for (view, report) in newest.iter().take(REPORTS_SHOWN) {
                                @let (kind, words) = verdict_words(Some((report.verdict, report.faults.len() as u32)), 0);
                                tr {
                                    td { a href=(format!("/validators/{}", view.validator.to_ss58())) { (number::key(&view.validator)) } }
                                    td.n { (report.probes.len()) }
                                    td.n { (report.faults.len()) }
                                    td { (part::state_pill(kind, &words)) }
                                    td { a.mono href=(format!("/v1/reports/{}", view.digest)) { (number::digest(&view.digest.to_string())) } }
                                }
                            }
                        }
                    }
                }))
                (part::cut(REPORTS_SHOWN, newest.len(), "reports"))
            }
        }
    }
}

fn submissions(miner: &Miner) -> Markup {
    html! {
        div.panel {
            (part::data_head("Submissions", html! { (miner.submissions.len()) " newest" }))
            @if miner.submissions.is_empty() {
                (part::empty("Nothing revealed yet", "A submission appears when the chain opens its sealed commitment.", None))
            } @else {
                (part::scroll("Submissions", html! {
                    table {
                        caption.vh { "Submissions by round" }
                        thead { tr {
                            th scope="col" { "Round" } th.n scope="col" { "Units" } th.n scope="col" { "Tokens" }
                            th scope="col" { "Revision" } th scope="col" { "Result" }
                        } }
                        tbody { @for one in &miner.submissions { (submission(one)) } }
                    }
                }))
            }
        }
    }
}

fn submission(one: &Delivery) -> Markup {
    let view = &one.view;
    html! {
        tr {
            td { a href=(format!("/submissions/{}", view.submission_root)) { (view.round.0) } }
            td.n { (view.n_units) }
            td.n { @if one.works.is_empty() { (part::unknown()) } @else { (number::short(WorkSum::of(&one.works).tokens)) } }
            td.mono { (number::digest(&view.revision)) }
            td {
                @if !view.refusal.is_empty() { (part::pill("bad", "Refused")) }
                @else if let Some(row) = &one.verdict {
                    @let (kind, words) = verdict_words(Some((row.verdict, row.faults)), 0);
                    (part::state_pill(kind, &words))
                } @else { (part::pill("wait", "In audit")) }
            }
        }
    }
}
