//! The corpus index: what is work, where it lies, and what became of each unit.

use super::extract::{PageQuery, PathOf, QueryOf};
use crate::app::App;
use crate::failure::Failure;
use crate::store;
use assay_mechanism::assign::is_reserved;
use assay_types::api::{Answer, CorpusView, Problem, ProblemKind, Source, UnitView};
use assay_types::{UnitId, WorkUnit};
use axum::Json;
use axum::extract::State;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Corpora in the order of their units
#[utoipa::path(get, path = "/v1/corpora", tag = "corpus",
    responses((status = 200, body = Answer<Vec<CorpusView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn corpora(State(app): State<Arc<App>>) -> Result<Json<Answer<Vec<CorpusView>>>, Failure> {
    let corpora = store::corpora(app.database().readers()).await?;
    Ok(Json(app.answer(Source::Observed, corpora)))
}

/// How units are told apart.
struct Fates {
    cursor: u64,
    queue: BTreeMap<UnitId, store::UnitRecord>,
    reserve_mod: u64,
}

impl Fates {
    async fn read(app: &App) -> Result<Self, Failure> {
        let readers = app.database().readers();
        let newest = store::newest_round(readers).await?;
        let queue = store::queue_records(readers, "").await?;
        Ok(Self {
            cursor: newest.map_or(0, |round| round.next_cursor),
            queue: queue.into_iter().map(|record| (record.unit, record)).collect(),
            reserve_mod: app.params().values.reserve_mod,
        })
    }

    fn view(&self, position: u64, unit: WorkUnit) -> UnitView {
        let record = self.queue.get(&unit.unit_id);
        let state = match record {
            Some(record) => record.state.clone(),
            None if is_reserved(&unit.unit_id, self.reserve_mod) => "reserved".to_owned(),
            None if position < self.cursor => "assigned".to_owned(),
            None => "fresh".to_owned(),
        };
        UnitView {
            unit_id: unit.unit_id,
            position,
            source: unit.source,
            path: unit.path,
            bytes: unit.bytes,
            state,
            attempts: record.map_or(0, |record| record.attempts),
            failed: record
                .map(|record| record.failed.iter().copied().collect())
                .unwrap_or_default(),
        }
    }
}

/// Units in the order of the index
#[utoipa::path(get, path = "/v1/units", tag = "corpus", params(PageQuery),
    responses((status = 200, body = Answer<Vec<UnitView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn units(
    State(app): State<Arc<App>>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Answer<Vec<UnitView>>>, Failure> {
    let (limit, from) = (page.limit()?, page.position()?);
    let rows = store::corpus_units(app.database().readers(), from, limit).await?;
    let fates = Fates::read(&app).await?;
    let is_full = rows.len() as u64 == u64::from(limit);
    let next = rows
        .last()
        .filter(|_| is_full)
        .map(|(position, _)| (position + 1).to_string());
    let views = rows
        .into_iter()
        .map(|(position, unit)| fates.view(position, unit))
        .collect();
    Ok(Json(app.page(Source::Observed, views, next)))
}

/// One unit
#[utoipa::path(get, path = "/v1/units/{unit}", tag = "corpus", params(("unit" = UnitId, Path)),
    responses((status = 200, body = Answer<UnitView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn unit(
    State(app): State<Arc<App>>,
    PathOf(unit): PathOf<UnitId>,
) -> Result<Json<Answer<UnitView>>, Failure> {
    let found = store::unit(app.database().readers(), &unit).await?;
    let (position, found) = found
        .ok_or_else(|| Failure::new(ProblemKind::NotFound, "no corpus of this server holds the unit"))?;
    let view = Fates::read(&app).await?.view(position, found);
    Ok(Json(app.answer(Source::Observed, view)))
}

/// Units that failed too often
#[utoipa::path(get, path = "/v1/dead-letters", tag = "corpus",
    responses((status = 200, body = Answer<Vec<UnitView>>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn dead_letters(
    State(app): State<Arc<App>>,
) -> Result<Json<Answer<Vec<UnitView>>>, Failure> {
    let readers = app.database().readers();
    let fates = Fates::read(&app).await?;
    let mut views = Vec::new();
    for record in store::dead_letters(readers).await? {
        if let Some((position, unit)) = store::unit(readers, &record.unit).await? {
            views.push(fates.view(position, unit));
        }
    }
    Ok(Json(app.answer(Source::Derived, views)))
}
