//! How remote objects are read: sizes, repetitions, proxy, S3 endpoint and credentials.
//!
//! Filled by the command line from flags, environment and file (this crate reads no variable of its own); used by
//! [`crate::open`] and [`crate::Ranges`]. Files need none of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Value of [`OpenOptions::proxy`] that forbids every proxy, also those of the environment.
pub const DIRECT: &str = "direct";

/// A value that is used but never shown: `Debug` and `Serialize` give `***`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides `value`.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// How remote objects are read. The default suits public archives over a usual connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenOptions {
    /// Bytes of one request once a reading runs; the first ones are smaller so that work starts early. Two ranges are
    /// in memory per reader. Default 8 MiB.
    pub range_bytes_max: u64,
    /// Attempts for one range before the reading fails. Default 8, about 90 s with the back-off below.
    pub attempts_max: u32,
    /// First pause before a repetition, in milliseconds; doubled each time, with up to a quarter added at random.
    /// Default 1,000: Common Crawl asks for no more than one repetition a second (status.commoncrawl.org).
    pub backoff_ms_min: u64,
    /// Longest pause in milliseconds, also for a server's `Retry-After`. Default 30,000.
    pub backoff_ms_max: u64,
    /// Time to connect, in milliseconds. Default 10,000.
    pub connect_ms_max: u64,
    /// Time without a single byte after which a connection counts as broken, in milliseconds. Default 30,000.
    pub idle_ms_max: u64,
    /// Slowest body that is waited for, in bytes a second, beyond the idle time: a server that sends a byte now and then
    /// does not hold a reader. Default 32 KiB/s, a hundredth of what one archive a minute needs.
    pub rate_bytes_min: u64,
    /// URL of a proxy for every request; absent: the usual variables (`HTTPS_PROXY`, `NO_PROXY`…); [`DIRECT`]: none.
    pub proxy: Option<Secret>,
    /// `s3://` addresses.
    pub s3: S3Options,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            range_bytes_max: 8 << 20,
            attempts_max: 8,
            backoff_ms_min: 1_000,
            backoff_ms_max: 30_000,
            connect_ms_max: 10_000,
            idle_ms_max: 30_000,
            rate_bytes_min: 32 << 10,
            proxy: None,
            s3: S3Options::default(),
        }
    }
}

impl OpenOptions {
    /// The same for a process that gets no secrets: no proxy, no keys.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        Self {
            proxy: None,
            s3: S3Options {
                access_key_id: None,
                secret_access_key: None,
                session_token: None,
                ..self.s3.clone()
            },
            ..self.clone()
        }
    }
}

/// Where `s3://bucket/key` leads. Without keys every request is anonymous.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3Options {
    /// Base URL of an S3-compatible store; absent: Amazon's. With an endpoint the bucket is the first path segment.
    pub endpoint: Option<String>,
    /// Region of the bucket. Default `us-east-1`, where Common Crawl's bucket is.
    pub region: String,
    /// Access key; used only together with `secret_access_key`.
    pub access_key_id: Option<Secret>,
    /// Secret key.
    pub secret_access_key: Option<Secret>,
    /// Session token of temporary keys.
    pub session_token: Option<Secret>,
    /// Base URLs that serve a bucket to anonymous readers in place of S3; used without keys and without `endpoint`.
    /// Default: `commoncrawl` at `https://data.commoncrawl.org`, since that bucket answers S3 requests only with keys.
    pub public_mirrors: BTreeMap<String, String>,
}

impl Default for S3Options {
    fn default() -> Self {
        let mirror = (
            "commoncrawl".to_owned(),
            "https://data.commoncrawl.org".to_owned(),
        );
        Self {
            endpoint: None,
            region: "us-east-1".to_owned(),
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
            public_mirrors: BTreeMap::from([mirror]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_but_never_shown() {
        let text = "proxy = \"http://u:hunter2@p:1\"\n[s3]\naccess_key_id = \"AKIA1\"\nsecret_access_key = \"s3cr3t\"\n";
        let options: OpenOptions = toml::from_str(text).unwrap();
        assert_eq!(options.s3.secret_access_key.as_ref().unwrap().reveal(), "s3cr3t");
        let shown = format!("{options:?} {}", toml::to_string(&options).unwrap());
        assert!(shown.contains("***"));
        assert!(!shown.contains("hunter2") && !shown.contains("s3cr3t") && !shown.contains("AKIA1"));
    }

    #[test]
    fn what_is_left_without_secrets_is_read_back_whole() {
        let text = "attempts_max = 3\nproxy = \"http://u:hunter2@p:1\"\n[s3]\nregion = \"r\"\naccess_key_id = \"AKIA1\"\nsecret_access_key = \"s\"\nsession_token = \"t\"\n";
        let options: OpenOptions = toml::from_str(text).unwrap();
        let public = options.without_secrets();
        assert_eq!((public.attempts_max, public.s3.region.as_str()), (3, "r"));
        let written = toml::to_string(&public).unwrap();
        assert!(!written.contains("***"), "{written}");
        assert_eq!(toml::from_str::<OpenOptions>(&written).unwrap(), public);
    }

    #[test]
    fn an_empty_table_is_the_default_and_unknown_keys_are_errors() {
        assert_eq!(toml::from_str::<OpenOptions>("").unwrap(), OpenOptions::default());
        assert!(toml::from_str::<OpenOptions>("rangebytes = 1").is_err());
    }
}
