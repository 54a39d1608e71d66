//! How a server says how it is: metrics, readiness, and events of which the past is not kept.

use crate::connections::{open, read};
use crate::world::{Place, Subnet, World};
use assay_server::store::{Append, last_sequence};
use assay_server::{ServerConfig, start};
use assay_types::api::EventKind;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

async fn get(address: &str, target: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    read(&mut stream, 1_000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_readiness_say_what_is_so() {
    let world = World::new(&Place::Sqlite, &["miner-a"]).await;
    let api = world.url.trim_start_matches("http://").to_owned();
    let early = get(&api, "/v1/ready").await;
    assert!(
        early.contains(" 503 ") && early.contains("server/not-ready") && early.contains("retry-after: 5"),
        "{early}"
    );
    world.begin(0).await;
    let ready = get(&api, "/v1/ready").await;
    assert!(
        ready.contains(" 200 ") && ready.contains("\"status\":\"ok\""),
        "{ready}"
    );

    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let config = ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics_listen: Some("127.0.0.1:0".parse().unwrap()),
        ..ServerConfig::default()
    };
    let server = start(&world.app, &config, &shutdown).await.unwrap();
    let metrics = server.metrics_address().unwrap().to_string();
    let text = get(&metrics, "/metrics").await;
    let block = world.app.view().block();
    for line in [
        "assay_http_request_seconds_count{method=\"GET\",route=\"/v1/ready\",status=\"200\"} 1".to_owned(),
        "assay_http_request_seconds_count{method=\"GET\",route=\"/v1/ready\",status=\"503\"} 1".to_owned(),
        format!("assay_chain_block {block}"),
        "assay_event_streams 0".to_owned(),
        "assay_intake 1".to_owned(),
    ] {
        assert!(text.contains(&line), "`{line}` in\n{text}");
    }
    let commits = text
        .lines()
        .find_map(|line| line.strip_prefix("assay_database_commits_total "))
        .unwrap();
    assert!(commits.parse::<u64>().unwrap() > 4, "{commits}");
    // Neither port answers what is the other one's.
    assert!(get(&metrics, "/v1/health").await.contains(" 404 "));
    assert!(get(&api, "/metrics").await.contains(" 404 "));
    stop.send_replace(true);
    server.finished().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_older_than_those_kept_begins_anew() {
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], Subnet::default().limits).await;
    let event = || Append {
        kind: EventKind::Health,
        document: serde_json::json!({"x": 1}),
        now_ms: 1,
    };
    let readers = world.app.database().readers();
    // More than are kept for who comes back.
    while last_sequence(readers).await.unwrap() <= 10_000 {
        let mut writes = tokio::task::JoinSet::new();
        for _ in 0..2_000 {
            let writer = world.app.writer().clone();
            let event = event();
            writes.spawn(async move { writer.write(event).await.unwrap() });
        }
        writes.join_all().await;
    }
    let newest = last_sequence(readers).await.unwrap();
    for (last_id, is_kept) in [(newest - 10_001, false), (newest - 1, true)] {
        let mut stream = open(&world).await;
        let request =
            format!("GET /v1/stream?topics=health HTTP/1.1\r\nhost: x\r\nlast-event-id: {last_id}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let text = read(&mut stream, 500).await;
        let reset = format!("id: {newest}\nevent: reset");
        assert_eq!(text.contains(&reset), !is_kept, "{last_id}: {text}");
        assert_eq!(
            text.contains(&format!("id: {newest}\nevent: health")),
            is_kept,
            "{text}"
        );
    }
    world.stop().await;
}
