//! A kept connection, and what was measured on it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A kept connection.
pub(crate) struct Line {
    stream: TcpStream,
    pub(crate) buffer: Vec<u8>,
}

impl Line {
    /// To the server at `url`.
    pub(crate) async fn open(url: &str) -> Self {
        let stream = TcpStream::connect(url.trim_start_matches("http://"))
            .await
            .unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::with_capacity(64 << 10),
        }
    }

    /// Sends a request, reads the answer to its end; gives the status.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> u16 {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        loop {
            assert!(
                self.stream.read_buf(&mut self.buffer).await.unwrap() > 0,
                "the server closed"
            );
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1).map_or(0, |rest| {
                    rest.split("\r\n").next().unwrap().parse::<usize>().unwrap()
                });
                while self.buffer.len() < end + 4 + length {
                    assert!(
                        self.stream.read_buf(&mut self.buffer).await.unwrap() > 0,
                        "the server closed"
                    );
                }
                return head[9..12].parse().unwrap();
            }
        }
    }
}

/// What was measured.
pub(crate) struct Measured {
    pub(crate) count: u64,
    pub(crate) seconds: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Measured {
    /// Of the times of requests, milliseconds.
    pub(crate) fn of(mut times: Vec<f64>, seconds: f64) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        Self {
            count: times.len() as u64,
            seconds,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
        }
    }

    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / self.seconds
    }

    pub(crate) fn print(&self, what: &str) {
        println!(
            "{what}: {:.0} requests/s, p50 {:.1} ms, p99 {:.1} ms ({} in {:.1} s)",
            self.rate(),
            self.p50_ms,
            self.p99_ms,
            self.count,
            self.seconds
        );
    }
}
