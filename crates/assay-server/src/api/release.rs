//! Recipes, duels and datasets.

use super::extract::{PageQuery, PathOf, QueryOf, SignedRequest, encode};
use crate::app::App;
use crate::board::{active, all_duels};
use crate::failure::Failure;
use crate::store::{self, AddRecipeText};
use assay_types::api::{
    Answer, DatasetView, DuelList, DuelView, Problem, ProblemKind, Receipt, RecipeView, Source,
};
use assay_types::{DuelId, Recipe, RecipeId};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Recipes by id
#[utoipa::path(get, path = "/v1/recipes", tag = "releases", params(PageQuery),
    responses((status = 200, body = Answer<Vec<RecipeView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn recipes(
    State(app): State<Arc<App>>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Answer<Vec<RecipeView>>>, Failure> {
    let (limit, after) = (page.limit()?, page.key()?);
    let mut rows = store::recipes(app.database().readers(), after, limit).await?;
    let is_full = rows.len() as u64 == u64::from(limit);
    let next = rows
        .last()
        .filter(|_| is_full)
        .map(|row| row.recipe_id.to_string());
    let active = active(&app).await?;
    for row in &mut rows {
        row.active = active.contains(&row.recipe_id);
    }
    Ok(Json(app.page(Source::Observed, rows, next)))
}

/// One recipe
#[utoipa::path(get, path = "/v1/recipes/{id}", tag = "releases", params(("id" = RecipeId, Path)),
    responses((status = 200, body = Answer<RecipeView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn recipe(
    State(app): State<Arc<App>>,
    PathOf(id): PathOf<RecipeId>,
) -> Result<Json<Answer<RecipeView>>, Failure> {
    let found = store::recipe(app.database().readers(), &id).await?;
    let mut found =
        found.ok_or_else(|| Failure::new(ProblemKind::NotFound, "no recipe of this id was announced"))?;
    found.active = active(&app).await?.contains(&id);
    Ok(Json(app.answer(Source::Observed, found)))
}

/// The text of a recipe.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecipeText {
    /// Canonical TOML.
    toml: String,
}

/// Hand in the text of a recipe
///
/// Its BLAKE3 is the id, so anybody registered may.
#[utoipa::path(post, path = "/v1/recipes/{id}", tag = "releases", security(("btauth" = [])),
    params(("id" = RecipeId, Path)), request_body = RecipeText,
    responses((status = 200, body = Answer<Receipt>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn put_recipe(
    PathOf(id): PathOf<RecipeId>,
    request: SignedRequest,
) -> Result<Response, Failure> {
    let RecipeText { toml } = request.json()?;
    let refuse = |why: String| Failure::new(ProblemKind::RecipeInvalid, why);
    let recipe =
        Recipe::parse_canonical(&toml).map_err(|error| refuse(super::submission::chain_of(&error)))?;
    if recipe.id() != id {
        return Err(refuse(format!("the text is recipe `{}`", recipe.id())));
    }
    let known = store::recipe(request.app.database().readers(), &id).await?;
    if known.is_none() {
        return Err(Failure::new(
            ProblemKind::NotFound,
            "no recipe of this id was announced on the chain",
        ));
    }
    let write = AddRecipeText {
        recipe_id: id,
        author: None,
        toml,
        now_ms: request.app.clock().now_ms(),
    };
    let sequence = request.write(write).await?;
    request.answer(Receipt {
        digest: id.0,
        sequence,
        known: sequence == 0,
    })
}

/// Duels between registered recipes, with every reported cell
#[utoipa::path(get, path = "/v1/duels", tag = "releases",
    responses((status = 200, body = Answer<DuelList>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn duels(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    app.cache
        .answer("/v1/duels", &headers, async {
            encode(&app.answer(Source::Observed, all_duels(&app).await?.to_list()))
        })
        .await
}

/// One duel
///
/// Its id is the same on every server and stays whatever is reported later. Numbers, as in old links, name none.
#[utoipa::path(get, path = "/v1/duels/{id}", tag = "releases", params(("id" = DuelId, Path)),
    responses((status = 200, body = Answer<DuelView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn duel(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    PathOf(id): PathOf<String>,
) -> Result<Response, Failure> {
    let id: DuelId = id.parse().map_err(|_| {
        Failure::new(
            ProblemKind::NotFound,
            "a duel is named by 32 hexadecimal digits; `/v1/duels` lists them",
        )
    })?;
    app.cache
        .answer(&format!("/v1/duels/{id}"), &headers, async {
            let duels = all_duels(&app).await?;
            let found = duels.list.iter().find(|duel| duel.id == id);
            let found = found.ok_or_else(|| {
                Failure::new(
                    ProblemKind::NotFound,
                    "no public duel of registered recipes has this id; `/v1/duels` lists them",
                )
            })?;
            encode(&app.answer(Source::Observed, found.as_ref().clone()))
        })
        .await
}

/// Datasets that can be used
#[utoipa::path(get, path = "/v1/datasets", tag = "releases",
    responses((status = 200, body = Answer<Vec<DatasetView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn datasets(State(app): State<Arc<App>>) -> Result<Json<Answer<Vec<DatasetView>>>, Failure> {
    let datasets = store::datasets(app.database().readers(), "").await?;
    Ok(Json(app.answer(Source::Observed, datasets)))
}

/// The releases of a dataset
#[utoipa::path(get, path = "/v1/datasets/{name}", tag = "releases", params(("name" = String, Path)),
    responses((status = 200, body = Answer<Vec<DatasetView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn dataset(
    State(app): State<Arc<App>>,
    PathOf(name): PathOf<String>,
) -> Result<Json<Answer<Vec<DatasetView>>>, Failure> {
    if name.is_empty() || name.contains('\0') {
        return Err(Failure::new(
            ProblemKind::Invalid,
            "`name` is no name of a dataset",
        ));
    }
    let releases = store::datasets(app.database().readers(), &name).await?;
    if releases.is_empty() {
        return Err(Failure::new(ProblemKind::NotFound, "no dataset has this name"));
    }
    Ok(Json(app.answer(Source::Observed, releases)))
}
