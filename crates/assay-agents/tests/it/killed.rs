//! Agents killed at any point and started again: what the subnet comes to is what it would have come to, bit for bit.
//!
//! Blocks are made one by one, the next only when every agent has done what it can at this one and the killed ones are back.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use assay_agents::miner::{Conduct, Miner};
use assay_agents::subnet::Setup;
use assay_agents::validator::Validator;
use assay_chain::{At, Chain as _, WeightRow};
use assay_mechanism::network::{NetworkState, Settled};
use assay_types::{BlockNumber, FraudProof, MechId, Round, Verdict};

use crate::pace::{Pace, PacedChain, PacedStore};
use crate::private::proofs;
use crate::world::{NETUID, World, hotkey};

const MINERS: [(&str, Conduct); 4] = [
    ("honest-1", Conduct::Honest),
    ("honest-2", Conduct::Honest),
    ("lazy", Conduct::Lazy),
    ("fabricator", Conduct::Fabricator),
];
const VALIDATORS: [&str; 2] = ["validator-1", "validator-2"];

/// Blocks between two steps of an agent that waits for nothing.
const STEP_BLOCKS: u32 = 3;

/// Blocks after a round's start at which nothing is on its way: its pointers are committed, even by who was killed over it and
/// waited, and no report is due yet.
const QUIET_BLOCKS: u32 = 200;

/// Somebody's place: what outlives a process.
struct Seat<'w> {
    world: &'w World,
    name: &'static str,
    /// None for a validator.
    conduct: Option<Conduct>,
    chain: PacedChain,
    setup: Setup,
    pace: Arc<Pace>,
}

/// A process.
enum Agent<'s> {
    Miner(Box<Miner<'s>>),
    Validator(Box<Validator<'s>>),
}

type Step<'s> = Pin<Box<dyn Future<Output = Agent<'s>> + 's>>;

/// A process between blocks.
enum Life<'s> {
    Idle(Agent<'s>),
    /// Waits for the block that holds what it handed over.
    Waits(Step<'s>),
}

/// What became of a step.
enum Ended<'s> {
    Done(Agent<'s>),
    Waits,
    Dead,
}

impl<'w> Seat<'w> {
    fn new(world: &'w World, (name, conduct): (&'static str, Option<Conduct>), draws: Option<u64>) -> Self {
        let pace = Pace::new(draws);
        let mut setup = world.setup.clone();
        setup.store = Arc::new(PacedStore {
            inner: Arc::clone(&setup.store),
            pace: Arc::clone(&pace),
        });
        Self {
            world,
            name,
            conduct,
            chain: PacedChain {
                inner: world.chain.clone(),
                pace: Arc::clone(&pace),
            },
            setup,
            pace,
        }
    }

    fn start(&self) -> Agent<'_> {
        let world = self.world;
        match self.conduct {
            Some(conduct) => {
                let options = world.miner_options(self.name, conduct);
                Agent::Miner(Box::new(Miner::open(&self.chain, &self.setup, options).unwrap()))
            }
            None => {
                let options = world.validator_options(self.name);
                Agent::Validator(Box::new(
                    Validator::open(&self.chain, &self.setup, options).unwrap(),
                ))
            }
        }
    }

    /// What is left on the disk of a miner that was killed in the middle of refining, if it was about to publish.
    fn cut_refining_short(&self) {
        for round in 0..8 {
            let folder = self
                .world
                .folder
                .path()
                .join(format!("{}/rounds/{round}", self.name));
            let path = folder.join("journal.json");
            let Ok(bytes) = std::fs::read(&path) else { continue };
            let mut journal: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            if journal["stage"] != "refined" {
                continue;
            }
            journal["stage"] = "assigned".into();
            journal["submission_root"] = serde_json::Value::Null;
            std::fs::write(path, serde_json::to_vec(&journal).unwrap()).unwrap();
            cut_unit_short(&folder.join("data"));
        }
    }
}

/// Leaves the last unit half written, and nothing that is made of all of them.
fn cut_unit_short(data: &Path) {
    for made_last in ["manifest.json", "OWNER.sig"] {
        std::fs::remove_file(data.join(made_last)).unwrap();
    }
    let units = data.join("units");
    let mut names: Vec<String> = std::fs::read_dir(&units)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let last = names.pop().unwrap();
    let partial = units.join(format!(".{last}.partial"));
    std::fs::rename(units.join(last), &partial).unwrap();
    std::fs::remove_file(partial.join("done.json")).unwrap();
    std::fs::write(partial.join("ledger.parquet"), b"PAR1 and no more").unwrap();
}

impl<'s> Agent<'s> {
    /// Everything that is due at `block`; an agent that fails would end, which none may.
    fn step(mut self, block: BlockNumber) -> Step<'s> {
        Box::pin(async move {
            match &mut self {
                Self::Miner(miner) => {
                    miner.join().await.unwrap();
                    miner.step(block).await.unwrap();
                }
                Self::Validator(validator) => {
                    validator.step(block).await.unwrap();
                }
            }
            self
        })
    }
}

/// Lets a process go on until it has done what it can at this block; counts how often it is killed over that.
async fn live<'s>(seat: &'s Seat<'_>, mut life: Life<'s>, block: BlockNumber, kills: &mut usize) -> Life<'s> {
    let mut stepped = false;
    loop {
        let mut step = match life {
            Life::Idle(agent) if stepped => return Life::Idle(agent),
            Life::Idle(agent) => {
                stepped = true;
                agent.step(block)
            }
            Life::Waits(step) => step,
        };
        let ended = poll_fn(|context| match step.as_mut().poll(context) {
            Poll::Ready(agent) => Poll::Ready(Ended::Done(agent)),
            Poll::Pending if seat.pace.is_dead() => Poll::Ready(Ended::Dead),
            Poll::Pending if seat.pace.waits() => Poll::Ready(Ended::Waits),
            Poll::Pending => Poll::Pending,
        });
        life = match ended.await {
            Ended::Done(agent) => Life::Idle(agent),
            Ended::Waits => return Life::Waits(step),
            Ended::Dead => {
                drop(step);
                *kills += 1;
                if seat.conduct.is_some() && seat.pace.draw(2) {
                    seat.cut_refining_short();
                }
                seat.pace.born_again();
                stepped = false;
                Life::Idle(seat.start())
            }
        };
    }
}

/// What a run came to.
#[derive(Debug)]
struct Outcome {
    weights: Vec<WeightRow>,
    /// State and results, which both validators have alike.
    state: NetworkState,
    results: BTreeMap<u32, Vec<Settled>>,
    /// Commitments in blocks of the rounds played: how many by whom, of which kind.
    commitments: BTreeMap<String, usize>,
    /// Blocks of committed weights, by validator; who waited sets them some blocks later, so these may differ.
    weighed: BTreeMap<String, Vec<u32>>,
    /// What was proved, by validator.
    proved: BTreeMap<String, Vec<String>>,
}

impl Outcome {
    /// Compares part by part, so that a difference can be read.
    fn assert_is(&self, other: &Self, seed: u64) {
        assert_eq!(self.commitments, other.commitments, "seed {seed}");
        assert_eq!(self.weights, other.weights, "seed {seed}");
        println!("weights: {:?} and {:?}", self.weighed, other.weighed);
        for (round, results) in &other.results {
            assert_eq!(
                self.results.get(round),
                Some(results),
                "seed {seed}, round {round}"
            );
        }
        for (validator, proofs) in &other.proved {
            let own = self.proved.get(validator).unwrap();
            assert_eq!(own.len(), proofs.len(), "seed {seed}, {validator}");
            for (own, proof) in own.iter().zip(proofs) {
                assert_eq!(own, proof, "seed {seed}, {validator}");
            }
        }
        assert_eq!(self.state, other.state, "seed {seed}");
    }
}

/// Plays until weights of `last` count; gives what it came to, and how many were killed.
async fn play(last: u32, seed: Option<u64>) -> (Outcome, usize) {
    let world = World::stepped(&MINERS.map(|(name, _)| name), &VALIDATORS).await;
    let people = MINERS.map(|(name, conduct)| (name, Some(conduct))).into_iter();
    let people = people.chain(VALIDATORS.map(|name| (name, None)));
    let seats: Vec<Seat<'_>> = people
        .enumerate()
        .map(|(at, who)| Seat::new(&world, who, seed.map(|seed| seed.wrapping_mul(1_000) + at as u64)))
        .collect();
    let mut lives: Vec<Option<Life<'_>>> = seats.iter().map(|seat| Some(Life::Idle(seat.start()))).collect();
    let (mut kills, mut commitments, mut weighed) = (0, BTreeMap::new(), BTreeMap::new());
    let counted = world.setup.clock.start(Round(last + 2)).0 + QUIET_BLOCKS;
    loop {
        let block = world.head().await;
        if block >= world.end(last) {
            break;
        }
        for (seat, life) in seats.iter().zip(&mut lives) {
            let is_due = block.0.is_multiple_of(STEP_BLOCKS) || matches!(life, Some(Life::Waits(_)));
            if is_due && let Some(taken) = life.take() {
                *life = Some(live(seat, taken, block, &mut kills).await);
            }
        }
        world.node.seal(1).await.unwrap();
        for event in world.chain.events(At::Head).await.unwrap() {
            let who = event.fields["who"].to_string();
            if block.0 < counted && event.name.ends_with("TimelockedWeightsCommitted") {
                weighed.entry(who.clone()).or_insert_with(Vec::new).push(block.0);
            }
            let kinds = ["TimelockCommitment", "Commitments.Commitment"];
            if block.0 < counted && kinds.iter().any(|kind| event.name.ends_with(kind)) {
                *commitments.entry(format!("{} by {who}", event.name)).or_insert(0) += 1;
            }
        }
    }
    let states: Vec<_> = lives
        .iter()
        .filter_map(|life| match life {
            Some(Life::Idle(Agent::Validator(validator))) => Some(validator.tracker()),
            _ => None,
        })
        .collect();
    assert_eq!(states.len(), 2, "both validators are idle");
    assert_eq!(states[0].state(), states[1].state());
    let results = states[0].all_results();
    let outcome = Outcome {
        weights: world.chain.weights(NETUID, MechId(0), At::Head).await.unwrap(),
        state: states[0].state().clone(),
        results: results
            .map(|(round, results)| (round.0, results.to_vec()))
            .collect(),
        commitments,
        weighed,
        proved: VALIDATORS
            .map(|name| (name.to_owned(), shown(&world, name, last)))
            .into_iter()
            .collect(),
    };
    (outcome, kills)
}

/// What a validator's proofs show, without signatures, which differ each time.
fn shown(world: &World, validator: &str, last: u32) -> Vec<String> {
    let mut shown: Vec<String> = proofs(world, validator)
        .into_values()
        .flatten()
        .filter(|proof| proof.round.0 <= last)
        .map(|proof| {
            let unsigned = FraudProof {
                payload: String::new(),
                signature: String::new(),
                ..proof
            };
            format!("{unsigned:?}")
        })
        .collect();
    shown.sort();
    shown
}

/// The undisturbed run is what it should be: honest miners pass every round, others never.
fn check(outcome: &Outcome, rounds: u32) {
    assert_eq!(outcome.weights.len(), 2, "both validators set weights");
    assert_eq!(outcome.weights[0].weights, outcome.weights[1].weights);
    for round in 0..rounds {
        for (name, conduct) in MINERS {
            let found = outcome.results[&round]
                .iter()
                .find(|one| one.hotkey == hotkey(name));
            let verdict = found.map_or(Verdict::Idle, |one| one.verdict);
            let passes = conduct == Conduct::Honest;
            assert_eq!(
                verdict == Verdict::Pass,
                passes,
                "{name} in round {round}: {verdict:?}"
            );
        }
    }
    let pointers = outcome
        .commitments
        .iter()
        .filter(|(what, _)| what.contains("Timelock"));
    let pointers: usize = pointers
        .filter(|(what, _)| what.contains("Commitments."))
        .map(|(_, count)| count)
        .sum();
    assert!(
        pointers >= MINERS.len() * rounds as usize,
        "{:?}",
        outcome.commitments
    );
}

/// Compares runs killed by each of these seeds with the undisturbed one; gives the kills of each.
async fn compare(last: u32, seeds: &[u64]) -> Vec<usize> {
    let (undisturbed, none) = play(last, None).await;
    assert_eq!(none, 0);
    check(&undisturbed, Round(last + 1).0);
    let mut all = Vec::new();
    for seed in seeds {
        let (killed, kills) = play(last, Some(*seed)).await;
        println!("seed {seed}: {kills} kills");
        killed.assert_is(&undisturbed, *seed);
        all.push(kills);
    }
    all
}

#[tokio::test]
async fn two_rounds_of_killed_agents_come_to_the_same_weights_verdicts_and_commitments() {
    let kills = compare(1, &[1]).await;
    assert!(kills[0] >= 15, "{kills:?}");
}

#[tokio::test]
#[ignore = "takes minutes; .ci/long runs it"]
async fn six_rounds_of_killed_agents_come_to_the_same_weights_verdicts_and_commitments() {
    let kills = compare(5, &[2, 3, 4]).await;
    assert!(kills.iter().all(|kills| *kills >= 20), "{kills:?}");
}
