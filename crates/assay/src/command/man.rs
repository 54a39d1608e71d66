//! `assay man FOLDER`: a manual page for each command, generated from the command tree.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use serde::Serialize;

use crate::cli::Cli;
use crate::console::Console;
use crate::exit::Status;

#[derive(Debug, Serialize)]
struct Data {
    folder: String,
    pages: u64,
}

pub(super) fn run(folder: &Path, console: &Console) -> anyhow::Result<Status> {
    fs_err::create_dir_all(folder)?;
    // The tree must not be built before: `generate_to` leaves out the pages of `help` only while building it itself.
    clap_mangen::generate_to(Cli::command(), folder)
        .with_context(|| format!("write the manual pages into `{}`", folder.display()))?;
    let data = Data {
        folder: folder.display().to_string(),
        pages: pages(folder)?,
    };
    console.result("assay.man/1", &data, &[], || {
        format!(
            "{} manual pages in {}; read one with `man {}/assay.1`\n",
            data.pages, data.folder, data.folder
        )
    })?;
    Ok(Status::Ok)
}

/// Pages of this program that lie in the folder.
fn pages(folder: &Path) -> anyhow::Result<u64> {
    let mut pages = 0;
    for entry in fs_err::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        pages += u64::from(name.starts_with("assay") && name.ends_with(".1"));
    }
    Ok(pages)
}
