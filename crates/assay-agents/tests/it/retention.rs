//! What was rewarded must stay: who deletes or changes it later is found, and nobody for a store that does not answer.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use assay_agents::miner::Conduct;
use assay_agents::subnet::Signer;
use assay_agents::validator::{PrivateAudit, Validator, ValidatorOptions, Worker};
use assay_types::{Round, Verdict};

use crate::store::Unreachable;
use crate::world::{World, hotkey, key, repo, revision};

const MINERS: [&str; 4] = ["honest", "eraser", "changer", "far"];

fn writable(path: &Path) {
    let mode = if path.is_dir() { 0o755 } else { 0o644 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Changes one byte in every file of documents, which keep their lengths.
fn change(revision: &Path) {
    for unit in std::fs::read_dir(revision.join("units")).unwrap() {
        let docs = unit.unwrap().path().join("docs-00000.parquet");
        writable(&docs);
        let mut bytes = std::fs::read(&docs).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        std::fs::write(docs, bytes).unwrap();
    }
}

#[tokio::test]
async fn who_deletes_or_changes_after_the_reward_is_found_and_an_unreachable_store_blames_nobody() {
    let world = World::new(&MINERS, &["validator"]).await;
    let store = Arc::new(Unreachable::new(&world.setup.store, repo("far"), false));
    let mut setup = world.setup.clone();
    setup.store = Arc::clone(&store) as Arc<_>;
    let options = ValidatorOptions {
        folder: world.folder.path().join("validator"),
        signer: Signer(key("validator")),
        worker: Worker::Here,
        private: PrivateAudit { units: 0, probes: 1 },
    };
    let open = || Validator::open(&world.chain, &setup, options.clone()).unwrap();
    let mut validator = open();
    let mut miners = MINERS.map(|name| world.miner(name, Conduct::Honest));
    for miner in &mut miners {
        assert!(miner.join().await.unwrap());
    }
    let mut spoiled = false;
    while validator.tracker().results(Round(1)).is_none() {
        world.node.seal(3).await.unwrap();
        let block = world.head().await;
        for miner in &mut miners {
            miner.step(block).await.unwrap();
        }
        validator.step(block).await.unwrap();
        if !spoiled && validator.tracker().results(Round(0)).is_some() {
            spoiled = true;
            let erased = revision(&world, "eraser");
            writable(&erased);
            std::fs::remove_dir_all(erased).unwrap();
            change(&revision(&world, "changer"));
            store.now.store(true, Ordering::Relaxed);
            // What it has seen outlives the process.
            validator = open();
        }
    }
    assert!(spoiled);
    for name in MINERS {
        let of = |round| {
            let results = validator.tracker().results(Round(round)).unwrap();
            let found = results.iter().find(|one| one.hotkey == hotkey(name)).unwrap();
            let faults: Vec<String> = found
                .faults
                .iter()
                .map(|fault| format!("{}: {}", fault.kind.name(), fault.found))
                .collect();
            (found.verdict, faults, found.passed.is_empty())
        };
        assert_eq!(of(0), (Verdict::Pass, vec![], false), "{name}");
        let expected = match name {
            "eraser" => (
                Verdict::OneFault,
                vec!["not_retained: it is gone".to_owned()],
                true,
            ),
            "changer" => (
                Verdict::OneFault,
                vec!["not_retained: it was changed".to_owned()],
                true,
            ),
            _ => (Verdict::Pass, vec![], false),
        };
        assert_eq!(of(1), expected, "{name}");
    }
}
