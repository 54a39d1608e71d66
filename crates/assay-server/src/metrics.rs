//! Counters in the text form Prometheus reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// Upper ends of the histogram's buckets, seconds.
const BUCKETS_S: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// Methods that are counted by name. A client may write any word as its method, so others are one row.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// The row of all other methods.
const OTHER_METHOD: &str = "other";

/// Requests of one route, method and status.
#[derive(Debug, Clone, Default)]
struct Route {
    count: u64,
    seconds: f64,
    buckets: [u64; BUCKETS_S.len()],
}

/// What is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    routes: Mutex<BTreeMap<(&'static str, String, u16), Route>>,
}

/// Values that are read when metrics are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gauges {
    /// Newest block.
    pub block: u32,
    /// Milliseconds since it was taken in.
    pub block_age_ms: u64,
    /// Event streams.
    pub streams: usize,
    /// Bytes of the cache.
    pub cache_bytes: usize,
    /// Commits of the writer.
    pub commits: u64,
    /// Whether writes are taken.
    pub intake: bool,
}

impl Metrics {
    /// Counts an answered request. `route` is one of the router's, never what a client wrote.
    pub fn request(&self, method: &str, route: &str, status: u16, seconds: f64) {
        let method = METHODS
            .into_iter()
            .find(|known| *known == method)
            .unwrap_or(OTHER_METHOD);
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = routes.entry((method, route.to_owned(), status)).or_default();
        entry.count += 1;
        entry.seconds += seconds;
        for (bucket, end) in entry.buckets.iter_mut().zip(BUCKETS_S) {
            *bucket += u64::from(seconds <= end);
        }
    }

    /// The text.
    pub fn render(&self, gauges: &Gauges) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "# TYPE assay_http_request_seconds histogram");
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        for ((method, route, status), counted) in &*routes {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            for (bucket, end) in counted.buckets.iter().zip(BUCKETS_S) {
                let _ = writeln!(
                    out,
                    "assay_http_request_seconds_bucket{{{labels},le=\"{end}\"}} {bucket}"
                );
            }
            let _ = writeln!(
                out,
                "assay_http_request_seconds_bucket{{{labels},le=\"+Inf\"}} {}",
                counted.count
            );
            let _ = writeln!(
                out,
                "assay_http_request_seconds_sum{{{labels}}} {}",
                counted.seconds
            );
            let _ = writeln!(
                out,
                "assay_http_request_seconds_count{{{labels}}} {}",
                counted.count
            );
        }
        drop(routes);
        for (name, value) in [
            ("assay_chain_block", f64::from(gauges.block)),
            (
                "assay_chain_block_age_seconds",
                gauges.block_age_ms as f64 / 1_000.0,
            ),
            ("assay_event_streams", gauges.streams as f64),
            ("assay_cache_bytes", gauges.cache_bytes as f64),
            ("assay_database_commits_total", gauges.commits as f64),
            ("assay_intake", f64::from(u8::from(gauges.intake))),
        ] {
            let _ = writeln!(out, "# TYPE {name} gauge\n{name} {value}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_fall_into_cumulative_buckets() {
        let metrics = Metrics::default();
        metrics.request("GET", "/v1/health", 200, 0.002);
        metrics.request("GET", "/v1/health", 200, 0.2);
        let text = metrics.render(&Gauges::default());
        let line = |le: &str, count: u32| {
            format!(
                "assay_http_request_seconds_bucket{{method=\"GET\",route=\"/v1/health\",status=\"200\",le=\"{le}\"}} {count}"
            )
        };
        for expected in [
            line("0.001", 0),
            line("0.0025", 1),
            line("0.1", 1),
            line("0.5", 2),
            line("+Inf", 2),
        ] {
            assert!(text.contains(&expected), "{expected} in\n{text}");
        }
        assert!(text.contains("assay_intake 0"));
    }

    #[test]
    fn methods_that_clients_make_up_are_one_row() {
        let metrics = Metrics::default();
        for at in 0..1_000 {
            metrics.request(&format!("WORD{at}\"}} 1"), "none", 405, 0.001);
        }
        metrics.request("get", "none", 405, 0.001);
        let text = metrics.render(&Gauges::default());
        let counts: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("assay_http_request_seconds_count"))
            .collect();
        assert_eq!(
            counts,
            [r#"assay_http_request_seconds_count{method="other",route="none",status="405"} 1001"#]
        );
    }
}
