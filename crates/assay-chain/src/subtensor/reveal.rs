//! Whether timelocked weights were really revealed: the chain drops them without a word when anything is wrong.
//!
//! [`await_reveal`] follows one commit until the chain has taken it away, which it does at the reveal and at the end of the
//! reveal epoch, and compares the stored row. A row that had these weights before counts as revealed. It speaks to any [`Chain`], so the embedded chain is watched like a real one.

use assay_types::{BlockNumber, Digest, Hotkey, MechId, NetUid, Uid, Weight};

use crate::subtensor::header::blake2_256;
use crate::{At, Chain, ChainError, ChainErrorKind, Metagraph, PendingCommit};

/// Blocks after the commit is gone within which the row must be there: both change in one block, and reads of a node that
/// switches forks may be some blocks apart.
pub const REVEAL_GRACE_BLOCKS: u32 = 10;

/// A commit to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Subnet.
    pub netuid: NetUid,
    /// Mechanism.
    pub mecid: MechId,
    /// Who committed.
    pub hotkey: Hotkey,
    /// BLAKE2b-256 of the ciphertext.
    pub commit: Digest,
    /// Block of the commit.
    pub block: BlockNumber,
    /// drand round that opens it.
    pub reveal_round: u64,
    /// The weights inside, as the chain stores them (largest 65,535), by ascending uid.
    pub weights: Vec<(Uid, Weight)>,
}

impl Committed {
    /// A commit of `weights` as `ciphertext`, in a block, for a drand round.
    pub fn new(
        (netuid, mecid): (NetUid, MechId),
        hotkey: Hotkey,
        ciphertext: &[u8],
        (block, reveal_round): (BlockNumber, u64),
        weights: &[(Uid, Weight)],
    ) -> Self {
        let mut weights = weights.to_vec();
        weights.sort_by_key(|(uid, _)| *uid);
        Self {
            netuid,
            mecid,
            hotkey,
            commit: Digest(blake2_256(ciphertext)),
            block,
            reveal_round,
            weights,
        }
    }
}

/// Where a commit stands.
#[derive(Debug)]
enum Standing {
    /// The chain still holds it and its reveal epoch is not over, or has just let it go.
    Waiting,
    /// The row is stored.
    Revealed,
    /// It will not happen any more.
    Lost(String),
}

/// Follows heads until the weights are revealed.
///
/// # Errors
/// [`ChainErrorKind::NotRevealed`] when they are not, with what is known; errors of reading that are not safe to retry.
pub async fn await_reveal(chain: &dyn Chain, committed: &Committed) -> Result<BlockNumber, ChainError> {
    let mut heads = chain.heads().await?;
    let mut gone_at = None;
    while let Some(head) = heads.next().await {
        let head = match head {
            Ok(head) => head,
            Err(error) if error.retry_is_safe() => {
                tracing::warn!("{error}");
                continue;
            }
            Err(error) => return Err(error),
        };
        match standing(chain, committed, At::Hash(head.hash), &mut gone_at).await {
            Ok(Standing::Waiting) => {}
            Ok(Standing::Revealed) => return Ok(head.number),
            Ok(Standing::Lost(reason)) => return Err(not_revealed(committed, reason)),
            Err(error) if error.retry_is_safe() => tracing::warn!("{error}"),
            Err(error) => return Err(error),
        }
    }
    Err(not_revealed(
        committed,
        "the chain ended before the pulse came".to_owned(),
    ))
}

fn not_revealed(committed: &Committed, reason: String) -> ChainError {
    let kind = ChainErrorKind::NotRevealed {
        block: committed.block.0,
        reveal_round: committed.reveal_round,
        reason,
    };
    ChainError::new(format!("reveal weights on subnet {}", committed.netuid), kind)
}

/// Where a commit stands at one block; `gone_at` keeps the first block in which the chain no longer held it.
async fn standing(
    chain: &dyn Chain,
    committed: &Committed,
    at: At,
    gone_at: &mut Option<BlockNumber>,
) -> Result<Standing, ChainError> {
    let (netuid, mecid) = (committed.netuid, committed.mecid);
    let metagraph = chain.metagraph(netuid, at).await?;
    if metagraph.block < committed.block {
        return Ok(Standing::Waiting);
    }
    let pending = chain.pending_commits(netuid, mecid, at).await?;
    let open = pending.iter().find(|found| is_same(found, committed));
    if let Some(open) = open {
        *gone_at = None;
        let state = chain.epoch_state(netuid, at).await?;
        if state.epoch_index <= open.epoch.saturating_add(state.reveal_period_epochs) {
            return Ok(Standing::Waiting);
        }
    } else {
        let rows = chain.weights(netuid, mecid, at).await?;
        let uid = metagraph.neuron(&committed.hotkey).map(|neuron| neuron.uid);
        let row = rows.iter().find(|row| Some(row.uid) == uid);
        if row.is_some_and(|row| row.weights == committed.weights) {
            return Ok(Standing::Revealed);
        }
        let gone = gone_at.get_or_insert(metagraph.block).0;
        if metagraph.block.0.saturating_sub(gone) < REVEAL_GRACE_BLOCKS {
            return Ok(Standing::Waiting);
        }
    }
    let has_pulse = chain.pulse(committed.reveal_round, at).await?.is_some();
    let reason = reason(committed, &metagraph, open.is_some(), has_pulse);
    Ok(Standing::Lost(reason))
}

fn is_same(found: &PendingCommit, committed: &Committed) -> bool {
    found.hotkey == committed.hotkey && found.commit == committed.commit
}

/// The likeliest cause, from what can be seen.
fn reason(committed: &Committed, metagraph: &Metagraph, open: bool, has_pulse: bool) -> String {
    let Some(neuron) = metagraph.neuron(&committed.hotkey) else {
        return "the hotkey is no longer registered".to_owned();
    };
    if !has_pulse {
        return format!("the chain has no pulse of round {}", committed.reveal_round);
    }
    if open {
        return "its reveal epoch is over and the chain still holds it".to_owned();
    }
    if !neuron.permit {
        return format!("uid {} has no validator permit", neuron.uid);
    }
    "the chain dropped it: ciphertext, version key, uids or length were refused".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_silent_failure_is_safe_to_retry() {
        let committed = Committed {
            netuid: NetUid(7),
            mecid: MechId(0),
            hotkey: Hotkey([1; 32]),
            commit: Digest([2; 32]),
            block: BlockNumber(10),
            reveal_round: 99,
            weights: vec![(Uid(1), Weight(65_535))],
        };
        let metagraph = Metagraph {
            netuid: NetUid(7),
            block: BlockNumber(30),
            hash: Digest([3; 32]),
            owner_hotkey: None,
            owner_coldkey: None,
            neurons: Vec::new(),
        };
        let why = reason(&committed, &metagraph, false, true);
        let error = not_revealed(&committed, why);
        assert!(error.retry_is_safe());
        assert_eq!(
            error.to_string(),
            "reveal weights on subnet 7: weights committed at block 10 for drand round 99 were not revealed: \
             the hotkey is no longer registered"
        );
    }
}
