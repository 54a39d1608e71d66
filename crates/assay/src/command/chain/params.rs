//! `assay chain params`: the hyper-parameters of a subnet, with the value of a new subnet beside each.

use assay_chain::Hyperparameters;
use serde::Serialize;

use crate::cli::SubnetArgs;
use crate::command::chain::open;
use crate::command::chain::table::table;
use crate::console::Console;

#[derive(Debug, Serialize)]
struct Data {
    network: String,
    netuid: u16,
    block: u32,
    parameters: Hyperparameters,
}

pub(super) async fn run(args: &SubnetArgs, console: &Console) -> anyhow::Result<()> {
    let (opened, netuid, at) = open::subnet(args).await?;
    let head = opened.chain.head(at).await?;
    let at = assay_chain::At::Hash(head.hash);
    let data = Data {
        network: opened.chain.network(),
        netuid: netuid.0,
        block: head.number.0,
        parameters: opened.chain.hyperparameters(netuid, at).await?,
    };
    let rows = rows(&data.parameters)?;
    console.result_at("assay.chain-params/1", head.number, &data, || {
        table(&["parameter", "value", "new subnet"], &rows)
    })
}

fn rows(parameters: &Hyperparameters) -> anyhow::Result<Vec<Vec<String>>> {
    let values = serde_json::to_value(parameters)?;
    let fresh = serde_json::to_value(Hyperparameters::default())?;
    let fields = values.as_object().into_iter().flatten();
    Ok(fields
        .map(|(name, value)| {
            let new = fresh.get(name).map(ToString::to_string).unwrap_or_default();
            vec![name.clone(), value.to_string(), new]
        })
        .collect())
}
