//! `assay dataset`: describes datasets of this machine; shows, fetches and verifies published ones.

mod pull;
mod show;
mod stats;
pub(super) mod target;
mod verify;

use crate::cli::DatasetCommand;
use crate::console::Console;
use crate::exit::Status;

/// Runs one command.
pub(super) fn run(command: DatasetCommand, console: &Console) -> anyhow::Result<Status> {
    match command {
        DatasetCommand::Stats { dataset, html } => stats::run(&dataset, html.as_deref(), console),
        DatasetCommand::Show(args) => show::run(&args, console),
        DatasetCommand::Pull(args) => pull::run(&args, console),
        DatasetCommand::Verify(args) => verify::run(args, console),
    }
}
