//! The arguments of `assay chain`. Networks stay text here: clap would show a mistyped address with its secrets.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

/// Which chain, subnet and block to read.
#[derive(Debug, Clone, Args)]
pub(crate) struct NetworkArgs {
    /// finney, test, local, embedded, or ws:// or wss:// addresses separated by commas [default: finney]
    #[arg(long, value_name = "NETWORK")]
    pub(crate) network: Option<String>,
}

/// A subnet at a block.
#[derive(Debug, Args)]
pub(crate) struct SubnetArgs {
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Subnet
    #[arg(long)]
    pub(crate) netuid: u16,
    /// Block to read at: a number, or `finalized` [default: newest]
    #[arg(long, value_name = "BLOCK")]
    pub(crate) at: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChainCommand {
    /// What is connected to: head, runtime, beacon, and what the runtime lacks
    #[command(after_help = "\
Examples:
  assay chain status --network test
  assay chain status --network ws://127.0.0.1:9944 --netuid 7")]
    Status {
        #[command(flatten)]
        network: NetworkArgs,
        /// Also show this subnet's epoch, price and neurons
        #[arg(long)]
        netuid: Option<u16>,
    },
    /// Neurons of a subnet
    #[command(after_help = "\
Examples:
  assay chain metagraph --netuid 7
  assay chain metagraph --netuid 7 --at 7214090 --json")]
    Metagraph(SubnetArgs),
    /// Commitments that stand on a subnet, or the timelocked ones the chain has opened
    Commitments {
        #[command(flatten)]
        subnet: SubnetArgs,
        /// Show what was opened
        #[arg(long)]
        revealed: bool,
    },
    /// Stored weights of a subnet's mechanism
    Weights {
        #[command(flatten)]
        subnet: SubnetArgs,
        /// Mechanism
        #[arg(long, default_value_t = 0)]
        mechanism: u8,
        /// Show commits that are not revealed yet
        #[arg(long)]
        pending: bool,
    },
    /// Set weights: timelocked where the subnet wants it
    SetWeights(SetWeightsArgs),
    /// Register a hotkey; the coldkey pays
    Register(RegisterArgs),
    /// Stake TAO to a hotkey; the coldkey pays
    Stake(super::StakeArgs),
    /// What a subnet's owner does: create, start, name, set rules
    Owner {
        #[command(subcommand)]
        command: super::OwnerCommand,
    },
    /// Leave bytes on the chain: in the clear, hashed, or sealed until a drand round
    Commit(CommitArgs),
    /// Hyper-parameters of a subnet
    Params(SubnetArgs),
    /// Recompute who works on which unit in a round; exit status 4 if a server says otherwise
    Assignments(super::AssignmentsArgs),
    /// Run the embedded chain on this machine, for networks of one's own
    Run(ChainRunArgs),
    /// Follow a subnet live, one line an event
    Watch {
        #[command(flatten)]
        network: NetworkArgs,
        /// Subnet
        #[arg(long)]
        netuid: u16,
        /// Stop after this many blocks
        #[arg(long, value_name = "BLOCKS")]
        blocks: Option<u32>,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay chain run --block-time 1s
  assay chain status --network embedded")]
pub(crate) struct ChainRunArgs {
    /// File the chain is kept in
    #[arg(long, value_name = "FILE", default_value = "chain.sqlite")]
    pub(crate) state: PathBuf,
    /// First block of a new chain [default: a development chain]
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
    /// Loopback address to listen at
    #[arg(long, value_name = "ADDRESS", default_value = EMBEDDED_ADDRESS)]
    pub(crate) listen: SocketAddr,
    /// Time between blocks, in s or ms; the chain's own clock moves 12 s a block in any case
    #[arg(long, value_name = "TIME", default_value = "12s", value_parser = interval)]
    pub(crate) block_time: Duration,
}

/// Where `assay chain run` listens and `--network embedded` looks.
pub(crate) const EMBEDDED_ADDRESS: &str = "127.0.0.1:9946";

/// Why a text is no time between blocks.
#[derive(Debug, thiserror::Error)]
#[error("give a number of s or ms, from 10ms to 3600s, for example 1s")]
pub(crate) struct IntervalError;

/// A time like `12s` or `100ms`.
pub(super) fn interval(text: &str) -> Result<Duration, IntervalError> {
    let (digits, unit_ms) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('s').ok_or(IntervalError)?, 1_000),
    };
    let number: u64 = digits.parse().map_err(|_| IntervalError)?;
    let ms = number.checked_mul(unit_ms).ok_or(IntervalError)?;
    if (10..=3_600_000).contains(&ms) {
        Ok(Duration::from_millis(ms))
    } else {
        Err(IntervalError)
    }
}

/// Which keys sign.
#[derive(Debug, Args)]
pub(crate) struct SigningArgs {
    /// Wallet
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) wallet: String,
    /// Hotkey of the wallet
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) hotkey: String,
    /// Folder of the wallets [default: ~/.bittensor/wallets]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) wallet_path: Option<PathBuf>,
    /// File whose first line is the password of an encrypted key
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

/// A call to a chain: which chain, who signs, whether it is sent.
#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
    /// Show what would be sent, send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A call that costs something, so that it is asked about first.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    pub(crate) call: CallArgs,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay chain register --netuid 7 --wallet alice --hotkey miner --dry-run
  assay chain register --netuid 7 --wallet alice --hotkey miner --limit-price 0.5")]
pub(crate) struct RegisterArgs {
    #[command(flatten)]
    pub(crate) send: SendArgs,
    /// Subnet
    #[arg(long)]
    pub(crate) netuid: u16,
    /// Most it may cost [default: 30 % above the price now]
    #[arg(long, value_name = "TAO")]
    pub(crate) limit_price: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay chain commit --netuid 7 --text hello
  assay chain commit --netuid 7 --hex 00ff --seal-until 19065756")]
#[command(group = clap::ArgGroup::new("content").required(true).args(["text", "hex", "digest"]))]
pub(crate) struct CommitArgs {
    #[command(flatten)]
    pub(crate) call: CallArgs,
    /// Subnet
    #[arg(long)]
    pub(crate) netuid: u16,
    /// Text to commit
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// Bytes to commit
    #[arg(long, value_name = "HEX")]
    pub(crate) hex: Option<String>,
    /// BLAKE2b-256 of what is kept back
    #[arg(long, value_name = "HEX", conflicts_with = "seal_until")]
    pub(crate) digest: Option<String>,
    /// Seal it until this drand round
    #[arg(long, value_name = "ROUND")]
    pub(crate) seal_until: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay chain set-weights --netuid 7 --set 3=100 7=20 --dry-run
  assay chain set-weights --netuid 7 --set 3=1 --wait")]
pub(crate) struct SetWeightsArgs {
    #[command(flatten)]
    pub(crate) call: CallArgs,
    /// Subnet
    #[arg(long)]
    pub(crate) netuid: u16,
    /// Scores by uid, scaled to the largest
    #[arg(long, value_name = "UID=NUMBER", required = true, num_args = 1..)]
    pub(crate) set: Vec<String>,
    /// Mechanism
    #[arg(long, default_value_t = 0)]
    pub(crate) mechanism: u8,
    /// The validator's version [default: what the subnet asks for]
    #[arg(long)]
    pub(crate) version_key: Option<u64>,
    /// Wait until timelocked weights are revealed
    #[arg(long)]
    pub(crate) wait: bool,
}
