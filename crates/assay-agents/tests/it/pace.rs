//! A process that may be killed at any of the things it asks of chain and store: before, while and after.
//!
//! An agent's chain and store pass through its [`Pace`]. At each point it draws whether the agent dies there; then the future
//! never goes on, and whoever drives it drops it with all it had in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assay_chain::embedded::EmbeddedChain;
use assay_chain::timelock::Beacon;
use assay_chain::{
    At, BlockHash, Call, Chain, ChainError, ChainErrorKind, Commitment, EpochState, Head, Heads,
    Hyperparameters, Metagraph, PendingCommit, Pulse, Receipt, RevealedCommitment, SubnetIdentity, WeightRow,
};
use assay_hub::store::{Publication, Store, StoreError, View, Visibility};
use assay_types::{BlockNumber, Coldkey, Hotkey, MechId, NetUid, Rao, RepoName, Revision};
use async_trait::async_trait;
use subxt_signer::sr25519::Keypair;

/// One death in so many reads.
const READS_A_DEATH: u64 = 6_000;
/// One death in so many places around a write.
const WRITES_A_DEATH: u64 = 5;

/// SplitMix64.
pub(crate) fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[derive(Debug, Default)]
struct Inner {
    /// Decides who dies where; nobody does without it.
    draws: Option<u64>,
    dead: bool,
    waits: bool,
    lacks_drand: bool,
}

/// How far an agent is, for who drives it.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Inner>);

impl Pace {
    pub(crate) fn new(draws: Option<u64>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner {
            draws,
            ..Inner::default()
        })))
    }

    /// From here on the chain is one whose runtime has no drand.
    pub(crate) fn without_drand(&self) {
        self.inner().lacks_drand = true;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of `every` draws.
    pub(crate) fn draw(&self, every: u64) -> bool {
        let mut inner = self.inner();
        inner
            .draws
            .as_mut()
            .is_some_and(|draws| next(draws).is_multiple_of(every))
    }

    /// A place to die at.
    async fn point(&self, every: u64) {
        if self.draw(every) {
            self.inner().dead = true;
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.inner().dead
    }

    /// Whether it can do nothing before the next block.
    pub(crate) fn waits(&self) -> bool {
        self.inner().waits
    }

    fn set_waits(&self, waits: bool) {
        self.inner().waits = waits;
    }

    pub(crate) fn born_again(&self) {
        let mut inner = self.inner();
        (inner.dead, inner.waits) = (false, false);
    }
}

/// The chain as one agent has it.
#[derive(Debug)]
pub(crate) struct PacedChain {
    pub(crate) inner: EmbeddedChain,
    pub(crate) pace: Arc<Pace>,
}

/// Reads: a place to die, then the answer.
macro_rules! paced {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Chain for PacedChain {
            fn network(&self) -> String {
                self.inner.network()
            }

            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer, ChainError> {
                self.pace.point(READS_A_DEATH).await;
                self.inner.$name($($argument),*).await
            })*

            async fn pulse(&self, round: u64, at: At) -> Result<Option<Pulse>, ChainError> {
                self.pace.point(READS_A_DEATH).await;
                if self.pace.inner().lacks_drand {
                    let missing = vec!["Drand.Pulses".to_owned()];
                    let kind = ChainErrorKind::Unsupported { spec_version: 1, missing };
                    return Err(ChainError::new("read a pulse", kind));
                }
                self.inner.pulse(round, at).await
            }

            async fn submit(&self, call: &Call, signer: &Keypair) -> Result<Receipt, ChainError> {
                self.submit_paced(call, signer).await
            }
        }
    };
}

paced! {
    head(at: At) -> Head;
    heads() -> Heads;
    metagraph(netuid: NetUid, at: At) -> Metagraph;
    hyperparameters(netuid: NetUid, at: At) -> Hyperparameters;
    commitments(netuid: NetUid, at: At) -> Vec<Commitment>;
    revealed_commitments(netuid: NetUid, at: At) -> Vec<RevealedCommitment>;
    weights(netuid: NetUid, mecid: MechId, at: At) -> Vec<WeightRow>;
    bonds(netuid: NetUid, mecid: MechId, at: At) -> Vec<WeightRow>;
    epoch_state(netuid: NetUid, at: At) -> EpochState;
    pending_commits(netuid: NetUid, mecid: MechId, at: At) -> Vec<PendingCommit>;
    weights_revealed(netuid: NetUid, mecid: MechId, at: At) -> Vec<Hotkey>;
    last_pulse_round(at: At) -> u64;
    beacon(at: At) -> Beacon;
    genesis() -> BlockHash;
    block_time_ms() -> u64;
    balance(account: &Coldkey, at: At) -> Rao;
    burn(netuid: NetUid, at: At) -> Rao;
    lock_cost(at: At) -> Rao;
    subnet_identity(netuid: NetUid, at: At) -> Option<SubnetIdentity>;
}

impl PacedChain {
    async fn number(&self) -> Result<BlockNumber, ChainError> {
        Ok(self.inner.head(At::Head).await?.number)
    }

    /// Hands over and waits for the block, with a place to die before, between and after.
    async fn submit_paced(&self, call: &Call, signer: &Keypair) -> Result<Receipt, ChainError> {
        self.pace.point(WRITES_A_DEATH).await;
        let account = Coldkey(signer.public_key().0);
        let before = self.inner.next_nonce(account).await?;
        let mut submitted = std::pin::pin!(self.inner.submit(call, signer));
        let mut sent_at = None;
        let receipt = loop {
            tokio::select! {
                biased;
                receipt = &mut submitted => break receipt,
                () = tokio::task::yield_now() => {}
            }
            let number = self.number().await?;
            if sent_at.is_none() && self.inner.next_nonce(account).await? > before {
                sent_at = Some(number);
                self.pace.point(WRITES_A_DEATH).await;
            }
            self.pace.set_waits(sent_at == Some(number));
        };
        self.pace.set_waits(false);
        self.pace.point(WRITES_A_DEATH).await;
        receipt
    }
}

/// The store as one agent has it.
#[derive(Debug)]
pub(crate) struct PacedStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) pace: Arc<Pace>,
}

#[async_trait]
impl Store for PacedStore {
    fn address(&self) -> String {
        self.inner.address()
    }

    async fn publish(&self, publication: &Publication) -> Result<Revision, StoreError> {
        self.pace.point(WRITES_A_DEATH).await;
        let revision = self.inner.publish(publication).await;
        self.pace.point(WRITES_A_DEATH).await;
        revision
    }

    async fn reveal(&self, repo: &RepoName, revision: &Revision) -> Result<(), StoreError> {
        self.pace.point(WRITES_A_DEATH).await;
        let revealed = self.inner.reveal(repo, revision).await;
        self.pace.point(WRITES_A_DEATH).await;
        revealed
    }

    async fn visibility(&self, repo: &RepoName, revision: &Revision) -> Result<Visibility, StoreError> {
        self.inner.visibility(repo, revision).await
    }

    async fn revisions(&self, repo: &RepoName) -> Result<Vec<Revision>, StoreError> {
        self.inner.revisions(repo).await
    }

    async fn open(&self, repo: &RepoName, revision: &Revision) -> Result<View, StoreError> {
        // An audit reads few submissions, and long.
        self.pace.point(WRITES_A_DEATH * 4).await;
        self.inner.open(repo, revision).await
    }
}
