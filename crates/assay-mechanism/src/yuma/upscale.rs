//! How the chain scales and limits the weights a validator sets.
//!
//! `u16` values of an extrinsic come in; the values the chain stores leave. Source: chain reference §1.2 (opentensor/
//! subtensor 14bc6f9 `epoch/math.rs`: `vec_u16_max_upscale_to_u16`, `check_vec_max_limited`).

use super::fixed::{Fixed, normalize};

/// A maximum above this scales by one rounded factor, at or below it by an exact quotient per value.
const FACTOR_ABOVE: u16 = 32_768;

/// The values scaled so that the largest is 65,535; zeros stay zeros.
///
/// For a maximum m above 32,768 each value e becomes `round(e·floor32(65535/m))`, else `round(e·65535/m)` with the
/// quotient truncated to 32 fraction bits; halves round up.
pub fn max_upscale(values: &[u16]) -> Vec<u16> {
    let largest = values.iter().copied().max().unwrap_or(0);
    let (all, largest_fixed) = (Fixed::whole(u16::MAX), Fixed::whole(largest));
    // The runtime forms e·65535 in I32F32, which holds 65535·32768 exactly; e is at most the largest here.
    let scaled = |value: u16| {
        if largest > FACTOR_ABOVE {
            Fixed::whole(value).mul(all.div(largest_fixed))
        } else {
            Fixed::whole(value).mul(all).div(largest_fixed)
        }
    };
    values.iter().map(|&value| scaled(value).round_to_u16()).collect()
}

/// Whether the largest value exceeds `limit/65535` of the sum (`MaxWeightExceeded`); a limit of 65,535 is never exceeded.
pub fn exceeds_max_weight(values: &[u16], limit: u16) -> bool {
    let mut shares: Vec<Fixed> = values.iter().map(|&value| Fixed::whole(value)).collect();
    normalize(&mut shares);
    shares.iter().any(|&share| share > Fixed::share(limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_upscale_vectors_of_the_chain_reference() {
        let check =
            |values: &[u16], expected: &[u16]| assert_eq!(max_upscale(values), expected, "{values:?}");
        check(&[1, 2, 3], &[21_845, 43_690, 65_535]);
        check(&[43_690, 21_845], &[65_535, 32_768]);
        check(&[40_000, 20_000, 1], &[65_535, 32_767, 2]);
        check(&[65_535, 7, 0], &[65_535, 7, 0]);
        check(&[0, 0], &[0, 0]);
        check(&[], &[]);
    }

    #[test]
    fn the_limit_compares_shares_of_the_sum() {
        assert!(!exceeds_max_weight(&[u16::MAX], u16::MAX));
        assert!(!exceeds_max_weight(&[1, 1], 32_768));
        assert!(exceeds_max_weight(&[1, 1], 32_767));
        assert!(!exceeds_max_weight(&[0, 0], 0));
    }

    proptest! {
        #[test]
        fn upscaling_keeps_order_and_is_idempotent(values in proptest::collection::vec(any::<u16>(), 0..20)) {
            let scaled = max_upscale(&values);
            for (a, x) in values.iter().zip(&scaled) {
                for (b, y) in values.iter().zip(&scaled) {
                    prop_assert!(a > b || x <= y);
                }
            }
            let largest = scaled.iter().copied().max().unwrap_or(0);
            prop_assert!(largest == 0 || largest == u16::MAX, "largest is {largest}");
            prop_assert_eq!(max_upscale(&scaled), scaled);
        }
    }
}
