//! Dead letters come back by the owner's word on the chain, with the assignment it names, for server and agents alike.

use crate::postgres;
use crate::world::{Place, Subnet, World, corpus, hotkey, params};
use assay_agents::subnet::{ActiveRecipe, Archives, DuelRules, Setup, SubnetFile, Tracker};
use assay_chain::{At, Chain as _};
use assay_hub::OpenOptions;
use assay_hub::store::StoreOptions;
use assay_mechanism::plan::assigned;
use assay_server::admin::{AdminAnswer, AdminError, AdminRequest, AdminSocket, ask, serve_admin};
use assay_server::store::{dead_letters, network_state};
use assay_types::{Message, ParamSet, Q32, Round, UnitId, corpus_index_root, hex, recipe};
use std::path::Path;
use std::sync::Arc;

/// A unit is a dead letter after one round without a pass.
fn strict() -> ParamSet {
    let mut params = params();
    params.values.set("attempts_max", 1).unwrap();
    params.values.set("replica_rate", 0).unwrap();
    params.corpus_index_root = corpus_index_root(&corpus(200));
    params
}

/// The subnet as agents know it.
pub(crate) fn setup(world: &World, folder: &Path, params: &ParamSet) -> Setup {
    setup_with(world, folder, params, None)
}

/// The same with duels.
pub(crate) fn setup_with(world: &World, folder: &Path, params: &ParamSet, duels: Option<DuelRules>) -> Setup {
    let file = SubnetFile {
        netuid: world.identity.netuid,
        genesis: world.identity.genesis,
        params: params.to_canonical(),
        archives: Archives::from(folder),
        store: folder.join("store").to_string_lossy().into_owned(),
        corpus: corpus(200),
        duels,
        recipes: vec![ActiveRecipe {
            toml: recipe::fineweb_en_v1().to_canonical(),
            gain: Q32::ONE,
        }],
    };
    let path = folder.join("subnet.json");
    std::fs::write(&path, serde_json::to_vec(&file).unwrap()).unwrap();
    Setup::load(&path, &StoreOptions::default()).unwrap()
}

/// Asks the server's administration over its socket.
pub(crate) async fn administer(
    world: &World,
    folder: &Path,
    request: AdminRequest,
) -> Result<AdminAnswer, AdminError> {
    let socket = folder.join("admin.sock");
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let bound = AdminSocket::bind(&socket).await.unwrap();
    let options = OpenOptions::default();
    let serving = tokio::spawn(serve_admin(Arc::clone(&world.app), bound, options, shutdown));
    let answer = tokio::task::spawn_blocking(move || ask(&socket, &request, std::io::sink()));
    let answer = answer.await.unwrap();
    stop.send_replace(true);
    serving.await.unwrap();
    answer
}

async fn dead(world: &World) -> Vec<UnitId> {
    let letters = dead_letters(world.app.database().readers()).await.unwrap();
    letters.into_iter().map(|letter| letter.unit).collect()
}

#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn suite(place: &Place) {
    let folder = tempfile::tempdir().unwrap();
    let subnet = Subnet {
        params: strict(),
        has_owner: true,
        ..Subnet::default()
    };
    let world = World::build(place, &["miner-a", "miner-b"], subnet, |_| 8).await;
    let start = |round| world.rounds().start(Round(round)).0;
    let requeue = |units: &[UnitId]| AdminRequest::Requeue {
        units: units.to_vec(),
    };

    // Nobody works: what round 0 gave out is dead when round 1 is assigned.
    world.until(start(0)).await;
    let none = administer(&world, folder.path(), requeue(&[])).await.unwrap_err();
    assert_eq!(none.to_string(), "there are no dead letters");
    world.until(start(1)).await;
    let lost = dead(&world).await;
    assert_eq!(lost.len(), 8, "four units each");
    let (first, alive) = (lost[0], corpus(200)[199].unit_id);
    let refused = administer(&world, folder.path(), requeue(&[alive])).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        format!("`{alive}` is no dead letter; `dead-letters` lists them")
    );
    let many = administer(&world, folder.path(), requeue(&lost)).await;
    assert!(many.unwrap_err().to_string().starts_with("8 units are more"));

    // The server says what to commit, and changes nothing by itself.
    let before = network_state(world.app.database().readers()).await.unwrap();
    let answer = administer(&world, folder.path(), requeue(&[first]))
        .await
        .unwrap();
    assert_eq!(
        network_state(world.app.database().readers()).await.unwrap(),
        before
    );
    assert_eq!(dead(&world).await, lost);
    assert_eq!(
        (&answer.data["round"], &answer.data["before_block"]),
        (&2.into(), &world.rounds().assignment_block(Round(2)).0.into())
    );
    assert_eq!(answer.data["owner"], hotkey("owner").to_string());
    let message = answer.data["message"].as_str().unwrap();
    assert!(
        answer.message.ends_with(&format!("--netuid 1 --hex {message}")),
        "{answer:?}"
    );
    let message = hex::decode::<21>(message).unwrap();
    let message = Message::parse(&message).unwrap();

    // Only the owner's word counts, and only for the round it names.
    let all = |round| Message::Requeue {
        round: Round(round),
        units: Vec::new(),
    };
    world.commit_plain("miner-b", &all(2)).await;
    world.commit_plain("owner", &message).await;
    world.until(start(2)).await;
    let second = world.client("anybody").assignment(Round(2)).await.unwrap().0;
    let again: Vec<UnitId> = second.header.requeued.iter().map(|again| again.unit).collect();
    assert_eq!(again, [first]);
    assert!(second.entries.iter().any(|entry| entry.unit == first));
    let left = dead(&world).await;
    assert!(!left.contains(&first) && left.contains(&lost[1]), "{left:?}");

    // The message still stands at the next assignment, and does nothing there: the unit is dead again.
    world.until(start(3)).await;
    let third = world.client("anybody").assignment(Round(3)).await.unwrap().0;
    assert!(third.header.requeued.is_empty());
    assert!(dead(&world).await.contains(&first));
    world.commit_plain("owner", &all(4)).await;
    world.until(start(4)).await;
    let fourth = world.client("anybody").assignment(Round(4)).await.unwrap().0;
    assert!(fourth.header.requeued.len() >= 16, "all that round 0 and 1 lost");
    assert!(dead(&world).await.is_empty());

    // An agent that has only the chain assigns the same.
    let setup = setup(&world, folder.path(), &strict());
    let mut tracker = Tracker::open(&folder.path().join("agent"), &setup).unwrap();
    let head = world.chain.head(At::Finalized).await.unwrap().number;
    tracker.advance(&world.chain, &setup, head).await.unwrap();
    for (round, served) in [(2, second), (3, third), (4, fourth)] {
        assert_eq!(tracker.document(Round(round)).as_ref(), Some(&served), "{round}");
        let served: Vec<_> = served.entries.iter().map(assigned).collect();
        assert_eq!(
            tracker.assignment(Round(round)),
            Some(served.as_slice()),
            "{round}"
        );
    }
    let state = network_state(world.app.database().readers()).await.unwrap();
    assert_eq!(tracker.state(), &state);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_come_back_by_the_owners_word_on_sqlite() {
    suite(&Place::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_come_back_by_the_owners_word_on_postgres() {
    if let Some(url) = postgres::database("requeue").await {
        suite(&Place::Postgres(url)).await;
    }
}
