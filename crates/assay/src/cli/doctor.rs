//! The arguments of `assay doctor`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{HotkeyArgs, NetworkArgs};

/// What a machine is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Mine
    Miner,
    /// Validate
    Validator,
    /// Serve the Task API and the website
    Serve,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  assay doctor
  assay doctor --for miner --subnet subnet.json --network embedded:127.0.0.1:9955 --wallet honest-1
  assay doctor --report > report.json")]
pub(crate) struct DoctorArgs {
    /// What the machine is to do: what it lacks for that is a failure
    #[arg(long = "for", value_enum, value_name = "ROLE")]
    pub(crate) role: Option<Role>,
    /// The subnet's file: its chain, archives and store are tried
    #[arg(long, value_name = "FILE")]
    pub(crate) subnet: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) key: HotkeyArgs,
    /// Folder that the work will lie in
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Units wanted a round
    #[arg(long, default_value_t = 256)]
    pub(crate) want: u16,
    /// Task API to reach, `http://…`
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
    /// Print a bundle to send to who helps: no secrets, no names of folders
    #[arg(long)]
    pub(crate) report: bool,
}
