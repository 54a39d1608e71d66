//! A thousand event streams on a real server process: every one hears every block, in less memory than is allowed.

use std::time::{Duration, Instant};

use assay_chain::embedded::EmbeddedChain;
use assay_chain::{At, Chain as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::served::{Running, running};

/// Streams, as many as a server takes unless it is configured otherwise.
const STREAMS: usize = 1_000;
/// Blocks that are made while they listen.
const BLOCKS: u32 = 5;
/// Most resident memory of the whole server at any time.
const MEMORY_BYTES_MAX: u64 = 150_000_000;
/// Longest wait for anything.
const TIME_MAX: Duration = Duration::from_mins(1);

/// A value in kB of `/proc/PID/status`, in bytes.
fn memory(server: &Running, field: &str) -> u64 {
    let status = fs_err::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1_024
}

/// A stream and what it has said so far.
struct Stream {
    socket: TcpStream,
    heard: Vec<u8>,
}

impl Stream {
    async fn open(server: &Running) -> Self {
        let mut socket = TcpStream::connect(server.url.trim_start_matches("http://"))
            .await
            .unwrap();
        let request = b"GET /v1/stream?topics=block HTTP/1.1\r\nhost: x\r\n\r\n";
        socket.write_all(request).await.unwrap();
        Self {
            socket,
            heard: Vec::new(),
        }
    }

    /// Reads until `enough` of what was heard; gives it.
    async fn hear(&mut self, enough: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + TIME_MAX;
        loop {
            let text = String::from_utf8_lossy(&self.heard).into_owned();
            if enough(&text) {
                return text;
            }
            let left = end.saturating_duration_since(Instant::now());
            let read = tokio::time::timeout(left, self.socket.read_buf(&mut self.heard)).await;
            let read = read.unwrap_or_else(|_| panic!("nothing more than `{text}`"));
            assert!(read.unwrap() > 0, "closed after `{text}`");
        }
    }
}

/// Numbers of the blocks in a stream's text.
fn blocks(text: &str) -> Vec<u32> {
    let lines: Vec<&str> = text.lines().collect();
    let events = lines.windows(2).filter(|pair| pair[0] == "event: block");
    let number = |pair: &[&str]| {
        let data: Value = serde_json::from_str(pair[1].strip_prefix("data: ")?).ok()?;
        u32::try_from(data["block"].as_u64()?).ok()
    };
    events.filter_map(number).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_streams_hear_every_block_in_less_than_150_mb() {
    let server = running().await;
    let mut streams = Vec::with_capacity(STREAMS);
    let idle = memory(&server, "VmRSS:");
    for _ in 0..STREAMS {
        let mut stream = Stream::open(&server).await;
        let head = stream.hear(|text| text.contains("retry: 3000")).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        streams.push(stream);
    }
    let mut one_more = Stream::open(&server).await;
    let refused = one_more.hear(|text| text.contains("\r\n\r\n")).await;
    assert!(
        refused.starts_with("HTTP/1.1 4") || refused.starts_with("HTTP/1.1 5"),
        "{refused}"
    );

    let begun = Instant::now();
    server.node.seal(BLOCKS).await.unwrap();
    let chain = EmbeddedChain::from(server.node.clone());
    let newest = chain.head(At::Finalized).await.unwrap().number.0;
    let expected: Vec<u32> = (newest + 1 - BLOCKS..=newest).collect();
    for stream in &mut streams {
        let text = stream.hear(|text| blocks(text).contains(&newest)).await;
        let heard = blocks(&text);
        assert!(heard.ends_with(&expected), "{heard:?}, not {expected:?}");
    }
    let took = begun.elapsed();
    let (now, most) = (memory(&server, "VmRSS:"), memory(&server, "VmHWM:"));
    eprintln!(
        "{STREAMS} event streams: {} MB resident, {} MB before them, {} MB at most; {} events to each in {:.2} s",
        now / 1_000_000,
        idle / 1_000_000,
        most / 1_000_000,
        BLOCKS,
        took.as_secs_f64()
    );
    assert!(most < MEMORY_BYTES_MAX, "{most} bytes at most, {now} now");
}
