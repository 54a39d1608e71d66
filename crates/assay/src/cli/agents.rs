//! The arguments of the services and of `assay localnet`.

use std::path::PathBuf;
use std::time::Duration;

use assay_agents::localnet::Cast;
use clap::{Args, Subcommand, ValueEnum};

use super::chain::interval;
use super::{HotkeyArgs, NetworkArgs};

/// What every agent needs to know.
#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    /// The subnet's file
    #[arg(long, value_name = "FILE")]
    pub(crate) subnet: PathBuf,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) key: HotkeyArgs,
    /// Folder of state and work; one agent at a time
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: PathBuf,
    /// Task API to tell how rounds go, `http://…`; nothing depends on it
    #[arg(long, value_name = "URL", requires = "api_hotkey")]
    pub(crate) api: Option<String>,
    /// Hotkey that signs the Task API's answers, as an address
    #[arg(long, value_name = "SS58", requires = "api")]
    pub(crate) api_hotkey: Option<String>,
    /// Address for `/metrics` and `/health`, such as 127.0.0.1:9615
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics_listen: Option<std::net::SocketAddr>,
    /// Address to post to when something went wrong: a fault, a missed deadline, weights not revealed
    #[arg(long, value_name = "URL")]
    pub(crate) webhook: Option<String>,
    /// Print a unit file for systemd with these arguments, and do nothing else
    #[arg(long)]
    pub(crate) print_unit: bool,
    /// Stop when this round is settled
    #[arg(long, value_name = "ROUND")]
    pub(crate) until: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MinerCommand {
    /// Work every round: refine the assigned units, publish, commit, open
    Up(Box<MinerUpArgs>),
    /// What the miner's folder says: rounds, units, how far each is
    Status {
        /// Folder of state and work
        #[arg(long, value_name = "FOLDER")]
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay miner up --subnet subnet.json --network embedded:127.0.0.1:9955 --wallet w --dir miner
  assay miner up --subnet subnet.json --network test --wallet w --dir miner --assign chain")]
pub(crate) struct MinerUpArgs {
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
    /// Active recipe to use: best, anchor, a name or an id
    #[arg(long, default_value = "best")]
    pub(crate) recipe: String,
    /// Units wanted a round
    #[arg(long, default_value_t = 256)]
    pub(crate) want: u16,
    /// Who says which units to work on: the chain alone, or a Task API, too, whose list is held against the chain's [default: api with
    /// --api, else chain]
    #[arg(long, value_enum)]
    pub(crate) assign: Option<AssignArg>,
    /// Refine one round and show what it would be; publish and commit nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Worker threads [default: all cores]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Play an adversary of a local network
    #[arg(long, value_enum, default_value_t = ConductArg::Honest, hide = true)]
    pub(crate) conduct: ConductArg,
}

/// Where assignments come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AssignArg {
    /// Computed from the chain; no server is asked
    Chain,
    /// Computed from the chain, and compared with what the Task API of --api has signed
    Api,
}

/// How a miner behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConductArg {
    Honest,
    Better,
    Lazy,
    Copycat,
    Fabricator,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ValidatorCommand {
    /// Audit every round, report, set weights
    #[command(after_help = "\
Examples:
  assay validator up --subnet subnet.json --network embedded:127.0.0.1:9955 --wallet w --dir validator")]
    Up(Box<ValidatorUpArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct ValidatorUpArgs {
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
    /// Units of each submission looked at by a seed of the validator's own, after the report; 0 for none
    #[arg(long, value_name = "UNITS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(..=256))]
    pub(crate) private_audit: u64,
    /// Kept rows, rows and byte offsets drawn of them, each
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub(crate) private_probes: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkerCommand {
    /// Read an audit job on stdin, print what was found
    Audit,
    /// Read a job of a duel's stage on stdin, print what was measured
    Measure,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay localnet --rounds 3
  assay localnet --miners honest=2,better=1,lazy=1,copycat=1,fabricator=1 --rounds 4
  assay localnet --warc crawl.warc.gz --dir state --json
  assay localnet --miners honest=2,better=1 --rounds 5 --duel
  assay localnet --crawl CC-MAIN-2024-42 --files 1")]
pub(crate) struct LocalnetArgs {
    /// Miners by kind: honest, better, lazy, copycat, fabricator
    #[arg(
        long,
        value_name = "KIND=N,…",
        default_value = "honest=2,better=1,lazy=1,copycat=1,fabricator=1"
    )]
    pub(crate) miners: Cast,
    /// Validators
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) validators: u32,
    /// Rounds to play
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// Real time of a block, in s or ms; the chain's own clock moves 12 s a block in any case
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = interval)]
    pub(crate) block_time: Duration,
    /// Decides keys, hashes of blocks and beacons
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Archives to work on [default: HTML documentation on this machine]
    #[arg(long, value_name = "FILE|DIR|URL", num_args = 1..)]
    pub(crate) warc: Vec<String>,
    /// Work on archives of a crawl of Common Crawl, such as CC-MAIN-2024-42
    #[arg(long, value_name = "CC-MAIN-…", conflicts_with = "warc")]
    pub(crate) crawl: Option<String>,
    /// Archives of the crawl, the first ones of its list; only what the rounds need is read of them
    #[arg(long, value_name = "N", default_value_t = 1, requires = "crawl", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) files: u16,
    /// Where crawls are
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://data.commoncrawl.org",
        requires = "crawl"
    )]
    pub(crate) crawl_url: String,
    /// Let a recipe duel for its place: a quarter of the units in reserve, cycles of two rounds, a small budget
    #[arg(long)]
    pub(crate) duel: bool,
    /// Port of the Task API and website on this machine; 0 for any free one
    #[arg(long, default_value_t = 8470)]
    pub(crate) port: u16,
    /// Folder of everything, empty or new
    #[arg(long, value_name = "FOLDER", default_value = "localnet")]
    pub(crate) dir: PathBuf,
}
