//! `assay extract`: the main text of HTML pages, as text, Markdown or JSON Lines; why each block is kept; the benchmark.

use std::io::Write as _;

use assay_agents::local::{self, PageText};
use assay_refine::extract::{ExtractOptions, MarkdownOptions, Output, Profile};

use serde_json::json;

use crate::cli::{ExtractArgs, ExtractCommand, ProfileArg};
use crate::console::Console;
use crate::exit::{Status, UsageError};

mod bench;

pub(super) fn run(args: &ExtractArgs, console: &Console) -> anyhow::Result<Status> {
    let options = options(args);
    match &args.command {
        Some(ExtractCommand::Bench(bench)) => return bench::run(bench, console),
        None if args.explain => return explain(args, &options, console),
        None => {}
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut pages: Vec<PageText> = Vec::new();
    let mut warnings = Vec::new();
    for path in &args.files {
        let page = local::extract_file(path, &options)?;
        if let Some(reason) = page.dropped {
            warnings.push(format!("{}: no text ({reason})", page.file));
        }
        if console.is_json() {
            pages.push(page);
        } else if args.jsonl {
            serde_json::to_writer(&mut out, &page)?;
            out.write_all(b"\n")?;
        } else {
            out.write_all(page.text.as_bytes())?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    drop(out);
    if console.is_json() {
        console.result("assay.extract/1", &pages, &warnings, String::new)?;
    } else {
        for warning in &warnings {
            console.note(&format!("warning: {warning}"));
        }
    }
    Ok(Status::Ok)
}

/// The library's profile of an argument.
fn profile(argument: ProfileArg) -> Profile {
    match argument {
        ProfileArg::Precision => Profile::Precision,
        ProfileArg::Balanced => Profile::Balanced,
        ProfileArg::Recall => Profile::Recall,
        ProfileArg::Union => Profile::Union,
    }
}

fn options(args: &ExtractArgs) -> ExtractOptions {
    let form = MarkdownOptions {
        links: args.links,
        ..MarkdownOptions::default()
    };
    ExtractOptions {
        profile: profile(args.profile),
        output: if args.markdown || args.links {
            Output::Markdown(form)
        } else {
            Output::Plain
        },
        ..ExtractOptions::default()
    }
}

/// Prints the report of one page.
fn explain(args: &ExtractArgs, options: &ExtractOptions, console: &Console) -> anyhow::Result<Status> {
    let [file] = args.files.as_slice() else {
        return Err(UsageError::new("`--explain` takes one page", "give one file").into());
    };
    let report = local::explain_file(file, options)?;
    if report.is_none() {
        console.note(&format!("warning: {}: no blocks", file.display()));
    }
    let report = report.unwrap_or_default();
    console.result("assay.extract-explain/1", &json!({ "html": report }), &[], || {
        report.clone()
    })?;
    Ok(Status::Ok)
}
