//! [`Subtensor`]: the trait [`Chain`] over a subtensor node.

use std::sync::Arc;

use assay_types::{Coldkey, Hotkey, MechId, NetUid, Rao};
use async_trait::async_trait;
use subxt::ext::scale_value::Value;
use subxt_signer::sr25519::Keypair;

use crate::network::Network;
use crate::subtensor::check::Check;
use crate::subtensor::client::Client;
use crate::subtensor::decode::metagraph::require_subnet;
use crate::subtensor::decode::{commitments, epoch, events, identity, metagraph, weights};
use crate::subtensor::encode::SUBTENSOR;
use crate::subtensor::heads;
use crate::subtensor::hyperparameters;
use crate::subtensor::node::Node;
use crate::subtensor::queue::Queues;
use crate::subtensor::submit::submit;
use crate::subtensor::timing::Timing;
use crate::{
    At, BlockHash, Call, Chain, ChainError, Commitment, EpochState, Head, Heads, Hyperparameters, Metagraph,
    PendingCommit, Pulse, Receipt, RevealedCommitment, SubnetIdentity, WeightRow,
};

/// Time between blocks of the network, milliseconds.
const BLOCK_TIME_MS: u64 = 12_000;

/// A subtensor node, or several of one chain of which one is in use.
#[derive(Debug)]
pub struct Subtensor {
    client: Arc<Client>,
    queues: Queues,
}

impl Subtensor {
    /// Connects, checks genesis and runtime.
    ///
    /// # Errors
    /// [`crate::ChainErrorKind::Transport`], [`crate::ChainErrorKind::WrongGenesis`], and
    /// [`crate::ChainErrorKind::Unsupported`] with every name that nothing works without.
    pub async fn connect(network: Network) -> Result<Self, ChainError> {
        Self::connect_with(network, Timing::default()).await
    }

    /// As [`Self::connect`], with other times.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_with(network: Network, timing: Timing) -> Result<Self, ChainError> {
        Self::open(network, None, timing).await
    }

    /// As [`Self::connect_with`], to the chain whose block 0 has this hash and no other.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_to(
        network: Network,
        genesis: BlockHash,
        timing: Timing,
    ) -> Result<Self, ChainError> {
        Self::open(network, Some(genesis), timing).await
    }

    async fn open(network: Network, genesis: Option<BlockHash>, timing: Timing) -> Result<Self, ChainError> {
        let client = Client::connect(network, genesis, timing).await?;
        Ok(Self {
            client: Arc::new(client),
            queues: Queues::default(),
        })
    }

    /// What the newest runtime lacks, as of its last check.
    pub fn check(&self) -> Check {
        self.client.check()
    }

    /// The endpoint in use.
    ///
    /// # Errors
    /// Why there is none just now.
    pub fn endpoint(&self) -> Result<String, ChainError> {
        self.client.connection.endpoint()
    }
}

/// What is read, for errors.
fn reading(what: &str, netuid: NetUid) -> String {
    format!("read {what} of subnet {netuid}")
}

#[async_trait]
impl Chain for Subtensor {
    fn network(&self) -> String {
        self.client.network().to_string()
    }

    async fn head(&self, at: At) -> Result<Head, ChainError> {
        let head = self.client.raw_head("read head", at).await?;
        heads::timed(&self.client, head).await
    }

    async fn heads(&self) -> Result<Heads, ChainError> {
        Ok(heads::stream(Arc::clone(&self.client)))
    }

    async fn metagraph(&self, netuid: NetUid, at: At) -> Result<Metagraph, ChainError> {
        let view = self.client.view(&reading("metagraph", netuid), at).await?;
        metagraph::read(&view, netuid).await
    }

    async fn hyperparameters(&self, netuid: NetUid, at: At) -> Result<Hyperparameters, ChainError> {
        let operation = reading("hyper-parameters", netuid);
        let view = self.client.view(&operation, at).await?;
        require_subnet(&view, netuid).await?;
        hyperparameters::read(&view, netuid).await
    }

    async fn commitments(&self, netuid: NetUid, at: At) -> Result<Vec<Commitment>, ChainError> {
        let view = self.client.view(&reading("commitments", netuid), at).await?;
        require_subnet(&view, netuid).await?;
        commitments::standing(&view, netuid).await
    }

    async fn revealed_commitments(
        &self,
        netuid: NetUid,
        at: At,
    ) -> Result<Vec<RevealedCommitment>, ChainError> {
        let operation = reading("revealed commitments", netuid);
        let view = self.client.view(&operation, at).await?;
        require_subnet(&view, netuid).await?;
        commitments::revealed(&view, netuid).await
    }

    async fn weights(&self, netuid: NetUid, mecid: MechId, at: At) -> Result<Vec<WeightRow>, ChainError> {
        let view = self.client.view(&reading("weights", netuid), at).await?;
        require_subnet(&view, netuid).await?;
        weights::rows(&view, "Weights", netuid, mecid).await
    }

    async fn bonds(&self, netuid: NetUid, mecid: MechId, at: At) -> Result<Vec<WeightRow>, ChainError> {
        let view = self.client.view(&reading("bonds", netuid), at).await?;
        require_subnet(&view, netuid).await?;
        weights::rows(&view, "Bonds", netuid, mecid).await
    }

    async fn epoch_state(&self, netuid: NetUid, at: At) -> Result<EpochState, ChainError> {
        let view = self.client.view(&reading("epoch", netuid), at).await?;
        require_subnet(&view, netuid).await?;
        epoch::state(&view, netuid).await
    }

    async fn pending_commits(
        &self,
        netuid: NetUid,
        mecid: MechId,
        at: At,
    ) -> Result<Vec<PendingCommit>, ChainError> {
        let view = self.client.view(&reading("open commits", netuid), at).await?;
        require_subnet(&view, netuid).await?;
        weights::pending(&view, netuid, mecid).await
    }

    async fn weights_revealed(
        &self,
        netuid: NetUid,
        mecid: MechId,
        at: At,
    ) -> Result<Vec<Hotkey>, ChainError> {
        let operation = reading("revealed weights", netuid);
        let head = self.client.raw_head(&operation, at).await?;
        let view = self.client.executed(&operation, head).await?;
        events::weights_revealed(&view, netuid, mecid).await
    }

    async fn pulse(&self, round: u64, at: At) -> Result<Option<Pulse>, ChainError> {
        let view = self.client.view(&format!("read pulse {round}"), at).await?;
        epoch::pulse(&view, round).await
    }

    async fn last_pulse_round(&self, at: At) -> Result<u64, ChainError> {
        let view = self.client.view("read last pulse", at).await?;
        let round = view.value("Drand", "LastStoredRound", &[]).await?;
        view.required(round.as_ref().and_then(Node::number), "Drand.LastStoredRound")
    }

    async fn genesis(&self) -> Result<BlockHash, ChainError> {
        Ok(self.client.genesis)
    }

    async fn block_time_ms(&self) -> Result<u64, ChainError> {
        let view = self.client.view("read the block time", At::Head).await?;
        // Runtimes without the constant are none that produce blocks by time: the network's 12 s stand in.
        Ok(view
            .runtime
            .constant_u64("Aura", "SlotDuration")
            .unwrap_or(BLOCK_TIME_MS))
    }

    async fn balance(&self, account: &Coldkey, at: At) -> Result<Rao, ChainError> {
        let view = self.client.view("read balance", at).await?;
        let account = view
            .value("System", "Account", &[Value::from_bytes(account.0)])
            .await?;
        let free = account
            .as_ref()
            .and_then(|account| account.field("data")?.field("free")?.number());
        view.required(free.map(Rao), "System.Account.data.free")
    }

    async fn burn(&self, netuid: NetUid, at: At) -> Result<Rao, ChainError> {
        let view = self.client.view(&reading("burn", netuid), at).await?;
        require_subnet(&view, netuid).await?;
        let burn = view.value(SUBTENSOR, "Burn", &[Value::from(netuid.0)]).await?;
        view.required(burn.as_ref().and_then(Node::number).map(Rao), "Burn")
    }

    async fn lock_cost(&self, at: At) -> Result<Rao, ChainError> {
        let (api, method) = ("SubnetRegistrationRuntimeApi", "get_network_registration_cost");
        let view = self.client.view("read price of a subnet", at).await?;
        let cost = view.api(api, method, &[]).await?;
        let cost = cost.ok_or_else(|| view.error(view.runtime.lacks(format!("{api}.{method}"))))?;
        view.required(cost.number().map(Rao), method)
    }

    async fn subnet_identity(&self, netuid: NetUid, at: At) -> Result<Option<SubnetIdentity>, ChainError> {
        let view = self.client.view(&reading("identity", netuid), at).await?;
        require_subnet(&view, netuid).await?;
        identity::subnet(&view, netuid).await
    }

    async fn submit(&self, call: &Call, signer: &Keypair) -> Result<Receipt, ChainError> {
        submit(&self.client, &self.queues, call, signer).await
    }
}
