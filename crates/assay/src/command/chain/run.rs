//! `assay chain run`: the embedded chain as a service on loopback, until interrupted.

use std::io::Read as _;
use std::path::Path;

use assay_chain::embedded::{Clock, EmbeddedChain, Genesis, Node, NodeOptions, serve};
use assay_chain::{At, Chain as _, ChainErrorKind};
use serde::Serialize;
use tokio::sync::watch;

use crate::cli::ChainRunArgs;
use crate::command::interrupt::interrupted;
use crate::console::Console;
use crate::exit::UsageError;

#[derive(Debug, Serialize)]
struct Data {
    url: String,
    genesis: String,
    block: u32,
}

pub(super) async fn run(args: &ChainRunArgs, console: &Console) -> anyhow::Result<()> {
    let options = NodeOptions {
        genesis: genesis(args.genesis.as_deref())?,
        same_genesis: args.genesis.is_some(),
        path: Some(args.state.clone()),
        clock: Clock::Every(args.block_time),
        ..NodeOptions::default()
    };
    let node = Node::start(&options)
        .await
        .map_err(|error| match (&error.kind, &args.genesis) {
            (ChainErrorKind::WrongGenesis { .. }, Some(genesis)) => {
                let (state, genesis) = (args.state.display(), genesis.display());
                let message =
                    format!("`{state}` holds another chain than the one that begins with `{genesis}`");
                UsageError::new(
                    message,
                    "give another --state, or leave --genesis away to go on with that chain",
                )
                .into()
            }
            _ => anyhow::Error::from(error),
        })?;
    let (stop, shutdown) = watch::channel(false);
    let served = serve(node.clone(), args.listen, shutdown).await?;
    let chain = EmbeddedChain::from(node.clone());
    let data = Data {
        url: served.url(),
        genesis: node.genesis_hash().to_string(),
        block: chain.head(At::Head).await?.number.0,
    };
    console.result("assay.chain-run/1", &data, &[], || {
        format!(
            "embedded chain at {}, block {}, a block each {} ms; interrupt to end\n",
            data.url,
            data.block,
            args.block_time.as_millis()
        )
    })?;
    tokio::select! {
        interrupted = interrupted() => interrupted?,
        failure = node.ended() => {
            let failure = failure.map_or_else(|| anyhow::anyhow!("it was stopped"), anyhow::Error::from);
            return Err(failure.context("the chain makes no more blocks"));
        }
    }
    stop.send_replace(true);
    served.closed().await;
    node.stop().await;
    Ok(())
}

/// Most bytes of a genesis file.
const GENESIS_BYTES_MAX: u64 = 1 << 20;

/// The first block of a new chain.
fn genesis(path: Option<&Path>) -> Result<Genesis, UsageError> {
    const HELP: &str =
        "give a JSON file with fields of docs/embedded-chain.md, \"Run it\", or leave --genesis away";
    let Some(path) = path else {
        return Ok(Genesis::development());
    };
    let unusable = |reason: String| UsageError::new(format!("genesis `{}`: {reason}", path.display()), HELP);
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(GENESIS_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| unusable(error.to_string()))?;
    if bytes.len() as u64 > GENESIS_BYTES_MAX {
        return Err(unusable(format!("more than {GENESIS_BYTES_MAX} bytes")));
    }
    serde_json::from_slice(&bytes).map_err(|error| unusable(error.to_string()))
}
