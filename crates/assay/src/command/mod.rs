//! The commands, one file each; every one parses nothing and decides nothing, it wires and calls.

use std::path::Path;

use assay_agents::local::{CPU_PLAN, SMOKE_PLAN, Training};

use crate::cli::{Command, TrainingArg, TrainingArgs};
use crate::console::Console;
use crate::exit::Status;

mod chain;
mod completions;
mod config;
mod dataset;
mod dedup;
mod doctor;
mod duel;
mod evaluate;
mod extract;
mod fetched;
mod filter;
mod interrupt;
mod limits;
mod localnet;
mod man;
mod miner;
mod operate;
mod pack;
mod recipe;
mod reference;
mod refine;
mod serve;
mod services;
mod simulate;
mod top;
mod validator;
mod verify;
mod wallet;
mod worker;

/// Runs one command.
pub(crate) fn run(command: Command, console: &Console) -> anyhow::Result<Status> {
    match command {
        Command::Refine(args) => refine::run(&args, console),
        Command::Extract(args) => extract::run(&args, console),
        Command::Filter(args) => filter::run(&args, console),
        Command::Dedup(args) => dedup::run(&args, console),
        Command::Verify(args) => verify::run(&args, console),
        Command::Evaluate(args) => evaluate::run(&args, console),
        Command::Duel(args) => duel::run(&args, console),
        Command::Pack(args) => pack::run(&args, console),
        Command::Recipe(command) => recipe::run(&command, console),
        Command::Dataset(command) => dataset::run(command, console),
        Command::Simulate(args) => simulate::run(&args, console),
        Command::Wallet(command) => wallet::run(&command, console),
        Command::Chain(command) => chain::run(command, console),
        Command::Localnet(args) => localnet::run(&args, console),
        Command::Miner(command) => miner::run(&command, console),
        Command::Validator(command) => validator::run(&command, console),
        Command::Worker(command) => worker::run(&command),
        Command::Serve(args) => serve::run(&args, console),
        Command::Top(args) => top::run(&args, console),
        Command::Doctor(args) => doctor::run(*args, console),
        Command::Config(command) => config::run(&command, console),
        Command::Man { folder } => man::run(&folder, console),
        Command::Completions { shell } => Ok(completions::run(shell)),
        Command::Reference { page } => reference::run(page, console),
    }
}

use serve::params as serve_params;

/// What stage 2 trains: at most `seeds` models of each dataset, kept in a folder.
fn training<'a>(args: &'a TrainingArgs, seeds: usize, keep: Option<&'a Path>) -> Training<'a> {
    Training {
        seeds,
        keep,
        plan: match args.profile {
            TrainingArg::CpuV1 => CPU_PLAN,
            TrainingArg::Smoke => SMOKE_PLAN,
        },
        instructions: args.instructions.as_deref(),
        cuda: args.device.cuda.map(usize::from),
    }
}

/// Worker threads: what was asked for, else the number of cores.
fn threads(asked: Option<usize>) -> usize {
    asked
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
        .clamp(1, 1024)
}
