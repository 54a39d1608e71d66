//! Finding things by what people have at hand: hotkey, UID, recipe, unit, root, round, dataset, archive path.

use super::{MinerLine, Range, dataset_rows, miner_lines, recipe_lines};
use crate::app::App;
use crate::failure::Failure;
use crate::store;
use assay_types::api::SearchHit;
use assay_types::{Digest, Hotkey, Round, UnitId};

/// Longest text searched for, bytes.
pub(crate) const SEARCH_BYTES_MAX: usize = 256;
/// Most results.
const HITS_MAX: usize = 50;
/// Archive paths looked up.
const PATHS_MAX: u32 = 10;

/// A thing found.
fn hit(kind: &str, title: String, detail: &str, path: String, exact: bool) -> SearchHit {
    SearchHit {
        kind: kind.to_owned(),
        title,
        detail: detail.to_owned(),
        path,
        exact,
    }
}

/// What a text names, exact ones first.
pub(crate) async fn search(app: &App, text: &str) -> Result<Vec<SearchHit>, Failure> {
    let text: String = text.trim().chars().take(SEARCH_BYTES_MAX).collect();
    if text.is_empty() || text.contains('\0') {
        return Ok(Vec::new());
    }
    let mut hits = Vec::new();
    people(app, &text, &mut hits).await?;
    evidence(app, &text, &mut hits).await?;
    released(app, &text, &mut hits).await?;
    for (name, title) in crate::web::search_docs(&text) {
        hits.push(hit(
            "docs",
            title,
            "documentation",
            format!("/docs/{name}"),
            false,
        ));
    }
    hits.sort_by_key(|hit| !hit.exact);
    hits.truncate(HITS_MAX);
    Ok(hits)
}

async fn people(app: &App, text: &str, hits: &mut Vec<SearchHit>) -> Result<(), Failure> {
    let lower = text.to_lowercase();
    let key = Hotkey::from_ss58(text).ok().or_else(|| text.parse().ok());
    let lines = match miner_lines(app, None, Range::default()).await {
        Ok(lines) => lines,
        Err(failure) if failure.problem.code == "server/not-ready" => std::sync::Arc::default(),
        Err(failure) => return Err(failure),
    };
    let names = |line: &MinerLine| {
        let ss58 = line.row.hotkey.to_ss58();
        let is_uid = text.parse::<u16>().is_ok_and(|uid| uid == line.row.uid.0);
        let is_exact = key == Some(line.row.hotkey);
        let begins = text.len() >= 3
            && (ss58.to_lowercase().starts_with(&lower) || line.row.hotkey.to_string().starts_with(&lower));
        (is_exact || is_uid || begins).then_some((ss58, is_exact || is_uid))
    };
    for line in lines.iter() {
        if let Some((ss58, exact)) = names(line) {
            let detail = format!("miner, UID {}, {}", line.row.uid.0, line.state.to_lowercase());
            hits.push(hit(
                "miner",
                ss58.clone(),
                &detail,
                format!("/miners/{ss58}"),
                exact,
            ));
        }
    }
    let view = app.view();
    let validators = view
        .metagraph
        .iter()
        .flat_map(|metagraph| &metagraph.neurons)
        .filter(|neuron| neuron.permit);
    for neuron in validators {
        let ss58 = neuron.hotkey.to_ss58();
        let is_listed = lines.iter().any(|line| line.row.hotkey == neuron.hotkey);
        let is_uid = text.parse::<u16>().is_ok_and(|uid| uid == neuron.uid.0) && !is_listed;
        let is_exact = (key == Some(neuron.hotkey) && !is_listed) || is_uid;
        if is_exact
            || key == Some(neuron.hotkey)
            || (text.len() >= 3 && ss58.to_lowercase().starts_with(&lower))
        {
            let detail = format!("validator, UID {}", neuron.uid.0);
            hits.push(hit(
                "validator",
                ss58.clone(),
                &detail,
                format!("/validators/{ss58}"),
                is_exact,
            ));
        }
    }
    Ok(())
}

async fn evidence(app: &App, text: &str, hits: &mut Vec<SearchHit>) -> Result<(), Failure> {
    let readers = app.database().readers();
    let number = text.strip_prefix("round ").unwrap_or(text).trim();
    if let Ok(round) = number.parse::<u32>()
        && store::round_row(readers, Round(round)).await?.is_some()
    {
        let exact = text.starts_with("round ");
        hits.push(hit(
            "round",
            format!("Round {round}"),
            "assignments and verdicts",
            format!("/rounds/{round}"),
            exact,
        ));
    }
    if let Ok(root) = text.parse::<Digest>()
        && let Some(found) = store::submission(readers, &root).await?
    {
        let detail = format!("submission of round {}", found.round.0);
        hits.push(hit(
            "submission",
            root.to_string(),
            &detail,
            format!("/submissions/{root}"),
            true,
        ));
    }
    if let Ok(id) = text.parse::<UnitId>()
        && let Some((_, unit)) = store::unit(readers, &id).await?
    {
        hits.push(hit(
            "unit",
            unit.path,
            "archive of the corpus",
            format!("/records/{id}/0"),
            true,
        ));
    } else if text.len() >= 4 {
        for (id, path) in store::units_by_path(readers, text, PATHS_MAX).await? {
            let exact = path == text;
            hits.push(hit(
                "unit",
                path,
                "archive of the corpus",
                format!("/records/{id}/0"),
                exact,
            ));
        }
    }
    Ok(())
}

async fn released(app: &App, text: &str, hits: &mut Vec<SearchHit>) -> Result<(), Failure> {
    let lower = text.to_lowercase();
    for line in recipe_lines(app, Range::default()).await? {
        let id = line.row.recipe_id.to_string();
        let is_exact = id == lower || line.row.name.to_lowercase() == lower;
        let has = !line.row.name.is_empty() && line.row.name.to_lowercase().contains(&lower);
        if is_exact || has || (lower.len() >= 4 && id.starts_with(&lower)) {
            hits.push(hit(
                "recipe",
                line.name(),
                line.state(),
                format!("/recipes/{id}"),
                is_exact,
            ));
        }
    }
    for row in dataset_rows(app).await? {
        if row.name.to_lowercase().contains(&lower) {
            let detail = format!("dataset, release {}", row.release);
            let path = format!("/datasets/{}", crate::web::encode(&row.name));
            let exact = row.name.to_lowercase() == lower;
            hits.push(hit("dataset", row.name, &detail, path, exact));
        }
    }
    Ok(())
}
