//! Q32, the unsigned fixed point with 32 fraction bits in which all scores are computed.
//!
//! Scores and shares come in as ratios of integers; the mechanism's formulas leave as `Q32`. Every operation
//! floors once, in the written order, so two machines get the same bits (mechanism §1).

use serde::{Deserialize, Serialize};

/// An unsigned number in units of 2^−32.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Q32(pub u64);

impl Q32 {
    /// 0.
    pub const ZERO: Self = Self(0);
    /// 1 = 2^32 units.
    pub const ONE: Self = Self(1 << 32);

    /// `(a·b) >> 32` in 128 bits, floor; saturates at the largest value.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "an operator would hide the floor")]
    pub fn mul(self, other: Self) -> Self {
        Self::saturated((u128::from(self.0) * u128::from(other.0)) >> 32)
    }

    /// `(a << 32) / b` in 128 bits, floor; none if `b` is zero; saturates at the largest value.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "an operator would hide the floor")]
    pub fn div(self, other: Self) -> Option<Self> {
        (u128::from(self.0) << 32)
            .checked_div(u128::from(other.0))
            .map(Self::saturated)
    }

    /// `numerator / denominator` of two integers, floor; none if the denominator is zero.
    #[must_use]
    pub fn ratio(numerator: u64, denominator: u64) -> Option<Self> {
        Self(numerator).div(Self(denominator))
    }

    /// The sum, held at the largest value.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, held at zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    fn saturated(wide: u128) -> Self {
        Self(u64::try_from(wide).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credibility_after_a_first_pass_is_the_worked_example() {
        // mechanism §15: C = .5 and a full pass with cred_up .2 give 2576980377.
        let (c, cred_up) = (Q32(1 << 31), Q32(858_993_459));
        let up = cred_up.mul(Q32::ONE).mul(Q32::ONE.saturating_sub(c));
        assert_eq!(c.saturating_add(up), Q32(2_576_980_377));
    }

    #[test]
    fn operations_floor_and_saturate() {
        assert_eq!(Q32(3).mul(Q32(1 << 31)), Q32(1));
        assert_eq!(Q32::ratio(2, 3), Some(Q32(2_863_311_530)));
        assert_eq!(Q32::ratio(1, 0), None);
        assert_eq!(Q32(u64::MAX).mul(Q32(u64::MAX)), Q32(u64::MAX));
        assert_eq!(Q32(u64::MAX).div(Q32(1)), Some(Q32(u64::MAX)));
        assert_eq!(Q32::ZERO.saturating_sub(Q32::ONE), Q32::ZERO);
    }
}
