//! `assay chain metagraph`: the neurons of a subnet at one block.

use assay_chain::Neuron;
use serde::Serialize;

use crate::cli::SubnetArgs;
use crate::command::chain::amounts::{share, short_key, tao};
use crate::command::chain::open;
use crate::command::chain::table::table;
use crate::console::Console;

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Data {
    network: String,
    netuid: u16,
    block: u32,
    hash: String,
    owner_hotkey: Option<String>,
    owner_coldkey: Option<String>,
    neurons: Vec<NeuronData>,
}

#[derive(Debug, Serialize)]
struct NeuronData {
    uid: u16,
    hotkey: String,
    coldkey: String,
    stake_rao: String,
    permit: bool,
    active: bool,
    incentive: u16,
    dividends: u16,
    consensus: u16,
    vtrust: u16,
    emission_rao: String,
    last_update_block: u32,
    registered_block: u32,
    immunity_left_blocks: u32,
    axon: Option<String>,
}

impl From<&Neuron> for NeuronData {
    fn from(neuron: &Neuron) -> Self {
        Self {
            uid: neuron.uid.0,
            hotkey: neuron.hotkey.to_ss58(),
            coldkey: neuron.coldkey.to_ss58(),
            // Integers above 2^53 are strings (docs: amounts in rao may be).
            stake_rao: neuron.stake.to_string(),
            permit: neuron.permit,
            active: neuron.active,
            incentive: neuron.incentive,
            dividends: neuron.dividends,
            consensus: neuron.consensus,
            vtrust: neuron.vtrust,
            emission_rao: neuron.emission.to_string(),
            last_update_block: neuron.last_update.0,
            registered_block: neuron.registered.0,
            immunity_left_blocks: neuron.immunity_left,
            axon: neuron.axon.map(|axon| axon.to_string()),
        }
    }
}

const HEAD: [&str; 11] = [
    "uid",
    "hotkey",
    "stake",
    "permit",
    "incentive",
    "dividends",
    "consensus",
    "vtrust",
    "emission",
    "updated",
    "immune",
];

pub(super) async fn run(args: &SubnetArgs, console: &Console) -> anyhow::Result<()> {
    let (opened, netuid, at) = open::subnet(args).await?;
    let metagraph = opened.chain.metagraph(netuid, at).await?;
    let data = Data {
        network: opened.chain.network(),
        netuid: netuid.0,
        block: metagraph.block.0,
        hash: metagraph.hash.to_string(),
        owner_hotkey: metagraph.owner_hotkey.map(|key| key.to_ss58()),
        owner_coldkey: metagraph.owner_coldkey.map(|key| key.to_ss58()),
        neurons: metagraph.neurons.iter().map(NeuronData::from).collect(),
    };
    let rows = || -> Vec<Vec<String>> {
        metagraph
            .neurons
            .iter()
            .map(|n| row(n, metagraph.block.0))
            .collect()
    };
    console.note(&format!(
        "subnet {netuid} of {} at block {}: {} neurons",
        data.network,
        data.block,
        data.neurons.len()
    ));
    console.result_at("assay.chain-metagraph/1", metagraph.block, &data, || {
        table(&HEAD, &rows())
    })
}

fn row(neuron: &Neuron, block: u32) -> Vec<String> {
    vec![
        neuron.uid.to_string(),
        short_key(&neuron.hotkey),
        tao(neuron.stake),
        if neuron.permit { "yes" } else { "-" }.to_owned(),
        share(neuron.incentive),
        share(neuron.dividends),
        share(neuron.consensus),
        share(neuron.vtrust),
        tao(neuron.emission),
        block.saturating_sub(neuron.last_update.0).to_string(),
        neuron.immunity_left.to_string(),
    ]
}
