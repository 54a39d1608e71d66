//! `assay filter`: a recipe's steps on given texts, one JSON object a line; with `--json` all of them in one document.

use std::io::Write as _;

use assay_agents::local::{self, FilterJob};

use crate::cli::FilterArgs;
use crate::console::Console;
use crate::exit::Status;
use crate::recipes;

pub(super) fn run(args: &FilterArgs, console: &Console) -> anyhow::Result<Status> {
    let engine = recipes::engine(&args.recipe.recipe, args.recipe.url_lists.as_deref())?;
    let lists = recipes::custom_lists(args.recipe.url_lists.as_deref())?;
    let job = FilterJob {
        texts: args.texts.as_deref(),
        engine: &engine,
        lists,
        steps: args.steps,
        threads: super::threads(args.threads),
    };
    if console.is_json() {
        // One document or an error, never half a document: the answers wait for the last one.
        let mut answers = Vec::new();
        local::filter(job, |line| {
            answers.push(serde_json::from_slice::<serde_json::Value>(line)?);
            Ok(())
        })?;
        console.result("assay.filter/1", &answers, &[], String::new)?;
        return Ok(Status::Ok);
    }
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout());
    let unreadable = local::filter(job, |line| {
        out.write_all(line).and_then(|()| out.write_all(b"\n"))
    })?;
    out.flush()?;
    if let Some(warning) = unreadable.warning() {
        console.note(&format!("warning: {warning}"));
    }
    Ok(Status::Ok)
}
