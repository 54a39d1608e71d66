//! Datasets: what was released, from what, and how to load it.

use super::{Asked, Page, Stop, answer, missing, number, part, shown};
use crate::app::App;
use crate::board::{Shown, dataset_rows, newest_shown, passed_in_all, record_path, verify_command};
use crate::store;
use crate::web::asked::{decode, encode};
use crate::web::chart::{self, Band};
use assay_types::SampleRow;
use assay_types::api::{DatasetRow, DatasetView};
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// Releases shown of a name.
const RELEASES_SHOWN: usize = 20;
/// Rows listed below the one that is shown.
const OTHERS_SHOWN: usize = 12;

/// All datasets.
pub(super) async fn list(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        let rows = dataset_rows(&app).await?;
        let body = html! {
            section {
                h1 { "Datasets" }
                p.lede { "Released text: every row names the archive bytes and the recipe it follows from, so anybody can make it again." }
            }
            section.panel data-part="datasets" { (table(&rows)) }
            (unreleased(&app).await?)
        };
        Ok(Page::new("Datasets", body)
            .section("/datasets")
            .about("Released datasets with licence, size and how to load them.")
            .live("release,round"))
    })
    .await
}

fn table(rows: &[DatasetRow]) -> Markup {
    html! {
        (part::data_head("Releases", html! { a href="/leaderboard/datasets" { "filter and sort" } }))
        @if rows.is_empty() {
            (part::empty("No release yet", "A release is built from units that passed the audit and is announced to this server by its operator. Single rounds can be loaded today from the miners' repositories.", Some(("/docs/storage", "Load a round"))))
        } @else {
            (part::scroll("Datasets", html! {
                table.cards {
                    caption.vh { "Datasets by tokens" }
                    thead { tr { th scope="col" { "Dataset" } th scope="col" { "Release" } th.n scope="col" { "Tokens" } th.n scope="col" { "Documents" } th.n scope="col" { "Units" } th scope="col" { "Licence" } } }
                    tbody {
                        @for row in rows {
                            tr {
                                td.w.lead { div.two { b { a href=(format!("/datasets/{}", encode(&row.name))) { (number::clean_to(&row.name, 60)) } } small { (number::clean_to(&row.location, 70)) } } }
                                td.mono data-l="Release" { (number::clean_to(&row.release, 40)) }
                                td.n data-l="Tokens" { (number::short(row.tokens)) }
                                td.n data-l="Documents" { (number::short(row.documents)) }
                                td.n data-l="Units" { (number::grouped(row.units)) }
                                td data-l="Licence" { (number::clean_to(&row.licence, 40)) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// What was verified and is in no release of its own: the rounds.
async fn unreleased(app: &App) -> Result<Markup, Stop> {
    let sum = passed_in_all(app).await?;
    Ok(html! {
        section data-part="unreleased" {
            h2 { "Verified so far" }
            dl.grid.c5.kpis.gap {
                (part::kpi("g", "Tokens", html! { (number::short(sum.tokens)) }, html! { "GPT-2 tokens" }))
                (part::kpi("", "Documents", html! { (number::short(sum.kept)) }, html! { @if sum.records > 0 { (number::percent(sum.kept as f64 / sum.records as f64)) " of records kept" } @else { "no round passed yet" } }))
                (part::kpi("v", "Units", html! { (number::grouped(sum.units)) }, html! { "passed the audit" }))
                (part::kpi("", "Records", html! { (number::short(sum.records)) }, html! { "read from archives" }))
                (part::kpi("", "Archives", html! { (number::bytes(sum.archive_bytes)) }, html! { "refined" }))
            }
        }
    })
}

/// One dataset: its newest release.
pub(super) async fn page(State(app): State<Arc<App>>, Path(name): Path<String>, asked: Asked) -> Response {
    answer(&app, &asked, render(&app, &name, None)).await
}

/// One release.
pub(super) async fn release(
    State(app): State<Arc<App>>,
    Path((name, release)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    answer(&app, &asked, render(&app, &name, Some(&release))).await
}

async fn render(app: &App, name: &str, release: Option<&str>) -> Result<Page, Stop> {
    let name = decode(&encode(name));
    if name.is_empty() || name.contains('\0') {
        return Err(missing("no dataset has this name"));
    }
    let releases = store::datasets(app.database().readers(), &name).await?;
    let found = match release {
        None => releases.last(),
        Some(release) => releases.iter().find(|view| view.release == release),
    };
    let Some(view) = found else {
        return Err(missing("no dataset of this name and release was announced here"));
    };
    let title = number::clean_to(&format!("{} {}", view.name, view.release), 80);
    let shown = newest_shown(app).await?;
    Ok(
        Page::new(&format!("{title} · Datasets"), body(view, &releases, &shown))
            .section("/datasets")
            .card(super::card::of_dataset(&view.name))
            .about("Size and use of one dataset, and how to check it.")
            .live("release,report"),
    )
}

fn body(view: &DatasetView, releases: &[DatasetView], shown: &Shown) -> Markup {
    html! {
        (part::crumbs(&[("/datasets", "Datasets")], &number::clean_to(&view.name, 60)))
        section.title {
            div {
                h1 { (number::clean_to(&view.name, 60)) }
                p.lede { (number::clean_to(&view.description, 600)) }
            }
            span.sp {}
            div.row {
                a.btn href=(format!("/v1/datasets/{}", encode(&view.name))) { "JSON" }
            }
        }
        dl.grid.c5.kpis {
            (part::kpi("g", "Tokens", html! { (number::short(view.tokens)) }, html! { "as announced" }))
            (part::kpi("", "Documents", html! { (number::short(view.documents)) }, html! { @if view.documents > 0 { (number::grouped(view.tokens / view.documents)) " tokens each" } @else { "none" } }))
            (part::kpi("v", "Units", html! { (number::grouped(view.units)) }, html! { "archives" }))
            (part::kpi("", "Release", html! { (number::clean_to(&view.release, 20)) }, html! { "one of " (releases.len()) " of this name" }))
            (part::kpi("", "Licence", html! { (number::clean_to(&view.licence, 20)) }, html! { "of the release" }))
        }
        section.panel {
            (part::data_head("What was announced", html! { a href="/docs/verify" { "verify yourself" } }))
            ol.chain {
                li { b { "Announced" } "by this server's operator" code { (number::clean_to(&view.release, 40)) } }
                li { b { "Units" } "archives it says it is made of" code { (number::grouped(view.units)) } }
                li { b { "Documents" } "rows it says it holds" code { (number::short(view.documents)) } }
                li { b { "Tokens" } "GPT-2 tokens of these" code { (number::short(view.tokens)) } }
                li { b { "Location" } "where its files are" code { (number::clean_to(&view.location, 60)) } }
                li { b { "Manifest" } "names every file with its digest" code { (number::digest(&view.manifest.to_string())) } }
            }
            p.note { "This server did not check the release: it shows what was announced. The second command below recomputes its roots, and rows drawn at random from their archives." }
        }
        section.grid.c21 { (use_it(view)) (release_list(view, releases)) }
        (read_one(shown))
        section.panel {
            (part::data_head("Composition", html! { @if let Some((from, to)) = shown.rounds { "units audited in rounds " (from.0) " to " (to.0) } @else { "of audited units" } }))
            @if let Some(composition) = &shown.composition {
                (shown::composition(composition))
                p.note { "Counted by validators in the files of the newest audited rounds, whichever release they go into. The command below counts any copy of this one." }
            } @else {
                (part::empty("Not posted yet", "Validators post what the units they audit are made of. The command below counts any copy of the dataset.", None))
            }
            (part::terminal("Command for statistics", &[("$", "assay dataset stats data --html report.html")]))
        }
    }
}

/// A kept row of the newest audits, beside its page.
fn read_one(shown: &Shown) -> Markup {
    let rows = || {
        let each = shown.newest.iter();
        each.flat_map(|one| one.sample.rows.iter().map(move |row| (row, one.agree)))
    };
    let found = rows().find(|(row, _)| row.decision == "kept" && !row.blocks.is_empty());
    let Some((row, agree)) = found.or_else(|| rows().next()) else {
        return html! {
            section.panel {
                (part::data_head("Read a document", html! { "from an audited unit" }))
                (part::empty("No row is shown yet", "Validators show a few rows of each submission they audit, beside their pages. Until then: open a submission, then a record.", Some(("/rounds/current", "Newest round"))))
            }
        };
    };
    html! {
        section.grid.c2 data-part="shown" {
            div.panel {
                (part::data_head("Read a document", html! { a href=(record_path(row.unit, row.idx)) { "row " (number::grouped(u64::from(row.idx))) " of its unit" } }))
                (shown::text_of(row))
                (shown::pills(row, agree))
                dl.facts.gap { dt { "Address" } dd { (number::clean(&row.url)) } }
            }
            div.panel {
                (part::data_head("Beside the page", html! { "main text, and what was left out" }))
                (shown::page_of(row))
            }
        }
        @let others: Vec<SampleRow> = rows().map(|(other, _)| other).filter(|other| (other.unit, other.idx) != (row.unit, row.idx)).take(OTHERS_SHOWN).cloned().collect();
        @if !others.is_empty() {
            section.panel { (part::data_head("Other rows of these audits", html! { "kept and dropped" })) (shown::list(&others)) }
        }
    }
}

fn use_it(view: &DatasetView) -> Markup {
    let at = number::clean_to(&view.location, 100);
    let is_hub = !at.contains("://");
    let place = if is_hub { format!("hf://{at}") } else { at.clone() };
    html! {
        div.panel {
            (part::data_head("Use it", html! { "four ways" }))
            h3 { "Command line: resumable, every file checked" }
            (part::terminal("Command line", &[
                ("$", &format!("assay dataset pull {place} --out data --tokens 10B --seed 1")),
                ("$", &verify_command(&place)),
            ]))
            h3 { "Python: datasets" }
            pre.gap tabindex="0" aria-label="Python with datasets" { "from datasets import load_dataset\nds = load_dataset(\"parquet\", data_files=\"data/units/*/docs-*.parquet\", split=\"train\", streaming=True)" }
            h3 { "polars" }
            pre.gap tabindex="0" aria-label="Python with polars" { "import polars as pl\npl.scan_parquet(\"data/units/*/docs-*.parquet\").select(\"text\", \"url\").head().collect()" }
            h3 { "DuckDB" }
            pre.gap tabindex="0" aria-label="DuckDB" { "SELECT url, text FROM 'data/units/*/docs-*.parquet' LIMIT 5;" }
        }
    }
}

fn release_list(view: &DatasetView, releases: &[DatasetView]) -> Markup {
    let parts: Vec<Band> = releases
        .iter()
        .map(|release| Band {
            value: release.tokens as f64,
            class: if release.release == view.release {
                "a-gold"
            } else {
                "f-slate"
            },
        })
        .collect();
    html! {
        div.stack {
            div.panel {
                (part::data_head("Facts", html! { "as announced" }))
                dl.facts {
                    dt { "Location" } dd { (number::clean(&view.location)) }
                    dt { "Manifest" } dd { (view.manifest) }
                    dt { "Licence" } dd { (number::clean_to(&view.licence, 60)) }
                }
            }
            div.panel {
                (part::data_head("Releases", html! { (releases.len()) " of this name" }))
                div.split {
                    @for release in releases.iter().rev().take(RELEASES_SHOWN) {
                        div {
                            a href=(format!("/datasets/{}/{}", encode(&release.name), encode(&release.release))) aria-current=[(release.release == view.release).then_some("page")] { (number::clean_to(&release.release, 40)) }
                            span.mono { (number::short(release.tokens)) }
                        }
                    }
                }
                (part::cut(RELEASES_SHOWN, releases.len(), "releases, newest first,"))
                div.gap { (chart::bands(&parts, "Tokens of the releases")) }
            }
        }
    }
}
