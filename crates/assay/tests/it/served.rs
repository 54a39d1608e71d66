//! A Task API server as a process, with a chain of its own on which sixteen miners are registered.

use std::net::SocketAddr;

use assay_chain::embedded::{Clock, EmbeddedChain, Genesis, Node, NodeOptions, Served, serve};
use assay_chain::wallet::{KeyPair, Scheme};
use assay_chain::{Call, Chain as _, CommitmentField};
use assay_types::{Hotkey, Message, NetUid, ParamSet, Rao, Round};
use subxt_signer::SecretUri;
use subxt_signer::sr25519::Keypair;

use crate::serve::Service;
use crate::support::{assay, folder};

pub(crate) const MINERS: usize = 16;
pub(crate) const UNITS_A_MINER: u16 = 40;
pub(crate) const NETUID: NetUid = NetUid(1);

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

pub(crate) fn params() -> ParamSet {
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
pub(crate) async fn chain() -> (Node, String, Kept) {
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

/// Starts the server of `//server` on `database`; everything else lies in `folder`, made by [`prepare`].
pub(crate) fn start(database: &str, folder: &std::path::Path, network: &str, address: SocketAddr) -> Service {
    let mut command = command(database, folder, network, address);
    command.env("ASSAY_LOG", "error");
    Service::start(command)
}

/// The command that starts it.
pub(crate) fn command(
    database: &str,
    folder: &std::path::Path,
    network: &str,
    address: SocketAddr,
) -> std::process::Command {
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
    command
}

/// Files of a server without rate limits.
pub(crate) fn prepare(folder: &std::path::Path) {
    fs_err::write(folder.join("server"), "//server\n").unwrap();
    fs_err::write(folder.join("params.toml"), params().to_canonical()).unwrap();
    let list: Vec<String> = (0..MINERS * usize::from(UNITS_A_MINER))
        .map(|unit| format!("cc:{unit}"))
        .collect();
    fs_err::write(folder.join("units.txt"), list.join("\n")).unwrap();
    let limits = "[limits]\naddress_requests_a_minute = 4000000000\nhotkey_requests_a_minute = 4000000000\n\
        address_streams_max = 4000\naddress_connections_max = 4000\n";
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
pub(crate) fn free_address() -> SocketAddr {
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
