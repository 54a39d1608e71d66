//! How new an answer has to be for who asks.

use super::rendered::Rendered;

/// How long a page may stand, milliseconds: it prints ages, which are too young by no more than this.
pub(super) const PAGE_MS_MAX: u64 = 5_000;
/// From which age on a page that is asked for is rendered again behind the answer, milliseconds.
pub(super) const PAGE_MS_AGAIN: u64 = 2_500;
/// The same for a page of a state before the newest.
pub(super) const PAGE_MS_AGAIN_CHANGED: u64 = 1_000;

/// What an answer must be to be given once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    /// Of the newest state.
    State,
    /// Of the newest state, and made within the last [`PAGE_MS_MAX`] before this time.
    Newest(u64),
    /// Made within the last [`PAGE_MS_MAX`] before this time, of whatever state.
    Recent(u64),
    /// Of the newest state, and younger than what [`Self::Recent`] has rendered again.
    Again(u64),
}

impl Stands {
    /// When it is asked for.
    pub(super) const fn now_ms(self) -> u64 {
        match self {
            Self::State => 0,
            Self::Newest(now_ms) | Self::Recent(now_ms) | Self::Again(now_ms) => now_ms,
        }
    }

    const fn age_ms_max(self) -> u64 {
        match self {
            Self::State => u64::MAX,
            Self::Newest(_) | Self::Recent(_) => PAGE_MS_MAX,
            Self::Again(_) => PAGE_MS_AGAIN_CHANGED,
        }
    }

    /// How old an answer is then, milliseconds.
    pub(super) const fn age_ms(self, of: &Rendered) -> u64 {
        self.now_ms().saturating_sub(of.made_ms)
    }

    /// Whether an answer is young enough.
    pub(super) const fn is_met(self, by: &Rendered) -> bool {
        self.age_ms(by) <= self.age_ms_max()
    }
}
