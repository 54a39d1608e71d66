//! Duels by validators: an offer on the chain, cells measured and reported, a recipe crowned, used and paid.

use std::path::Path;
use std::time::Duration;

use assay_agents::local::{make_pack, write_sealed};
use assay_agents::miner::{Conduct, Miner};
use assay_agents::subnet::{DuelPack, DuelRules, RECIPE_FILE, Setup, SubnetFile};
use assay_agents::validator::Validator;
use assay_chain::{At, Call, Chain as _, CommitmentField};
use assay_eval::pack::Pack;
use assay_hub::store::{Body, ObjectPath, Publication, StoreOptions};
use assay_mechanism::clock::Clock;
use assay_refine::warc::{Page, PageRecords, WarcWriter};
use assay_types::recipe::{Step, builtin};
use assay_types::{
    Bytes, Digest, Manifest, MechId, Message, Recipe, RecipeMessage, RepoName, Round, Verdict, WorkUnit,
    tagged_hash, u64_le,
};

use crate::world::{NETUID, World, hotkey, key, recipe};

const VALIDATORS: [&str; 2] = ["validator-1", "validator-2"];
const UNITS: u64 = 60;
const PAGES: u64 = 8;

/// Words of clean text.
const WORDS: [&str; 24] = [
    "the", "miller", "walked", "along", "river", "towards", "bridge", "and", "saw", "that", "grain", "was",
    "dry", "with", "evening", "light", "over", "fields", "of", "barley", "before", "winter", "to", "village",
];

fn number(parts: &[u64]) -> u64 {
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_le_bytes()).collect();
    u64_le(&tagged_hash("assay/test/duel", &[&bytes]))
}

/// Twelve sentences in which every word has three that may follow.
fn clean(place: u64) -> Vec<String> {
    sentences(
        place,
        |before, draw| (before * 5 + 3 + draw % 3) % WORDS.len() as u64,
        "",
    )
}

/// The same words in any order, and what C4's filter knows such pages by.
fn junk(place: u64) -> Vec<String> {
    sentences(place, |_, draw| draw % WORDS.len() as u64, " lorem ipsum")
}

fn sentences(place: u64, next: fn(u64, u64) -> u64, end: &str) -> Vec<String> {
    let sentence = |line: u64| {
        let mut word = number(&[place, line]) % WORDS.len() as u64;
        let words: Vec<&str> = (0..15)
            .map(|at| {
                word = next(word, number(&[place, line, at]));
                WORDS[word as usize]
            })
            .collect();
        format!("{}{end}.", words.join(" "))
    };
    (0..12).map(sentence).collect()
}

/// Units in which every second page is junk.
fn fill(archives: &Path) -> Vec<WorkUnit> {
    (0..UNITS).map(|unit| write_unit(archives, unit)).collect()
}

fn write_unit(archives: &Path, unit: u64) -> WorkUnit {
    let name = format!("unit-{unit:03}.warc.gz");
    let mut writer = WarcWriter::new(Vec::new());
    for page in 0..PAGES {
        let place = unit * PAGES + page;
        let lines = if page % 2 == 0 { clean(place) } else { junk(place) };
        let lines: Vec<String> = lines.iter().map(|line| format!("<p>{line}</p>")).collect();
        let html = format!("<html><body><article>{}</article></body></html>", lines.concat());
        let page = Page {
            uri: &format!("https://example.org/{place}"),
            date: "2026-01-01T00:00:00Z",
            content_type: "text/html; charset=utf-8",
            body: html.as_bytes(),
        };
        writer.page(page, PageRecords::Response).unwrap();
    }
    let bytes = writer.finish().unwrap();
    std::fs::write(archives.join(&name), &bytes).unwrap();
    WorkUnit::new("file", &name, Bytes(bytes.len() as u64)).unwrap()
}

/// The anchor with C4's filter before it: drops the junk.
fn challenger() -> Recipe {
    let mut recipe = builtin("fineweb-en-v1-nolang").unwrap();
    "cleaner".clone_into(&mut recipe.name);
    recipe
        .steps
        .retain(|step| matches!(step, Step::C4(_) | Step::Minhash(_)));
    recipe
}

/// An evaluation pack of clean text from a number on.
fn pack_of(folder: &Path, from: u64, name: &str) -> Digest {
    let texts: Vec<String> = (from..from + 400)
        .map(|at| {
            let text = clean(at).join("\n");
            serde_json::json!({ "id": format!("work-{at}"), "text": text }).to_string()
        })
        .collect();
    let text = folder.join("prose.jsonl");
    std::fs::write(&text, texts.join("\n")).unwrap();
    let pack = make_pack(&[text], &folder.join(name), None).unwrap();
    pack.header.digest
}

/// A subnet with duels in cycles of two rounds, measured by an n-gram model on text of the clean kind.
async fn subnet() -> World {
    let both = assay_types::ParamValues::default();
    let params = [
        ("reserve_mod", 3),
        ("duel_warcs", 30),
        ("duel_cycle", 2),
        // A few thousand tokens a seed are noisy.
        ("se_max", 300),
        ("split_production", both.split_production),
        ("split_innovation", both.split_innovation),
    ];
    let miners = ["honest-1", "author"];
    let mut world = World::with_params(&miners, &VALIDATORS, (recipe(), fill), &params).await;
    let folder = world.folder.path();
    let first = pack_of(folder, 1_000_000, "first.pack");
    let next = pack_of(folder, 2_000_000, "next.pack");
    // The confirmation's text is sealed until its round begins, so nobody can have refined for it.
    let clock = &world.setup.clock;
    let head = world.chain.head(At::Head).await.unwrap();
    let blocks = u64::from(clock.start(Round(1)).0 - head.number.0);
    let opens = Clock::pulse_after(head.time_ms / 1_000 + 12 * blocks).unwrap();
    assert!(world.chain.pulse(opens, At::Head).await.unwrap().is_none());
    let beacon = world.chain.beacon(At::Head).await.unwrap();
    let bytes = std::fs::read(folder.join("next.pack")).unwrap();
    write_sealed(&beacon, (&bytes, next), opens, &folder.join("sealed.pack")).unwrap();
    std::fs::remove_file(folder.join("next.pack")).unwrap();
    let path = folder.join("subnet.json");
    let mut file: SubnetFile = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let pack = |from, pack: &str, digest| DuelPack {
        from: Round(from),
        pack: pack.into(),
        digest,
    };
    let rules = |packs| DuelRules {
        packs,
        profile: "ngram-duel-small".to_owned(),
    };
    let (first, next) = (pack(0, "first.pack", first), pack(1, "sealed.pack", next));
    for bad in [
        vec![],
        vec![next.clone()],
        vec![next.clone(), first.clone()],
        vec![first.clone(); 2],
    ] {
        file.duels = Some(rules(bad));
        std::fs::write(&path, serde_json::to_vec(&file).unwrap()).unwrap();
        let refused = Setup::load(&path, &StoreOptions::default())
            .unwrap_err()
            .to_string();
        assert!(refused.contains("`duels.packs`: name at least one"), "{refused}");
    }
    file.duels = Some(rules(vec![first, next]));
    std::fs::write(&path, serde_json::to_vec(&file).unwrap()).unwrap();
    world.setup = Setup::load(&path, &StoreOptions::default()).unwrap();
    world
}

/// Publishes a recipe and says so on the chain.
async fn offer(world: &World, recipe: &Recipe) {
    let repo = RepoName::parse("author/recipe").unwrap();
    let path = ObjectPath::parse(RECIPE_FILE).unwrap();
    let text = recipe.to_canonical().into_bytes();
    let publication = Publication::new(repo.clone(), path.clone()).with(path, Body::Bytes(text.into()));
    let revision = world.setup.store.publish(&publication).await.unwrap();
    world.setup.store.reveal(&repo, &revision).await.unwrap();
    let message = Message::Recipe(RecipeMessage {
        recipe_id: recipe.id(),
        revision,
        repo,
    });
    let call = Call::SetCommitment {
        netuid: NETUID,
        fields: vec![CommitmentField::Plain(message.encode())],
    };
    world.chain.submit(&call, &key("author")).await.unwrap();
}

/// Plays until the weights of `last` count; validators are opened anew in between.
async fn play(world: &World, last: u32) -> Vec<Validator<'_>> {
    let mut miner: Miner<'_> = world.miner("honest-1", Conduct::Honest);
    let mut validators: Vec<Validator<'_>> = VALIDATORS.map(|name| world.validator(name)).into();
    assert!(miner.join().await.unwrap());
    let mut steps = 0_u32;
    while world.head().await < world.end(last) {
        world.node.seal(3).await.unwrap();
        miner.step(world.head().await).await.unwrap();
        for (at, name) in VALIDATORS.iter().enumerate() {
            steps += 1;
            // Opened anew, also right behind a measurement it has not signed yet: what it lost it measures again.
            if steps.is_multiple_of(37) {
                validators[at] = world.validator(name);
            }
            validators[at].step(world.head().await).await.unwrap();
            while validators[at].is_measuring() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    validators
}

#[tokio::test]
async fn a_recipe_that_drops_junk_is_measured_crowned_used_and_paid() {
    let world = subnet().await;
    let challenger = challenger();
    offer(&world, &challenger).await;
    let validators = play(&world, 4).await;
    let contests: Vec<_> = validators
        .iter()
        .map(|validator| validator.tracker().state().contest.clone().unwrap())
        .collect();
    assert_eq!(contests[0], contests[1]);
    let decided: Vec<(u32, &str, &str)> = contests[0]
        .decisions()
        .iter()
        .map(|one| (one.round.0, one.stage.name(), one.outcome.as_str()))
        .collect();
    assert_eq!(decided, [(0, "screen", "won"), (1, "confirm", "won")]);
    assert_eq!(contests[0].champion(Round(3)), challenger.id());
    // The screen used the open pack, the confirmation the one that its round's pulse opened.
    let next = world.setup.duels().unwrap().pack(Round(7)).unwrap();
    for name in VALIDATORS {
        let opened = world
            .folder
            .path()
            .join(name)
            .join("duels")
            .join(format!("{}.pack", next.digest));
        let opened = std::fs::read(opened).unwrap();
        assert_eq!(Pack::read(opened.as_slice()).unwrap().header.digest, next.digest);
    }
    let gain = contests[0].gain(&challenger.id()).unwrap();
    assert!(gain > assay_types::Q32::ONE, "{gain:?}");
    // The miner takes the better recipe as soon as it may, and passes with it.
    let used = |round: u32| {
        let folder = world.folder.path().join("store").join(repo_of(round));
        let bytes = std::fs::read(public(&folder).join("manifest.json")).unwrap();
        Manifest::parse(&bytes).unwrap().units[0].recipe_id
    };
    let anchor = recipe().id();
    assert_eq!([used(1), used(2), used(3)], [anchor, anchor, challenger.id()]);
    let results = validators[0].tracker().results(Round(3)).unwrap();
    assert_eq!(results[0].verdict, Verdict::Pass, "{results:?}");
    // Everything of the newest round was made with the champion: its author has a royalty of .08 of the second lane, and .85
    // of the rest, a fifth of the weights; two rounds of 900 are over.
    let rows = world.chain.weights(NETUID, MechId(0), At::Head).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].weights, rows[1].weights);
    let metagraph = world.chain.metagraph(NETUID, At::Head).await.unwrap();
    let weight = |name: &str| {
        let uid = metagraph.neuron(&hotkey(name)).unwrap().uid;
        let found = rows[0].weights.iter().find(|(of, _)| *of == uid);
        found.map_or(0.0, |(_, weight)| f64::from(weight.0))
    };
    let share = weight("author") / weight("honest-1");
    let royalty = 0.08 * 898.0 / 900.0;
    let for_places = (1.0 - royalty) * 0.85 * (1.0 - 1.0 / 900.0);
    let expected = (for_places + royalty) * 0.2 / 0.8;
    assert!((share - expected).abs() < 1e-3, "{share} {expected}");
}

/// Where the miner publishes a round.
fn repo_of(round: u32) -> String {
    let head = assay_types::hex::encode(&hotkey("honest-1").0[..16]);
    format!("m-{head}/r{round}")
}

/// The public revision in a repository's folder.
fn public(folder: &Path) -> std::path::PathBuf {
    let entries = std::fs::read_dir(folder).unwrap();
    let is_revision =
        |path: &std::path::PathBuf| !path.file_name().unwrap().to_str().unwrap().starts_with('.');
    entries
        .map(|entry| entry.unwrap().path())
        .find(is_revision)
        .unwrap()
}

#[tokio::test]
async fn a_recipe_that_cannot_be_read_is_left_waiting_and_the_rounds_go_on() {
    let world = subnet().await;
    // On the chain, and nowhere else.
    let message = Message::Recipe(RecipeMessage {
        recipe_id: challenger().id(),
        revision: assay_types::Revision([9; 20]),
        repo: RepoName::parse("author/recipe").unwrap(),
    });
    let call = Call::SetCommitment {
        netuid: NETUID,
        fields: vec![CommitmentField::Plain(message.encode())],
    };
    world.chain.submit(&call, &key("author")).await.unwrap();
    let validators = play(&world, 1).await;
    let contest = validators[0].tracker().state().contest.as_ref().unwrap();
    assert_eq!(contest.decisions()[0].outcome, "waits");
    let results = validators[0].tracker().results(Round(1)).unwrap();
    assert_eq!(results[0].verdict, Verdict::Pass);
}
