//! One epoch of Yuma on a full subnet: 256 uids, 64 validators, by bond rule; and one trial of a duel.
//!
//! `cargo bench -p assay-mechanism --bench yuma`

use assay_mechanism::duel::Trial;
use assay_mechanism::normal::Noise;
use assay_mechanism::yuma::{BondRule, LiquidAlpha, Neuron, Stake, Subnet, YumaParams, epoch};
use assay_types::BlockNumber;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const UIDS: u16 = 256;
const VALIDATORS: u16 = 64;

/// Every validator rates every miner, each a little differently, and holds bonds to all of them.
fn full_subnet(bonds: BondRule) -> Subnet {
    let mut noise = Noise::new(1, 0);
    let mut row = |from: u16| -> Vec<(u16, u16)> {
        if from >= VALIDATORS {
            return Vec::new();
        }
        let mut weight = |uid: u16| (uid, 10_000 + uid * 100 + (noise.next_u64() % 500) as u16);
        (VALIDATORS..UIDS).map(&mut weight).collect()
    };
    let neurons = (0..UIDS)
        .map(|uid| Neuron {
            stake: Stake::from_rao(if uid < VALIDATORS {
                1_000_000 + u64::from(uid)
            } else {
                0
            }),
            last_update: BlockNumber(90),
            permit: uid < VALIDATORS,
            weights: row(uid),
            bonds: row(uid),
            ..Neuron::default()
        })
        .collect();
    Subnet {
        block: BlockNumber(100),
        tempo: 10,
        params: YumaParams {
            bonds,
            ..YumaParams::default()
        },
        neurons,
        ..Subnet::default()
    }
}

fn yuma(criterion: &mut Criterion) {
    let rules = [
        ("classic", BondRule::Classic),
        ("yuma3", BondRule::Yuma3),
        ("yuma3_liquid", BondRule::Yuma3Liquid(LiquidAlpha::default())),
    ];
    for (name, rule) in rules {
        let subnet = full_subnet(rule);
        criterion.bench_function(&format!("yuma/256_uids_64_validators/{name}"), |bencher| {
            bencher.iter(|| epoch(black_box(&subnet), 1_000_000_000));
        });
    }
}

fn duel(criterion: &mut Criterion) {
    let (trial, mut noise) = (Trial::default(), Noise::new(1, 0));
    criterion.bench_function("duel/one_copy", |bencher| {
        bencher.iter(|| trial.challenger_wins(black_box(0.0), 300, &mut noise));
    });
}

criterion_group!(benches, yuma, duel);
criterion_main!(benches);
