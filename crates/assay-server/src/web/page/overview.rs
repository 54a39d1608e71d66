//! The front page: what the subnet is, what it did so far, the round, who leads, what happens, how to begin.

use super::overview_start::{features, start};
use super::{Asked, Page, Stop, answer, number, part};
use crate::app::App;
use crate::board::{
    MinerLine, Range, RecipeLine, all_duels, declared_in_all, miner_lines, passed_in_all, recipe_lines,
    validator_rows,
};
use crate::store::WorkSum;
use crate::web::chart::{self, Measured, Stage};
use crate::web::feed;
use assay_types::Arm;
use assay_types::api::{DuelView, Estimate};
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// Rows of the short boards.
const ROWS: usize = 5;
/// Events shown.
const EVENTS: usize = 7;

/// What miners declared, and what of it passed.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Work {
    /// What all manifests declare.
    pub(super) declared: WorkSum,
    /// What those of passed rounds declare.
    pub(super) passed: WorkSum,
}

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, render(&app)).await
}

async fn render(app: &App) -> Result<Page, Stop> {
    let work = work(app).await?;
    let miners = match miner_lines(app, None, Range::default()).await {
        Ok(lines) => Some(lines),
        Err(failure) if failure.problem.code == "server/not-ready" => None,
        Err(failure) => return Err(failure.into()),
    };
    let recipes = recipe_lines(app, Range::default()).await?;
    let duels = all_duels(app).await?;
    let duels = &duels.list;
    let round = super::round::panel(app).await?;
    let events = feed::folded(app, EVENTS).await?;
    let view = app.view();
    let validators = match &view.metagraph {
        Some(_) => Some(validator_rows(app).await?.len()),
        None => None,
    };
    let burned = view.metagraph.as_deref().and_then(part::burned);
    let body = html! {
        div.hero.grid data-part="hero" {
            div {
                h1 { "Raw web in." br; "Fine text out." }
                p.lede {
                    "Miners refine web archives with open recipes. Validators rebuild sampled records bit for bit, and train models in duels to find the better recipe. Rows, assignments and verdicts can be recomputed by anybody."
                }
                p.row {
                    a.btn.pri href="/start" { "Start mining" }
                    a.btn href="/datasets" { "Get the data" }
                    a.btn href="/leaderboard/miners" { "Leaderboard" }
                }
                (figures(&work, &recipes, miners.as_deref().map(Vec::as_slice), validators))
            }
            div { (funnel(&work)) }
        }
        section.grid.c21 data-part="champion" { (champion(duels, &recipes)) (round) }
        section.grid.c2 data-part="leaders" { (best_recipes(&recipes)) (leading_miners(miners.as_deref().map(Vec::as_slice), burned.as_deref())) }
        section.grid.c3 #start {
            div.panel data-part="feed" {
                (part::data_head("Now", html! { span.dot {} "live" }))
                (feed::render(&events))
            }
            (start())
        }
        (features())
    };
    Ok(Page::new("Assay", body)
        .section("/")
        .card(super::card::OVERVIEW.to_owned())
        .about("A Bittensor subnet that refines web archives into LLM pre-training data and proves what it is worth.")
        .live("block,round,submission,report,proof,weights,release"))
}

/// What was declared so far.
pub(super) async fn work(app: &App) -> Result<Work, Stop> {
    Ok(Work {
        declared: declared_in_all(app).await?,
        passed: passed_in_all(app).await?,
    })
}

fn figures(
    work: &Work,
    recipes: &[RecipeLine],
    miners: Option<&[MinerLine]>,
    validators: Option<usize>,
) -> Markup {
    let best = recipes
        .iter()
        .find_map(|line| Some((line, line.row.fineness.as_ref()?)));
    html! {
        dl.grid.c3.kpis {
            (part::kpi("g", "Verified tokens", html! { (number::short(work.passed.tokens)) }, html! { (number::grouped(work.passed.units)) " units passed" }))
            @if let Some((line, found)) = best {
                (part::kpi("", "Best recipe", html! { (format!("{:.0} ± {:.1} ‰", found.value, half(found))) }, html! { (number::clean_to(&line.name(), 24)) }))
            } @else {
                (part::kpi("", "Best recipe", html! { "–" }, html! { "fineness not measured yet" }))
            }
            (part::kpi("", "Miners / validators",
                html! {
                    @if let (Some(miners), Some(validators)) = (miners, validators) { (miners.len()) " / " (validators) } @else { "unknown" }
                },
                html! { @if miners.is_some() { "registered now" } @else { "chain not read yet" } }))
        }
    }
}

fn half(found: &Estimate) -> f64 {
    (found.high - found.low) / 2.0
}

fn funnel(work: &Work) -> Markup {
    let (read, verified, kept) = (work.declared.records, work.passed.records, work.passed.kept);
    if read == 0 {
        return part::empty(
            "No manifest yet",
            "The funnel is drawn from what miners hand in: records read, records whose rounds passed the audit, documents kept.",
            Some(("/docs/mechanism", "How a round works")),
        );
    }
    let stage = |value: u64, name: &str| Stage {
        value: value as f64,
        shown: number::short(value),
        name: name.to_owned(),
    };
    let stages = [
        stage(read, "Records read"),
        stage(verified, "In passed rounds"),
        stage(kept, "Documents kept"),
    ];
    let label = format!(
        "Refining funnel: of {} records read, {} are in rounds that passed the audit, {} were kept as documents",
        number::short(read),
        number::short(verified),
        number::short(kept)
    );
    part::both(|width| chart::funnel(&stages, width.min(620.0), &label))
}

/// Every measured recipe in the order of its duel.
fn attempts(duels: &[Arc<DuelView>], recipes: &[RecipeLine]) -> Vec<Measured> {
    let name = |id| {
        let found = recipes.iter().find(|line| line.row.recipe_id == id);
        found.map(RecipeLine::name).unwrap_or_default()
    };
    duels
        .iter()
        .filter_map(|duel| {
            let found = crate::board::estimate(duel, Arm::Challenger)?;
            Some(Measured {
                round: f64::from(duel.round.0),
                value: found.value,
                low: found.low,
                high: found.high,
                name: number::clean_to(&name(duel.challenger), 14),
            })
        })
        .collect()
}

fn champion(duels: &[Arc<DuelView>], recipes: &[RecipeLine]) -> Markup {
    let points = attempts(duels, recipes);
    let anchor = recipes.iter().find(|line| line.row.anchor);
    let anchor = anchor
        .and_then(|line| line.row.fineness.as_ref())
        .map(|found| found.value);
    html! {
        div.panel {
            (part::data_head("The best recipe so far", html! { "fineness ‰ · 95% interval" }))
            @if points.is_empty() {
                (part::empty("No recipe was measured yet",
                    "Fineness is measured by training duels: 0 is unfiltered text of the same archives, 1000 is text of the evaluation domains. The first duel draws the first point.",
                    Some(("/docs/evaluation", "How it is measured"))))
            } @else {
                @let last = points.last().map_or(0.0, |point| point.round) + 1.0;
                @let label = format!("Fineness of {} measured recipes by round", points.len());
                (part::both(|width| chart::steps(&points, anchor, (last, width), &label)))
                p.key { span { "band: 95% interval" } span { "rings: attempts that did not win" } span { "0 unfiltered, 1000 pure text" } }
            }
        }
    }
}

fn best_recipes(recipes: &[RecipeLine]) -> Markup {
    html! {
        div.panel {
            (part::data_head("Best recipes", html! { a href="/leaderboard/recipes" { "all " (recipes.len()) } }))
            (part::scroll("Best recipes", html! {
                table {
                    caption.vh { "Recipes by the lower end of their fineness" }
                    thead { tr { th.n scope="col" { "#" } th scope="col" { "Recipe" } th scope="col" { "Fineness ‰" } th.n scope="col" { "Used in" } th.hide scope="col" { "State" } } }
                    tbody {
                        @for line in recipes.iter().take(ROWS) {
                            tr {
                                td.n { (line.row.rank) }
                                td.two {
                                    b { a href=(format!("/recipes/{}", line.row.recipe_id)) { (number::clean_to(&line.name(), 30)) } }
                                    small { @if let Some(author) = &line.row.author { "by " (number::key(author)) } @else { (line.origin()) } }
                                }
                                td { (part::hallmark(line.row.fineness.as_ref().map(|found| found.value), 56)) }
                                td.n { @if let Some(share) = line.share { (number::percent(share)) } @else { "–" } }
                                td.hide { (part::pill(if line.row.units > 0 { "ok" } else { "nil" }, line.state())) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

fn leading_miners(miners: Option<&[MinerLine]>, burned: Option<&str>) -> Markup {
    let Some(miners) = miners.filter(|miners| !miners.is_empty()) else {
        return html! {
            div.panel {
                (part::data_head("Leading miners", html! { "none" }))
                (part::empty("No miner is known yet", "Miners appear with the first metagraph that is read from the chain.", Some(("/start", "Be the first"))))
            }
        };
    };
    html! {
        div.panel {
            (part::data_head("Leading miners", html! { a href="/leaderboard/miners" { "all " (miners.len()) } }))
            (part::scroll("Leading miners", html! {
                table {
                    caption.vh { "Miners by pay share" }
                    thead { tr {
                        th.n.hide scope="col" { "#" } th scope="col" { "Miner" } th.n scope="col" { "Tokens, 7 d" }
                        th.hide scope="col" { "Last 10 rounds" } th.n scope="col" { "Pay share" }
                    } }
                    tbody {
                        @for line in miners.iter().take(ROWS) {
                            @let recipe = line.recipes.first().map(|(_, name)| number::clean_to(name, 20)).unwrap_or_default();
                            tr {
                                td.n.hide { (line.row.rank) }
                                td { (part::miner(&line.row.hotkey, Some(line.row.uid), &recipe)) }
                                td.n { @if let Some(sum) = line.verified { (number::short(sum.tokens)) } @else { (part::unknown()) } }
                                td.hide { (part::rounds(&line.row.verdicts)) }
                                td.n { (number::percent(line.share)) }
                            }
                        }
                    }
                }
            }))
            @if let Some(burned) = burned { p.note { (burned) } }
        }
    }
}
