//! The server's clock: the system's, or one that a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub struct ServerClock {
    fixed_ms: Option<Arc<AtomicU64>>,
}

impl ServerClock {
    /// A clock that stands until it is moved.
    pub fn manual(now_ms: u64) -> Self {
        Self {
            fixed_ms: Some(Arc::new(AtomicU64::new(now_ms))),
        }
    }

    /// Moves a manual clock; the system's goes its own way.
    pub fn advance(&self, by_ms: u64) {
        if let Some(fixed) = &self.fixed_ms {
            fixed.fetch_add(by_ms, Ordering::Relaxed);
        }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        if let Some(fixed) = &self.fixed_ms {
            return fixed.load(Ordering::Relaxed);
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
