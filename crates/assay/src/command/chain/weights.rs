//! `assay chain weights`: the rows validators have set, or the commits that wait for their pulse.

use assay_chain::{At, PendingCommit, WeightRow};
use assay_types::MechId;
use serde::Serialize;

use crate::cli::SubnetArgs;
use crate::command::chain::amounts::{share, short_key};
use crate::command::chain::open;
use crate::command::chain::table::table;
use crate::console::Console;

#[derive(Debug, Serialize)]
struct Data {
    network: String,
    netuid: u16,
    mechanism: u8,
    block: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<Vec<WeightRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Vec<PendingCommit>>,
}

pub(super) async fn run(
    args: &SubnetArgs,
    mechanism: u8,
    pending: bool,
    console: &Console,
) -> anyhow::Result<()> {
    let (opened, netuid, at) = open::subnet(args).await?;
    let (chain, mecid) = (opened.chain, MechId(mechanism));
    let head = chain.head(at).await?;
    let at = At::Hash(head.hash);
    let mut data = Data {
        network: chain.network(),
        netuid: netuid.0,
        mechanism,
        block: head.number.0,
        weights: None,
        pending: None,
    };
    if pending {
        data.pending = Some(chain.pending_commits(netuid, mecid, at).await?);
    } else {
        data.weights = Some(chain.weights(netuid, mecid, at).await?);
    }
    console.result_at("assay.chain-weights/1", head.number, &data, || text(&data))
}

fn text(data: &Data) -> String {
    if let Some(pending) = &data.pending {
        let rows: Vec<Vec<String>> = pending
            .iter()
            .map(|commit| {
                vec![
                    short_key(&commit.hotkey),
                    commit.epoch.to_string(),
                    commit.block.to_string(),
                    commit.reveal_round.to_string(),
                ]
            })
            .collect();
        return table(&["hotkey", "epoch", "block", "opens with round"], &rows);
    }
    let rows: Vec<Vec<String>> = data
        .weights
        .iter()
        .flatten()
        .flat_map(|row| {
            row.weights
                .iter()
                .map(|(to, weight)| vec![row.uid.to_string(), to.to_string(), share(weight.0)])
        })
        .collect();
    table(&["validator", "uid", "weight"], &rows)
}
