//! Load on one machine, server and clients together: signed no-ops, lease cycles, the board from the cache.
//!
//! `cargo bench -p assay-server --bench load [-- SECONDS [postgres|postgres://…]]`: bounded in time and requests, loopback only;
//! `postgres` takes the server that tests take, with commits that wait for the disk. Every signed request is signed, sent over a kept connection, verified, stored durably and answered with a signature.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints and stops at the first error"
)]

#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/world.rs"]
mod world;

#[path = "../../tests/it/postgres.rs"]
mod postgres;

mod line;

use assay_server::Limits;
use assay_server::store::{NonceOnly, Signed};
use assay_types::api::{AuthScheme, RequestToSign};
use assay_types::{Round, Sha256Digest, hex};
use line::{Line, Measured};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use world::{Place, SERVER, Subnet, World, hotkey, key};

/// Connections of each measurement.
const CONNECTIONS: usize = 32;
/// Miners on the board.
const MINERS: usize = 256;
/// Miners that work.
const WORKERS: usize = 16;

impl World {
    /// For load: the first `workers` miners hold 4,096 units each, nothing is limited.
    pub(crate) async fn for_load(database: &Place, miners: &[&str], workers: usize) -> Self {
        let limits = Limits {
            address_requests_a_minute: u32::MAX,
            hotkey_requests_a_minute: u32::MAX,
            address_streams_max: usize::MAX,
            address_connections_max: usize::MAX,
            ..Limits::default()
        };
        let mut params = world::params();
        for (name, value) in [
            ("genesis_block", 600),
            ("cap_max", 4_096),
            ("cap_first", 4_096),
            ("replica_rate", 0),
        ] {
            params.values.set(name, value).unwrap();
        }
        let wants = |at: usize| if at < workers { 4_096 } else { 0 };
        let subnet = Subnet {
            limits,
            params,
            units: 4_096 * workers as u64,
            batches: None,
            has_owner: false,
            contest: None,
        };
        Self::build(database, miners, subnet, wants).await
    }
}

/// A signed request.
fn signed(worker: &assay_chain::wallet::KeyPair, target: &str, body: &str) -> Vec<u8> {
    static NONCE: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let last = NONCE
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            Some(now.max(last + 1))
        })
        .unwrap();
    let nonce = now.max(last + 1).to_string();
    let (sender, receiver) = (worker.address(), hotkey(SERVER).to_ss58());
    let text = RequestToSign {
        scheme: AuthScheme::Sr25519,
        method: "POST",
        target,
        body: Sha256Digest(Sha256::digest(body).into()),
        nonce: &nonce,
        sender: &sender,
        receiver: &receiver,
    }
    .text();
    let signature = hex::encode(&worker.sign(text.as_bytes()).unwrap());
    format!(
        "POST {target} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         x-bittensor-version: 1\r\nx-bittensor-hotkey: {sender}\r\nx-bittensor-receiver: {receiver}\r\n\
         x-bittensor-nonce: {nonce}\r\nx-bittensor-signature: 0x{signature}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Asks on all connections until the time is over or the requests are.
async fn measure<F>(url: &str, seconds: u64, request: F) -> Measured
where
    F: Fn(usize, u64) -> Option<Vec<u8>> + Send + Sync + 'static,
{
    let (request, times) = (Arc::new(request), Arc::new(Mutex::new(Vec::new())));
    let begun = Instant::now();
    let end = begun + Duration::from_secs(seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (url, request, times) = (url.to_owned(), Arc::clone(&request), Arc::clone(&times));
        tasks.spawn(async move {
            let mut line = Line::open(&url).await;
            let mut own = Vec::new();
            let mut at = 0;
            while Instant::now() < end
                && let Some(bytes) = request(connection, at)
            {
                let sent = Instant::now();
                let status = line.ask(&bytes).await;
                assert!(
                    status == 200 || status == 304,
                    "{}",
                    String::from_utf8_lossy(&line.buffer)
                );
                own.push(sent.elapsed().as_secs_f64() * 1_000.0);
                at += 1;
            }
            times.lock().unwrap().extend(own);
        });
    }
    while tasks.join_next().await.is_some() {}
    let seconds = begun.elapsed().as_secs_f64();
    Measured::of(std::mem::take(&mut *times.lock().unwrap()), seconds)
}

/// Rows a second that the database itself takes: each a commit of its own, and 512 a commit.
async fn raw(world: &World, seconds: u64) -> (f64, f64) {
    let rate = |count: u64, begun: Instant| count as f64 / begun.elapsed().as_secs_f64();
    let write = |nonce| Signed {
        hotkey: hotkey("raw"),
        nonce,
        write: NonceOnly,
    };
    let (begun, mut alone) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(seconds) {
        alone += 1;
        world.app.writer().write(write(alone)).await.unwrap().unwrap();
    }
    let alone = rate(alone as u64, begun);
    let (begun, mut grouped) = (Instant::now(), 0_u64);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let mut group = tokio::task::JoinSet::new();
        for at in 0..512 {
            let (writer, write) = (world.app.writer().clone(), write(1 << 40 | (grouped + at) as i64));
            group.spawn(async move { writer.write(write).await.unwrap().unwrap() });
        }
        grouped += group.join_all().await.len() as u64;
    }
    (alone, rate(grouped, begun))
}

/// The database of a word: SQLite for none, the tests' PostgreSQL, or an address.
async fn place(word: Option<&str>) -> Place {
    match word {
        None => Place::Sqlite,
        Some("postgres") => {
            // Durable as SQLite is here.
            postgres::SYNCS.store(true, Ordering::Relaxed);
            Place::Postgres(postgres::database("load").await.unwrap())
        }
        Some(url) => Place::Postgres(url.to_owned()),
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // Cargo hands `--bench` through.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let seconds = args.first().and_then(|text| text.parse().ok()).unwrap_or(5);
    let place = place(args.get(1).map(String::as_str)).await;
    let names: Vec<String> = (0..MINERS).map(|at| format!("miner-{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::for_load(&place, &names, WORKERS).await;
    world.begin(0).await;
    let (alone, grouped) = raw(&world, seconds).await;
    println!("database: {alone:.0} inserts/s each its own commit, {grouped:.0} inserts/s in groups");

    let keys: Arc<Vec<_>> = Arc::new((0..WORKERS).map(|at| key(&format!("miner-{at}"))).collect());
    let signers = Arc::clone(&keys);
    let noop = measure(&world.url, seconds, move |connection, _| {
        Some(signed(&signers[connection % WORKERS], "/v1/whoami", ""))
    })
    .await;
    noop.print("signed no-op");

    let assignment = world.client("miner-0").assignment(Round(0)).await.unwrap().0;
    let units: Vec<Vec<String>> = (0..CONNECTIONS)
        .map(|connection| {
            let mine = assignment
                .of(&hotkey(&format!("miner-{}", connection % WORKERS)))
                .collect::<Vec<_>>();
            let share = mine
                .iter()
                .skip(connection / WORKERS)
                .step_by(CONNECTIONS / WORKERS);
            share
                .map(|entry| format!("/v1/rounds/0/units/{}/lease", entry.unit))
                .collect()
        })
        .collect();
    let root = "11".repeat(32);
    let leases = measure(&world.url, seconds, move |connection, at| {
        let lease = units[connection].get((at / 3) as usize)?;
        let signer = &keys[connection % WORKERS];
        Some(match at % 3 {
            0 => signed(signer, lease, ""),
            1 => signed(signer, &format!("{lease}/heartbeat"), r#"{"progress":5000}"#),
            _ => signed(
                signer,
                &format!("{lease}/complete"),
                &format!(r#"{{"unit_root":"{root}"}}"#),
            ),
        })
    })
    .await;
    leases.print("signed durable lease operations");
    println!(
        "cycles of take, heartbeat, complete: {:.0}/s; {:.0} % of the signed no-op; {:.0} % of grouped inserts",
        leases.rate() / 3.0,
        100.0 * leases.rate() / noop.rate(),
        100.0 * leases.rate() / grouped
    );

    let board = "GET /v1/leaderboard/miners?limit=256 HTTP/1.1\r\nhost: x\r\naccept-encoding: br\r\n";
    let plain = format!("{board}\r\n").into_bytes();
    measure(&world.url, seconds, move |_, _| Some(plain.clone()))
        .await
        .print("board of 256 miners, brotli");
    let mut line = Line::open(&world.url).await;
    line.ask(format!("{board}\r\n").as_bytes()).await;
    let head = String::from_utf8_lossy(&line.buffer).into_owned();
    let etag = head.split("etag: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let known = format!("{board}if-none-match: {etag}\r\n\r\n").into_bytes();
    measure(&world.url, seconds, move |_, _| Some(known.clone()))
        .await
        .print("board of 256 miners, unchanged");
}
