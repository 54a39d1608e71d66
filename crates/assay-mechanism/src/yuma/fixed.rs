//! I32F32, the signed fixed point with 32 fraction bits in which the runtime computes an epoch.
//!
//! Chain values (`u16` shares, `u64` amounts) come in; the epoch's formulas leave as [`Fixed`] or as `u16` shares.
//! Rounding is the runtime's: products floor, quotients truncate, a quotient by zero is zero, sums saturate
//! (opentensor/subtensor 14bc6f9 `pallets/subtensor/src/epoch/math.rs` over encointer/substrate-fixed `I32F32`).

/// A number in units of 2^−32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fixed(i64);

/// Terms of the exponential series: the runtime's loop runs over `2..frac_nbits`
/// (encointer/substrate-fixed 2c52170 `src/transcendental.rs`).
const EXP_TERMS: u16 = 32;

/// `exp(1)` as the runtime returns it, from a constant of 23 fraction bits: floor(e·2^23)·2^9.
const E: Fixed = Fixed(22_802_600 << 9);

impl Fixed {
    /// 0.
    pub const ZERO: Self = Self(0);
    /// 1 = 2^32 units.
    pub const ONE: Self = Self(1 << 32);

    /// The number with these bits, in units of 2^−32.
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// The bits, in units of 2^−32.
    pub const fn to_bits(self) -> i64 {
        self.0
    }

    /// The whole number `value`.
    pub const fn whole(value: u16) -> Self {
        Self((value as i64) << 32)
    }

    /// `value / 65535`, truncated: how the chain stores shares.
    pub fn share(value: u16) -> Self {
        Self::whole(value).div(Self::whole(u16::MAX))
    }

    /// `floor(self·65535)`, held in 0…65535: how the chain stores the results of an epoch.
    pub fn to_share(self) -> u16 {
        let scaled = self.mul(Self::whole(u16::MAX)).0 >> 32;
        u16::try_from(scaled.max(0)).unwrap_or(u16::MAX)
    }

    /// `self + other`, saturating.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "an operator would hide the saturation"
    )]
    pub fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self − other`, saturating.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "an operator would hide the saturation"
    )]
    pub fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `floor(self·other)`, also for negative products; saturating.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "an operator would hide the floor")]
    pub fn mul(self, other: Self) -> Self {
        let wide = (i128::from(self.0) * i128::from(other.0)) >> 32;
        Self(i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX }))
    }

    /// `self / other` truncated toward zero; 0 if `other` is 0; saturating.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "an operator would hide the rule for zero"
    )]
    pub fn div(self, other: Self) -> Self {
        // Shares below one half fit in 64 bits, where division costs a third.
        if let Some(shifted) = self.0.checked_mul(1 << 32) {
            return Self(
                shifted
                    .checked_div(other.0)
                    .unwrap_or(if other.0 == 0 { 0 } else { i64::MAX }),
            );
        }
        match (i128::from(self.0) << 32).checked_div(i128::from(other.0)) {
            None => Self::ZERO,
            Some(wide) => Self(i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })),
        }
    }

    /// The nearest whole number, halves away from zero, held in 0…65535; negative numbers give 0.
    pub fn round_to_u16(self) -> u16 {
        u16::try_from(self.0.saturating_add(1 << 31).max(0) >> 32).unwrap_or(u16::MAX)
    }

    /// `e^self` by the runtime's Taylor series, or 0 if a term overflows.
    ///
    /// The zero of an overflow is the runtime's (`safe_exp`), for positive arguments too, where it is wrong by a
    /// large factor; its only caller, the sigmoid of liquid alpha, then yields 1.
    #[must_use]
    pub fn exp(self) -> Self {
        self.checked_exp().unwrap_or(Self::ZERO)
    }

    fn checked_exp(self) -> Option<Self> {
        if self == Self::ONE {
            return Some(E);
        }
        let operand = self.0.checked_abs()?;
        let mut sum = operand.checked_add(Self::ONE.0)?;
        let mut term = operand;
        for i in 2..EXP_TERMS {
            let product = (i128::from(term) * i128::from(operand)) >> 32;
            term = i64::try_from(product).ok()? / i64::from(i);
            if term == 0 {
                break; // all later terms are zero too
            }
            sum = sum.checked_add(term)?;
        }
        Some(if self.0 < 0 {
            Self::ONE.div(Self(sum))
        } else {
            Self(sum)
        })
    }
}

/// Divides every value by the sum of all; a sum of zero leaves them as they are.
pub(crate) fn normalize(values: &mut [Fixed]) {
    let sum = sum(values);
    divide_by(values, sum);
}

/// Divides every value by `sum`; a `sum` of zero leaves them as they are.
pub(crate) fn divide_by(values: &mut [Fixed], sum: Fixed) {
    if sum != Fixed::ZERO {
        for value in values {
            *value = value.div(sum);
        }
    }
}

/// The saturating sum, in order.
pub(crate) fn sum(values: &[Fixed]) -> Fixed {
    values.iter().fold(Fixed::ZERO, |sum, &value| sum.add(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn f64_of(value: Fixed) -> f64 {
        value.to_bits() as f64 / 4_294_967_296.0
    }

    #[test]
    fn products_floor_and_quotients_truncate() {
        assert_eq!(Fixed(-1).mul(Fixed(1)), Fixed(-1));
        assert_eq!(Fixed(1).mul(Fixed(1)), Fixed(0));
        assert_eq!(Fixed(-1).div(Fixed::whole(2)), Fixed(0));
        assert_eq!(Fixed::ONE.div(Fixed::ZERO), Fixed::ZERO);
        assert_eq!(Fixed(i64::MAX).mul(Fixed(i64::MAX)), Fixed(i64::MAX));
        assert_eq!(Fixed(i64::MIN).div(Fixed(1)), Fixed(i64::MIN));
    }

    #[test]
    fn shares_round_down_and_are_held() {
        assert_eq!(Fixed::share(u16::MAX), Fixed::ONE);
        assert_eq!(Fixed::ONE.to_share(), u16::MAX);
        assert_eq!(Fixed::whole(2).to_share(), u16::MAX);
        assert_eq!(Fixed(-1).to_share(), 0);
        assert_eq!(Fixed(1 << 31).to_share(), 32_767);
        assert_eq!(Fixed(1 << 31).round_to_u16(), 1);
        assert_eq!(Fixed((1 << 31) - 1).round_to_u16(), 0);
    }

    #[test]
    fn the_exponential_follows_its_series() {
        assert_eq!(Fixed::ZERO.exp(), Fixed::ONE);
        assert_eq!(Fixed::ONE.exp(), E);
        for tenths in (-50_i64..=50).filter(|&tenths| tenths != 10) {
            let x = Fixed((tenths << 32) / 10);
            let expected = f64_of(x).exp();
            assert!(
                (f64_of(x.exp()) - expected).abs() <= 2e-8 * expected.max(1.0),
                "exp({tenths}/10) = {}",
                f64_of(x.exp())
            );
        }
        assert_eq!(Fixed::whole(200).exp(), Fixed::ZERO);
    }

    proptest! {
        #[test]
        fn a_share_survives_storage_within_one_step(share in any::<u16>()) {
            let back = Fixed::share(share).to_share();
            prop_assert!(back == share || back + 1 == share);
        }

        #[test]
        fn normalized_values_sum_to_at_most_one(values in proptest::collection::vec(0_i64..1 << 40, 0..40)) {
            let mut values: Vec<Fixed> = values.into_iter().map(Fixed).collect();
            normalize(&mut values);
            prop_assert!(sum(&values) <= Fixed::ONE);
        }
    }
}
