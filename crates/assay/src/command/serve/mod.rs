//! `assay serve`: the Task API as a service, and its administration.

mod admin;
mod published;
mod recheck;
mod run;
mod settings;

pub(super) use run::params;
pub(super) use settings::configured;

use anyhow::Context as _;

use assay_server::arenas::begin_with_few_pools;

use crate::cli::{ServeArgs, ServeCommand};
use crate::config;
use crate::console::Console;
use crate::exit::Status;

/// Runs the server until it is interrupted, or one request of an administrator.
pub(super) fn run(args: &ServeArgs, console: &Console) -> anyhow::Result<Status> {
    if args.command.is_none() {
        begin_with_few_pools(config::pools_are_limited());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    match &args.command {
        None => runtime.block_on(run::run(&args.run, console))?,
        Some(ServeCommand::Admin(args)) => admin::run(args, console, &runtime)?,
        Some(ServeCommand::Recheck { archives, store }) => {
            recheck::run(archives, store.as_deref(), runtime.handle())?;
        }
    }
    Ok(Status::Ok)
}
