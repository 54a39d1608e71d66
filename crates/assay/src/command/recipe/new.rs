//! `assay recipe new`: a recipe made of another one by taking steps out and setting keys, in canonical form.

use std::path::Path;

use assay_agents::local::write_atomically;
use assay_types::Recipe;
use serde_json::json;

use crate::cli::RecipeNewArgs;
use crate::console::Console;
use crate::exit::{Status, UsageError};
use crate::recipes;

pub(super) fn run(args: &RecipeNewArgs, console: &Console) -> anyhow::Result<Status> {
    let (parent, _) = recipes::recipe(&args.from, args.url_lists.as_deref())?;
    let recipe = changed(&parent, args)?;
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| Path::new(&args.name).with_extension("toml"));
    if out.exists() && !args.force {
        let help = "give another file with --out, or --force";
        return Err(UsageError::new(format!("`{}` is there already", out.display()), help).into());
    }
    let canonical = recipe.to_canonical();
    write_atomically(&out, canonical.as_bytes())?;
    let data = json!({ "name": recipe.name, "id": recipe.id(), "parent": parent.id(), "file": out });
    console.result("assay.recipe-new/1", &data, &[], || {
        format!(
            "wrote {}\nid {}\n`assay recipe diff {} {}` shows the difference, `assay duel` what it is worth\n",
            out.display(),
            recipe.id(),
            args.from,
            out.display()
        )
    })?;
    Ok(Status::Ok)
}

/// The parent with its changes.
fn changed(parent: &Recipe, args: &RecipeNewArgs) -> anyhow::Result<Recipe> {
    let mut table: toml::Table = toml::from_str(&parent.to_canonical())?;
    table.insert("name".to_owned(), args.name.clone().into());
    for kind in &args.without {
        let steps = table.get_mut("step").and_then(toml::Value::as_array_mut);
        let before = steps.as_ref().map_or(0, |steps| steps.len());
        let left = steps.map_or(0, |steps| {
            steps.retain(|step| step.get("kind").and_then(toml::Value::as_str) != Some(kind));
            steps.len()
        });
        if left == before {
            let help = "`assay recipe show` lists the steps";
            return Err(UsageError::new(format!("`{}` has no step `{kind}`", parent.name), help).into());
        }
    }
    for setting in &args.set {
        set(&mut table, setting)?;
    }
    Recipe::parse(&toml::to_string(&table)?).map_err(|error| {
        UsageError::new(
            error.to_string(),
            "`assay recipe diff` names keys as --set takes them",
        )
        .into()
    })
}

/// Sets one `PATH=VALUE`; paths are those that `assay recipe diff` prints.
fn set(table: &mut toml::Table, setting: &str) -> Result<(), UsageError> {
    let bad = |why: &str| {
        UsageError::new(
            format!("--set {setting}: {why}"),
            "give a path of `assay recipe diff`, such as extract.profile=balanced or step.gopher_quality.words_min=30",
        )
    };
    let (path, value) = setting.split_once('=').ok_or_else(|| bad("no `=`"))?;
    let value = toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut read| read.remove("value"))
        .unwrap_or_else(|| value.into());
    let parts: Vec<&str> = path.split('.').collect();
    let place = match parts.as_slice() {
        [key] => table.get_mut(*key),
        [section, key] => table.get_mut(*section).and_then(|section| section.get_mut(*key)),
        ["step", kind, key] => table
            .get_mut("step")
            .and_then(toml::Value::as_array_mut)
            .and_then(|steps| {
                steps
                    .iter_mut()
                    .find(|step| step.get("kind").and_then(toml::Value::as_str) == Some(kind))
            })
            .and_then(|step| step.get_mut(*key)),
        _ => None,
    };
    *place.ok_or_else(|| bad("there is no such key"))? = value;
    Ok(())
}
