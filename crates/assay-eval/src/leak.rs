//! The leak check of two datasets: who gains much more on evaluation text that is public than on fresh text has seen it.
//!
//! Bits of stage 1 on both texts come in, fold by fold; numbers for a report and a gate leave. Thresholds and the sum are
//! those of [`assay_mechanism::leak`]; documents that repeat *fresh* text word by word are dropped before (docs/evaluation.md).

pub use assay_mechanism::leak::{GAP_MIN, GAP_STANDARD_ERRORS_MIN};
use assay_mechanism::leak::{Gains, gap};
use assay_mechanism::paired::StatisticsError;
use serde::Serialize;

use crate::gates::Gate;
use crate::held_out::HeldOutSet;
use crate::report::rounded;
use crate::stage1::ArmBits;

/// What a dataset gains on public and on fresh text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leak {
    /// The dataset it was held against.
    pub anchor: String,
    /// Bits per byte it needs fewer than the anchor on public text.
    pub public: f64,
    /// The same on fresh text.
    pub fresh: f64,
    /// Their difference.
    pub gap: f64,
    /// Standard error of the difference over folds.
    pub standard_error: f64,
    /// Whether the flag is raised.
    pub is_leak: bool,
}

/// Bits of one dataset on both texts.
#[derive(Debug, Clone)]
pub(crate) struct Both {
    pub(crate) fresh: ArmBits,
    pub(crate) public: Option<ArmBits>,
}

/// Both texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts<'a> {
    pub(crate) fresh: &'a HeldOutSet,
    pub(crate) public: &'a HeldOutSet,
}

/// How far the gains of `arm` over `anchor` lie apart; none if public text was not scored.
///
/// # Errors
/// [`StatisticsError`]: fewer than four folds.
pub(crate) fn leak(
    arm: &Both,
    anchor: &Both,
    name: &str,
    texts: Texts<'_>,
) -> Option<Result<Leak, StatisticsError>> {
    let (public, anchor_public) = (arm.public.as_ref()?, anchor.public.as_ref()?);
    let folds = arm.fresh.folds().min(anchor.fresh.folds());
    let gains = |fold| Gains {
        public: anchor_public.bits_per_byte(fold, texts.public) - public.bits_per_byte(fold, texts.public),
        fresh: anchor.fresh.bits_per_byte(fold, texts.fresh) - arm.fresh.bits_per_byte(fold, texts.fresh),
    };
    let gains: Vec<Gains> = (0..folds).map(gains).collect();
    let mean = |of: fn(&Gains) -> f64| gains.iter().map(of).fold(0.0, |sum, gain| sum + gain) / folds as f64;
    let found = gap(&gains).map(|gap| Leak {
        anchor: name.to_owned(),
        public: rounded(mean(|gains| gains.public)),
        fresh: rounded(mean(|gains| gains.fresh)),
        gap: rounded(gap.gap),
        standard_error: rounded(gap.standard_error),
        is_leak: gap.is_leak(),
    });
    Some(found)
}

impl Leak {
    /// The gate of the flag.
    pub fn gate(&self) -> Gate {
        Gate::condition(
            !self.is_leak,
            format!(
                "gains {:.4} bits per byte on public text and {:.4} on fresh text over `{}`: at least {GAP_MIN} and more than \
                 {GAP_STANDARD_ERRORS_MIN} standard errors ({:.4}) apart",
                self.public, self.fresh, self.anchor, self.standard_error
            ),
        )
    }
}
