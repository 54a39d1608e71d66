//! Dead letters given out again while a round is settled or assigned: neither undoes the other.

use crate::postgres;
use assay_mechanism::network::NetworkState;
use assay_mechanism::plan::plan;
use assay_server::store::{
    AddRound, Database, Settle, StoreError, UnitRecord, Writer, dead_letters, network_state, requeue,
};
use assay_types::api::{ASSIGNMENT_VERSION, AssignmentHeader};
use assay_types::{BlockNumber, Digest, NetUid, ParamValues, Round, UnitId, WorkUnit};
use std::collections::BTreeSet;

fn unit() -> UnitId {
    WorkUnit::new("file", "a.warc.gz", assay_types::Bytes(1))
        .unwrap()
        .unit_id
}

/// A round that gives nothing out.
fn round(round: u32, before: &NetworkState) -> AddRound {
    let header = AssignmentHeader {
        version: ASSIGNMENT_VERSION,
        genesis: Digest([7; 32]),
        netuid: NetUid(1),
        round: Round(round),
        params: Digest([1; 32]),
        block: BlockNumber(10 + round),
        beacon: Digest([2; 32]),
        index_root: Digest([3; 32]),
        cursor: 0,
        next_cursor: 0,
        candidates: Vec::new(),
        requeued: Vec::new(),
    };
    let assignment = plan(&header, &[], &ParamValues::default());
    AddRound {
        document: String::from_utf8(assignment.to_bytes().unwrap()).unwrap(),
        assignment,
        before: before.clone(),
        state: NetworkState {
            assigned: round,
            ..before.clone()
        },
        deadline: BlockNumber(100),
        now_ms: 1,
    }
}

/// Settles a round in which the unit failed for the last time, or nothing.
fn settle(round: u32, before: &NetworkState, is_dead: bool) -> Settle {
    let mut state = NetworkState {
        settled: round,
        ..before.clone()
    };
    let dead = UnitRecord {
        unit: unit(),
        state: "dead".to_owned(),
        attempts: 3,
        failed: BTreeSet::new(),
    };
    if is_dead {
        state.dead.insert(unit());
    }
    Settle {
        round: Round(round),
        verdicts: Vec::new(),
        units: is_dead.then_some(dead).into_iter().collect(),
        leases: Vec::new(),
        before: before.clone(),
        state,
        now_ms: 1,
    }
}

async fn suite(address: &str) {
    let database = Database::open(address, "test/1").await.unwrap();
    let (writer, task) = Writer::start(&database);
    let now = || network_state(database.readers());
    for number in 0..2 {
        let before = now().await.unwrap();
        assert!(writer.write(round(number, &before)).await.unwrap());
    }
    let before = now().await.unwrap();
    assert!(writer.write(settle(0, &before, true)).await.unwrap());
    assert_eq!(dead_letters(database.readers()).await.unwrap().len(), 1);

    // Both steps are computed, then the operator is quicker.
    let before = now().await.unwrap();
    let (settled, assigned) = (settle(1, &before, false), round(2, &before));
    assert_eq!(writer.write(requeue(None, 2)).await.unwrap(), 1);
    let again = now().await.unwrap();
    assert!(again.waiting.contains_key(&unit()) && again.dead.is_empty());
    for late in [writer.write(settled).await, writer.write(assigned).await] {
        assert!(matches!(late, Err(StoreError::Stale)), "{late:?}");
    }
    assert_eq!(now().await.unwrap(), again, "nothing of them is written");

    // Computed anew they are taken, and the unit still waits.
    assert!(writer.write(settle(1, &again, false)).await.unwrap());
    let before = now().await.unwrap();
    assert!(writer.write(round(2, &before)).await.unwrap());
    let last = now().await.unwrap();
    assert!(last.waiting.contains_key(&unit()) && last.dead.is_empty());
    assert!(dead_letters(database.readers()).await.unwrap().is_empty());
    drop(writer);
    task.await.unwrap();
    database.close().await;
}

#[tokio::test]
async fn dead_letters_are_given_out_beside_a_settlement_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    suite(&folder.path().join("a.sqlite").display().to_string()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_given_out_beside_a_settlement_on_postgres() {
    if let Some(url) = postgres::database("requeue").await {
        suite(&url).await;
    }
}
