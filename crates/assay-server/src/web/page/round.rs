//! A round: its phases, what was assigned, who delivered, what validators said, how to recompute it.

use super::{Asked, Page, Stop, answer, missing, number, part};
use crate::api::round_view;
use crate::app::App;
use crate::board::{newest_judged, verdict_words};
use crate::store::{self, VerdictRow};
use crate::web::chart::{self, Bar, PhaseTrack};
use assay_types::api::{PhaseName, RoundView, SubmissionView};
use assay_types::{BlockNumber, Round, Verdict};
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of the table of miners.
const ROWS_MAX: usize = 256;

/// A round by its number, or `current`.
pub(super) async fn page(State(app): State<Arc<App>>, Path(name): Path<String>, asked: Asked) -> Response {
    answer(&app, &asked, render(&app, &name)).await
}

/// Rounds, newest first: the newest one's page.
pub(super) async fn list(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        Err(Stop::Moved("/rounds/current".to_owned()))
    })
    .await
}

async fn render(app: &App, name: &str) -> Result<Page, Stop> {
    let readers = app.database().readers();
    let found = if name == "current" {
        store::newest_round(readers).await?
    } else {
        let number: u32 = name
            .parse()
            .map_err(|_| missing("a round is named by its number, or `current`"))?;
        store::round_row(readers, Round(number)).await?
    };
    let Some(row) = found else {
        if name == "current" {
            return Ok(none_yet(app));
        }
        return Err(missing("this round was not assigned, or this server began later"));
    };
    let view = round_view(app, &row).await?;
    // Not every round is known here: a server may have begun later, and the newest one has none after it.
    let known = |number: Option<u32>| async move {
        match number {
            Some(number) => Ok(store::round_row(readers, Round(number)).await?.map(|_| number)),
            None => Ok::<_, Stop>(None),
        }
    };
    let neighbours = Neighbours {
        previous: known(row.round.0.checked_sub(1)).await?,
        next: known(row.round.0.checked_add(1)).await?,
    };
    let submissions = store::submissions(readers, row.round, "", u32::MAX).await?;
    let verdicts = store::verdicts_of_round(readers, row.round).await?;
    Ok(Page::new(
        &format!("Round {}", row.round.0),
        body(app, (&view, &neighbours), &submissions, &verdicts),
    )
    .section("/")
    .about("Phases, assignments, submissions and verdicts of one round.")
    .live("block,round,submission,report,proof"))
}

fn none_yet(app: &App) -> Page {
    let first = app.rounds().start(Round(0)).0;
    let body = html! {
        section { h1 { "No round yet" } p.lede { "The first round begins at block " (number::grouped(u64::from(first))) "." } }
        section.panel {
            (part::empty("Nothing is assigned", "Units are drawn from the hash of the block before a round begins.", Some(("/docs/mechanism", "How a round works"))))
            (part::age_line(None))
        }
    };
    Page::new("Rounds", body).section("/")
}

/// The rounds beside one, as far as they are known here.
struct Neighbours {
    previous: Option<u32>,
    next: Option<u32>,
}

fn body(
    app: &App,
    (view, neighbours): (&RoundView, &Neighbours),
    submissions: &[SubmissionView],
    verdicts: &[VerdictRow],
) -> Markup {
    let number_of = |name: &str| view.leases.get(name).copied().unwrap_or(0);
    html! {
        (part::crumbs(&[("/", "Overview"), ("/rounds/current", "Rounds")], &format!("Round {}", view.round.0)))
        section.title {
            div { h1 { "Round " (number::grouped(u64::from(view.round.0))) } p.muted { (phase_words(view.phase)) } }
            span.sp {}
            div.row {
                @if let Some(number) = neighbours.previous { a.btn href=(format!("/rounds/{number}")) { "Previous" } }
                @if let Some(number) = neighbours.next { a.btn href=(format!("/rounds/{number}")) { "Next" } }
                a.btn href=(format!("/v1/rounds/{}", view.round.0)) { "JSON" }
            }
        }
        dl.grid.c5.kpis data-part="figures" {
            (part::kpi("g", "Units", html! { (number::grouped(u64::from(view.units))) }, html! { (view.replicas) " with a second holder" }))
            (part::kpi("", "Being worked on", html! { (number_of("leased")) }, html! { (number_of("pending")) " not begun" }))
            (part::kpi("", "Reported done", html! { (number_of("submitted") + number_of("verified") + number_of("faulted")) }, html! { (number_of("expired")) " expired" }))
            (part::kpi("", "Submissions", html! { @if is_sealed(view) { "sealed" } @else { (view.submissions) } },
                html! { @if is_sealed(view) { "until block " (number::grouped(u64::from(view.deadline_block.0))) } @else { "revealed by the chain" } }))
            (part::kpi("v", "Reports", html! { (view.reports) }, html! { @if view.settled { "verdicts are out" } @else { "verdicts follow" } }))
        }
        section.grid.c2 data-part="phases" {
            div.panel {
                (part::data_head("Phases", html! { "blocks from " (number::grouped(u64::from(view.start_block.0))) }))
                (part::both(|width| track(app, view, width.min(580.0))))
                dl.facts.gap {
                    (block_fact("Assigned at block", view.assignment_block))
                    (block_fact("Commits close after", view.deadline_block))
                    (block_fact("Reports close after", view.report_cutoff_block))
                    (block_fact("Counts from", view.effective_block))
                }
            }
            div.panel {
                (part::data_head("Recompute it", html! { a href=(format!("/v1/rounds/{}/assignment", view.round.0)) { "signed document" } }))
                dl.facts {
                    dt { "Beacon" } dd { (view.beacon) }
                    dt { "Corpus index" } dd { (view.index_root) }
                    dt { "Document" } dd { (view.assignment_digest) }
                }
                (part::terminal("Command that recomputes the assignment", &[
                    ("#", "from the chain alone, byte for byte"),
                    ("$", &format!("assay chain assignments --netuid {} --round {} --corpus archives/", app.identity().netuid.0, view.round.0)),
                ]))
            }
        }
        section.panel data-part="miners" {
            (part::data_head("Miners", html! { (verdicts.len()) " verdicts, " (submissions.len()) " submissions" }))
            (outcomes(submissions, verdicts))
        }
    }
}

/// Commitments are sealed until the deadline.
fn is_sealed(view: &RoundView) -> bool {
    matches!(view.phase, PhaseName::Ahead | PhaseName::Work) && view.submissions == 0
}

fn block_fact(name: &str, block: BlockNumber) -> Markup {
    html! { dt { (name) } dd { (number::grouped(u64::from(block.0))) } }
}

const fn phase_words(phase: PhaseName) -> &'static str {
    match phase {
        PhaseName::Ahead => "Assigned, not begun.",
        PhaseName::Work => "Miners refine, upload privately and commit.",
        PhaseName::Publish => "The chain opens commitments; repositories become public.",
        PhaseName::Audit => "Validators rebuild sampled records.",
        PhaseName::Settle => "Digests of reports are on the chain; scores are computed.",
        PhaseName::Effective => "The round counts in scores and weights.",
    }
}

fn track(app: &App, view: &RoundView, width: f64) -> Markup {
    let from = |block: BlockNumber| f64::from(block.0) - f64::from(view.start_block.0);
    let track = PhaseTrack {
        work: from(view.deadline_block),
        publish: from(app.rounds().publish_end(view.round)),
        audit: from(view.report_cutoff_block),
        effective: from(view.effective_block),
        now: from(app.view().block()),
    };
    let label = format!("Round {}: {}", view.round.0, phase_words(view.phase));
    chart::phase_track(&track, width, &label)
}

/// What came of each miner.
fn outcomes(submissions: &[SubmissionView], verdicts: &[VerdictRow]) -> Markup {
    let by_miner: BTreeMap<_, &SubmissionView> = submissions.iter().map(|one| (one.hotkey, one)).collect();
    let judged: BTreeMap<_, &VerdictRow> = verdicts.iter().map(|row| (row.record.hotkey, row)).collect();
    let mut miners: Vec<_> = by_miner.keys().chain(judged.keys()).copied().collect();
    miners.sort_unstable();
    miners.dedup();
    if miners.is_empty() {
        return part::empty(
            "Nobody has submitted yet",
            "Submissions appear when the chain opens their sealed commitments.",
            None,
        );
    }
    html! {
        (part::scroll("Miners of the round", html! {
            table {
                caption.vh { "Submissions and verdicts by miner" }
                thead { tr {
                    th scope="col" { "Miner" } th.n scope="col" { "Units" } th.n scope="col" { "Delivered" } th.n scope="col" { "Faults" }
                    th.n scope="col" { "Reports" } th scope="col" { "Submission" } th scope="col" { "Verdict" }
                } }
                tbody {
                    @for miner in miners.iter().take(ROWS_MAX) {
                        @let submission = by_miner.get(miner);
                        @let verdict = judged.get(miner);
                        tr {
                            td { (part::miner(miner, None, "")) }
                            td.n { @if let Some(one) = submission { (one.n_units) } @else { "0" } }
                            td.n { @if let Some(row) = verdict { (number::percent(row.delivered.0 as f64 / assay_types::Q32::ONE.0 as f64)) } @else { (part::unknown()) } }
                            td.n { @if let Some(row) = verdict { (row.faults) } @else { (part::unknown()) } }
                            td.n { @if let Some(row) = verdict { (row.reports.len()) } @else { (part::unknown()) } }
                            td { @if let Some(one) = submission { a.mono href=(format!("/submissions/{}", one.submission_root)) { (number::digest(&one.submission_root.to_string())) } } @else { "–" } }
                            td {
                                @if let Some(row) = verdict {
                                    @let (kind, words) = verdict_words(Some((row.verdict, row.faults)), 0);
                                    (part::state_pill(kind, &words))
                                } @else { (part::pill("wait", "not judged yet")) }
                            }
                        }
                    }
                }
            }
        }))
        (part::cut(ROWS_MAX, miners.len(), "miners"))
    }
}

/// The short form on the front page.
pub(super) async fn panel(app: &App) -> Result<Markup, Stop> {
    let readers = app.database().readers();
    // The newest assigned round may be ahead; the one that works now is shown.
    let now = app.rounds().round_of(app.view().block());
    let found = match now {
        Some(round) => store::round_row(readers, round).await?,
        None => None,
    };
    let found = match found {
        None => store::newest_round(readers).await?,
        found => found,
    };
    let Some(row) = found else {
        return Ok(html! {
            div.panel {
                (part::data_head("Round", html! { "none yet" }))
                (part::empty("No round yet", "Units are drawn from a block's hash shortly before a round begins.", Some(("/docs/mechanism", "How a round works"))))
            }
        });
    };
    let view = round_view(app, &row).await?;
    let number_of = |name: &str| f64::from(view.leases.get(name).copied().unwrap_or(0));
    let bar = |name: &str, value: f64, class: &'static str| Bar {
        name: name.to_owned(),
        value,
        shown: format!("{value:.0}"),
        class,
    };
    let rows = [
        bar("Not begun", number_of("pending"), "f-slate"),
        bar("In work", number_of("leased"), "f-slate"),
        bar("Reported done", number_of("submitted"), "a-gold"),
        bar("Verified", number_of("verified"), "f-verd"),
        bar("Faulted", number_of("faulted"), "f-rust"),
        bar("Expired", number_of("expired"), "f-line"),
    ];
    let judged = newest_judged(app).await?;
    let judged = judged.as_ref().as_ref();
    let newest = judged.map(|(round, _)| *round);
    let verdicts = judged.into_iter().flat_map(|(_, verdicts)| verdicts);
    let passed = verdicts.filter(|row| row.verdict == Verdict::Pass).count();
    Ok(html! {
        div.panel {
            (part::data_head(&format!("Round {}", number::grouped(u64::from(view.round.0))), html! {
                a href=(format!("/rounds/{}", view.round.0)) { "block " (number::grouped(u64::from(app.view().block().0))) }
            }))
            (track(app, &view, 360.0))
            dl.facts.gap {
                dt { "Units drawn" } dd { (view.units) " + " (view.replicas) " replicas" }
                dt { "Submissions" } dd { @if is_sealed(&view) { "sealed until block " (number::grouped(u64::from(view.deadline_block.0))) } @else { (view.submissions) } }
                dt { "Reports" } dd { (view.reports) }
                @if let Some(newest) = newest { dt { "Round " (newest.0) } dd { (passed) " passed" } }
            }
            h3 { "Where its units are" }
            (chart::bars(&rows, 360.0, "Leases of the round by state"))
        }
    })
}
