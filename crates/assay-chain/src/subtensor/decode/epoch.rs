//! When epochs run, and the beacon's pulses.

use assay_types::{BlockNumber, Digest, NetUid};
use subxt::ext::scale_value::Value;

use crate::subtensor::encode::SUBTENSOR;
use crate::subtensor::node::Node;
use crate::subtensor::view::{View, Wanted};
use crate::{ChainError, EpochState, Pulse};

/// Entries of [`EpochState`], in its order.
pub(crate) const ENTRIES: [&str; 6] = [
    "Tempo",
    "LastEpochBlock",
    "PendingEpochAt",
    "SubnetEpochIndex",
    "BlocksSinceLastStep",
    "RevealPeriodEpochs",
];

/// Reads the epoch state; on runtimes without stateful epochs the index is counted from the block.
pub(crate) async fn state(view: &View<'_>, netuid: NetUid) -> Result<EpochState, ChainError> {
    let wanted: Vec<Wanted<'_>> = ENTRIES
        .iter()
        .map(|entry| (SUBTENSOR, *entry, vec![Value::from(netuid.0)]))
        .collect();
    let values = view.values(&wanted).await?;
    let number = |at: usize| values.get(at).and_then(|value| value.as_ref()?.number::<u64>());
    let tempo = view.required(number(0).and_then(|tempo| u16::try_from(tempo).ok()), "Tempo")?;
    let block = view.head.number;
    let height = |number: u64| u32::try_from(number).ok().map(BlockNumber);
    Ok(EpochState {
        block,
        tempo,
        last_epoch: number(1).and_then(height),
        pending_epoch_at: number(2).and_then(height).unwrap_or_default(),
        epoch_index: number(3).unwrap_or_else(|| counted(block, netuid, tempo)),
        blocks_since_last_step: number(4).unwrap_or_default(),
        reveal_period_epochs: number(5).unwrap_or(1),
    })
}

/// Epoch of a block where epochs run at (block + netuid + 1) mod (tempo + 1) = 0 (opentensor/subtensor, specs 365 and
/// 393, `get_epoch_index`).
fn counted(block: BlockNumber, netuid: NetUid, tempo: u16) -> u64 {
    (u64::from(block.0) + u64::from(netuid.0) + 1) / (u64::from(tempo) + 1)
}

/// A stored pulse.
pub(crate) async fn pulse(view: &View<'_>, round: u64) -> Result<Option<Pulse>, ChainError> {
    let Some(node) = view.value("Drand", "Pulses", &[Value::from(round)]).await? else {
        return Ok(None);
    };
    let randomness = node.field("randomness").and_then(Node::bytes32);
    let signature = node.field("signature").and_then(Node::bytes);
    let pulse = Pulse {
        round: view.required(node.field("round").and_then(Node::number), "Pulses.round")?,
        randomness: Digest(view.required(randomness, "Pulses.randomness")?),
        signature: view.required(signature, "Pulses.signature")?,
    };
    Ok((pulse.round == round).then_some(pulse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_of_older_runtimes_are_counted() {
        assert_eq!(counted(BlockNumber(359), NetUid(0), 360), 0);
        assert_eq!(counted(BlockNumber(360), NetUid(0), 360), 1);
        assert_eq!(counted(BlockNumber(353), NetUid(7), 360), 1);
    }
}
