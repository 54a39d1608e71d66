//! Fraud proofs at the door: about units that the accused held, and so many of one prover.

use crate::world::{NETUID, Place, Subnet, World, hotkey, key};
use assay_server::Limits;
use assay_server::store::RevealedRow;
use assay_types::api::ProblemKind;
use assay_types::{
    BlockNumber, Decision, Digest, Digest16, FRAUD_PROOF_VERSION, FraudKind, FraudProof, LedgerRow,
    MerkleTree, Pointer, ProofRow, ProofUnit, Reason, RecordDigest, RepoName, Revision, Round, Submitter,
    UnitId, hex, recipe, submission_root,
};

/// A proof that a submission of `miner`, of this unit alone, begins behind the archive's first byte.
fn proof(miner: &str, (source, path): (&str, &str)) -> FraudProof {
    let unit_id = UnitId::of(source, path);
    let row = LedgerRow {
        idx: 0,
        offset: 5,
        length: 10,
        record_digest: RecordDigest::default(),
        decision: Decision::Drop,
        reason: Reason::NotContent,
        dup_of: None,
        text_hash: Digest16::default(),
        n_tokens: 0,
    };
    let leaves = [row.leaf(&unit_id)];
    let mut proof = FraudProof {
        version: FRAUD_PROOF_VERSION,
        kind: FraudKind::Gap,
        netuid: NETUID,
        round: Round(0),
        hotkey: hotkey(miner),
        payload: String::new(),
        submission_root: Digest::ZERO,
        unit: ProofUnit {
            unit_id,
            source: source.to_owned(),
            warc_path: path.to_owned(),
            recipe_id: recipe::fineweb_en_v1().id(),
            n_records: 1,
            n_kept: 0,
            ledger_root: MerkleTree::root(&leaves),
            files_digest: Digest::ZERO,
            index: 0,
            n_units: 1,
            path: MerkleTree::proof(&[Digest::ZERO], 0).unwrap(),
        },
        rows: vec![ProofRow {
            index: 0,
            row,
            path: MerkleTree::proof(&leaves, 0).unwrap(),
        }],
        sources: Vec::new(),
        executed: None,
        column: None,
        prover: hotkey("miner-c"),
        signature: String::new(),
    };
    let by = Submitter {
        netuid: NETUID,
        round: Round(0),
        hotkey: hotkey(miner),
    };
    proof.submission_root = submission_root(&by, &[proof.unit.root()]);
    proof.check_structure().unwrap();
    proof
}

/// The same, signed by a prover; anew each time, so that no two have the same bytes.
fn signed(proof: &FraudProof, prover: &str) -> FraudProof {
    let mut proof = proof.clone();
    proof.prover = hotkey(prover);
    let signature = key(prover).sign(&proof.signed_bytes().unwrap()).unwrap();
    proof.signature = hex::encode(&signature);
    proof
}

/// As if the chain had opened the accused's pointer.
async fn reveal(world: &World, proof: &FraudProof) {
    let revealed = RevealedRow {
        hotkey: proof.hotkey,
        pointer: Pointer {
            round: proof.round,
            n_units: 1,
            want_next: 1,
            submission_root: proof.submission_root,
            revision: Revision([1; 20]),
            repo: RepoName::parse("acme/data").unwrap(),
        },
        block: BlockNumber(70),
        refusal: String::new(),
        now_ms: 1,
    };
    assert!(world.app.writer().write(revealed).await.unwrap());
}

const MINERS: [&str; 3] = ["miner-a", "miner-b", "miner-c"];

/// The path of a unit that one miner holds in round 0 and another does not.
async fn held_by(world: &World, name: &str, other: &str) -> String {
    let (assignment, _) = world.client("anybody").assignment(Round(0)).await.unwrap();
    let (own, other) = (hotkey(name), hotkey(other));
    let mut alone = assignment.of(&own).filter(|entry| !entry.is_held_by(&other));
    let unit = alone.next().unwrap().unit;
    let units = crate::world::corpus(200);
    units.into_iter().find(|one| one.unit_id == unit).unwrap().path
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_made_to_read_what_was_not_assigned() {
    // A unit of the index that another miner holds, and an address that is in no index at all.
    for is_of_index in [true, false] {
        let world = World::new(&Place::Sqlite, &MINERS).await;
        world.begin(0).await;
        let foreign = held_by(&world, "miner-b", "miner-a").await;
        let accusation = if is_of_index {
            proof("miner-a", ("file", &foreign))
        } else {
            proof("miner-a", ("http", "//169.254.169.254/latest/meta-data"))
        };
        reveal(&world, &accusation).await;
        let refused = world
            .client("miner-c")
            .fraud_proof(&signed(&accusation, "miner-c"))
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), Some(ProblemKind::ProofInvalid), "{refused}");
        assert!(
            refused.to_string().contains("was not assigned to the miner"),
            "{refused}"
        );
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_proofs_of_a_prover_wait() {
    let limits = Limits {
        prover_proofs_queued_max: 2,
        proofs_queued_max: 3,
        ..Subnet::default().limits
    };
    let world = World::with_limits(&Place::Sqlite, &MINERS, limits).await;
    world.begin(0).await;
    let own = held_by(&world, "miner-a", "miner-b").await;
    let accusation = proof("miner-a", ("file", &own));
    reveal(&world, &accusation).await;
    let hand_in = async |prover: &str| {
        let proof = signed(&accusation, prover);
        world.client(prover).fraud_proof(&proof).await
    };
    for _ in 0..2 {
        assert!(!hand_in("miner-c").await.unwrap().known);
    }
    let many = hand_in("miner-c").await.unwrap_err();
    assert_eq!(many.kind(), Some(ProblemKind::Busy), "{many}");
    assert!(
        many.retry_is_safe() && many.to_string().contains("at most 2 proofs of a prover"),
        "{many}"
    );
    assert!(!hand_in("miner-b").await.unwrap().known);
    let full = hand_in("miner-b").await.unwrap_err();
    assert_eq!(full.kind(), Some(ProblemKind::Busy), "three wait in all: {full}");
    world.stop().await;
}
