//! A chain under test with what a case needs around it: keys, money, subnets, and power over time and faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use assay_chain::embedded::{Clock, EmbeddedChain, Fault, Genesis, Node, NodeOptions, Remote, Served, serve};
use assay_chain::subtensor::Subtensor;
use assay_chain::{At, Call, Chain, ChainError, ChainErrorKind, EpochState, Metagraph, Neuron, Receipt};
use assay_types::{BlockNumber, Coldkey, Hotkey, MechId, NetUid, Rao, Uid, Weight};
use subxt_signer::SecretUri;
use subxt_signer::sr25519::Keypair;

use super::node::{self, SUFFIX, blocks_max, skip};

/// One TAO or alpha, rao.
pub(crate) const TAO: u64 = 1_000_000_000;

/// What a case runs in.
pub(crate) struct World {
    /// The chain under test.
    pub(crate) chain: Arc<dyn Chain>,
    control: Control,
    extra: AtomicU32,
}

/// How time and faults are ordered.
pub(super) enum Control {
    InProcess {
        node: Node,
        client: EmbeddedChain,
    },
    Socket {
        remote: Remote,
        client: EmbeddedChain,
        _served: Served,
        _stop: tokio::sync::watch::Sender<bool>,
    },
    /// A chain that makes blocks when it likes, and whose root nobody here is; a subtensor node, if it is one.
    Node(Option<Arc<Subtensor>>),
}

/// Why a case does not run on a node; thrown as a panic, so that it ends the case wherever it is.
pub(crate) struct Skip(pub(crate) String);

/// The key of a name; the owner is the rich development key of every local node, others are of one case there.
pub(crate) fn key(name: &str) -> Keypair {
    let suffix = SUFFIX.try_with(Clone::clone).unwrap_or_default();
    let name = match name {
        "owner" => "Alice".to_owned(),
        name => format!("{name}{suffix}"),
    };
    let uri: SecretUri = format!("//{name}").parse().unwrap();
    Keypair::from_uri(&uri).unwrap()
}

/// The account of a key.
pub(crate) fn coldkey(key: &Keypair) -> Coldkey {
    Coldkey(key.public_key().0)
}

/// The hotkey of a name.
pub(crate) fn hotkey(name: &str) -> Hotkey {
    Hotkey(key(name).public_key().0)
}

/// A chain for tests: root is `//root`, subnets may be made at any time, money is plenty.
pub(crate) fn genesis() -> Genesis {
    Genesis {
        root: Some(coldkey(&key("root"))),
        accounts: vec![(coldkey(&key("owner")), Rao(1_000_000 * TAO))],
        network_rate_limit_blocks: 0,
        ..Genesis::default()
    }
}

pub(crate) async fn start(genesis: Genesis, clock: Clock) -> Node {
    let options = NodeOptions {
        genesis,
        clock,
        ..NodeOptions::default()
    };
    Node::start(&options).await.unwrap()
}

impl World {
    pub(crate) async fn in_process() -> Self {
        Self::of(start(genesis(), Clock::Instant).await)
    }

    pub(crate) fn of(node: Node) -> Self {
        let client = EmbeddedChain::from(node.clone());
        Self {
            chain: Arc::new(client.clone()),
            control: Control::InProcess { node, client },
            extra: AtomicU32::new(0),
        }
    }

    pub(crate) async fn over_the_socket() -> Self {
        let node = start(genesis(), Clock::Instant).await;
        let (stop, shutdown) = tokio::sync::watch::channel(false);
        let served = serve(node, "127.0.0.1:0".parse().unwrap(), shutdown)
            .await
            .unwrap();
        let remote = Remote::connect(&served.url(), None).await.unwrap();
        let client = remote.chain();
        Self {
            chain: Arc::new(client.clone()),
            control: Control::Socket {
                remote,
                client,
                _served: served,
                _stop: stop,
            },
            extra: AtomicU32::new(0),
        }
    }

    /// A world on a chain of somebody else's.
    pub(super) fn over(chain: Arc<dyn Chain>, control: Control) -> Self {
        Self {
            chain,
            control,
            extra: AtomicU32::new(0),
        }
    }

    fn is_node(&self) -> bool {
        matches!(self.control, Control::Node(_))
    }

    /// Who signs for a name: on a node all money is the owner's.
    fn signer(&self, name: &str) -> Keypair {
        if self.is_node() && name.ends_with("-cold") {
            return key("owner");
        }
        key(name)
    }

    /// Waits until a node has made so many blocks.
    async fn wait(&self, blocks: u32) {
        if blocks > blocks_max() {
            skip(format!("{blocks} blocks are too long to wait for"));
        }
        let mut heads = self.chain.heads().await.unwrap();
        let mut left = blocks;
        while left > 0 {
            match heads.next().await.unwrap() {
                Ok(_) => left -= 1,
                Err(error) => assert!(error.retry_is_safe(), "{error}"),
            }
        }
    }

    pub(crate) fn embedded(&self) -> &EmbeddedChain {
        match &self.control {
            Control::InProcess { client, .. } | Control::Socket { client, .. } => client,
            Control::Node(_) => skip("only the embedded chain answers this"),
        }
    }

    /// Makes so many blocks.
    pub(crate) async fn advance(&self, blocks: u32) {
        match &self.control {
            Control::InProcess { node, .. } => node.seal(blocks).await.unwrap(),
            Control::Socket { remote, .. } => remote.seal(blocks).await.unwrap(),
            Control::Node(_) => self.wait(blocks).await,
        }
    }

    /// Orders so many blocks; false if the order was lost.
    pub(crate) async fn try_advance(&self, blocks: u32) -> bool {
        match &self.control {
            Control::InProcess { node, .. } => node.seal(blocks).await.is_ok(),
            Control::Socket { remote, .. } => remote.seal(blocks).await.is_ok(),
            Control::Node(_) => skip("nobody orders blocks from a node"),
        }
    }

    pub(crate) async fn fund(&self, account: Coldkey, tao: u64) {
        let amount = Rao(tao * TAO);
        match &self.control {
            Control::InProcess { node, .. } => node.fund(account, amount).await.unwrap(),
            Control::Socket { remote, .. } => remote.fund(account, amount).await.unwrap(),
            Control::Node(_) => skip("nobody makes money on a node"),
        }
    }

    pub(crate) async fn inject(&self, fault: Fault) {
        match &self.control {
            Control::InProcess { node, .. } => node.inject(fault).await.unwrap(),
            Control::Socket { remote, .. } => remote.inject(fault).await.unwrap(),
            Control::Node(_) => skip(format!("a node does not order {fault:?}")),
        }
    }

    /// Sends a call that must succeed.
    pub(crate) async fn ok(&self, call: Call, signer: &str) -> Receipt {
        if self.is_node() {
            let result = node::submit(self, &call, &self.signer(signer)).await;
            return result.unwrap_or_else(|error| {
                node::skip_limits(&error);
                panic!("{signer}: {error}")
            });
        }
        let result = self.chain.submit(&call, &self.signer(signer)).await;
        result.unwrap_or_else(|error| panic!("{signer}: {error}"))
    }

    /// `spec_version` of the newest block.
    pub(super) async fn spec_version(&self) -> u32 {
        match &self.control {
            Control::Node(Some(subtensor)) => {
                // A read of the newest state repeats the check where the runtime is another.
                self.balance("owner").await;
                subtensor.check().spec_version
            }
            Control::Node(None) => skip("an embedded chain is not upgraded from outside"),
            _ => self.embedded().spec_version(At::Head).await.unwrap(),
        }
    }

    /// Gives a call to the pool, for a later block.
    pub(crate) async fn later(&self, call: Call, signer: &str) {
        let sent = self.embedded().send(&call, &self.signer(signer)).await;
        sent.unwrap_or_else(|error| panic!("{signer}: {error}"));
    }

    /// The chain itself, where it runs in this process.
    pub(crate) fn node(&self) -> &Node {
        match &self.control {
            Control::InProcess { node, .. } => node,
            _ => panic!("the chain is not in this process"),
        }
    }

    /// Sends a call that must fail as `Pallet.Name`, on the chain, or as the pool's `Custom error: <name>`.
    pub(crate) async fn refused(&self, call: Call, signer: &str, expected: &str) -> ChainError {
        if self.is_node() {
            let error = node::submit(self, &call, &self.signer(signer)).await.unwrap_err();
            if !expected
                .split('|')
                .any(|expected| node::is_named(&error, expected))
            {
                node::skip_limits(&error);
                panic!("{signer}: {error}, not {expected}");
            }
            return error;
        }
        let error = self.chain.submit(&call, &self.signer(signer)).await.unwrap_err();
        let found = match &error.kind {
            ChainErrorKind::Dispatch { pallet, name } => format!("{pallet}.{name}"),
            ChainErrorKind::Pool { message, .. } => message.clone(),
            ChainErrorKind::Preflight { name, .. } => format!("not sent: {name}"),
            other => format!("{other:?}"),
        };
        assert!(
            expected.split('|').any(|expected| found.contains(expected)),
            "{signer}: {found}, not {expected}"
        );
        error
    }

    /// A started subnet of `//owner`, without commit–reveal and rate limit, tempo 20.
    pub(crate) async fn subnet(&self) -> NetUid {
        let netuid = self.bare_subnet().await;
        if self.is_node() {
            return netuid;
        }
        self.ok(Call::StartCall { netuid }, "owner").await;
        for (name, value) in [("commit_reveal", 0), ("weights_rate_limit", 0), ("tempo", 20)] {
            self.set(netuid, name, value).await;
        }
        netuid
    }

    /// A new subnet of `//owner`, not started; on a node the one that all share.
    pub(crate) async fn bare_subnet(&self) -> NetUid {
        let number = self.extra.fetch_add(1, Ordering::Relaxed);
        if self.is_node() {
            if number > 0 {
                skip("needs more than one subnet");
            }
            return node::shared_subnet(self).await;
        }
        let owner_hotkey = match number {
            0 => "owner-hot".to_owned(),
            number => format!("owner-hot{number}"),
        };
        let hotkey = hotkey(&owner_hotkey);
        self.ok(
            Call::RegisterNetwork {
                hotkey,
                identity: None,
            },
            "owner",
        )
        .await;
        NetUid(u16::try_from(number).unwrap() + 1)
    }

    /// Sets a hyper-parameter as root.
    pub(crate) async fn set(&self, netuid: NetUid, name: &str, value: u64) {
        let call = set(netuid, name, value);
        if self.is_node() {
            if let Err(error) = node::submit(self, &call, &key("owner")).await {
                skip(format!("the owner may not set {name} to {value}: {error}"));
            }
            return;
        }
        self.ok(call, "root").await;
    }

    /// Registers `//name` for a funded coldkey `//name-cold`; gives its uid.
    pub(crate) async fn register(&self, netuid: NetUid, name: &str) -> Uid {
        let cold = format!("{name}-cold");
        if !self.is_node() {
            self.fund(coldkey(&key(&cold)), 10_000).await;
        }
        self.ok(register(netuid, name), &cold).await;
        self.neuron(netuid, name).await.uid
    }

    /// Registers and stakes so many TAO.
    pub(crate) async fn validator(&self, netuid: NetUid, name: &str, tao: u64) -> Uid {
        let uid = self.register(netuid, name).await;
        let call = Call::AddStake {
            hotkey: hotkey(name),
            netuid,
            amount: Rao(tao * TAO),
        };
        self.ok(call, &format!("{name}-cold")).await;
        uid
    }

    pub(crate) async fn metagraph(&self, netuid: NetUid) -> Metagraph {
        self.chain.metagraph(netuid, At::Head).await.unwrap()
    }

    pub(crate) async fn neuron(&self, netuid: NetUid, name: &str) -> Neuron {
        let metagraph = self.metagraph(netuid).await;
        metagraph
            .neuron(&hotkey(name))
            .unwrap_or_else(|| panic!("{name} is not registered"))
            .clone()
    }

    pub(crate) async fn epoch_state(&self, netuid: NetUid) -> EpochState {
        self.chain.epoch_state(netuid, At::Head).await.unwrap()
    }

    /// Makes blocks until so many epochs have run.
    pub(crate) async fn epochs(&self, netuid: NetUid, count: u64) {
        let state = self.epoch_state(netuid).await;
        if self.is_node() && u64::from(state.tempo) * count > u64::from(blocks_max()) {
            skip(format!("{count} epochs of {} blocks are too long", state.tempo));
        }
        let until = state.epoch_index + count;
        while self.epoch_state(netuid).await.epoch_index < until {
            self.advance(1).await;
        }
    }

    pub(crate) async fn head(&self) -> u32 {
        self.chain.head(At::Head).await.unwrap().number.0
    }

    pub(crate) async fn balance(&self, name: &str) -> u64 {
        let account = coldkey(&key(name));
        self.chain.balance(&account, At::Head).await.unwrap().0
    }

    /// Stored weights of a uid.
    pub(crate) async fn row(&self, netuid: NetUid, mecid: u8, uid: Uid) -> Vec<(u16, u16)> {
        let rows = self.chain.weights(netuid, MechId(mecid), At::Head).await.unwrap();
        let row = rows.iter().find(|row| row.uid == uid);
        row.map_or_else(Vec::new, |row| {
            row.weights
                .iter()
                .map(|(uid, weight)| (uid.0, weight.0))
                .collect()
        })
    }
}

pub(crate) fn set(netuid: NetUid, name: &str, value: u64) -> Call {
    Call::SetHyperparameter {
        netuid,
        name: name.to_owned(),
        value,
    }
}

pub(crate) fn register(netuid: NetUid, name: &str) -> Call {
    Call::Register {
        netuid,
        hotkey: hotkey(name),
        limit_price: Rao(u64::MAX),
    }
}

pub(crate) fn weights(netuid: NetUid, weights: &[(u16, u16)]) -> Call {
    Call::SetWeights {
        netuid,
        mecid: MechId(0),
        weights: weights
            .iter()
            .map(|&(uid, weight)| (Uid(uid), Weight(weight)))
            .collect(),
        version_key: 0,
    }
}

pub(crate) const fn at(block: u32) -> At {
    At::Number(BlockNumber(block))
}
