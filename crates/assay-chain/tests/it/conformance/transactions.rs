//! Transactions, heads and reads: nonces, eras, forks, upgrades, finality and lost connections.

use assay_chain::embedded::Fault;
use assay_chain::{At, Call, ChainError, ChainErrorKind, CommitmentField};
use assay_types::{BlockNumber, Digest, NetUid};

use super::world::{TAO, World, at, key, register, set};

fn note(netuid: NetUid, text: &str) -> Call {
    Call::SetCommitment {
        netuid,
        fields: vec![CommitmentField::Plain(text.as_bytes().to_vec())],
    }
}

async fn miner(world: &World) -> NetUid {
    let netuid = world.subnet().await;
    world.register(netuid, "m").await;
    netuid
}

/// The text `m` has committed.
async fn noted(world: &World, netuid: NetUid) -> String {
    let found = world.chain.commitments(netuid, At::Head).await.unwrap();
    match &found[0].fields[0] {
        CommitmentField::Plain(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn pool_message(error: &ChainError) -> (i32, &str) {
    match &error.kind {
        ChainErrorKind::Pool { code, message, .. } => (*code, message),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn a_receipt_names_block_and_events(world: &World) {
    let netuid = miner(world).await;
    let receipt = world.ok(note(netuid, "a"), "m").await;
    let head = world.chain.head(At::Number(receipt.block)).await.unwrap();
    assert_eq!(head.hash, receipt.hash);
    // A node puts those of fees between.
    let events: Vec<&str> = receipt.events.iter().map(String::as_str).collect();
    assert!(
        events.contains(&"Commitments.Commitment") && events.ends_with(&["System.ExtrinsicSuccess"]),
        "{events:?}"
    );
    assert!(!receipt.extrinsic.is_zero());
}

pub(super) async fn a_stale_nonce_is_signed_again(world: &World) {
    let netuid = miner(world).await;
    world.ok(note(netuid, "first"), "m").await;
    world.inject(Fault::StaleNonce).await;
    world.ok(note(netuid, "second"), "m").await;
    assert_eq!(noted(world, netuid).await, "second");
}

pub(super) async fn a_used_transaction_is_outdated(world: &World) {
    let netuid = miner(world).await;
    let bytes = world
        .embedded()
        .send(&note(netuid, "once"), &key("m"))
        .await
        .unwrap();
    world.advance(1).await;
    world.ok(note(netuid, "twice"), "m").await;
    let error = world.embedded().send_raw(&bytes).await.unwrap_err();
    let (code, message) = pool_message(&error);
    assert_eq!(code, 1010);
    assert!(message.contains("outdated"), "{message}");
    assert!(error.retry_is_safe());
    world.advance(1).await;
    assert_eq!(noted(world, netuid).await, "twice");
}

pub(super) async fn a_changed_transaction_is_refused(world: &World) {
    let netuid = miner(world).await;
    let mut bytes = world
        .embedded()
        .send(&note(netuid, "mine"), &key("m"))
        .await
        .unwrap();
    world.advance(1).await;
    // The nonce follows version, signer and signature.
    bytes[97] += 1;
    let error = world.embedded().send_raw(&bytes).await.unwrap_err();
    let (code, message) = pool_message(&error);
    assert_eq!(code, 1010);
    assert!(message.contains("bad signature"), "{message}");
    assert!(!error.retry_is_safe());
}

pub(super) async fn noise_is_refused(world: &World) {
    for bytes in [Vec::new(), vec![1; 50], vec![0xff; 4_000], vec![1; 100_000]] {
        let error = world.embedded().send_raw(&bytes).await.unwrap_err();
        assert!(!error.retry_is_safe(), "{error}");
    }
}

pub(super) async fn a_lost_reply_is_found_in_the_blocks(world: &World) {
    let netuid = miner(world).await;
    world.inject(Fault::LoseReply).await;
    let receipt = world.ok(note(netuid, "lost"), "m").await;
    assert_eq!(noted(world, netuid).await, "lost");
    world.ok(note(netuid, "next"), "m").await;
    let used = world
        .chain
        .commitments(netuid, at(receipt.block.0))
        .await
        .unwrap();
    assert_eq!(used[0].block, receipt.block);
}

pub(super) async fn heads_come_in_order_without_gaps(world: &World) {
    let before = world.head().await;
    let mut heads = world.chain.heads().await.unwrap();
    world.advance(5).await;
    let mut parent = world.chain.head(at(before)).await.unwrap().hash;
    for number in before + 1..=before + 5 {
        let head = heads.next().await.unwrap().unwrap();
        assert_eq!((head.number.0, head.parent), (number, parent));
        assert_eq!(head, world.chain.head(at(number)).await.unwrap());
        parent = head.hash;
    }
}

pub(super) async fn heads_go_on_after_a_dropped_connection(world: &World) {
    let before = world.head().await;
    let mut heads = world.chain.heads().await.unwrap();
    world.advance(2).await;
    world.inject(Fault::DropConnections).await;
    for _ in 0..4 {
        // The order itself may meet the broken connection.
        while !world.try_advance(1).await {}
    }
    let mut numbers = Vec::new();
    while numbers.len() < 6 {
        match heads.next().await.unwrap() {
            Ok(head) => numbers.push(head.number.0),
            Err(error) => assert!(error.retry_is_safe(), "{error}"),
        }
    }
    let expected: Vec<u32> = (before + 1..=before + 6).collect();
    assert_eq!(numbers, expected);
}

pub(super) async fn a_reorganised_transaction_is_included_again(world: &World) {
    let netuid = miner(world).await;
    world.advance(3).await;
    let receipt = world.ok(note(netuid, "moved"), "m").await;
    world.inject(Fault::Reorg { depth: 1 }).await;
    let now = world.chain.head(At::Number(receipt.block)).await.unwrap();
    assert_ne!(now.hash, receipt.hash, "another block has its number");
    assert_eq!(world.head().await, receipt.block.0 + 1);
    assert_eq!(noted(world, netuid).await, "moved");
    let found = world.chain.commitments(netuid, At::Head).await.unwrap();
    assert_eq!(found[0].block.0, receipt.block.0 + 1);
    let error = world.chain.head(At::Hash(receipt.hash)).await.unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::NotFound { .. }), "{error}");
}

pub(super) async fn an_upgrade_is_signed_for(world: &World) {
    let netuid = miner(world).await;
    assert_eq!(world.embedded().spec_version(At::Head).await.unwrap(), 425);
    let old = world
        .embedded()
        .send(&note(netuid, "old"), &key("m"))
        .await
        .unwrap();
    world.advance(1).await;
    world.inject(Fault::Upgrade { spec_version: 426 }).await;
    world.advance(1).await;
    assert_eq!(world.embedded().spec_version(At::Head).await.unwrap(), 426);
    let error = world.embedded().send_raw(&old).await.unwrap_err();
    assert_eq!(pool_message(&error).0, 1010);
    world.ok(note(netuid, "new"), "m").await;
    assert_eq!(noted(world, netuid).await, "new");
}

pub(super) async fn finality_follows_the_head(world: &World) {
    world.advance(10).await;
    let (head, last) = (
        world.head().await,
        world.chain.head(At::Finalized).await.unwrap().number.0,
    );
    assert_eq!(head - last, 2);
    world.inject(Fault::LateFinality { lag_blocks: 8 }).await;
    world.advance(4).await;
    let stalled = world.chain.head(At::Finalized).await.unwrap().number.0;
    assert_eq!(stalled, last, "nothing final is taken back");
    world.advance(10).await;
    let moved = world.chain.head(At::Finalized).await.unwrap().number.0;
    assert_eq!(moved, head + 14 - 8);
}

pub(super) async fn reads_are_of_the_block_they_name(world: &World) {
    let netuid = miner(world).await;
    let before = world.head().await;
    world.register(netuid, "late").await;
    let old = world.chain.metagraph(netuid, at(before)).await.unwrap();
    let new = world.metagraph(netuid).await;
    assert_eq!((old.neurons.len(), new.neurons.len()), (2, 3));
    assert_eq!(old.block, BlockNumber(before));
    assert_eq!(old.hash, world.chain.head(at(before)).await.unwrap().hash);
}

pub(super) async fn a_block_that_is_not_there_is_not_found(world: &World) {
    world.advance(1).await;
    for at in [at(u32::MAX - 1), At::Hash(Digest([9; 32]))] {
        let error = world.chain.metagraph(NetUid(0), at).await.unwrap_err();
        assert!(matches!(error.kind, ChainErrorKind::NotFound { .. }), "{error}");
        assert!(!error.retry_is_safe());
    }
}

pub(super) async fn all_money_is_accounted_for(world: &World) {
    let netuid = world.subnet().await;
    world.validator(netuid, "v", 50).await;
    world.register(netuid, "m").await;
    world.epochs(netuid, 3).await;
    let totals = world.embedded().totals(At::Head).await.unwrap();
    assert_eq!(totals.tao_issued, totals.tao_held);
    assert_eq!(totals.alpha_issued, totals.alpha_held);
    assert!(totals.alpha_issued > 50 * TAO);
}

pub(super) async fn a_failed_call_leaves_only_its_nonce(world: &World) {
    let netuid = miner(world).await;
    let before = world.metagraph(netuid).await.neurons;
    let balance = world.balance("m-cold").await;
    world
        .refused(register(netuid, "m"), "m-cold", "HotKeyAlreadyRegisteredInSubNet")
        .await;
    world
        .refused(set(netuid, "kappa", 1), "m-cold", "BadOrigin")
        .await;
    let mut after = world.metagraph(netuid).await.neurons;
    for (after, before) in after.iter_mut().zip(&before) {
        // Time passes, even so.
        after.immunity_left = before.immunity_left;
    }
    assert_eq!(after, before);
    assert_eq!(world.balance("m-cold").await, balance);
    world.ok(register(netuid, "m9"), "m-cold").await;
}
