//! `assay recipe`: list, show, check, compare, make and submit recipes; take URL lists out of a wheel.

mod new;
mod submit;

use std::fmt::Write as _;
use std::path::Path;

use assay_agents::local::{LocalError, write_atomically};
use assay_refine::engine::Engine;
use assay_refine::report;
use assay_refine::url_lists::{UrlListKind, UrlLists};
use assay_types::recipe::{builtin, builtin_names, diff, fineweb_en_v1_lists};
use assay_types::{Recipe, Step};
use serde_json::json;

use crate::cli::RecipeCommand;
use crate::command::services::block_on;
use crate::console::Console;
use crate::exit::Status;
use crate::recipes;

pub(super) fn run(command: &RecipeCommand, console: &Console) -> anyhow::Result<Status> {
    match command {
        RecipeCommand::List => list(console),
        RecipeCommand::Show { recipe, url_lists } => show(recipe, url_lists.as_deref(), console),
        RecipeCommand::Check { file } => check(file, console),
        RecipeCommand::Diff { from, to, url_lists } => compare((from, to), url_lists.as_deref(), console),
        RecipeCommand::New(args) => new::run(args, console),
        RecipeCommand::Submit(args) => block_on(submit::run(args, console)),
        RecipeCommand::Lists { wheel, out } => lists(wheel, out, console),
    }
}

fn list(console: &Console) -> anyhow::Result<Status> {
    let recipes: Vec<Recipe> = builtin_names().into_iter().filter_map(builtin).collect();
    let kinds = |recipe: &Recipe| recipe.steps.iter().map(Step::kind).collect::<Vec<_>>().join(", ");
    let data: Vec<_> = recipes
        .iter()
        .map(|recipe| json!({ "name": recipe.name, "version": recipe.version, "id": recipe.id(), "steps": kinds(recipe) }))
        .collect();
    console.result("assay.recipe-list/1", &data, &[], || {
        let mut text = String::new();
        for recipe in &recipes {
            let _ = writeln!(text, "{:<22} {}  {}", recipe.name, recipe.id(), kinds(recipe));
        }
        let _ = writeln!(
            text,
            "{:<22} {:<64}  with URL lists of your own: `assay recipe lists`",
            recipes::LISTS_RECIPE,
            "(id depends on the lists)"
        );
        text
    })?;
    Ok(Status::Ok)
}

fn show(name: &str, url_lists: Option<&Path>, console: &Console) -> anyhow::Result<Status> {
    let (recipe, _) = recipes::recipe(name, url_lists)?;
    let canonical = recipe.to_canonical();
    let data = json!({ "name": recipe.name, "id": recipe.id(), "canonical": canonical });
    console.note(&format!("id {}", recipe.id()));
    console.result("assay.recipe/1", &data, &[], || canonical.clone())?;
    Ok(Status::Ok)
}

fn check(file: &Path, console: &Console) -> anyhow::Result<Status> {
    let text = recipes::read_recipe_text(file)?;
    let mut problems = Vec::new();
    let mut id = None;
    match Recipe::parse(&text) {
        Ok(recipe) => {
            id = Some(recipe.id());
            if recipe.to_canonical() != text {
                problems.push("not canonical: `assay recipe show FILE` prints the canonical form".to_owned());
            }
            // Missing artifacts are no fault of the recipe: they come with `--url-lists`.
            match Engine::new(recipe, &UrlLists::default()) {
                Ok(_) | Err(assay_refine::engine::EngineError::MissingArtifact { .. }) => {}
                Err(error) => problems.push(error.to_string()),
            }
        }
        Err(error) => problems.push(error.to_string()),
    }
    let ok = problems.is_empty();
    let data = json!({ "file": file, "id": id, "problems": problems });
    console.outcome("assay.recipe-check/1", ok, &data, || {
        let id = id.map(|id| format!("id {id}\n")).unwrap_or_default();
        if ok {
            format!("{id}valid and canonical\n")
        } else {
            format!("{id}{}\n", problems.join("\n"))
        }
    })?;
    Ok(if ok { Status::Ok } else { Status::CheckFailed })
}

fn compare((from, to): (&str, &str), url_lists: Option<&Path>, console: &Console) -> anyhow::Result<Status> {
    let (from, _) = recipes::recipe(from, url_lists)?;
    let (to, _) = recipes::recipe(to, url_lists)?;
    let changes = diff(&from, &to);
    let data: Vec<_> = changes
        .iter()
        .map(|change| json!({ "path": change.path, "from": change.from, "to": change.to }))
        .collect();
    console.result("assay.recipe-diff/1", &data, &[], || {
        let mut text = String::new();
        for change in &changes {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
            let _ = writeln!(
                text,
                "{}: {} → {}",
                change.path,
                shown(&change.from),
                shown(&change.to)
            );
        }
        if changes.is_empty() {
            "the same recipe\n".to_owned()
        } else {
            text
        }
    })?;
    Ok(Status::Ok)
}

fn lists(wheel: &Path, out: &Path, console: &Console) -> anyhow::Result<Status> {
    let lists = recipes::read_lists(wheel)?;
    fs_err::create_dir_all(out).map_err(LocalError::io(out))?;
    let recipe = fineweb_en_v1_lists(recipes::artifacts(&lists)?);
    let mut written = Vec::new();
    for kind in UrlListKind::ALL {
        let mut bytes = Vec::new();
        lists.write_artifact(kind, &mut bytes)?;
        let path = out.join(recipes::artifact_name(kind));
        write_atomically(&path, &bytes)?;
        written.push(json!({ "file": path, "entries": lists.len(kind), "bytes": bytes.len() }));
    }
    let path = out.join("recipe.toml");
    write_atomically(&path, recipe.to_canonical().as_bytes())?;
    let data = json!({ "recipe_id": recipe.id(), "recipe": path, "lists": written });
    console.result("assay.recipe-lists/1", &data, &[], || {
        let mut text = String::new();
        for kind in UrlListKind::ALL {
            let _ = writeln!(
                text,
                "{:>12}  {}",
                report::count(lists.len(kind) as u64),
                kind.name()
            );
        }
        let _ = writeln!(text, "recipe {} in {}", recipe.id(), path.display());
        text
    })?;
    Ok(Status::Ok)
}
