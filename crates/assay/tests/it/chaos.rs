//! 64 clients against a server that is killed every few seconds: no lease twice, nothing accepted is lost, no replay.
//!
//! Seconds by `ASSAY_CHAOS_SECONDS` (8 if not set; .ci/long runs 60 on both databases), kills every 2 s (5 s in the long run).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use assay_agents::api::{ApiError, ClientOptions, TaskApi};
use assay_chain::embedded::{Clock, EmbeddedChain, Genesis, Node, NodeOptions, Served, serve};
use assay_chain::wallet::{KeyPair, Scheme};
use assay_chain::{Call, Chain as _, CommitmentField};
use assay_types::api::{LeaseState, ProblemKind};
use assay_types::{
    Arm, Digest, EVALUATION_REPORT_VERSION, EvaluationReport, Hotkey, Message, NetUid, ParamSet, Rao,
    RecipeId, Round, Stage, Tokens, UnitId, hex,
};
use subxt_signer::SecretUri;
use subxt_signer::sr25519::Keypair;

use crate::serve::Service;
use crate::support::{assay, folder};

const MINERS: usize = 16;
/// Clients that share a hotkey: they compete for its units.
const CLIENTS_A_MINER: usize = 4;
const UNITS_A_MINER: u16 = 40;
const NETUID: NetUid = NetUid(1);

pub(crate) fn key(name: &str) -> KeyPair {
    KeyPair::from_uri(&format!("//{name}"), Scheme::Sr25519).unwrap()
}

pub(crate) fn hotkey(name: &str) -> Hotkey {
    Hotkey(*key(name).public())
}

fn signer(name: &str) -> Keypair {
    let uri: SecretUri = format!("//{name}").parse().unwrap();
    Keypair::from_uri(&uri).unwrap()
}

fn params() -> ParamSet {
    let mut params = ParamSet::default();
    for (name, value) in [
        ("genesis_block", 100),
        ("round_blocks", 40),
        ("assign_lead", 5),
        ("commit_offset", 20),
        ("publish_end", 25),
        ("report_cutoff", 30),
        ("effective_offset", 50),
        ("cap_first", u64::from(UNITS_A_MINER)),
        ("reserve_mod", 1 << 20),
    ] {
        params.values.set(name, value).unwrap();
    }
    params
}

/// What keeps a served chain up.
pub(crate) struct Kept(tokio::sync::watch::Sender<bool>, Served);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.send_replace(true);
        assert!(self.1.url().starts_with("ws://"));
    }
}

/// A chain on loopback with registered miners, the first of whom has a permit; it stands at the first block of round 0.
async fn chain() -> (Node, String, Kept) {
    let options = NodeOptions {
        genesis: Genesis::development(),
        clock: Clock::Instant,
        ..NodeOptions::default()
    };
    let node = Node::start(&options).await.unwrap();
    let chain = EmbeddedChain::from(node.clone());
    let tempo = Call::SetHyperparameter {
        netuid: NETUID,
        name: "tempo".to_owned(),
        value: 20,
    };
    chain.submit(&tempo, &signer("Alice")).await.unwrap();
    for miner in 0..MINERS {
        let name = format!("miner-{miner}");
        let register = Call::Register {
            netuid: NETUID,
            hotkey: hotkey(&name),
            limit_price: Rao(u64::MAX),
        };
        chain.submit(&register, &signer("Bob")).await.unwrap();
        let join = Message::Join {
            round: Round(0),
            want: UNITS_A_MINER,
        };
        let commit = Call::SetCommitment {
            netuid: NETUID,
            fields: vec![CommitmentField::Plain(join.encode())],
        };
        chain.submit(&commit, &signer(&name)).await.unwrap();
    }
    let stake = Call::AddStake {
        hotkey: hotkey("miner-0"),
        netuid: NETUID,
        amount: Rao(1_000_000_000_000),
    };
    chain.submit(&stake, &signer("Bob")).await.unwrap();
    let head = chain.head(assay_chain::At::Head).await.unwrap().number.0;
    node.seal(103 - head).await.unwrap();
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let served = serve(node.clone(), "127.0.0.1:0".parse().unwrap(), shutdown)
        .await
        .unwrap();
    (
        node,
        served.url().replace("ws://", "embedded:"),
        Kept(stop, served),
    )
}

/// What clients were told, and never may be untold.
#[derive(Default)]
struct Told {
    taken: BTreeMap<UnitId, u32>,
    completed: BTreeMap<UnitId, Digest>,
    reports: Vec<EvaluationReport>,
    problems: Vec<String>,
}

fn client(name: &str, url: &str) -> TaskApi {
    let options = ClientOptions {
        url: url.to_owned(),
        server: hotkey("server"),
        time_max: Duration::from_secs(5),
    };
    TaskApi::new(&options, key(name)).unwrap()
}

/// Takes and completes the units of a miner, in another order than its rivals, until told to end.
async fn work(api: TaskApi, (mine, own): (Vec<UnitId>, Digest), told: Arc<Mutex<Told>>, end: Instant) {
    while Instant::now() < end {
        for unit in &mine {
            if Instant::now() >= end {
                return;
            }
            match api.take(Round(0), unit).await {
                Ok(_) => *told.lock().unwrap().taken.entry(*unit).or_default() += 1,
                Err(error) if error.kind() == Some(ProblemKind::LeaseState) => continue,
                Err(error) => {
                    note(&error, &told);
                    continue;
                }
            }
            // Whether the answer is lost or not: the same completion may be said again.
            for _ in 0..20 {
                match api.complete(Round(0), unit, own).await {
                    Ok(_) => {
                        told.lock().unwrap().completed.insert(*unit, own);
                        break;
                    }
                    Err(error) => note(&error, &told),
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A killed server does not answer; every other failure is one.
fn note(error: &ApiError, told: &Mutex<Told>) {
    if !error.retry_is_safe() {
        told.lock().unwrap().problems.push(error.to_string());
    }
}

fn report(seed: u32) -> EvaluationReport {
    let mut report = EvaluationReport {
        version: EVALUATION_REPORT_VERSION,
        netuid: NETUID,
        round: Round(0),
        stage: Stage::Screen,
        validator: hotkey("miner-0"),
        params: params().digest(),
        profile: "cpu-v1".to_owned(),
        arm: Arm::Ore,
        recipe_id: RecipeId::default(),
        seed,
        domain: "news".to_owned(),
        value: 9_000,
        tokens: Tokens(1_000),
        signature: String::new(),
    };
    let digest = report.signed_digest().unwrap();
    report.signature = hex::encode(&key("miner-0").sign(digest.as_bytes()).unwrap());
    report
}

async fn validate(api: TaskApi, told: Arc<Mutex<Told>>, end: Instant) {
    for seed in 0.. {
        if Instant::now() >= end {
            return;
        }
        let report = report(seed);
        match api.report_cell(&report).await {
            Ok(_) => told.lock().unwrap().reports.push(report),
            Err(error) => note(&error, &told),
        }
    }
}

/// Starts the server of `//server` on `database`; everything else lies in `folder`, made by [`prepare`].
fn start(database: &str, folder: &std::path::Path, network: &str, address: SocketAddr) -> Service {
    let mut command = assay([
        "serve",
        "--json",
        "--netuid",
        "1",
        "--wallet",
        "w",
        "--hotkey",
        "s",
        "--metrics-listen",
        "127.0.0.1:0",
    ]);
    command.args([
        "--network",
        network,
        "--database",
        database,
        "--listen",
        &address.to_string(),
    ]);
    for (flag, file) in [
        ("--wallet-path", "wallets"),
        ("--params", "params.toml"),
        ("--corpus", "units.txt"),
        ("--config", "config.toml"),
        ("--admin-socket", "admin.sock"),
    ] {
        command.arg(flag).arg(folder.join(file));
    }
    command.env("ASSAY_LOG", "error");
    Service::start(command)
}

/// Files of a server without rate limits.
fn prepare(folder: &std::path::Path) {
    fs_err::write(folder.join("server"), "//server\n").unwrap();
    fs_err::write(folder.join("params.toml"), params().to_canonical()).unwrap();
    let list: Vec<String> = (0..MINERS * usize::from(UNITS_A_MINER))
        .map(|unit| format!("cc:{unit}"))
        .collect();
    fs_err::write(folder.join("units.txt"), list.join("\n")).unwrap();
    let limits = "[limits]\naddress_requests_a_minute = 4000000000\nhotkey_requests_a_minute = 4000000000\n\
        address_streams_max = 4000\n";
    fs_err::write(folder.join("config.toml"), limits).unwrap();
    let mut import = assay(["wallet", "import", "w"]);
    import
        .arg(folder.join("server"))
        .args(["--hotkey", "s", "--path"])
        .arg(folder.join("wallets"));
    let made = import.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// A port of loopback on which nobody listens.
fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// A server on an SQLite database that follows a chain of its own; both end with it.
pub(crate) struct Running {
    pub(crate) url: String,
    server: Service,
    pub(crate) folder: tempfile::TempDir,
    _stop: Kept,
    pub(crate) node: Node,
}

impl Running {
    /// Number of the server's process.
    pub(crate) fn process(&self) -> u32 {
        self.server.process()
    }
}

pub(crate) async fn running() -> Running {
    let (node, network, stop) = chain().await;
    let folder = folder();
    prepare(folder.path());
    let address = free_address();
    let database = folder.path().join("assay.sqlite").display().to_string();
    Running {
        url: format!("http://{address}"),
        server: start(&database, folder.path(), &network, address),
        folder,
        _stop: stop,
        node,
    }
}

async fn chaos(database: &str, folder: &std::path::Path) {
    let seconds = std::env::var("ASSAY_CHAOS_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(8_u64);
    let pause = Duration::from_secs(if seconds >= 60 { 5 } else { 2 });
    let (_node, network, _stop) = chain().await;
    prepare(folder);
    let port = free_address();
    let start = || start(database, folder, &network, port);
    let url = format!("http://{port}");
    let mut server = start();
    let probe = client("miner-0", &url);
    let (assignment, _) = loop {
        match probe.assignment(Round(0)).await {
            Ok(found) => break found,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let told = Arc::new(Mutex::new(Told::default()));
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for miner in 0..MINERS {
        let name = format!("miner-{miner}");
        let mine: Vec<UnitId> = assignment.of(&hotkey(&name)).map(|entry| entry.unit).collect();
        for rival in 0..CLIENTS_A_MINER {
            let mut mine = mine.clone();
            let from = rival * mine.len() / CLIENTS_A_MINER / 2;
            mine.rotate_left(from);
            let own = Digest([u8::try_from(miner * CLIENTS_A_MINER + rival).unwrap(); 32]);
            tasks.spawn(work(client(&name, &url), (mine, own), Arc::clone(&told), end));
        }
    }
    tasks.spawn(validate(client("miner-0", &url), Arc::clone(&told), end));
    let mut kills = 0;
    while Instant::now() + pause < end {
        tokio::time::sleep(pause).await;
        server.kill();
        kills += 1;
        server = start();
    }
    while tasks.join_next().await.is_some() {}
    server.kill();
    let server = start();
    let told = std::mem::take(&mut *told.lock().unwrap());
    check(&url, &told, kills).await;
    drop(server);
}

/// Everything that was told is still so, and every unit was given once.
async fn check(url: &str, told: &Told, kills: u32) {
    assert!(kills >= 2, "{kills}");
    assert!(
        told.problems.is_empty(),
        "{:?}",
        &told.problems[..told.problems.len().min(3)]
    );
    assert!(
        told.completed.len() > 20,
        "only {} units were completed",
        told.completed.len()
    );
    let twice: Vec<_> = told.taken.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "leases given twice: {twice:?}");
    let probe = client("miner-0", url);
    while probe.health().await.is_err() || probe.whoami().await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut states = BTreeMap::new();
    for miner in 0..MINERS {
        for lease in probe
            .leases(Round(0), &hotkey(&format!("miner-{miner}")))
            .await
            .unwrap()
        {
            states.insert(lease.key.unit, (lease.state, lease.unit_root));
        }
    }
    for (unit, root) in &told.completed {
        assert_eq!(
            states.get(unit),
            Some(&(LeaseState::Submitted, Some(*root))),
            "{unit}"
        );
    }
    assert!(
        told.reports.len() > 10,
        "only {} reports were accepted",
        told.reports.len()
    );
    for report in &told.reports {
        let receipt = probe.report_cell(report).await.unwrap();
        assert!(receipt.known, "an accepted report was lost");
    }
    eprintln!(
        "{kills} kills, {} units completed, {} reports kept",
        told.completed.len(),
        told.reports.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_given_twice_on_sqlite() {
    let folder = folder();
    let database = folder.path().join("assay.sqlite").display().to_string();
    chaos(&database, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_given_twice_on_postgres() {
    let Some(url) = crate::postgres::database("chaos").await else {
        return;
    };
    let folder = folder();
    chaos(&url, folder.path()).await;
}
