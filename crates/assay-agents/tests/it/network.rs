//! Rounds over a network that fails: archives and submissions behind an HTTP server whose answers a test spoils.
//!
//! What passes is repeated within bounds and changes nothing; what stays is a round missed, or a miner left out of a report:
//! nothing wrong is published, and nobody is blamed for a validator's network.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use assay_agents::miner::{Conduct, Miner, RoundJournal, Stage};
use assay_agents::subnet::{AgentError, Batch, Opening, Setup};
use assay_agents::validator::{PrivateAudit, Validator, ValidatorOptions};
use assay_chain::{At, Chain as _};
use assay_hub::OpenOptions;
use assay_hub::store::{Store, StoreOptions};
use assay_types::{AuditReport, Hotkey, Manifest, Round, Verdict};

use crate::server::{Reply, Request, Server, quick};
use crate::store::Divided;
use crate::world::{NETUID, World, hotkey, revision};

/// What a server does to its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    /// Two of three answers are spoiled, each kind in turn.
    Passing,
    /// Overloaded for good.
    Down,
    /// Every answer has the bytes of other places, each time of others, with all signs of being right.
    Spoiling,
}

/// Kinds of what passes.
const KINDS: usize = 6;

impl Network {
    fn spoil(self, number: usize, mut reply: Reply) -> Reply {
        if reply.status != 206 {
            return reply;
        }
        let spoiled = number % 3 != 2;
        match self {
            Self::Down => overloaded(503),
            Self::Spoiling => {
                let bytes = reply.body.len();
                let shift = 1 + number * 7_919 % bytes.saturating_sub(1).max(1);
                reply.body.rotate_left(shift.min(bytes));
                reply
            }
            Self::Passing if !spoiled => reply,
            Self::Passing => match number / 3 % KINDS {
                0 => overloaded(429),
                1 => overloaded(503),
                2 => Reply::reset(),
                3 => {
                    let half = reply.body.len() / 2;
                    reply.cut(half)
                }
                4 => {
                    // Another part than the one asked for.
                    for (name, value) in &mut reply.fields {
                        if *name == "Content-Range" {
                            "bytes 1-2/3".clone_into(value);
                        }
                    }
                    reply
                }
                _ => reply.slow(Duration::from_millis(40)),
            },
        }
    }
}

fn overloaded(status: u16) -> Reply {
    Reply::status(status).field("Retry-After", "1")
}

fn spoil_a_byte(mut reply: Reply, number: usize) -> Reply {
    if !reply.body.is_empty() {
        let at = (number * 7_919 + 31) % reply.body.len();
        reply.body[at] ^= 1 << (number % 8);
    }
    reply
}

/// Serves the files of a folder over such a network; `spoil` may do more to the answer of a number.
fn serve(
    folder: PathBuf,
    network: Network,
    spoil: impl Fn(usize, &Request, Reply) -> Reply + Send + 'static,
) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |request| {
        let path = folder.join(request.target.trim_start_matches('/'));
        let Ok(bytes) = std::fs::read(path) else {
            return Reply::status(404);
        };
        let number = asked.fetch_add(1, Ordering::SeqCst);
        let reply = network.spoil(number, Reply::part(request, &bytes, "v"));
        spoil(number, request, reply)
    })
}

/// How these tests read: without pauses, and patient for a fraction of a second.
fn reading() -> OpenOptions {
    OpenOptions {
        attempts_max: 5,
        idle_ms_max: 200,
        rate_bytes_min: 1 << 30,
        proxy: None,
        ..quick(1 << 20)
    }
}

/// The subnet with its archives at another place, read like that.
fn setup_over(world: &World, name: &str, archives: &str) -> Setup {
    let file = std::fs::read(world.folder.path().join("subnet.json")).unwrap();
    let mut file: serde_json::Value = serde_json::from_slice(&file).unwrap();
    file["archives"] = archives.into();
    let path = world.folder.path().join(format!("subnet-{name}.json"));
    std::fs::write(&path, serde_json::to_vec(&file).unwrap()).unwrap();
    let options = StoreOptions {
        open: reading(),
        ..StoreOptions::default()
    };
    Setup::load(&path, &options).unwrap()
}

fn archives_of(world: &World) -> PathBuf {
    world.folder.path().join("archives")
}

/// Plays a round with these agents; gives the failures of the miner, each of which may be tried again.
async fn play(world: &World, miners: &mut [Miner<'_>], validators: &mut [Validator<'_>]) -> Vec<String> {
    let mut failures = Vec::new();
    for miner in miners.iter_mut() {
        assert!(miner.join().await.unwrap());
    }
    while world.head().await <= world.setup.clock.effective_block(Round(0)) {
        world.node.seal(3).await.unwrap();
        for miner in miners.iter_mut() {
            if let Err(error) = miner.step(world.head().await).await {
                assert!(error.retry_is_safe(), "{error}");
                failures.push(error.to_string());
            }
        }
        for validator in validators.iter_mut() {
            validator.step(world.head().await).await.unwrap();
        }
    }
    failures
}

fn manifest(world: &World, name: &str) -> Manifest {
    Manifest::parse(&std::fs::read(revision(world, name).join("manifest.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_miner_over_a_failing_network_publishes_what_the_archives_hold() {
    let world = World::new(&["far", "near"], &["validator"]).await;
    // Beyond what passes, one answer in the middle is wrong with all signs of being right.
    let server = serve(archives_of(&world), Network::Passing, |number, _, reply| {
        if number == 5 {
            spoil_a_byte(reply, 1)
        } else {
            reply
        }
    });
    let setup = setup_over(&world, "far", &server.url(""));
    let far = Miner::open(&world.chain, &setup, world.miner_options("far", Conduct::Honest)).unwrap();
    let mut miners = [far, world.miner("near", Conduct::Honest)];
    let mut validators = [world.validator("validator")];
    let failures = play(&world, &mut miners, &mut validators).await;
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("not the same each time"), "{failures:?}");
    let results = validators[0].tracker().results(Round(0)).unwrap();
    for name in ["far", "near"] {
        let found = results.iter().find(|one| one.hotkey == hotkey(name)).unwrap();
        assert_eq!(found.verdict, Verdict::Pass, "{name}: {:?}", found.faults);
        for unit in manifest(&world, name).units {
            assert_eq!(
                (unit.n_kept, unit.n_records),
                (8, 8),
                "{name}: every page is there"
            );
        }
    }
    let asked = server.requests().len();
    assert!((12..200).contains(&asked), "{asked} requests");
}

#[tokio::test]
async fn a_miner_that_reaches_no_archive_misses_the_round_and_publishes_nothing() {
    for network in [Network::Down, Network::Spoiling] {
        let world = World::new(&["far"], &["validator"]).await;
        let server = serve(archives_of(&world), network, |_, _, reply| reply);
        let setup = setup_over(&world, "far", &server.url(""));
        let options = world.miner_options("far", Conduct::Honest);
        let mut miners = [Miner::open(&world.chain, &setup, options).unwrap()];
        let failures = play(&world, &mut miners, &mut []).await;
        assert!(
            failures.len() > 10,
            "{network:?}: it was tried {} times",
            failures.len()
        );
        let journals = RoundJournal::all(&world.folder.path().join("far")).unwrap();
        assert_eq!(journals[0].stage, Stage::Missed, "{network:?}");
        assert!(!world.folder.path().join("store").exists(), "{network:?}");
        let opened = world.chain.revealed_commitments(NETUID, At::Head).await.unwrap();
        assert!(opened.is_empty(), "{network:?}: {opened:?}");
    }
}

/// The report of a validator on a miner in round 0; none if it leaves the miner out.
async fn report(world: &World, validator: &str, miner: &Hotkey) -> Option<AuditReport> {
    let rounds = world.rounds();
    let about = world.about(validator);
    let digests = rounds.report_digests(Round(0)).await.unwrap();
    let (_, digest) = digests
        .iter()
        .find(|(of, _)| of.hotkey == about.validator)
        .unwrap();
    let mut opening = rounds.opening(Round(0), world.head().await).await.unwrap();
    while matches!(opening, Opening::Awaited(_)) {
        world.node.seal(1).await.unwrap();
        opening = rounds.opening(Round(0), world.head().await).await.unwrap();
    }
    let batch = Batch::fetch(world.setup.store.as_ref(), digest, &about, &opening).await;
    let reports = batch.unwrap().reports;
    reports.into_iter().find(|report| report.miner == *miner)
}

/// A validator's way to archives and submissions.
fn place(world: &World, name: &str, (archives, store): (&str, &str)) -> Setup {
    let mut setup = setup_over(world, name, archives);
    let remote: Arc<dyn Store> = Arc::from(
        assay_hub::store::open_store(
            store,
            &StoreOptions {
                open: reading(),
                ..StoreOptions::default()
            },
        )
        .unwrap(),
    );
    setup.store = Arc::new(Divided {
        written: Arc::clone(&world.setup.store),
        read: remote,
    });
    setup
}

#[tokio::test]
async fn a_validator_over_a_failing_network_reports_the_same_or_leaves_the_miner_out() {
    const PLACES: [(&str, Network, Network); 4] = [
        ("passing", Network::Passing, Network::Passing),
        ("no-archives", Network::Down, Network::Passing),
        ("spoiled-archives", Network::Spoiling, Network::Passing),
        ("no-store", Network::Passing, Network::Down),
    ];
    let names = [&["near"], PLACES.map(|(name, ..)| name).as_slice()].concat();
    let world = World::new(&["miner"], &names).await;
    let whole = |folder: &Path, network| serve(folder.to_owned(), network, |_, _, reply| reply);
    let store = world.folder.path().join("store");
    let servers = PLACES.map(|(_, archives, submissions)| {
        (whole(&archives_of(&world), archives), whole(&store, submissions))
    });
    let setups: Vec<Setup> = PLACES
        .iter()
        .zip(&servers)
        .map(|((name, ..), (archives, store))| place(&world, name, (&archives.url(""), &store.url(""))))
        .collect();
    let options = |name: &str| ValidatorOptions {
        private: PrivateAudit { units: 0, probes: 1 },
        ..world.validator_options(name)
    };
    let mut validators = vec![Validator::open(&world.chain, &world.setup, options("near")).unwrap()];
    for ((name, ..), setup) in PLACES.iter().zip(&setups) {
        validators.push(Validator::open(&world.chain, setup, options(name)).unwrap());
    }
    let mut miner = world.miner("miner", Conduct::Honest);
    assert!(miner.join().await.unwrap());
    let cutoff = world.setup.clock.report_cutoff(Round(0));
    while world.head().await < cutoff {
        world.node.seal(3).await.unwrap();
        miner.step(world.head().await).await.unwrap();
        for validator in &mut validators {
            let stepped = validator.step(world.head().await).await;
            // Who cannot read what others report settles the round later.
            assert!(
                stepped.as_ref().err().is_none_or(AgentError::retry_is_safe),
                "{stepped:?}"
            );
        }
    }
    let near = report(&world, "near", &hotkey("miner")).await.unwrap();
    assert_eq!((near.verdict, near.delivered.len()), (Verdict::Pass, 2));
    assert!(!near.probes.is_empty());
    let passing = report(&world, "passing", &hotkey("miner")).await.unwrap();
    assert_eq!(
        (
            &passing.delivered,
            &passing.probes,
            &passing.faults,
            passing.unreachable
        ),
        (&near.delivered, &near.probes, &near.faults, false)
    );
    for name in ["no-archives", "spoiled-archives", "no-store"] {
        let found = report(&world, name, &hotkey("miner")).await;
        assert_eq!(found, None, "{name} says nothing about the miner");
    }
}
