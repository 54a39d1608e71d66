//! Cells of the four boards.

use super::{Board, Query, Shown};
use crate::app::App;
use crate::board::{
    BoardRow, MinerLine, RecipeLine, StateKind, dataset_rows, miner_lines, recipe_lines, validator_rows,
};
use crate::web::answer::Stop;
use crate::web::asked::encode;
use crate::web::{number, part};
use assay_types::api::{DatasetRow, FieldValue, ValidatorRow};
use maud::{Markup, html};

/// Rao of one TAO or alpha.
const RAO: f64 = 1e9;

impl Board for MinerLine {
    const NAME: &'static str = "miners";

    async fn read(app: &App, query: &Query) -> Result<Vec<Self>, Stop> {
        Ok(miner_lines(app, query.at, query.range).await?.as_ref().clone())
    }

    fn cell(&self, column: &str, _: &Shown) -> Option<Markup> {
        Some(match column {
            "change" => part::change(self.row.rank_change),
            "miner" => part::miner(&self.row.hotkey, Some(self.row.uid), ""),
            "recipe" => recipes(self),
            "records" | "tokens" => {
                let sum = self.verified?;
                let value = if column == "records" {
                    sum.records
                } else {
                    sum.tokens
                };
                html! { (number::short(value)) }
            }
            "cred" => part::meter(self.credibility()),
            "rounds" => part::rounds(&self.row.verdicts),
            "share" => html! { (number::percent(self.share)) },
            "state" => part::state_pill(self.kind, &self.state),
            "coldkey" => html! { span.mono { (self.row.coldkey.to_ss58()) } },
            "emission" => html! { (format!("{:.4}", self.row.emission.0 as f64 / RAO)) },
            _ => return None,
        })
    }

    fn pick(&self) -> Option<String> {
        Some(self.row.uid.0.to_string())
    }

    fn called(&self) -> String {
        format!("UID {}", self.row.uid.0)
    }
}

fn recipes(line: &MinerLine) -> Markup {
    html! {
        @if line.recipes.is_empty() { (part::unknown()) } @else {
            span {
                @for (at, (id, name)) in line.recipes.iter().enumerate().take(2) {
                    @if at > 0 { ", " }
                    a href=(format!("/recipes/{id}")) { (number::clean_to(name, 28)) }
                }
                @if line.recipes.len() > 2 { " and " (line.recipes.len() - 2) " more" }
            }
        }
    }
}

impl Board for RecipeLine {
    const NAME: &'static str = "recipes";

    async fn read(app: &App, query: &Query) -> Result<Vec<Self>, Stop> {
        Ok(recipe_lines(app, query.range).await?)
    }

    fn cell(&self, column: &str, shown: &Shown) -> Option<Markup> {
        let row = &self.row;
        Some(match column {
            "recipe" => html! {
                div.two {
                    b { a href=(format!("/recipes/{}", row.recipe_id)) { (number::clean_to(&self.name(), 40)) } }
                    small {
                        @if let Some(author) = &row.author { "by " (number::key(author)) } @else { (number::digest(&row.recipe_id.to_string())) }
                    }
                }
            },
            "fineness" => html! {
                div.nw {
                    (part::hallmark(row.fineness.as_ref().map(|found| found.value), 58))
                    @if let Some(found) = &row.fineness { span.hide { (part::interval(found, shown.anchor, shown.scale)) } }
                }
            },
            "low" => {
                html! { @if let Some(found) = &row.fineness { (format!("{:.0}", found.low)) } @else { span.muted { "–" } } }
            }
            "share" => html! { (number::percent(self.share?)) },
            "tokens" => html! { (number::short(row.tokens)) },
            "state" => {
                let kind = match self.state() {
                    "anchor" | "published" => StateKind::Nil,
                    "in use" | "champion" | "former champion" => StateKind::Ok,
                    _ => StateKind::Wait,
                };
                part::state_pill(kind, self.state())
            }
            "author" => html! { span.mono { (row.author.as_ref()?.to_ss58()) } },
            _ => return None,
        })
    }

    fn pick(&self) -> Option<String> {
        Some(self.row.recipe_id.to_string())
    }

    fn called(&self) -> String {
        number::clean_to(&self.name(), 40)
    }
}

impl Board for ValidatorRow {
    const NAME: &'static str = "validators";

    async fn read(app: &App, _: &Query) -> Result<Vec<Self>, Stop> {
        Ok(validator_rows(app).await?)
    }

    fn cell(&self, column: &str, _: &Shown) -> Option<Markup> {
        Some(match column {
            "validator" => part::validator(&self.hotkey, Some(self.uid), ""),
            "stake" => html! { (format!("{:.1}", self.stake.0 as f64 / RAO)) },
            "vtrust" => part::meter(f64::from(self.vtrust) / f64::from(u16::MAX)),
            "dividends" => html! { (number::percent(f64::from(self.dividends) / f64::from(u16::MAX))) },
            "weights" => html! { (number::grouped(u64::from(self.weights_age_blocks))) " blocks" },
            "coldkey" => html! { span.mono { (self.coldkey.to_ss58()) } },
            _ => return None,
        })
    }

    fn pick(&self) -> Option<String> {
        None
    }

    fn called(&self) -> String {
        format!("UID {}", self.uid.0)
    }
}

impl Board for DatasetRow {
    const NAME: &'static str = "datasets";

    async fn read(app: &App, _: &Query) -> Result<Vec<Self>, Stop> {
        Ok(dataset_rows(app).await?)
    }

    fn cell(&self, column: &str, _: &Shown) -> Option<Markup> {
        Some(match column {
            "name" => html! {
                div.two {
                    b { a href=(format!("/datasets/{}", encode(&self.name))) { (number::clean_to(&self.name, 60)) } }
                    small { (number::clean_to(&self.location, 60)) }
                }
            },
            "release" => html! { span.mono { (number::clean_to(&self.release, 40)) } },
            "tokens" => html! { (number::short(self.tokens)) },
            "documents" => html! { (number::short(self.documents)) },
            "licence" | "location" => {
                let text = if column == "licence" {
                    &self.licence
                } else {
                    &self.location
                };
                html! { (number::clean_to(text, 60)) }
            }
            _ => return None,
        })
    }

    fn pick(&self) -> Option<String> {
        // Encoded: a form's value would carry direction marks as they are.
        Some(encode(&self.name))
    }

    fn called(&self) -> String {
        number::clean_to(&self.name, 60)
    }
}

/// The plain value of a cell.
pub(super) fn plain<R: BoardRow>(row: &R, column: &crate::board::Column<R>) -> Markup {
    match (column.value)(row) {
        FieldValue::Missing => part::unknown(),
        FieldValue::Number(value) if value.fract() == 0.0 && value >= 0.0 => {
            html! { (number::grouped(value as u64)) }
        }
        FieldValue::Number(value) => html! { (format!("{value:.3}")) },
        FieldValue::Texts(texts) => html! { (number::clean(&texts.join(", "))) },
    }
}
