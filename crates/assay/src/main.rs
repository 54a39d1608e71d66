//! The `assay` command line: parses arguments, calls the library crates, prints results and errors.
//!
//! stdout holds results, stderr everything else; exit codes are those of `exit.rs`.

mod cli;
mod command;
mod config;
mod console;
mod exit;
mod progress;
mod recipes;
mod simulation;
mod training_bar;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error, wants_json()),
    };
    let console = console::Console::new(&cli.global);
    match command::run(cli.command, &console) {
        Ok(status) => status.code(),
        Err(error) => exit::report(&console, &error),
    }
}

/// Whether `--json` was asked for, in a call that cannot be parsed otherwise.
fn wants_json() -> bool {
    std::env::args_os()
        .skip(1)
        .take_while(|word| word != "--")
        .any(|word| word == "--json")
}
