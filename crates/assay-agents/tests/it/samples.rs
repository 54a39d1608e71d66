//! What validators show of submissions: the same rows, rebuilt from the archives, and nothing of what a miner made up.

use std::collections::BTreeMap;
use std::time::Duration;

use assay_agents::api::{ClientOptions, TaskApi};
use assay_agents::miner::Conduct;
use assay_agents::subnet::Courier;
use assay_agents::validator::Validator;
use assay_chain::wallet::{KeyPair, Scheme};
use assay_types::{AuditSample, Hotkey, SAMPLE_ROWS_MAX};

use crate::world::{World, hotkey};

const MINERS: [(&str, Conduct); 2] = [("honest", Conduct::Honest), ("fabricator", Conduct::Fabricator)];
const VALIDATORS: [&str; 2] = ["validator-1", "validator-2"];

/// A validator that would tell a server which is not there, so that what it would tell stays in its folder.
fn validator<'a>(world: &'a World, name: &str) -> Validator<'a> {
    let options = ClientOptions {
        url: "http://127.0.0.1:9".to_owned(),
        server: hotkey("server"),
        time_max: Duration::from_millis(200),
    };
    let key = KeyPair::from_uri(&format!("//{name}"), Scheme::Sr25519).unwrap();
    let api = TaskApi::new(&options, key).unwrap();
    let courier = Courier::new(api, &world.folder.path().join(name));
    world.validator(name).with_courier(courier)
}

/// What a validator shows of round 0, by miner.
fn samples(world: &World, name: &str) -> BTreeMap<Hotkey, AuditSample> {
    let path = world.folder.path().join(name).join("samples/0.jsonl");
    let Ok(lines) = std::fs::read_to_string(path) else {
        return BTreeMap::new();
    };
    let parsed = lines
        .lines()
        .map(|line| AuditSample::parse(line.as_bytes()).unwrap());
    parsed.map(|sample| (sample.miner, sample)).collect()
}

#[tokio::test]
async fn validators_show_the_same_rows_as_the_archive_gives_them() {
    let world = World::new(&MINERS.map(|(name, _)| name), &VALIDATORS).await;
    let mut miners = MINERS.map(|(name, conduct)| world.miner(name, conduct));
    let mut validators = VALIDATORS.map(|name| validator(&world, name));
    for miner in &mut miners {
        assert!(miner.join().await.unwrap());
    }
    let end = world.end(0);
    let shown = loop {
        world.node.seal(3).await.unwrap();
        let block = world.head().await;
        assert!(block < end, "nothing is shown");
        for miner in &mut miners {
            miner.step(block).await.unwrap();
        }
        for validator in &mut validators {
            validator.step(block).await.unwrap();
        }
        let shown = VALIDATORS.map(|name| samples(&world, name));
        if shown.iter().all(|samples| samples.len() == MINERS.len()) {
            break shown;
        }
    };
    for (name, validator) in VALIDATORS.iter().zip(&shown) {
        assert!(
            validator
                .values()
                .all(|sample| sample.validator == hotkey(name) && sample.signature.len() == 128)
        );
    }
    for (name, conduct) in MINERS {
        let [one, other] = [&shown[0][&hotkey(name)], &shown[1][&hotkey(name)]];
        assert_eq!(
            (&one.rows, &one.composition),
            (&other.rows, &other.composition),
            "{name}"
        );
        let kept: Vec<_> = one.rows.iter().filter(|row| row.decision == "kept").collect();
        assert!(
            !kept.is_empty() && one.rows.len() <= SAMPLE_ROWS_MAX,
            "{name}: {:?}",
            one.rows
        );
        for row in kept {
            // The archive's page, whatever the miner wrote: its text is that of the page's main blocks.
            let page: Vec<&str> = row
                .blocks
                .iter()
                .filter(|block| block.cut.is_empty())
                .map(|block| block.text.as_str())
                .collect();
            assert_eq!(page.join("\n"), row.text, "{name}");
            assert!(
                row.url.starts_with("https://example.org/") && row.tokens > 100,
                "{row:?}"
            );
        }
        match (&one.composition, conduct) {
            (Some(found), Conduct::Honest) => {
                assert_eq!(found.units as u64 * 8, found.records, "eight pages a unit");
                assert!(found.kept > 0 && found.kept <= found.records);
                assert_eq!(found.sites[0].name, "example.org");
                assert_eq!(found.lengths.iter().sum::<u64>(), found.kept);
                assert_eq!(
                    found.dropped.iter().map(|entry| entry.count).sum::<u64>(),
                    found.records - found.kept
                );
            }
            (None, Conduct::Fabricator) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}
