//! `assay extract`: the main text of HTML pages, as text or as JSON Lines.

use std::io::Write as _;

use assay_agents::local::{self, PageText};
use assay_refine::extract::Profile;

use crate::cli::{ExtractArgs, ProfileArg};
use crate::console::Console;
use crate::exit::Status;

pub(super) fn run(args: &ExtractArgs, console: &Console) -> anyhow::Result<Status> {
    let profile = match args.profile {
        ProfileArg::Precision => Profile::Precision,
        ProfileArg::Balanced => Profile::Balanced,
        ProfileArg::Union => Profile::Union,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut pages: Vec<PageText> = Vec::new();
    let mut warnings = Vec::new();
    for path in &args.files {
        let page = local::extract_file(path, profile)?;
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
