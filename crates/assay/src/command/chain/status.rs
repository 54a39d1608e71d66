//! `assay chain status`: what is connected to and how it is.

use assay_chain::{At, EpochState};
use assay_types::{BlockNumber, NetUid};
use serde::Serialize;

use crate::cli::NetworkArgs;
use crate::command::chain::amounts::{tao, utc};
use crate::command::chain::open::{Opened, network_of, open};
use crate::console::Console;

#[derive(Debug, Serialize)]
struct Data {
    network: String,
    block: u32,
    hash: String,
    time: String,
    /// Age of the head by this machine's clock, seconds; negative if the clock is behind.
    age_seconds: i64,
    finalized_block: u32,
    spec_version: Option<u32>,
    last_drand_round: Option<u64>,
    lacks: Vec<String>,
    subnet: Option<Subnet>,
}

#[derive(Debug, Serialize)]
struct Subnet {
    netuid: u16,
    neurons: usize,
    validators: usize,
    burn_rao: String,
    epoch: EpochState,
}

pub(super) async fn run(args: &NetworkArgs, netuid: Option<u16>, console: &Console) -> anyhow::Result<()> {
    let opened = open(network_of(args)?).await?;
    let head = opened.chain.head(At::Head).await?;
    let subnet = match netuid {
        Some(netuid) => Some(subnet(&opened, NetUid(netuid), At::Hash(head.hash)).await?),
        None => None,
    };
    let data = Data {
        network: opened.chain.network(),
        block: head.number.0,
        hash: head.hash.to_string(),
        time: utc(head.time_ms),
        age_seconds: age_seconds(head.time_ms),
        finalized_block: opened.chain.head(At::Finalized).await?.number.0,
        spec_version: opened.spec_version,
        // A runtime without a beacon has said so in `lacks`.
        last_drand_round: opened.chain.last_pulse_round(At::Hash(head.hash)).await.ok(),
        lacks: opened.lacks,
        subnet,
    };
    console.result_at("assay.chain-status/1", BlockNumber(data.block), &data, || {
        text(&data)
    })
}

async fn subnet(opened: &Opened, netuid: NetUid, at: At) -> anyhow::Result<Subnet> {
    let metagraph = opened.chain.metagraph(netuid, at).await?;
    Ok(Subnet {
        netuid: netuid.0,
        neurons: metagraph.neurons.len(),
        validators: metagraph.neurons.iter().filter(|neuron| neuron.permit).count(),
        burn_rao: opened.chain.burn(netuid, at).await?.to_string(),
        epoch: opened.chain.epoch_state(netuid, at).await?,
    })
}

fn age_seconds(time_ms: u64) -> i64 {
    let now = jiff::Timestamp::now().as_millisecond();
    now.saturating_sub(i64::try_from(time_ms).unwrap_or(i64::MAX)) / 1_000
}

fn text(data: &Data) -> String {
    let mut lines = vec![
        format!("network      {}", data.network),
        format!(
            "head         {} at {}, {} s ago",
            data.block, data.time, data.age_seconds
        ),
        format!("finalized    {}", data.finalized_block),
    ];
    if let Some(spec) = data.spec_version {
        lines.push(format!("runtime      {spec}"));
    }
    if let Some(round) = data.last_drand_round {
        lines.push(format!("drand round  {round}"));
    }
    if let Some(subnet) = &data.subnet {
        let burn = subnet.burn_rao.parse().map(assay_types::Rao).unwrap_or_default();
        lines.push(format!(
            "subnet {}     {} neurons, {} validators, registration {} TAO",
            subnet.netuid,
            subnet.neurons,
            subnet.validators,
            tao(burn)
        ));
        let epoch = &subnet.epoch;
        lines.push(format!(
            "epoch        {} of {} blocks, {} since the last step",
            epoch.epoch_index, epoch.tempo, epoch.blocks_since_last_step
        ));
    }
    lines.extend(data.lacks.iter().map(|name| format!("lacks        {name}")));
    lines.join("\n") + "\n"
}
