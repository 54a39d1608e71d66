//! Duels under names that stay, between registered recipes only, on both databases.

use crate::postgres;
use crate::world::{NETUID, Place, World, hotkey};
use assay_server::store::{AddRecipeText, AddReport};
use assay_types::api::{ReportKind, ReportView};
use assay_types::{
    Arm, BlockNumber, Coldkey, Digest, DuelId, EVALUATION_REPORT_VERSION, EvaluationReport, RecipeId, Round,
    Stage, Tokens, recipe,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn id(byte: u8) -> RecipeId {
    RecipeId(Digest([byte; 32]))
}

/// Status and JSON of an answer.
async fn get(world: &World, path: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(world.url.trim_start_matches("http://"))
        .await
        .unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// Asks until an answer fits: rendered ones are kept until the server has noticed a commit.
pub(crate) async fn until(world: &World, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..200 {
        let (status, answer) = get(world, path).await;
        if status == 200 && fits(&answer["data"]) {
            return answer["data"].clone();
        }
        last = answer;
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("`{path}` stays {last}");
}

/// Waits for a list of these ids, with so many unregistered recipes and waiting stages.
async fn lists(world: &World, ids: &[&String], (unregistered, waiting): (u64, u64)) {
    let fits = |data: &Value| {
        let duels = data["duels"].as_array().unwrap();
        duels.len() == ids.len()
            && duels.iter().zip(ids).all(|(duel, id)| duel["id"] == **id)
            && data["unregistered"] == unregistered
            && data["waiting"] == waiting
    };
    until(world, "/v1/duels", fits).await;
}

/// A cell, as the store keeps it after its signature was checked.
async fn report(world: &World, stage: Stage, (arm, recipe_id): (Arm, RecipeId), seed: u32) {
    let report = EvaluationReport {
        version: EVALUATION_REPORT_VERSION,
        netuid: NETUID,
        round: Round(0),
        stage,
        validator: hotkey("miner-a"),
        params: world.app.params_digest(),
        profile: "cpu-v1".to_owned(),
        arm,
        recipe_id,
        seed,
        domain: "prose".to_owned(),
        value: 24_000 + seed,
        tokens: Tokens(1),
        signature: String::new(),
    };
    let line = String::from_utf8(report.to_canonical_bytes().unwrap()).unwrap();
    let view = ReportView {
        digest: Digest::of(line.as_bytes()),
        kind: ReportKind::Evaluation,
        round: report.round,
        validator: report.validator,
        miner: None,
        line,
        received_ms: 1,
    };
    let add = AddReport {
        subject: format!("{stage:?}/{arm:?}/{recipe_id}/{seed}"),
        report: view,
    };
    assert!(!world.app.writer().write(add).await.unwrap().unwrap().known);
}

async fn register(world: &World, recipe_id: RecipeId) {
    let add = AddRecipeText {
        recipe_id,
        author: Some((hotkey("miner-b"), Coldkey([3; 32]), BlockNumber(55))),
        toml: String::new(),
        now_ms: 1,
    };
    assert!(world.app.writer().write(add).await.unwrap() > 0);
}

/// A challenger's duel of the stage.
fn name(stage: Stage, challenger: RecipeId) -> String {
    DuelId::of(Round(0), stage.name(), "cpu-v1", &challenger).to_string()
}

async fn suite(place: &Place) {
    let world = World::new(place, &["miner-a", "miner-b"]).await;
    world.until(world.rounds().start(Round(0)).0 + 27).await;
    lists(&world, &[], (0, 0)).await;

    // The anchor reigns, and is measured before anybody wants to; then one that nobody has registered does.
    let champion = (Arm::Champion, recipe::fineweb_en_v1().id());
    report(&world, Stage::Screen, champion, 0).await;
    lists(&world, &[], (0, 1)).await;
    report(&world, Stage::Screen, (Arm::Challenger, id(9)), 0).await;
    lists(&world, &[], (1, 1)).await;
    let nine = name(Stage::Screen, id(9));
    let path = format!("/v1/duels/{nine}");
    let (status, problem) = get(&world, &path).await;
    assert_eq!(
        (status, &problem["code"]),
        (404, &Value::from("request/not-found"))
    );

    register(&world, id(9)).await;
    lists(&world, &[&nine], (0, 0)).await;
    let cells = |count: usize| move |data: &Value| data["cells"].as_array().unwrap().len() == count;
    let before = until(&world, &path, cells(2)).await;
    assert_eq!(before["challenger"], id(9).to_string());

    // A challenger before it in every order, then one in the other stage, then a cell of its own: the name stays.
    register(&world, id(2)).await;
    report(&world, Stage::Screen, (Arm::Challenger, id(2)), 0).await;
    report(&world, Stage::Confirm, (Arm::Challenger, id(2)), 0).await;
    report(&world, Stage::Screen, (Arm::Challenger, id(9)), 1).await;
    let two = (name(Stage::Screen, id(2)), name(Stage::Confirm, id(2)));
    lists(&world, &[&two.0, &nine, &two.1], (0, 0)).await;
    let after = until(&world, &path, cells(3)).await;
    assert_eq!(after["challenger"], id(9).to_string());

    // Numbers of old links name nothing.
    for old in ["1", "9999", "x", "-1"] {
        let (status, problem) = get(&world, &format!("/v1/duels/{old}")).await;
        assert_eq!(
            (status, &problem["code"]),
            (404, &Value::from("request/not-found")),
            "{old}"
        );
        assert!(
            problem["detail"].as_str().unwrap().contains("/v1/duels"),
            "{problem}"
        );
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duels_keep_their_names_on_sqlite() {
    suite(&Place::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duels_keep_their_names_on_postgres() {
    if let Some(url) = postgres::database("duels").await {
        suite(&Place::Postgres(url)).await;
    }
}
