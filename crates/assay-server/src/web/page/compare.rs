//! Two to four miners, recipes or datasets side by side.

use super::{Asked, Page, Stop, answer, number, part};
use crate::app::App;
use crate::board::{BoardRow, Range, dataset_rows, miner_lines, recipe_lines};
use crate::web::asked::decode;
use assay_types::api::FieldValue;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// Most things side by side.
const COMPARED_MAX: usize = 4;

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, render(&app, &asked)).await
}

async fn render(app: &App, asked: &Asked) -> Result<Page, Stop> {
    let picked = |name: &str| -> Vec<String> {
        let values = asked.all(name).into_iter().filter(|value| !value.is_empty());
        values.take(COMPARED_MAX).map(ToOwned::to_owned).collect()
    };
    let (miners, recipes, datasets) = (picked("m"), picked("r"), picked("d"));
    let body = if !recipes.is_empty() {
        let lines = recipe_lines(app, Range::default()).await?;
        let found: Vec<_> = in_order(&recipes, &lines, |line, id| line.row.recipe_id.to_string() == *id);
        side_by_side("Recipes", "/leaderboard/recipes", recipes.len(), &found, |line| {
            html! { (part::hallmark(line.row.fineness.as_ref().map(|found| found.value), 92)) h2.gap { a href=(format!("/recipes/{}", line.row.recipe_id)) { (number::clean_to(&line.name(), 40)) } } }
        })
    } else if !datasets.is_empty() {
        let rows = dataset_rows(app).await?;
        let found: Vec<_> = in_order(&datasets, &rows, |row, name| row.name == decode(name));
        side_by_side(
            "Datasets",
            "/leaderboard/datasets",
            datasets.len(),
            &found,
            |row| {
                html! { h2 { a href=(format!("/datasets/{}", crate::web::asked::encode(&row.name))) { (number::clean_to(&row.name, 60)) } } }
            },
        )
    } else {
        let lines = match miner_lines(app, None, Range::default()).await {
            Ok(lines) => lines,
            Err(failure) if failure.problem.code == "server/not-ready" => Arc::default(),
            Err(failure) => return Err(failure.into()),
        };
        let found: Vec<_> = in_order(&miners, &lines, |line, name| {
            line.row.uid.0.to_string() == *name || line.row.hotkey.to_ss58() == *name
        });
        side_by_side("Miners", "/leaderboard/miners", miners.len(), &found, |line| {
            html! { (part::miner(&line.row.hotkey, Some(line.row.uid), "")) p.gap { (part::rounds(&line.row.verdicts)) } (part::state_pill(line.kind, &line.state)) }
        })
    };
    Ok(Page::new("Compare", body)
        .section("/leaderboard/miners")
        .live("round,weights"))
}

fn in_order<'a, R>(names: &[String], rows: &'a [R], is_named: impl Fn(&R, &String) -> bool) -> Vec<&'a R> {
    names
        .iter()
        .filter_map(|name| rows.iter().find(|row| is_named(row, name)))
        .collect()
}

fn side_by_side<R: BoardRow>(
    title: &str,
    board: &str,
    asked: usize,
    rows: &[&R],
    head: impl Fn(&R) -> Markup,
) -> Markup {
    html! {
        (part::crumbs(&[("/leaderboard/miners", "Leaderboard"), (board, title)], "Compare"))
        section { h1 { "Compare" } p.lede { "The same figures side by side; the best of a line is bold where more is better." } }
        @if rows.len() < asked { div.notes { (part::banner("wait", "warn", html! { (asked - rows.len()) " of the picked are not there now." })) } }
        @if rows.is_empty() {
            section.panel { (part::empty("Nothing picked", "Pick two to four rows of a board.", Some((board, "To the board")))) }
        } @else {
            section.panel data-part="compare" {
                (part::scroll("Comparison", html! {
                    table {
                        caption.vh { (title) " side by side" }
                        thead { tr { th scope="col" { "Figure" } @for row in rows { th scope="col" { (head(row)) } } } }
                        tbody {
                            @for column in R::COLUMNS {
                                @let values: Vec<FieldValue> = rows.iter().map(|row| (column.value)(row)).collect();
                                @let best = best(&values, column.name);
                                tr {
                                    th scope="row" { (column.label) }
                                    @for value in &values { td.mono { (shown(value, best)) } }
                                }
                            }
                        }
                    }
                }))
                (part::age_line(None))
            }
        }
        p.row { a.btn href=(board) { "Back to the board" } }
    }
}

/// The greatest value where more is better and not all are alike.
fn best(values: &[FieldValue], name: &str) -> Option<f64> {
    let more_is_better = matches!(
        name,
        "units"
            | "records"
            | "tokens"
            | "cred"
            | "share"
            | "rounds"
            | "fineness"
            | "low"
            | "miners"
            | "emission"
            | "passed"
            | "cap"
            | "documents"
    );
    let numbers: Vec<f64> = values
        .iter()
        .filter_map(|value| match value {
            FieldValue::Number(number) => Some(*number),
            _ => None,
        })
        .collect();
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_alike = numbers.iter().all(|number| number.total_cmp(&most).is_eq());
    (more_is_better && numbers.len() > 1 && !is_alike).then_some(most)
}

fn shown(value: &FieldValue, best: Option<f64>) -> Markup {
    match value {
        FieldValue::Missing => part::unknown(),
        FieldValue::Number(number) => {
            let text = if number.fract() == 0.0 && *number >= 0.0 {
                number::grouped(*number as u64)
            } else {
                format!("{number:.3}")
            };
            let is_best = best.is_some_and(|best| best.total_cmp(number).is_eq());
            html! { @if is_best { b { (text) } } @else { (text) } }
        }
        FieldValue::Texts(texts) => html! { (number::clean_to(&texts.join(" "), 80)) },
    }
}
