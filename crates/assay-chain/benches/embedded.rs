//! Speed of the embedded chain: reading a full metagraph, and signed transactions from signature to block.
//!
//! Run with `cargo bench -p assay-chain --bench embedded`; the figures stand in the module doc of `embedded`.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use assay_chain::embedded::{Clock, EmbeddedChain, Genesis, GenesisSubnet, Node, NodeOptions};
use assay_chain::{At, Call, Chain as _, CommitmentField, Hyperparameters};
use assay_types::{Coldkey, Hotkey, MechId, NetUid, Rao, Uid, Weight};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use subxt_signer::sr25519::Keypair;

const NETUID: NetUid = NetUid(1);
const NEURONS: usize = 256;
const COMMITS: usize = 1_000;

fn key(name: &str) -> Keypair {
    Keypair::from_uri(&format!("//{name}").parse().unwrap()).unwrap()
}

async fn chain() -> (Node, EmbeddedChain) {
    let owner = key("owner");
    let genesis = Genesis {
        accounts: vec![(Coldkey(owner.public_key().0), Rao(1 << 60))],
        subnets: vec![GenesisSubnet {
            netuid: NETUID,
            hyperparameters: Hyperparameters {
                burn_max: Rao(500_000),
                burn_min: Rao(500_000),
                commit_reveal: false,
                immunity_period: 0,
                weights_rate_limit: 0,
                non_immune_uids_min: 0,
                tempo: 50_000,
                ..Hyperparameters::default()
            },
            started: true,
        }],
        ..Genesis::default()
    };
    let options = NodeOptions {
        genesis,
        clock: Clock::Manual,
        ..NodeOptions::default()
    };
    let node = Node::start(&options).await.unwrap();
    (node.clone(), EmbeddedChain::from(node))
}

fn note(number: usize) -> Call {
    let bytes = number.to_le_bytes().repeat(16);
    Call::SetCommitment {
        netuid: NETUID,
        fields: vec![CommitmentField::Plain(bytes)],
    }
}

/// A call that always succeeds: weight on oneself.
fn own_weight(uid: Uid) -> Call {
    Call::SetWeights {
        netuid: NETUID,
        mecid: MechId(0),
        weights: vec![(uid, Weight(1))],
        version_key: 0,
    }
}

/// Registers hotkeys and lets each commit; those pruned later keep their commitments.
async fn fill(node: &Node, chain: &EmbeddedChain, hotkeys: &[Keypair]) {
    let owner = key("owner");
    for some in hotkeys.chunks(NEURONS / 2) {
        for hotkey in some {
            let call = Call::Register {
                netuid: NETUID,
                hotkey: Hotkey(hotkey.public_key().0),
                limit_price: Rao(u64::MAX),
            };
            chain.send(&call, &owner).await.unwrap();
        }
        node.seal(1).await.unwrap();
        for (number, hotkey) in some.iter().enumerate() {
            chain.send(&note(number), hotkey).await.unwrap();
        }
        node.seal(1).await.unwrap();
    }
}

fn embedded(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let hotkeys: Vec<Keypair> = (0..COMMITS).map(|number| key(&number.to_string())).collect();
    let (node, chain) = runtime.block_on(chain());
    runtime.block_on(fill(&node, &chain, &hotkeys));
    let metagraph = runtime.block_on(chain.metagraph(NETUID, At::Head)).unwrap();
    let commitments = runtime.block_on(chain.commitments(NETUID, At::Head)).unwrap();
    assert_eq!((metagraph.neurons.len(), commitments.len()), (NEURONS, COMMITS));

    let mut group = criterion.benchmark_group("embedded");
    group.sample_size(20);
    group.bench_function("metagraph of 256 neurons, 1,000 commitments", |bencher| {
        bencher.iter(|| runtime.block_on(chain.metagraph(NETUID, At::Head)).unwrap());
    });
    group.bench_function("commitments, 1,000", |bencher| {
        bencher.iter(|| runtime.block_on(chain.commitments(NETUID, At::Head)).unwrap());
    });
    let weights: Vec<(&Keypair, Call)> = hotkeys
        .iter()
        .filter_map(|key| {
            let neuron = metagraph.neuron(&Hotkey(key.public_key().0))?;
            Some((key, own_weight(neuron.uid)))
        })
        .take(200)
        .collect();
    group.throughput(Throughput::Elements(weights.len() as u64));
    group.bench_function("200 transactions signed, checked and in a block", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                for (hotkey, call) in &weights {
                    chain.send(call, hotkey).await.unwrap();
                }
                node.seal(1).await.unwrap();
            });
        });
    });
    group.finish();
}

criterion_group!(benches, embedded);
criterion_main!(benches);
