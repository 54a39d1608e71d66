//! The arguments of `assay config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print what holds, as TOML that `assay serve --config` takes; secrets are never shown
    Show(ConfigShowArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay config show
  assay config show --origin --config serve.toml
  assay config show --defaults > serve.toml")]
pub(crate) struct ConfigShowArgs {
    /// Say of each value where it comes from
    #[arg(long)]
    pub(crate) origin: bool,
    /// Print the defaults, whatever is set
    #[arg(long, conflicts_with = "config")]
    pub(crate) defaults: bool,
    /// The server's file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
