//! Bits of a probability: −log₂ of a Q48 integer as a Q24 integer, by a table made with integers alone.
//!
//! In: `x` in 1..2^48, the probability x/2^48. Out: bits in units of 2^−24. Largest error 7e-8 bit (docs/evaluation.md).

/// Fraction bits of a result.
const Q24: u32 = 24;

/// Fraction bits of a probability.
const Q48: u32 = 48;

/// Intervals of the table.
const STEPS: usize = 4096;

/// `log₂(1 + i/4096)` in Q24 for i = 0..=4096.
pub static LOG2_TABLE: [u32; STEPS + 1] = table();

/// Squares the mantissa 24 times: each square that reaches 2 gives the next binary digit of the logarithm.
#[expect(
    clippy::large_stack_arrays,
    reason = "evaluated by the compiler: nothing lies on a stack"
)]
const fn table() -> [u32; STEPS + 1] {
    let mut table = [0; STEPS + 1];
    let mut i = 0;
    while i < STEPS {
        let mut mantissa = (STEPS + i) as u128 * (1 << 50);
        let mut digits = 0_u32;
        let mut place = 0;
        while place < Q24 {
            mantissa = (mantissa * mantissa) >> 62;
            digits *= 2;
            if mantissa >= 1 << 63 {
                digits += 1;
                mantissa >>= 1;
            }
            place += 1;
        }
        // `i` stays below the length of the array it walks over.
        if let Some(slot) = table.as_mut_slice().split_at_mut(i).1.first_mut() {
            *slot = digits;
        }
        i += 1;
    }
    if let Some(slot) = table.last_mut() {
        *slot = 1 << Q24;
    }
    table
}

/// Bits of the probability `x`/2^48 in units of 2^−24; `x` is held within 1..2^48.
pub fn bits(x: u64) -> u64 {
    let x = x.clamp(1, (1 << Q48) - 1);
    let exponent = x.ilog2();
    // The 28 bits after the leading one.
    let fraction = if exponent >= 28 {
        x >> (exponent - 28)
    } else {
        x << (28 - exponent)
    } & ((1 << 28) - 1);
    let low = at((fraction >> 16) as usize);
    let step = at((fraction >> 16) as usize + 1) - low;
    let log = (u64::from(exponent) << Q24) + low + ((step * (fraction & 0xFFFF)) >> 16);
    (u64::from(Q48) << Q24) - log
}

fn at(i: usize) -> u64 {
    LOG2_TABLE.get(i).copied().map_or(0, u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::Digest as _;

    #[test]
    fn the_table_is_that_of_two_other_implementations() {
        let bytes: Vec<u8> = LOG2_TABLE.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        let digest = assay_types::hex::encode(&sha2::Sha256::digest(&bytes));
        assert_eq!(
            digest,
            "a9b2d71f0f5ccba8f5cba708ec13670e43867b75bef48a97c1acc6cccc50512e"
        );
        assert_eq!(
            [1, 2048, 4095].map(|i| LOG2_TABLE[i]),
            [5_908, 9_814_042, 16_774_261]
        );
    }

    #[test]
    fn bits_of_known_probabilities() {
        let of = [1, 3, 1 << 24, (1 << 47) + 12_345].map(bits);
        assert_eq!(of, [805_306_368, 778_715_110, 402_653_184, 16_777_216]);
        assert_eq!(bits(0), bits(1));
    }

    proptest! {
        #[test]
        fn bits_never_rise_with_the_probability(x in 1_u64..1 << 48, more in 0_u64..1 << 40) {
            prop_assert!(bits(x.saturating_add(more)) <= bits(x));
        }

        #[test]
        fn bits_are_within_a_ten_millionth_of_the_logarithm(x in 1_u64..1 << 48) {
            let exact = 48.0 - (x as f64).log2();
            prop_assert!((bits(x) as f64 / f64::from(1 << 24) - exact).abs() < 1.3e-7);
        }
    }
}
