//! The worked examples of the specification, bit for bit.

use assay_mechanism::assign::{Candidate, Offer, assign, is_replicated, is_reserved, score};
use assay_mechanism::sample::audit_units;
use assay_mechanism::score::{DeliveredUnit, MinerState, burn_after, production, unspent_demand};
use assay_mechanism::verdict::{Evidence, StakeShare, judge};
use assay_mechanism::weights::{Shares, mix, quantise};
use assay_types::{Coldkey, Hotkey, ParamValues, Q32, Uid, UnitId, Verdict, Weight};

fn hotkey(byte: u8) -> Hotkey {
    Hotkey([byte; 32])
}

fn unit(number: usize) -> UnitId {
    UnitId::of("cc", &format!("EXAMPLE/{number:05}"))
}

const BEACON: [u8; 32] = [0xA1; 32];

/// Made with another implementation of the same formulas (Python, package blake3 1.0).
#[test]
fn assignment() {
    let values = ParamValues::default();
    let scores: Vec<String> = (1..=4)
        .map(|byte| format!("{:016x}", score(&BEACON, &unit(0), &hotkey(byte))))
        .collect();
    assert_eq!(
        scores,
        [
            "a7eb4b2aae8c1a67",
            "14024f861c78182d",
            "0f0e61f9d83a9b01",
            "38388c2c11dbac92"
        ]
    );
    let candidates: Vec<Candidate> = [(1, b'a', 2), (2, b'a', 1), (3, b'b', 3), (4, b'c', 2)]
        .into_iter()
        .map(|(byte, cold, slots)| Candidate {
            hotkey: hotkey(byte),
            coldkey: Coldkey([cold; 32]),
            slots,
        })
        .collect();
    let offers: Vec<Offer> = (0..9).map(|number| unit(number).into()).collect();
    assert!((0..7).all(|number| !is_reserved(&unit(number), values.reserve_mod)));
    let replicated: Vec<usize> = (0..7)
        .filter(|&number| is_replicated(&BEACON, &unit(number), values.replica_rate))
        .collect();
    assert_eq!(replicated, [4]);
    let given = assign(&BEACON, &offers, &candidates, &values);
    let holders: Vec<u8> = given.iter().map(|one| one.holder.0[0]).collect();
    assert_eq!(holders, [1, 1, 3, 2, 4, 4, 3]);
    assert_eq!(given[4].replica, Some(hotkey(3)));
    assert_eq!(given.iter().filter(|one| one.replica.is_some()).count(), 1);
    assert_eq!(score(&BEACON, &unit(4), &hotkey(4)), 5_937_489_302_574_185_659);
    assert_eq!(score(&BEACON, &unit(4), &hotkey(3)), 1_395_141_264_034_007_362);
}

/// What happens to sixteen units of volume 1 in a round.
struct RoundOf16 {
    delivered: u64,
    faults: u32,
}

fn play(state: &MinerState, round: &RoundOf16, values: &ParamValues) -> (Verdict, MinerState) {
    let volume = |units: u64| Q32(units * Q32::ONE.0);
    let evidence = Evidence {
        assigned: volume(16),
        delivered: volume(round.delivered),
        faults: round.faults,
        unreachable: StakeShare { part: 0, whole: 1 },
    };
    let judgement = judge(&evidence, values);
    let one = DeliveredUnit {
        volume: Q32::ONE,
        novelty: Q32::ONE,
        gain: Q32::ONE,
        holders: 1,
    };
    let produced = production(
        judgement.delivered_share,
        &vec![one; usize::try_from(round.delivered).unwrap()],
    );
    if round.delivered == 12 {
        assert_eq!(produced, Q32(38_654_705_664));
    }
    (judgement.verdict, state.after(&judgement, produced, values))
}

/// Ten rounds of the example with the state after each.
fn ten_rounds() -> Vec<(Verdict, MinerState)> {
    let values = ParamValues::default();
    let mut state = MinerState::newcomer(&values);
    (1..=10)
        .map(|round| {
            let (delivered, faults) = match round {
                5 => (16, 1),
                7 => (12, 0),
                8 => (16, 2),
                10 => (0, 0),
                _ => (16, 0),
            };
            let (verdict, after) = play(&state, &RoundOf16 { delivered, faults }, &values);
            state = after;
            (verdict, after)
        })
        .collect()
}

#[test]
fn credibility_and_average() {
    let values = ParamValues::default();
    let expected = [
        (Verdict::Pass, 2_576_980_377, 6_184_752_900, 8, 1, 8),
        (Verdict::Pass, 2_920_577_760, 12_582_536_175, 16, 2, 4),
        (Verdict::Pass, 3_195_455_667, 18_946_578_191, 32, 3, 3),
        (Verdict::Pass, 3_415_357_992, 25_073_504_335, 64, 4, 2),
        (Verdict::OneFault, 3_073_822_192, 18_805_128_251, 32, 0, 8),
        (Verdict::Pass, 3_318_051_212, 24_357_208_400, 64, 1, 8),
        (Verdict::Pass, 3_464_588_624, 24_556_101_387, 64, 2, 4),
        (Verdict::Fraud, 866_147_156, 4_604_269_009, 1, 0, 8),
        (Verdict::Pass, 1_551_911_183, 5_696_225_416, 2, 1, 8),
        (Verdict::NoShow, 1_241_528_946, 4_272_169_062, 1, 0, 8),
    ];
    for (round, ((verdict, state), row)) in ten_rounds().into_iter().zip(expected).enumerate() {
        let audited = audit_units(state.credibility, state.passed, 16, &values);
        let found = (
            verdict,
            state.credibility.0,
            state.average.0,
            state.cap,
            state.passed,
            audited,
        );
        assert_eq!(found, row, "round {}", round + 1);
    }
}

fn row(weights: &[(Uid, Weight)]) -> Vec<(u16, u16)> {
    weights.iter().map(|(uid, weight)| (uid.0, weight.0)).collect()
}

#[test]
fn weights_of_one_and_of_two_mechanisms() {
    let values = ParamValues::default();
    let rounds = ten_rounds();
    let production = Shares::new([
        (Uid(1), rounds[3].1.average),
        (Uid(2), rounds[6].1.average),
        (Uid(3), rounds[8].1.average),
        (Uid(0), Q32(3_221_225_472)),
    ]);
    assert_eq!(
        row(&quantise(&production, Uid(0))),
        [(0, 8_419), (1, 65_535), (2, 64_182), (3, 14_888)]
    );
    let innovation = Shares::new([
        (Uid(2), Q32(3_082_354_861)),
        (Uid(3), Q32(346_460_694)),
        (Uid(0), Q32(866_151_741)),
    ]);
    assert_eq!(
        row(&quantise(&innovation, Uid(0))),
        [(0, 18_415), (2, 65_535), (3, 7_366)]
    );
    let mixed = mix(&production, &innovation, Uid(0), &values);
    let shares: Vec<u64> = mixed.iter().map(|(_, share)| share.0).collect();
    assert_eq!(
        shares,
        [3_622_756_578, 14_714_984_808, 20_576_044_258, 4_035_887_308]
    );
    assert_eq!(
        row(&quantise(&mixed, Uid(0))),
        [(0, 11_538), (1, 46_867), (2, 65_535), (3, 12_854)]
    );
}

#[test]
fn unspent_demand_burns() {
    let values = ParamValues::default();
    let ones = |n: u64| Q32(n * Q32::ONE.0);
    assert_eq!(unspent_demand(0, ones(16), ones(12)), ones(4));
    assert_eq!(unspent_demand(20, ones(16), ones(12)), ones(8));
    assert_eq!(
        unspent_demand(u64::MAX, ones(1), ones(1)).0,
        u64::MAX - Q32::ONE.0
    );
    // A quarter of 3 units: the burn of the example.
    assert_eq!(burn_after(Q32::ZERO, ones(3), &values), Q32(3_221_225_472));
}
