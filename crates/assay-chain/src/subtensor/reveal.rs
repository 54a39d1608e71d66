//! Whether timelocked weights were really revealed: the chain drops them without a word when anything is wrong.
//!
//! A [`Follower`] looks at a commit until the chain has taken it away, which it does at the reveal and at the end of the
//! reveal epoch, and then for `TimelockedWeightsRevealed` in the block that took it away. The row alone proves nothing: it may
//! have had these weights before. It speaks to any [`Chain`], so the embedded chain is watched like a real one, and may be
//! stored, so that who restarts goes on looking.

use assay_types::{BlockNumber, Digest, Hotkey, MechId, NetUid, Uid, Weight};
use serde::{Deserialize, Serialize};

use crate::subtensor::header::blake2_256;
use crate::{At, Chain, ChainError, ChainErrorKind, Head, Metagraph, PendingCommit};

/// Blocks after the commit is gone for which a reveal is looked for: reads of a node that switches forks may be some blocks
/// apart.
pub const REVEAL_GRACE_BLOCKS: u32 = 10;

/// A commit to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Its weights were stored in this block.
    Revealed(BlockNumber),
    /// That will not happen any more, for this reason.
    Dropped(String),
}

/// A commit and how far it was followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follower {
    committed: Committed,
    /// Newest block in which the chain is known to hold it.
    held_at: BlockNumber,
    /// First block looked at in which it no longer did.
    gone_at: Option<BlockNumber>,
}

/// Follows heads until the weights are revealed; returns the block that did it.
///
/// # Errors
/// [`ChainErrorKind::NotRevealed`] when they are not, with what is known; errors of reading that are not safe to retry.
pub async fn await_reveal(chain: &dyn Chain, committed: &Committed) -> Result<BlockNumber, ChainError> {
    let mut heads = chain.heads().await?;
    let mut follower = Follower::new(committed.clone());
    while let Some(head) = heads.next().await {
        let looked = match head {
            Ok(head) => follower.look(chain, &head).await,
            Err(error) => Err(error),
        };
        match looked {
            Ok(None) => {}
            Ok(Some(Fate::Revealed(block))) => return Ok(block),
            Ok(Some(Fate::Dropped(reason))) => return Err(not_revealed(committed, reason)),
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

impl Follower {
    /// Follows a commit from the block it is in.
    pub const fn new(committed: Committed) -> Self {
        Self {
            held_at: committed.block,
            committed,
            gone_at: None,
        }
    }

    /// The commit.
    pub const fn committed(&self) -> &Committed {
        &self.committed
    }

    /// Newest block in which the chain is known to hold it.
    pub const fn held_at(&self) -> BlockNumber {
        self.held_at
    }

    /// Whether the chain no longer holds it, and nothing tells yet that it was revealed.
    pub const fn is_gone(&self) -> bool {
        self.gone_at.is_some()
    }

    /// What has become of it by the block `head`; `None` while that is open. To be asked at least once in the blocks whose
    /// state nodes keep (256), else only the row can be compared.
    ///
    /// # Errors
    /// Of reading.
    pub async fn look(&mut self, chain: &dyn Chain, head: &Head) -> Result<Option<Fate>, ChainError> {
        let Committed { netuid, mecid, .. } = self.committed;
        let at = At::Hash(head.hash);
        if head.number < self.committed.block {
            return Ok(None);
        }
        let pending = chain.pending_commits(netuid, mecid, at).await?;
        let open = pending.iter().find(|found| is_same(found, &self.committed));
        if let Some(open) = open {
            self.gone_at = None;
            self.held_at = self.held_at.max(head.number);
            let state = chain.epoch_state(netuid, at).await?;
            if state.epoch_index <= open.epoch.saturating_add(state.reveal_period_epochs) {
                return Ok(None);
            }
            return self.dropped(chain, at, true).await.map(Some);
        }
        if let Some(block) = self.revealed_in(chain, head).await? {
            return Ok(Some(Fate::Revealed(block)));
        }
        let gone = self.gone_at.get_or_insert(head.number).0;
        if head.number.0.saturating_sub(gone) < REVEAL_GRACE_BLOCKS {
            return Ok(None);
        }
        self.dropped(chain, at, false).await.map(Some)
    }

    /// The block that revealed it, if one up to `head` did.
    async fn revealed_in(&self, chain: &dyn Chain, head: &Head) -> Result<Option<BlockNumber>, ChainError> {
        match self.by_event(chain, head.number).await {
            // A runtime without the event, or a node that has forgotten the blocks in question.
            Err(error)
                if matches!(
                    error.kind,
                    ChainErrorKind::Unsupported { .. }
                        | ChainErrorKind::NotFound { .. }
                        | ChainErrorKind::Answer { .. }
                ) =>
            {
                let is_stored = self.is_stored(chain, At::Hash(head.hash)).await?;
                Ok(is_stored.then_some(head.number))
            }
            found => found,
        }
    }

    /// Looks into the block that took the commit away.
    async fn by_event(
        &self,
        chain: &dyn Chain,
        newest: BlockNumber,
    ) -> Result<Option<BlockNumber>, ChainError> {
        let Committed { netuid, mecid, .. } = self.committed;
        let Some((before, block)) = self.taken_away(chain, newest).await? else {
            return Ok(None);
        };
        let at = At::Number(block);
        let events = chain.weights_revealed(netuid, mecid, at).await?;
        let revealed = events.iter().filter(|who| **who == self.committed.hotkey).count();
        if revealed == 0 {
            return Ok(None);
        }
        // An event does not say which commit it is about: of several taken away in one block, all or none is clear.
        let after = chain.pending_commits(netuid, mecid, at).await?;
        let own = |found: &&PendingCommit| found.hotkey == self.committed.hotkey;
        let gone = before.iter().filter(own).filter(|found| !after.contains(found));
        if revealed >= gone.count() || self.is_stored(chain, at).await? {
            return Ok(Some(block));
        }
        Ok(None)
    }

    /// The first block without the commit, with the commits of the block before it; halves what lies between.
    async fn taken_away(
        &self,
        chain: &dyn Chain,
        newest: BlockNumber,
    ) -> Result<Option<(Vec<PendingCommit>, BlockNumber)>, ChainError> {
        let (mut held, mut gone) = (self.held_at.0, newest.0);
        if held >= gone {
            return Ok(None);
        }
        let mut before = self.pending(chain, held).await?;
        while gone - held > 1 {
            let middle = held + (gone - held) / 2;
            let found = self.pending(chain, middle).await?;
            if found.iter().any(|found| is_same(found, &self.committed)) {
                (held, before) = (middle, found);
            } else {
                gone = middle;
            }
        }
        Ok(Some((before, BlockNumber(gone))))
    }

    async fn pending(&self, chain: &dyn Chain, block: u32) -> Result<Vec<PendingCommit>, ChainError> {
        let Committed { netuid, mecid, .. } = self.committed;
        let at = At::Number(BlockNumber(block));
        chain.pending_commits(netuid, mecid, at).await
    }

    /// Whether the row of the hotkey is what was committed.
    async fn is_stored(&self, chain: &dyn Chain, at: At) -> Result<bool, ChainError> {
        let Committed { netuid, mecid, .. } = self.committed;
        let metagraph = chain.metagraph(netuid, at).await?;
        let uid = metagraph.neuron(&self.committed.hotkey).map(|neuron| neuron.uid);
        let rows = chain.weights(netuid, mecid, at).await?;
        let row = rows.iter().find(|row| Some(row.uid) == uid);
        Ok(row.is_some_and(|row| row.weights == self.committed.weights))
    }

    async fn dropped(&self, chain: &dyn Chain, at: At, open: bool) -> Result<Fate, ChainError> {
        let metagraph = chain.metagraph(self.committed.netuid, at).await?;
        let has_pulse = match chain.pulse(self.committed.reveal_round, at).await {
            // Nothing is known of pulses then: the reason is another one.
            Err(error) if matches!(error.kind, ChainErrorKind::Unsupported { .. }) => true,
            pulse => pulse?.is_some(),
        };
        Ok(Fate::Dropped(reason(
            &self.committed,
            &metagraph,
            open,
            has_pulse,
        )))
    }
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
