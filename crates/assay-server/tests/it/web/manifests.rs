//! Manifests handed in over the API, by their miner and by others, and what the pages show of them.

use super::site::{Answer, send};
use crate::world::{NETUID, Place, World, corpus, hotkey};
use assay_server::store::{RevealedRow, declared_of};
use assay_types::{
    Addressing, BlockNumber, Bytes, Digest, FileEntry, LedgerEntry, Manifest, ManifestUnit, Pointer,
    RepoName, Revision, Round, Sha256Digest, Tokens, Tool, recipe,
};

/// Records of the only unit.
const RECORDS: u32 = 1_234;

/// A manifest of round 0 with one unit; tokens and archive bytes do not change its root.
fn manifest(world: &World, miner: &str, tokens: u64, archive_bytes: u64) -> Manifest {
    let unit = corpus(1).remove(0);
    let folder = format!("units/{}", unit.unit_id);
    let file = |name: &str| FileEntry {
        path: format!("{folder}/{name}"),
        bytes: Bytes(1),
        sha256: Sha256Digest([0; 32]),
    };
    let docs = file("docs-00000.parquet");
    let unit = ManifestUnit {
        unit_id: unit.unit_id,
        source: unit.source,
        warc_path: unit.path,
        warc_len: Bytes(archive_bytes),
        addressing: Addressing::Member,
        recipe_id: recipe::fineweb_en_v1().id(),
        n_records: RECORDS,
        n_kept: 321,
        n_tokens: Tokens(tokens),
        ledger: LedgerEntry {
            path: format!("{folder}/ledger.parquet"),
            bytes: Bytes(1),
            sha256: Sha256Digest([0; 32]),
            root: Digest([2; 32]),
        },
        bands: file("bands.parquet"),
        docs: vec![assay_types::DocsEntry {
            path: docs.path,
            bytes: docs.bytes,
            rows: 321,
            sha256: docs.sha256,
        }],
        unit_root: Digest::ZERO,
    };
    let tool = Tool {
        name: "assay".to_owned(),
        version: "0".to_owned(),
        git: String::new(),
    };
    let mut manifest = Manifest::local(vec![unit], tool, "ODC-By");
    manifest.genesis = world.identity.genesis;
    manifest.netuid = NETUID;
    manifest.hotkey = hotkey(miner);
    manifest.submission_root = manifest.expected_root();
    manifest.validate().unwrap();
    manifest
}

async fn get(world: &World, path: &str) -> Answer {
    let address = world.url.strip_prefix("http://").unwrap().parse().unwrap();
    send(address, &format!("GET {path} HTTP/1.1"), "").await
}

/// The page once it shows `words`: what was rendered is kept until the server has noticed a commit.
async fn shows(world: &World, path: &str, words: &str) -> String {
    let mut shown = String::new();
    for _ in 0..200 {
        shown = get(world, path).await.body;
        if shown.contains(words) {
            return shown;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("`{path}` does not come to show `{words}`: {shown}");
}

/// A world in which the chain has revealed miner b's submission of round 0.
async fn revealed() -> World {
    let world = World::new(&Place::Sqlite, &["miner-a", "miner-b"]).await;
    world.begin(0).await;
    let row = RevealedRow {
        hotkey: hotkey("miner-b"),
        pointer: Pointer {
            round: Round(0),
            n_units: 1,
            want_next: 1,
            submission_root: manifest(&world, "miner-b", 1, 1).submission_root,
            revision: Revision([1; 20]),
            repo: RepoName::parse("acme/data").unwrap(),
        },
        block: BlockNumber(70),
        refusal: String::new(),
        now_ms: 1,
    };
    assert!(world.app.writer().write(row).await.unwrap());
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_miners_own_manifest_declares_counts() {
    let world = revealed().await;
    let readers = world.app.database().readers().clone();
    let root = manifest(&world, "miner-b", 1, 1).submission_root;
    let page = format!("/submissions/{root}");

    // Another miner is first, with the right root and numbers of its own.
    let forged = manifest(&world, "miner-b", 1 << 52, 1 << 52);
    let receipt = world.client("miner-a").submit(&forged).await.unwrap();
    assert!(!receipt.known, "units come from anybody");
    let shown = shows(&world, &page, "Counts are unknown").await;
    assert!(shown.contains("1 of 1 known"), "{shown}");
    assert!(
        declared_of(&readers, Round(0), &hotkey("miner-b"))
            .await
            .unwrap()
            .is_empty()
    );

    // The miner itself comes later: its counts are shown, and nobody changes them.
    let own = manifest(&world, "miner-b", 4_321, 987);
    assert!(world.client("miner-b").submit(&own).await.unwrap().known);
    assert!(world.client("miner-a").submit(&forged).await.unwrap().known);
    let works = declared_of(&readers, Round(0), &hotkey("miner-b")).await.unwrap();
    assert_eq!(works.len(), 1);
    assert_eq!(
        (works[0].tokens, works[0].archive_bytes, works[0].records),
        (4_321, 987, u64::from(RECORDS))
    );
    let shown = shows(&world, &page, "4,321").await;
    assert!(!shown.contains("Counts are unknown"), "{shown}");

    // A miner that overdoes it is cut to what sums can hold.
    let much = manifest(&world, "miner-b", (1 << 53) - 1, 5);
    world.client("miner-b").submit(&much).await.unwrap();
    let works = declared_of(&readers, Round(0), &hotkey("miner-b")).await.unwrap();
    assert_eq!(works[0].tokens, 1 << 40);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_without_a_verdict_is_not_told_that_all_is_well() {
    let world = revealed().await;
    let client = world.client("miner-b");
    let page = format!("/miners/{}", hotkey("miner-b").to_ss58());
    let silent = shows(&world, &page, "nothing was heard").await;
    let (assignment, _) = client.assignment(Round(0)).await.unwrap();
    let unit = assignment.of(&hotkey("miner-b")).next().unwrap().unit;
    client.take(Round(0), &unit).await.unwrap();
    let heard = shows(&world, &page, "No verdict yet").await;
    assert!(heard.contains("no verdict yet"), "{heard}");
    for body in [&silent, &heard] {
        assert!(!body.contains("Nothing to fix"), "{body}");
    }
    world.stop().await;
}
