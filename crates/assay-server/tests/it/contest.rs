//! Recipes that duel, as a server alone settles them: the same as agents, and their texts kept for whoever comes later.

use crate::requeue::setup_with;
use crate::world::{NETUID, Place, Subnet, World, corpus, hotkey, key, params};
use assay_agents::subnet::{Batch, DuelPack, DuelRules, Setup, Tracker};
use assay_mechanism::contest::{Contest, Rules, StagePlan};
use assay_server::store::network_state;
use assay_types::{
    Arm, Digest, EVALUATION_REPORT_VERSION, EvaluationReport, Message, ParamSet, Recipe, RecipeId,
    RecipeMessage, RepoName, Revision, Round, Tokens, corpus_index_root, hex, recipe,
};
use std::collections::{BTreeMap, BTreeSet};

const PROFILE: &str = "ngram-duel-small";

fn rules() -> DuelRules {
    DuelRules {
        packs: vec![DuelPack {
            from: Round(0),
            pack: "evaluation.pack".into(),
            digest: Digest([5; 32]),
        }],
        profile: PROFILE.to_owned(),
    }
}

/// What the author offers.
fn offered() -> Recipe {
    let mut recipe = recipe::fineweb_en_v1();
    "offered".clone_into(&mut recipe.name);
    recipe
}

/// A subnet with duels of two rounds a cycle, in which one validator is believed, and an offer on its chain before round 0.
async fn subnet(folder: &std::path::Path) -> (World, Setup) {
    let mut pinned: ParamSet = params();
    pinned.corpus_index_root = corpus_index_root(&corpus(200));
    for (name, value) in [("duel_cycle", 2), ("duel_reports", 1)] {
        pinned.values.set(name, value).unwrap();
    }
    let anchor = recipe::fineweb_en_v1().id();
    let contest = Contest::new(
        anchor,
        Rules {
            profile: PROFILE.to_owned(),
            packs: BTreeMap::from([(Round(0), Digest([5; 32]))]),
            fixed: BTreeSet::from([anchor]),
        },
    );
    let subnet = Subnet {
        params: pinned.clone(),
        contest: Some(contest.clone()),
        ..Subnet::default()
    };
    let miners = ["miner-a", "miner-b", "author"];
    let world = World::build(&Place::Sqlite, &miners, subnet, |at| if at == 2 { 0 } else { 8 }).await;
    let setup = setup_with(&world, folder, &pinned, Some(rules()));
    assert_eq!(
        setup.first_state().contest,
        Some(contest),
        "the file says the same"
    );
    let message = Message::Recipe(RecipeMessage {
        recipe_id: offered().id(),
        revision: Revision([3; 20]),
        repo: RepoName::parse("author/recipe").unwrap(),
    });
    world.commit_plain("author", &message).await;
    (world, setup)
}

/// Cells of a stage by `miner-a`, the only validator: the challenger needs 400 units fewer than the champion.
fn cells(world: &World, plan: &StagePlan) -> Vec<EvaluationReport> {
    let none = RecipeId(Digest::ZERO);
    let arms = [
        (Arm::Champion, plan.champion, 20_000),
        (Arm::Anchor, plan.anchor, 20_000),
        (Arm::Ore, none, 25_000),
        (Arm::Pure, none, 15_000),
        (Arm::Challenger, plan.challengers[0], 19_600),
    ];
    let cell = |seed: u32, (arm, recipe_id, value): (Arm, RecipeId, u32)| {
        let mut cell = EvaluationReport {
            version: EVALUATION_REPORT_VERSION,
            netuid: NETUID,
            round: plan.first,
            stage: plan.stage,
            validator: hotkey("miner-a"),
            params: world.app.params_digest(),
            profile: PROFILE.to_owned(),
            arm,
            recipe_id,
            seed,
            domain: "prose".to_owned(),
            value: value + seed * 7 % 5,
            tokens: Tokens(1_000),
            signature: String::new(),
        };
        let digest = cell.signed_digest().unwrap();
        cell.signature = hex::encode(&key("miner-a").sign(digest.as_bytes()).unwrap());
        cell
    };
    (0..plan.seeds)
        .flat_map(|seed| arms.map(|arm| cell(seed, arm)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_alone_crowns_what_agents_crown() {
    let folder = tempfile::tempdir().unwrap();
    let (world, setup) = subnet(folder.path()).await;
    let values = world.app.params().values.clone();
    let client = world.client("miner-a");
    let mut tracker = Tracker::in_memory(&setup);
    for round in (0..2).map(Round) {
        let start = world.rounds().start(round);
        world.until(start.0 + 18).await;
        let state = network_state(world.app.database().readers()).await.unwrap();
        let plan = state.contest.unwrap().stage_of(round, &values).unwrap();
        assert_eq!(plan.challengers, [offered().id()]);
        let batch = Batch::new(Vec::new(), cells(&world, &plan)).unwrap();
        for cell in &batch.cells {
            assert!(!client.report_cell(cell).await.unwrap().known);
        }
        let (store, validator) = (setup.store.as_ref(), hotkey("miner-a"));
        batch.publish(store, &validator, tracker.state()).await.unwrap();
        let message = Message::Reports {
            round,
            digest: batch.digest,
        };
        world.commit_plain("miner-a", &message).await;
        let settled = world.rounds().effective_block(round);
        world.until(settled.0).await;
        tracker.advance(&world.chain, &setup, settled).await.unwrap();
        let state = network_state(world.app.database().readers()).await.unwrap();
        assert_eq!((state.settled, &state), (round.0 + 1, tracker.state()));
    }
    let contest = tracker.state().contest.as_ref().unwrap();
    let decided = contest
        .decisions()
        .iter()
        .map(|one| (one.stage.name(), one.outcome.as_str()));
    assert_eq!(
        decided.collect::<Vec<_>>(),
        [("screen", "won"), ("confirm", "won")]
    );
    // Its last stage is settled right before round 2 is assigned: it reigns from there on.
    let anchor = recipe::fineweb_en_v1().id();
    let reigns = [1, 2].map(|round| contest.champion(Round(round)));
    assert_eq!(reigns, [anchor, offered().id()]);
    let answer = crate::duels::until(&world, "/v1/leaderboard/recipes", |rows| {
        let of_id = |row: &&serde_json::Value| row["recipe_id"] == offered().id().to_string();
        let row = rows.as_array().unwrap().iter().find(of_id);
        row.is_some_and(|row| row["standing"]["place"] == 1 && row["standing"]["since"] == 2)
    });
    answer.await;
    let decided = crate::duels::until(&world, "/v1/duels", |data| {
        let duels = data["duels"].as_array().unwrap();
        duels.len() == 2 && duels.iter().all(|duel| duel["decision"]["outcome"] == "won")
    });
    // 400 of 10,000 units between ore and pure.
    assert_eq!(decided.await["duels"][0]["decision"]["lead_milli"], 40_000);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_its_author_took_away_is_read_from_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let (world, setup) = subnet(folder.path()).await;
    world.begin(0).await;
    let state = network_state(world.app.database().readers()).await.unwrap();
    let contest = state.contest.unwrap();
    let id = offered().id();
    let client = world.client("miner-a");
    let ids = [id];
    assert!(
        setup.learn(&contest, &ids, None).await.is_err(),
        "nothing is there"
    );
    assert!(
        setup.learn(&contest, &ids, Some(&client)).await.is_err(),
        "the server knows the id alone"
    );
    assert_eq!(setup.recipe(&id), None);
    client.recipe_text(&offered()).await.unwrap();
    setup.learn(&contest, &ids, Some(&client)).await.unwrap();
    assert_eq!(setup.recipe(&id), Some(offered()));
    world.stop().await;
}
