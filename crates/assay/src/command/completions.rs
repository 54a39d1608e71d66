//! `assay completions SHELL`: the completion script, generated from the command tree.

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::exit::Status;

pub(super) fn run(shell: clap_complete::Shell) -> Status {
    clap_complete::generate(shell, &mut Cli::command(), "assay", &mut std::io::stdout());
    Status::Ok
}
