//! One recipe: what it does step by step, how fine it is, who uses it, how it differs from the anchor.

use super::{Asked, Page, Stop, answer, missing, number, part};
use crate::app::App;
use crate::board::{Range, RecipeLine, all_duels, recipe_lines};
use crate::web::answer::redirect;
use assay_types::api::{DuelView, RecipeStanding};
use assay_types::{Recipe, RecipeId, recipe};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// Lines of TOML shown.
const TOML_CHARS_MAX: usize = 24_000;

/// The page; `.json` leads to the API.
pub(super) async fn page(State(app): State<Arc<App>>, Path(id): Path<String>, asked: Asked) -> Response {
    if let Some(id) = id.strip_suffix(".json")
        && id.parse::<RecipeId>().is_ok()
    {
        return redirect(StatusCode::SEE_OTHER, &format!("/v1/recipes/{id}"));
    }
    answer(&app, &asked, render(&app, &id)).await
}

async fn render(app: &App, id: &str) -> Result<Page, Stop> {
    let id: RecipeId = id
        .parse()
        .map_err(|_| missing("a recipe is named by 64 hexadecimal digits"))?;
    let lines = recipe_lines(app, Range::default()).await?;
    let all = lines.len();
    let Some(line) = lines.iter().find(|line| line.row.recipe_id == id) else {
        return Err(missing("no recipe of this id was announced or used here"));
    };
    let parsed = Recipe::parse(&line.toml).ok();
    let anchor = lines.iter().find(|line| line.row.anchor);
    let anchor = anchor.and_then(|line| Recipe::parse(&line.toml).ok());
    let known = all_duels(app).await?;
    let took_part = |duel: &&Arc<DuelView>| duel.challenger == id || duel.champion == Some(id);
    let duels: Vec<Arc<DuelView>> = known.list.iter().filter(took_part).cloned().collect();
    let name = number::clean_to(&line.name(), 60);
    let body = html! {
        (title(line, &name))
        (figures(line, all))
        section.grid.c2 data-part="what" { (steps(parsed.as_ref())) (against_anchor(line, parsed.as_ref(), anchor.as_ref())) }
        section.grid.c21 data-part="text" { (text(line)) (card(line, parsed.as_ref())) }
        section.panel data-part="duels" { (super::duel::table(&duels, &lines)) }
    };
    Ok(Page::new(&format!("{name} · Recipes"), body)
        .section("/leaderboard/miners")
        .card(super::card::of_recipe(&id))
        .about("Definition, fineness, use and duels of one recipe.")
        .live("duel,release,round"))
}

fn title(line: &RecipeLine, name: &str) -> Markup {
    let row = &line.row;
    html! {
        (part::crumbs(&[("/leaderboard/miners", "Leaderboard"), ("/leaderboard/recipes", "Recipes")], &number::digest(&row.recipe_id.to_string())))
        section.title {
            div {
                p.over {
                    (part::pill(if row.anchor || row.place() == Some(1) { "crown" } else { "nil" }, line.state()))
                    @if let Some(author) = &row.author { " " span.small.muted { "by " a href=(format!("/miners/{}", author.to_ss58())) { (number::key(author)) } } }
                }
                h1 { (name) }
            }
            span.sp {}
            div.titlestamp {
                (part::hallmark(row.fineness.as_ref().map(|found| found.value), 148))
                div.two.small {
                    @if let Some(found) = &row.fineness {
                        b { (format!("± {:.1} ‰", (found.high - found.low) / 2.0)) }
                        small { "lower end " (format!("{:.0}", found.low)) }
                        small { (number::clean_to(&found.profile, 24)) ", " (found.seeds) " seeds" }
                    } @else { b { "not measured" } small { "needs a duel" } }
                }
            }
            div.row {
                a.btn href=(format!("/compare?r={}", row.recipe_id)) { "Compare" }
                a.btn href=(format!("/v1/recipes/{}", row.recipe_id)) { "JSON" }
            }
        }
    }
}

fn figures(line: &RecipeLine, all: usize) -> Markup {
    let row = &line.row;
    html! {
        dl.grid.c5.kpis data-part="figures" {
            (part::kpi("g", "Rank", html! { (row.rank) }, html! { "of " (all) ", by the lower end" }))
            (part::kpi("v", "Used in", html! { @if let Some(share) = line.share { (number::percent(share)) } @else { "–" } }, html! { "of verified units, 7 d" }))
            (part::kpi("", "Miners", html! { (row.miners) }, html! { "in their newest manifest" }))
            (part::kpi("", "Tokens", html! { (number::short(row.tokens)) }, html! { (number::grouped(row.units)) " verified units" }))
            (part::kpi("", "Duels", html! { (row.duels) }, html! { "every attempt is shown" }))
        }
    }
}

fn steps(parsed: Option<&Recipe>) -> Markup {
    html! {
        div.panel {
            (part::data_head("What it does", html! { @if let Some(recipe) = parsed { (recipe.steps.len()) " steps" } @else { "text not here" } }))
            @if let Some(recipe) = parsed {
                ol.steps {
                    li { span { b { "Read" } small { "responses of archives: HTTP body, characters, DOM" } } span {} }
                    li { span { b { "Extract" } small { (format!("{:?}", recipe.extract.profile).to_lowercase()) " profile: main text without navigation" } } span {} }
                    @for step in &recipe.steps {
                        li { span { b { (words(step.kind())) } small { a href=(format!("/docs/filters#{}", step.kind())) { "thresholds and examples" } } } span.mono.small { (step.kind()) } }
                    }
                }
            } @else {
                (part::empty("Announced, not published", "The chain has its id. Anybody may hand in the text: its BLAKE3 is the id.", Some(("/api", "POST /v1/recipes/{id}"))))
            }
        }
    }
}

/// A step's kind as words.
fn words(kind: &str) -> String {
    let text = kind.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn against_anchor(line: &RecipeLine, parsed: Option<&Recipe>, anchor: Option<&Recipe>) -> Markup {
    let (anchor_name, changes) = match (anchor, parsed) {
        (Some(anchor), Some(parsed)) => (anchor.name.as_str(), recipe::diff(anchor, parsed)),
        (anchor, _) => (anchor.map_or("", |anchor| anchor.name.as_str()), Vec::new()),
    };
    html! {
        div.panel {
            (part::data_head("Against the anchor", html! { (number::clean_to(anchor_name, 30)) }))
            @if line.row.anchor {
                (part::empty("This is the anchor", "The frozen recipe that fineness, gain and the floor of pay are measured against.", Some(("/docs/filters", "Its filters"))))
            } @else if parsed.is_none() || anchor.is_none() {
                (part::empty("Nothing to compare", "The text of the recipe or of the anchor is not here.", None))
            } @else if changes.is_empty() {
                (part::empty("The same steps and thresholds", "Only name, version or licence differ.", None))
            } @else {
                (part::scroll("Changes", html! {
                    table.changes {
                        caption.vh { "What differs from the anchor" }
                        thead { tr { th scope="col" { "Key" } th scope="col" { "Anchor" } th scope="col" { "Here" } } }
                        tbody {
                            @for change in changes.iter().take(40) {
                                tr { td.mono { (number::clean(&change.path)) } td.mono { (side(change.from.as_deref())) } td.mono { (side(change.to.as_deref())) } }
                            }
                        }
                    }
                }))
                @if changes.len() > 40 { p.note { (changes.len() - 40) " more" } }
            }
        }
    }
}

fn side(text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { (number::clean_to(text, 60)) } @else { "–" } }
}

fn text(line: &RecipeLine) -> Markup {
    html! {
        div.panel {
            (part::data_head("Canonical text", html! { "TOML, " (line.toml.lines().count()) " lines" }))
            @if line.toml.is_empty() { (part::empty("Not here", "Only the id was announced.", None)) }
            @else { pre tabindex="0" aria-label="Canonical TOML of the recipe" { (line.toml.chars().take(TOML_CHARS_MAX).collect::<String>()) } }
        }
    }
}

/// What a crowned recipe earns its author.
fn throne(standing: &RecipeStanding) -> Markup {
    html! {
        dt { "Throne" } dd {
            @match standing.place {
                Some(1) => "champion",
                Some(_) => "active as a former champion",
                None => "former champion",
            }
            " since round " a href=(format!("/rounds/{}", standing.since.0)) { (number::grouped(u64::from(standing.since.0))) }
        }
        dt { "Gain" } dd { @if let Some(gain) = standing.gain { (format!("pay × {gain:.3}")) } @else { "not measured" } }
        dt { "Use" } dd { (number::percent(standing.used)) " of the newest round's production" }
        dt { "Royalty" } dd { (number::percent(standing.royalty)) " of the innovation lane" }
    }
}

fn card(line: &RecipeLine, parsed: Option<&Recipe>) -> Markup {
    let row = &line.row;
    html! {
        div.stack {
            div.panel {
                (part::data_head("Card", html! { "content-addressed" }))
                dl.facts {
                    dt { "Recipe id" } dd { (row.recipe_id) }
                    @if let Some(recipe) = parsed {
                        dt { "Version" } dd { (number::clean_to(&recipe.version, 24)) }
                        dt { "Engine" } dd { (number::clean_to(&recipe.engine, 40)) }
                        dt { "Licence" } dd { (number::clean_to(&recipe.licence, 60)) }
                        dt { "Artifacts" } dd { (recipe.artifacts.len()) }
                    }
                    @if let Some(standing) = &row.standing { (throne(standing)) }
                    dt { "Committed" } dd { @if row.author.is_none() { (line.origin()) } @else { "block " (number::grouped(u64::from(row.block.0))) } }
                }
            }
            (part::terminal("Commands with this recipe", &[
                ("$", "assay recipe list"),
                ("$", "assay refine in.warc.gz --out data \\\n    --recipe recipe.toml"),
            ]))
        }
    }
}
