//! How long a round's decisions take: assignment, and weights of 256 miners from their audit results.
//!
//! `cargo bench -p assay-mechanism`; numbers measured on one core stand in `docs/mechanism.md`.

use assay_mechanism::assign::{Candidate, Offer, assign};
use assay_mechanism::score::{DeliveredUnit, MinerState, production};
use assay_mechanism::verdict::{Evidence, StakeShare, judge};
use assay_mechanism::weights::{Shares, quantise};
use assay_types::{Coldkey, Hotkey, ParamValues, Q32, Uid, UnitId, Weight};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

fn assignment(criterion: &mut Criterion) {
    let values = ParamValues::default();
    let mut group = criterion.benchmark_group("assign");
    group.sample_size(10);
    for units in [10_000_usize, 100_000] {
        // Slots for the units and their replicas.
        let slots = (units * 11 / 10 / 256 + 2) as u32;
        let candidates: Vec<Candidate> = (0..256_u16)
            .map(|number| {
                let mut key = [0; 32];
                key[..2].copy_from_slice(&number.to_le_bytes());
                Candidate {
                    hotkey: Hotkey(key),
                    coldkey: Coldkey(key),
                    slots,
                }
            })
            .collect();
        let offers: Vec<Offer> = (0..units)
            .map(|number| UnitId::of("cc", &format!("{number}")).into())
            .collect();
        group.throughput(Throughput::Elements(units as u64));
        group.bench_function(BenchmarkId::new("256 miners", units), |bencher| {
            bencher.iter(|| assign(&[0xA1; 32], black_box(&offers), &candidates, &values));
        });
    }
    group.finish();
}

/// Evidence and units of one miner to its weight, for 256 miners of 256 units each.
fn weights_of_a_round(units: &[DeliveredUnit], values: &ParamValues) -> Vec<(Uid, Weight)> {
    let shares = (0..256_u16).map(|uid| {
        let evidence = Evidence {
            assigned: Q32(256 * Q32::ONE.0),
            delivered: Q32(256 * Q32::ONE.0),
            faults: u32::from(uid % 16 == 0),
            unreachable: StakeShare { part: 0, whole: 1 },
        };
        let judgement = judge(&evidence, values);
        let produced = production(judgement.delivered_share, units);
        let state = MinerState::newcomer(values).after(&judgement, produced, values);
        (Uid(uid), state.average)
    });
    quantise(&Shares::new(shares), Uid(0))
}

fn weights(criterion: &mut Criterion) {
    let values = ParamValues::default();
    let unit = DeliveredUnit {
        volume: Q32::ONE,
        novelty: Q32::ONE,
        gain: Q32::ONE,
        holders: 1,
    };
    let units = vec![unit; 256];
    criterion.bench_function("weights/256 miners of 256 units", |bencher| {
        bencher.iter(|| weights_of_a_round(black_box(&units), &values));
    });
}

criterion_group!(benches, assignment, weights);
criterion_main!(benches);
