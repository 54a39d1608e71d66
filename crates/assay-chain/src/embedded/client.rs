//! The [`Chain`] of an embedded chain, the same in-process and over its socket.
//!
//! A call is signed for the newest block with a short era and handed over; then the blocks are searched for it until it
//! is found or its era is over. A lost reply, a dropped connection or a reorganisation change nothing about that.

use std::sync::Arc;

use assay_types::{Coldkey, Digest, Hotkey, MechId, NetUid, Rao};
use async_trait::async_trait;
use subxt_signer::sr25519::Keypair;
use tokio::sync::{mpsc, watch};

use super::extrinsic::{ERA_BLOCKS_MAX, Extrinsic, Order, Signed, fits, hash_of};
use super::heads::HeadStream;
use super::link::Link;
use super::node::{Node, Tip};
use super::query::{Answer, Inclusion, Query, Runtime};
use super::state::{Event, TIMELOCKED_WEIGHTS_REVEALED, Totals, storage_index};
use crate::timelock::Beacon;
use crate::{
    At, BIG_RAW_BYTES_MAX, BlockHash, Call, Chain, ChainError, ChainErrorKind, Commitment, EpochState, Head,
    Heads, Hyperparameters, Metagraph, PendingCommit, Pulse, Receipt, RevealedCommitment, SubnetIdentity,
    TIMELOCKED_BYTES_MAX, WeightRow,
};

/// Blocks a transaction lives.
const ERA_BLOCKS: u16 = 32;
/// Signatures of one call: a stale nonce or another runtime is met by signing again.
const SIGNATURES_MAX: u32 = 4;
/// Heads waiting for their reader.
const HEADS_MAX: usize = 256;
/// Longest wait for a new head before the chain counts as silent once.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(30);
/// Silences and failed reads after which a transaction's fate counts as unknown.
const SILENCES_MAX: u32 = 20;

/// A client of an embedded chain.
#[derive(Clone)]
pub struct EmbeddedChain {
    link: Arc<dyn Link>,
    era_blocks: u16,
    /// Held from reading a nonce to handing over: two calls of one process never take the same.
    order: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for EmbeddedChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EmbeddedChain({})", self.link.endpoint())
    }
}

impl From<Node> for EmbeddedChain {
    fn from(node: Node) -> Self {
        Self::over(Arc::new(node))
    }
}

/// The value of one variant of an answer; anything else is no answer.
macro_rules! expect_answer {
    ($self:ident, $query:expr, $at:expr, $variant:ident) => {{
        let query = $query;
        let operation = query.operation();
        match $self.link.read(query, $at).await? {
            Answer::$variant(value) => Ok(value),
            _ => Err(mismatch(operation)),
        }
    }};
}

impl EmbeddedChain {
    pub(crate) fn over(link: Arc<dyn Link>) -> Self {
        Self {
            link,
            era_blocks: ERA_BLOCKS,
            order: Arc::default(),
        }
    }

    /// The same client with another era for its transactions, blocks; at least 1.
    #[must_use]
    pub fn with_era(mut self, era_blocks: u16) -> Self {
        self.era_blocks = era_blocks.clamp(1, ERA_BLOCKS_MAX as u16);
        self
    }

    /// Everything that happened in a block.
    pub async fn events(&self, at: At) -> Result<Vec<Event>, ChainError> {
        expect_answer!(self, Query::Events, at, Events)
    }

    /// Where all TAO and alpha are.
    pub async fn totals(&self, at: At) -> Result<Totals, ChainError> {
        expect_answer!(self, Query::Totals, at, Totals)
    }

    /// `spec_version` of a block.
    pub async fn spec_version(&self, at: At) -> Result<u32, ChainError> {
        let runtime: Result<Runtime, ChainError> = expect_answer!(self, Query::Runtime, at, Runtime);
        Ok(runtime?.spec_version)
    }

    /// Signs a call and hands it over without waiting for a block; gives the bytes that were sent.
    pub async fn send(&self, call: &Call, signer: &Keypair) -> Result<Vec<u8>, ChainError> {
        let order = self.order.lock().await;
        let extrinsic = self.sign(call, signer).await?;
        self.link.send(extrinsic.bytes()).await?;
        drop(order);
        Ok(extrinsic.bytes().to_vec())
    }

    /// Hands over bytes as they are; gives the transaction's hash.
    pub async fn send_raw(&self, bytes: &[u8]) -> Result<Digest, ChainError> {
        self.link.send(bytes).await
    }

    /// The next nonce of an account, transactions that wait counted.
    pub async fn next_nonce(&self, account: Coldkey) -> Result<u32, ChainError> {
        self.link.nonce(account).await
    }

    async fn sign(&self, call: &Call, signer: &Keypair) -> Result<Extrinsic, ChainError> {
        let runtime: Result<Runtime, ChainError> = expect_answer!(self, Query::Runtime, At::Head, Runtime);
        let runtime = runtime?;
        let head = self.head(At::Head).await?;
        let nonce = self.link.nonce(Coldkey(signer.public_key().0)).await?;
        let order = Order {
            nonce,
            birth: head.number.0,
            period: self.era_blocks,
        };
        let signed = Signed {
            genesis: runtime.genesis,
            birth: head.hash,
            spec_version: runtime.spec_version,
        };
        Ok(Extrinsic::sign(call, signer, order, &signed))
    }

    /// Searches blocks for a transaction until its era is over.
    async fn watch(
        &self,
        extrinsic: &Extrinsic,
        tips: &mut watch::Receiver<Tip>,
    ) -> Result<Inclusion, ChainError> {
        let operation = extrinsic.call.name();
        let query = Query::Inclusion {
            extrinsic: hash_of(extrinsic.bytes()),
        };
        let era_end = extrinsic.order.era_end();
        let mut silences = 0;
        loop {
            // The head first: a block made in between is searched, too.
            let head = self.link.read(Query::Head, At::Head).await;
            match self.link.read(query.clone(), At::Head).await {
                Ok(Answer::Inclusion(Some(found))) => return Ok(found),
                Ok(Answer::Inclusion(None)) => {}
                Ok(_) => return Err(mismatch(operation.to_owned())),
                Err(error) if error.retry_is_safe() => silences += 1,
                Err(error) => return Err(error),
            }
            if let Ok(Answer::Head(head)) = head
                && head.number.0 >= era_end
            {
                return Err(ChainError::new(operation, ChainErrorKind::Expired { era_end }));
            }
            if silences >= SILENCES_MAX {
                let repeatable = extrinsic.call.repeatable();
                let kind = ChainErrorKind::Unresolved { era_end, repeatable };
                return Err(ChainError::new(operation, kind));
            }
            let Ok(changed) = tokio::time::timeout(SILENCE, tips.changed()).await else {
                silences += 1;
                continue;
            };
            if changed.is_err() {
                let reason = "the embedded chain has ended".to_owned();
                return Err(ChainError::new(operation, ChainErrorKind::State { reason }));
            }
        }
    }
}

/// Whether signing anew for the newest block may help.
fn is_outdated(error: &ChainError) -> bool {
    match &error.kind {
        ChainErrorKind::Pool {
            code: 1010,
            custom: None,
            message,
        } => ["outdated", "ancient", "bad signature"]
            .iter()
            .any(|word| message.contains(word)),
        ChainErrorKind::Pool {
            code: 1013 | 1014, ..
        } => true,
        _ => false,
    }
}

/// Whose timelocked weights were opened, by the events of a block.
fn revealed(events: &[Event], netuid: NetUid, mecid: MechId) -> Vec<Hotkey> {
    let index = u64::from(storage_index(netuid, mecid));
    let is_of_index = |event: &&Event| {
        event.name == TIMELOCKED_WEIGHTS_REVEALED
            && event.fields.get("index").and_then(serde_json::Value::as_u64) == Some(index)
    };
    let who = |event: &Event| serde_json::from_value(event.fields.get("who")?.clone()).ok();
    events.iter().filter(is_of_index).filter_map(who).collect()
}

fn mismatch(operation: String) -> ChainError {
    let reason = "the answer is to another question; both sides must be of one version".to_owned();
    ChainError::new(operation, ChainErrorKind::Answer { reason })
}

#[async_trait]
impl Chain for EmbeddedChain {
    fn network(&self) -> String {
        self.link.endpoint()
    }

    async fn head(&self, at: At) -> Result<Head, ChainError> {
        expect_answer!(self, Query::Head, at, Head)
    }

    async fn heads(&self) -> Result<Heads, ChainError> {
        let (sender, receiver) = mpsc::channel(HEADS_MAX);
        let mut tips = self.link.tips();
        tips.mark_unchanged();
        let head = self.head(At::Head).await?;
        let stream = HeadStream {
            link: Arc::clone(&self.link),
            tips,
            next: head.number.0.saturating_add(1),
            sender,
        };
        tokio::spawn(stream.run());
        Ok(Heads::new(receiver))
    }

    async fn metagraph(&self, netuid: NetUid, at: At) -> Result<Metagraph, ChainError> {
        expect_answer!(self, Query::Metagraph { netuid }, at, Metagraph)
    }

    async fn hyperparameters(&self, netuid: NetUid, at: At) -> Result<Hyperparameters, ChainError> {
        expect_answer!(self, Query::Hyperparameters { netuid }, at, Hyperparameters)
    }

    async fn commitments(&self, netuid: NetUid, at: At) -> Result<Vec<Commitment>, ChainError> {
        expect_answer!(self, Query::Commitments { netuid }, at, Commitments)
    }

    async fn revealed_commitments(
        &self,
        netuid: NetUid,
        at: At,
    ) -> Result<Vec<RevealedCommitment>, ChainError> {
        expect_answer!(self, Query::Revealed { netuid }, at, Revealed)
    }

    async fn weights(&self, netuid: NetUid, mecid: MechId, at: At) -> Result<Vec<WeightRow>, ChainError> {
        expect_answer!(self, Query::Weights { netuid, mecid }, at, Rows)
    }

    async fn bonds(&self, netuid: NetUid, mecid: MechId, at: At) -> Result<Vec<WeightRow>, ChainError> {
        expect_answer!(self, Query::Bonds { netuid, mecid }, at, Rows)
    }

    async fn epoch_state(&self, netuid: NetUid, at: At) -> Result<EpochState, ChainError> {
        expect_answer!(self, Query::EpochState { netuid }, at, EpochState)
    }

    async fn pending_commits(
        &self,
        netuid: NetUid,
        mecid: MechId,
        at: At,
    ) -> Result<Vec<PendingCommit>, ChainError> {
        expect_answer!(self, Query::PendingCommits { netuid, mecid }, at, PendingCommits)
    }

    async fn weights_revealed(
        &self,
        netuid: NetUid,
        mecid: MechId,
        at: At,
    ) -> Result<Vec<Hotkey>, ChainError> {
        let events = self.events(at).await?;
        Ok(revealed(&events, netuid, mecid))
    }

    async fn pulse(&self, round: u64, at: At) -> Result<Option<Pulse>, ChainError> {
        expect_answer!(self, Query::Pulse { round }, at, Pulse)
    }

    async fn last_pulse_round(&self, at: At) -> Result<u64, ChainError> {
        expect_answer!(self, Query::LastRound, at, Number)
    }

    async fn beacon(&self, at: At) -> Result<Beacon, ChainError> {
        let runtime: Result<Runtime, ChainError> = expect_answer!(self, Query::Runtime, at, Runtime);
        let public_key = assay_types::hex::decode(&runtime?.beacon);
        let public_key = public_key.map_err(|_| mismatch("read the beacon".to_owned()))?;
        Ok(Beacon { public_key })
    }

    async fn genesis(&self) -> Result<BlockHash, ChainError> {
        let runtime: Result<Runtime, ChainError> = expect_answer!(self, Query::Runtime, At::Head, Runtime);
        Ok(runtime?.genesis)
    }

    async fn block_time_ms(&self) -> Result<u64, ChainError> {
        let runtime: Result<Runtime, ChainError> = expect_answer!(self, Query::Runtime, At::Head, Runtime);
        Ok(runtime?.block_time_ms)
    }

    async fn balance(&self, account: &Coldkey, at: At) -> Result<Rao, ChainError> {
        let query = Query::Balance { account: *account };
        let amount: Result<u64, ChainError> = expect_answer!(self, query, at, Number);
        amount.map(Rao)
    }

    async fn burn(&self, netuid: NetUid, at: At) -> Result<Rao, ChainError> {
        let amount: Result<u64, ChainError> = expect_answer!(self, Query::Burn { netuid }, at, Number);
        amount.map(Rao)
    }

    async fn lock_cost(&self, at: At) -> Result<Rao, ChainError> {
        let amount: Result<u64, ChainError> = expect_answer!(self, Query::LockCost, at, Number);
        amount.map(Rao)
    }

    async fn subnet_identity(&self, netuid: NetUid, at: At) -> Result<Option<SubnetIdentity>, ChainError> {
        expect_answer!(self, Query::Identity { netuid }, at, Identity)
    }

    async fn submit(&self, call: &Call, signer: &Keypair) -> Result<Receipt, ChainError> {
        if !fits(call) {
            return Err(too_long(call));
        }
        let mut signatures = 0;
        loop {
            signatures += 1;
            let mut tips = self.link.tips();
            tips.mark_unchanged();
            let order = self.order.lock().await;
            let extrinsic = self.sign(call, signer).await?;
            let sent = self.link.send(extrinsic.bytes()).await;
            drop(order);
            match sent {
                Ok(_) => {}
                // It may have arrived all the same: only the blocks can tell.
                Err(error) if matches!(error.kind, ChainErrorKind::Transport { .. }) => {}
                Err(error) if is_outdated(&error) && signatures < SIGNATURES_MAX => continue,
                Err(error) => return Err(error),
            }
            let found = self.watch(&extrinsic, &mut tips).await?;
            return receipt(call, &extrinsic, found);
        }
    }
}

/// That a call cannot be encoded, by the name that a node's client has for it.
fn too_long(call: &Call) -> ChainError {
    let (name, reason) = match call {
        Call::SetCommitment { .. } => (
            "SpaceLimitExceeded",
            format!(
                "a field is longer than {BIG_RAW_BYTES_MAX} bytes, or sealed than {TIMELOCKED_BYTES_MAX}"
            ),
        ),
        _ => (
            "CallTooLong",
            "a field is longer than the chain can encode".to_owned(),
        ),
    };
    let kind = ChainErrorKind::Preflight {
        name: name.to_owned(),
        reason,
        wait_blocks: None,
    };
    ChainError::new(call.name(), kind)
}

fn receipt(call: &Call, extrinsic: &Extrinsic, found: Inclusion) -> Result<Receipt, ChainError> {
    match found.error {
        Some((pallet, name)) => Err(ChainError::new(
            call.name(),
            ChainErrorKind::Dispatch { pallet, name },
        )),
        None => Ok(Receipt {
            extrinsic: extrinsic.hash(),
            block: found.head.number,
            hash: found.head.hash,
            events: found.events,
        }),
    }
}
