//! A store filled through its own functions: rounds of a small subnet with good, lazy and lying miners, three validators, a
//! duel, a dataset, and names that try to break out of the page.

use super::evidence::{add_recipes, audits, dataset, duel, manifests, settle};
use super::shown::samples;
use super::site::{NOW_MS, Site};
use crate::world::{NETUID, hotkey, params};
use assay_chain::{Head, Metagraph, Neuron, WeightRow};
use assay_mechanism::network::NetworkState;
use assay_mechanism::plan::plan;
use assay_server::store::{AddCorpora, AddRound, HeadRow, RevealedRow, TakeBlock, newest_round, units_from};
use assay_server::{App, ChainView};
use assay_types::api::{ASSIGNMENT_VERSION, Assignment, AssignmentCandidate, AssignmentHeader};
use assay_types::{
    BlockNumber, Bytes, Coldkey, Digest, DuelId, Hotkey, MechId, Pointer, Rao, Recipe, RepoName, Revision,
    Round, Uid, UnitId, Verdict, Weight, WorkUnit, recipe,
};
use std::sync::Arc;

/// What would run or show if it were not escaped.
pub(super) const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}gpj";
/// Rounds that are settled.
const ROUNDS: u32 = 14;
/// Names of miners and validators.
pub(super) const MINERS: [&str; 6] = ["kiln", "lode", "cupel", "ostrava", "tailings", "panhandler"];
pub(super) const VALIDATORS: [&str; 3] = ["house", "rhenium", "crucible"];

/// The block of a round's start under the test's rules.
pub(super) fn start(round: u32) -> u32 {
    60 + 30 * round
}

/// The page of the only duel between registered recipes.
pub(super) fn duel_page() -> String {
    let id = DuelId::of(Round(2), "screen", "cpu-v1", &other_recipe().id());
    format!("/duels/{id}")
}

/// A recipe that differs from the anchor, with a hostile name.
pub(super) fn other_recipe() -> Recipe {
    let mut recipe = recipe::fineweb_en_v1_nolang();
    recipe.name = "cupel-3".to_owned();
    recipe
}

fn neuron(uid: u16, name: &str, incentive: u16, permit: bool) -> Neuron {
    Neuron {
        uid: Uid(uid),
        hotkey: hotkey(name),
        coldkey: Coldkey([uid as u8 + 1; 32]),
        stake: Rao(if permit {
            900_000_000_000 - u64::from(uid) * 1_000_000_000
        } else {
            0
        }),
        permit,
        active: true,
        incentive,
        dividends: if permit { 21_845 } else { 0 },
        consensus: incentive,
        vtrust: if permit { 64_000 } else { 0 },
        emission: Rao(u64::from(incentive) * 10_000),
        last_update: BlockNumber(if permit { start(ROUNDS) } else { 0 }),
        registered: BlockNumber(10 + u32::from(uid)),
        immunity_left: u32::from(uid == 5) * 900,
        axon: None,
    }
}

/// The subnet; an earlier one has other places.
fn metagraph(block: u32, is_early: bool) -> Metagraph {
    let pay: [u16; 6] = if is_early {
        [9_000, 12_000, 8_000, 7_000, 6_000, 0]
    } else {
        [21_000, 17_000, 14_000, 9_000, 4_000, 535]
    };
    let mut neurons: Vec<Neuron> = MINERS
        .iter()
        .zip(pay)
        .zip(0..)
        .map(|((name, pay), uid)| neuron(uid, name, pay, false))
        .collect();
    neurons.extend(
        VALIDATORS
            .iter()
            .zip(6..)
            .map(|(name, uid)| neuron(uid, name, 0, true)),
    );
    Metagraph {
        netuid: NETUID,
        block: BlockNumber(block),
        hash: Digest([9; 32]),
        owner_hotkey: None,
        owner_coldkey: None,
        neurons,
    }
}

pub(super) fn head(block: u32) -> Head {
    Head {
        number: BlockNumber(block),
        hash: Digest::of(&block.to_le_bytes()),
        parent: Digest::of(&(block - 1).to_le_bytes()),
        time_ms: NOW_MS + u64::from(block) * 12_000 - u64::from(end()) * 12_000,
    }
}

/// The block behind the filled store's last one.
pub(super) struct NextBlock(u32);

/// The next block, and the words by which pages show it.
pub(super) fn next_block() -> (NextBlock, String) {
    let number = end() + 1;
    (NextBlock(number), format!("block {number}"))
}

impl NextBlock {
    /// The chain has it, and the server takes it in.
    pub(super) async fn take_in(&self, app: &App) {
        let number = self.0;
        block(app, number, |_| {}).await;
        app.set_view(ChainView {
            head: Some(HeadRow {
                head: head(number),
                taken_ms: NOW_MS,
            }),
            metagraph: Some(Arc::new(metagraph(number, false))),
            trouble: String::new(),
        });
    }
}

fn end() -> u32 {
    start(ROUNDS) + 21
}

/// What a miner's round came to.
pub(super) fn verdict(miner: usize, round: u32) -> (Verdict, u32) {
    match (miner, round % 7) {
        (3, 4) => (Verdict::OneFault, 1),
        (4, 2) => (Verdict::NoShow, 0),
        (4, 5) => (Verdict::Unpaid, 0),
        (5, 3..) => (Verdict::Fraud, 7),
        (2, 6) if round < 7 => (Verdict::Skipped, 0),
        _ => (Verdict::Pass, 0),
    }
}

async fn block(app: &App, number: u32, part: impl FnOnce(&mut TakeBlock)) {
    let mut take = TakeBlock::empty(head(number), head(number).time_ms);
    part(&mut take);
    assert!(app.writer().write(take).await.unwrap(), "block {number}");
}

fn assignment(units: &[UnitId], round: u32) -> Assignment {
    let mut candidates: Vec<AssignmentCandidate> = MINERS
        .iter()
        .zip(0..)
        .map(|(name, uid)| AssignmentCandidate {
            hotkey: hotkey(name),
            coldkey: Coldkey([uid + 1; 32]),
            registered: BlockNumber(10 + u32::from(uid)),
            want: 16,
            cap: 16 - 2 * u32::from(uid),
        })
        .collect();
    candidates.sort_by_key(|candidate| candidate.hotkey);
    let header = AssignmentHeader {
        version: ASSIGNMENT_VERSION,
        genesis: Digest([7; 32]),
        netuid: NETUID,
        round: Round(round),
        params: params().digest(),
        block: BlockNumber(start(round) - 3),
        beacon: Digest::of(format!("beacon {round}").as_bytes()),
        index_root: Digest([3; 32]),
        cursor: u64::from(round) * 70,
        next_cursor: 0,
        candidates,
        requeued: Vec::new(),
    };
    plan(&header, units, &params().values)
}

/// Fills it: rounds, evidence, a duel, a recipe, a dataset.
pub(super) async fn fill(site: &Site) {
    let app = &site.app;
    let corpus = (0..2_000)
        .map(|at| {
            WorkUnit::new(
                "file",
                &format!("crawl/part-{at:05}.warc.gz"),
                Bytes(900_000 + at * 700),
            )
            .unwrap()
        })
        .collect();
    app.writer()
        .write(AddCorpora::one(HOSTILE, corpus, 1))
        .await
        .unwrap()
        .unwrap();
    add_recipes(app).await;
    let number = play(app).await;
    block(app, number, |take| {
        take.metagraph = Some(("epoch", metagraph(number, false)));
    })
    .await;
    duel(app).await;
    dataset(app).await;
    assert!(newest_round(app.database().readers()).await.unwrap().is_some());
    app.set_view(ChainView {
        head: Some(HeadRow {
            head: head(number),
            taken_ms: NOW_MS - 4_000,
        }),
        metagraph: Some(Arc::new(metagraph(number, false))),
        trouble: String::new(),
    });
}

/// Plays the rounds; gives the next block.
async fn play(app: &App) -> u32 {
    let mut number = 50;
    for round in 0..=ROUNDS {
        let fresh = units_from(app.database().readers(), u64::from(round) * 70, 200)
            .await
            .unwrap();
        let plan = assignment(&fresh, round);
        while number < start(round) - 3 {
            block(app, number, |_| {}).await;
            number += 1;
        }
        let bytes = String::from_utf8(plan.to_bytes().unwrap()).unwrap();
        let round_row = AddRound {
            assignment: plan.clone(),
            document: bytes,
            before: NetworkState::default(),
            state: NetworkState::default(),
            deadline: BlockNumber(start(round) + 14),
            now_ms: head(number).time_ms,
        };
        block(app, number, |take| {
            take.metagraph = Some(("assignment", metagraph(number, round < 5)));
            take.round = Some(round_row);
        })
        .await;
        number += 1;
        while number <= start(round) + 20 {
            let at = number;
            let revealed = (at == start(round) + 16).then(|| reveal(&plan, round));
            block(app, at, |take| {
                take.revealed = revealed.unwrap_or_default();
                if at == start(round) + 18 {
                    take.weights = vec![(MechId(0), weights())];
                }
            })
            .await;
            number += 1;
        }
        manifests(app, &plan, round).await;
        audits(app, &plan, round).await;
        samples(app, &plan, round).await;
        if round < ROUNDS {
            settle(app, &plan, round).await;
        }
    }
    number
}

/// Settles the round that the filled store leaves open.
pub(super) async fn settle_last(app: &App) {
    let first = u64::from(ROUNDS) * 70;
    let fresh = units_from(app.database().readers(), first, 200).await.unwrap();
    settle(app, &assignment(&fresh, ROUNDS), ROUNDS).await;
}

pub(super) fn root(miner: &Hotkey, round: u32) -> Digest {
    Digest::of(format!("{miner} {round}").as_bytes())
}

fn reveal(plan: &Assignment, round: u32) -> Vec<RevealedRow> {
    let delivers = |at: &usize| verdict(*at, round).0 != Verdict::NoShow;
    (0..MINERS.len())
        .filter(delivers)
        .map(|at| {
            let miner = hotkey(MINERS[at]);
            RevealedRow {
                hotkey: miner,
                pointer: Pointer {
                    round: Round(round),
                    n_units: plan.of(&miner).count() as u32,
                    want_next: 16,
                    submission_root: root(&miner, round),
                    revision: Revision([round as u8 + 1; 20]),
                    repo: RepoName::parse(&format!("{}/r{round}", MINERS[at])).unwrap(),
                },
                block: BlockNumber(start(round) + 16),
                refusal: if at == 5 && round == 1 {
                    HOSTILE.to_owned()
                } else {
                    String::new()
                },
                now_ms: head(start(round) + 16).time_ms,
            }
        })
        .collect()
}

fn weights() -> Vec<WeightRow> {
    (6..9)
        .map(|uid| WeightRow {
            uid: Uid(uid),
            weights: (0..6)
                .map(|target| (Uid(target), Weight(20_000 / (target + 1) + uid * target)))
                .collect(),
        })
        .collect()
}
