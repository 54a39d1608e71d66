//! Connections as hostile or slow clients make them, event streams, cached answers, and shutdown.

use crate::world::{Place, World};
use assay_server::Limits;
use assay_server::store::Append;
use assay_types::api::EventKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) async fn open(world: &World) -> TcpStream {
    TcpStream::connect(world.url.trim_start_matches("http://"))
        .await
        .unwrap()
}

/// Everything that comes until the server closes or says nothing for a while.
pub(crate) async fn read(stream: &mut TcpStream, pause_ms: u64) -> String {
    let mut bytes = Vec::new();
    while let Ok(Ok(1..)) =
        tokio::time::timeout(Duration::from_millis(pause_ms), stream.read_buf(&mut bytes)).await
    {}
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) async fn ask(world: &World, request: &str) -> String {
    let mut stream = open(world).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    read(&mut stream, 500).await
}

fn limits() -> Limits {
    Limits {
        header_ms_max: 300,
        request_ms_max: 400,
        snapshot_ms_min: 1,
        address_streams_max: 2,
        address_requests_a_minute: 1 << 20,
        ..Limits::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_oversized_requests_end() {
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], limits()).await;
    world.begin(0).await;
    // Headers that never end.
    let mut slow = open(&world).await;
    slow.write_all(b"GET /v1/health HTTP/1.1\r\nhost: x\r\n")
        .await
        .unwrap();
    let begun = std::time::Instant::now();
    let answer = read(&mut slow, 5_000).await;
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "the connection stayed open"
    );
    assert!(!answer.contains(" 200 "), "{answer}");
    // A body that never ends.
    let head = "POST /v1/whoami HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nx";
    let answer = ask(&world, head).await;
    assert!(
        answer.contains(" 408 ") && answer.contains("request/timeout"),
        "{answer}"
    );
    // Heads and bodies that are too long.
    let long = format!(
        "GET /v1/health HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n",
        "x".repeat(40_000)
    );
    let answer = ask(&world, &long).await;
    assert!(answer.contains(" 431 ") || answer.is_empty(), "{answer}");
    let large = "POST /v1/whoami HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n";
    let answer = ask(&world, large).await;
    assert!(
        answer.contains(" 413 ") && answer.contains("request/too-large"),
        "{answer}"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_has_begun_is_answered_at_shutdown() {
    let limits = Limits {
        request_ms_max: 10_000,
        ..limits()
    };
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], limits).await;
    world.begin(0).await;
    let mut stream = open(&world).await;
    let head =
        "POST /v1/whoami HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    // The head is read before the server is told to end.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let url = world.url.clone();
    let stopped = tokio::spawn(world.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    stream.write_all(b"}").await.unwrap();
    let answer = read(&mut stream, 2_000).await;
    assert!(answer.contains("auth/unsigned"), "{answer}");
    stopped.await.unwrap();
    assert!(
        TcpStream::connect(url.trim_start_matches("http://"))
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_are_sent_once_and_compressed() {
    let world = World::with_limits(&Place::Sqlite, &["miner-a", "miner-b"], limits()).await;
    world.begin(0).await;
    let get = |more: &str| {
        format!("GET /v1/leaderboard/miners HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{more}\r\n")
    };
    let plain = ask(&world, &get("")).await;
    assert!(
        plain.contains("\"rank\":1") && plain.contains("cache-control: no-cache"),
        "{plain}"
    );
    assert!(plain.contains("ratelimit-remaining: "), "{plain}");
    let etag = plain
        .split("etag: ")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap();
    let known = ask(&world, &get(&format!("if-none-match: {etag}\r\n"))).await;
    assert!(known.contains(" 304 ") && !known.contains("rank"), "{known}");
    let packed = ask(&world, &get("accept-encoding: br\r\n")).await;
    assert!(
        packed.contains("content-encoding: br") && packed.contains("vary: accept-encoding"),
        "{packed}"
    );
    world.stop().await;
}

async fn event(world: &World, name: &str) {
    let append = Append {
        kind: EventKind::Health,
        document: serde_json::json!({ "name": name }),
        now_ms: 1,
    };
    world.app.writer().write(append).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_with_ids_and_resume_after_a_cut() {
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], limits()).await;
    world.begin(0).await;
    let listen = |more: &str| format!("GET /v1/stream?topics=health HTTP/1.1\r\nhost: x\r\n{more}\r\n");
    let mut first = open(&world).await;
    first.write_all(listen("").as_bytes()).await.unwrap();
    let head = read(&mut first, 300).await;
    assert!(
        head.contains("text/event-stream") && head.contains("retry: 3000"),
        "{head}"
    );
    event(&world, "one").await;
    let one = read(&mut first, 500).await;
    assert!(one.contains("event: health") && one.contains("\"one\""), "{one}");
    let id: u64 = one
        .split("id: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    drop(first);
    event(&world, "two").await;
    let mut again = open(&world).await;
    again
        .write_all(listen(&format!("last-event-id: {id}\r\n")).as_bytes())
        .await
        .unwrap();
    let resumed = read(&mut again, 500).await;
    assert!(
        resumed.contains("\"two\"") && !resumed.contains("\"one\""),
        "{resumed}"
    );
    // An id from the future cannot be resumed.
    let mut wrong = open(&world).await;
    wrong
        .write_all(listen("last-event-id: 999999\r\n").as_bytes())
        .await
        .unwrap();
    assert!(read(&mut wrong, 300).await.contains("event: reset"));
    let refused = ask(&world, &listen("")).await;
    assert!(
        refused.contains(" 503 ") && refused.contains("limit/streams"),
        "{refused}"
    );
    let bad = ask(
        &world,
        "GET /v1/stream?topics=weather HTTP/1.1\r\nhost: x\r\n\r\n",
    )
    .await;
    assert!(bad.contains(" 422 "), "{bad}");
    world.stop().await;
}
