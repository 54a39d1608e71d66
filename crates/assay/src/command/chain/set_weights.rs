//! `assay chain weights --set`: sets weights in the clear, or timelocked where the subnet wants it.

use anyhow::Context as _;
use assay_chain::preflight::{CommitState, Preflight, WeightsCall};
use assay_chain::reveal::{BlockClock, reveal_of};
use assay_chain::sealed::{Seal, sealed_weights};
use assay_chain::subtensor::{Committed, await_reveal};
use assay_chain::timelock::Entropy;
use assay_chain::{At, Call, ChainError, PendingCommit};
use assay_types::{Hotkey, MechId, NetUid, Uid, Weight};
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
    let signer = keys::hotkey(&args.signing, console)?;
    let opened = open(network_of(&args.network)?).await?;
    let netuid = NetUid(args.netuid);
    let parameters = opened.chain.hyperparameters(netuid, At::Head).await?;
    let version_key = args.version_key.unwrap_or(parameters.version_key);
    let wanted = Wanted {
        netuid,
        mecid: MechId(args.mechanism),
        weights,
        version_key,
    };
    let (call, reveal_round) = if parameters.commit_reveal {
        let (call, round) = sealed(&opened, &wanted, &signer).await?;
        (call, Some(round))
    } else {
        let plain = wanted.weights_call();
        wanted
            .preflight(&opened, At::Head, &signer, |checks| checks.set_weights(&plain))
            .await?;
        (wanted.plain(), None)
    };
    let data = json!({
        "network": opened.chain.network(), "netuid": netuid, "mechanism": args.mechanism, "weights": wanted.weights,
        "version_key": version_key, "reveal_round": reveal_round,
    });
    if args.dry_run {
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
    revealed(&opened, &call, &signer, &wanted, console).await
}

/// What to set.
struct Wanted {
    netuid: NetUid,
    mecid: MechId,
    weights: Vec<(Uid, Weight)>,
    version_key: u64,
}

impl Wanted {
    fn weights_call(&self) -> WeightsCall<'_> {
        WeightsCall {
            mecid: self.mecid,
            weights: &self.weights,
            version_key: self.version_key,
        }
    }

    /// Checks what the chain would refuse or, at a reveal, drop in silence.
    async fn preflight(
        &self,
        opened: &Opened,
        at: At,
        signer: &Keypair,
        check: impl FnOnce(&Preflight<'_>) -> Result<(), ChainError>,
    ) -> anyhow::Result<()> {
        let hotkey = Hotkey(signer.public_key().0);
        let metagraph = opened.chain.metagraph(self.netuid, at).await?;
        let hyperparameters = opened.chain.hyperparameters(self.netuid, at).await?;
        check(&Preflight {
            metagraph: &metagraph,
            hyperparameters: &hyperparameters,
            hotkey: &hotkey,
        })?;
        Ok(())
    }

    fn plain(&self) -> Call {
        Call::SetWeights {
            netuid: self.netuid,
            mecid: self.mecid,
            weights: self.weights.clone(),
            version_key: self.version_key,
        }
    }
}

/// The call with sealed weights, and the round that opens them; everything is read at one block.
async fn sealed(opened: &Opened, wanted: &Wanted, signer: &Keypair) -> anyhow::Result<(Call, u64)> {
    let chain = &opened.chain;
    let head = chain.head(At::Head).await?;
    let at = At::Hash(head.hash);
    let state = chain.epoch_state(wanted.netuid, at).await?;
    let clock = BlockClock {
        now_ms: head.time_ms,
        block_ms: chain.block_time_ms().await?,
    };
    let reveal = reveal_of(&state, wanted.netuid, clock).context("predict the reveal")?;
    let hotkey = Hotkey(signer.public_key().0);
    let pending = chain.pending_commits(wanted.netuid, wanted.mecid, at).await?;
    let own = |commit: &&PendingCommit| commit.hotkey == hotkey && commit.epoch == reveal.commit_epoch;
    let commit = CommitState {
        reveal_round: reveal.round,
        last_stored_round: chain.last_pulse_round(at).await?,
        open_commits: pending.iter().filter(own).count(),
    };
    let call = wanted.weights_call();
    wanted
        .preflight(opened, at, signer, |checks| checks.commit_weights(&call, commit))
        .await?;
    let beacon = chain.beacon(at).await?;
    let entropy = Entropy::random().context("seal the weights")?;
    let seal = Seal {
        beacon: &beacon,
        round: reveal.round,
    };
    let call = sealed_weights(
        (wanted.netuid, wanted.mecid),
        (&hotkey, wanted.version_key),
        &wanted.weights,
        seal,
        &entropy,
    )
    .context("seal the weights")?;
    Ok((call, reveal.round))
}

/// Sends, then waits until the weights are revealed.
async fn revealed(
    opened: &Opened,
    call: &Call,
    signer: &Keypair,
    wanted: &Wanted,
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
            &wanted.weights,
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
