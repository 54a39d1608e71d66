//! A submission: what the chain bound, what the manifest says, what validators found; custody from draw to verdict.

use super::{Asked, Page, Stop, answer, missing, number, part, shown};
use crate::app::App;
use crate::board::{Agreed, audit_command, is_public, shown_of, verdict_words};
use crate::store::{self, VerdictRow, WorkSum};
use assay_types::api::{DeclaredWork, SubmissionState, SubmissionView};
use assay_types::{AuditReport, Digest};
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// Units and faults shown.
const UNITS_SHOWN: usize = 256;
const FAULTS_SHOWN: usize = 40;

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, Path(root): Path<String>, asked: Asked) -> Response {
    answer(&app, &asked, render(&app, &root)).await
}

async fn render(app: &App, root: &str) -> Result<Page, Stop> {
    let root: Digest = root
        .parse()
        .map_err(|_| missing("a submission is named by 64 hexadecimal digits"))?;
    let readers = app.database().readers();
    let Some(view) = store::submission(readers, &root).await? else {
        return Err(missing(
            "the chain has revealed no submission of this root to this server",
        ));
    };
    let verdict = store::verdict_of(readers, view.round, &view.hotkey).await?;
    let declared = store::declared_of(readers, view.round, &view.hotkey).await?;
    let is_public = is_public(app, view.round);
    let reports: Vec<AuditReport> = store::reports_on(readers, view.round, &view.hotkey)
        .await?
        .into_iter()
        .filter(|_| is_public)
        .filter_map(|report| AuditReport::parse(report.line.as_bytes()).ok())
        .collect();
    let shown = shown_of(app, (view.round, &root)).await?;
    let mut paths = Vec::new();
    for unit in view.units.iter().take(UNITS_SHOWN) {
        paths.push(store::unit(readers, unit).await?.map(|(_, unit)| unit.path));
    }
    let body = html! {
        (title(&view, verdict.as_ref()))
        (custody(&view, &declared, &reports, verdict.as_ref()))
        section.grid.c2 data-part="says" { (manifest(&view, &declared)) (faults(&reports, is_public)) }
        (shown_rows(shown.as_ref()))
        section.panel { (units(&view, &paths)) }
    };
    Ok(
        Page::new(&format!("Submission {}", number::digest(&root.to_string())), body)
            .section("/leaderboard/miners")
            .live("report,proof,round,submission"),
    )
}

fn title(view: &SubmissionView, verdict: Option<&VerdictRow>) -> Markup {
    html! {
        (part::crumbs(&[("/rounds/current", "Rounds"), (&format!("/rounds/{}", view.round.0), &format!("Round {}", view.round.0))], "Submission"))
        section.title {
            (part::ident(&view.hotkey, 64))
            div {
                h1.hotkey { "Submission " (number::digest(&view.submission_root.to_string())) }
                p.muted { "by " a href=(format!("/miners/{}", view.hotkey.to_ss58())) { (number::key(&view.hotkey)) } ", round " a href=(format!("/rounds/{}", view.round.0)) { (view.round.0) } }
            }
            span.sp {}
            div.row {
                @if let Some(row) = verdict {
                    @let (kind, words) = verdict_words(Some((row.verdict, row.faults)), 0);
                    (part::state_pill(kind, &words))
                } @else { (part::pill("wait", "not judged yet")) }
                a.btn href=(format!("/v1/submissions/{}", view.submission_root)) { "JSON" }
            }
        }
        @if !view.refusal.is_empty() {
            div.notes { (part::banner("bad", "warn", html! { "It does not count: " (number::clean(&view.refusal)) "." })) }
        }
    }
}

/// What validators show of it.
fn shown_rows(found: Option<&Agreed>) -> Markup {
    let Some(found) = found else {
        return html! {};
    };
    let sample = &found.sample;
    html! {
        section.panel data-part="shown" {
            (part::data_head("What is in it", html! { "shown alike by " (found.agree) " of " (found.validators) @if found.validators == 1 { " validator" } @else { " validators" } }))
            @if let Some(composition) = &sample.composition { (shown::composition(composition)) }
            @else { p.note { "No counts: the audit found a fault, or a file could not be read." } }
            @if !sample.rows.is_empty() { h3 { "Rows to read" } (shown::list(&sample.rows)) }
        }
    }
}

/// The way of the work, each step with where it can be checked.
fn custody(
    view: &SubmissionView,
    declared: &[DeclaredWork],
    reports: &[AuditReport],
    verdict: Option<&VerdictRow>,
) -> Markup {
    let tokens = WorkSum::of(declared).tokens;
    let rows: usize = reports.iter().map(|report| report.probes.len()).sum();
    html! {
        section.panel {
            (part::data_head("Chain of custody", html! { a href="/docs/verify" { "verify yourself" } }))
            ol.chain {
                li { b { "Assigned" } "drawn from the beacon of round " (view.round.0) code { a href=(format!("/v1/rounds/{}/assignment", view.round.0)) { "document" } } }
                li { b { "Refined" } @if declared.is_empty() { "manifest not here" } @else { (number::short(tokens)) " tokens declared" } code { (view.n_units) " units" } }
                li { b { "Committed" } @if view.refusal.is_empty() { "sealed in time" } @else { "does not count" } code { (number::digest(&view.submission_root.to_string())) } }
                li { b { "Published" } "opened at block " (number::grouped(u64::from(view.block.0))) code { (number::clean_to(&view.repo, 60)) "@" (number::digest(&view.revision)) } }
                li { b { "Audited" } (reports.len()) " public reports" code { (rows) " rows rebuilt" } }
                li { b { "Settled" } @if let Some(row) = verdict { (row.verdict.name().replace('_', " ")) } @else { "not yet" } code { @if let Some(row) = verdict { (row.faults) " faults" } @else { "waits" } } }
            }
        }
    }
}

fn manifest(view: &SubmissionView, declared: &[DeclaredWork]) -> Markup {
    html! {
        div.panel {
            (part::data_head("Manifest", html! { @match view.state { SubmissionState::Complete => "here, has the root on the chain", SubmissionState::Revealed => "not handed in", SubmissionState::Refused => "refused" } }))
            @if declared.is_empty() {
                (part::empty("Counts are unknown", "The pointer on the chain names root and units. Records, tokens and recipe are shown once the miner itself hands in the manifest: tokens and bytes are not in the root, so nobody else can say them for it.", None))
            } @else {
                (part::scroll("Declared work", html! {
                    table {
                        caption.vh { "What the manifest declares by recipe" }
                        thead { tr { th scope="col" { "Recipe" } th.n scope="col" { "Units" } th.n scope="col" { "Records" } th.n scope="col" { "Kept" } th.n scope="col" { "Tokens" } th.n scope="col" { "Archives" } } }
                        tbody {
                            @for work in declared {
                                tr {
                                    td { a.mono href=(format!("/recipes/{}", work.recipe_id)) { (number::digest(&work.recipe_id.to_string())) } }
                                    td.n { (work.units) } td.n { (number::short(work.records)) } td.n { (number::short(work.kept)) }
                                    td.n { (number::short(work.tokens)) } td.n { (number::bytes(work.archive_bytes)) }
                                }
                            }
                        }
                    }
                }))
            }
            dl.facts.gap {
                dt { "Root" } dd { (view.submission_root) }
                dt { "Repository" } dd { (number::clean(&view.repo)) }
                dt { "Revision" } dd { (number::clean(&view.revision)) }
            }
            (part::terminal("Command that repeats the audit", &[("$", &number::clean(&audit_command(view)))]))
        }
    }
}

fn faults(reports: &[AuditReport], is_public: bool) -> Markup {
    let found: Vec<_> = reports
        .iter()
        .flat_map(|report| report.faults.iter().map(move |fault| (report.validator, fault)))
        .collect();
    html! {
        div.panel {
            (part::data_head("Faults", html! { (found.len()) " named by " (reports.len()) " reports" }))
            @if !is_public { (part::empty("Sealed", "Reports become public after the round's report cutoff, so that nobody copies them.", None)) }
            @else if reports.is_empty() { (part::empty("No report", "No validator reported on this submission.", None)) }
            @else if found.is_empty() { (part::empty("No fault", "Every row that was drawn was rebuilt bit for bit.", None)) }
            @else {
                ul.link-list {
                    @for (validator, fault) in found.iter().take(FAULTS_SHOWN) {
                        li {
                            @if let Some(idx) = fault.idx { a href=(format!("/records/{}/{idx}", fault.unit)) { b { (fault.kind.name()) } " in record " (idx) } }
                            @else { b { (fault.kind.name()) } " in unit " (number::digest(&fault.unit.to_string())) }
                            small { (fault.kind.explanation()) " Found by " (number::key(validator)) "." }
                        }
                    }
                }
                (part::cut(FAULTS_SHOWN, found.len(), "faults"))
            }
        }
    }
}

fn units(view: &SubmissionView, paths: &[Option<String>]) -> Markup {
    html! {
        (part::data_head("Units", html! { (view.units.len()) " of " (view.n_units) " known" }))
        @if view.units.is_empty() { (part::empty("Units are not known", "The manifest lists them.", None)) }
        @else {
            (part::scroll("Units", html! {
                table {
                    caption.vh { "Units delivered" }
                    thead { tr { th scope="col" { "Unit" } th scope="col" { "Archive" } th scope="col" { "First record" } } }
                    tbody {
                        @for (unit, path) in view.units.iter().zip(paths) {
                            tr {
                                td { a.mono href=(format!("/v1/units/{unit}")) { (unit) } }
                                td.mono { @if let Some(path) = path { (number::clean_to(path, 90)) } @else { (part::unknown()) } }
                                td { a href=(format!("/records/{unit}/0")) { "record 0" } }
                            }
                        }
                    }
                }
            }))
            (part::cut(paths.len(), view.units.len(), "units"))
        }
    }
}
