//! Random life on the embedded chain: whatever happens in whatever order, the sums hold and nothing leaks.
//!
//! Each operation is drawn from a seed; most are refused by some rule, which is the point. After each one the state is
//! checked, and now and then the chain is started again from its database, in the middle of everything: after a stop, after its
//! last handle is dropped, and from a copy of the files as a kill would leave them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use assay_chain::embedded::{Clock, EmbeddedChain, Fault, Node, NodeOptions};
use assay_chain::{At, Call, Chain as _, ChainError, CommitmentField, Metagraph, Neuron, WeightRow};
use assay_types::{Hotkey, MechId, NetUid, Rao, Uid};

use crate::conformance::world::{TAO, coldkey, genesis, hotkey, key, register, set, weights};

/// Keys that act, each a hotkey and a coldkey.
const KEYS: u64 = 12;
/// Transactions kept to be sent again.
const SENT_MAX: usize = 64;

/// SplitMix64: a sequence that its seed decides.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn name(&mut self) -> String {
        format!("k{}", self.below(KEYS))
    }
}

async fn open(path: &Path) -> Node {
    try_open(path).await.unwrap()
}

async fn try_open(path: &Path) -> Result<Node, ChainError> {
    let options = NodeOptions {
        genesis: genesis(),
        path: Some(path.to_path_buf()),
        clock: Clock::Manual,
        ..NodeOptions::default()
    };
    Node::start(&options).await
}

/// A call by a key, most of the time nonsense.
fn draw(draws: &mut Draws, subnets: u64) -> (Call, String) {
    let netuid = NetUid(draws.below(subnets + 1) as u16);
    let name = draws.name();
    let other = draws.name();
    let row: Vec<(u16, u16)> = (0..draws.below(4))
        .map(|_| (draws.below(6) as u16, draws.next() as u16))
        .collect();
    let call = match draws.below(10) {
        0 | 1 => register(netuid, &other),
        2 => Call::SetCommitment {
            netuid,
            fields: vec![CommitmentField::Plain(vec![
                draws.next() as u8;
                draws.below(513) as usize
            ])],
        },
        3 | 4 => weights(netuid, &row),
        5 => Call::CommitTimelockedWeights {
            netuid,
            mecid: MechId(0),
            commit: vec![draws.next() as u8; 300],
            reveal_round: u64::MAX - draws.below(2),
            version: 4,
        },
        6 => Call::AddStake {
            hotkey: hotkey(&other),
            netuid,
            amount: Rao(draws.below(3 * TAO)),
        },
        7 => Call::ServeAxon {
            netuid,
            address: std::net::SocketAddr::from(([192, 0, 2, 1], draws.next() as u16)),
        },
        8 => Call::RegisterNetwork {
            hotkey: hotkey(&other),
            identity: None,
        },
        _ => {
            let names = [
                "tempo",
                "uids_max",
                "immunity_period",
                "commit_reveal",
                "mechanisms",
                "weights_rate_limit",
            ];
            let value = [5, 20, 1, 0, 2, 3][draws.below(6) as usize];
            return (
                set(netuid, names[draws.below(6) as usize], value),
                "root".to_owned(),
            );
        }
    };
    (call, name)
}

/// What must hold in every state; gives how many neurons are new in it.
async fn check(chain: &EmbeddedChain, subnets: u64) -> usize {
    let events = chain.events(At::Head).await.unwrap();
    let successes = events
        .iter()
        .filter(|event| event.name == "System.ExtrinsicSuccess");
    // With a second transaction in its block, a new neuron may have done something already.
    let alone = successes.count() <= 1;
    let mut new = 0;
    let totals = chain.totals(At::Head).await.unwrap();
    assert_eq!(totals.tao_issued, totals.tao_held, "TAO");
    assert_eq!(totals.alpha_issued, totals.alpha_held, "alpha");
    for netuid in (1..=subnets).map(|netuid| NetUid(netuid as u16)) {
        let metagraph = chain.metagraph(netuid, At::Head).await.unwrap();
        let n = metagraph.neurons.len();
        let hotkeys: BTreeSet<Hotkey> = metagraph.neurons.iter().map(|neuron| neuron.hotkey).collect();
        assert_eq!(hotkeys.len(), n, "a hotkey has one uid");
        for (uid, neuron) in metagraph.neurons.iter().enumerate() {
            assert_eq!(usize::from(neuron.uid.0), uid);
            assert!(neuron.registered <= metagraph.block && neuron.last_update <= metagraph.block);
        }
        let rows = chain.weights(netuid, MechId(0), At::Head).await.unwrap();
        let bonds = chain.bonds(netuid, MechId(0), At::Head).await.unwrap();
        if alone {
            new += check_new_neurons(&metagraph, &rows, &bonds);
        }
        for row in rows {
            let setter = &metagraph.neurons[usize::from(row.uid.0)];
            assert!(row.weights.is_sorted_by(|a, b| a.0 < b.0), "{row:?}");
            for (Uid(target), _) in row.weights {
                let target = &metagraph.neurons[usize::from(target)];
                assert!(
                    setter.last_update >= target.registered,
                    "nobody rated the owner of a uid before it had it"
                );
            }
        }
    }
    new
}

/// That who has just got a uid has nothing of who had it before; gives how many those are.
fn check_new_neurons(metagraph: &Metagraph, rows: &[WeightRow], bonds: &[WeightRow]) -> usize {
    let of_uid = |rows: &[WeightRow], uid: Uid| rows.iter().any(|row| row.uid == uid);
    let new = |neuron: &&Neuron| neuron.registered == metagraph.block;
    for neuron in metagraph.neurons.iter().filter(new) {
        let uid = neuron.uid;
        assert_eq!(
            (
                neuron.emission,
                neuron.incentive,
                neuron.dividends,
                neuron.consensus,
                neuron.vtrust
            ),
            (Rao(0), 0, 0, 0, 0),
            "uid {uid} earns nothing yet"
        );
        assert_eq!((neuron.permit, neuron.axon), (false, None), "uid {uid}");
        assert!(!of_uid(rows, uid) && !of_uid(bonds, uid), "uid {uid} has no row");
        let to_it = |row: &WeightRow| row.weights.iter().any(|(to, _)| *to == uid);
        assert!(!rows.iter().any(to_it), "nobody has rated uid {uid}");
    }
    metagraph.neurons.iter().filter(new).count()
}

/// How a chain ends before it is opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Told to stop.
    Stopped,
    /// Its last handle is dropped.
    Dropped,
    /// Killed: what is on disk while it runs is all that is left.
    Killed,
}

/// Ends a chain one way or another and opens what it leaves, in a folder of its own if it was killed.
async fn reopen(node: Node, path: &Path, end: End, crashes: usize) -> (Node, PathBuf) {
    match end {
        End::Stopped => {
            node.stop().await;
            (open(path).await, path.to_path_buf())
        }
        End::Dropped => {
            drop(node);
            loop {
                // The task that holds the database ends soon after its last handle.
                match try_open(path).await {
                    Ok(node) => return (node, path.to_path_buf()),
                    Err(error) => assert!(error.to_string().contains("another process"), "{error}"),
                }
            }
        }
        End::Killed => {
            let folder = path.parent().unwrap().join(format!("crash-{crashes}"));
            std::fs::create_dir(&folder).unwrap();
            let copy = folder.join("chain.sqlite");
            std::fs::copy(path, &copy).unwrap();
            let log = path.with_file_name("chain.sqlite-wal");
            assert!(log.exists(), "what is newest is in the write-ahead log");
            std::fs::copy(log, folder.join("chain.sqlite-wal")).unwrap();
            let again = open(&copy).await;
            node.stop().await;
            (again, copy)
        }
    }
}

async fn count_subnets(chain: &EmbeddedChain) -> u64 {
    let mut subnets = 0;
    while chain.burn(NetUid(subnets + 1), At::Head).await.is_ok() {
        subnets += 1;
    }
    u64::from(subnets)
}

/// Gives every key money.
async fn fund(node: &Node) {
    for number in 0..KEYS {
        let account = coldkey(&key(&format!("k{number}")));
        node.fund(account, Rao(20_000 * TAO)).await.unwrap();
    }
}

async fn live(operations: u64, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut path = folder.path().join("chain.sqlite");
    let mut node = open(&path).await;
    let mut chain = EmbeddedChain::from(node.clone());
    let mut draws = Draws(seed);
    fund(&node).await;
    let mut sent: Vec<Vec<u8>> = Vec::new();
    let (mut subnets, mut restarts, mut included, mut new) = (0_u64, 0, 0_u64, 0);
    for operation in 0..operations {
        match draws.below(20) {
            0 if !sent.is_empty() => {
                let bytes = &sent[draws.below(sent.len() as u64) as usize];
                assert!(chain.send_raw(bytes).await.is_err(), "a transaction counts once");
            }
            1 => node.seal(draws.below(8) as u32).await.unwrap(),
            2 => {
                let depth = draws.below(3) as u32;
                // Nothing to replace is an answer, too.
                let _ = node.inject(Fault::Reorg { depth }).await;
                sent.clear();
            }
            3 => node.inject(Fault::MissPulses { rounds: 3 }).await.unwrap(),
            4 if draws.below(6) == 0 => {
                let head = chain.head(At::Head).await.unwrap();
                let end = [End::Stopped, End::Dropped, End::Killed][restarts % 3];
                drop(chain);
                (node, path) = reopen(node, &path, end, restarts).await;
                chain = EmbeddedChain::from(node.clone());
                let now = chain.head(At::Head).await.unwrap();
                assert_eq!(now, head, "operation {operation}: {end:?}");
                restarts += 1;
            }
            _ => {
                let (call, signer) = draw(&mut draws, subnets);
                if let Ok(bytes) = chain.send(&call, &key(&signer)).await {
                    node.seal(1).await.unwrap();
                    included += 1;
                    sent.push(bytes);
                    if sent.len() > SENT_MAX {
                        sent.remove(0);
                    }
                }
            }
        }
        // A fork may have taken one back.
        let known = std::mem::replace(&mut subnets, count_subnets(&chain).await);
        for netuid in (known + 1..=subnets).map(|netuid| NetUid(netuid as u16)) {
            for call in [
                Call::StartCall { netuid },
                set(netuid, "uids_max", 5),
                set(netuid, "immunity_period", 9),
            ] {
                chain.send(&call, &key("root")).await.unwrap();
            }
            node.seal(1).await.unwrap();
        }
        new += check(&chain, subnets).await;
    }
    assert!(
        included > operations / 2,
        "{included} of {operations} were included"
    );
    assert!(new > 10, "{new} neurons were seen in their first block");
    assert!(
        restarts >= 3 && subnets > 0,
        "{restarts} restarts, {subnets} subnets"
    );
}

#[tokio::test]
async fn a_thousand_random_operations_keep_every_invariant() {
    live(1_000, 1).await;
}

#[tokio::test]
#[ignore = "minutes: .ci/long"]
async fn ten_thousand_random_operations_keep_every_invariant() {
    for seed in 2..5 {
        live(10_000, seed).await;
    }
}
