//! Leaderboards: miners, recipes, validators, datasets as tables with filter, order, columns and pages, or as CSV and JSON.

mod cells;
mod table;

use super::{Asked, Stop, answer, file, missing, number};
use crate::app::App;
use crate::board::{BoardRow, MinerLine, Range, RecipeLine, Select, csv, sorting};
use crate::failure::Failure;
use crate::web::answer::redirect;
use assay_types::BlockNumber;
use assay_types::api::{DatasetRow, ProblemKind, ValidatorRow};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::Markup;
use std::sync::Arc;

/// Rows of a page that may be asked for.
const PER: [usize; 4] = [25, 50, 100, 256];
/// Rows of a page.
const PER_DEFAULT: usize = 50;
/// Characters of what is wrong with a question: names of columns among them.
const WHY_CHARS_MAX: usize = 400;
/// Media type of CSV.
const CSV: &str = "text/csv; charset=utf-8; header=present";

/// Boards by name and words.
const BOARDS: [(&str, &str, &str); 4] = [
    (
        "miners",
        "Miners",
        "Miners are ranked by pay for verified work. Every validator computes the same bits from the same chain, so there is no interval here.",
    ),
    (
        "recipes",
        "Recipes",
        "Recipes are ranked by the lower end of the 95% interval of their fineness: 0 is unfiltered text of the same archives, 1000 is text of the evaluation domains themselves.",
    ),
    (
        "validators",
        "Validators",
        "Validators rebuild sampled records and report what they find. They are listed by stake; vtrust says how far their weights agree with the others'.",
    ),
    (
        "datasets",
        "Datasets",
        "Everything that was released, with where it comes from and how to load it. Every row can be recomputed from the archive bytes it names.",
    ),
];

/// What a request asks of a board.
#[derive(Debug)]
struct Query {
    select: Select,
    range: Range,
    at: Option<BlockNumber>,
}

impl Query {
    fn of<R: BoardRow>(asked: &Asked) -> Result<Self, String> {
        let number = |name: &str, default: usize| match asked.get(name) {
            "" => Ok(default),
            text => text.parse().map_err(|_| format!("`{name}` is a number")),
        };
        let (sort, is_descending) = sorting::<R>(asked.get("sort"), asked.get("dir"))
            .map_err(|why| number::clean_to(&why, WHY_CHARS_MAX))?;
        let per = number("per", PER_DEFAULT)?;
        if !PER.contains(&per) {
            return Err("`per` is 25, 50, 100 or 256".to_owned());
        }
        let range = match asked.get("t") {
            "" => Range::default(),
            name => Range::parse(name).ok_or("`t` is round, 24h, 7d or 30d")?,
        };
        let at = match asked.get("at") {
            "" => None,
            text => Some(BlockNumber(
                text.parse().map_err(|_| "`at` is a block number".to_owned())?,
            )),
        };
        Ok(Self {
            select: Select {
                q: asked.get("q").to_owned(),
                is_descending,
                sort,
                page: number("page", 1)?.max(1),
                per,
            },
            range,
            at,
        })
    }
}

/// The miners' board, also without its name.
pub(super) async fn miners(State(app): State<Arc<App>>, asked: Asked) -> Response {
    one(&app, &asked, "miners").await
}

/// Any board, as a page or with a suffix as a file.
pub(super) async fn page(State(app): State<Arc<App>>, Path(name): Path<String>, asked: Asked) -> Response {
    one(&app, &asked, &name).await
}

async fn one(app: &App, asked: &Asked, name: &str) -> Response {
    if let Some(board) = name.strip_suffix(".csv") {
        return file(app, asked, CSV, as_csv(app, asked, board)).await;
    }
    if let Some(board) = name.strip_suffix(".json") {
        let to = asked.with(&[]).replacen(".json", "", 1);
        let known = BOARDS.iter().any(|(name, _, _)| *name == board);
        return if known {
            redirect(StatusCode::SEE_OTHER, &format!("/v1{to}"))
        } else {
            Failure::from(ProblemKind::NotFound).into_response()
        };
    }
    answer(app, asked, async {
        match name {
            "miners" => table::render::<MinerLine>(app, asked).await,
            "recipes" => table::render::<RecipeLine>(app, asked).await,
            "validators" => table::render::<ValidatorRow>(app, asked).await,
            "datasets" => table::render::<DatasetRow>(app, asked).await,
            _ => Err(missing(
                "there are four boards: miners, recipes, validators, datasets",
            )),
        }
    })
    .await
}

/// A board with its cells.
trait Board: BoardRow + Send {
    /// Its name in addresses.
    const NAME: &'static str;

    /// Its rows.
    fn read(app: &App, query: &Query) -> impl Future<Output = Result<Vec<Self>, Stop>> + Send;

    /// What a cell shows; none where the plain value does.
    fn cell(&self, column: &str, shown: &Shown) -> Option<Markup>;

    /// Under what it is compared; none if it is not.
    fn pick(&self) -> Option<String>;

    /// What it is called.
    fn called(&self) -> String;
}

/// What all rows of a board are drawn against.
#[derive(Debug, Default, Clone)]
struct Shown {
    /// Least and greatest end of an interval.
    scale: (f64, f64),
    /// The anchor's fineness.
    anchor: Option<f64>,
    /// What of the miners' emission is paid to nobody, in words.
    burned: Option<String>,
}

async fn as_csv(app: &App, asked: &Asked, board: &str) -> Result<String, Stop> {
    match board {
        "miners" => csv_of::<MinerLine>(app, asked).await,
        "recipes" => csv_of::<RecipeLine>(app, asked).await,
        "validators" => csv_of::<ValidatorRow>(app, asked).await,
        "datasets" => csv_of::<DatasetRow>(app, asked).await,
        _ => Err(missing(
            "there are four boards: miners, recipes, validators, datasets",
        )),
    }
}

/// All rows that the filter leaves, in the order asked for.
async fn csv_of<R: Board>(app: &App, asked: &Asked) -> Result<String, Stop> {
    let mut query = Query::of::<R>(asked).map_err(|why| Failure::new(ProblemKind::Invalid, why))?;
    (query.select.page, query.select.per) = (1, usize::MAX);
    let rows = R::read(app, &query).await?;
    let selected = query
        .select
        .apply(rows)
        .map_err(|error| Failure::new(error.kind.problem(), error.to_string()))?;
    Ok(csv(&selected.rows))
}
