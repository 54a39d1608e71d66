//! `assay chain status`: what is connected to and how it is.

use assay_chain::{At, ChainError, ChainErrorKind, EpochState, Network};
use assay_types::{BlockNumber, NetUid};
use serde::Serialize;

use crate::cli::NetworkArgs;
use crate::command::chain::amounts::{tao, utc};
use crate::command::chain::open::{Opened, network_of, open};
use crate::console::Console;

/// A head may be this old: ten blocks of a chain that makes one in 12 s.
const AGE_SECONDS_MAX: i64 = 120;
/// A head may be this far ahead of this machine's clock.
const AHEAD_SECONDS_MAX: i64 = 6;

#[derive(Debug, Serialize)]
struct Data {
    network: String,
    block: u32,
    hash: String,
    time: String,
    /// Age of the head by this machine's clock, seconds; negative if the clock is behind.
    age_seconds: i64,
    /// What is odd about that age.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<String>,
    finalized_block: u32,
    spec_version: Option<u32>,
    last_drand_round: Option<u64>,
    /// What a new subnet costs.
    lock_cost_rao: Option<String>,
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
    let network = network_of(args)?;
    // The embedded chain keeps a time of its own.
    let has_real_time = !matches!(network, Network::Embedded(_));
    let opened = open(network).await?;
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
        clock: clock(age_seconds(head.time_ms)).filter(|_| has_real_time),
        finalized_block: opened.chain.head(At::Finalized).await?.number.0,
        spec_version: opened.spec_version,
        last_drand_round: where_supported(opened.chain.last_pulse_round(At::Hash(head.hash)).await)?,
        lock_cost_rao: where_supported(opened.chain.lock_cost(At::Hash(head.hash)).await)?
            .map(|cost| cost.to_string()),
        lacks: opened.lacks,
        subnet,
    };
    console.result_at("assay.chain-status/1", BlockNumber(data.block), &data, || {
        text(&data)
    })
}

/// What was read; none where the runtime has no such thing, which it has said in `lacks`.
fn where_supported<T>(read: Result<T, ChainError>) -> Result<Option<T>, ChainError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind, ChainErrorKind::Unsupported { .. }) => Ok(None),
        Err(error) => Err(error),
    }
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

pub(in crate::command) fn age_seconds(time_ms: u64) -> i64 {
    let now = jiff::Timestamp::now().as_millisecond();
    now.saturating_sub(i64::try_from(time_ms).unwrap_or(i64::MAX)) / 1_000
}

/// A warning where the head is from the future or long past.
pub(in crate::command) fn clock(age_seconds: i64) -> Option<String> {
    if age_seconds < -AHEAD_SECONDS_MAX {
        return Some(format!(
            "this machine's clock is {} s behind the chain's: set the clock by NTP",
            -age_seconds
        ));
    }
    (age_seconds > AGE_SECONDS_MAX).then(|| {
        format!("the head is {age_seconds} s old: the node is behind (use another endpoint), or this machine's clock ahead (set it by NTP)")
    })
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
    lines.extend(data.clock.iter().map(|odd| format!("warning      {odd}")));
    if let Some(spec) = data.spec_version {
        lines.push(format!("runtime      {spec}"));
    }
    if let Some(round) = data.last_drand_round {
        lines.push(format!("drand round  {round}"));
    }
    if let Some(cost) = data.lock_cost_rao.as_ref().and_then(|cost| cost.parse().ok()) {
        lines.push(format!("new subnet   {} TAO", tao(assay_types::Rao(cost))));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_far_off_is_told_in_both_directions() {
        for fine in [-6, 0, 12, 120] {
            assert_eq!(clock(fine), None, "{fine}");
        }
        assert!(clock(-7).is_some_and(|odd| odd.contains("7 s behind") && odd.contains("NTP")));
        assert!(clock(3_600).is_some_and(|odd| odd.contains("3600 s old") && odd.contains("NTP")));
    }
}
