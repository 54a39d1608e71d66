//! `assay chain`: reads and writes of a chain, the same on every network.

mod amounts;
mod assignments;
mod commit;
mod commitments;
mod confirm;
mod keys;
mod metagraph;
pub(super) mod open;
mod owner;
mod params;
mod register;
mod run;
mod send;
mod set_weights;
mod stake;
pub(super) mod status;
pub(super) mod table;
mod watch;
mod weights;

use anyhow::Context as _;
use assay_chain::Chain;
use assay_chain::wallet::KeyPair;

use crate::cli::{ChainCommand, NetworkArgs, SigningArgs};
use crate::console::Console;
use crate::exit::Status;

/// Connects to the chain that the arguments name, for commands outside of `assay chain`.
pub(super) async fn open(args: &NetworkArgs) -> anyhow::Result<Box<dyn assay_chain::Chain>> {
    Ok(open::open(open::network_of(args)?).await?.chain)
}

/// Runs one command to its end, on one thread: it waits for a node most of the time.
pub(super) fn run(command: ChainCommand, console: &Console) -> anyhow::Result<Status> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?
        .block_on(dispatch(command, console))
}

/// A chain, for other commands.
pub(super) async fn open_network(args: &NetworkArgs) -> anyhow::Result<Box<dyn Chain>> {
    Ok(open::open(open::network_of(args)?).await?.chain)
}

/// The hotkey that signs, for other commands.
pub(super) fn hotkey_pair(args: &SigningArgs, console: &Console) -> anyhow::Result<KeyPair> {
    keys::hotkey_pair(args, console)
}

async fn dispatch(command: ChainCommand, console: &Console) -> anyhow::Result<Status> {
    if let ChainCommand::Assignments(args) = &command {
        return assignments::run(args, console).await;
    }
    read_or_write(command, console).await?;
    Ok(Status::Ok)
}

async fn read_or_write(command: ChainCommand, console: &Console) -> anyhow::Result<()> {
    match command {
        ChainCommand::Assignments(_) => Ok(()),
        ChainCommand::Status { network, netuid } => status::run(&network, netuid, console).await,
        ChainCommand::Metagraph(subnet) => metagraph::run(&subnet, console).await,
        ChainCommand::Commitments { subnet, revealed } => commitments::run(&subnet, revealed, console).await,
        ChainCommand::Weights {
            subnet,
            mechanism,
            pending,
        } => weights::run(&subnet, mechanism, pending, console).await,
        ChainCommand::SetWeights(args) => set_weights::run(&args, console).await,
        ChainCommand::Register(args) => register::run(&args, console).await,
        ChainCommand::Stake(args) => stake::run(&args, console).await,
        ChainCommand::Owner { command } => owner::run(&command, console).await,
        ChainCommand::Commit(args) => commit::run(&args, console).await,
        ChainCommand::Run(args) => run::run(&args, console).await,
        ChainCommand::Params(subnet) => params::run(&subnet, console).await,
        ChainCommand::Watch {
            network,
            netuid,
            blocks,
        } => watch::run(&network, netuid, blocks, console).await,
    }
}
