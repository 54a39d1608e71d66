//! What only the embedded chain has: its socket, its pool, its eras, and many hands at once.

use std::net::TcpListener;

use assay_chain::embedded::{Clock, EmbeddedChain, Fault, Genesis, Remote, Served, serve};
use assay_chain::{At, Call, Chain as _, ChainErrorKind, CommitmentField};
use assay_types::{Digest, NetUid};

use crate::conformance::world::{World, coldkey, genesis, key, register, start};

fn note(netuid: NetUid, text: &str) -> Call {
    Call::SetCommitment {
        netuid,
        fields: vec![CommitmentField::Plain(text.as_bytes().to_vec())],
    }
}

async fn manual() -> World {
    World::of(start(genesis(), Clock::Manual).await)
}

/// A subnet with `//m`, made block by block.
async fn miner(world: &World) -> NetUid {
    let hotkey = crate::conformance::world::hotkey("h");
    world
        .later(
            Call::RegisterNetwork {
                hotkey,
                identity: None,
            },
            "owner",
        )
        .await;
    world.advance(1).await;
    world.later(register(NetUid(1), "m"), "owner").await;
    world.advance(1).await;
    NetUid(1)
}

#[tokio::test]
async fn a_call_that_a_fork_voids_expires_at_the_end_of_its_era() {
    let world = manual().await;
    let netuid = miner(&world).await;
    world.advance(3).await;
    let birth = world.head().await;
    let chain = world.embedded().clone().with_era(2);
    let account = coldkey(&key("m"));
    let before = chain.next_nonce(account).await.unwrap();
    let submitting = chain.clone();
    let waiting = tokio::spawn(async move { submitting.submit(&note(netuid, "lost"), &key("m")).await });
    while chain.next_nonce(account).await.unwrap() == before {
        tokio::task::yield_now().await;
    }
    // The block it was born at is replaced, so its signature holds for no block that there is.
    world.inject(Fault::Reorg { depth: 1 }).await;
    world.advance(1).await;
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind, ChainErrorKind::Expired { era_end: birth + 2 });
    assert!(error.retry_is_safe());
    assert_eq!(chain.next_nonce(account).await.unwrap(), before);
}

#[tokio::test]
async fn transactions_of_one_key_run_in_order_of_nonce_whatever_the_order_of_arrival() {
    let worlds = [manual().await, manual().await];
    let mut heads = Vec::new();
    for (at, world) in worlds.iter().enumerate() {
        let netuid = miner(world).await;
        let mut sent = Vec::new();
        for text in ["one", "two", "three"] {
            sent.push(
                world
                    .embedded()
                    .send(&note(netuid, text), &key("m"))
                    .await
                    .unwrap(),
            );
        }
        if at == 1 {
            // All of them again, backwards: refused, and nothing changes.
            for bytes in sent.iter().rev() {
                assert!(world.embedded().send_raw(bytes).await.is_err());
            }
        }
        world.advance(1).await;
        for bytes in &sent {
            let error = world.embedded().send_raw(bytes).await.unwrap_err();
            assert!(error.to_string().contains("outdated"), "{error}");
        }
        let found = world.chain.commitments(netuid, At::Head).await.unwrap();
        assert_eq!(found[0].fields, [CommitmentField::Plain(b"three".to_vec())]);
        heads.push(world.chain.metagraph(netuid, At::Head).await.unwrap().neurons);
    }
    assert_eq!(heads[0], heads[1]);
}

#[tokio::test]
async fn many_hands_at_once_each_get_their_receipt() {
    let world = World::over_the_socket().await;
    let netuid = world.subnet().await;
    for number in 0..4 {
        world.register(netuid, &format!("m{number}")).await;
    }
    let mut tasks = Vec::new();
    for number in 0..16 {
        let chain: EmbeddedChain = world.embedded().clone();
        tasks.push(tokio::spawn(async move {
            let signer = key(&format!("m{}", number % 4));
            chain.submit(&note(netuid, &number.to_string()), &signer).await
        }));
    }
    let mut hashes = std::collections::BTreeSet::new();
    for task in tasks {
        hashes.insert(task.await.unwrap().unwrap().extrinsic);
    }
    assert_eq!(hashes.len(), 16);
}

#[tokio::test]
async fn the_socket_is_loopback_only() {
    let node = start(genesis(), Clock::Instant).await;
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    let error = serve(node, "192.0.2.1:1".parse().unwrap(), shutdown)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no login"), "{error}");
}

#[tokio::test]
async fn the_socket_closes_when_told() {
    let node = start(genesis(), Clock::Instant).await;
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let served = serve(node, "127.0.0.1:0".parse().unwrap(), shutdown)
        .await
        .unwrap();
    let address = served.address();
    stop.send(true).unwrap();
    served.closed().await;
    assert!(TcpListener::bind(address).is_ok());
}

#[tokio::test]
async fn nobody_there_is_a_transport_error_that_may_be_tried_again() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Remote::connect(&format!("ws://{free}"), None).await.unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::Transport { .. }), "{error}");
    assert!(error.retry_is_safe());
}

#[tokio::test]
async fn another_chain_is_refused() {
    let node = start(genesis(), Clock::Instant).await;
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    let served = serve(node, "127.0.0.1:0".parse().unwrap(), shutdown)
        .await
        .unwrap();
    let error = Remote::connect(&served.url(), Some(Digest([1; 32])))
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind, ChainErrorKind::WrongGenesis { .. }),
        "{error}"
    );
    let own = Remote::connect(&served.url(), Some(genesis().hash()))
        .await
        .unwrap();
    assert_eq!(own.chain().head(At::Head).await.unwrap().number.0, 0);
}

/// Serves a chain of a genesis at an address until told otherwise.
async fn serve_at(genesis: Genesis, address: &str) -> (Served, tokio::sync::watch::Sender<bool>) {
    let node = start(genesis, Clock::Instant).await;
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let served = serve(node, address.parse().unwrap(), shutdown).await.unwrap();
    (served, stop)
}

#[tokio::test]
async fn another_chain_at_the_same_address_is_refused_after_a_reconnect() {
    let (served, stop) = serve_at(genesis(), "127.0.0.1:0").await;
    let (address, url) = (served.address().to_string(), served.url());
    let chain = Remote::connect(&url, None).await.unwrap().chain();
    let mut heads = chain.heads().await.unwrap();
    stop.send(true).unwrap();
    served.closed().await;
    let other = Genesis {
        beacon_seed: Digest([8; 32]),
        ..genesis()
    };
    let (served, stop) = serve_at(other, &address).await;
    let error = chain.head(At::Head).await.unwrap_err();
    assert!(
        matches!(error.kind, ChainErrorKind::WrongGenesis { .. }),
        "{error}"
    );
    assert!(!error.retry_is_safe() && error.help().contains("another chain"));
    let error = chain
        .submit(&note(NetUid(1), "astray"), &key("m"))
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind, ChainErrorKind::WrongGenesis { .. }),
        "{error}"
    );
    // Whoever follows heads is told, too, and does not wait for ever.
    loop {
        match heads.next().await.unwrap() {
            Err(error) if matches!(error.kind, ChainErrorKind::WrongGenesis { .. }) => break,
            Err(error) => assert!(error.retry_is_safe(), "{error}"),
            Ok(head) => assert_eq!(head.number.0, 0),
        }
    }
    stop.send(true).unwrap();
    served.closed().await;
    // Once the right one is back, it is taken again.
    let (_served, _stop) = serve_at(genesis(), &address).await;
    assert_eq!(chain.head(At::Head).await.unwrap().number.0, 0);
}

#[tokio::test]
async fn a_json_rpc_server_of_another_kind_is_told_from_a_chain() {
    let server = jsonrpsee::server::Server::builder()
        .build("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("ws://{}", server.local_addr().unwrap());
    let _handle = server.start(jsonrpsee::RpcModule::new(()));
    let error = Remote::connect(&url, None).await.unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::Answer { .. }), "{error}");
    assert!(
        error.to_string().contains("does not answer as an embedded chain"),
        "{error}"
    );
}

#[tokio::test]
async fn seeded_blocks_have_the_same_hashes_whatever_is_in_them_and_another_seed_others() {
    let chain = async |seed: u8, notes: usize| {
        let seeded = Genesis {
            block_seed: Some(Digest([seed; 32])),
            ..genesis()
        };
        let node = start(seeded, Clock::Manual).await;
        let chain = EmbeddedChain::from(node.clone());
        let netuid = miner(&World::of(node.clone())).await;
        for at in 0..notes {
            let call = note(netuid, &format!("note {at}"));
            chain.send(&call, &key("h")).await.unwrap();
        }
        node.seal(3).await.unwrap();
        let head = chain.head(At::Head).await.unwrap();
        (head.number, head.hash)
    };
    let empty = chain(1, 0).await;
    assert_eq!(chain(1, 2).await, empty);
    let other = chain(2, 0).await;
    assert_eq!(other.0, empty.0);
    assert_ne!(other.1, empty.1);
    // Without a seed the hash is that of the content.
    let plain = async |text: &str| {
        let node = start(genesis(), Clock::Manual).await;
        let chain = EmbeddedChain::from(node.clone());
        let netuid = miner(&World::of(node.clone())).await;
        chain.send(&note(netuid, text), &key("h")).await.unwrap();
        node.seal(1).await.unwrap();
        chain.head(At::Head).await.unwrap().hash
    };
    assert_ne!(plain("a").await, plain("b").await);
}
