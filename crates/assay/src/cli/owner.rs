//! The arguments of `assay chain owner` and `assay chain stake`.

use clap::{Args, Subcommand};

use super::SendArgs;

/// What a subnet says of itself.
#[derive(Debug, Args)]
pub(crate) struct IdentityArgs {
    /// Name of the subnet
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Repository
    #[arg(long, value_name = "URL", requires = "name")]
    pub(crate) repository: Option<String>,
    /// Contact
    #[arg(long, requires = "name")]
    pub(crate) contact: Option<String>,
    /// Website
    #[arg(long, requires = "name")]
    pub(crate) url: Option<String>,
    /// Discord handle
    #[arg(long, requires = "name")]
    pub(crate) discord: Option<String>,
    /// One paragraph
    #[arg(long, requires = "name")]
    pub(crate) description: Option<String>,
    /// Address of the logo
    #[arg(long, value_name = "URL", requires = "name")]
    pub(crate) logo: Option<String>,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  assay chain owner create --name assay --wallet alice --dry-run
  assay chain owner set --netuid 7 tempo 360 --wallet alice")]
pub(crate) enum OwnerCommand {
    /// Create a subnet; the coldkey pays, its hotkey gets uid 0
    Create {
        #[command(flatten)]
        send: SendArgs,
        #[command(flatten)]
        identity: IdentityArgs,
    },
    /// Start a subnet: alpha is emitted from then on
    Start {
        #[command(flatten)]
        send: SendArgs,
        /// Subnet
        #[arg(long)]
        netuid: u16,
    },
    /// Say what a subnet is
    Identity {
        #[command(flatten)]
        send: SendArgs,
        /// Subnet
        #[arg(long)]
        netuid: u16,
        #[command(flatten)]
        identity: IdentityArgs,
    },
    /// Set a hyper-parameter; `assay chain params` lists them
    Set {
        #[command(flatten)]
        send: SendArgs,
        /// Subnet
        #[arg(long)]
        netuid: u16,
        /// Its name
        name: String,
        /// Its value; 0 and 1 for no and yes
        value: u64,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay chain stake 100 --netuid 7 --wallet alice --hotkey validator --dry-run")]
pub(crate) struct StakeArgs {
    /// How much, in TAO
    #[arg(value_name = "TAO")]
    pub(crate) amount: String,
    #[command(flatten)]
    pub(crate) send: SendArgs,
    /// Subnet
    #[arg(long)]
    pub(crate) netuid: u16,
    /// Hotkey staked to, as an address [default: the wallet's]
    #[arg(long, value_name = "SS58")]
    pub(crate) to: Option<String>,
}
