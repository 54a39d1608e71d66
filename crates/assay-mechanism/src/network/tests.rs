//! Tests of the state between rounds: pipelining, majorities, newcomers, checkpoints, weights.

use super::*;
use assay_types::{Bytes, FaultKind, Verdict};

const BEACON: [u8; 32] = [7; 32];

fn values() -> ParamValues {
    ParamValues {
        replica_rate: 0,
        reserve_mod: 0,
        ..ParamValues::default()
    }
}

fn corpus(units: usize) -> Vec<WorkUnit> {
    (0..units)
        .map(|number| WorkUnit::new("file", &format!("{number}.warc.gz"), Bytes(1_000)).unwrap())
        .collect()
}

fn member(number: u8) -> Member {
    Member {
        hotkey: Hotkey([number; 32]),
        coldkey: Coldkey([number; 32]),
        registered: BlockNumber(1),
        want: 8,
    }
}

/// A clean delivery of everything a hotkey holds.
fn clean(state: &NetworkState, round: u32, hotkey: Hotkey) -> Found {
    let mut delivered: Vec<Delivered> = state.out[&round]
        .iter()
        .filter(|one| one.is_held_by(&hotkey))
        .map(|one| Delivered {
            unit: one.unit,
            records: 30,
            novelty: Q32::ONE,
            gain: Q32::ONE,
            recipe_id: RecipeId(Digest([7; 32])),
        })
        .collect();
    delivered.sort_unstable();
    Found {
        hotkey,
        submission_root: Digest([1; 32]),
        unreachable: false,
        delivered,
        faults: Vec::new(),
    }
}

fn fault(unit: UnitId, idx: u32) -> Fault {
    Fault {
        kind: FaultKind::TextChanged,
        unit,
        idx: Some(idx),
        offset: None,
        expected: String::new(),
        found: String::new(),
    }
}

fn vote(validator: u8, stake: u64, findings: &[Found]) -> Vote<'_> {
    Vote {
        validator: Hotkey([validator; 32]),
        stake,
        coldkey: Coldkey([validator; 32]),
        findings,
        cells: &[],
    }
}

#[test]
fn rounds_overlap_and_no_unit_is_out_twice() {
    let (values, corpus) = (values(), corpus(64));
    let members = [member(1), member(2)];
    let mut state = NetworkState::default();
    let first = state.assign(&BEACON, &members, &corpus, &values).to_vec();
    assert_eq!(first.len(), 8, "two newcomers of four units each");
    let second = state.assign(&BEACON, &members, &corpus, &values).to_vec();
    let units: BTreeSet<UnitId> = first.iter().chain(&second).map(|one| one.unit).collect();
    assert_eq!(units.len(), 16);
    assert_eq!((state.cursor, state.assigned, state.settled), (16, 2, 0));
    let findings = [
        clean(&state, 0, member(1).hotkey),
        clean(&state, 0, member(2).hotkey),
    ];
    let settled = state.settle(&[vote(9, 1, &findings)], &Volumes::of(&corpus), &values);
    assert!(
        settled
            .iter()
            .all(|one| one.verdict == Verdict::Pass && one.passed.len() == 4)
    );
    assert_eq!(state.settled, 1);
    let third = state.assign(&BEACON, &members, &corpus, &values);
    assert_eq!(third.len(), 16, "a clean round doubles the cap, the wish is 8");
}

#[test]
fn a_failed_unit_comes_back_first_and_not_to_whoever_failed_it() {
    let (values, corpus) = (values(), corpus(64));
    let members = [member(1), member(2)];
    let mut state = NetworkState::default();
    state.assign(&BEACON, &members, &corpus, &values);
    let lost: Vec<UnitId> = state.out[&0]
        .iter()
        .filter(|one| one.holder == member(2).hotkey)
        .map(|one| one.unit)
        .collect();
    state.assign(&BEACON, &members, &corpus, &values);
    let findings = [clean(&state, 0, member(1).hotkey)];
    let settled = state.settle(&[vote(9, 1, &findings)], &Volumes::of(&corpus), &values);
    // Nobody said anything of the second miner: the round is skipped for it, its units are open again.
    assert_eq!(settled[1].verdict, Verdict::Skipped);
    assert_eq!(state.waiting.len(), lost.len());
    assert!(state.burn > Q32::ZERO);
    let again = state.assign(&BEACON, &members, &corpus, &values).to_vec();
    for unit in lost {
        let one = again.iter().find(|one| one.unit == unit).unwrap();
        assert_eq!(one.holder, member(1).hotkey);
    }
}

#[test]
fn what_is_produced_with_a_recipe_is_a_share_of_all_by_trust_squared() {
    let (values, corpus) = (values(), corpus(64));
    let members = [member(1), member(2)];
    let rules = crate::contest::Rules {
        profile: "ngram-duel-v1".to_owned(),
        packs: BTreeMap::from([(Round(0), Digest::ZERO)]),
        fixed: BTreeSet::new(),
    };
    let crowned = RecipeId(Digest([7; 32]));
    let mut state = NetworkState {
        contest: Some(Contest::new(RecipeId(Digest([8; 32])), rules)),
        ..NetworkState::default()
    };
    state.contest.as_mut().unwrap().enthrone(crowned, Round(0));
    state.assign(&BEACON, &members, &corpus, &values);
    // The first miner uses the recipe for everything, the second for one of its four units; the second is trusted half as far.
    let mut second = clean(&state, 0, member(2).hotkey);
    for one in &mut second.delivered[1..] {
        one.recipe_id = RecipeId(Digest([8; 32]));
    }
    let trust = |credibility: u64| MinerState {
        credibility: Q32(credibility),
        ..MinerState::newcomer(&values)
    };
    state.miners.get_mut(&member(1).hotkey).unwrap().state = trust(Q32::ONE.0);
    state.miners.get_mut(&member(2).hotkey).unwrap().state = trust(Q32::ONE.0 / 2);
    let findings = [clean(&state, 0, member(1).hotkey), second];
    state.settle(&[vote(9, 1, &findings)], &Volumes::default(), &values);
    let trusted = state.miners[&member(2).hotkey].state.credibility;
    let trusted = trusted.0 as f64 / Q32::ONE.0 as f64;
    let of_second = 4.0 * trusted * trusted;
    let expected = (4.0 + of_second / 4.0) / (4.0 + of_second);
    let contest = state.contest.as_ref().unwrap();
    let used = contest.standing(&crowned, Round(1), &values).unwrap().used;
    let used = used.0 as f64 / Q32::ONE.0 as f64;
    assert!((used - expected).abs() < 1e-6, "{used} {expected}");
}

#[test]
fn dead_letters_are_revived_by_name_or_all_and_nothing_else_is() {
    let unit = |number: u8| UnitId(assay_types::Digest16([number; 16]));
    let worn = Failures {
        attempts: 2,
        failed: [member(1).hotkey].into(),
    };
    let mut state = NetworkState {
        dead: (1..5).map(unit).collect(),
        waiting: [(unit(9), worn.clone())].into(),
        ..NetworkState::default()
    };
    state.revive(&[unit(2), unit(7), unit(9)]);
    assert_eq!(state.dead, [unit(1), unit(3), unit(4)].into());
    assert_eq!(state.waiting[&unit(2)], Failures::default(), "as a new unit");
    assert_eq!(state.waiting[&unit(9)], worn, "what waits keeps its attempts");
    assert!(!state.waiting.contains_key(&unit(7)), "never given out");
    state.revive(&[]);
    assert_eq!((state.dead.len(), state.waiting.len()), (0, 5));
}

/// Validators, their stakes and what each says of the honest finding.
type Ballots<'a> = &'a dyn Fn(&Found) -> Vec<(u8, u64, Found)>;

#[test]
fn most_stake_decides_and_refusal_counts_by_stake() {
    let (values, corpus) = (values(), corpus(64));
    let play = |votes: Ballots<'_>| {
        let mut state = NetworkState::default();
        state.assign(&BEACON, &[member(1)], &corpus, &values);
        let honest = clean(&state, 0, member(1).hotkey);
        let cast = votes(&honest);
        let findings: Vec<Vec<Found>> = cast.iter().map(|(_, _, found)| vec![found.clone()]).collect();
        let votes: Vec<Vote<'_>> = cast
            .iter()
            .zip(&findings)
            .map(|((validator, stake, _), findings)| vote(*validator, *stake, findings))
            .collect();
        state.settle(&votes, &Volumes::of(&corpus), &values).remove(0)
    };
    let accuse = |honest: &Found| {
        let mut false_one = honest.clone();
        let unit = honest.delivered[0].unit;
        false_one.faults = vec![fault(unit, 1), fault(unit, 2)];
        false_one
    };
    let minority = play(&|honest| vec![(1, 49, accuse(honest)), (2, 51, honest.clone())]);
    assert_eq!((minority.verdict, minority.faults.len()), (Verdict::Pass, 0));
    let majority = play(&|honest| vec![(1, 51, accuse(honest)), (2, 49, honest.clone())]);
    assert_eq!((majority.verdict, majority.produced), (Verdict::Fraud, Q32::ZERO));
    assert_eq!(majority.after.cap, 1);
    let silent = |honest: &Found| Found {
        unreachable: true,
        delivered: Vec::new(),
        ..honest.clone()
    };
    let few = play(&|honest| vec![(1, 30, silent(honest)), (2, 70, honest.clone())]);
    assert_eq!(few.verdict, Verdict::Pass);
    let some = play(&|honest| vec![(1, 50, silent(honest)), (2, 50, honest.clone())]);
    assert_eq!(some.verdict, Verdict::Unpaid);
    let most = play(&|honest| vec![(1, 70, silent(honest)), (2, 30, honest.clone())]);
    assert_eq!(most.verdict, Verdict::NoShow);
}

#[test]
fn a_submission_that_is_gone_counts_by_stake_and_splits_no_finding() {
    let (values, corpus) = (values(), corpus(64));
    // Stake that says it is gone, that says nothing of it, and that is silent about the miner.
    let play = |[gone, there, silent]: [u64; 3]| {
        let mut state = NetworkState::default();
        state.assign(&BEACON, &[member(1)], &corpus, &values);
        let honest = clean(&state, 0, member(1).hotkey);
        let mut missed = honest.clone();
        missed.faults = vec![Fault {
            kind: FaultKind::NotRetained,
            idx: None,
            ..fault(corpus[63].unit_id, 0)
        }];
        let votes = [
            vote(1, gone, std::slice::from_ref(&missed)),
            vote(2, there, std::slice::from_ref(&honest)),
            vote(3, silent, &[]),
        ];
        let settled = state.settle(&votes, &Volumes::of(&corpus), &values).remove(0);
        let faults: Vec<FaultKind> = settled.faults.iter().map(|fault| fault.kind).collect();
        (settled.verdict, faults)
    };
    assert_eq!(play([30, 70, 0]), (Verdict::Pass, vec![]));
    assert_eq!(play([34, 66, 0]), (Verdict::Unpaid, vec![]), "no pay, no blame");
    assert_eq!(
        play([60, 0, 40]),
        (Verdict::Unpaid, vec![]),
        "the silent ones do not say so"
    );
    assert_eq!(
        play([67, 33, 0]),
        (Verdict::OneFault, vec![FaultKind::NotRetained])
    );
}

#[test]
fn units_nobody_assigned_do_not_count() {
    let (values, corpus) = (values(), corpus(64));
    let mut state = NetworkState::default();
    state.assign(&BEACON, &[member(1), member(2)], &corpus, &values);
    let mut greedy = clean(&state, 0, member(1).hotkey);
    greedy
        .delivered
        .extend(clean(&state, 0, member(2).hotkey).delivered);
    let settled = state.settle(&[vote(9, 1, &[greedy])], &Volumes::of(&corpus), &values);
    assert_eq!(settled[0].passed.len(), 4);
}

#[test]
fn another_registration_starts_from_zero_and_earns_no_weight() {
    let (values, corpus) = (values(), corpus(64));
    let mut state = NetworkState::default();
    state.assign(&BEACON, &[member(1)], &corpus, &values);
    let found = clean(&state, 0, member(1).hotkey);
    state.settle(&[vote(9, 1, &[found])], &Volumes::of(&corpus), &values);
    let one_lane = ParamValues {
        split_innovation: 0,
        ..values.clone()
    };
    let row = |registered: u32| {
        let members = [(Uid(3), member(1).hotkey, BlockNumber(registered))];
        state.weights(&members, Uid(0), &one_lane)
    };
    assert_eq!(row(1), [(Uid(3), Weight(65_535))]);
    assert_eq!(row(2), [(Uid(0), Weight(65_535))]);
    let two_lanes = state.weights(&[(Uid(3), member(1).hotkey, BlockNumber(1))], Uid(0), &values);
    assert_eq!(
        two_lanes,
        [(Uid(0), Weight(16_383)), (Uid(3), Weight(65_535))],
        "2 of 10 parts are burned while no recipe is crowned"
    );
    let again = Member {
        registered: BlockNumber(2),
        ..member(1)
    };
    state.assign(&BEACON, &[again], &corpus, &values);
    assert_eq!(
        state.miners[&member(1).hotkey].state,
        MinerState::newcomer(&values)
    );
}

#[test]
fn a_checkpoint_goes_on_as_the_original_does() {
    let (values, corpus) = (values(), corpus(64));
    let members = [member(1), member(2), member(3)];
    let mut state = NetworkState::default();
    state.assign(&BEACON, &members, &corpus, &values);
    state.assign(&[8; 32], &members, &corpus, &values);
    let bytes = assay_types::canonical_json::emit(&state).unwrap();
    let mut copy: NetworkState = assay_types::canonical_json::parse_as(&bytes, bytes.len()).unwrap();
    assert_eq!(copy, state);
    for one in [&mut state, &mut copy] {
        let findings = [clean(one, 0, member(1).hotkey), clean(one, 0, member(3).hotkey)];
        one.settle(&[vote(9, 1, &findings)], &Volumes::of(&corpus), &values);
        one.assign(&[9; 32], &members, &corpus, &values);
    }
    assert_eq!(copy, state);
    let bytes = assay_types::canonical_json::emit(&state).unwrap();
    assert_eq!(assay_types::canonical_json::emit(&copy).unwrap(), bytes);
}

#[test]
fn the_end_of_the_corpus_is_no_error() {
    let (values, corpus) = (values(), corpus(3));
    let mut state = NetworkState::default();
    assert_eq!(state.assign(&BEACON, &[member(1)], &corpus, &values).len(), 3);
    assert!(state.assign(&BEACON, &[member(1)], &corpus, &values).is_empty());
    assert!(state.assign(&BEACON, &[], &corpus, &values).is_empty());
    assert_eq!(state.settle(&[], &Volumes::of(&corpus), &values).len(), 1);
    assert_eq!(state.settle(&[], &Volumes::of(&corpus), &values).len(), 0);
}
