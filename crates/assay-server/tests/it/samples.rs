//! Rows that validators show: who may hand them in and when, and when they are seen.

use crate::world::{NETUID, World, hotkey, key};
use assay_agents::api::TaskApi;
use assay_server::store::{self, AddRemoval};
use assay_types::api::ProblemKind;
use assay_types::{
    AUDIT_SAMPLE_VERSION, AuditSample, Composition, Digest, Hotkey, NamedCount, Round, SampleBlock,
    SampleRow, UnitId, hex,
};

/// A row whose text ends with `words`.
pub(crate) fn row(unit: UnitId, idx: u32, decision: &str, words: &str) -> SampleRow {
    let kept = decision == "kept";
    let text = if kept {
        format!("Bread rises. {words}")
    } else {
        String::new()
    };
    SampleRow {
        unit,
        idx,
        url: format!("https://example.org/{words}"),
        decision: decision.to_owned(),
        language: if kept { "en" } else { "" }.to_owned(),
        tokens: if kept { 71 } else { 0 },
        text_bytes: text.len() as u64,
        text,
        blocks: vec![
            SampleBlock {
                text: format!("Home, shop, basket {words}"),
                cut: "not main text".to_owned(),
            },
            SampleBlock {
                text: format!("Bread rises. {words}"),
                cut: String::new(),
            },
        ],
        is_cut: false,
    }
}

/// A sample of one miner's round, signed by `validator`.
pub(crate) fn sample(
    validator: &str,
    (round, miner, submission_root): (Round, Hotkey, Digest),
    composition: Option<Composition>,
    rows: Vec<SampleRow>,
) -> AuditSample {
    let mut sample = AuditSample {
        version: AUDIT_SAMPLE_VERSION,
        netuid: NETUID,
        round,
        validator: hotkey(validator),
        miner,
        submission_root,
        composition,
        rows,
        signature: String::new(),
    };
    let digest = sample.signed_digest().unwrap();
    sample.signature = hex::encode(&key(validator).sign(digest.as_bytes()).unwrap());
    sample
}

/// A composition with one entry a table.
pub(crate) fn composition(words: &str) -> Composition {
    let named = |name: &str, count| {
        vec![NamedCount {
            name: name.to_owned(),
            count,
        }]
    };
    Composition {
        units: 1,
        records: 48,
        kept: 12,
        tokens: 900,
        dropped: named("gopher_quality", 36),
        languages: named("en", 12),
        sites: named(&format!("example.org{words}"), 12),
        lengths: vec![0, 0, 0, 0, 0, 0, 12],
    }
}

/// Before the report cutoff of round 0: taken from who is permitted, and sealed.
pub(crate) async fn handed_in(client: &TaskApi, root: Digest, unit: UnitId) {
    let of = (Round(0), hotkey("miner-a"), root);
    let rows = vec![
        row(unit, 1, "kept", ""),
        row(unit, 7, "gopher_quality.gopher_short_doc", ""),
    ];
    let one = sample("miner-a", of, Some(composition("")), rows.clone());
    let first = client.sample(&one).await.unwrap();
    assert!(!first.known);
    // Signed again it is the same sample: signatures are drawn at random.
    let again = sample("miner-a", of, Some(composition("")), rows.clone());
    assert_ne!(again.signature, one.signature);
    let second = client.sample(&again).await.unwrap();
    assert_eq!((second.known, second.digest), (true, first.digest));
    assert_eq!(first.digest, one.signed_digest().unwrap());
    let refusals = [
        (
            sample("miner-a", of, None, rows.clone()),
            ProblemKind::ReportConflict,
        ),
        (
            sample("miner-b", of, None, rows.clone()),
            ProblemKind::ReportSignature,
        ),
        (
            sample("miner-a", (Round(0), hotkey("miner-b"), root), None, rows.clone()),
            ProblemKind::NotRevealed,
        ),
        (
            sample(
                "miner-a",
                (Round(0), hotkey("miner-a"), Digest([1; 32])),
                None,
                rows.clone(),
            ),
            ProblemKind::NotRevealed,
        ),
        (
            sample(
                "miner-a",
                of,
                None,
                vec![row(unit, 1, "kept", &"x".repeat(9_000))],
            ),
            ProblemKind::ReportInvalid,
        ),
        (
            sample("miner-a", of, None, vec![row(UnitId::default(), 1, "kept", "")]),
            ProblemKind::ReportInvalid,
        ),
    ];
    for (refused, expected) in refusals {
        let found = client.sample(&refused).await.unwrap_err();
        assert_eq!(found.kind(), Some(expected), "{found}");
    }
    let mut forged = one.clone();
    forged.rows[0].text = "Bread falls.".to_owned();
    assert_eq!(
        client.sample(&forged).await.unwrap_err().kind(),
        Some(ProblemKind::ReportSignature)
    );
    assert!(
        client.samples(&root).await.unwrap().is_empty(),
        "sealed until the cutoff"
    );
}

/// After it: seen as it was signed, by submission and by row, without what a takedown hides.
pub(crate) async fn seen(world: &World, client: &TaskApi, root: Digest, unit: UnitId) {
    let samples = client.samples(&root).await.unwrap();
    assert_eq!(samples.len(), 1);
    assert_eq!(samples[0].composition, Some(composition("")));
    assert_eq!(samples[0].rows.len(), 2);
    let readers = world.app.database().readers();
    let shown = store::shown_rows(readers, (&unit, 7), Round(0), 9).await.unwrap();
    assert_eq!((shown.len(), &shown[0].row), (1, &samples[0].rows[1]));
    assert!(
        store::shown_rows(readers, (&unit, 8), Round(0), 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store::newest_shown(readers, Round(0), 9).await.unwrap(),
        [(Round(0), root)]
    );
    let removal = AddRemoval {
        target: format!("/records/{unit}/1"),
        contact: "me@example.org".to_owned(),
        reason: String::new(),
        now_ms: 1,
    };
    world.app.writer().write(removal).await.unwrap().unwrap();
    let left = client.samples(&root).await.unwrap();
    let numbers: Vec<u32> = left[0].rows.iter().map(|row| row.idx).collect();
    assert_eq!(numbers, [7], "the other one is hidden");
}
