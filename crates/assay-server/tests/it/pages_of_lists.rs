//! Pages of lists end by bytes as well as by rows, so that no client meets an answer that is too long for it.

use crate::postgres;
use crate::world::{Place, World, hotkey};
use assay_hub::{Exchange, ExchangeRequest};
use assay_server::store::{AddProof, AddReport, JudgeProof};
use assay_types::api::{Answer, ProofState, ProofView, ReportKind, ReportView};
use assay_types::{Digest, Round};
use std::time::Duration;

/// Longest answer that a client reads.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Documents of each list; their JSON has twice the bytes.
const DOCUMENTS: usize = 24;
const DOCUMENT_BYTES: usize = 700_000;

fn line(number: usize) -> String {
    format!("{number}{}", "\"".repeat(DOCUMENT_BYTES))
}

async fn fill(world: &World) {
    for number in 0..DOCUMENTS {
        let line = line(number);
        let digest = Digest::of(line.as_bytes());
        let report = ReportView {
            digest,
            kind: ReportKind::Evaluation,
            round: Round(0),
            validator: hotkey("miner-a"),
            miner: None,
            line: line.clone(),
            received_ms: 1,
        };
        let subject = number.to_string();
        let write = AddReport { report, subject };
        assert!(!world.app.writer().write(write).await.unwrap().unwrap().known);
        let proof = ProofView {
            digest,
            state: ProofState::Queued,
            round: Round(0),
            hotkey: hotkey("miner-a"),
            prover: hotkey("miner-a"),
            kind: "gap".to_owned(),
            line,
            finding: String::new(),
            received_ms: 1,
        };
        let write = AddProof {
            proof,
            queued_max: 1_000,
            prover_queued_max: 1_000,
        };
        world.app.writer().write(write).await.unwrap().unwrap();
        let judged = JudgeProof {
            digest,
            state: ProofState::Listed,
            finding: String::new(),
            now_ms: 1,
        };
        assert!(world.app.writer().write(judged).await.unwrap());
    }
}

/// Bytes and rows of a page, and where the next begins.
async fn page<T: serde::de::DeserializeOwned>(world: &World, target: &str) -> (usize, usize, Option<String>) {
    let exchange = Exchange::new(&world.url, Duration::from_secs(20)).unwrap();
    let request = ExchangeRequest {
        method: "GET",
        target,
        headers: Vec::new(),
        body: Vec::new(),
        bytes_max: ANSWER_BYTES_MAX,
    };
    let answer = exchange.send(request).await.unwrap();
    let parsed: Answer<Vec<T>> = serde_json::from_slice(&answer.body).unwrap();
    (answer.body.len(), parsed.data.len(), parsed.next)
}

async fn suite(place: &Place) {
    let world = World::new(place, &["miner-a"]).await;
    world.begin(0).await;
    fill(&world).await;
    // Reports are public from the round's cutoff on.
    world.until(world.rounds().start(Round(0)).0 + 27).await;
    let client = world.client("anybody");
    let reports = client.reports(Round(0)).await.unwrap();
    assert_eq!(reports.len(), DOCUMENTS);
    assert!(
        reports
            .iter()
            .enumerate()
            .all(|(at, report)| report.line == line(at))
    );
    let proofs = client.fraud_proofs().await.unwrap();
    assert_eq!(proofs.len(), DOCUMENTS);
    assert!(
        proofs
            .iter()
            .enumerate()
            .all(|(at, proof)| proof.line == line(at))
    );
    for target in ["/v1/reports?round=0&limit=500", "/v1/fraud-proofs?limit=500"] {
        let (bytes, rows, next) = if target.contains("reports") {
            page::<ReportView>(&world, target).await
        } else {
            page::<ProofView>(&world, target).await
        };
        assert!(bytes < ANSWER_BYTES_MAX, "{target}: {bytes}");
        assert!(
            (2..DOCUMENTS).contains(&rows) && next.is_some(),
            "{target}: {rows}"
        );
    }
    // Rows still end a page, and the last page says that it is the last.
    let (_, rows, next) = page::<ReportView>(&world, "/v1/reports?round=0&limit=2").await;
    assert_eq!((rows, next.is_some()), (2, true));
    let after = reports.len() as u64;
    assert_eq!(client.round(Round(0)).await.unwrap().reports, DOCUMENTS as u32);
    let (_, rows, next) = page::<ReportView>(&world, &format!("/v1/reports?round=1&limit={after}")).await;
    assert_eq!((rows, next), (0, None));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_longer_than_a_client_reads_on_sqlite() {
    suite(&Place::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_longer_than_a_client_reads_on_postgres() {
    if let Some(url) = postgres::database("pages_of_lists").await {
        suite(&Place::Postgres(url)).await;
    }
}
