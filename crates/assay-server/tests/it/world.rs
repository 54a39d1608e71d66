//! A subnet on the embedded chain, a server that follows it, and clients with keys.

use assay_agents::api::{ClientOptions, TaskApi};
use assay_chain::embedded::{Clock, EmbeddedChain, Genesis, Node, NodeOptions};
use assay_chain::sealed::{Seal, sealed_field};
use assay_chain::timelock::Entropy;
use assay_chain::wallet::{KeyPair, Scheme};
use assay_chain::{At, Call, Chain as _, CommitmentField};
use assay_mechanism::clock::Clock as Rounds;
use assay_mechanism::contest::Contest;
use assay_server::store::{AddCorpora, Database, Writer};
use assay_server::{
    App, AppParts, BatchSource, ChainIdentity, Limits, Server, ServerClock, ServerConfig, follow, start,
};
use assay_types::{Bytes, Hotkey, Message, NetUid, ParamSet, Pointer, Rao, Round, WorkUnit};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use subxt_signer::SecretUri;
use subxt_signer::sr25519::Keypair;
use tokio::sync::watch;

pub(crate) const NETUID: NetUid = NetUid(1);

/// The key of a development name. Kept: making one costs two milliseconds, which a benchmark would measure.
pub(crate) fn key(name: &str) -> KeyPair {
    static KEYS: Mutex<BTreeMap<String, KeyPair>> = Mutex::new(BTreeMap::new());
    let mut keys = KEYS.lock().unwrap();
    let make = || KeyPair::from_uri(&format!("//{name}"), Scheme::Sr25519).unwrap();
    keys.entry(name.to_owned()).or_insert_with(make).clone()
}

pub(crate) fn hotkey(name: &str) -> Hotkey {
    Hotkey(*key(name).public())
}

pub(crate) fn signer(name: &str) -> Keypair {
    let uri: SecretUri = format!("//{name}").parse().unwrap();
    Keypair::from_uri(&uri).unwrap()
}

/// Rounds of thirty blocks.
pub(crate) fn params() -> ParamSet {
    let mut params = ParamSet::default();
    for (name, value) in [
        ("genesis_block", 60),
        ("round_blocks", 30),
        ("assign_lead", 3),
        ("commit_offset", 14),
        ("publish_end", 20),
        ("report_cutoff", 26),
        ("effective_offset", 40),
        ("reserve_mod", 1 << 20),
    ] {
        params.values.set(name, value).unwrap();
    }
    params.values.check().unwrap();
    params
}

/// A list of archives.
pub(crate) fn corpus(count: u64) -> Vec<WorkUnit> {
    (0..count)
        .map(|at| WorkUnit::new("file", &format!("archive-{at:04}.warc"), Bytes(1_000 + at)).unwrap())
        .collect()
}

/// What a test's subnet is made of.
pub(crate) struct Subnet {
    pub(crate) limits: Limits,
    pub(crate) params: ParamSet,
    /// Units of the corpus.
    pub(crate) units: u64,
    /// Where reports are read that were not handed in.
    pub(crate) batches: Option<Arc<dyn BatchSource>>,
    /// Whether the subnet is `owner`'s, or nobody's.
    pub(crate) has_owner: bool,
    /// Duels of recipes, before round 0.
    pub(crate) contest: Option<Contest>,
}

impl Default for Subnet {
    fn default() -> Self {
        Self {
            limits: Limits {
                snapshot_ms_min: 1,
                address_requests_a_minute: 1 << 20,
                hotkey_requests_a_minute: 1 << 20,
                ..Limits::default()
            },
            params: params(),
            units: 200,
            batches: None,
            has_owner: false,
            contest: None,
        }
    }
}

/// Chain, database and server state of one test.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) chain: EmbeddedChain,
    pub(crate) app: Arc<App>,
    pub(crate) identity: ChainIdentity,
    stop: watch::Sender<bool>,
    server: Option<Server>,
    pub(crate) url: String,
    _folder: tempfile::TempDir,
}

/// The server's key.
pub(crate) const SERVER: &str = "server";

impl World {
    /// With miners that want eight units each, registered and assigned to from the first round on.
    pub(crate) async fn new(database: &Place, miners: &[&str]) -> Self {
        Self::build(database, miners, Subnet::default(), |_| 8).await
    }

    pub(crate) async fn with_limits(database: &Place, miners: &[&str], limits: Limits) -> Self {
        let subnet = Subnet {
            limits,
            ..Subnet::default()
        };
        Self::build(database, miners, subnet, |_| 8).await
    }

    /// Over a subnet, and what each miner wants.
    #[expect(clippy::too_many_lines, reason = "one set-up, in order")]
    pub(crate) async fn build(
        database: &Place,
        miners: &[&str],
        subnet: Subnet,
        wants: impl Fn(usize) -> u16,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut genesis = Genesis::development();
        if subnet.has_owner {
            genesis.subnets.clear();
        }
        let options = NodeOptions {
            genesis,
            clock: Clock::Instant,
            ..NodeOptions::default()
        };
        let node = Node::start(&options).await.unwrap();
        let chain = EmbeddedChain::from(node.clone());
        if subnet.has_owner {
            let create = Call::RegisterNetwork {
                hotkey: hotkey("owner"),
                identity: None,
            };
            chain.submit(&create, &signer("Bob")).await.unwrap();
            let begin = Call::StartCall { netuid: NETUID };
            chain.submit(&begin, &signer("Bob")).await.unwrap();
        }
        let tempo = Call::SetHyperparameter {
            netuid: NETUID,
            name: "tempo".to_owned(),
            value: 20,
        };
        chain.submit(&tempo, &signer("Alice")).await.unwrap();
        for (at, miner) in miners.iter().enumerate() {
            let register = Call::Register {
                netuid: NETUID,
                hotkey: hotkey(miner),
                limit_price: Rao(u64::MAX),
            };
            chain.submit(&register, &signer("Bob")).await.unwrap();
            let join = Message::Join {
                round: Round(0),
                want: wants(at),
            };
            commit(&chain, miner, CommitmentField::Plain(join.encode())).await;
        }
        if let Some(first) = miners.first() {
            let stake = Call::AddStake {
                hotkey: hotkey(first),
                netuid: NETUID,
                amount: Rao(1_000_000_000_000),
            };
            chain.submit(&stake, &signer("Bob")).await.unwrap();
        }
        let identity = ChainIdentity {
            genesis: node.genesis_hash(),
            netuid: NETUID,
        };
        let database = Database::open(&database.address(folder.path()), &identity.name())
            .await
            .unwrap();
        let (writer, _task) = Writer::start(&database);
        writer
            .write(AddCorpora::one("test", corpus(subnet.units), 1))
            .await
            .unwrap()
            .unwrap();
        let app = Arc::new(App::new(AppParts {
            database,
            writer,
            key: key(SERVER),
            identity,
            params: subnet.params,
            limits: subnet.limits,
            clock: ServerClock::default(),
            client_address_header: None,
            public_url: String::new(),
            batches: subnet.batches,
            contest: subnet.contest,
        }));
        let (stop, shutdown) = watch::channel(false);
        let config = ServerConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            metrics_listen: None,
            ..ServerConfig::default()
        };
        let server = start(&app, &config, &shutdown).await.unwrap();
        let url = format!("http://{}", server.address());
        Self {
            node,
            chain,
            app,
            identity,
            stop,
            server: Some(server),
            url,
            _folder: folder,
        }
    }

    /// Makes blocks up to `block` and takes in what is final then.
    pub(crate) async fn until(&self, block: u32) {
        let head = self.chain.head(At::Head).await.unwrap().number.0;
        // Two blocks make a block final.
        self.node.seal((block + 2).saturating_sub(head)).await.unwrap();
        self.follow().await;
    }

    pub(crate) async fn follow(&self) {
        let shutdown = self.stop.subscribe();
        follow::catch_up(&self.app, &self.chain, &shutdown).await.unwrap();
    }

    /// Whether a hotkey has a validator permit in the server's view.
    pub(crate) fn chain_permit(&self, name: &str) -> bool {
        let view = self.app.view();
        view.neuron(&hotkey(name)).is_some_and(|neuron| neuron.permit)
    }

    pub(crate) fn rounds(&self) -> Rounds {
        self.app.rounds()
    }

    /// Makes blocks until a round works.
    pub(crate) async fn begin(&self, round: u32) {
        self.until(self.rounds().start(Round(round)).0).await;
    }

    pub(crate) fn client_options(&self) -> ClientOptions {
        ClientOptions {
            url: self.url.clone(),
            server: hotkey(SERVER),
            time_max: Duration::from_secs(20),
        }
    }

    pub(crate) fn client(&self, name: &str) -> TaskApi {
        TaskApi::new(&self.client_options(), key(name)).unwrap()
    }

    /// Puts a hotkey on the subnet.
    pub(crate) async fn register(&self, hotkey: Hotkey) {
        let register = Call::Register {
            netuid: NETUID,
            hotkey,
            limit_price: Rao(u64::MAX),
        };
        self.chain.submit(&register, &signer("Bob")).await.unwrap();
    }

    /// Commits a pointer sealed to the pulse of its round.
    pub(crate) async fn commit_sealed(&self, name: &str, pointer: &Pointer) {
        let start = self
            .chain
            .head(At::Number(self.rounds().start(pointer.round)))
            .await
            .unwrap();
        let pulse = Rounds::pulse_after(self.rounds().deadline_seconds(start.time_ms / 1_000)).unwrap();
        let beacon = self.chain.beacon(At::Head).await.unwrap();
        let seal = Seal {
            beacon: &beacon,
            round: pulse,
        };
        let field = sealed_field(&pointer.encode(), seal, &Entropy::random().unwrap()).unwrap();
        commit(&self.chain, name, field).await;
    }

    pub(crate) async fn commit_plain(&self, name: &str, message: &Message) {
        commit(&self.chain, name, CommitmentField::Plain(message.encode())).await;
    }

    /// Ends the server and waits for it.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        self.server.take().unwrap().finished().await;
        self.app.database().close().await;
    }
}

async fn commit(chain: &EmbeddedChain, name: &str, field: CommitmentField) {
    let call = Call::SetCommitment {
        netuid: NETUID,
        fields: vec![field],
    };
    chain.submit(&call, &signer(name)).await.unwrap();
}

/// Where a test's database is.
pub(crate) enum Place {
    Sqlite,
    Postgres(String),
}

impl Place {
    fn address(&self, folder: &std::path::Path) -> String {
        match self {
            Self::Sqlite => folder.join("assay.sqlite").display().to_string(),
            Self::Postgres(url) => url.clone(),
        }
    }
}
