//! Commitments: fields, sizes, the budget of an epoch, and timelocked fields.

use assay_chain::embedded::Fault;
use assay_chain::timelock::{Entropy, seal};
use assay_chain::{At, Call, ChainErrorKind, Commitment, CommitmentField};
use assay_types::{Digest, NetUid};

use super::world::{World, at, hotkey};

fn plain(netuid: NetUid, bytes: &[u8]) -> Call {
    commit(netuid, vec![CommitmentField::Plain(bytes.to_vec())])
}

const fn commit(netuid: NetUid, fields: Vec<CommitmentField>) -> Call {
    Call::SetCommitment { netuid, fields }
}

async fn list(world: &World, netuid: NetUid) -> Vec<Commitment> {
    world.chain.commitments(netuid, At::Head).await.unwrap()
}

/// The commitment of miner `m`, as a list.
async fn own(world: &World, netuid: NetUid) -> Vec<Commitment> {
    let mut all = list(world, netuid).await;
    all.retain(|commitment| commitment.hotkey == hotkey("m"));
    all
}

async fn revealed(world: &World, netuid: NetUid) -> Vec<Vec<u8>> {
    let all = world.chain.revealed_commitments(netuid, At::Head).await.unwrap();
    all.into_iter().map(|revealed| revealed.bytes).collect()
}

/// `bytes` sealed until `rounds` after the newest pulse.
async fn sealed(world: &World, bytes: &[u8], rounds: u64) -> CommitmentField {
    let beacon = world.chain.beacon(At::Head).await.unwrap();
    let reveal_round = world.chain.last_pulse_round(At::Head).await.unwrap() + rounds;
    let ciphertext = seal(&beacon, reveal_round, bytes, &Entropy::random().unwrap()).unwrap();
    CommitmentField::Timelocked {
        ciphertext,
        reveal_round,
    }
}

/// A subnet with miner `m`.
async fn miner(world: &World) -> NetUid {
    let netuid = world.subnet().await;
    world.register(netuid, "m").await;
    netuid
}

pub(super) async fn a_commitment_is_read_back_with_its_block(world: &World) {
    let netuid = miner(world).await;
    assert_eq!(own(world, netuid).await, []);
    let receipt = world.ok(plain(netuid, b"assay"), "m").await;
    assert!(
        receipt
            .events
            .iter()
            .any(|event| event == "Commitments.Commitment"),
        "{:?}",
        receipt.events
    );
    let expected = Commitment {
        hotkey: hotkey("m"),
        block: receipt.block,
        fields: vec![CommitmentField::Plain(b"assay".to_vec())],
    };
    assert_eq!(own(world, netuid).await, [expected]);
}

pub(super) async fn a_new_commitment_replaces_the_old(world: &World) {
    let netuid = miner(world).await;
    world.ok(plain(netuid, b"old"), "m").await;
    let receipt = world.ok(plain(netuid, b"new"), "m").await;
    let found = own(world, netuid).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].block, receipt.block);
    assert_eq!(found[0].fields, [CommitmentField::Plain(b"new".to_vec())]);
}

pub(super) async fn three_fields_fit_and_four_do_not(world: &World) {
    let netuid = miner(world).await;
    let field = |text: &str| CommitmentField::Plain(text.as_bytes().to_vec());
    let mut fields: Vec<CommitmentField> = ["a", "b", "c"].map(field).into();
    world.ok(commit(netuid, fields.clone()), "m").await;
    assert_eq!(own(world, netuid).await[0].fields, fields);
    fields.push(field("d"));
    world
        .refused(
            commit(netuid, fields),
            "m",
            "Commitments.TooManyFieldsInCommitmentInfo",
        )
        .await;
}

pub(super) async fn a_hash_is_read_back(world: &World) {
    let netuid = miner(world).await;
    let field = CommitmentField::Blake2(Digest([5; 32]));
    world.ok(commit(netuid, vec![field.clone()]), "m").await;
    assert_eq!(own(world, netuid).await[0].fields, [field]);
}

pub(super) async fn only_registered_hotkeys_commit(world: &World) {
    let netuid = miner(world).await;
    world
        .refused(
            plain(netuid, b"x"),
            "stranger",
            "Commitments.AccountNotAllowedCommit",
        )
        .await;
}

pub(super) async fn the_budget_of_an_epoch_ends(world: &World) {
    let netuid = miner(world).await;
    world.epochs(netuid, 1).await;
    for _ in 0..6 {
        world.ok(plain(netuid, &[1; 512]), "m").await;
    }
    let error = world
        .refused(plain(netuid, b"x"), "m", "Commitments.SpaceLimitExceeded")
        .await;
    assert!(error.retry_is_safe(), "the next epoch has room");
    assert_eq!(
        list(world, netuid).await[0].fields,
        [CommitmentField::Plain(vec![1; 512])]
    );
}

pub(super) async fn small_commitments_count_a_hundred_bytes(world: &World) {
    let netuid = miner(world).await;
    world.set(netuid, "tempo", 360).await;
    for _ in 0..31 {
        world.ok(plain(netuid, b"x"), "m").await;
    }
    world
        .refused(plain(netuid, b"x"), "m", "Commitments.SpaceLimitExceeded")
        .await;
}

pub(super) async fn the_next_epoch_has_a_new_budget(world: &World) {
    let netuid = miner(world).await;
    world.epochs(netuid, 1).await;
    for _ in 0..6 {
        world.ok(plain(netuid, &[1; 512]), "m").await;
    }
    world.epochs(netuid, 1).await;
    world.ok(plain(netuid, &[2; 512]), "m").await;
}

pub(super) async fn a_field_that_is_too_long_is_not_sent(world: &World) {
    let netuid = miner(world).await;
    world.ok(plain(netuid, &[1; 512]), "m").await;
    world
        .refused(plain(netuid, &[1; 513]), "m", "not sent: SpaceLimitExceeded")
        .await;
}

pub(super) async fn a_timelocked_field_opens_when_its_pulse_is_there(world: &World) {
    let netuid = miner(world).await;
    // Rounds come four a block: the pulse of the fortieth is in the tenth block, and opens in the next.
    let field = sealed(world, b"secret", 40).await;
    let receipt = world.ok(commit(netuid, vec![field.clone()]), "m").await;
    assert_eq!(receipt.events[0], "Commitments.TimelockCommitment");
    assert_eq!(list(world, netuid).await[0].fields, [field]);
    world.advance(9).await;
    assert_eq!(revealed(world, netuid).await, [] as [Vec<u8>; 0]);
    world.advance(1).await;
    let found = world.chain.revealed_commitments(netuid, At::Head).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].hotkey, found[0].bytes.as_slice()),
        (hotkey("m"), b"secret".as_slice())
    );
    assert_eq!(found[0].block.0, receipt.block.0 + 10);
    assert_eq!(list(world, netuid).await, [], "a record without fields goes");
}

pub(super) async fn a_plain_field_stays_when_its_neighbour_opens(world: &World) {
    let netuid = miner(world).await;
    let open = CommitmentField::Plain(b"open".to_vec());
    let fields = vec![sealed(world, b"secret", 4).await, open.clone()];
    world.ok(commit(netuid, fields), "m").await;
    world.advance(2).await;
    assert_eq!(revealed(world, netuid).await, [b"secret"]);
    assert_eq!(list(world, netuid).await[0].fields, [open]);
}

pub(super) async fn a_field_that_does_not_open_is_dropped(world: &World) {
    let netuid = miner(world).await;
    let CommitmentField::Timelocked {
        mut ciphertext,
        reveal_round,
    } = sealed(world, b"secret", 4).await
    else {
        panic!("sealed");
    };
    let last = ciphertext.len() - 40;
    ciphertext[last] ^= 1;
    let field = CommitmentField::Timelocked {
        ciphertext,
        reveal_round,
    };
    world.ok(commit(netuid, vec![field]), "m").await;
    world.advance(3).await;
    assert_eq!(revealed(world, netuid).await, [] as [Vec<u8>; 0]);
    assert_eq!(list(world, netuid).await, []);
}

pub(super) async fn a_missing_pulse_delays_the_opening(world: &World) {
    let netuid = miner(world).await;
    let field = sealed(world, b"secret", 6).await;
    world.inject(Fault::MissPulses { rounds: 12 }).await;
    world.ok(commit(netuid, vec![field]), "m").await;
    world.advance(12).await;
    assert_eq!(revealed(world, netuid).await, [] as [Vec<u8>; 0]);
    assert_eq!(list(world, netuid).await.len(), 1);
    world.inject(Fault::ReleasePulses).await;
    world.advance(2).await;
    assert_eq!(revealed(world, netuid).await, [b"secret"]);
}

pub(super) async fn ten_opened_fields_are_kept(world: &World) {
    let netuid = miner(world).await;
    for number in 0..12_u8 {
        let field = sealed(world, &[number], 1).await;
        world.ok(commit(netuid, vec![field]), "m").await;
        world.advance(2).await;
    }
    let expected: Vec<Vec<u8>> = (2..12).map(|number| vec![number]).collect();
    assert_eq!(revealed(world, netuid).await, expected);
}

pub(super) async fn commitments_are_listed_by_hotkey(world: &World) {
    let netuid = miner(world).await;
    let mut names = vec!["m", "a", "z", "q"];
    for name in &names[1..] {
        world.register(netuid, name).await;
    }
    for name in &names {
        world.ok(plain(netuid, name.as_bytes()), name).await;
    }
    names.sort_by_key(|name| hotkey(name));
    let expected: Vec<_> = names.iter().map(|name| hotkey(name)).collect();
    let found: Vec<_> = list(world, netuid).await.iter().map(|c| c.hotkey).collect();
    assert_eq!(found, expected);
}

pub(super) async fn a_commitment_is_still_read_at_its_own_block(world: &World) {
    let netuid = miner(world).await;
    let receipt = world.ok(plain(netuid, b"old"), "m").await;
    world.ok(plain(netuid, b"new"), "m").await;
    for at in [at(receipt.block.0), At::Hash(receipt.hash)] {
        let found = world.chain.commitments(netuid, at).await.unwrap();
        assert_eq!(found[0].fields, [CommitmentField::Plain(b"old".to_vec())]);
    }
}

pub(super) async fn commitments_of_no_subnet_are_not_found(world: &World) {
    let error = world
        .chain
        .commitments(NetUid(4_000), At::Head)
        .await
        .unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::NotFound { .. }), "{error}");
    assert!(error.to_string().contains("subnet 4000"), "{error}");
}
