//! A subnet's rounds through the server: assigned as recomputed, revealed, reported, settled, assigned again.

use crate::postgres;
use crate::samples;
use crate::world::{NETUID, Place, World, corpus, hotkey, key, params};
use assay_agents::api::{Expected, assigned_header, check_assignment, read_chain};
use assay_mechanism::plan::plan;
use assay_server::store;
use assay_types::api::{Assignment, AuditEntry, LeaseState, ProblemKind, SubmissionState};
use assay_types::{
    AUDIT_REPORT_VERSION, AuditReport, Delivered, Digest, Message, Pointer, Q32, RepoName, Revision, Round,
    UnitId, Verdict, batch_digest, corpus_index_root, hex, recipe,
};
use std::collections::BTreeMap;

/// Recomputes a round from chain and corpus alone and compares bytes; for rounds in which nothing came back.
async fn recompute(
    world: &World,
    round: Round,
    cursor: u64,
    caps: &BTreeMap<(assay_types::Hotkey, assay_types::BlockNumber), u32>,
) -> Assignment {
    let (served, bytes) = world.client("anybody").assignment(round).await.unwrap();
    let view = read_chain(&world.chain, (NETUID, round), &params(), caps)
        .await
        .unwrap();
    let fresh: Vec<UnitId> = corpus(200)
        .iter()
        .skip(cursor as usize)
        .map(|unit| unit.unit_id)
        .collect();
    let root = corpus_index_root(&corpus(200));
    let expected = Expected {
        genesis: world.identity.genesis,
        netuid: NETUID,
        round,
        params: &params(),
        block: view.0,
        beacon: view.1,
        candidates: &view.2.clone(),
        caps,
        index_root: Some(root),
        cursor: Some(cursor),
        requeued: None,
        fresh: &fresh,
    };
    check_assignment(&served, &expected).unwrap();
    let mut header = assigned_header(
        (world.identity.genesis, NETUID, round),
        &params(),
        view,
        (root, cursor),
    );
    header.requeued.clone_from(&served.header.requeued);
    let own = plan(&header, &fresh, &params().values);
    assert_eq!(own.to_bytes().unwrap(), bytes, "round {round}");
    served
}

pub(crate) fn pointer(round: Round, units: &[UnitId], root: Digest) -> Pointer {
    Pointer {
        round,
        n_units: u32::try_from(units.len()).unwrap(),
        want_next: 6,
        submission_root: root,
        revision: Revision([1; 20]),
        repo: RepoName::parse("acme/data").unwrap(),
    }
}

/// A report of `miner-a`, who validates, on round 0; the first of its log.
pub(crate) fn report(
    world: &World,
    miner: &str,
    (root, units): (Digest, &[UnitId]),
    verdict: Verdict,
) -> AuditReport {
    report_after(world, Digest::ZERO, (miner, verdict), (root, units))
}

/// The report after one with the digest `previous`.
pub(crate) fn report_after(
    world: &World,
    previous: Digest,
    (miner, verdict): (&str, Verdict),
    (root, units): (Digest, &[UnitId]),
) -> AuditReport {
    let mut report = AuditReport {
        version: AUDIT_REPORT_VERSION,
        netuid: NETUID,
        round: Round(0),
        validator: hotkey("miner-a"),
        miner: hotkey(miner),
        submission_root: root,
        params: world.app.params_digest(),
        previous,
        checkpoint: Digest::ZERO,
        delivered: units
            .iter()
            .map(|unit| Delivered {
                unit: *unit,
                records: 12,
                novelty: Q32::ONE,
                gain: Q32::ONE,
                recipe_id: recipe::fineweb_en_v1().id(),
            })
            .collect(),
        probes: Vec::new(),
        faults: Vec::new(),
        unreachable: false,
        verdict,
        signature: String::new(),
    };
    let digest = report.signed_digest().unwrap();
    report.signature = hex::encode(&key("miner-a").sign(digest.as_bytes()).unwrap());
    report
}

#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn suite(place: &Place) {
    let world = World::new(place, &["miner-a", "miner-b"]).await;
    let readers = world.app.database().readers().clone();
    world.begin(0).await;
    let caps = BTreeMap::new();
    let first = recompute(&world, Round(0), 0, &caps).await;
    assert_eq!(
        first.of(&hotkey("miner-a")).count(),
        4,
        "a newcomer holds four units"
    );

    // Miner a delivers all, miner b nothing.
    let mut units: Vec<UnitId> = first.of(&hotkey("miner-a")).map(|entry| entry.unit).collect();
    units.sort_unstable();
    let client = world.client("miner-a");
    for unit in &units {
        client.take(Round(0), unit).await.unwrap();
        client.complete(Round(0), unit, Digest([5; 32])).await.unwrap();
    }
    let root = Digest([9; 32]);
    world
        .commit_sealed("miner-a", &pointer(Round(0), &units, root))
        .await;
    let start = world.rounds().start(Round(0)).0;
    world.until(start + 18).await;
    let revealed = store::submission_of(&readers, Round(0), &hotkey("miner-a"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (revealed.state, revealed.refusal.as_str()),
        (SubmissionState::Revealed, "")
    );

    // The manifest's root is checked where it is parsed; here the store's own guard.
    let complete = |root: Digest, units: &[UnitId]| store::CompleteSubmission {
        round: Round(0),
        hotkey: hotkey("miner-a"),
        root,
        units: units.to_vec(),
        records: vec![9; units.len()],
        declared: Vec::new(),
        now_ms: 1,
    };
    let wrong = world
        .app
        .writer()
        .write(complete(Digest([1; 32]), &units))
        .await
        .unwrap();
    assert_eq!(wrong, Err(ProblemKind::SubmissionMismatch));
    let few = world
        .app
        .writer()
        .write(complete(root, &units[1..]))
        .await
        .unwrap();
    assert_eq!(few, Err(ProblemKind::SubmissionMismatch));
    assert!(
        world
            .app
            .writer()
            .write(complete(root, &units))
            .await
            .unwrap()
            .is_ok()
    );

    // Only a permit reports; the digest of the batch goes on the chain; a second opinion is a conflict.
    let passed = report(&world, "miner-a", (root, &units), Verdict::Pass);
    let absent = ("miner-b", Verdict::NoShow);
    let absent = report_after(&world, passed.digest().unwrap(), absent, (Digest::ZERO, &[]));
    let reports = [passed, absent];
    let permitted = world.chain_permit("miner-a");
    assert!(permitted, "the first neuron with stake has a permit");
    for one in &reports {
        assert!(!client.report(one).await.unwrap().known);
        assert!(client.report(one).await.unwrap().known);
    }
    let other = report(&world, "miner-b", (Digest::ZERO, &[]), Verdict::Skipped);
    assert_eq!(
        client.report(&other).await.unwrap_err().kind(),
        Some(ProblemKind::ReportConflict)
    );
    let mut forged = report(&world, "miner-b", (Digest::ZERO, &[]), Verdict::Skipped);
    forged.validator = hotkey("miner-b");
    assert_eq!(
        client.report(&forged).await.unwrap_err().kind(),
        Some(ProblemKind::ReportSignature)
    );
    assert!(
        client.reports(Round(0)).await.unwrap().is_empty(),
        "sealed until the cutoff"
    );
    samples::handed_in(&client, root, units[0]).await;
    let lines: Vec<Vec<u8>> = reports
        .iter()
        .map(|report| report.to_canonical_bytes().unwrap())
        .collect();
    let digest = batch_digest(lines.iter().map(Vec::as_slice));
    world
        .commit_plain(
            "miner-a",
            &Message::Reports {
                round: Round(0),
                digest,
            },
        )
        .await;

    // Settled at the effective block: a passes and doubles, b fails and its units come back without it.
    world.until(start + 42).await;
    assert_eq!(client.reports(Round(0)).await.unwrap().len(), 2);
    let verdicts = store::verdicts_of_round(&readers, Round(0)).await.unwrap();
    let of = |name: &str| {
        verdicts
            .iter()
            .find(|row| row.record.hotkey == hotkey(name))
            .unwrap()
    };
    assert_eq!(
        (of("miner-a").verdict, of("miner-a").record.cap),
        (Verdict::Pass, 8)
    );
    assert_eq!(
        (of("miner-b").verdict, of("miner-b").record.cap),
        (Verdict::NoShow, 2)
    );
    assert_eq!(of("miner-a").reports.len(), 1);
    // The same by round, by miner and as the newest of everybody.
    let (round, a) = (Round(0), hotkey("miner-a"));
    assert_eq!(
        store::newest_verdicts(&readers, round, 10).await.unwrap(),
        verdicts
    );
    assert_eq!(store::newest_judged_round(&readers).await.unwrap(), Some(round));
    let own = store::verdicts(&readers, &a, 10).await.unwrap();
    assert_eq!(own, [of("miner-a").clone()]);
    let one = store::verdict_of(&readers, round, &a).await.unwrap();
    assert_eq!(one.as_ref(), Some(of("miner-a")));
    assert_eq!(store::reports_on(&readers, round, &a).await.unwrap().len(), 1);
    assert_eq!(store::reports_by(&readers, &a, round, 9).await.unwrap().len(), 2);
    assert!(store::declared_of(&readers, round, &a).await.unwrap().is_empty());
    let holders = store::submissions_with(&readers, &units[0], 9).await.unwrap();
    assert_eq!(holders.len(), 1);
    assert_eq!((holders[0].0.hotkey, holders[0].1), (a, Some(9)));
    let states = [store::RemovalState::Pending, store::RemovalState::Listed];
    assert!(!store::is_removed(&readers, "example.org", &states).await.unwrap());
    assert_eq!(store::removal(&readers, 1).await.unwrap(), None);
    samples::seen(&world, &client, root, units[0]).await;
    assert_eq!((of("miner-a").units, of("miner-a").records), (4, 48));
    assert!(of("miner-a").average > Q32::ZERO);
    let state = store::network_state(&readers).await.unwrap();
    assert_eq!(
        (state.settled, state.waiting.len()),
        (1, 4),
        "what b held waits until it passes"
    );
    let leases = client.leases(Round(0), &hotkey("miner-a")).await.unwrap();
    assert!(
        leases.iter().all(|lease| lease.state == LeaseState::Verified),
        "{leases:?}"
    );
    let second = world.client("anybody").assignment(Round(1)).await.unwrap().0;
    assert_eq!(second.header.cursor, first.header.next_cursor);
    // Settled before this assignment, which comes behind the cutoff.
    let again: Vec<UnitId> = second.header.requeued.iter().map(|again| again.unit).collect();
    assert_eq!(again.len(), 4, "what b held");
    let given: Vec<_> = second
        .entries
        .iter()
        .filter(|entry| again.contains(&entry.unit))
        .collect();
    assert_eq!(given.len(), 4);
    assert!(given.iter().all(|entry| entry.holder == hotkey("miner-a")));
    let log = client.audit_log().await.unwrap();
    assert_eq!(AuditEntry::first_break(Digest::ZERO, &log), None);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_on_sqlite() {
    suite(&Place::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_on_postgres() {
    if let Some(url) = postgres::database("rounds").await {
        suite(&Place::Postgres(url)).await;
    }
}
