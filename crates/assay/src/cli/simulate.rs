//! The arguments of `assay simulate`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay simulate --list
  assay simulate --scenario lazy --plot lazy.svg
  assay simulate --scenario copycat --without lockstep
  assay simulate --scenario whole-units --set audit_units=4 --seed 3
  assay simulate --all --seeds 5 --json")]
#[command(group = clap::ArgGroup::new("what").required(true).args(["list", "scenario", "all"]))]
pub(crate) struct SimulateArgs {
    /// Name the scenarios and defences, one line each
    #[arg(long)]
    pub(crate) list: bool,
    /// Play one scenario
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Option<String>,
    /// Play every scenario
    #[arg(long)]
    pub(crate) all: bool,
    /// First seed
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Play this many seeds, one after the other from the first
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) seeds: u64,
    /// Rounds to play [default: the scenario's own]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rounds: Option<u32>,
    /// Change a setting or parameter; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Switch a defence off; repeatable
    #[arg(long, value_name = "DEFENCE")]
    pub(crate) without: Vec<String>,
    /// Take the parameters from this parameter set
    #[arg(long, value_name = "FILE")]
    pub(crate) params: Option<PathBuf>,
    /// Draw revenue over rounds by strategy
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
    /// Worker threads [default: number of cores]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
}
