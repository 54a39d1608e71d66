//! Rate limits by address and by hotkey: a count for each minute, or hour for takedown requests, with the headers that
//! tell a client where it stands.

use crate::config::Limits;
use crate::failure::Failure;
use assay_types::Hotkey;
use assay_types::api::ProblemKind;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Length of the window of requests, and of takedown requests.
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Keys counted at once; beyond it a window starts anew for everyone.
const KEYS_MAX: usize = 100_000;
/// Nonces remembered of one minute; beyond it the older ones are forgotten.
const NONCES_MAX: usize = 1 << 18;

/// The header that says how many requests a window has.
pub(crate) const RATE_LIMIT_HEADER: HeaderName = HeaderName::from_static("ratelimit-limit");

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
            (RATE_LIMIT_HEADER, self.limit),
            (HeaderName::from_static("ratelimit-remaining"), self.remaining),
            (HeaderName::from_static("ratelimit-reset"), self.reset_seconds),
        ] {
            headers.insert(name, HeaderValue::from(value));
        }
    }
}

/// Where the hotkey of a signed request stands: told by who checks the signature, read by who writes the headers.
#[derive(Debug, Clone, Default)]
pub(crate) struct HotkeyStanding(Arc<OnceLock<Standing>>);

impl HotkeyStanding {
    /// Tells it, once a request.
    pub(crate) fn tell(&self, standing: Standing) {
        // A request is checked once.
        let _ = self.0.set(standing);
    }

    /// What was told.
    pub(crate) fn told(&self) -> Option<Standing> {
        self.0.get().copied()
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

    /// Counts for a key.
    fn take(&self, key: K, now_ms: u64) -> Result<Standing, Failure> {
        self.count(key, now_ms, 1)
    }

    /// Where a key stands; nothing is counted.
    fn look(&self, key: K, now_ms: u64) -> Result<Standing, Failure> {
        self.count(key, now_ms, 0)
    }

    fn count(&self, key: K, now_ms: u64, add: u32) -> Result<Standing, Failure> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (window, counted) = &mut *counts;
        if *window != now_ms / self.length_ms || counted.len() >= KEYS_MAX {
            *window = now_ms / self.length_ms;
            counted.clear();
        }
        let before = counted.get(&key).copied().unwrap_or_default();
        let reset_seconds = ((self.length_ms - now_ms % self.length_ms) / 1_000).max(1) as u32;
        let standing = |count: u32| Standing {
            limit: self.limit,
            remaining: self.limit.saturating_sub(count),
            reset_seconds,
        };
        if before >= self.limit {
            let why = format!("at most {} {}; wait {reset_seconds} s", self.limit, self.what);
            let mut failure = Failure::new(ProblemKind::RateLimited, why).retry_after(reset_seconds);
            failure.standing = Some(standing(before));
            return Err(failure);
        }
        if add > 0 {
            counted.insert(key, before.saturating_add(add));
        }
        Ok(standing(before.saturating_add(add)))
    }
}

/// Signed requests that were counted of late: those of this minute and of the one before.
#[derive(Debug, Default)]
struct Counted {
    minute: u64,
    now: HashSet<(Hotkey, i64)>,
    before: HashSet<(Hotkey, i64)>,
}

impl Counted {
    /// Forgets what no fresh request can be a replay of.
    fn advance(&mut self, now_ms: u64) {
        let minute = now_ms / MINUTE_MS;
        if minute != self.minute || self.now.len() >= NONCES_MAX {
            self.before = std::mem::take(&mut self.now);
            if minute > self.minute.saturating_add(1) {
                self.before.clear();
            }
            self.minute = minute;
        }
    }

    fn contains(&self, request: &(Hotkey, i64)) -> bool {
        self.now.contains(request) || self.before.contains(request)
    }
}

/// The server's rate limits.
#[derive(Debug)]
pub struct RateLimits {
    addresses: Window<IpAddr>,
    hotkeys: Window<Hotkey>,
    counted: Mutex<Counted>,
    removals: Window<IpAddr>,
}

impl RateLimits {
    /// Limits of a configuration.
    pub fn new(limits: &Limits) -> Self {
        let requests = "requests a minute";
        Self {
            addresses: Window::new(limits.address_requests_a_minute, MINUTE_MS, requests),
            hotkeys: Window::new(limits.hotkey_requests_a_minute, MINUTE_MS, requests),
            counted: Mutex::default(),
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

    /// Counts a signed request of a hotkey, whose signature holds. One with the same nonce was counted before and is not
    /// counted again, so that who replays a request uses up the limit of an address and not of its signer.
    ///
    /// # Errors
    /// [`ProblemKind::RateLimited`] past the limit.
    pub fn hotkey(&self, hotkey: Hotkey, nonce: i64, now_ms: u64) -> Result<Standing, Failure> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.advance(now_ms);
        if counted.contains(&(hotkey, nonce)) {
            return self.hotkeys.look(hotkey, now_ms);
        }
        let standing = self.hotkeys.take(hotkey, now_ms)?;
        counted.now.insert((hotkey, nonce));
        Ok(standing)
    }
}

/// Whoever has one IPv6 address has 2^64: its /64 counts.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
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
    fn a_replay_is_not_counted_against_its_signer() {
        let limits = RateLimits::new(&Limits {
            hotkey_requests_a_minute: 3,
            ..Limits::default()
        });
        let hotkey = Hotkey([1; 32]);
        let remaining = |nonce, now_ms| {
            limits
                .hotkey(hotkey, nonce, now_ms)
                .map(|standing| standing.remaining)
        };
        assert_eq!(remaining(7, 50_000).unwrap(), 2);
        for _ in 0..9 {
            assert_eq!(remaining(7, 50_001).unwrap(), 2);
        }
        assert_eq!(remaining(8, 50_002).unwrap(), 1);
        assert_eq!(remaining(9, 50_003).unwrap(), 0);
        let failure = remaining(10, 50_004).unwrap_err();
        assert_eq!(
            failure
                .standing
                .map(|standing| (standing.limit, standing.remaining)),
            Some((3, 0))
        );
        // The minute ends: replays of the one before still count for nothing.
        assert_eq!(remaining(9, 60_000).unwrap(), 3);
        assert_eq!(remaining(11, 60_001).unwrap(), 2);
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
