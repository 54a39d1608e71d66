//! The arguments of `assay serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::chain::{NetworkArgs, SigningArgs};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  assay serve --network embedded --subnet subnet.json
  assay serve --subnet subnet.json --database postgres://assay@db/assay
  assay serve admin health")]
pub(crate) struct ServeArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ServeCommand>,
    #[command(flatten)]
    pub(crate) run: ServeRunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ServeRunArgs {
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// The subnet's file: its number, parameter set, corpus, recipes and archives
    #[arg(long, value_name = "FILE", conflicts_with_all = ["netuid", "params", "corpus", "archives"])]
    pub(crate) subnet: Option<PathBuf>,
    /// Subnet
    #[arg(long, default_value_t = 1)]
    pub(crate) netuid: u16,
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
    /// Parameter set, canonical TOML [default: version 1 with its defaults]
    #[arg(long, value_name = "FILE")]
    pub(crate) params: Option<PathBuf>,
    /// Archives to add as work: a folder, a list, or `cc:CRAWL`
    #[arg(long, value_name = "SPEC")]
    pub(crate) corpus: Vec<String>,
    /// Folder of the archives whose source is `file`, for re-checking fraud proofs
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) archives: PathBuf,
    /// Database: a file, or postgres://… [default: assay.sqlite]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) database: Option<String>,
    /// Address of the API [default: 127.0.0.1:8470]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Address of the metrics [default: 127.0.0.1:8471]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Unix socket for `assay serve admin` [default: assay-admin.sock]
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_socket: Option<PathBuf>,
    /// Configuration with limits, TOML
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServeCommand {
    /// Administer a running server over its Unix socket
    Admin(AdminArgs),
    /// Judge one fraud proof from stdin, within limits; `assay serve` runs it
    #[command(hide = true)]
    Recheck {
        /// Folder of the archives whose source is `file`
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        archives: String,
        /// Where documents are published
        #[arg(long, value_name = "STORE")]
        store: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    /// Socket of the server
    #[arg(long, value_name = "FILE", default_value = "assay-admin.sock", global = true)]
    pub(crate) admin_socket: PathBuf,
    #[command(subcommand)]
    pub(crate) command: AdminCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// How the server is
    Health,
    /// Add archives as work: a folder, a list, or `cc:CRAWL`
    AddCorpus {
        /// What
        spec: String,
        /// Under which name [default: the last part of SPEC]
        #[arg(long)]
        name: Option<String>,
    },
    /// List units that failed too often
    DeadLetters,
    /// Say what the subnet's owner must commit to give dead letters new attempts
    Requeue {
        /// Only this unit; may be given up to seven times
        #[arg(long, value_name = "HEX")]
        unit: Vec<String>,
    },
    /// Show a dataset: a JSON file with name, release, licence, location, manifest, counts, description
    AddDataset {
        /// The file
        file: PathBuf,
    },
    /// List takedown requests
    Removals {
        /// Which: pending, listed or refused [default: pending]
        #[arg(long)]
        state: Option<String>,
    },
    /// Put a takedown request on the removal list, or refuse it
    DecideRemoval {
        /// Its number
        number: u64,
        /// Refuse it: what it names is shown again
        #[arg(long)]
        refuse: bool,
    },
    /// Write the whole state as JSON lines
    Export {
        /// New file
        file: PathBuf,
    },
    /// Read an exported state into an empty database; no server may run on it
    Import {
        /// The exported file
        file: PathBuf,
        /// Database: a file, or postgres://…
        #[arg(long, value_name = "ADDRESS")]
        database: String,
        #[command(flatten)]
        network: NetworkArgs,
        /// Subnet
        #[arg(long, default_value_t = 1)]
        netuid: u16,
    },
    /// Copy a SQLite database while the server runs
    Backup {
        /// New file, on the server's machine
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay chain assignments --subnet subnet.json --round 3
  assay chain assignments --netuid 1 --round 0 --corpus archives/
  assay chain assignments --subnet subnet.json --round 3 --server http://127.0.0.1:8470 --server-hotkey 5F…")]
pub(crate) struct AssignmentsArgs {
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// The subnet's file: all rounds before are replayed, so that caps, cursor and units that come back are known
    #[arg(long, value_name = "FILE", conflicts_with_all = ["netuid", "params", "corpus", "cursor"])]
    pub(crate) subnet: Option<PathBuf>,
    /// Subnet
    #[arg(long, required_unless_present = "subnet")]
    pub(crate) netuid: Option<u16>,
    /// Round
    #[arg(long)]
    pub(crate) round: u32,
    /// Archives of the corpus index, in their order: a folder, a list, or `cc:CRAWL`
    #[arg(long, value_name = "SPEC", required_unless_present = "subnet")]
    pub(crate) corpus: Vec<String>,
    /// Parameter set, canonical TOML [default: version 1 with its defaults]
    #[arg(long, value_name = "FILE")]
    pub(crate) params: Option<PathBuf>,
    /// Place in the index of the first unit never given
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) cursor: u64,
    /// Compare with what this server serves; exit status 4 if it lies
    #[arg(long, value_name = "URL", requires = "server_hotkey")]
    pub(crate) server: Option<String>,
    /// SS58 of the hotkey that the server signs with
    #[arg(long, value_name = "SS58", requires = "server")]
    pub(crate) server_hotkey: Option<String>,
}
