//! The price of a registration: it rises by a quarter with each one and halves in so many blocks.
//!
//! `Burn` comes in and leaves, rao. Rule: each block `price·f >> 32`, f the largest of 32 fraction bits with
//! `f^half_life ≤ 1/2`, powers by squaring with truncation; each registration ×1.26; then the bounds (docs/embedded-chain.md; opentensor/subtensor 14bc6f9).

use super::Subnet;

/// `BurnIncreaseMult` of a new subnet, in hundredths.
const INCREASE_PERCENT: u128 = 126;
/// f of `BurnHalfLife` 360, that of a new subnet; a test computes it.
const DECAY: u64 = 4_286_705_684;

impl Subnet {
    /// One block passes.
    pub(super) fn decay_burn(&mut self) {
        let price = (u128::from(self.burn) * u128::from(DECAY)) >> 32;
        self.burn = self.held(price);
    }

    /// Somebody registered.
    pub(super) fn raise_burn(&mut self) {
        let price = u128::from(self.burn) * INCREASE_PERCENT / 100;
        self.burn = self.held(price);
    }

    fn held(&self, price: u128) -> u64 {
        let (least, most) = (self.params.burn_min.0, self.params.burn_max.0);
        u64::try_from(price).unwrap_or(u64::MAX).max(least).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::NetUid;

    const HALF_LIFE_BLOCKS: u32 = 360;
    const ONE: u64 = 1 << 32;

    /// The largest f with `f^half_life ≤ 1/2`.
    fn decay_factor(half_life: u32) -> u64 {
        let (mut low, mut high) = (0, ONE);
        while low + 1 < high {
            let middle = low.midpoint(high);
            if power(middle, half_life) <= ONE / 2 {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    fn power(base: u64, mut exponent: u32) -> u64 {
        let times = |a: u64, b: u64| ((u128::from(a) * u128::from(b)) >> 32) as u64;
        let (mut result, mut square) = (ONE, base);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = times(result, square);
            }
            square = times(square, square);
            exponent >>= 1;
        }
        result
    }

    #[test]
    fn the_price_halves_in_360_blocks() {
        assert_eq!(decay_factor(HALF_LIFE_BLOCKS), DECAY);
        let mut subnet = Subnet::new(NetUid(1), 0);
        for _ in 0..HALF_LIFE_BLOCKS {
            subnet.decay_burn();
        }
        assert_eq!(subnet.burn, 499_999_865);
    }

    #[test]
    fn a_registration_raises_the_price_and_bounds_hold_it() {
        let mut subnet = Subnet::new(NetUid(1), 0);
        subnet.raise_burn();
        assert_eq!(subnet.burn, 1_260_000_000);
        for _ in 0..40 {
            subnet.raise_burn();
        }
        assert_eq!(subnet.burn, 100_000_000_000);
        for _ in 0..10_000 {
            subnet.decay_burn();
        }
        assert_eq!(subnet.burn, 500_000);
    }
}
