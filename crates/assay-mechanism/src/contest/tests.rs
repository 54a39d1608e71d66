//! Tests of the contest: entries, stages, a crown, and what liars and latecomers cannot do.

use super::*;
use crate::assign::is_reserved;
use crate::royalty::LaneShares;
use assay_types::{EVALUATION_REPORT_VERSION, NetUid, RepoName, Revision, Tokens, UnitId};

const PROFILE: &str = "ngram-duel-v1";
const NONE: RecipeId = RecipeId(Digest::ZERO);

fn recipe(byte: u8) -> RecipeId {
    RecipeId(Digest([byte; 32]))
}

fn values() -> ParamValues {
    ParamValues {
        duel_cycle: 4,
        duel_entries: 2,
        ..ParamValues::default()
    }
}

fn offer(byte: u8, block: u32) -> Offer {
    Offer {
        author: Author {
            hotkey: Hotkey([byte; 32]),
            coldkey: Coldkey([byte; 32]),
            block: BlockNumber(block),
        },
        message: RecipeMessage {
            recipe_id: recipe(byte),
            revision: Revision([byte; 20]),
            repo: RepoName::parse("a/b").unwrap(),
        },
    }
}

fn cell(
    plan: &StagePlan,
    (arm, recipe_id): (Arm, RecipeId),
    seed: u32,
    value: u32,
    kept: u64,
) -> EvaluationReport {
    EvaluationReport {
        version: EVALUATION_REPORT_VERSION,
        netuid: NetUid(1),
        round: plan.first,
        stage: plan.stage,
        validator: Hotkey([0; 32]),
        params: Digest::ZERO,
        profile: PROFILE.to_owned(),
        arm,
        recipe_id,
        seed,
        domain: "web".to_owned(),
        value,
        tokens: Tokens(kept),
        signature: String::new(),
    }
}

/// Cells of a stage in which each challenger needs `lead` fewer units than the champion's 20,000.
fn cells(plan: &StagePlan, lead: impl Fn(&RecipeId) -> i32) -> Vec<EvaluationReport> {
    let mut all = Vec::new();
    for seed in 0..plan.seeds {
        // Noise that all arms of a seed share.
        let noise = seed * 7 % 5;
        let mut add =
            |arm, recipe, value: u32, kept| all.push(cell(plan, (arm, recipe), seed, value + noise, kept));
        add(Arm::Champion, plan.champion, 20_000, 1_000);
        add(Arm::Anchor, plan.anchor, 20_000, 1_000);
        add(Arm::Ore, NONE, 25_000, 9_000);
        add(Arm::Pure, NONE, 15_000, 500);
        for challenger in &plan.challengers {
            let value = 20_000_u32.saturating_add_signed(-lead(challenger));
            add(Arm::Challenger, *challenger, value, 2_000);
        }
    }
    all
}

fn vote(byte: u8, coldkey: u8, cells: &[EvaluationReport]) -> CellVote<'_> {
    CellVote {
        validator: Hotkey([byte; 32]),
        coldkey: Coldkey([coldkey; 32]),
        stake: 100_000_000_000,
        cells,
    }
}

/// Plays a round in which two validators report `cells` for its stage, settled after the next round was assigned.
fn play(contest: &mut Contest, round: u32, values: &ParamValues, lead: impl Fn(&RecipeId) -> i32) {
    let plan = contest.stage_of(Round(round), values);
    let cells = plan.as_ref().map_or_else(Vec::new, |plan| cells(plan, lead));
    let votes = [vote(1, 1, &cells), vote(2, 2, &cells)];
    contest.settle(Round(round), Round(round + 2), &votes, values);
}

fn begun(offers: &[Offer], values: &ParamValues) -> Contest {
    let rules = Rules {
        profile: PROFILE.to_owned(),
        packs: BTreeMap::from([(Round(0), Digest::ZERO)]),
        fixed: BTreeSet::from([recipe(0xA0)]),
    };
    let mut contest = Contest::new(recipe(0xA0), rules);
    contest.offered(Round(0), offers, values);
    contest
}

#[test]
fn a_better_recipe_is_screened_confirmed_and_crowned() {
    let values = values();
    let mut contest = begun(&[offer(1, 5), offer(2, 4), offer(3, 9)], &values);
    let plan = contest.stage_of(Round(0), &values).unwrap();
    assert_eq!(
        plan.challengers,
        [recipe(2), recipe(1)],
        "first come, two of them"
    );
    assert_eq!((plan.stage, plan.last, plan.seeds), (Stage::Screen, Round(1), 4));
    // 10,000 units between ore and pure are 1,000 points: 400 units are 40.
    let lead = |id: &RecipeId| if *id == recipe(1) { 400 } else { 0 };
    play(&mut contest, 0, &values, lead);
    play(&mut contest, 1, &values, lead);
    let plan = contest.stage_of(Round(2), &values).unwrap();
    assert_eq!(
        (plan.stage, plan.first, plan.last, plan.seeds),
        (Stage::Confirm, Round(2), Round(3), 8)
    );
    assert_eq!(plan.challengers, [recipe(1)], "a copy of the champion is out");
    play(&mut contest, 2, &values, lead);
    assert_eq!(
        contest.champion(Round(9)),
        recipe(0xA0),
        "not before its last round"
    );
    play(&mut contest, 3, &values, lead);
    // Round 4 was assigned when round 3 was settled: the new champion reigns from round 5 on.
    assert_eq!(contest.champion(Round(4)), recipe(0xA0));
    assert_eq!(contest.champion(Round(5)), recipe(1));
    assert_eq!(contest.active(Round(5)), [recipe(0xA0), recipe(1)]);
    // 2 % fewer bits: 1.1², and twice the yield: 2^(1/4).
    let gain = contest.gain(&recipe(1)).unwrap().0 as f64 / Q32::ONE.0 as f64;
    assert!((gain - 1.21 * 2_f64.powf(0.25)).abs() < 1e-3, "{gain}");
    assert_eq!(contest.gain(&recipe(0xA0)), None, "the anchor's is one");
    let outcomes: Vec<&str> = contest
        .decisions()
        .iter()
        .map(|one| one.outcome.as_str())
        .collect();
    assert_eq!(outcomes, ["lost", "won", "won"]);
    assert_eq!(contest.decisions()[1].lead_milli, 40_000);
    // The next cycle: who lost is out, the one that came too late is in.
    let plan = contest.stage_of(Round(4), &values).unwrap();
    assert_eq!((plan.challengers, plan.champion), (vec![recipe(3)], recipe(1)));
}

#[test]
fn the_lane_pays_the_author_while_its_hotkey_is_registered() {
    let values = values();
    let mut contest = begun(&[offer(1, 5)], &values);
    for round in 0..4 {
        play(&mut contest, round, &values, |_| 400);
    }
    let before = contest.lane(Round(4), |_| true, &values);
    assert_eq!(before, LaneShares::burnt(), "nobody reigns yet");
    let lane = contest.lane(Round(5), |author| author.hotkey == Hotkey([1; 32]), &values);
    assert_eq!(lane.shares.keys().collect::<Vec<_>>(), [&Hotkey([1; 32])]);
    assert_eq!(lane.shares[&Hotkey([1; 32])], Q32(values.pay_champion));
    assert_eq!(contest.lane(Round(5), |_| false, &values), LaneShares::burnt());
}

#[test]
fn the_author_of_a_recipe_that_is_used_has_a_royalty_while_it_is_new() {
    let values = values();
    let mut contest = begun(&[offer(1, 5)], &values);
    let produced = |own: u64| BTreeMap::from([(recipe(1), Q32(own)), (recipe(0xA0), Q32(3_000))]);
    contest.used(&produced(1_000));
    assert!(contest.used.is_empty(), "nobody earns by a recipe that never won");
    for round in 0..4 {
        play(&mut contest, round, &values, |_| 400);
    }
    contest.used(&produced(1_000));
    assert_eq!(
        contest.standing(&recipe(0xA0), Round(5), &values),
        None,
        "the anchor is nobody's"
    );
    assert_eq!(contest.standing(&recipe(1), Round(4), &values), None, "not yet");
    let standing = contest.standing(&recipe(1), Round(5), &values).unwrap();
    assert_eq!((standing.place, standing.since), (Some(1), Round(5)));
    assert_eq!(standing.used, Q32(Q32::ONE.0 / 4));
    // Four times .02, of a quarter.
    assert_eq!(standing.royalty, Q32(values.royalty * 4).mul(standing.used));
    let share =
        |contest: &Contest, round| contest.lane(Round(round), |_| true, &values).shares[&Hotkey([1; 32])];
    let for_places = Q32::ONE.saturating_sub(standing.royalty);
    let expected = for_places
        .mul(Q32(values.pay_champion))
        .saturating_add(standing.royalty);
    assert_eq!(share(&contest, 5), expected);
    // Nothing is left of it when it is old, and of the place half.
    let old = 5 + u32::try_from(values.royalty_rounds).unwrap();
    assert_eq!(
        contest.standing(&recipe(1), Round(old), &values).unwrap().royalty,
        Q32::ZERO
    );
    assert_eq!(
        share(&contest, old),
        Q32(Q32::ONE.0 / 2).mul(Q32(values.pay_champion))
    );
    contest.used(&BTreeMap::new());
    assert_eq!(
        contest.standing(&recipe(1), Round(5), &values).unwrap().used,
        Q32::ZERO
    );
}

#[test]
fn too_few_witnesses_leave_the_entry_waiting() {
    let values = values();
    let mut contest = begun(&[offer(1, 5)], &values);
    let plan = contest.stage_of(Round(0), &values).unwrap();
    let cells = cells(&plan, |_| 400);
    // One coldkey behind two hotkeys is one witness.
    let votes = [vote(1, 7, &cells), vote(2, 7, &cells)];
    contest.settle(Round(0), Round(2), &votes, &values);
    contest.settle(Round(1), Round(3), &votes, &values);
    assert_eq!(contest.decisions()[0].outcome, "waits");
    assert!(contest.stage_of(Round(2), &values).is_none(), "nobody to confirm");
    contest.settle(Round(2), Round(4), &[], &values);
    contest.settle(Round(3), Round(5), &[], &values);
    let again = contest.stage_of(Round(4), &values).unwrap();
    assert_eq!(again.challengers, [recipe(1)], "it enters the next cycle");
    // Newer ones go first, and after three cycles it is out.
    contest.offered(Round(5), &[offer(4, 50), offer(5, 51)], &values);
    for round in 4..8 {
        contest.settle(Round(round), Round(round + 2), &[], &values);
    }
    let next = contest.stage_of(Round(8), &values).unwrap();
    assert_eq!(next.challengers, [recipe(4), recipe(5)]);
    for round in 8..24 {
        contest.settle(Round(round), Round(round + 2), &[], &values);
    }
    assert!(contest.stage_of(Round(24), &values).is_none(), "nobody is left");
    contest.offered(Round(25), &[offer(1, 5)], &values);
    assert!(
        contest.place(&recipe(1)).is_none(),
        "the chain still shows it, and that opens nothing"
    );
}

#[test]
fn cells_of_another_stage_profile_or_time_do_not_count() {
    let values = values();
    let mut contest = begun(&[offer(1, 5)], &values);
    let plan = contest.stage_of(Round(0), &values).unwrap();
    let right = cells(&plan, |_| 400);
    let changed = |change: fn(&mut EvaluationReport)| {
        let mut cells = right.clone();
        cells.iter_mut().for_each(change);
        cells
    };
    for wrong in [
        changed(|cell| cell.stage = Stage::Confirm),
        changed(|cell| cell.round = Round(1)),
        changed(|cell| cell.profile = "cpu-v1".to_owned()),
    ] {
        let mut contest = contest.clone();
        let votes = [vote(1, 1, &wrong), vote(2, 2, &wrong)];
        contest.settle(Round(0), Round(2), &votes, &values);
        contest.settle(Round(1), Round(3), &votes, &values);
        assert_eq!(contest.decisions()[0].outcome, "waits");
    }
    // What is reported on the stage's first round others could copy: it does not count, nor does a second word.
    let worse = cells(&plan, |_| -400);
    let early = [vote(1, 1, &worse), vote(2, 2, &worse)];
    contest.settle(Round(0), Round(2), &early, &values);
    let votes = [vote(1, 1, &right), vote(1, 1, &worse), vote(2, 2, &right)];
    contest.settle(Round(1), Round(3), &votes, &values);
    assert_eq!(contest.decisions()[0].outcome, "won");
}

#[test]
fn a_minority_of_stake_decides_nothing() {
    let values = values();
    let mut contest = begun(&[offer(1, 5)], &values);
    let plan = contest.stage_of(Round(0), &values).unwrap();
    let (honest, lie) = (cells(&plan, |_| 0), cells(&plan, |_| 5_000));
    // Two small validators invent a domain in which the challenger is wonderful, and seeds that nobody draws.
    let mut invented = lie.clone();
    for cell in &mut invented {
        cell.domain = "mine".to_owned();
        cell.value = if cell.arm == Arm::Challenger || cell.arm == Arm::Pure {
            1
        } else {
            640_000
        };
    }
    invented.extend(lie.iter().cloned().map(|mut cell| {
        cell.seed += 4;
        cell
    }));
    let small = |byte| CellVote {
        stake: 2_000_000,
        ..vote(byte, byte, &invented)
    };
    let votes = [
        vote(1, 1, &honest),
        vote(2, 2, &honest),
        vote(3, 3, &lie),
        small(4),
        small(5),
    ];
    let ballots = contest.ballots(&plan, &votes);
    let kept = ballots.iter().map(|ballot| ballot.cells.len());
    assert!(
        kept.max().unwrap() <= honest.len(),
        "no cell beyond the stage is kept"
    );
    contest.settle(Round(0), Round(2), &[], &values);
    contest.settle(Round(1), Round(3), &votes, &values);
    assert_eq!(contest.decisions()[0].outcome, "lost");
}

#[test]
fn the_first_commitment_is_the_author_s_and_offers_have_a_bound() {
    let values = values();
    let thief = Offer {
        author: Author {
            block: BlockNumber(9),
            ..offer(2, 0).author
        },
        ..offer(1, 9)
    };
    let mut contest = begun(&[offer(1, 5)], &values);
    contest.offered(Round(1), &[thief], &values);
    assert_eq!(
        contest.registry.author(&recipe(1)).unwrap().hotkey,
        Hotkey([1; 32])
    );
    let many = |coldkey: u8, count: u32| {
        (0..count).map(move |number| {
            let mut one = offer(coldkey, number);
            let mut id = [9; 32];
            id[..4].copy_from_slice(&number.to_le_bytes());
            id[4] = coldkey;
            one.message.recipe_id = RecipeId(Digest(id));
            one
        })
    };
    let flood: Vec<Offer> = many(3, 100).collect();
    contest.offered(Round(2), &flood, &values);
    assert_eq!(contest.places.len(), 1 + OPEN_MAX, "so many of one coldkey");
    for coldkey in 4..=u8::MAX {
        let few: Vec<Offer> = many(coldkey, 8).collect();
        contest.offered(Round(3), &few, &values);
    }
    assert!(contest.places.len() <= OFFERS_MAX);
    let copy = offer(0xA0, 1);
    contest.offered(Round(3), &[copy], &values);
    assert!(
        contest.place(&recipe(0xA0)).is_none(),
        "what is active anyway is nobody's to offer"
    );
}

#[test]
fn a_contest_is_the_same_after_being_written_and_read() {
    let values = values();
    let mut contest = begun(&[offer(1, 5), offer(2, 6)], &values);
    for round in 0..3 {
        play(&mut contest, round, &values, |_| 300);
    }
    let bytes = assay_types::canonical_json::emit(&contest).unwrap();
    let read: Contest = assay_types::canonical_json::parse_as(&bytes, bytes.len()).unwrap();
    assert_eq!(read, contest);
}

#[test]
fn archives_are_drawn_from_the_reserve_alone_and_differ_by_pulse() {
    let values = ParamValues {
        reserve_mod: 4,
        duel_warcs: 3,
        ..values()
    };
    let corpus: Vec<UnitId> = (0..200).map(|i| UnitId::of("cc", &format!("{i}"))).collect();
    let first = archives(&[1; 32], &corpus, &values);
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|unit| is_reserved(unit, 4)));
    let mut turned = corpus.clone();
    turned.reverse();
    assert_eq!(
        archives(&[1; 32], &turned, &values),
        first,
        "whatever the order of the corpus"
    );
    assert_ne!(archives(&[2; 32], &corpus, &values), first);
    let few = ParamValues {
        duel_warcs: 255,
        ..values
    };
    let reserve = corpus.iter().filter(|unit| is_reserved(unit, 4)).count();
    assert_eq!(archives(&[1; 32], &corpus, &few).len(), reserve);
}

#[test]
fn cycles_have_two_halves_whatever_their_length() {
    for (cycle, expected) in [(2, [0, 0, 1, 1]), (3, [0, 0, 1, 2]), (10, [0, 4, 5, 9])] {
        let values = ParamValues {
            duel_cycle: cycle,
            ..values()
        };
        let [screen, screen_end, confirm, confirm_end] = expected;
        let at = |round| stage_at(Round(0), Round(round), &values);
        assert_eq!(at(0), Some((Stage::Screen, Round(screen), Round(screen_end))));
        assert_eq!(
            at(confirm),
            Some((Stage::Confirm, Round(confirm), Round(confirm_end)))
        );
        assert_eq!(at(confirm_end + 1), None);
    }
}
