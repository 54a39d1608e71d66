//! `assay chain set-weights`: sets weights in the clear, or timelocked where the subnet wants it.

use assay_agents::subnet::{SetWeights, set_weights};
use assay_chain::subtensor::{Committed, await_reveal};
use assay_chain::{At, Call};
use assay_types::{Hotkey, MechId, NetUid, Uid};
use serde_json::json;
use subxt_signer::sr25519::Keypair;

use crate::cli::SetWeightsArgs;
use crate::command::chain::open::{Opened, network_of, open};
use crate::command::chain::{keys, send};
use crate::console::Console;
use crate::exit::UsageError;

pub(super) async fn run(args: &SetWeightsArgs, console: &Console) -> anyhow::Result<()> {
    let scores = scores(&args.set)?;
    let weights = assay_chain::quantise(&scores);
    let signer = keys::hotkey(&args.call.signing, console)?;
    let opened = open(network_of(&args.call.network)?).await?;
    if args.wait {
        opened.require_blocks("set-weights --wait")?;
    }
    let netuid = NetUid(args.netuid);
    let parameters = opened.chain.hyperparameters(netuid, At::Head).await?;
    let mecid = MechId(args.mechanism);
    let row = SetWeights {
        netuid,
        mecid,
        weights: &weights,
        version_key: args.version_key,
    };
    let call = set_weights(&*opened.chain, row, &signer).await?;
    let version_key = args.version_key.unwrap_or(parameters.version_key);
    let reveal_round = match &call {
        Call::CommitTimelockedWeights { reveal_round, .. } => Some(*reveal_round),
        _ => None,
    };
    let data = json!({
        "network": opened.chain.network(), "netuid": netuid, "mechanism": args.mechanism, "weights": weights,
        "version_key": version_key, "reveal_round": reveal_round,
    });
    if args.call.dry_run {
        return console.result("assay.chain-set-weights/1", &data, &[], || {
            format!("would send {}\n", call.name())
        });
    }
    if !args.wait {
        return send::send(
            &opened,
            &call,
            &signer,
            ("assay.chain-set-weights/1", data),
            console,
        )
        .await;
    }
    revealed(&opened, (&call, &signer), row, console).await
}

/// Sends, then waits until the weights are revealed.
async fn revealed(
    opened: &Opened,
    (call, signer): (&Call, &Keypair),
    wanted: SetWeights<'_>,
    console: &Console,
) -> anyhow::Result<()> {
    let receipt = opened.chain.submit(call, signer).await?;
    console.note(&format!("in block {}", receipt.block));
    let mut revealed_at = None;
    if let Call::CommitTimelockedWeights {
        commit, reveal_round, ..
    } = call
    {
        console.note(&format!("waiting for drand round {reveal_round} to open them"));
        let committed = Committed::new(
            (wanted.netuid, wanted.mecid),
            Hotkey(signer.public_key().0),
            commit,
            (receipt.block, *reveal_round),
            wanted.weights,
        );
        revealed_at = Some(await_reveal(&*opened.chain, &committed).await?);
    }
    let data = json!({"receipt": receipt, "weights": wanted.weights, "revealed_block": revealed_at});
    console.result_at(
        "assay.chain-set-weights/1",
        receipt.block,
        &data,
        || match revealed_at {
            Some(block) => format!(
                "committed in block {}, revealed by block {block}\n",
                receipt.block
            ),
            None => format!("set in block {}\n", receipt.block),
        },
    )
}

/// `UID=NUMBER` pairs.
fn scores(pairs: &[String]) -> Result<Vec<(Uid, u64)>, UsageError> {
    pairs
        .iter()
        .map(|pair| {
            let read = || {
                let (uid, score) = pair.split_once('=')?;
                Some((Uid(uid.trim().parse().ok()?), score.trim().parse().ok()?))
            };
            read().ok_or_else(|| {
                UsageError::new(format!("`{pair}` is no weight"), "give UID=NUMBER, such as 3=100")
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_pairs_of_uid_and_number() {
        let pairs = ["3=100".to_owned(), "7=1".to_owned()];
        assert_eq!(scores(&pairs).unwrap(), [(Uid(3), 100), (Uid(7), 1)]);
        for wrong in ["3", "x=1", "3=-1", "70000=1"] {
            assert!(scores(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
