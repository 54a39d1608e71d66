//! Reports under their seal: read by nobody before the cutoff, by everybody after it, and the same whenever one looks.

use assay_agents::miner::Conduct;
use assay_agents::subnet::{Batch, Opening, Tracker, batch_repo};
use assay_agents::validator::Did;
use assay_chain::embedded::Fault;
use assay_chain::sealed::Seal;
use assay_chain::{At, Chain as _};
use assay_mechanism::network::NetworkState;
use assay_types::{BlockNumber, Round, Verdict};

use crate::world::{World, hotkey};

const VALIDATORS: [&str; 2] = ["validator-1", "validator-2"];

/// What a validator has published is sealed.
fn shows_nothing(world: &World, validator: &str) {
    let repo = batch_repo(&hotkey(validator)).unwrap();
    let folder = world.folder.path().join("store").join(repo.as_str());
    let found = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let revisions: Vec<_> = found.filter(|path| path.join("state.json").exists()).collect();
    assert_eq!(revisions.len(), 1, "{validator} reported once");
    let sealed = std::fs::read(revisions[0].join("reports.sealed")).unwrap();
    let shows = |part: &[u8]| sealed.windows(part.len()).any(|at| at == part);
    assert!(shows(b"assay/sealed/1") && !shows(b"verdict"));
    assert!(!revisions[0].join("reports.jsonl").exists());
}

#[tokio::test]
async fn nobody_reads_reports_before_the_cutoff_and_everybody_does_after() {
    let world = World::new(&["honest-1"], &VALIDATORS).await;
    let mut miner = world.miner("honest-1", Conduct::Honest);
    assert!(miner.join().await.unwrap());
    let mut validators = VALIDATORS.map(|name| world.validator(name));
    let (clock, store) = (world.setup.clock, world.setup.store.as_ref());
    let cutoff = clock.report_cutoff(Round(0));
    let rounds = world.rounds();
    let fetch = async |name: &str, block: BlockNumber| {
        let opening = rounds.opening(Round(0), block).await.unwrap();
        let digests = rounds.report_digests(Round(0)).await.unwrap();
        let of_name = digests.iter().find(|(of, _)| of.hotkey == hotkey(name));
        let (_, digest) = of_name.expect("both have reported");
        let about = world.about(name);
        (Batch::fetch(store, digest, &about, &opening).await, opening)
    };
    let mut settled_at = None;
    while settled_at.is_none() {
        world.node.seal(1).await.unwrap();
        let block = world.head().await;
        miner.step(block).await.unwrap();
        // The second reports, and is gone from then on: what it said counts all the same.
        validators[0].step(block).await.unwrap();
        if block < cutoff {
            validators[1].step(block).await.unwrap();
        }
        if block == cutoff {
            for name in VALIDATORS {
                let (read, opening) = fetch(name, block).await;
                assert!(matches!(opening, Opening::Awaited(_)), "{opening:?}");
                let said = read.unwrap_err().to_string();
                assert!(said.contains("no pulse that opens it"), "{said}");
                shows_nothing(&world, name);
            }
        }
        if validators[0].tracker().state().settled > 0 {
            settled_at = Some(block);
        }
    }
    let settled_at = settled_at.unwrap();
    assert!(
        settled_at > cutoff && settled_at < clock.effective_block(Round(0)),
        "{settled_at}"
    );
    for name in VALIDATORS {
        let (read, opening) = fetch(name, settled_at).await;
        assert!(matches!(opening, Opening::Pulse(_)), "{opening:?}");
        assert_eq!(read.unwrap().reports.len(), 1);
    }
    // Somebody who comes after the round was effective sees the same.
    while world.head().await < clock.effective_block(Round(0)) {
        world.node.seal(1).await.unwrap();
    }
    let mut late = Tracker::in_memory(&world.setup);
    let block = world.head().await;
    late.advance(&world.chain, &world.setup, block).await.unwrap();
    assert_eq!(late.results(Round(0)), validators[0].tracker().results(Round(0)));
    assert!(late.results(Round(0)).is_some());
}

#[tokio::test]
async fn reports_sealed_to_another_pulse_are_refused() {
    let world = World::new(&["honest-1"], &["validator-1"]).await;
    world
        .node
        .seal(world.setup.clock.start(Round(0)).0 + 1)
        .await
        .unwrap();
    let rounds = world.rounds();
    let Opening::Awaited(expected) = rounds.opening(Round(0), world.head().await).await.unwrap() else {
        panic!("the round has just begun");
    };
    let beacon = world.chain.beacon(At::Head).await.unwrap();
    let store = world.setup.store.as_ref();
    let about = world.about("validator-1");
    let mut digests = Vec::new();
    for round in [expected, expected - 8, expected + 8] {
        let seal = Seal {
            beacon: &beacon,
            round,
        };
        let batch = Batch::new(Vec::new(), Vec::new()).unwrap().sealed(seal).unwrap();
        batch
            .publish(store, &about.validator, &NetworkState::default())
            .await
            .unwrap();
        digests.push(batch.digest);
    }
    while world.head().await < world.setup.clock.effective_block(Round(0)) {
        world.node.seal(9).await.unwrap();
    }
    let opening = rounds.opening(Round(0), world.head().await).await.unwrap();
    assert!(
        Batch::fetch(store, &digests[0], &about, &opening)
            .await
            .unwrap()
            .reports
            .is_empty()
    );
    for digest in &digests[1..] {
        let error = Batch::fetch(store, digest, &about, &opening).await.unwrap_err();
        assert!(error.to_string().contains("it is sealed to pulse"), "{error}");
        assert!(!error.retry_is_safe());
    }
    // Without the pulse nobody waits beyond the effective block.
    let error = Batch::fetch(store, &digests[0], &about, &Opening::Missed)
        .await
        .unwrap_err();
    assert!(!error.retry_is_safe(), "{error}");
}

#[tokio::test]
async fn a_pulse_behind_the_effective_block_is_too_late_whenever_one_looks() {
    let world = World::new(&["honest-1"], &["validator-1"]).await;
    let mut miner = world.miner("honest-1", Conduct::Honest);
    assert!(miner.join().await.unwrap());
    let mut validator = world.validator("validator-1");
    let effective = world.setup.clock.effective_block(Round(0));
    let mut reported = false;
    // Somebody who sees the round assigned, and is away until the pulse is there at last.
    let mut late = Tracker::in_memory(&world.setup);
    while world.head().await < effective {
        world.node.seal(1).await.unwrap();
        let block = world.head().await;
        miner.step(block).await.unwrap();
        let did = validator.step(block).await.unwrap();
        if !reported {
            late.advance(&world.chain, &world.setup, block).await.unwrap();
        }
        let settled = validator.tracker().state().settled;
        assert_eq!(settled, u32::from(block >= effective), "at {block}");
        if did.iter().any(|did| matches!(did, Did::Reported { .. })) {
            reported = true;
            let rounds = 4_000;
            world.node.inject(Fault::MissPulses { rounds }).await.unwrap();
        }
    }
    assert!(reported, "what is missed is the pulse that opens the reports");
    let prompt = validator.tracker().results(Round(0)).unwrap().to_vec();
    assert_eq!(prompt[0].verdict, Verdict::Skipped, "nothing could be read");
    world.node.inject(Fault::ReleasePulses).await.unwrap();
    world.node.seal(3).await.unwrap();
    let block = world.head().await;
    late.advance(&world.chain, &world.setup, block).await.unwrap();
    assert_eq!(late.results(Round(0)), Some(prompt.as_slice()), "who looks later");
}

#[tokio::test]
async fn reports_that_are_not_where_the_chain_says_are_waited_for_until_the_effective_block() {
    let world = World::new(&["honest-1"], &VALIDATORS).await;
    let mut miner = world.miner("honest-1", Conduct::Honest);
    assert!(miner.join().await.unwrap());
    let mut validators = VALIDATORS.map(|name| world.validator(name));
    let clock = world.setup.clock;
    let (cutoff, effective) = (clock.report_cutoff(Round(0)), clock.effective_block(Round(0)));
    while world.head().await < effective {
        world.node.seal(1).await.unwrap();
        let block = world.head().await;
        miner.step(block).await.unwrap();
        validators[0].step(block).await.unwrap();
        if block < cutoff {
            validators[1].step(block).await.unwrap();
        }
        if block == cutoff {
            let digests = world.rounds().report_digests(Round(0)).await.unwrap();
            assert_eq!(digests.len(), 2, "both stand on the chain");
            let repo = batch_repo(&hotkey(VALIDATORS[1])).unwrap();
            std::fs::remove_dir_all(world.folder.path().join("store").join(repo.as_str())).unwrap();
        }
        let settled = validators[0].tracker().state().settled;
        assert_eq!(settled, u32::from(block >= effective), "at {block}");
    }
    let results = validators[0].tracker().results(Round(0)).unwrap();
    assert_eq!(results[0].verdict, Verdict::Pass, "by the reports that are there");
}
