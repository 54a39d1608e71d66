//! Recipe gain: what a proven better recipe multiplies production pay by, in integers only.
//!
//! Bits per byte and kept tokens of a recipe's last duel come in; a [`Q32`] between the bounds leaves for `score`.
//! `g = clamp(1.1^(100·δ)·(tokens/tokens_anchor)^(1/4), 1/2, 2)` with `δ = (B_anchor − B)/B_anchor`: one per cent fewer bits
//! is ten per cent more pay (mechanism §9.3, integer form there; worked examples §15).

use assay_types::{ParamValues, Q32, Tokens};

/// floor(log2(1.1)·2^32) (mechanism §9.3).
const LOG2_PAY: i128 = 590_573_137;

/// Exponents are held within this many octaves before [`exp2`]; the bounds of any parameter set lie inside.
const OCTAVES_MAX: i128 = 31;

/// floor(2^(2^−k)·2^32) for k = 1…32.
const ROOTS_OF_TWO: [u64; 32] = [
    6_074_000_999,
    5_107_605_667,
    4_683_695_047,
    4_485_121_743,
    4_389_014_833,
    4_341_736_423,
    4_318_288_543,
    4_306_612_133,
    4_300_785_773,
    4_297_875_550,
    4_296_421_177,
    4_295_694_174,
    4_295_330_720,
    4_295_149_004,
    4_295_058_149,
    4_295_012_722,
    4_294_990_009,
    4_294_978_652,
    4_294_972_974,
    4_294_970_135,
    4_294_968_715,
    4_294_968_005,
    4_294_967_650,
    4_294_967_473,
    4_294_967_384,
    4_294_967_340,
    4_294_967_318,
    4_294_967_307,
    4_294_967_301,
    4_294_967_298,
    4_294_967_297,
    4_294_967_296,
];

/// Bits per byte in units of 1e-4, as duel cells report them.
pub type BitsQuanta = u32;

/// Least and greatest gain of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GainBounds {
    /// Least gain; default 1/2.
    pub min: Q32,
    /// Greatest gain; default 2.
    pub max: Q32,
}

impl From<&ParamValues> for GainBounds {
    fn from(values: &ParamValues) -> Self {
        Self {
            min: Q32(values.gain_min),
            max: Q32(values.gain_max),
        }
    }
}

impl Default for GainBounds {
    /// The first parameter set's.
    fn default() -> Self {
        Self::from(&ParamValues::default())
    }
}

/// What a duel measured of a recipe, or of the anchor beside it: on equal archives and equal token budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Bits per byte, macro-averaged, in 1e-4.
    pub bits: BitsQuanta,
    /// Tokens kept of the same archives (yield).
    pub tokens: Tokens,
}

/// The gain of `recipe` against `anchor`, within `bounds`; none if the anchor's bits or tokens are zero.
///
/// `δ = floor((B_a − B)·2^32/B_a)`; `x = 100·((590573137·δ) >> 32) + (log2(div(tokens, tokens_anchor)) >> 2)`;
/// `g = exp2(x)`. Shifts are arithmetic. A recipe that keeps no token has the least gain.
pub fn gain(anchor: Measured, recipe: Measured, bounds: GainBounds) -> Option<Q32> {
    let yield_ratio = Q32::ratio(recipe.tokens.0, anchor.tokens.0)?;
    if anchor.bits == 0 {
        return None;
    }
    let saved = i128::from(anchor.bits) - i128::from(recipe.bits);
    let delta = (saved << 32).div_euclid(i128::from(anchor.bits));
    let Some(log_yield) = log2(yield_ratio) else {
        return Some(bounds.min);
    };
    let exponent = 100 * ((LOG2_PAY * delta) >> 32) + i128::from(log_yield >> 2);
    let held = exponent.clamp(-(OCTAVES_MAX << 32), OCTAVES_MAX << 32);
    let g = exp2(i64::try_from(held).unwrap_or_default());
    Some(Q32(g.0.min(bounds.max.0).max(bounds.min.0)))
}

/// `2^(exponent/2^32)`, exponent in units of 2^−32: one [`Q32::mul`] per set fraction bit, highest first, then a shift by
/// the whole part. Saturates above 2^32, floors to zero far below.
pub fn exp2(exponent: i64) -> Q32 {
    let fraction = exponent.rem_euclid(1 << 32);
    let product = ROOTS_OF_TWO
        .iter()
        .enumerate()
        .filter(|(k, _)| fraction >> (31 - k) & 1 == 1)
        .fold(Q32::ONE, |product, (_, &root)| product.mul(Q32(root)));
    let octaves = exponent >> 32;
    if octaves < 0 {
        let down = u32::try_from(-octaves).unwrap_or(u32::MAX);
        return Q32(product.0.checked_shr(down).unwrap_or(0));
    }
    match u32::try_from(octaves) {
        Ok(up) if up < 31 => Q32(product.0 << up),
        _ => Q32(u64::MAX),
    }
}

/// log2 in units of 2^−32: normalised to [1, 2), then squared 32 times with [`Q32::mul`]; none for zero.
pub fn log2(value: Q32) -> Option<i64> {
    let highest = value.0.checked_ilog2()?;
    let mut mantissa = if highest >= 32 {
        value.0 >> (highest - 32)
    } else {
        value.0 << (32 - highest)
    };
    let mut log = i64::from(highest) - 32;
    for _ in 0..32 {
        mantissa = Q32(mantissa).mul(Q32(mantissa)).0;
        log <<= 1;
        if mantissa >= 2 << 32 {
            log |= 1;
            mantissa >>= 1;
        }
    }
    Some(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(anchor_bits: u32, bits: u32, tokens: u64, anchor_tokens: u64) -> Option<Q32> {
        let measured = |bits, tokens| Measured {
            bits,
            tokens: Tokens(tokens),
        };
        gain(
            measured(anchor_bits, anchor_tokens),
            measured(bits, tokens),
            GainBounds::default(),
        )
    }

    #[test]
    fn the_worked_examples() {
        // Mechanism §15, gain.
        assert_eq!(of(13_000, 12_870, 100, 100), Some(Q32(4_724_463_980)));
        assert_eq!(of(13_000, 12_870, 120, 100), Some(Q32(4_944_790_020)));
        assert_eq!(of(13_000, 13_130, 80, 100), Some(Q32(3_692_662_938)));
    }

    #[test]
    fn roots_of_two_are_floors() {
        for (k, &root) in (1_i32..).zip(&ROOTS_OF_TWO) {
            let exact = 2_f64.powf(2_f64.powi(-k)) * 4_294_967_296.0;
            assert_eq!(root, exact as u64, "k = {k}");
        }
    }

    #[test]
    fn edges_are_held_not_wrapped() {
        assert_eq!(of(0, 1, 1, 1), None);
        assert_eq!(of(1, 1, 1, 0), None);
        assert_eq!(of(13_000, 13_000, 0, 9), Some(Q32(1 << 31)));
        assert_eq!(of(13_000, 13_000, 9, 9), Some(Q32::ONE));
        assert_eq!(of(1, u32::MAX, u64::MAX, 1), Some(Q32(1 << 31)));
        assert_eq!(of(u32::MAX, 0, u64::MAX, 1), Some(Q32(2 << 32)));
        assert_eq!(of(u32::MAX, 0, u64::MAX, u64::MAX), Some(Q32(2 << 32)));
        assert_eq!((exp2(i64::MIN), exp2(i64::MAX)), (Q32(0), Q32(u64::MAX)));
        assert_eq!(
            (exp2(0), exp2(-1 << 32), exp2(3 << 32)),
            (Q32::ONE, Q32(1 << 31), Q32(8 << 32))
        );
        assert_eq!(
            (log2(Q32(1)), log2(Q32::ONE), log2(Q32::ZERO)),
            (Some(-32 << 32), Some(0), None)
        );
    }

    proptest! {
        #[test]
        fn exp2_and_log2_invert_each_other(bits in 1_u64 << 20..1 << 44) {
            let log = log2(Q32(bits)).unwrap();
            let back = exp2(log).0 as f64;
            prop_assert!((back / bits as f64 - 1.0).abs() < 1e-6, "{bits} came back as {back}");
            let exact = (bits as f64 / 4_294_967_296.0).log2() * 4_294_967_296.0;
            prop_assert!((log as f64 - exact).abs() < 64.0, "log2 is {log}, not {exact}");
        }

        #[test]
        fn fewer_bits_and_more_tokens_never_pay_less(
            anchor in 5_000_u32..30_000, bits in 5_000_u32..30_000, less in 0_u32..500,
            tokens in 1_u64..1 << 40, more in 0_u64..1 << 40, anchor_tokens in 1_u64..1 << 40,
        ) {
            let base = of(anchor, bits, tokens, anchor_tokens).unwrap();
            // Truncation inside exp2 and log2 may cost a few units of 2^-32, never more.
            let tolerance = 64;
            prop_assert!(of(anchor, bits - less, tokens, anchor_tokens).unwrap().0 + tolerance >= base.0);
            prop_assert!(of(anchor, bits, tokens + more, anchor_tokens).unwrap().0 + tolerance >= base.0);
            prop_assert!(base >= GainBounds::default().min && base <= GainBounds::default().max);
        }

        #[test]
        fn any_input_gives_a_gain_within_bounds(
            anchor in any::<u32>(), bits in any::<u32>(), tokens in any::<u64>(), anchor_tokens in any::<u64>(),
        ) {
            if let Some(g) = of(anchor, bits, tokens, anchor_tokens) {
                prop_assert!(g >= Q32(1 << 31) && g <= Q32(2 << 32));
            }
        }
    }
}
