//! One way to a chain, whatever `--network` says, and the block that `--at` means.

use std::net::SocketAddr;
use std::path::PathBuf;

use assay_chain::embedded::{Clock, Genesis, Node, NodeOptions, Remote};
use assay_chain::subtensor::Subtensor;
use assay_chain::{At, Chain, Network, NetworkError};
use assay_types::{BlockNumber, NetUid};

use crate::cli::{EMBEDDED_ADDRESS, NetworkArgs, SubnetArgs};
use crate::config;
use crate::exit::UsageError;

/// An open chain.
pub(in crate::command) struct Opened {
    pub(in crate::command) chain: Box<dyn Chain>,
    /// `spec_version`, where there is a runtime.
    pub(in crate::command) spec_version: Option<u32>,
    /// What the runtime lacks.
    pub(in crate::command) lacks: Vec<String>,
    /// Whether somebody makes blocks while nothing is sent: not in a state file that this process has opened.
    pub(in crate::command) makes_blocks: bool,
}

impl Opened {
    /// That blocks come by themselves, which `what` waits for.
    pub(in crate::command) fn require_blocks(&self, what: &str) -> Result<(), UsageError> {
        if self.makes_blocks {
            return Ok(());
        }
        Err(UsageError::new(
            format!("`{what}` waits for blocks, and nobody makes any on a state file"),
            "start `assay chain run --state FILE`, and give its address as --network",
        ))
    }
}

/// The network asked for: flag, then `ASSAY_NETWORK`, then finney.
pub(in crate::command) fn network_of(args: &NetworkArgs) -> Result<Network, UsageError> {
    let Some(text) = args.network.clone().or_else(config::network) else {
        return Ok(Network::Finney);
    };
    text.parse().map_err(|error: NetworkError| {
        UsageError::new(
            error.to_string(),
            "give --network finney, test, local, embedded, or ws:// or wss:// addresses separated by commas",
        )
    })
}

/// Connects.
pub(in crate::command) async fn open(network: Network) -> anyhow::Result<Opened> {
    if let Network::Embedded(place) = network {
        return embedded(place.as_deref()).await;
    }
    let chain = Subtensor::connect(network).await?;
    let check = chain.check();
    Ok(Opened {
        chain: Box::new(chain),
        makes_blocks: true,
        spec_version: Some(check.spec_version),
        lacks: check.optional,
    })
}

/// The embedded chain at a loopback address, or in a state file that nobody else has open: there a block is made for
/// each transaction.
async fn embedded(place: Option<&str>) -> anyhow::Result<Opened> {
    let place = place.unwrap_or(EMBEDDED_ADDRESS);
    let address = place.strip_prefix("ws://").unwrap_or(place);
    let is_file = std::path::Path::new(place).is_file();
    if !is_file
        && place
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        && address.parse::<SocketAddr>().is_err()
    {
        return Err(UsageError::new(
            format!("`{place}` is no loopback address"),
            "give an address such as `embedded:127.0.0.1:9955`, or a state file",
        )
        .into());
    }
    let makes_blocks = address.parse::<SocketAddr>().is_ok();
    let chain = if makes_blocks {
        Remote::connect(&format!("ws://{address}"), None).await?.chain()
    } else if !is_file {
        return Err(UsageError::new(
            format!("`{place}` is neither a loopback address nor a state file"),
            "`assay chain run --state FILE` makes one",
        )
        .into());
    } else {
        let options = NodeOptions {
            genesis: Genesis::development(),
            path: Some(PathBuf::from(place)),
            clock: Clock::Instant,
            ..NodeOptions::default()
        };
        Node::start(&options).await?.into()
    };
    Ok(Opened {
        spec_version: Some(chain.spec_version(At::Head).await?),
        chain: Box::new(chain),
        makes_blocks,
        lacks: Vec::new(),
    })
}

/// Connects to where `args` say, and gives subnet and block.
pub(super) async fn subnet(args: &SubnetArgs) -> anyhow::Result<(Opened, NetUid, At)> {
    let at = at_of(args.at.as_deref())?;
    let opened = open(network_of(&args.network)?).await?;
    Ok((opened, NetUid(args.netuid), at))
}

/// The block that `--at` names.
fn at_of(text: Option<&str>) -> Result<At, UsageError> {
    match text {
        None => Ok(At::Head),
        Some("finalized") => Ok(At::Finalized),
        Some(number) => number
            .parse()
            .map(|number| At::Number(BlockNumber(number)))
            .map_err(|_| UsageError::new(format!("`{number}` is no block"), "give a number, or `finalized`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_numbers_or_finalized() {
        assert_eq!(at_of(None).unwrap(), At::Head);
        assert_eq!(at_of(Some("finalized")).unwrap(), At::Finalized);
        assert_eq!(at_of(Some("12")).unwrap(), At::Number(BlockNumber(12)));
        assert!(at_of(Some("latest")).unwrap_err().to_string().contains("latest"));
    }
}
