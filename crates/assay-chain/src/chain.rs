//! The trait both backends implement.

use assay_types::{Coldkey, Hotkey, MechId, NetUid, Rao};
use async_trait::async_trait;
use subxt_signer::sr25519::Keypair;

use crate::drand::QUICKNET;
use crate::timelock::Beacon;
use crate::{
    At, BlockHash, Call, ChainError, Commitment, EpochState, Head, Heads, Hyperparameters, Metagraph,
    PendingCommit, Pulse, Receipt, RevealedCommitment, SubnetIdentity, WeightRow,
};

/// A chain with subnets. Every read is of one block; every write is a signed [`Call`].
#[async_trait]
pub trait Chain: Send + Sync + std::fmt::Debug {
    /// What it is connected to, for people: `finney`, `embedded`, `ws://…`.
    fn network(&self) -> String;

    /// The block `at` means now.
    async fn head(&self, at: At) -> Result<Head, ChainError>;

    /// New heads from now on, gaps healed.
    async fn heads(&self) -> Result<Heads, ChainError>;

    /// Neurons of a subnet.
    async fn metagraph(&self, netuid: NetUid, at: At) -> Result<Metagraph, ChainError>;

    /// Hyper-parameters of a subnet.
    async fn hyperparameters(&self, netuid: NetUid, at: At) -> Result<Hyperparameters, ChainError>;

    /// Commitments that stand, in hotkey order.
    async fn commitments(&self, netuid: NetUid, at: At) -> Result<Vec<Commitment>, ChainError>;

    /// The last ten opened timelocked fields of each hotkey, in hotkey order, oldest first.
    async fn revealed_commitments(
        &self,
        netuid: NetUid,
        at: At,
    ) -> Result<Vec<RevealedCommitment>, ChainError>;

    /// Stored weights, in uid order.
    async fn weights(&self, netuid: NetUid, mecid: MechId, at: At) -> Result<Vec<WeightRow>, ChainError>;

    /// Stored bonds, in uid order.
    async fn bonds(&self, netuid: NetUid, mecid: MechId, at: At) -> Result<Vec<WeightRow>, ChainError>;

    /// When the subnet's epochs run.
    async fn epoch_state(&self, netuid: NetUid, at: At) -> Result<EpochState, ChainError>;

    /// Weight commits that are not revealed yet.
    async fn pending_commits(
        &self,
        netuid: NetUid,
        mecid: MechId,
        at: At,
    ) -> Result<Vec<PendingCommit>, ChainError>;

    /// Hotkeys whose timelocked weights the chain opened and stored in that block, in order, once for each commit.
    ///
    /// # Errors
    /// [`crate::ChainErrorKind::Unsupported`] where the runtime has no event of it.
    async fn weights_revealed(
        &self,
        netuid: NetUid,
        mecid: MechId,
        at: At,
    ) -> Result<Vec<Hotkey>, ChainError>;

    /// A stored pulse; `None` before it is there and after it was pruned.
    async fn pulse(&self, round: u64, at: At) -> Result<Option<Pulse>, ChainError>;

    /// The newest drand round stored; 0 = none.
    async fn last_pulse_round(&self, at: At) -> Result<u64, ChainError>;

    /// Whose pulses open what is sealed for this chain: drand quicknet, unless the chain has a beacon of its own.
    async fn beacon(&self, at: At) -> Result<Beacon, ChainError> {
        let _ = at;
        Ok(QUICKNET)
    }

    /// Hash of block 0, which names the chain.
    async fn genesis(&self) -> Result<BlockHash, ChainError>;

    /// Time between blocks when none is missed (`Aura.SlotDuration`), milliseconds.
    async fn block_time_ms(&self) -> Result<u64, ChainError>;

    /// Free TAO of an account.
    async fn balance(&self, account: &Coldkey, at: At) -> Result<Rao, ChainError>;

    /// What a registration costs now.
    async fn burn(&self, netuid: NetUid, at: At) -> Result<Rao, ChainError>;

    /// What a new subnet costs now.
    async fn lock_cost(&self, at: At) -> Result<Rao, ChainError>;

    /// What the subnet says of itself.
    async fn subnet_identity(&self, netuid: NetUid, at: At) -> Result<Option<SubnetIdentity>, ChainError>;

    /// Signs, sends and waits until the transaction is in a block; it succeeded there.
    ///
    /// # Errors
    /// [`ChainError`]; [`ChainError::retry_is_safe`] tells whether the same call may be sent again.
    async fn submit(&self, call: &Call, signer: &Keypair) -> Result<Receipt, ChainError>;
}
