//! What the server is told at start: addresses, database, limits. Consensus parameters are not here but in the parameter set.

use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// This file: `docs/configuration.md` is made of its comments.
pub const CONFIG_SOURCE: &str = include_str!("config.rs");

/// Configuration of the server; the defaults are for production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address of the public API.
    pub listen: SocketAddr,
    /// Address of `/metrics`; none = no metrics. Loopback by default: it tells load and traffic.
    pub metrics_listen: Option<SocketAddr>,
    /// Database: a file, `sqlite:FILE` or `postgres://…`. A password in it is never shown.
    #[serde(skip_serializing)]
    pub database: String,
    /// Unix socket of `assay serve admin`; mode 0600.
    pub admin_socket: PathBuf,
    /// Header that names a client's address, where a trusted proxy sets it; none = the peer's address.
    pub client_address_header: Option<String>,
    /// Address that people know the site by, such as `https://assay.example.org`, for files and pictures that must name whole
    /// addresses; none = the one it is asked under, and pictures without a host.
    pub public_url: Option<String>,
    /// Bounds.
    pub limits: Limits,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8_470)),
            metrics_listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8_471))),
            database: "assay.sqlite".to_owned(),
            admin_socket: PathBuf::from("assay-admin.sock"),
            client_address_header: None,
            public_url: None,
            limits: Limits::default(),
        }
    }
}

/// Bounds of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Open connections.
    pub connections_max: usize,
    /// Open connections of one address (IPv6: /64). Not counted where `client_address_header` is set: all are the proxy's then.
    pub address_connections_max: usize,
    /// From the first byte of a request to the end of its headers, and between two requests, milliseconds.
    pub header_ms_max: u64,
    /// From the end of the headers to the answer, milliseconds; event streams excepted.
    pub request_ms_max: u64,
    /// How long a client may read nothing of what is sent to it, milliseconds; then the connection ends.
    pub write_ms_max: u64,
    /// Requests a minute and address.
    pub address_requests_a_minute: u32,
    /// Signed requests a minute and hotkey.
    pub hotkey_requests_a_minute: u32,
    /// Takedown requests an hour and address.
    pub address_removals_an_hour: u32,
    /// Event streams in all.
    pub streams_max: usize,
    /// Event streams of one address.
    pub address_streams_max: usize,
    /// Fraud proofs that may wait for re-execution.
    pub proofs_queued_max: u64,
    /// Of these by one prover.
    pub prover_proofs_queued_max: u64,
    /// Rendered answers kept, bytes.
    pub cache_bytes_max: usize,
    /// Time between two looks at what changed, milliseconds.
    pub snapshot_ms_min: u64,
    /// How long open requests may take to end at shutdown, milliseconds.
    pub shutdown_ms_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 2_048,
            address_connections_max: 64,
            header_ms_max: 10_000,
            request_ms_max: 15_000,
            write_ms_max: 30_000,
            address_requests_a_minute: 600,
            hotkey_requests_a_minute: 1_200,
            address_removals_an_hour: 6,
            streams_max: 1_000,
            address_streams_max: 8,
            proofs_queued_max: 1_000,
            prover_proofs_queued_max: 16,
            cache_bytes_max: 64 << 20,
            snapshot_ms_min: 1_000,
            shutdown_ms_max: 10_000,
        }
    }
}
