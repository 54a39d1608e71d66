//! Boards: miners, recipes, validators and datasets, filtered, sorted and cut; one miner, one validator.

use super::extract::{PageQuery, PathOf, QueryOf, encode};
use crate::app::App;
use crate::board::{
    BoardRow, Range, Select, dataset_rows, miner_lines, recipe_lines, result, sorting, validator_rows,
};
use crate::failure::Failure;
use crate::store;
use assay_types::api::{
    Answer, DatasetRow, MinerRow, MinerView, Problem, ProblemKind, RecipeRow, RoundResult, Source,
    ValidatorRow,
};
use assay_types::{BlockNumber, Hotkey};
use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Rounds shown on a miner's page.
const ROUNDS_SHOWN: u32 = 140;

/// What is asked of a board, besides its page.
#[derive(Debug, Clone, Deserialize, IntoParams)]
pub(crate) struct BoardQuery {
    /// Filter (docs/website.md), at most 256 bytes.
    q: Option<String>,
    /// Column to sort by; the board's own order if not given.
    sort: Option<String>,
    /// `asc` or `desc`; greatest first if not given.
    dir: Option<String>,
    /// Rounds that figures are summed over: `round`, `24h`, `7d` or `30d`.
    t: Option<String>,
    /// State effective at this block; the newest if not given.
    at: Option<BlockNumber>,
}

impl BoardQuery {
    fn range(&self) -> Result<Range, Failure> {
        let name = self.t.as_deref().unwrap_or(Range::default().name());
        Range::parse(name).ok_or_else(|| Failure::new(ProblemKind::Invalid, "`t` is round, 24h, 7d or 30d"))
    }

    /// The rows that are asked for, in their order, not yet cut.
    fn apply<R: BoardRow>(&self, rows: Vec<R>) -> Result<Vec<R>, Failure> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (sort, is_descending) = sorting::<R>(&text(&self.sort), &text(&self.dir))
            .map_err(|why| Failure::new(ProblemKind::Invalid, why))?;
        let select = Select {
            q: text(&self.q),
            sort,
            is_descending,
            page: 1,
            per: usize::MAX,
        };
        let selected = select.apply(rows).map_err(|error| {
            let nearest = error.nearest.map(|name| format!("; did you mean `{name}`?"));
            Failure::new(
                error.kind.problem(),
                format!("{error}{}", nearest.unwrap_or_default()),
            )
        })?;
        Ok(selected.rows)
    }
}

/// A page of rows and the cursor of the next.
fn cut<T: Clone>(rows: &[T], page: &PageQuery) -> Result<(Vec<T>, Option<String>), Failure> {
    let (limit, from) = (
        page.limit()? as usize,
        usize::try_from(page.position()?).unwrap_or(usize::MAX),
    );
    let shown: Vec<T> = rows.iter().skip(from).take(limit).cloned().collect();
    let end = from.saturating_add(shown.len());
    Ok((shown, (end < rows.len()).then(|| end.to_string())))
}

/// Miners by incentive
#[utoipa::path(get, path = "/v1/leaderboard/miners", tag = "boards", params(BoardQuery, PageQuery),
    responses((status = 200, body = Answer<Vec<MinerRow>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn miners(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    QueryOf(query): QueryOf<BoardQuery>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&uri.to_string(), &headers, async {
            let lines = query.apply(
                miner_lines(&app, query.at, query.range()?)
                    .await?
                    .as_ref()
                    .clone(),
            )?;
            let rows: Vec<MinerRow> = lines.into_iter().map(|line| line.row).collect();
            let (shown, next) = cut(&rows, &page)?;
            encode(&app.page(Source::Derived, shown, next))
        })
        .await
}

/// One miner with its rounds
#[utoipa::path(get, path = "/v1/miners/{hotkey}", tag = "boards", params(("hotkey" = Hotkey, Path)),
    responses((status = 200, body = Answer<MinerView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn miner(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    PathOf(hotkey): PathOf<Hotkey>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&format!("/v1/miners/{hotkey}"), &headers, async {
            let lines = miner_lines(&app, None, Range::default()).await?;
            let row = lines.iter().find(|line| line.row.hotkey == hotkey);
            let row = row.map(|line| line.row.clone());
            let row =
                row.ok_or_else(|| Failure::new(ProblemKind::NotFound, "no neuron has this hotkey now"))?;
            let verdicts = store::verdicts(app.database().readers(), &hotkey, ROUNDS_SHOWN).await?;
            let view = MinerView {
                row,
                rounds: verdicts.iter().map(result).collect(),
            };
            encode(&app.answer(Source::Derived, view))
        })
        .await
}

/// Rounds of a miner, newest first
#[utoipa::path(get, path = "/v1/miners/{hotkey}/rounds", tag = "boards", params(("hotkey" = Hotkey, Path)),
    responses((status = 200, body = Answer<Vec<RoundResult>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn miner_rounds(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    PathOf(hotkey): PathOf<Hotkey>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&format!("/v1/miners/{hotkey}/rounds"), &headers, async {
            let verdicts = store::verdicts(app.database().readers(), &hotkey, ROUNDS_SHOWN).await?;
            let results: Vec<RoundResult> = verdicts.iter().map(result).collect();
            encode(&app.answer(Source::Derived, results))
        })
        .await
}

/// Validators by stake
#[utoipa::path(get, path = "/v1/leaderboard/validators", tag = "boards", params(BoardQuery, PageQuery),
    responses((status = 200, body = Answer<Vec<ValidatorRow>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn validators(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    QueryOf(query): QueryOf<BoardQuery>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&uri.to_string(), &headers, async {
            let (shown, next) = cut(&query.apply(validator_rows(&app).await?)?, &page)?;
            encode(&app.page(Source::Observed, shown, next))
        })
        .await
}

/// One validator
#[utoipa::path(get, path = "/v1/validators/{hotkey}", tag = "boards", params(("hotkey" = Hotkey, Path)),
    responses((status = 200, body = Answer<ValidatorRow>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn validator(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    PathOf(hotkey): PathOf<Hotkey>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&format!("/v1/validators/{hotkey}"), &headers, async {
            let row = validator_rows(&app)
                .await?
                .into_iter()
                .find(|row| row.hotkey == hotkey);
            let row = row.ok_or_else(|| {
                Failure::new(
                    ProblemKind::NotFound,
                    "no validator with a permit has this hotkey",
                )
            })?;
            encode(&app.answer(Source::Observed, row))
        })
        .await
}

/// Recipes by the lower end of their fineness
#[utoipa::path(get, path = "/v1/leaderboard/recipes", tag = "boards", params(BoardQuery, PageQuery),
    responses((status = 200, body = Answer<Vec<RecipeRow>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn recipes(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    QueryOf(query): QueryOf<BoardQuery>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&uri.to_string(), &headers, async {
            let lines = query.apply(recipe_lines(&app, query.range()?).await?)?;
            let rows: Vec<RecipeRow> = lines.into_iter().map(|line| line.row).collect();
            let (shown, next) = cut(&rows, &page)?;
            encode(&app.page(Source::Modelled, shown, next))
        })
        .await
}

/// Datasets by tokens
#[utoipa::path(get, path = "/v1/leaderboard/datasets", tag = "boards", params(BoardQuery, PageQuery),
    responses((status = 200, body = Answer<Vec<DatasetRow>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn datasets(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    QueryOf(query): QueryOf<BoardQuery>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Response, Failure> {
    app.cache
        .answer(&uri.to_string(), &headers, async {
            let (shown, next) = cut(&query.apply(dataset_rows(&app).await?)?, &page)?;
            encode(&app.page(Source::Observed, shown, next))
        })
        .await
}
