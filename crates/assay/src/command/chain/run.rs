//! `assay chain run`: the embedded chain as a service on loopback, until interrupted.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use assay_chain::embedded::{Clock, EmbeddedChain, Genesis, Node, NodeOptions, serve};
use assay_chain::{At, Chain as _};
use serde::Serialize;
use tokio::sync::watch;

use crate::cli::ChainRunArgs;
use crate::console::Console;

#[derive(Debug, Serialize)]
struct Data {
    url: String,
    genesis: String,
    block: u32,
}

pub(super) async fn run(args: &ChainRunArgs, console: &Console) -> anyhow::Result<()> {
    let options = NodeOptions {
        genesis: genesis(args.genesis.as_deref())?,
        path: Some(args.state.clone()),
        clock: Clock::Every(args.block_time),
        ..NodeOptions::default()
    };
    let node = Node::start(&options).await?;
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
        interrupted = tokio::signal::ctrl_c() => interrupted.context("wait for an interrupt")?,
        () = node.ended() => anyhow::bail!("the chain makes no more blocks; the log above says why"),
    }
    stop.send_replace(true);
    served.closed().await;
    node.stop().await;
    Ok(())
}

/// Most bytes of a genesis file.
const GENESIS_BYTES_MAX: u64 = 1 << 20;

/// The first block of a new chain.
fn genesis(path: Option<&Path>) -> anyhow::Result<Genesis> {
    let Some(path) = path else {
        return Ok(Genesis::development());
    };
    let mut bytes = Vec::new();
    let file = fs_err::File::open(path)?;
    file.take(GENESIS_BYTES_MAX).read_to_end(&mut bytes)?;
    serde_json::from_slice(&bytes).with_context(|| format!("genesis `{}`", path.display()))
}
