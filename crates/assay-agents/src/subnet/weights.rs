//! Sets a validator's weights: in the clear, or sealed where the subnet wants that, after every check the chain would make.

use assay_chain::preflight::{CommitState, Preflight, WeightsCall};
use assay_chain::reveal::{BlockClock, reveal_of};
use assay_chain::sealed::{Seal, sealed_weights};
use assay_chain::timelock::Entropy;
use assay_chain::{At, Call, Chain, PendingCommit};
use assay_types::{Hotkey, MechId, NetUid, Uid, Weight};
use subxt_signer::sr25519::Keypair;

use super::error::AgentError;

/// A row of weights to set.
#[derive(Debug, Clone, Copy)]
pub struct SetWeights<'a> {
    /// Subnet.
    pub netuid: NetUid,
    /// Mechanism.
    pub mecid: MechId,
    /// Targets and weights.
    pub weights: &'a [(Uid, Weight)],
    /// The validator's version; the subnet's if none is given.
    pub version_key: Option<u64>,
}

/// The call that sets `row` for `signer`, made and checked at one block.
///
/// # Errors
/// [`AgentError::Chain`] with the chain's name of what it would refuse, such as the rate limit.
pub async fn set_weights(
    chain: &dyn Chain,
    row: SetWeights<'_>,
    signer: &Keypair,
) -> Result<Call, AgentError> {
    let head = chain.head(At::Head).await?;
    let at = At::Hash(head.hash);
    let hotkey = Hotkey(signer.public_key().0);
    let parameters = chain.hyperparameters(row.netuid, at).await?;
    let metagraph = chain.metagraph(row.netuid, at).await?;
    let version_key = row.version_key.unwrap_or(parameters.version_key);
    let checks = Preflight {
        metagraph: &metagraph,
        hyperparameters: &parameters,
        hotkey: &hotkey,
    };
    let call = WeightsCall {
        mecid: row.mecid,
        weights: row.weights,
        version_key,
    };
    if !parameters.commit_reveal {
        checks.set_weights(&call)?;
        return Ok(Call::SetWeights {
            netuid: row.netuid,
            mecid: row.mecid,
            weights: row.weights.to_vec(),
            version_key,
        });
    }
    let unexpected = |reason: String| AgentError::Unexpected {
        what: "seal the weights",
        reason,
    };
    let state = chain.epoch_state(row.netuid, at).await?;
    let clock = BlockClock {
        now_ms: head.time_ms,
        block_ms: chain.block_time_ms().await?,
    };
    let reveal = reveal_of(&state, row.netuid, clock).map_err(|error| unexpected(error.to_string()))?;
    let pending = chain.pending_commits(row.netuid, row.mecid, at).await?;
    let own = |commit: &&PendingCommit| commit.hotkey == hotkey && commit.epoch == reveal.commit_epoch;
    let commit = CommitState {
        reveal_round: reveal.round,
        last_stored_round: chain.last_pulse_round(at).await?,
        open_commits: pending.iter().filter(own).count(),
    };
    checks.commit_weights(&call, commit)?;
    let beacon = chain.beacon(at).await?;
    let entropy = Entropy::random().map_err(|error| unexpected(error.to_string()))?;
    let seal = Seal {
        beacon: &beacon,
        round: reveal.round,
    };
    sealed_weights(
        (row.netuid, row.mecid),
        (&hotkey, version_key),
        row.weights,
        seal,
        &entropy,
    )
    .map_err(|error| unexpected(error.to_string()))
}
