//! Whole rounds: who earns, who is caught and for what, and what a restart changes (nothing).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use assay_agents::miner::{Conduct, Miner, Stage};
use assay_agents::subnet::{Rounds, Setup, SubnetFile, Tracker, batch_repo};
use assay_agents::validator::{Did, Validator};
use assay_chain::embedded::Fault;
use assay_chain::{At, Chain as _};
use assay_hub::store::StoreOptions;
use assay_types::{MechId, Round, Verdict, tagged_hash};

use crate::pace::{Pace, PacedChain};
use crate::store::Unreachable;
use crate::world::{NETUID, World, hotkey};

const MINERS: [(&str, Conduct); 5] = [
    ("honest-1", Conduct::Honest),
    ("honest-2", Conduct::Honest),
    ("lazy", Conduct::Lazy),
    ("copycat", Conduct::Copycat),
    ("fabricator", Conduct::Fabricator),
];
const VALIDATORS: [&str; 2] = ["validator-1", "validator-2"];

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Plays until weights of `last` count. With a seed agents are dropped and opened again at random blocks.
async fn play(world: &World, last: u32, disturb: Option<u64>) -> Validator<'_> {
    let mut miners: Vec<Miner<'_>> = MINERS.map(|(name, conduct)| world.miner(name, conduct)).into();
    let mut validators: Vec<Validator<'_>> = VALIDATORS.map(|name| world.validator(name)).into();
    for miner in &mut miners {
        assert!(miner.join().await.unwrap());
    }
    let mut draws = disturb.unwrap_or_default();
    while world.head().await < world.end(last) {
        world.node.seal(3).await.unwrap();
        for (at, (name, conduct)) in MINERS.iter().enumerate() {
            if disturb.is_some() && next(&mut draws).is_multiple_of(20) {
                miners[at] = world.miner(name, *conduct);
                assert!(!miners[at].join().await.unwrap(), "{name} has joined already");
            }
            miners[at].step(world.head().await).await.unwrap();
        }
        for (at, name) in VALIDATORS.iter().enumerate() {
            if disturb.is_some() && next(&mut draws).is_multiple_of(20) {
                validators[at] = world.validator(name);
            }
            validators[at].step(world.head().await).await.unwrap();
        }
    }
    validators.swap_remove(0)
}

/// The verdicts of a miner, by round.
fn verdicts(validator: &Validator<'_>, name: &str) -> Vec<Verdict> {
    let of_miner = validator.tracker().all_results().map(|(_, results)| {
        let found = results.iter().find(|one| one.hotkey == hotkey(name));
        found.map_or(Verdict::Idle, |one| one.verdict)
    });
    of_miner.collect()
}

fn faults(validator: &Validator<'_>, name: &str) -> BTreeSet<String> {
    let results = validator.tracker().all_results().flat_map(|(_, results)| results);
    let of_miner = results.filter(|one| one.hotkey == hotkey(name));
    of_miner
        .flat_map(|one| &one.faults)
        .map(|fault| fault.kind.name().to_owned())
        .collect()
}

async fn check(world: &World, validator: &Validator<'_>, rounds: usize) {
    for name in ["honest-1", "honest-2"] {
        assert_eq!(
            verdicts(validator, name)[..rounds],
            vec![Verdict::Pass; rounds],
            "{name}"
        );
        assert!(faults(validator, name).is_empty());
    }
    for (name, expected) in [
        ("lazy", "offset_moved"),
        ("fabricator", "text_changed"),
        ("copycat", "source_mismatch"),
    ] {
        let found = faults(validator, name);
        assert!(found.contains(expected), "{name}: {found:?}");
        assert!(!verdicts(validator, name).contains(&Verdict::Pass), "{name}");
        assert!(verdicts(validator, name).contains(&Verdict::Fraud), "{name}");
    }
    let metagraph = world.chain.metagraph(NETUID, At::Head).await.unwrap();
    let rows = world.chain.weights(NETUID, MechId(0), At::Head).await.unwrap();
    assert_eq!(rows.len(), 2, "both validators set weights");
    assert_eq!(rows[0].weights, rows[1].weights, "bit for bit");
    let incentives: BTreeMap<&str, u16> = MINERS
        .iter()
        .map(|(name, _)| (*name, metagraph.neuron(&hotkey(name)).unwrap().incentive))
        .collect();
    for (name, conduct) in MINERS {
        assert_eq!(
            incentives[name] > 0,
            conduct == Conduct::Honest,
            "{name} of {incentives:?}"
        );
    }
}

#[tokio::test]
async fn honest_miners_earn_and_each_adversary_is_caught_for_its_fault() {
    let world = World::new(&MINERS.map(|(name, _)| name), &VALIDATORS).await;
    let validator = play(&world, 1, None).await;
    check(&world, &validator, 2).await;
}

#[tokio::test]
async fn agents_opened_again_at_any_block_lose_nothing_and_commit_once() {
    let world = World::new(&MINERS.map(|(name, _)| name), &VALIDATORS).await;
    let validator = play(&world, 1, Some(7)).await;
    check(&world, &validator, 2).await;
    // One journal a round, each at its end, and the block of its only commitment in it.
    let journals = assay_agents::miner::RoundJournal::all(&world.folder.path().join("honest-1")).unwrap();
    let mut blocks = BTreeSet::new();
    for journal in journals.iter().filter(|journal| journal.round <= Round(1)) {
        assert_eq!(journal.stage, Stage::Open);
        assert!(blocks.insert(journal.committed.unwrap()));
    }
    assert_eq!(blocks.len(), 2);
}

#[tokio::test]
async fn who_comes_late_goes_on_from_what_most_stake_has_signed() {
    let world = World::new(&["honest-1"], &VALIDATORS).await;
    let mut miner = world.miner("honest-1", Conduct::Honest);
    assert!(miner.join().await.unwrap());
    let mut validators = VALIDATORS.map(|name| world.validator(name));
    let mut late: Option<Tracker> = None;
    while world.head().await < world.end(2) {
        world.node.seal(3).await.unwrap();
        miner.step(world.head().await).await.unwrap();
        for validator in &mut validators {
            validator.step(world.head().await).await.unwrap();
        }
        // Long after the states of round 0 are forgotten somebody opens an empty folder.
        if world.head().await > world.setup.clock.start(Round(2)) {
            let folder = world.folder.path().join("late");
            let late = late.get_or_insert_with(|| Tracker::open(&folder, &world.setup).unwrap());
            let block = world.head().await;
            late.advance(&world.chain, &world.setup, block).await.unwrap();
        }
    }
    let (late, known) = (late.unwrap(), &validators[0]);
    assert!(late.results(Round(0)).is_none(), "what was missed is not made up");
    assert_eq!(late.state(), known.tracker().state());
    assert!(known.tracker().state().settled >= 3);
}

#[tokio::test]
async fn a_rehearsal_refines_and_leaves_nothing_behind_on_chain_or_store() {
    let world = World::new(&["honest-1"], &["validator-1"]).await;
    let mut miner = world.miner("honest-1", Conduct::Honest);
    let first = miner.rehearse().await.unwrap();
    assert_eq!((first.round, first.units, first.records), (None, 2, 16));
    assert!(first.kept > 0 && first.tokens > 0 && first.archive_bytes > 0);
    let again = miner.rehearse().await.unwrap();
    assert_eq!(
        again.submission_root, first.submission_root,
        "the same units, the same root"
    );
    assert!(!world.folder.path().join("store").exists());
    assert!(
        world
            .chain
            .commitments(NETUID, At::Head)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_validator_out_of_reach_does_not_hold_up_the_others() {
    let world = World::new(&["honest-1"], &VALIDATORS).await;
    let mut miner = world.miner("honest-1", Conduct::Honest);
    assert!(miner.join().await.unwrap());
    let mut validators = VALIDATORS.map(|name| world.validator(name));
    // Somebody to whom the first validator's reports are never readable, though it may be worth to try again.
    let file = world.folder.path().join("subnet.json");
    let mut setup = Setup::load(&file, &StoreOptions::default()).unwrap();
    let repo = batch_repo(&hotkey(VALIDATORS[0])).unwrap();
    setup.store = Arc::new(Unreachable::new(&setup.store, repo, true));
    let mut tracker = Tracker::open(&world.folder.path().join("apart"), &setup).unwrap();
    let mut failures = 0;
    while world.head().await < world.end(0) {
        world.node.seal(2).await.unwrap();
        miner.step(world.head().await).await.unwrap();
        for validator in &mut validators {
            validator.step(world.head().await).await.unwrap();
        }
        let advanced = tracker.advance(&world.chain, &setup, world.head().await).await;
        failures += usize::from(advanced.is_err_and(|error| error.retry_is_safe()));
    }
    assert!(failures >= 30, "it was tried again {failures} times");
    let results = tracker.results(Round(0)).unwrap();
    let found = results
        .iter()
        .find(|one| one.hotkey == hotkey("honest-1"))
        .unwrap();
    assert_eq!(found.verdict, Verdict::Pass, "by the other validator's reports");
}

#[tokio::test]
async fn a_subnet_over_a_store_that_names_revisions_itself_is_refused() {
    let world = World::new(&["honest-1"], &["validator-1"]).await;
    let path = world.folder.path().join("subnet.json");
    let mut file: SubnetFile = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    "hf://".clone_into(&mut file.store);
    std::fs::write(&path, serde_json::to_vec(&file).unwrap()).unwrap();
    let error = Setup::load(&path, &StoreOptions::default()).unwrap_err();
    assert!(error.to_string().contains("s3://bucket/prefix"), "{error}");
}

#[tokio::test]
async fn without_drand_every_validator_takes_the_same_final_block() {
    let world = World::new(&["honest-1"], &["validator-1"]).await;
    let pace = Pace::new(None);
    pace.without_drand();
    let chain = PacedChain {
        inner: world.chain.clone(),
        pace,
    };
    let rounds = Rounds {
        chain: &chain,
        netuid: NETUID,
        clock: world.setup.clock,
    };
    let block = rounds.clock.publish_end(Round(0));
    while world.head().await <= block {
        world.node.seal(1).await.unwrap();
    }
    assert_eq!(
        rounds.audit_beacon(Round(0)).await.unwrap(),
        None,
        "not final yet"
    );
    world.node.seal(1).await.unwrap();
    let decided = world.chain.head(At::Number(block)).await.unwrap().hash;
    let expected = tagged_hash("assay/beacon/1", &[decided.as_bytes()]);
    for _ in 0..3 {
        assert_eq!(rounds.audit_beacon(Round(0)).await.unwrap(), Some(expected));
        world.node.seal(7).await.unwrap();
    }
    let with_drand = Rounds {
        chain: &world.chain,
        ..rounds
    };
    let seed = with_drand.audit_beacon(Round(0)).await.unwrap().unwrap();
    assert_ne!(seed, expected, "a pulse decides where there is one");
}

#[tokio::test]
async fn weights_that_the_chain_drops_are_told_though_the_row_is_as_before_and_over_restarts() {
    let world = World::new(&["honest-1"], &["validator-1"]).await;
    let mut validator = world.validator("validator-1");
    let rows = async || {
        let rows = world.chain.weights(NETUID, MechId(0), At::Head).await;
        rows.unwrap()
    };
    let mut first = Vec::new();
    let mut told = Vec::new();
    let last = world.end(0).0 + 1_500;
    while told.is_empty() && world.head().await.0 < last {
        world.node.seal(3).await.unwrap();
        let did = validator.step(world.head().await).await.unwrap();
        told.extend(
            did.into_iter()
                .filter(|did| matches!(did, Did::Unrevealed { .. })),
        );
        if first.is_empty() {
            first = rows().await;
            if !first.is_empty() {
                assert_eq!(told, [], "what was opened is not told");
                // From here on nothing can be opened for a while.
                let rounds = 6_000;
                world.node.inject(Fault::MissPulses { rounds }).await.unwrap();
            }
        } else {
            validator = world.validator("validator-1");
        }
    }
    assert_eq!(told.len(), 1, "by block {}", world.head().await);
    assert_eq!(rows().await, first, "the row is the one that was opened last");
}
