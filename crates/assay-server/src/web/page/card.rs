//! Pictures for links on other sites: the front page, a miner, a recipe, a dataset.

use super::overview::{Work, work};
use super::{Asked, Stop, file, hotkey, missing, number};
use crate::app::App;
use crate::board::{Range, miner_lines, recipe_lines, validator_rows};
use crate::store;
use crate::web::asked::{decode, encode};
use crate::web::card::{Card, draw};
use assay_types::{Hotkey, RecipeId};
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

/// Media type of a card.
const PNG: &str = "image/png";
/// Characters of a text from outside that are drawn.
const TEXT_CHARS_MAX: usize = 80;

/// Address of the front page's card.
pub(super) const OVERVIEW: &str = "/cards/overview.png";

/// Address of a miner's card.
pub(super) fn of_miner(hotkey: &Hotkey) -> String {
    format!("/cards/miners/{}.png", hotkey.to_ss58())
}

/// Address of a recipe's card.
pub(super) fn of_recipe(id: &RecipeId) -> String {
    format!("/cards/recipes/{id}.png")
}

/// Address of a dataset's card.
pub(super) fn of_dataset(name: &str) -> String {
    format!("/cards/datasets/{}.png", encode(name))
}

/// The front page's card.
pub(super) async fn overview(State(app): State<Arc<App>>, asked: Asked) -> Response {
    file(&app, &asked, PNG, async {
        drawn(overview_card(&app).await?).await
    })
    .await
}

/// A miner's card.
pub(super) async fn miner(State(app): State<Arc<App>>, Path(name): Path<String>, asked: Asked) -> Response {
    file(&app, &asked, PNG, async {
        drawn(miner_card(&app, stem(&name)?).await?).await
    })
    .await
}

/// A recipe's card.
pub(super) async fn recipe(State(app): State<Arc<App>>, Path(name): Path<String>, asked: Asked) -> Response {
    file(&app, &asked, PNG, async {
        drawn(recipe_card(&app, stem(&name)?).await?).await
    })
    .await
}

/// A dataset's card.
pub(super) async fn dataset(State(app): State<Arc<App>>, Path(name): Path<String>, asked: Asked) -> Response {
    file(&app, &asked, PNG, async {
        drawn(dataset_card(&app, stem(&name)?).await?).await
    })
    .await
}

fn stem(name: &str) -> Result<&str, Stop> {
    name.strip_suffix(".png")
        .ok_or_else(|| missing("cards end with .png"))
}

/// Drawing takes some ten milliseconds: not on a thread that answers.
async fn drawn(card: Card) -> Result<Vec<u8>, Stop> {
    let png = tokio::task::spawn_blocking(move || draw(&card)).await;
    png.ok().filter(|png| !png.is_empty()).ok_or_else(|| {
        Stop::Failed(crate::failure::Failure::from(
            assay_types::api::ProblemKind::Internal,
        ))
    })
}

/// The line under every card.
fn foot(app: &App) -> String {
    let view = app.view();
    let netuid = app.identity().netuid;
    match view.head {
        Some(_) => format!(
            "subnet {netuid}, block {}",
            number::grouped(u64::from(view.block().0))
        ),
        None => format!("subnet {netuid}, no block read yet"),
    }
}

fn text(words: &str) -> String {
    number::clean_to(words, TEXT_CHARS_MAX)
}

async fn overview_card(app: &App) -> Result<Card, Stop> {
    let Work { passed, .. } = work(app).await?;
    let recipes = recipe_lines(app, Range::default()).await?;
    let best = recipes.iter().find_map(|line| line.row.fineness.as_ref());
    let mut figures = vec![
        ("Verified tokens", number::short(passed.tokens)),
        ("Units passed", number::grouped(passed.units)),
    ];
    if app.view().metagraph.is_some() {
        let miners = miner_lines(app, None, Range::default()).await?.len();
        figures.push(("Miners", miners.to_string()));
        figures.push(("Validators", validator_rows(app).await?.len().to_string()));
    }
    Ok(Card {
        kind: "Bittensor subnet".to_owned(),
        title: "Raw web in. Fine text out.".to_owned(),
        about: "LLM pre-training data that anybody can recompute".to_owned(),
        figures,
        fineness: best.map(|found| found.value),
        foot: foot(app),
    })
}

async fn miner_card(app: &App, key: &str) -> Result<Card, Stop> {
    let key = hotkey(key)?;
    let lines = miner_lines(app, None, Range::default()).await?;
    let line = lines
        .iter()
        .find(|line| line.row.hotkey == key)
        .ok_or_else(|| missing("no miner has this hotkey now"))?;
    let verified =
        |shown: fn(&store::WorkSum) -> String| line.verified.as_ref().map_or("unknown".to_owned(), shown);
    Ok(Card {
        kind: format!("Miner, UID {}", line.row.uid.0),
        title: number::key(&key),
        about: text(&line.state),
        figures: vec![
            ("Rank", format!("{} of {}", line.row.rank, lines.len())),
            ("Pay share", number::percent(line.share)),
            ("Tokens, 7 d", verified(|sum| number::short(sum.tokens))),
            ("Credibility", format!("{:.3}", line.credibility())),
        ],
        fineness: None,
        foot: foot(app),
    })
}

async fn recipe_card(app: &App, id: &str) -> Result<Card, Stop> {
    let id: RecipeId = id
        .parse()
        .map_err(|_| missing("a recipe is named by 64 hexadecimal digits"))?;
    let lines = recipe_lines(app, Range::default()).await?;
    let line = lines
        .iter()
        .find(|line| line.row.recipe_id == id)
        .ok_or_else(|| missing("no recipe of this id was announced or used here"))?;
    let row = &line.row;
    let interval = row.fineness.as_ref().map_or("not measured".to_owned(), |found| {
        format!("± {:.1}", (found.high - found.low) / 2.0)
    });
    Ok(Card {
        kind: format!("Recipe, {}", line.state()),
        title: text(&line.name()),
        about: number::digest(&id.to_string()),
        figures: vec![
            ("Rank", format!("{} of {}", row.rank, lines.len())),
            ("95 % interval", interval),
            ("Tokens, 7 d", number::short(row.tokens)),
            ("Duels", row.duels.to_string()),
        ],
        fineness: row.fineness.as_ref().map(|found| found.value),
        foot: foot(app),
    })
}

async fn dataset_card(app: &App, name: &str) -> Result<Card, Stop> {
    let name = decode(&encode(name));
    let releases = store::datasets(app.database().readers(), &name).await?;
    let view = releases
        .last()
        .ok_or_else(|| missing("no dataset of this name was announced here"))?;
    Ok(Card {
        kind: "Dataset".to_owned(),
        title: text(&view.name),
        about: text(&view.description),
        figures: vec![
            ("Tokens", number::short(view.tokens)),
            ("Documents", number::short(view.documents)),
            ("Release", text(&view.release)),
            ("Licence", text(&view.licence)),
        ],
        fineness: None,
        foot: foot(app),
    })
}
