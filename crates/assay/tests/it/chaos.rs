//! 64 clients against a server that is killed every few seconds while blocks go on: no lease twice, nothing accepted is lost,
//! what was answered before a kill is a replay after it, and the end of work ends every lease once.
//!
//! Seconds by `ASSAY_CHAOS_SECONDS` (8 if not set; .ci/long runs 60 on both databases), kills every 2 s (5 s in the long run).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use assay_agents::api::{ApiError, ClientOptions, TaskApi};
use assay_chain::embedded::Node;
use assay_hub::{Exchange, ExchangeRequest};
use assay_types::api::{AuthScheme, LeaseState, Problem, ProblemKind, RequestToSign};
use assay_types::{
    Arm, Digest, EVALUATION_REPORT_VERSION, EvaluationReport, Hotkey, RecipeId, Round, Sha256Digest, Stage,
    Tokens, UnitId, hex,
};
use sha2::{Digest as _, Sha256};

use crate::served::{MINERS, NETUID, chain, free_address, hotkey, key, params, prepare, start};
use crate::support::folder;

/// Clients that share a hotkey: they compete for its units.
const CLIENTS_A_MINER: usize = 4;

/// What clients were told, and never may be untold.
#[derive(Default)]
struct Told {
    taken: BTreeMap<UnitId, u32>,
    completed: BTreeMap<UnitId, Digest>,
    reports: Vec<EvaluationReport>,
    problems: Vec<String>,
    /// Takes that were refused because a rival held the lease.
    rivals: u32,
    /// Completions with another root that were refused, as they must be.
    second: u32,
    /// The newest signed request that was answered, as it was sent.
    last: Option<Sent>,
}

/// Headers of a signed request without a body, and when it was signed.
type Sent = (Vec<(&'static str, String)>, Instant);

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
                Err(error) if error.kind() == Some(ProblemKind::LeaseState) => {
                    told.lock().unwrap().rivals += 1;
                    continue;
                }
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
                        complete_again(&api, unit, &told).await;
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

/// Whoever completes a unit that is complete, with another root, is told that he is the second.
async fn complete_again(api: &TaskApi, unit: &UnitId, told: &Mutex<Told>) {
    match api.complete(Round(0), unit, Digest([0xEE; 32])).await {
        Ok(_) => told
            .lock()
            .unwrap()
            .problems
            .push(format!("{unit} was completed twice")),
        Err(error) if error.kind() == Some(ProblemKind::LeaseState) => told.lock().unwrap().second += 1,
        Err(error) => note(&error, told),
    }
}

/// The path of a signed request that changes nothing.
const WHOAMI: &str = "/v1/whoami";

/// A signed request, as it is sent.
fn signed(name: &str) -> Sent {
    let (key, at) = (key(name), Instant::now());
    let nonce = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos()
        .to_string();
    let (sender, receiver) = (key.address(), hotkey("server").to_ss58());
    let text = RequestToSign {
        scheme: AuthScheme::Sr25519,
        method: "POST",
        target: WHOAMI,
        body: Sha256Digest(Sha256::digest([]).into()),
        nonce: &nonce,
        sender: &sender,
        receiver: &receiver,
    }
    .text();
    let signature = format!("0x{}", hex::encode(&key.sign(text.as_bytes()).unwrap()));
    let headers = vec![
        ("x-bittensor-version", "1".to_owned()),
        ("x-bittensor-hotkey", sender),
        ("x-bittensor-receiver", receiver),
        ("x-bittensor-nonce", nonce),
        ("x-bittensor-signature", signature),
    ];
    (headers, at)
}

/// Status and code of the answer to a request that is sent as it is.
async fn send(url: &str, sent: &Sent) -> Option<(u16, String)> {
    let request = ExchangeRequest {
        method: "POST",
        target: WHOAMI,
        headers: sent.0.clone(),
        body: Vec::new(),
        bytes_max: 1 << 20,
    };
    let exchange = Exchange::new(url, Duration::from_secs(5)).unwrap();
    let answer = exchange.send(request).await.ok()?;
    let problem = serde_json::from_slice::<Problem>(&answer.body);
    Some((
        answer.status,
        problem.map(|problem| problem.code).unwrap_or_default(),
    ))
}

/// Remembers the newest request that was answered.
async fn witness(url: String, told: Arc<Mutex<Told>>, end: Instant) {
    while Instant::now() < end {
        let sent = signed("miner-1");
        if send(&url, &sent).await.is_some_and(|(status, _)| status == 200) {
            told.lock().unwrap().last = Some(sent);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How long a signature is fresh, less the time of an exchange.
const FRESH: Duration = Duration::from_secs(9);

/// Sends what was answered before a kill to the server that follows: it is known there. False if it came up too late to say.
async fn is_replay(url: &str, sent: &Sent) -> bool {
    while sent.1.elapsed() < FRESH {
        match send(url, sent).await {
            Some((401, code)) if code == "auth/replayed" => return true,
            // It is not yet there, or has not yet caught up with the chain.
            None | Some((503, _)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Some(other) => panic!("a replay after a kill was answered {other:?}"),
        }
    }
    false
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

/// Blocks made while clients work; work ends twenty blocks after its begin.
const BLOCKS_OF_WORK: u32 = 12;

async fn chaos(database: &str, folder: &Path) {
    let seconds = std::env::var("ASSAY_CHAOS_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(8_u64);
    let pause = Duration::from_secs(if seconds >= 60 { 5 } else { 2 });
    let (node, network, _stop) = chain().await;
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
    let mut workers = Vec::new();
    for miner in 0..MINERS {
        let name = format!("miner-{miner}");
        let mine: Vec<UnitId> = assignment.of(&hotkey(&name)).map(|entry| entry.unit).collect();
        for rival in 0..CLIENTS_A_MINER {
            let mut mine = mine.clone();
            let from = rival * mine.len() / CLIENTS_A_MINER / 2;
            mine.rotate_left(from);
            let own = Digest([u8::try_from(miner * CLIENTS_A_MINER + rival).unwrap(); 32]);
            workers.push((client(&name, &url), (mine, own)));
        }
    }
    let validator = client("miner-0", &url);
    // Clients take their time to be made.
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for (api, mine) in workers {
        tasks.spawn(work(api, mine, Arc::clone(&told), end));
    }
    tasks.spawn(validate(validator, Arc::clone(&told), end));
    tasks.spawn(witness(url.clone(), Arc::clone(&told), end));
    let (mut kills, mut replays) = (0, 0);
    while kills < 2 || Instant::now() + pause < end {
        tokio::time::sleep(pause).await;
        if kills < BLOCKS_OF_WORK {
            node.seal(1).await.unwrap();
        }
        server.kill();
        kills += 1;
        let last = told.lock().unwrap().last.take();
        server = start();
        if let Some(last) = last {
            replays += u32::from(is_replay(&url, &last).await);
        }
    }
    while tasks.join_next().await.is_some() {}
    server.kill();
    let server = start();
    let told = std::mem::take(&mut *told.lock().unwrap());
    check(&url, &told, (kills, replays)).await;
    ended(&url, &node, &told).await;
    drop(server);
}

/// Behind the end of work every lease has ended once: submitted, among them all that clients were told, or expired.
async fn ended(url: &str, node: &Node, told: &Told) {
    let values = params().values;
    let probe = client("miner-0", url);
    let end = values.genesis_block + values.commit_offset;
    // One by one: the round must not be settled yet.
    while u64::from(probe.health().await.unwrap().block.0) <= end {
        node.seal(1).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (assignment, _) = probe.assignment(Round(0)).await.unwrap();
    let given = assignment.entries.iter().flat_map(|entry| {
        std::iter::once(entry.holder)
            .chain(entry.replica)
            .map(|holder| (entry.unit, holder))
    });
    let given: Vec<(UnitId, Hotkey)> = given.collect();
    let mut leases = BTreeMap::new();
    for miner in 0..MINERS {
        for lease in probe
            .leases(Round(0), &hotkey(&format!("miner-{miner}")))
            .await
            .unwrap()
        {
            let twice = leases.insert((lease.key.unit, lease.key.holder), lease);
            assert!(twice.is_none(), "a lease is there twice: {twice:?}");
        }
    }
    assert_eq!(leases.len(), given.len(), "each given lease and no other");
    let (mut submitted, mut expired) = (0, 0);
    for key in &given {
        match leases[key].state {
            LeaseState::Submitted => submitted += 1,
            LeaseState::Expired => expired += 1,
            other => panic!("a lease has not ended: {other:?}"),
        }
    }
    for (unit, root) in &told.completed {
        let found = leases
            .values()
            .find(|lease| lease.key.unit == *unit && lease.unit_root == Some(*root));
        assert_eq!(
            found.map(|lease| lease.state),
            Some(LeaseState::Submitted),
            "{unit}"
        );
    }
    eprintln!("{submitted} leases submitted, {expired} expired");
}

/// Everything that was told is still so, and every unit was given once.
async fn check(url: &str, told: &Told, (kills, replays): (u32, u32)) {
    assert!(kills >= 2, "{kills}");
    assert!(replays >= 1, "no server came up in time to be sent a replay");
    assert!(told.rivals > 0, "no client ever met a rival");
    assert!(told.second > 0, "nobody tried to complete a unit a second time");
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
        "{kills} kills, {replays} replays refused, {} units completed, {} reports kept",
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
