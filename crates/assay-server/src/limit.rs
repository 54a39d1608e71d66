//! Rate limits by address and by hotkey: a count for each minute, or hour for takedown requests, with the headers that
//! tell a client where it stands.

use crate::config::Limits;
use crate::failure::Failure;
use assay_types::Hotkey;
use assay_types::api::ProblemKind;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Length of the window of requests, and of takedown requests.
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Keys counted at once; beyond it a window starts anew for everyone.
const KEYS_MAX: usize = 100_000;

/// Where a client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests of a window.
    pub limit: u32,
    /// Of these left.
    pub remaining: u32,
    /// Seconds until the next window.
    pub reset_seconds: u32,
}

impl Standing {
    /// Writes the RateLimit headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        for (name, value) in [
            ("ratelimit-limit", self.limit),
            ("ratelimit-remaining", self.remaining),
            ("ratelimit-reset", self.reset_seconds),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

/// A count a key and window.
#[derive(Debug)]
struct Window<K> {
    limit: u32,
    length_ms: u64,
    /// What is counted, in words.
    what: &'static str,
    counts: Mutex<(u64, HashMap<K, u32>)>,
}

impl<K: Hash + Eq> Window<K> {
    fn new(limit: u32, length_ms: u64, what: &'static str) -> Self {
        Self {
            limit,
            length_ms,
            what,
            counts: Mutex::default(),
        }
    }

    fn take(&self, key: K, now_ms: u64) -> Result<Standing, Failure> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (window, counted) = &mut *counts;
        if *window != now_ms / self.length_ms || counted.len() >= KEYS_MAX {
            *window = now_ms / self.length_ms;
            counted.clear();
        }
        let count = counted.entry(key).or_default();
        let reset_seconds = ((self.length_ms - now_ms % self.length_ms) / 1_000).max(1) as u32;
        if *count >= self.limit {
            return Err(Failure::new(
                ProblemKind::RateLimited,
                format!("at most {} {}; wait {reset_seconds} s", self.limit, self.what),
            )
            .retry_after(reset_seconds));
        }
        *count += 1;
        Ok(Standing {
            limit: self.limit,
            remaining: self.limit - *count,
            reset_seconds,
        })
    }
}

/// The server's rate limits.
#[derive(Debug)]
pub struct RateLimits {
    addresses: Window<IpAddr>,
    hotkeys: Window<Hotkey>,
    removals: Window<IpAddr>,
}

impl RateLimits {
    /// Limits of a configuration.
    pub fn new(limits: &Limits) -> Self {
        let requests = "requests a minute";
        Self {
            addresses: Window::new(limits.address_requests_a_minute, MINUTE_MS, requests),
            hotkeys: Window::new(limits.hotkey_requests_a_minute, MINUTE_MS, requests),
            removals: Window::new(
                limits.address_removals_an_hour,
                HOUR_MS,
                "takedown requests an hour",
            ),
        }
    }

    /// Counts a request of an address.
    ///
    /// # Errors
    /// [`ProblemKind::RateLimited`] past the limit.
    pub fn address(&self, address: IpAddr, now_ms: u64) -> Result<Standing, Failure> {
        self.addresses.take(network_of(address), now_ms)
    }

    /// Counts a takedown request of an address.
    ///
    /// # Errors
    /// [`ProblemKind::RateLimited`] past the limit.
    pub fn removal(&self, address: IpAddr, now_ms: u64) -> Result<Standing, Failure> {
        self.removals.take(network_of(address), now_ms)
    }

    /// Counts a signed request of a hotkey.
    ///
    /// # Errors
    /// [`ProblemKind::RateLimited`] past the limit.
    pub fn hotkey(&self, hotkey: Hotkey, now_ms: u64) -> Result<Standing, Failure> {
        self.hotkeys.take(hotkey, now_ms)
    }
}

/// Whoever has one IPv6 address has 2^64: its /64 counts.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6
            .to_ipv4_mapped()
            .map_or_else(|| IpAddr::V6((u128::from(v6) >> 64 << 64).into()), IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_starts_anew_each_minute_and_for_each_network() {
        let limits = RateLimits::new(&Limits {
            address_requests_a_minute: 2,
            ..Limits::default()
        });
        let a: IpAddr = "2001:db8::1".parse().unwrap();
        let same: IpAddr = "2001:db8::2".parse().unwrap();
        let other: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(limits.address(a, 1_000).unwrap().remaining, 1);
        assert_eq!(limits.address(same, 2_000).unwrap().remaining, 0);
        let failure = limits.address(a, 3_000).unwrap_err();
        assert_eq!(failure.problem.code, "limit/rate");
        assert_eq!(failure.problem.retry_after, Some(57));
        assert!(limits.address(other, 3_000).is_ok());
        assert!(limits.address(a, 60_000).is_ok());
    }

    #[test]
    fn takedown_requests_have_an_hour() {
        let limits = RateLimits::new(&Limits {
            address_removals_an_hour: 1,
            ..Limits::default()
        });
        let a: IpAddr = "192.0.2.1".parse().unwrap();
        assert!(limits.removal(a, 60_000).is_ok());
        let failure = limits.removal(a, 120_000).unwrap_err();
        assert_eq!(failure.problem.retry_after, Some(3_480));
        assert_eq!(
            failure.problem.detail,
            "at most 1 takedown requests an hour; wait 3480 s"
        );
        assert!(limits.removal(a, 3_600_000).is_ok());
    }
}
