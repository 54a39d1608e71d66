//! One row of a ledger: where it comes from, who delivered it, who rebuilt it, how to see its text and what was cut.

use super::{Asked, Page, Stop, answer, missing, number, part, shown};
use crate::app::App;
use crate::board::{record, record_path};
use crate::web::asked::encode;
use assay_types::UnitId;
use assay_types::api::RecordView;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// The page.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path((unit, idx)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    answer(&app, &asked, async {
        let unit: UnitId = unit
            .parse()
            .map_err(|_| missing("a unit is named by 32 hexadecimal digits"))?;
        let idx: u32 = idx
            .parse()
            .map_err(|_| missing("a record is named by its number in the ledger"))?;
        let view = record(&app, unit, idx).await?;
        Ok::<_, Stop>(
            Page::new(&format!("Record {idx}"), body(&view))
                .section("/datasets")
                .live("report,submission"),
        )
    })
    .await
}

fn body(view: &RecordView) -> Markup {
    let path = record_path(view.unit_id, view.idx);
    html! {
        (part::crumbs(&[("/datasets", "Datasets")], &format!("Unit {}", number::digest(&view.unit_id.to_string()))))
        section.title {
            div { h1 { "Record " (number::grouped(u64::from(view.idx))) } p.mono.small.muted { (number::clean(&view.path)) } }
            span.sp {}
            div.row {
                @if view.idx > 0 { a.btn href=(record_path(view.unit_id, view.idx - 1)) rel="nofollow" { "Previous" } }
                @if view.records.is_none_or(|records| view.idx.saturating_add(1) < records) {
                    a.btn href=(record_path(view.unit_id, view.idx.saturating_add(1))) rel="nofollow" { "Next" }
                }
                a.btn href=(format!("/v1{path}")) { "JSON" }
            }
        }
        section.grid.c2 {
            div.panel {
                (part::data_head("Where it comes from", html! { "corpus index" }))
                dl.facts {
                    dt { "Source" } dd { (number::clean(&view.source)) }
                    dt { "Archive" } dd { (number::clean(&view.path)) }
                    dt { "Unit" } dd { a href=(format!("/v1/units/{}", view.unit_id)) { (view.unit_id) } }
                    dt { "Ledger row" } dd { (view.idx) @if let Some(records) = view.records { " of " (number::grouped(u64::from(records))) ", from 0" } }
                }
                p.row.gap { a.btn href=(format!("/opt-out?target={}", encode(&path))) rel="nofollow" { "Ask for its removal" } }
            }
            div.panel {
                (part::data_head("Read it", html! { "kept text, raw page, what was cut" }))
                @if view.deliveries.is_empty() {
                    (part::empty("Nobody delivered it yet", "When a miner's manifest names this unit, the command that recomputes its rows stands here.", None))
                } @else {
                    p.note {
                        @if view.shown.is_empty() { "No validator shows this row: an audit shows a few of those it draws. " }
                        "The archive bytes and the recipe give the row again, with every step that cut or replaced something:"
                    }
                    (part::terminal("Commands that recompute the record", &[
                        ("#", "the row against its archive, bit for bit"),
                        ("$", &number::clean_to(&view.command, 200)),
                        ("#", "what each step did to one page"),
                        ("$", "assay refine ARCHIVE --explain URL"),
                    ]))
                }
            }
        }
        (shown_panels(view))
        section.grid.c2 {
            div.panel { (deliveries(view)) }
            div.panel { (probes(view)) }
        }
    }
}

/// What validators show of the row: the text that is kept beside the page.
fn shown_panels(view: &RecordView) -> Markup {
    let Some(first) = view.shown.first() else {
        return html! {};
    };
    let same = view.shown.iter().filter(|one| one.row == first.row).count();
    html! {
        section.grid.c2 data-part="shown" {
            div.panel {
                (part::data_head(if first.row.decision == "kept" { "What is kept of it" } else { "Why it is left out" }, html! { "round " (first.round.0) ", shown alike by " (same) " of " (view.shown.len()) }))
                (shown::text_of(&first.row))
                (shown::pills(&first.row, same))
                dl.facts.gap { dt { "Address" } dd { (number::clean(&first.row.url)) } dt { "Shown by" } dd { (part::validator(&first.validator, None, "")) } }
            }
            div.panel {
                (part::data_head("Beside the page", html! { "main text, and what extraction left out" }))
                (shown::page_of(&first.row))
            }
        }
    }
}

fn deliveries(view: &RecordView) -> Markup {
    html! {
        (part::data_head("Delivered by", html! { (view.deliveries.len()) " newest submissions" }))
        @if view.deliveries.is_empty() { (part::empty("No delivery", "No manifest handed in names its unit.", None)) }
        @else {
            (part::scroll("Deliveries", html! {
                table {
                    caption.vh { "Submissions that hold the record" }
                    thead { tr { th.n scope="col" { "Round" } th scope="col" { "Miner" } th scope="col" { "Submission" } } }
                    tbody {
                        @for one in &view.deliveries {
                            tr {
                                td.n { a href=(format!("/rounds/{}", one.round.0)) { (one.round.0) } }
                                td { (part::miner(&one.hotkey, None, "")) }
                                td { a.mono href=(format!("/submissions/{}", one.submission_root)) { (number::digest(&one.submission_root.to_string())) } }
                            }
                        }
                    }
                }
            }))
        }
    }
}

fn probes(view: &RecordView) -> Markup {
    html! {
        (part::data_head("Rebuilt by", html! { (view.probes.len()) " public reports" }))
        @if view.probes.is_empty() {
            (part::empty("Not drawn in a public audit", "Audits draw rows at random. An undrawn row is checked by the same command.", Some(("/docs/verify", "How rows are drawn"))))
        } @else {
            (part::scroll("Probes", html! {
                table {
                    caption.vh { "Validators that recomputed the record" }
                    thead { tr { th scope="col" { "Validator" } th.n scope="col" { "Round" } th scope="col" { "Row gives" } th scope="col" { "Result" } } }
                    tbody {
                        @for probe in &view.probes {
                            tr {
                                td { (part::validator(&probe.validator, None, "")) }
                                td.n { (probe.round.0) }
                                td.mono { @if let Some(result) = probe.result { (number::digest(&result.to_string())) } @else { "–" } }
                                td { @if probe.faults.is_empty() { (part::pill("ok", "bit for bit")) } @else { (part::pill("bad", &probe.faults.join(", "))) } }
                            }
                        }
                    }
                }
            }))
        }
    }
}
