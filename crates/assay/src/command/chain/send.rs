//! Sends a call and prints its receipt.

use assay_chain::Call;
use serde_json::Value as Json;
use subxt_signer::sr25519::Keypair;

use crate::command::chain::open::Opened;
use crate::console::Console;

/// Sends `call`; the receipt is laid into `data`.
pub(super) async fn send(
    opened: &Opened,
    call: &Call,
    signer: &Keypair,
    (schema, mut data): (&str, Json),
    console: &Console,
) -> anyhow::Result<()> {
    console.note(&format!("sending {} to {}", call.name(), opened.chain.network()));
    let receipt = opened.chain.submit(call, signer).await?;
    if let Some(fields) = data.as_object_mut() {
        fields.insert("receipt".to_owned(), serde_json::to_value(&receipt)?);
    }
    console.result_at(schema, receipt.block, &data, || {
        format!(
            "in block {} {}\ntransaction {}\nevents {}\n",
            receipt.block,
            receipt.hash,
            receipt.extrinsic,
            receipt.events.join(", ")
        )
    })
}
