//! What one client may use up: requests, connections, buffers, streams; and what it is told about it.

use crate::auth::{code, honest, send};
use crate::connections::{ask, open, read};
use crate::world::{Place, Subnet, World};
use assay_hub::ExchangeAnswer;
use assay_server::Limits;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

/// Limit, remaining and seconds to the next window, as the headers say.
fn told(answer: &ExchangeAnswer) -> (u32, u32, u32) {
    let number = |name: &str| answer.header(name).unwrap().parse().unwrap();
    (
        number("ratelimit-limit"),
        number("ratelimit-remaining"),
        number("ratelimit-reset"),
    )
}

fn limits() -> Limits {
    Subnet::default().limits
}

async fn whoami(world: &World) -> ExchangeAnswer {
    let request = honest("/v1/whoami");
    send(&world.url, "/v1/whoami", request.headers(), b"").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotkey_is_told_its_own_limit_where_that_is_the_tighter_one() {
    let limits = Limits {
        hotkey_requests_a_minute: 2,
        address_requests_a_minute: 600,
        ..limits()
    };
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], limits).await;
    world.begin(0).await;
    let first = whoami(&world).await;
    let (limit, remaining, reset) = told(&first);
    assert_eq!((code(&first).as_str(), limit, remaining), ("ok", 2, 1));
    assert!((1..=60).contains(&reset), "{reset}");
    // A minute may end in between: of five requests at least one is refused.
    let mut refused = 0;
    for _ in 0..5 {
        let answer = whoami(&world).await;
        let (limit, remaining, reset) = told(&answer);
        assert_eq!(limit, 2);
        if code(&answer) == "limit/rate" {
            refused += 1;
            assert_eq!(remaining, 0);
            assert_eq!(answer.header("retry-after"), Some(reset.to_string().as_str()));
        } else {
            assert!(remaining < 2, "{remaining}");
        }
    }
    assert!(refused >= 1);
    // A failure in the handler still tells where the hotkey stands; nobody's requests are counted by address alone.
    let unsigned = send(&world.url, "/v1/whoami", Vec::new(), b"").await;
    assert_eq!(
        (code(&unsigned).as_str(), told(&unsigned).0),
        ("auth/unsigned", 600)
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_refused_is_told_its_limit() {
    let limits = Limits {
        address_requests_a_minute: 3,
        ..limits()
    };
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], limits).await;
    world.begin(0).await;
    let first = whoami(&world).await;
    assert_eq!(
        (code(&first).as_str(), told(&first).0),
        ("ok", 3),
        "the address is the tighter one"
    );
    let mut refused = 0;
    for _ in 0..8 {
        let answer = whoami(&world).await;
        let (limit, remaining, reset) = told(&answer);
        assert_eq!(limit, 3);
        if answer.status == 429 {
            refused += 1;
            assert_eq!(remaining, 0);
            assert_eq!(answer.header("retry-after"), Some(reset.to_string().as_str()));
        }
    }
    assert!(refused >= 2, "{refused}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replays_do_not_use_up_the_limit_of_their_signer() {
    let limits = Limits {
        hotkey_requests_a_minute: 2,
        ..limits()
    };
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], limits).await;
    world.begin(0).await;
    let seen = honest("/v1/whoami").headers();
    assert_eq!(
        code(&send(&world.url, "/v1/whoami", seen.clone(), b"").await),
        "ok"
    );
    for _ in 0..9 {
        let replayed = send(&world.url, "/v1/whoami", seen.clone(), b"").await;
        assert_eq!(code(&replayed), "auth/replayed");
    }
    assert_eq!(
        code(&whoami(&world).await),
        "ok",
        "the second request of the minute"
    );
    world.stop().await;
}

const HEALTH: &str = "GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_connections() {
    let limits = Limits {
        address_connections_max: 4,
        ..limits()
    };
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], limits).await;
    let mut kept = Vec::new();
    for _ in 0..4 {
        let mut stream = open(&world).await;
        stream.write_all(HEALTH.as_bytes()).await.unwrap();
        assert!(read(&mut stream, 300).await.contains(" 200 "));
        kept.push(stream);
    }
    let mut fifth = open(&world).await;
    // It may be closed before or after this is written.
    let _ = fifth.write_all(HEALTH.as_bytes()).await;
    assert_eq!(read(&mut fifth, 2_000).await, "");
    kept.pop();
    // Its end has to be seen first.
    let mut answer = String::new();
    for _ in 0..50 {
        answer = ask(&world, HEALTH).await;
        if answer.contains(" 200 ") {
            break;
        }
    }
    assert!(
        answer.contains(" 200 "),
        "a place that is free again is taken: {answer}"
    );
    drop(kept);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_let_go() {
    let limits = Limits {
        write_ms_max: 300,
        ..limits()
    };
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], limits).await;
    let document = "GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
    let length = ask(&world, document).await.len();
    let asked = 1 + (24 << 20) / length;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let address = world.url.trim_start_matches("http://").parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(document.repeat(asked).as_bytes()).await.unwrap();
    // Longer than the server waits, while nothing is read.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let mut bytes = Vec::new();
    // The end may come as a reset.
    let _ = stream.read_to_end(&mut bytes).await;
    assert!(
        bytes.len() < asked * length,
        "all {asked} answers were kept for who did not read them"
    );
    // Who reads gets everything.
    let mut reader = open(&world).await;
    reader.write_all(document.repeat(9).as_bytes()).await.unwrap();
    assert_eq!(read(&mut reader, 1_000).await.matches("HTTP/1.1 200").count(), 9);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_streams_end_at_once_when_the_server_does() {
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], limits()).await;
    world.begin(0).await;
    let mut stream = open(&world).await;
    stream
        .write_all(b"GET /v1/stream HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(read(&mut stream, 300).await.contains("retry: 3000"));
    let patience = Duration::from_millis(world.app.limits().shutdown_ms_max);
    let begun = Instant::now();
    world.stop().await;
    assert!(
        begun.elapsed() < patience / 2,
        "the stream held the server for {:?}",
        begun.elapsed()
    );
    let rest = read(&mut stream, 2_000).await;
    assert!(
        rest.ends_with("0\r\n\r\n"),
        "the stream was cut and not ended: {rest:?}"
    );
}
